//! The files of a project: rules, token, socket.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tierd_daemon::Project;
use tierd_rules::{RuleSet, Severity};

use super::Finding;
use crate::{
    exit::chain,
    output::counted,
    session::{local_time, now, summary},
};

/// Whether the files can be read and are good; the rules, where they are.
pub(super) fn rules(project: &Project) -> (Option<RuleSet>, Vec<Finding>) {
    let loaded = match project.load() {
        Ok(loaded) => loaded,
        Err(error) => return (None, vec![Finding::bad("files", chain(&error), "let this user read all of them")]),
    };
    let files = Finding::ok("files", counted(loaded.files.iter().count() as u64, "file"));
    let errors = loaded.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    let rules = match &loaded.rules {
        Some(rules) if !errors => Finding::ok("rules", format!("revision {}", rules.revision.short())),
        _ => Finding::bad("rules", summary(&loaded.diagnostics), "`tierd check` shows each of them at its place"),
    };
    (loaded.rules, vec![files, rules])
}

/// Whether anything is decided without a person.
pub(super) fn schedules(rules: &RuleSet) -> Finding {
    const WHAT: &str = "schedules";
    if rules.schedules.is_empty() {
        let fix = "write [schedule.default] with `every = \"daily at 02:15\"` into tierd.toml";
        return Finding::note(WHAT, "none, so that only runs by hand decide anything", fix);
    }
    let next =
        rules.schedules.iter().filter_map(|schedule| schedule.recurrence.as_ref()?.next_after(now(), &schedule.zone));
    let next = next.min().map(|next| format!(", next {}", local_time(next, &rules.config.zone))).unwrap_or_default();
    Finding::ok(WHAT, format!("{}{next}", counted(rules.schedules.len() as u64, "schedule")))
}

/// Whether the token is there and nobody else's.
pub(super) fn token(project: &Project, rules: &RuleSet) -> Finding {
    const WHAT: &str = "token";
    let Some(file) = &rules.config.http.token_file else {
        return Finding::ok(WHAT, "none is named: changes go over the socket alone, or with a credential of systemd");
    };
    let path = project.folder().join(file);
    let shown = path.display();
    match fs::metadata(&path) {
        Err(error) => Finding::bad(
            WHAT,
            format!("{shown}: {error}"),
            format!("make it: openssl rand -hex 32 > {shown}; chmod 640 {shown}"),
        ),
        Ok(data) if data.permissions().mode() & 0o007 != 0 => {
            Finding::bad(WHAT, format!("everybody on this machine may use {shown}"), format!("chmod o= {shown}"))
        }
        Ok(_) => match fs::File::open(&path) {
            Ok(_) => Finding::ok(WHAT, shown),
            Err(error) => Finding::bad(WHAT, format!("{shown}: {error}"), "let the daemon's user read it"),
        },
    }
}

/// Whether the socket is there for those who may use it, or can be made.
pub(super) fn socket(project: &Project, rules: &RuleSet) -> Finding {
    const WHAT: &str = "socket";
    let Some(path) = project.socket(&rules.config) else {
        return Finding::ok(WHAT, "off");
    };
    let shown = path.display();
    match fs::metadata(&path) {
        Ok(data) if data.permissions().mode() & 0o002 != 0 => {
            Finding::bad(WHAT, format!("everybody on this machine may write to {shown}"), format!("chmod o= {shown}"))
        }
        Ok(_) => Finding::ok(WHAT, shown),
        Err(_) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match super::machine::may_write(folder) {
                true => Finding::ok(WHAT, format!("{shown} will be made by the daemon")),
                false => Finding::bad(
                    WHAT,
                    format!("{} can't be written by this user", folder.display()),
                    "name another path: [http] socket in tierd.toml",
                ),
            }
        }
    }
}
