//! The packs that ship with the program: found by name, listed, and as files for a folder of their own.

use super::profile::{Profile, ProfileError};

include!(concat!(env!("OUT_DIR"), "/packs.rs"));

/// Paths relative to the pack's folder, with the text of each file.
type Texts = &'static [(&'static str, &'static str)];

/// The same of WebAssembly files.
type Plugins = &'static [(&'static str, &'static [u8])];

/// Where the JSON Schemas stand in a folder that tierd made, beside `tierd.toml`.
const SCHEMA_FOLDER: &str = ".tierd/";

/// A shipped pack.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    /// Name of its folder under `rules/`.
    pub(crate) name: &'static str,
    /// What its example database is made of, and how the pack is called.
    pub(crate) profile: Profile,
    texts: Texts,
    plugins: Plugins,
}

impl Pack {
    /// Every pack, the shop first, the others by the number of the system that they are about.
    ///
    /// # Errors
    /// [`ProfileError`] where a shipped profile is wrong; a test loads them all.
    pub(crate) fn all() -> Result<Vec<Pack>, ProfileError> {
        let mut packs = PACKS.iter().map(|pack| Pack::new(*pack)).collect::<Result<Vec<_>, _>>()?;
        packs[1..].sort_by_key(|pack| pack.number());
        Ok(packs)
    }

    /// The pack of this name, or the one that has it as an alias.
    ///
    /// # Errors
    /// As [`Pack::all`].
    pub(crate) fn find(name: &str) -> Result<Option<Pack>, ProfileError> {
        let packs = Pack::all()?;
        let by_name = packs.iter().position(|pack| pack.name == name);
        let by_alias = || packs.iter().position(|pack| pack.profile.aliases.iter().any(|alias| alias == name));
        Ok(by_name.or_else(by_alias).map(|i| packs[i].clone()))
    }

    fn new((name, texts, plugins): (&'static str, Texts, Plugins)) -> Result<Pack, ProfileError> {
        let text = text(texts, "profile.toml").unwrap_or("");
        Ok(Pack { name, profile: Profile::parse(name, text)?, texts, plugins })
    }

    /// 6 for S6; packs of no system come first.
    fn number(&self) -> u32 {
        let first = self.profile.systems.first();
        first.and_then(|system| system.trim_start_matches('S').parse().ok()).unwrap_or(0)
    }

    /// Configuration, rules, tests and notes: path relative to a folder of the pack's own, and text. The profile stays behind.
    ///
    /// The first line of TOML files names its schema in this repository; in the new folder the schemas are elsewhere.
    pub(crate) fn texts(&self) -> Vec<(&'static str, String)> {
        let wanted = self.texts.iter().filter(|(path, _)| *path != "profile.toml");
        wanted.map(|&(path, text)| (path, with_local_schema(path, text))).collect()
    }

    /// Plugins that the rules call, likewise.
    pub(crate) fn plugins(&self) -> Plugins {
        self.plugins
    }

    /// Name of the database beside `tierd.toml`.
    pub(crate) fn database(&self) -> &'static str {
        let config = text(self.texts, "tierd.toml").unwrap_or("");
        let line = config.lines().find_map(|line| line.trim().strip_prefix("sqlite"));
        line.and_then(|rest| rest.split('"').nth(1)).unwrap_or("demo.db")
    }
}

fn text(texts: Texts, path: &str) -> Option<&'static str> {
    texts.iter().find(|(p, _)| *p == path).map(|(_, text)| *text)
}

/// `text` with its `#:schema` line pointing to [`SCHEMA_FOLDER`], as seen from `path`.
fn with_local_schema(path: &str, text: &str) -> String {
    let Some((first, rest)) = text.split_once('\n') else { return text.to_owned() };
    match first.strip_prefix("#:schema ").and_then(|schema| schema.rsplit('/').next()) {
        Some(schema) => {
            let up = "../".repeat(path.matches('/').count());
            format!("#:schema {up}{SCHEMA_FOLDER}{schema}\n{rest}")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Pack {
        Pack::find("shop").unwrap().unwrap()
    }

    #[test]
    fn every_shipped_profile_is_good() {
        let names: Vec<&str> = Pack::all().unwrap().iter().map(|pack| pack.name).collect();
        assert_eq!(names[0], "shop");
        assert!(names.len() > 1, "{names:?}");
    }

    #[test]
    fn plugins_are_carried_whole() {
        let pack = Pack::find("clv").unwrap().unwrap();
        let [("rules/clv.wasm", bytes)] = pack.plugins() else { panic!("{:?}", pack.plugins().len()) };
        assert!(bytes.starts_with(b"\0asm") && bytes.len() > 100_000, "{} bytes", bytes.len());
    }

    #[test]
    fn schema_lines_point_into_the_new_folder() {
        let first = |path: &str| {
            let (_, text) = shop().texts().into_iter().find(|(p, _)| *p == path).unwrap();
            text.lines().next().unwrap().to_owned()
        };
        assert_eq!(first("tierd.toml"), "#:schema .tierd/tierd.schema.json");
        assert_eq!(first("rules/value.toml"), "#:schema ../.tierd/rules.schema.json");
    }

    #[test]
    fn the_rest_of_a_file_is_untouched() {
        let text = "#:schema x/y.json\n# one\ntwo = 2\n";
        assert_eq!(with_local_schema("a.toml", text), "#:schema .tierd/y.json\n# one\ntwo = 2\n");
        assert_eq!(with_local_schema("a.toml", "two = 2\n"), "two = 2\n");
    }

    #[test]
    fn databases_are_named_by_the_configuration() {
        assert_eq!(shop().database(), "shop.db");
        for pack in Pack::all().unwrap() {
            assert_ne!(pack.database(), "demo.db", "{}", pack.name);
        }
    }
}
