//! Modules as their sections.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use wasmparser::{Parser, Payload};

use crate::road::GOOD;

/// The start of the name of the section in which bindings say what a module's functions are.
const TYPE_SECTION: &str = "component-type";
/// Bytes before the first section.
const HEAD: usize = 8;
const CUSTOM: u8 = 0;

/// A section: its id, and where what is in it is among the module's bytes.
pub(crate) struct Section {
    pub(crate) id: u8,
    pub(crate) content: Range<usize>,
    is_types: bool,
}

/// The sections of a module; `None` if it isn't one.
pub(crate) fn sections(bytes: &[u8]) -> Option<Vec<Section>> {
    if !Parser::is_core_wasm(bytes) {
        return None;
    }
    let mut all = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.ok()?;
        let is_types = matches!(&payload, Payload::CustomSection(custom) if custom.name().starts_with(TYPE_SECTION));
        all.extend(payload.as_section().map(|(id, content)| Section { id, content, is_types }));
    }
    Some(all)
}

/// A module with the contract's section in the place of its own, if it has one; other bytes as they are.
pub fn with_types_of_a_scorer(bytes: &[u8]) -> Cow<'_, [u8]> {
    static OF_A_SCORER: LazyLock<&[u8]> = LazyLock::new(|| {
        let types = sections(GOOD).into_iter().flatten().find(|section| section.is_types);
        &GOOD[types.expect("a good plugin says what it is").content]
    });
    match sections(bytes) {
        Some(all) if all.iter().any(|section| section.is_types) => {
            let others = all.iter().filter(|section| !section.is_types);
            let others = others.map(|section| (section.id, &bytes[section.content.clone()]));
            Cow::Owned(module(bytes, others.chain([(CUSTOM, *OF_A_SCORER)])))
        }
        _ => Cow::Borrowed(bytes),
    }
}

/// A module of these sections, with the head of `bytes`.
pub(crate) fn module<'a>(bytes: &[u8], sections: impl IntoIterator<Item = (u8, &'a [u8])>) -> Vec<u8> {
    let mut module = bytes[..HEAD].to_vec();
    for (id, content) in sections {
        module.push(id);
        number(&mut module, content.len() as u32);
        module.extend_from_slice(content);
    }
    module
}

/// Writes a number as WebAssembly has it (LEB128).
pub(crate) fn number(to: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// The same for numbers that may be negative.
pub(crate) fn signed(to: &mut Vec<u8>, mut number: i64) {
    loop {
        let low = number as u8 & 0x7f;
        number >>= 7;
        let sign = low & 0x40 != 0;
        if (number == 0 && !sign) || (number == -1 && sign) {
            to.push(low);
            return;
        }
        to.push(low | 0x80);
    }
}
