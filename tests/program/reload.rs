//! A daemon whose rules change under it, as a process of its own.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use rusqlite::Connection;

use crate::support::{CONFIG, Project, RULES};

/// `tierd serve` as a process, killed when the test ends. It listens on its socket alone, so that tests don't meet.
struct Serving<'a> {
    project: &'a Project,
    process: Child,
}

impl<'a> Serving<'a> {
    fn start(project: &'a Project) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tierd"));
        command.current_dir(project.folder()).arg("serve").stdout(Stdio::null()).stderr(Stdio::null());
        let serving = Serving { project, process: command.spawn().unwrap() };
        until("the daemon answers", || project.tierd(&["reload"]).code != 69);
        serving
    }

    fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// The text of a file in force by the ledger.
    fn in_force(&self, file: &str) -> Option<String> {
        let ledger = Connection::open(self.project.path("tierd.ledger")).ok()?;
        let sql = "SELECT c.text FROM revision_file AS f JOIN content AS c ON c.sha256 = f.sha256
                   WHERE f.path = ?1 AND f.revision = (SELECT revision FROM reload ORDER BY id DESC LIMIT 1)";
        ledger.query_row(sql, [file], |row| row.get(0)).ok()
    }

    fn until_in_force(&self, text: &str) {
        until("the rules are in force", || self.in_force("rules/value.toml").as_deref() == Some(text));
    }
}

impl Drop for Serving<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn shop() -> Project {
    let project = Project::shop();
    project.write("tierd.toml", &format!("{CONFIG}\n[http]\nlisten = \"off\"\n"));
    project
}

fn spend(at_least: u32) -> String {
    RULES.replace("annual_spend >= 10000", &format!("annual_spend >= {at_least}"))
}

/// So many events overflow the queue of the kernel (16,384 of them).
#[test]
fn ten_thousand_saves_while_the_process_is_stopped_end_with_the_last_one() {
    let project = shop();
    let daemon = Serving::start(&project);
    daemon.until_in_force(RULES);
    daemon.signal("STOP");
    for n in 0..10_000 {
        fs::write(project.path("rules/value.toml"), spend(20_000 + n)).unwrap();
    }
    daemon.signal("CONT");
    daemon.until_in_force(&spend(29_999));
    assert!(project.count("SELECT count(*) FROM reload") <= 3, "what was never seen is no revision");
}

#[test]
fn commands_reload_roll_back_and_tell_what_is_different() {
    let project = shop();
    let daemon = Serving::start(&project);
    daemon.until_in_force(RULES);
    let first = revision(&project, 0);
    project.tierd(&["reload"]).ok().says(&["nothing has changed"]);
    project.write("rules/value.toml", &spend(12_000));
    // The daemon may be as quick as this command.
    let change = ["tiers.value.A: annual_spend >= 10000 → 12000"];
    project.tierd(&["diff", &first, "files"]).ok().prints(&change);
    project.tierd(&["reload"]).ok();
    daemon.until_in_force(&spend(12_000));
    project.tierd(&["diff"]).ok().says(&["no difference"]);
    project.tierd(&["diff", &first, "active"]).ok().prints(&["10000 → 12000"]);

    project
        .tierd(&["rollback", &first[..8], "--by", "ann", "--why", "too strict"])
        .ok()
        .says(&["until the files change"]);
    daemon.until_in_force(RULES);
    project.tierd(&["diff"]).ok().prints(&change);
    project.tierd(&["reload"]).ok().says(&["nothing has changed", &first[..12]]);
    assert_eq!(project.count("SELECT count(*) FROM reloads WHERE outcome = 'rolled_back' AND by = 'ann'"), 1);
    project.tierd(&["revisions"]).ok().prints(&[&first[..12], "rollback", "files"]);
    project.tierd(&["rollback", "ffff"]).exits(1).says(&["no revision that begins with `ffff`"]);

    project.edit("rules/value.toml", "annual_spend >= 5000", "anual_spend >= 5000");
    project.tierd(&["reload"]).exits(1).says(&["unknown-name", "rules/value.toml:", "stays in force"]);
}

#[test]
fn rollback_without_a_daemon_is_obeyed_by_the_next_one_and_a_broken_set_by_none() {
    let project = shop();
    drop({
        let daemon = Serving::start(&project);
        daemon.until_in_force(RULES);
        project.write("rules/value.toml", &spend(12_000));
        daemon.until_in_force(&spend(12_000));
        daemon
    });
    project.tierd(&["reload"]).exits(69).says(&["no daemon answers"]);
    project.tierd(&["rollback", &revision(&project, 1)]).ok();
    let daemon = Serving::start(&project);
    daemon.until_in_force(RULES);
    project.tierd(&["diff", "active", "files"]).ok().prints(&["10000 → 12000"]);
    // SIGHUP is another way to ask.
    project.write("rules/value.toml", &spend(13_000));
    daemon.signal("HUP");
    daemon.until_in_force(&spend(13_000));
    drop(daemon);

    project.write("rules/value.toml", "[tiers");
    let daemon = Serving::start(&project);
    until("it is refused", || project.count("SELECT count(*) FROM reload WHERE outcome = 'refused'") == 1);
    assert_eq!(daemon.in_force("rules/value.toml"), Some(spend(13_000)));
}

/// The hash of a revision, the latest being 0.
fn revision(project: &Project, back: usize) -> String {
    let listed = project.tierd(&["revisions", "--output", "json"]).ok().json();
    listed[back]["revision"].as_str().unwrap().to_owned()
}
