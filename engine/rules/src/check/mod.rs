//! From the files as written to a [`RuleSet`]: names looked up, types proved, dependencies ordered.
//!
//! Everything is checked in one go. What is wrong is reported once, where it stands; what refers to it is silent.

mod aggregate;
mod allow;
mod cases;
mod catalog;
mod categories;
mod constant;
mod guards;
mod heads;
mod http;
mod metrics;
mod movement;
mod named;
mod order;
mod plugins;
mod points;
mod retention;
mod schedules;
mod template;
mod threshold;
mod tiers;
mod window;

use std::{collections::HashMap, ops::Range};

use self::schedules::Schedules;

pub use self::cases::load_tests;

use crate::{
    Http, RuleSet, code,
    diagnostic::Diagnostic,
    fileset::{File, FileId, FileSet, Location, is_plugin},
    raw::{self, At, ConfigFile, Name, RuleFile, offsets::Offsets},
    report::Report,
    syntax::{self, Node},
};

/// The name of the configuration file; every other file of the set holds rules.
pub const CONFIG_FILE: &str = "tierd.toml";

/// Where rule files are, unless the configuration says otherwise.
pub(crate) const DEFAULT_RULES_FOLDER: &str = "rules";

/// Where the ledger is, if not said otherwise.
pub(crate) const DEFAULT_LEDGER: &str = "tierd.ledger";

/// What loading gave: rules, if there is no error, and all that is to be said about the files.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rules; `None` where there is any error.
    pub rules: Option<RuleSet>,
    /// Errors and warnings of all files, by file and place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, for rendering the diagnostics. Where `tierd.toml` was missing, an empty one stands for it.
    pub files: FileSet,
}

/// Checks one `tierd.toml` and any number of rule files together.
///
/// ```
/// use tierd_rules::{File, FileSet, load};
/// let config = r#"
///     time_zone = "UTC"
///     database.sqlite = "shop.db"
///     subject.customer = { table = "customers", key = "id", attributes = { city = "text" } }
/// "#;
/// let rules = r#"
///     [tiers.region]
///     level = [{ name = "elsewhere" }, { name = "home", when = "city = '武汉'" }]
/// "#;
/// let file = |path: &str, text: &str| File { path: path.into(), text: text.into() };
/// let loaded = load(FileSet::new(vec![file("tierd.toml", config), file("rules/region.toml", rules)]));
/// assert_eq!(loaded.diagnostics, []);
/// assert_eq!(loaded.rules.unwrap().tier_sets[0].levels.len(), 2);
/// ```
pub fn load(files: FileSet) -> Loaded {
    let mut out = Report::default();
    let Some((config_id, config_file)) = files.iter().find(|(_, file)| &*file.path == CONFIG_FILE) else {
        return without_config(files);
    };
    let config = raw::read::<ConfigFile>(config_id, config_file, &mut out);
    let written: Vec<Option<RuleFile>> = {
        let rules = files.iter().filter(|(id, file)| *id != config_id && !is_plugin(&file.path));
        rules.map(|(id, file)| raw::read(id, file, &mut out)).collect()
    };
    let incomplete = written.iter().any(Option::is_none);
    let (parsed, schedules) = (HashMap::new(), Schedules::default());
    let rules = config.and_then(|config| {
        Checking { files: &files, out: &mut out, incomplete, parsed, schedules }.rules(&config, &written)
    });
    finish(rules, out, files)
}

/// The folder of rule files that a `tierd.toml` names, which has to be known before they can be read.
///
/// Where the text names none, or is no TOML at all, it is the default: the mistake itself is for [`load`] to report.
pub fn rules_folder(config: &str) -> String {
    as_written(config, None, "rules").unwrap_or_else(|| DEFAULT_RULES_FOLDER.to_owned())
}

/// The path of the ledger that a `tierd.toml` names, for when it is broken and the ledger has to be found all the same.
///
/// Where the text names none, as far as it is TOML, it is the default.
pub fn ledger_path(config: &str) -> String {
    as_written(config, Some("ledger"), "path").unwrap_or_else(|| DEFAULT_LEDGER.to_owned())
}

/// The path of the socket that a `tierd.toml` names, as [`ledger_path`]; `None` for one that is off.
pub fn socket_path(config: &str) -> Option<String> {
    match as_written(config, Some("http"), "socket") {
        Some(path) => Some(path).filter(|path| path != http::OFF),
        None => Http::default().socket,
    }
}

/// A text of a configuration that may be broken; none where it is blank or can't be read.
fn as_written(config: &str, table: Option<&str>, key: &str) -> Option<String> {
    let all = toml::de::DeTable::parse_recoverable(config).0;
    let value = match table {
        Some(table) => all.get_ref().get(table)?.get_ref().get(key)?,
        None => all.get_ref().get(key)?,
    };
    let text = value.get_ref().as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn without_config(files: FileSet) -> Loaded {
    let empty = File { path: CONFIG_FILE.into(), text: "".into() };
    let files = FileSet::new(files.iter().map(|(_, file)| file.clone()).chain([empty]).collect());
    let config = files.iter().find(|(_, file)| &*file.path == CONFIG_FILE).map_or(FileId(0), |(id, _)| id);
    let at = Location { file: config, range: 0..0 };
    let diagnostic = Diagnostic::error(code::MISSING_CONFIG, &at, format!("there is no {CONFIG_FILE}"));
    let help = "`tierd init --database FILE` writes one";
    Loaded { rules: None, diagnostics: vec![diagnostic.help(help)], files }
}

/// With any error there are no rules.
fn finish(rules: Option<RuleSet>, report: Report, files: FileSet) -> Loaded {
    let good = !report.has_errors();
    let diagnostics = report.sorted();
    let rules = rules.filter(|_| good).map(|rules| RuleSet { warnings: diagnostics.clone(), ..rules });
    Loaded { rules, diagnostics, files }
}

/// One check of one set of files.
struct Checking<'a> {
    files: &'a FileSet,
    out: &'a mut Report,
    /// Not all rules are read, as a file is broken or there are too many: what a name stands for may be among the others, so that
    /// unknown names aren't reported.
    incomplete: bool,
    /// Expressions by where they begin: those of tier sets are asked for several times.
    parsed: HashMap<(FileId, usize), Option<Node>>,
    /// Those of the configuration, and those that tables have given in words so far.
    schedules: Schedules,
}

