//! Groups: which kind of subject belongs to which other one.

use tierd_model::{KeyType, Type};

use super::Catalog;
use crate::{
    Parent, SubjectId,
    check::Checking,
    code,
    diagnostic::Diagnostic,
    raw::{At, ConfigFile, config::ParentTable},
    suggest::nearest,
};

impl Checking<'_> {
    /// Fills in [`Catalog::parents`], once all subjects are known.
    pub(super) fn parents(&mut self, config: &ConfigFile, catalog: &mut Catalog) {
        let written: Vec<Option<&At<ParentTable>>> =
            super::entries(Some(&config.subject)).map(|(_, table)| table.value.as_ref()?.parent.as_ref()).collect();
        catalog.parents = written
            .iter()
            .enumerate()
            .map(|(member, table)| self.parent(SubjectId(member), table.as_ref()?.value.as_ref()?, catalog))
            .collect();
        for (member, table) in written.iter().enumerate() {
            if let Some(table) = table
                && circular(SubjectId(member), catalog)
            {
                let headline = format!("`{}` belongs to itself in the end", catalog.subjects[member].name.text);
                self.error(code::BAD_PARENT, &table.at, headline, "groups of groups end at one that has no `parent`");
            }
        }
    }

    fn parent(&mut self, member: SubjectId, table: &ParentTable, catalog: &Catalog) -> Option<Parent> {
        let subject = self.subject_named(&table.subject, catalog);
        let column = table.column.value.as_ref()?;
        let Some((attribute, found)) = catalog.attribute(member, column) else {
            catalog.subjects[member.0].columns.as_ref()?;
            let help = match nearest(column, catalog.attributes(member)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it among the attributes: {column} = \"integer\""),
            };
            let headline = format!("`{column}` isn't among the attributes");
            self.error(code::BAD_PARENT, &table.column.at, headline, help);
            return None;
        };
        let (subject, found) = (subject?, found.as_ref()?);
        let key = catalog.subjects[subject.0].table.as_ref()?.key_type;
        if !matches!((key, found.ty), (KeyType::Integer, Type::Integer) | (KeyType::Text, Type::Text)) {
            let key = match key {
                KeyType::Integer => Type::Integer,
                KeyType::Text => Type::Text,
            };
            let group = &catalog.subjects[subject.0].name.text;
            let headline = format!("the key of `{group}` is {key}, `{column}` is {}", found.ty);
            let diagnostic = Diagnostic::error(code::BAD_PARENT, &table.column.at, headline);
            let help = "name the attribute that holds the group's key";
            self.out.push(diagnostic.other(&found.at, "declared here").help(help));
            return None;
        }
        Some(Parent { subject, attribute })
    }
}

/// Whether someone's groups lead back to the same kind of subject.
fn circular(member: SubjectId, catalog: &Catalog) -> bool {
    let mut at = catalog.parent(member);
    for _ in 0..catalog.subjects.len() {
        match at {
            Some(subject) if subject == member => return true,
            Some(subject) => at = catalog.parent(subject),
            None => return false,
        }
    }
    false
}
