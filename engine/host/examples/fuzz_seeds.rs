//! What fuzzing begins with, made of the tests' guests: `cargo run -p tierd-host --example fuzz_seeds -- engine/host/fuzz`.
//!
//! Modules go to `corpus/plugins`, the same as components to `corpus/bytes`, and the good ones to `good`.

#[path = "../tests/guests/mod.rs"]
mod guests;

use std::{env, error::Error, fs, path::Path};

use guests::Guest;
use wit_component::ComponentEncoder;

/// Larger ones would only make each round slower.
const BYTES: usize = 8 << 10;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("usage: fuzz_seeds FOLDER")?;
    let folder = Path::new(&folder);
    let (plugins, bytes, good) = (folder.join("corpus/plugins"), folder.join("corpus/bytes"), folder.join("good"));
    for folder in [&plugins, &bytes, &good] {
        fs::create_dir_all(folder)?;
    }
    for guest in guests::folder("good") {
        fs::write(good.join(format!("{}.wasm", guest.name)), guest.bytes)?;
    }
    let all = guests::folder("good").into_iter().chain(guests::folder("hostile"));
    for Guest { name, bytes: module, .. } in all.filter(|guest| guest.bytes.len() <= BYTES) {
        let name = format!("{name}.wasm");
        match ComponentEncoder::default().module(&module).and_then(|mut encoder| encoder.encode()) {
            Ok(component) => {
                fs::write(bytes.join(&name), component)?;
                // What never ends costs each round the time that it has.
                if !name.starts_with("loop") {
                    fs::write(plugins.join(name), module)?;
                }
            }
            Err(_) => fs::write(bytes.join(name), module)?,
        }
    }
    Ok(())
}