impl Checking<'_> {
    fn rules(&mut self, config: &ConfigFile, written: &[Option<RuleFile>]) -> Option<RuleSet> {
        let mut catalog = self.catalog(config);
        self.schedules = self.schedules_of(config, &catalog.zone);
        let files: Vec<&RuleFile> = written.iter().flatten().collect();
        catalog.programs = self.programs(&catalog, &files);
        catalog.plugins = self.plugins(config, &catalog);
        let heads = self.heads(&catalog, &files);
        let mut metrics = self.metrics(&catalog, &heads, &files);
        let tier_sets = self.tier_sets(&catalog, &mut metrics, &files);
        let retention = self.retention(&catalog, &heads, &mut metrics, &tier_sets, &files);
        self.unused(&metrics, &tier_sets, &retention);
        self.unscheduled(&tier_sets, &retention);
        let rules = RuleSet {
            revision: self.files.revision(),
            files: self.files.clone(),
            config: catalog.config()?,
            metrics: metrics.done,
            order: metrics.order,
            tier_sets,
            points: catalog.programs.into_good(),
            retention,
            plugins: catalog.plugins.into_good(),
            schedules: std::mem::take(&mut self.schedules).into_good(),
            warnings: vec![],
        };
        self.nothing_personal_is_planned(&rules);
        Some(rules)
    }

    fn error(&mut self, code: &'static str, at: &Location, headline: impl Into<String>, help: impl Into<String>) {
        self.out.push(Diagnostic::error(code, at, headline).help(help));
    }

    /// Reports that there is more of something than is read.
    fn too_many(&mut self, at: &Location, headline: String, help: &str) {
        self.incomplete = true;
        self.error(code::TOO_MANY, at, headline, help);
    }

    /// Warns of a key that changes nothing.
    fn idle(&mut self, at: &Location, headline: &str, help: &str) {
        self.out.push(Diagnostic::warning(code::IDLE_KEY, at, headline).help(help));
    }

    /// The place of a part of a string.
    fn place(&self, text: &At<String>, part: Range<usize>) -> Location {
        let value = text.value.as_deref().unwrap_or("");
        Offsets::new(self.files.file(text.at.file), &text.at, value).locate(part)
    }

    /// The expression in a string.
    fn parse(&mut self, text: &At<String>) -> Option<Node> {
        let place = (text.at.file, text.at.range.start);
        if let Some(known) = self.parsed.get(&place) {
            return known.clone();
        }
        let node = syntax::parse(self.files.file(text.at.file), text.value.as_ref()?, &text.at, self.out);
        self.parsed.insert(place, node.clone());
        node
    }

    /// A name that stands for something in commands and files: letters of any script, digits, `_`.
    fn identifier(&mut self, name: &Name) {
        let good = |char: char| char.is_alphanumeric() || char == '_';
        if name.text.is_empty() || !name.text.chars().all(good) {
            let headline = format!("`{}` can't be a name", name.text);
            self.error(code::BAD_NAME, &name.at, headline, "names are letters of any script, digits and `_`");
        }
    }

    /// A name that stands for a value in expressions; `otherwise` goes on from what names are.
    fn expression_name(&mut self, name: &Name, otherwise: &str) {
        if !syntax::is_usable_name(&name.text) {
            let headline = format!("`{}` can't be a name in conditions", name.text);
            let rule = "names are letters of any script, digits and `_`, begin with no digit and are no words of SQL or of rules";
            self.error(code::BAD_NAME, &name.at, headline, format!("{rule}{otherwise}"));
        }
    }

    /// A text that mustn't be empty.
    fn text(&mut self, text: &At<String>) -> Option<String> {
        let value = text.value.as_ref()?;
        if value.trim().is_empty() {
            self.error(code::EMPTY_VALUE, &text.at, "this is empty", "write a name here");
            return None;
        }
        Some(value.clone())
    }

    /// As [`Checking::text`], with a value for a key that isn't there.
    fn text_or(&mut self, text: Option<&At<String>>, default: &str) -> Option<String> {
        text.map_or(Some(default.to_owned()), |text| self.text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_configuration_still_says_where_things_are() {
        let config = "rules = \"levels\"\nledger.path = \" state/l.ledger \"\n[http\n[http]\nsocket = \"s.sock\"\ntoken_file = ]\n";
        assert_eq!(rules_folder(config), "levels");
        assert_eq!(ledger_path(config), "state/l.ledger");
        assert_eq!(socket_path(config), Some("s.sock".to_owned()));
        for unsaid in ["", "[http]\nsocket = 3", "[http]\nsocket = \" \"", "http = 1\nledger = []", "\u{0}"] {
            assert_eq!(socket_path(unsaid), Some("tierd.sock".to_owned()), "{unsaid}");
            assert_eq!(ledger_path(unsaid), "tierd.ledger", "{unsaid}");
        }
        assert_eq!(socket_path("http.socket = \"off\""), None);
    }
}
