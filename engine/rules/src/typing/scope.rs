//! What the names in an expression stand for.

use std::{borrow::Cow, collections::HashMap};

use tierd_model::Type;

/// The names that an expression may use: the columns of a table of facts, the attributes of a subject, or metrics.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    names: HashMap<Cow<'a, str>, Entry>,
    order: Vec<Cow<'a, str>>,
    levels: HashMap<Cow<'a, str>, Levels<'a>>,
    owner: String,
    noun: &'static str,
    hint: String,
    hints: HashMap<&'a str, String>,
    complete: bool,
}

/// Index and type; `None` for a name whose declaration is wrong, and reported.
type Entry = Option<(usize, Type)>;

/// The levels that a name such as `tier.value` can have as its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Levels<'a> {
    /// The set, as it is written.
    pub(crate) set: &'a str,
    /// Names, lowest first; none where they can't be read.
    pub(crate) names: &'a [String],
    /// Whether one is higher than another.
    pub(crate) ordered: bool,
}

/// What a name stands for.
pub(crate) enum Found {
    /// A column of this type.
    Column(usize, Type),
    /// Something that is wrong itself, which is reported where it is declared.
    Reported,
    /// Nothing.
    Nothing,
}

impl<'a> Scope<'a> {
    /// No names yet. A diagnostic about another name says that `owner` has no such `noun`, and gives the hint.
    pub(crate) fn new(owner: String, noun: &'static str, hint: String) -> Self {
        let (names, hints, levels) = (HashMap::new(), HashMap::new(), HashMap::new());
        Scope { names, order: vec![], levels, owner, noun, hint, hints, complete: true }
    }

    /// Adds a name, the first of the same name winning.
    pub(crate) fn add(&mut self, name: impl Into<Cow<'a, str>>, entry: Entry) {
        let name = name.into();
        if !self.names.contains_key(&name) {
            self.names.insert(name.clone(), entry);
            self.order.push(name);
        }
    }

    /// Says that a name stands for one of these levels.
    pub(crate) fn add_levels(&mut self, name: impl Into<Cow<'a, str>>, levels: Levels<'a>) {
        self.levels.insert(name.into(), levels);
    }

    /// The levels that a name stands for one of.
    pub(crate) fn levels(&self, name: &str) -> Option<Levels<'a>> {
        self.levels.get(name).copied()
    }

    /// Adds a name without meaning, which nobody means to write.
    pub(crate) fn reserve(&mut self, name: impl Into<Cow<'a, str>>) {
        self.names.entry(name.into()).or_insert(None);
    }

    /// Fills in a name that was added without meaning.
    pub(crate) fn set(&mut self, name: impl Into<Cow<'a, str>>, index: usize, ty: Type) {
        self.names.insert(name.into(), Some((index, ty)));
    }

    /// Whether there is no such name.
    pub(crate) fn is_absent(&self, name: &str) -> bool {
        !self.names.contains_key(name)
    }

    /// Whether a name is known, but stands for nothing yet.
    pub(crate) fn is_unset(&self, name: &str) -> bool {
        matches!(self.names.get(name), Some(None))
    }

    /// What to say of a name that doesn't belong here.
    pub(crate) fn hint(&mut self, name: &'a str, hint: String) {
        self.hints.entry(name).or_insert(hint);
    }

    /// Says that there may be names that couldn't be read: unknown ones are then not reported.
    pub(crate) fn incomplete(&mut self) {
        self.complete = false;
    }

    pub(crate) fn find(&self, name: &str) -> Found {
        match self.names.get(name) {
            Some(Some((index, ty))) => Found::Column(*index, *ty),
            Some(None) => Found::Reported,
            None if self.complete || matches!(name, "as_of" | "today") => Found::Nothing,
            None => Found::Reported,
        }
    }

    /// All names, in the order written.
    pub(crate) fn names(&self) -> &[Cow<'a, str>] {
        &self.order
    }

    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    pub(crate) fn noun(&self) -> &'static str {
        self.noun
    }

    /// What to say of an unknown name that is like no other.
    pub(crate) fn advice(&self, name: &str) -> Option<&str> {
        self.hints.get(name).map(String::as_str)
    }

    /// What to say of any other unknown name.
    pub(crate) fn general_advice(&self) -> &str {
        &self.hint
    }
}
