//! Embeds the shipped packs (and the demo shop), plugins among them, and the templates of plugins, so that `tierd demo` and `tierd plugin new`
//! need nothing but the program.

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
    let mut table = String::from("pub(super) const PACKS: &[(&str, Texts, Plugins)] = &[\n");
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        writeln!(table, "    ({name:?}, &[")?;
        write_files(&folder, "", &["toml", "md"], "include_str", &mut table)?;
        writeln!(table, "    ], &[")?;
        write_files(&folder, "", &["wasm"], "include_bytes", &mut table)?;
        writeln!(table, "    ]),")?;
        println!("cargo::rerun-if-changed={}", folder.display());
    }
    table.push_str("];\n");
    println!("cargo::rerun-if-changed={}", root.join("rules").display());
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("packs.rs"), table)?;
    fs::write(out.join("templates.rs"), templates(&root.join("plugins"))?)?;
    Ok(())
}

/// What a new plugin is made of, by language; `` for what all have.
fn templates(plugins: &Path) -> Result<String, Box<dyn Error>> {
    let parts = [
        ("", "wit/v1", "wit/v1/"),
        ("rust", "templates/rust", ""),
        ("rust", "sdk", "sdk/"),
        ("c", "templates/c", ""),
        ("c", "c", "sdk/"),
        ("js", "templates/js", ""),
        ("python", "templates/python", ""),
    ];
    let mut table = String::from("pub(super) const TEMPLATES: &[(&str, &str, &[u8])] = &[\n");
    for (language, folder, prefix) in parts {
        write_template(language, &plugins.join(folder), prefix, &mut table)?;
        println!("cargo::rerun-if-changed={}", plugins.join(folder).display());
    }
    table.push_str("];\n");
    Ok(table)
}

/// A line for each file below `folder`, but for what building leaves there.
fn write_template(language: &str, folder: &Path, prefix: &str, table: &mut String) -> Result<(), Box<dyn Error>> {
    for path in entries(folder)? {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{prefix}{file}");
        if path.is_dir() {
            if !["target", "node_modules", "dist"].contains(&&*file) {
                write_template(language, &path, &format!("{name}/"), table)?;
            }
        } else {
            writeln!(table, "    ({language:?}, {name:?}, include_bytes!({:?})),", path.to_string_lossy())?;
        }
    }
    Ok(())
}

/// A line for each file below `folder` with one of these endings, its content by `include`; paths are relative and have `/`.
fn write_files(
    folder: &Path,
    prefix: &str,
    endings: &[&str],
    include: &str,
    table: &mut String,
) -> Result<(), Box<dyn Error>> {
    for path in entries(folder)? {
        let name = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        if path.is_dir() {
            write_files(&path, &format!("{name}/"), endings, include, table)?;
        } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
            writeln!(table, "        ({name:?}, {include}!({:?})),", path.to_string_lossy())?;
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
