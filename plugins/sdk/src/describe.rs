//! Making descriptions of what the macros have read.

use crate::{
    ValueType,
    description::{Accepts, Function, Input, Kind, Setting},
};

/// The lines of a doc comment as one.
pub fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// An input, where a parameter is one.
pub fn input(name: &str, doc_lines: &[&str], input: Option<(Accepts, bool)>) -> Option<Input> {
    let (accepts, nullable) = input?;
    Some(Input { name: name.to_owned(), accepts, nullable, doc: doc(doc_lines) })
}

/// A function. A setting that several of its parameters ask for is named once.
pub fn function(
    name: &str,
    kind: Kind,
    doc_lines: &[&str],
    inputs: Vec<Option<Input>>,
    output: Option<ValueType>,
    settings: Vec<Vec<Setting>>,
) -> Function {
    let mut named: Vec<Setting> = Vec::new();
    for setting in settings.into_iter().flatten() {
        if !named.iter().any(|other| other.name == setting.name) {
            named.push(setting);
        }
    }
    Function {
        name: name.to_owned(),
        kind,
        inputs: inputs.into_iter().flatten().collect(),
        output,
        settings: named,
        doc: doc(doc_lines),
    }
}
