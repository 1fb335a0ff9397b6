use std::{fs, path::Path};

use crate::{
    args::{Language, PluginNewArgs},
    exit::{Code, Failure},
    output::Output,
};

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What stands in templates for the name.
const NAME: &[u8] = b"{{name}}";

/// Makes the folder of a new plugin, with everything but the tools that build it.
pub(super) fn new(args: &PluginNewArgs, output: Output) -> Result<(), Failure> {
    let name = &args.name;
    let letters = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.chars().all(letters) {
        let rule = "names are lower-case letters, digits and `_`, and begin with a letter";
        return Err(Failure::new(Code::Usage, format!("`{name}` can't be the name of a plugin: {rule}")));
    }
    let folder = Path::new(name);
    if folder.exists() {
        return Err(Failure::new(Code::Failed, format!("{name} is there already; nothing was written")));
    }
    let language = word(args.lang);
    for (_, path, content) in TEMPLATES.iter().filter(|(of, ..)| of.is_empty() || *of == language) {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        let written = written.and_then(|()| fs::write(&path, named(content, name)));
        written.map_err(|error| Failure::new(Code::Failed, format!("cannot write {}: {error}", path.display())))?;
    }
    output.line(&format!("made {name}: how to build it is in {name}/README.md"))?;
    output.remark(&format!(
        "then: tierd plugin check {name}.wasm, and put it beside the rules; [metric.…] plugin = \"{name}\""
    ));
    Ok(())
}

/// As in the list of templates.
fn word(language: Language) -> &'static str {
    match language {
        Language::Rust => "rust",
        Language::Js => "js",
        Language::Python => "python",
        Language::C => "c",
    }
}

/// The content with the name in its place.
fn named(content: &[u8], name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.windows(NAME.len()).position(|window| window == NAME) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(name.as_bytes());
        rest = &rest[at + NAME.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_the_place_of_their_mark() {
        assert_eq!(named(b"{{name}} = {{name}}{", "risk"), b"risk = risk{");
        assert_eq!(named(b"", "risk"), b"");
    }

    #[test]
    fn every_language_has_the_contract_and_says_how_it_is_built() {
        for language in [Language::Rust, Language::Js, Language::Python, Language::C] {
            let of =
                |path: &str| TEMPLATES.iter().any(|(l, p, _)| (l.is_empty() || *l == word(language)) && *p == path);
            assert!(of("README.md") && of("wit/v1/worlds.wit"), "{language:?}");
        }
    }
}
