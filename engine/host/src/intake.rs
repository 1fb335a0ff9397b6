//! Looks at a plugin's file without compiling or running it: whether it is WebAssembly at all, and whether it imports what no plugin may.
//!
//! What is refused here costs no time of the compiler, and the import is named before anything else can go wrong with it. That the
//! file is valid is for the compiler to say.

use wasmparser::{Encoding, Parser, Payload};

use crate::{contract, error::PluginError};

/// Bytes of a plugin's file at most.
pub(crate) const FILE_BYTES: usize = 32 << 20;

/// The start of the name of the section in which bindings say what a module's functions are.
const TYPE_SECTION: &str = "component-type";

/// What kind of WebAssembly a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Component,
    /// A module with the section that makes a component of it.
    Module,
}

/// What kind of WebAssembly a file is, if it is one that may be compiled.
pub(crate) fn look_at(bytes: &[u8]) -> Result<Shape, PluginError> {
    if bytes.len() > FILE_BYTES {
        return Err(PluginError::TooLarge { bytes: bytes.len(), limit: FILE_BYTES });
    }
    if Parser::is_component(bytes) {
        look_at_component(bytes)
    } else if Parser::is_core_wasm(bytes) {
        look_at_module(bytes)
    } else {
        Err(PluginError::NotWasm)
    }
}

fn look_at_component(bytes: &[u8]) -> Result<Shape, PluginError> {
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(broken)? {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    allow_import(import.map_err(broken)?.name.name)?;
                }
            }
            _ => {}
        }
    }
    Ok(Shape::Component)
}

fn look_at_module(bytes: &[u8]) -> Result<Shape, PluginError> {
    let mut typed = false;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(broken)? {
            Payload::CustomSection(section) => typed |= section.name().starts_with(TYPE_SECTION),
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    allow_module_import(import.map_err(broken)?.module)?;
                }
            }
            _ => {}
        }
    }
    if typed { Ok(Shape::Module) } else { Err(PluginError::NoComponentType) }
}

fn allow_import(name: &str) -> Result<(), PluginError> {
    if contract::may_import(name) { Ok(()) } else { Err(PluginError::Import { name: name.to_owned() }) }
}

/// A module may also import what making a component of it provides; such modules have no names that look like interfaces of others.
fn allow_module_import(module: &str) -> Result<(), PluginError> {
    if module.starts_with("wasi") || module == "env" || module.contains(':') { allow_import(module) } else { Ok(()) }
}

fn broken(error: wasmparser::BinaryReaderError) -> PluginError {
    PluginError::Broken { message: error.to_string() }
}
