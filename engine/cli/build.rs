//! Embeds the shipped packs (and the demo shop) as text, so that `tierd demo` needs nothing but the program.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../..").canonicalize()?;
    let mut folders = vec![root.join("examples/shop")];
    folders.extend(entries(&root.join("rules"))?.into_iter().filter(|path| path.is_dir()));
    let mut table = String::from("pub(super) const PACKS: &[(&str, &[(&str, &str)])] = &[\n");
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(table, "    ({name:?}, &[")?;
        write_files(&folder, "", &mut table)?;
        writeln!(table, "    ]),")?;
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    table.push_str("];\n");
    println!("cargo::rerun-if-changed={}", root.join("rules").display());
    println!("cargo::rerun-if-changed=build.rs");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("packs.rs"), table)?;
    Ok(())
}

/// A line for each TOML and Markdown file below `folder`; paths are relative and have `/`.
fn write_files(folder: &Path, prefix: &str, table: &mut String) -> Result<(), Box<dyn Error>> {
    for path in entries(folder)? {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            write_files(&path, &format!("{name}/"), table)?;
        } else if path.extension().is_some_and(|e| e == "toml" || e == "md") {
            writeln!(table, "        ({name:?}, include_str!({:?})),", path.to_string_lossy())?;
        }
    }
    Ok(())
}

/// What is in a folder, by name; nothing where there is no folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
