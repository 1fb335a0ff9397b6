//! Plugins beside the rules: which there are, what they say of themselves, and what `tierd.toml` lets them have.
//!
//! What is wrong with a plugin is reported once, at its file or where it is granted something; rules that call it are silent then.

mod call;
mod grants;
mod settings;

use std::sync::Arc;

use tierd_model::Type;

pub(super) use self::call::Call;
use self::{grants::Granted, settings::Given};
use super::{Checking, catalog::Catalog};
use crate::{
    code,
    diagnostic::Diagnostic,
    fileset::{FileId, Location, is_plugin, plugin_name},
    plugin::{Plugin, PluginDescription, PluginFile, PluginId, PluginKind, PluginProblem},
    raw::{At, ConfigFile},
    suggest::nearest,
};

/// The plugins, by name.
#[derive(Default)]
pub(super) struct Offers {
    all: Vec<Offer>,
}

/// One plugin.
pub(super) struct Offer {
    name: String,
    /// Its file.
    at: Location,
    file: Option<PluginFile>,
    /// What it says of itself; `None` where that is reported.
    description: Option<Arc<PluginDescription>>,
    granted: Granted,
}

impl Offers {
    fn find(&self, name: &str) -> Option<(PluginId, &Offer)> {
        let place = self.all.iter().position(|offer| offer.name == name)?;
        Some((PluginId(place), &self.all[place]))
    }

    /// All of them, if all are good.
    pub(super) fn into_good(self) -> Vec<Plugin> {
        self.all.into_iter().filter_map(Offer::good).collect()
    }
}

impl Offer {
    fn good(self) -> Option<Plugin> {
        let Granted { limits, grants, .. } = self.granted;
        Some(Plugin { name: self.name, file: self.file?, description: self.description?, limits, grants })
    }
}

impl Checking<'_> {
    /// All plugins, with what the configuration grants them.
    pub(super) fn plugins(&mut self, config: &ConfigFile, catalog: &Catalog) -> Offers {
        let mut all: Vec<Offer> = vec![];
        let files: Vec<(FileId, Arc<str>)> = self.plugin_files();
        for (id, path) in files {
            let (name, at) = (plugin_name(&path), Location { file: id, range: 0..0 });
            match all.iter().find(|offer| offer.name == name) {
                Some(first) => self.two_plugins(name, &at, &first.at.clone()),
                None => all.push(self.offer(name, &path, at)),
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        self.granted(config, catalog, &mut all);
        Offers { all }
    }

    fn plugin_files(&self) -> Vec<(FileId, Arc<str>)> {
        let files = self.files.iter().filter(|(_, file)| is_plugin(&file.path));
        files.map(|(id, file)| (id, file.path.clone())).collect()
    }

    fn two_plugins(&mut self, name: &str, at: &Location, first: &Location) {
        let diagnostic = Diagnostic::error(code::DUPLICATE_NAME, at, format!("there are two plugins `{name}`"));
        let help = "rules go by the name of the file, whatever folder it is in: give one of them another name";
        self.out.push(diagnostic.other(first, "").help(help));
    }

    fn offer(&mut self, name: &str, path: &str, at: Location) -> Offer {
        let good = |char: char| char.is_alphanumeric() || char == '_' || char == '-';
        if name.is_empty() || !name.chars().all(good) {
            let help = "names of plugins are letters of any script, digits, `_` and `-`, before `.wasm`";
            self.error(code::BAD_NAME, &at, format!("`{name}` can't be the name of a plugin"), help);
        }
        let file = self.files.plugins().iter().find(|plugin| &*plugin.path == path).cloned();
        let description = match file.as_ref().and_then(|file| file.described.clone()) {
            Some(Ok(description)) => self.sound(&description, &at).then_some(description),
            Some(Err(PluginProblem { message, help })) => {
                let diagnostic = Diagnostic::error(code::BAD_PLUGIN, &at, message);
                self.out.push(diagnostic.maybe_help(Some(help).filter(|help| !help.is_empty())));
                None
            }
            None => {
                let help = "take the file away, or load the rules with a tierd that runs plugins";
                self.error(code::BAD_PLUGIN, &at, "nobody has asked this plugin what it offers", help);
                None
            }
        };
        Offer { name: name.to_owned(), at, file, description, granted: Granted::default() }
    }

    /// Whether rules can go by what a plugin says of itself.
    fn sound(&mut self, description: &PluginDescription, at: &Location) -> bool {
        let mut sound = true;
        for (place, function) in description.functions.iter().enumerate() {
            let twice = description.functions[..place].iter().any(|other| other.name == function.name);
            let headline = match (twice, function.kind, function.output) {
                (true, ..) => format!("it has two functions `{}`", function.name),
                (_, PluginKind::Planner, Some(_)) => format!("`{}` is a planner, and gives no value", function.name),
                (_, PluginKind::Planner, None) | (_, PluginKind::Segmenter, None | Some(Type::Text)) => continue,
                (_, PluginKind::Segmenter, Some(ty)) => {
                    format!("`{}` is a segmenter, which gives text, not {ty}", function.name)
                }
                (_, _, None) => format!("`{}` doesn't say of which type its values are", function.name),
                (_, _, Some(_)) => continue,
            };
            self.error(code::BAD_PLUGIN, at, headline, "this is for the author of the plugin to mend");
            sound = false;
        }
        sound
    }

    /// The plugin of this name. Where there is none, or it is no good, that is reported.
    fn plugin_named<'c>(&mut self, name: &At<String>, catalog: &'c Catalog) -> Option<(PluginId, &'c Offer)> {
        let text = name.value.as_ref()?;
        let found = catalog.plugins.find(text);
        if found.is_none() {
            let diagnostic = unknown_plugin(text, &name.at, &catalog.plugins.all);
            self.out.push(diagnostic);
        }
        found
    }
}

/// No file of that name.
fn unknown_plugin(name: &str, at: &Location, all: &[Offer]) -> Diagnostic {
    let names = all.iter().map(|offer| offer.name.as_str());
    let help = match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if all.is_empty() => format!("put {name}.wasm beside the rules"),
        None => {
            let files: Vec<String> = names.map(|name| format!("{name}.wasm")).collect();
            format!("the plugins beside the rules are {}", files.join(", "))
        }
    };
    Diagnostic::error(code::UNKNOWN_PLUGIN, at, format!("no plugin `{name}`")).help(help)
}
