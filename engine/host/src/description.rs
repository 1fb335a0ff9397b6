//! Whether what a plugin says of itself can be: names, types, sizes, and that it exports what it says it offers.

use std::collections::HashSet;

use tierd_model::{MAX_SCALE, Type};
use tierd_rules::plugin::{Accepts, PluginDescription, PluginFunction, PluginKind};

use crate::{contract::Kinds, error::PluginError};

/// Functions of a plugin at most; as many lookup tables.
const FUNCTIONS: usize = 64;
/// Inputs, settings and columns of a table at most, each.
const ITEMS: usize = 64;
/// Bytes of a name in rules at most.
const NAME_BYTES: usize = 64;
/// Bytes of a text for people at most.
const DOC_BYTES: usize = 4096;

/// Whether this can be what a plugin with these exports offers.
pub(crate) fn check(said: &PluginDescription, kinds: Kinds) -> Result<(), PluginError> {
    if kinds.none() {
        return Err(PluginError::NotAPlugin);
    }
    check_all(said, kinds).map_err(|message| PluginError::Description { message })
}

fn check_all(said: &PluginDescription, kinds: Kinds) -> Result<(), String> {
    text("its name", &said.name, 128)?;
    text("its version", &said.version, 64)?;
    text("its doc", &said.doc, DOC_BYTES)?;
    if said.name.trim().is_empty() {
        return Err("it has no name".to_owned());
    }
    if said.functions.is_empty() {
        return Err("it has no functions".to_owned());
    }
    names("functions", FUNCTIONS, said.functions.iter().map(|function| function.name.as_str()))?;
    for function in &said.functions {
        check_function(function, kinds).map_err(|message| format!("function {}: {message}", function.name))?;
    }
    names("lookup tables", FUNCTIONS, said.lookups.iter().map(|table| table.name.as_str()))?;
    for table in &said.lookups {
        let within = |message| format!("lookup table {}: {message}", table.name);
        names("columns", ITEMS, table.columns.iter().map(|(name, _)| name.as_str())).map_err(within)?;
        table.columns.iter().try_for_each(|(_, ty)| scale(*ty)).map_err(within)?;
    }
    Ok(())
}

fn check_function(function: &PluginFunction, kinds: Kinds) -> Result<(), String> {
    if !kinds.has(function.kind) {
        return Err(format!(
            "the plugin doesn't export the interface `{0}`, and says that it is a {0}",
            function.kind.name()
        ));
    }
    text("its doc", &function.doc, DOC_BYTES)?;
    names("inputs", ITEMS, function.inputs.iter().map(|input| input.name.as_str()))?;
    for input in &function.inputs {
        text("an input's doc", &input.doc, DOC_BYTES)?;
        if let Accepts::Exactly(ty) = input.accepts {
            scale(ty)?;
        }
    }
    names("settings", ITEMS, function.settings.iter().map(|setting| setting.name.as_str()))?;
    for setting in &function.settings {
        text("a setting's doc", &setting.doc, DOC_BYTES)?;
    }
    output(function)
}

fn output(function: &PluginFunction) -> Result<(), String> {
    match (function.kind, function.output) {
        (PluginKind::Planner, None) | (PluginKind::Segmenter, Some(Type::Text)) => Ok(()),
        (PluginKind::Planner, Some(ty)) => Err(format!("a planner has no output, and this one has {ty}")),
        (PluginKind::Segmenter, Some(ty)) => Err(format!("a segmenter gives text, and this one {ty}")),
        (kind, None) => Err(format!("a {} has an output, and this one has none", kind.name())),
        (_, Some(ty)) => scale(ty),
    }
}

fn scale(ty: Type) -> Result<(), String> {
    match ty {
        Type::Decimal(scale) if scale > MAX_SCALE => {
            Err(format!("{ty} has more than {MAX_SCALE} digits after the point"))
        }
        _ => Ok(()),
    }
}

fn text(what: &str, said: &str, bytes: usize) -> Result<(), String> {
    if said.len() > bytes { Err(format!("{what} has more than {bytes} bytes")) } else { Ok(()) }
}

/// Not too many, each a name in rules, none twice.
fn names<'a>(what: &str, most: usize, said: impl ExactSizeIterator<Item = &'a str>) -> Result<(), String> {
    if said.len() > most {
        return Err(format!("{} {what} are more than {most}", said.len()));
    }
    let mut seen = HashSet::new();
    for name in said {
        if !is_name(name) {
            let shown = crate::fault::one_line(name);
            return Err(format!(
                "`{shown}` of its {what} isn't a name: up to {NAME_BYTES} of a-z, 0-9 and _, beginning with a letter"
            ));
        }
        if !seen.insert(name) {
            return Err(format!("`{name}` of its {what} is there twice"));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
