//! Tables under names of the user's choice: each name once, and not too many of them.

use std::collections::HashMap;

use super::Checking;
use crate::{
    code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{At, Name},
};

impl Checking<'_> {
    /// The tables of all files without those that take a name which another one has; `noun` is what they are.
    pub(super) fn by_name<'f, T>(
        &mut self,
        tables: impl Iterator<Item = &'f (Name, At<T>)>,
        noun: &str,
        most: usize,
    ) -> Vec<&'f (Name, At<T>)> {
        let mut places: HashMap<&str, &Location> = HashMap::new();
        let mut found = vec![];
        for entry in tables {
            let name = &entry.0;
            self.identifier(name);
            if let Some(first) = places.get(name.text.as_str()) {
                let headline = format!("there are two {noun}s `{}`", name.text);
                let diagnostic = Diagnostic::error(code::DUPLICATE_NAME, &name.at, headline);
                self.out.push(diagnostic.other(first, "the first one").help("give one of them another name"));
                continue;
            }
            if found.len() == most {
                self.error(code::TOO_MANY, &name.at, format!("there are more than {most} {noun}s"), "take some out");
                break;
            }
            places.insert(&name.text, &name.at);
            found.push(entry);
        }
        found
    }
}
