//! The company's database and the ledger.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tierd_daemon::{Project, serve, verify};
use tierd_ledger::{ErrorKind, Reader};
use tierd_rules::RuleSet;
use tierd_sources::{Database, DatabaseError};

use super::{Finding, machine};
use crate::{
    exit::chain,
    output::{counted, thousands},
    session,
};

/// Before it, SQLite could lose a commit that ran beside the reset of a WAL.
const OLDEST_SQLITE: i32 = 3_051_003;

/// A lock that others hold is waited for so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The version of the SQLite that is built in.
pub(super) fn sqlite() -> Finding {
    let version = rusqlite::version();
    match rusqlite::version_number() >= OLDEST_SQLITE {
        true => Finding::ok("SQLite", version),
        false => Finding::bad("SQLite", version, "build tierd with its bundled SQLite, 3.51.3 or later"),
    }
}

/// Whether the database can be read without harm, and has what the rules name.
pub(super) fn database(project: &Project, rules: &RuleSet) -> Vec<Finding> {
    const WHAT: &str = "database";
    let path = project.database(&rules.config);
    let opened = Database::open(&path, PATIENCE).and_then(|database| {
        let connection = database.connect()?;
        let mode = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        mode.map_err(|error| database.error(error))
    });
    let mode = match opened {
        Ok(mode) => mode,
        Err(error) => return vec![Finding::bad(WHAT, chain(&error), fix(&error))],
    };
    let mut findings = vec![Finding::ok(WHAT, format!("{}, journal mode {mode}", path.display())), side_files(&path)];
    findings.push(match verify::against_database(project, rules, &session::clock_now(rules)) {
        Ok(problems) if problems.is_empty() => Finding::ok("tables", "all that the rules name are there"),
        Ok(problems) => {
            Finding::bad("tables", session::summary(&problems), "`tierd check` shows each of them at its place")
        }
        Err(error) => Finding::bad("tables", chain(&error), "make the database readable"),
    });
    findings
}

fn fix(error: &DatabaseError) -> &'static str {
    match error {
        DatabaseError::Missing { .. } | DatabaseError::NotAFile { .. } | DatabaseError::NotADatabase { .. } => {
            "mend `sqlite` under [database] in tierd.toml"
        }
        DatabaseError::Inaccessible { .. } | DatabaseError::CantOpen { .. } => {
            "let this user read the file and enter its folder"
        }
        DatabaseError::Corrupt { .. } => "restore it from the application's backup",
        DatabaseError::Busy { .. } => "see who keeps it locked; runs wait and are tried again",
        DatabaseError::HotJournal { .. } => "start the application once",
        DatabaseError::Unsafe(_) => "run tierd as the database's owner, or share the database with a group",
        DatabaseError::Sqlite { .. } => "see what SQLite says of it: PRAGMA integrity_check",
    }
}

/// The files beside a database in WAL mode have to be their owner's.
fn side_files(path: &Path) -> Finding {
    const WHAT: &str = "WAL files";
    let Ok(owner) = fs::metadata(path).map(|data| data.uid()) else { return Finding::ok(WHAT, "none") };
    let beside = ["-wal", "-shm"].map(|end| {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    });
    let foreign = beside.iter().find_map(|file| {
        let data = fs::metadata(file).ok()?;
        // Everybody in the group may write it, or it is the owner's.
        (data.uid() != owner && data.mode() & 0o020 == 0).then(|| (file, data.uid()))
    });
    match foreign {
        None => Finding::ok(WHAT, "the owner of the database can write them"),
        Some((file, user)) => Finding::bad(
            WHAT,
            format!("{} belongs to user {user}, and the database to user {owner}", file.display()),
            format!("stop tierd and run: chown {owner} {0}-wal {0}-shm", path.display()),
        ),
    }
}

/// The rules that a daemon goes on with where the files are broken, if the ledger has any; an error where it can't say.
pub(super) fn last_good(project: &Project) -> Result<Option<RuleSet>, Finding> {
    serve::last_good(project, &project.ledger_as_written()).map_err(|error| unreadable(&error))
}

/// Whether the ledger is there, whole and can be written.
pub(super) fn ledger(project: &Project, rules: &RuleSet) -> Vec<Finding> {
    const WHAT: &str = "ledger";
    let path = project.ledger(&rules.config);
    let folder = machine::folder_of(&path);
    let mut findings = Vec::new();
    if !machine::may_write(&folder) {
        let found = format!("{} can't be written by this user", folder.display());
        findings.push(Finding::bad(
            WHAT,
            found,
            format!("chown the folder, or name another: [ledger] path in {}", "tierd.toml"),
        ));
    }
    findings.push(match Reader::open(&path) {
        Ok(reader) => whole(&path, &reader),
        Err(error) if matches!(error.kind, ErrorKind::Missing) => {
            Finding::ok(WHAT, format!("{} isn't there yet; the first run makes it", path.display()))
        }
        Err(error) => unreadable(&error),
    });
    findings
}

fn unreadable(error: &tierd_ledger::Error) -> Finding {
    const WHAT: &str = "ledger";
    match error.kind {
        ErrorKind::Older { .. } => {
            Finding::note(WHAT, chain(error), "the daemon brings it up to date; make a backup before")
        }
        _ => Finding::bad(WHAT, chain(error), "name another path, or restore it from a backup"),
    }
}

fn whole(path: &Path, reader: &Reader) -> Finding {
    const WHAT: &str = "ledger";
    let runs = reader.runs(1).map(|runs| runs.first().map_or(0, |run| run.id.0));
    match (reader.damage(), runs) {
        (Ok(damage), Ok(runs)) if damage.is_empty() => {
            let bytes = fs::metadata(path).map_or(0, |data| data.len());
            let runs = counted(u64::try_from(runs).unwrap_or(0), "run");
            Finding::ok(WHAT, format!("{}: {runs}, {} bytes, whole", path.display(), thousands(bytes)))
        }
        (Ok(damage), Ok(_)) => Finding::bad(
            WHAT,
            format!("{} is damaged: {}", path.display(), one_line(&damage.join("; "))),
            "restore it from a backup",
        ),
        (Err(error), _) | (_, Err(error)) => Finding::bad(WHAT, chain(&error), "restore it from a backup"),
    }
}

/// What SQLite finds is told on several lines; a finding has one.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
