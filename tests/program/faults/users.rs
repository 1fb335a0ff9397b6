//! The application is one user, and tierd another.
//!
//! In WAL mode even a reader makes `-wal` and `-shm`; those of another user would lock the application out.

use std::{
    fs,
    os::unix::{
        fs::{PermissionsExt, chown},
        process::CommandExt,
    },
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use tierd_sources::{Database, Snapshot};

use super::world::{FOLLOWS_CHANGES, is_root, run, run_fails, run_succeeds, shop, until};
use crate::{living::process::Daemon, support::Project};

/// The application's user and group, and tierd's.
const APPLICATION: u32 = 4001;
const TIERD: u32 = 4002;

/// The shop's database in the folder `data`, which is the application's, and the project, which is tierd's.
fn shop_of_two(more: &str, folder_mode: u32, database_mode: u32) -> Project {
    let project = shop(more);
    let data = project.path("data");
    fs::create_dir(&data).unwrap();
    fs::rename(project.path("shop.db"), data.join("shop.db")).unwrap();
    project.edit("tierd.toml", "sqlite = \"shop.db\"", "sqlite = \"data/shop.db\"");
    for (path, mode) in [(data.clone(), folder_mode), (data.join("shop.db"), database_mode)] {
        chown(&path, Some(APPLICATION), Some(APPLICATION)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
    chown(project.folder(), Some(TIERD), Some(TIERD)).unwrap();
    fs::set_permissions(project.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    for name in ["tierd", "program"] {
        let program =
            if name == "tierd" { env!("CARGO_BIN_EXE_tierd").into() } else { std::env::current_exe().unwrap() };
        // Where they were built, others may not look.
        let here = project.path(name);
        fs::hard_link(&program, &here).or_else(|_| fs::copy(&program, &here).map(drop)).unwrap();
    }
    application(&project, "PRAGMA journal_mode = WAL; UPDATE orders SET amount = amount + 0");
    project
}

/// The names of the databases and what is done to them, for the part below.
const DATABASE: &str = "TIERD_TEST_DATABASE";
const SQL: &str = "TIERD_TEST_SQL";

/// The application comes, does this, which has to succeed, and goes.
fn application(project: &Project, sql: &str) {
    let output = part(project, sql).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn part(project: &Project, sql: &str) -> Command {
    let mut command = Command::new(project.path("program"));
    command.args(["--exact", "faults::users::do_as_the_application", "--ignored"]).current_dir("/");
    command.env(DATABASE, project.path("data/shop.db")).env(SQL, sql).uid(APPLICATION).gid(APPLICATION);
    command
}

#[test]
#[ignore = "a part for a child process"]
fn do_as_the_application() {
    let shop = rusqlite::Connection::open(PathBuf::from(std::env::var_os(DATABASE).unwrap())).unwrap();
    shop.execute_batch(&std::env::var(SQL).unwrap()).unwrap();
}

/// How often the application comes and goes, in the part below.
const ROUNDS: &str = "TIERD_TEST_ROUNDS";

#[test]
#[ignore = "a part for a child process"]
fn come_and_go_as_the_application() {
    let path = PathBuf::from(std::env::var_os(DATABASE).unwrap());
    let rounds: u32 = std::env::var(ROUNDS).unwrap().parse().unwrap();
    for round in 0..rounds {
        let shop = rusqlite::Connection::open(&path).unwrap();
        shop.busy_timeout(Duration::from_secs(30)).unwrap();
        let written = shop.execute_batch(&std::env::var(SQL).unwrap());
        written.unwrap_or_else(|error| panic!("round {round}: {error}"));
        shop.close().unwrap();
    }
}

/// As a run begins to read, again and again until it is killed.
#[test]
#[ignore = "a part for a child process"]
fn read_as_tierd() {
    let path = PathBuf::from(std::env::var_os(DATABASE).unwrap());
    loop {
        // Whether there is something to read depends on the moment.
        let _ = Database::open(&path, Duration::from_secs(10)).and_then(|database| Snapshot::open(&database, 2));
    }
}

fn daemon(project: &Project, group: u32) -> Daemon {
    let mut command = Command::new(project.path("tierd"));
    command.arg("serve").uid(TIERD).gid(group);
    let mut daemon = Daemon::begin(project.folder(), command);
    daemon.hear("READY=1");
    daemon
}

fn side_files(project: &Project) -> Vec<String> {
    let names = fs::read_dir(project.path("data")).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str().unwrap().strip_prefix("shop.db-").map(str::to_owned)).collect()
}

#[test]
fn owners_and_modes_that_would_lock_the_application_out_are_refused() {
    if !is_root() {
        return;
    }
    for (folder, database, fix) in [
        (0o777, 0o644, "run tierd as user 4001, or share the database with a group"),
        (0o755, 0o644, "run tierd as user 4001"),
    ] {
        let project = shop_of_two(FOLLOWS_CHANGES, folder, database);
        let daemon = daemon(&project, TIERD);
        run_fails(&daemon, &["run-failed", fix]);
        // The connection that watches for changes has had time to come, too.
        until("a run after changes", &daemon, || daemon.log().matches("run failed").count() > 1);
        assert_eq!(side_files(&project), [""; 0], "{folder:o} {database:o}");
        // Where the daemon had the database open when the application closed it, the application's files would stay, and all were well.
        daemon.signal("TERM");
        daemon.end();
        application(&project, "UPDATE orders SET amount = amount + 1");
        let mut doctor = Command::new(project.path("tierd"));
        let doctor = doctor.arg("doctor").current_dir(project.folder()).uid(TIERD).gid(TIERD).output().unwrap();
        let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
        let bad = doctor.lines().any(|line| line.starts_with("BAD") && line.contains("database"));
        assert!(bad && doctor.contains("run tierd as user 4001"), "{doctor}");
    }
}

#[test]
fn application_that_shares_its_group_goes_on_writing() {
    if !is_root() {
        return;
    }
    let project = shop_of_two(FOLLOWS_CHANGES, 0o2775, 0o664);
    let daemon = daemon(&project, APPLICATION);
    assert_eq!(run_succeeds(&daemon), "applied");
    assert_eq!(side_files(&project).len(), 2, "the connection that watches for changes keeps them");
    for amount in 1..4 {
        application(
            &project,
            &format!("UPDATE orders SET amount = amount + {amount}; PRAGMA wal_checkpoint(TRUNCATE)"),
        );
        run_succeeds(&daemon);
    }
    daemon.signal("KILL");
    daemon.end();
    application(&project, "UPDATE orders SET amount = amount + 1");
}

/// Each time it goes, the application takes the files of its WAL along. Whoever reads in that moment must not make others.
#[test]
fn application_that_comes_and_goes_while_it_is_read_is_never_locked_out() {
    if !is_root() {
        return;
    }
    let mut read = 0;
    for (folder, database, group) in [(0o777, 0o644, TIERD), (0o755, 0o644, TIERD), (0o2775, 0o664, APPLICATION)] {
        // Nothing keeps the database open between runs.
        let project = shop_of_two("", folder, database);
        let daemon = daemon(&project, group);
        let part = |name: &str, user: u32, group: u32| {
            let mut part = Command::new(project.path("program"));
            part.args(["--exact", &format!("faults::users::{name}"), "--ignored"]).current_dir("/");
            part.env(DATABASE, project.path("data/shop.db")).env(ROUNDS, "500").uid(user).gid(group);
            part.env(SQL, "UPDATE orders SET amount = amount + 0").stdout(Stdio::piped()).spawn().unwrap()
        };
        let mut reading = part("read_as_tierd", TIERD, group);
        let mut coming = part("come_and_go_as_the_application", APPLICATION, APPLICATION);
        while coming.try_wait().unwrap().is_none() {
            read += u32::from(run(&daemon).is_ok());
        }
        reading.kill().unwrap();
        reading.wait().unwrap();
        let output = coming.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let whole = output.status.success() && said.contains("1 passed");
        assert!(whole, "{folder:o} {database:o}: {said}\n{}", daemon.log());
        application(&project, "UPDATE orders SET amount = amount + 1; PRAGMA wal_checkpoint(TRUNCATE)");
    }
    assert!(read > 0, "nothing was read");
}

#[test]
fn open_application_is_read_and_stays_in_charge_when_it_comes_again() {
    if !is_root() {
        return;
    }
    // tierd may read, and nothing else.
    let project = shop_of_two(FOLLOWS_CHANGES, 0o755, 0o644);
    let mut staying = Command::new(project.path("program"));
    let application_open = super::application::Application::start_as(
        staying.current_dir("/").uid(APPLICATION).gid(APPLICATION),
        &project.path("data/shop.db"),
        std::time::Duration::from_secs(5),
    );
    let daemon = daemon(&project, TIERD);
    assert_eq!(run_succeeds(&daemon), "applied");
    let report = application_open.end();
    assert_eq!(report.failure, None, "{report:?}");
    for _ in 0..3 {
        application(&project, "UPDATE orders SET amount = amount + 1");
        // Whether there is something to read depends on which files are left; nobody is locked out by it.
        let _ = run(&daemon);
    }
    application(&project, "UPDATE orders SET amount = amount + 1; PRAGMA wal_checkpoint(TRUNCATE)");
}
