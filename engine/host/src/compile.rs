//! Compiles plugins: in a process of its own under limits, or right here.
//!
//! A few hundred kilobytes of WebAssembly can make a compiler take minutes and gigabytes. So the operator's program is started again
//! as `PROGRAM __compile-plugin`; it limits itself before it reads a byte ([`compile_child`]), and is killed when its time is up. Compiling
//! right here is for tests and for plugins that one has built oneself.
//!
//! The child is given one byte that says whether fuel is counted, then the plugin's file. It gives back one byte that says whether it
//! worked, then the compiled plugin or the reason in a sentence. What it compiled is as trusted as what we compile ourselves: it is this
//! program, on a pipe that nobody else holds.

mod child;

use std::{
    any::Any,
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use wit_component::ComponentEncoder;

use crate::{
    engine,
    error::PluginError,
    intake::{self, Shape},
    loaded::Speed,
};

/// Who compiles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Compiler {
    /// This process, without limits of time and memory: for plugins that one has built oneself. Components may be any bytes. Modules may
    /// not: what makes components of them recurses without end on some that nobody would build, and that ends the program.
    #[default]
    InProcess,
    /// A process of its own, under limits.
    Child {
        /// A program that calls [`compile_child`] when its only argument is [`COMPILE_WORD`](crate::COMPILE_WORD).
        program: PathBuf,
    },
}

/// The first byte of what a child gives.
const WORKED: u8 = 0;
const REFUSED: u8 = 1;

impl Compiler {
    /// The compiled plugin, as [`wasmtime::component::Component::deserialize`] takes it.
    pub(crate) fn compile(&self, bytes: &[u8], speed: Speed) -> Result<Vec<u8>, PluginError> {
        match self {
            Compiler::InProcess => compile(bytes, speed),
            Compiler::Child { program } => child::compile(program, bytes, speed),
        }
    }
}

/// What `PROGRAM __compile-plugin` does: limits this process, reads a plugin from `input` and writes it compiled to `output`.
///
/// That the plugin can't be compiled is told through `output` and is no error here.
///
/// # Errors
/// If the limits can't be set, or `input` or `output` fail.
pub fn compile_child(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    child::limit_ourselves()?;
    let mut speed = [0];
    input.read_exact(&mut speed)?;
    let speed = if speed[0] == 0 { Speed::Full } else { Speed::Metered };
    let mut bytes = Vec::new();
    input.take(intake::FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    match compile(&bytes, speed) {
        Ok(compiled) => {
            output.write_all(&[WORKED])?;
            output.write_all(&compiled)?;
        }
        Err(error) => {
            output.write_all(&[REFUSED])?;
            let message = if let PluginError::Compile { message } = error { message } else { error.to_string() };
            output.write_all(message.as_bytes())?;
        }
    }
    output.flush()
}

/// Compiles right here. A compiler that panics refuses the plugin.
fn compile(bytes: &[u8], speed: Speed) -> Result<Vec<u8>, PluginError> {
    let shape = intake::look_at(bytes)?;
    let engine = engine::compiling(speed)?;
    // Nothing is seen again of what the closure has changed: the engine ends here.
    let compiled = catch_unwind(AssertUnwindSafe(|| match shape {
        Shape::Component => engine.precompile_component(bytes).map_err(|error| format!("{error:#}")),
        Shape::Module => {
            let component = component_of(bytes)?;
            engine.precompile_component(&component).map_err(|error| format!("{error:#}"))
        }
    }));
    let compiled = compiled.unwrap_or_else(|panic| Err(format!("the compiler failed: {}", panic_message(&*panic))));
    compiled.map_err(|message| PluginError::Compile { message: crate::fault::one_line(&message) })
}

/// The component of a module that says what its functions are.
fn component_of(module: &[u8]) -> Result<Vec<u8>, String> {
    let encoded = ComponentEncoder::default().validate(true).module(module).and_then(|mut encoder| encoder.encode());
    encoded.map_err(|error| format!("{error:#}"))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked")
}
