//! The machine: disk, clock, zones, limits, and whether a daemon runs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tierd_daemon::Project;
use tierd_http::{client::Client, documents::Watching};
use tierd_rules::RuleSet;

use super::Finding;
use crate::output::thousands;

/// Less free space than this is too little for any ledger.
const LEAST_FREE: u64 = 100 << 20;

/// A file that was changed so far in the future says that a clock is wrong.
const AHEAD: Duration = Duration::from_secs(300);

/// No machine that runs this program has lived before it: 2026-01-01.
const EARLIEST: Duration = Duration::from_secs(1_767_225_600);

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Whether this user may make files in a folder.
pub(super) fn may_write(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Whether the ledger can grow.
pub(super) fn disk(project: &Project, rules: &RuleSet) -> Finding {
    const WHAT: &str = "disk";
    let ledger = project.ledger(&rules.config);
    let Ok(disk) = rustix::fs::statvfs(folder_of(&ledger)) else {
        return Finding::bad(WHAT, "the ledger's folder isn't there", "make it, or mend [ledger] path in tierd.toml");
    };
    let (free, size) = (disk.f_bavail * disk.f_frsize, fs::metadata(&ledger).map_or(0, |data| data.len()));
    let found = format!("{} MiB free", thousands(free >> 20));
    match free < LEAST_FREE.max(size) {
        true => Finding::bad(
            WHAT,
            found,
            "make room: a run, a backup or a new version may need as much again as the ledger has",
        ),
        false => Finding::ok(WHAT, found),
    }
}

/// Whether the clock can be right. A wrong one decides by the wrong windows.
pub(super) fn clock(project: &Project, rules: &RuleSet) -> Finding {
    const WHAT: &str = "clock";
    const FIX: &str = "set the clock, and have it kept by NTP (timedatectl set-ntp true)";
    let now = SystemTime::now();
    if now < SystemTime::UNIX_EPOCH + EARLIEST {
        return Finding::bad(WHAT, "it shows a year before this program was made", FIX);
    }
    let files = rules.files.iter().map(|(_, file)| project.folder().join(&*file.path));
    let all = files.chain([project.database(&rules.config), project.ledger(&rules.config)]);
    let ahead = all.filter(|path| fs::metadata(path).and_then(|data| data.modified()).is_ok_and(|at| at > now + AHEAD));
    match ahead.last() {
        Some(path) => Finding::bad(WHAT, format!("{} was changed in the future", path.display()), FIX),
        None => Finding::ok(WHAT, "no file was changed in the future"),
    }
}

/// Where the rules of the time zone come from.
pub(super) fn zone(rules: &RuleSet) -> Finding {
    const WHAT: &str = "time zone";
    let name = rules.config.zone.name();
    match Path::new("/usr/share/zoneinfo").join(name).exists() {
        true => Finding::ok(WHAT, format!("{name}, by this machine's zone data")),
        false => Finding::note(
            WHAT,
            format!("{name}, by the zone data built into tierd"),
            "install tzdata, so that changes of law arrive with the system's updates",
        ),
    }
}

/// Whether the system lets a daemon watch every folder of rules.
pub(super) fn watches(project: &Project, rules: &RuleSet) -> Finding {
    const WHAT: &str = "watching files";
    const FIX: &str = "sysctl fs.inotify.max_user_watches=65536 fs.inotify.max_user_instances=128";
    if let Some(reason) = unwatched(project) {
        let found = format!("the daemon sees changes only every 30 seconds: {reason}");
        return Finding::bad(WHAT, found, format!("{FIX}, or end programs that take them"));
    }
    let limit = |name: &str| -> Option<u64> {
        fs::read_to_string(Path::new("/proc/sys/fs/inotify").join(name)).ok()?.trim().parse().ok()
    };
    let (Some(watches), Some(instances)) = (limit("max_user_watches"), limit("max_user_instances")) else {
        return Finding::note(WHAT, "this system has no inotify", "changes are found by looking every 30 seconds");
    };
    // Each folder that has a file, and those above it up to the project's.
    let mut folders: Vec<PathBuf> =
        rules.files.iter().map(|(_, file)| folder_of(&project.folder().join(&*file.path))).collect();
    folders.sort();
    folders.dedup();
    let found = format!("{} of at most {} watches", folders.len(), thousands(watches));
    match folders.len() as u64 * 2 > watches || instances < 8 {
        true => Finding::bad(WHAT, found, FIX),
        false => Finding::ok(WHAT, found),
    }
}

/// Why the daemon, where one answers, doesn't see changes at once.
fn unwatched(project: &Project) -> Option<String> {
    let status = Client::find(project)?.get("/api/v1/status").ok()?;
    let watching: Watching = serde_json::from_value(status.get("watching")?.clone()).ok()?;
    watching.reason.filter(|_| !watching.at_once)
}

/// The daemon, where one answers: what the rules say isn't asked.
pub(super) fn answering(project: &Project) -> Option<Finding> {
    answers(project).then(|| Finding::ok("daemon", "answers on its socket"))
}

/// Whether a daemon serves the project.
pub(super) fn daemon(project: &Project, rules: &RuleSet) -> Finding {
    match (answering(project), holder(project, rules)) {
        (Some(answers), _) => answers,
        (None, Some(process)) if rules.config.http.socket.is_some() => Finding::bad(
            "daemon",
            format!("process {process} serves this project, and doesn't answer on its socket"),
            "look at its log: journalctl -u tierd",
        ),
        (None, Some(process)) => Finding::ok("daemon", format!("process {process} serves this project")),
        (None, None) => Finding::note("daemon", "none runs", "systemctl start tierd, or tierd serve"),
    }
}

/// As [`daemon`], where one has to run.
pub(super) fn must_serve(project: &Project, rules: &RuleSet) -> Finding {
    let finding = daemon(project, rules);
    match finding.state {
        super::State::Note => Finding { state: super::State::Bad, ..finding },
        _ => finding,
    }
}

fn answers(project: &Project) -> bool {
    Client::find(project).is_some_and(|client| client.get("/-/healthy").is_ok())
}

/// The process that says of itself in the lock file that it serves the project, where it lives.
fn holder(project: &Project, rules: &RuleSet) -> Option<u32> {
    let process = tierd_daemon::noted(&project.ledger(&rules.config))?.process;
    // proc_pid_stat(5): `4711 (tierd) S …`. One that has ended stays there as Z until its parent, which may not care, has asked for it.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (name, state) = stat.split_once('(')?.1.rsplit_once(") ")?;
    (name.starts_with("tierd") && !state.starts_with(['Z', 'X'])).then_some(process)
}
