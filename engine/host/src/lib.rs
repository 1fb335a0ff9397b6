//! Runs plugins: WebAssembly components in a sandbox, with limits. The only crate that knows wasmtime.
