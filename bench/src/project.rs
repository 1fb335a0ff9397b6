//! Project folders beside the generated database, each with a new ledger.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tierd_daemon::Project;

use crate::Failure;

/// The plain levels that the SQL computes, too.
pub(crate) fn plain(database: &Path) -> Result<Project, Failure> {
    let shipped = shipped();
    make(database, "plain", &shipped.join("tierd.toml"), &[shipped.join("rules/value.toml")])
}

/// The department store's card as it is shipped in `rules/`, over the generated orders.
pub(crate) fn retail(database: &Path) -> Result<Project, Failure> {
    let shipped = shipped();
    let rules = shipped.join("../rules/retail-wushang/rules/card.toml");
    make(database, "retail", &shipped.join("retail.toml"), &[rules])
}

fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn make(database: &Path, name: &str, config: &Path, rules: &[PathBuf]) -> Result<Project, Failure> {
    let folder = database.with_extension(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(folder.join("rules"))?;
    let config = fs::read_to_string(config)?;
    let path = database.canonicalize()?;
    let named = config.lines().map(|line| match line.trim_start().starts_with("sqlite") {
        true => format!("sqlite = {:?}\n", path.display().to_string()),
        false => format!("{line}\n"),
    });
    fs::write(folder.join("tierd.toml"), named.collect::<String>())?;
    for file in rules {
        fs::copy(file, folder.join("rules").join(file.file_name().ok_or("a rule file without a name")?))?;
    }
    Ok(Project::open(&folder)?)
}
