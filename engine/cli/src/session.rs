//! What most commands begin with: a project whose rules are good, and a time.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use tierd_daemon::{Loaded, Project, serve};
use tierd_http::client::ClientError;
use tierd_ledger::{Ledger, Reader};
use tierd_model::{Clock, Date, MICROS, Timestamp, Zone, parse_date, parse_timestamp};
use tierd_rules::{Diagnostic, FileSet, RuleSet, Severity, TierSet, cases::LoadedTests, nearest};

use crate::{
    exit::{Code, Failure},
    output::{Output, counted},
};

/// A project folder with rules that are good.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) project: Project,
    pub(crate) rules: RuleSet,
}

impl Session {
    /// Opens the folder and loads its rules; diagnostics go to standard error.
    pub(crate) fn open(folder: &Path, output: Output) -> Result<Self, Failure> {
        let project = open_project(folder)?;
        let loaded = load(&project)?;
        if !output.quiet || loaded.rules.is_none() {
            print_diagnostics(&loaded.diagnostics, &loaded.files, output);
        }
        let rules = loaded.rules.ok_or_else(|| Failure::new(Code::Config, summary(&loaded.diagnostics)))?;
        Ok(Session { project, rules })
    }

    /// Opens the folder for a command that works on what is in force: with its rules, or, where the files are broken, with those that a
    /// daemon goes on with.
    pub(crate) fn in_force(folder: &Path, output: Output) -> Result<Self, Failure> {
        let project = open_project(folder)?;
        if project.load().is_ok_and(|loaded| loaded.rules.is_some()) {
            return Session::open(folder, output);
        }
        match Session::last_good(&project)? {
            Some(session) => {
                let revision = session.rules.revision.short();
                output.remark(&format!(
                    "the files are broken (`tierd check`); by the last good rules, revision {revision}"
                ));
                Ok(session)
            }
            None => Session::open(folder, output),
        }
    }

    /// With the rules that were in force last, by the ledger.
    fn last_good(project: &Project) -> Result<Option<Self>, Failure> {
        let rules = serve::last_good(project, &project.ledger_as_written()).map_err(|error| ledger_failure(&error))?;
        Ok(rules.map(|rules| Session { project: project.clone(), rules }))
    }

    /// The clock of a command: at the time given, or else now.
    pub(crate) fn clock(&self, as_of: Option<&str>) -> Result<Clock, Failure> {
        let zone = &self.rules.config.zone;
        let at = as_of.map_or_else(|| Ok(now()), |text| parse_as_of(text, zone))?;
        Ok(Clock::new(at, Arc::clone(zone)))
    }

    /// The clock of a command that looks at decisions: at the time given, or else that of the last run, or else now.
    pub(crate) fn clock_of_last_run(&self, as_of: Option<&str>) -> Result<Clock, Failure> {
        if as_of.is_some() {
            return self.clock(as_of);
        }
        let at = self.time_of_last_run()?.unwrap_or_else(now);
        Ok(Clock::new(at, Arc::clone(&self.rules.config.zone)))
    }

    /// The time that the last run graded for; `None` before the first one.
    pub(crate) fn time_of_last_run(&self) -> Result<Option<Timestamp>, Failure> {
        let path = self.project.ledger(&self.rules.config);
        if !path.exists() {
            return Ok(None);
        }
        let run = Reader::open(&path).and_then(|ledger| ledger.last_applied_run());
        let run = run.map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
        Ok(run.map(|run| run.as_of))
    }

    /// The ledger, for reading.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        Reader::open(&self.project.ledger(&self.rules.config)).map_err(|error| ledger_failure(&error))
    }

    /// The ledger, for writing a person's decision on what is in it: so it has to be there already.
    pub(crate) fn existing_ledger(&self, program: &str) -> Result<Ledger, Failure> {
        self.reader()?;
        self.ledger(program)
    }

    /// The ledger, for writing a person's decision; made where there is none.
    pub(crate) fn ledger(&self, program: &str) -> Result<Ledger, Failure> {
        let path = self.project.ledger(&self.rules.config);
        Ledger::open_waiting(&path, program, Ledger::PATIENCE).map_err(|error| ledger_failure(&error))
    }

    /// The tier sets of this name: all its categories for a set that is kept per category. Without a name, all.
    pub(crate) fn tier_sets(&self, name: Option<&str>) -> Result<Vec<&TierSet>, Failure> {
        let Some(name) = name else { return Ok(self.rules.tier_sets.iter().collect()) };
        let of_family = |set: &&TierSet| set.category.as_ref().is_some_and(|category| category.set == name);
        let family: Vec<_> = self.rules.tier_sets.iter().filter(of_family).collect();
        if family.is_empty() { Ok(vec![self.tier_set(Some(name))?]) } else { Ok(family) }
    }

    /// The tier set of this name, or the only one there is.
    pub(crate) fn tier_set(&self, name: Option<&str>) -> Result<&TierSet, Failure> {
        let names = || self.rules.tier_sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", ");
        match (name, self.rules.tier_sets.as_slice()) {
            (Some(name), _) => self
                .rules
                .tier_set(name)
                .ok_or_else(|| unknown("no tier set", name, self.rules.tier_sets.iter().map(|set| set.name.as_str()))),
            (None, [only]) => Ok(only),
            (None, []) => Err(Failure::new(Code::Failed, "the rules have no tier set")),
            (None, _) => Err(Failure::new(Code::Failed, format!("say which tier set with --set: {}", names()))),
        }
    }
}

/// The project in a folder.
pub(crate) fn open_project(folder: &Path) -> Result<Project, Failure> {
    let project = Project::open(folder).map_err(|error| Failure::from_error(Code::Config, &error))?;
    Ok(project.compiling_by(this_program()))
}

/// This program, to be started again. On Linux that is the one that runs, also where another version has taken its file's place meanwhile:
/// what that compiled would fit nobody here.
pub(crate) fn this_program() -> PathBuf {
    if cfg!(target_os = "linux") {
        return PathBuf::from("/proc/self/exe");
    }
    // Where the system doesn't know, starting it fails by this name.
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tierd"))
}

/// The project's files, read and checked.
pub(crate) fn load(project: &Project) -> Result<Loaded, Failure> {
    project.load().map_err(|error| Failure::from_error(Code::Config, &error))
}

/// The zone of a project's rules, or of those before, where the files are broken; `None` where there are neither.
pub(crate) fn zone(project: &Project) -> Option<Arc<Zone>> {
    let on_disk = project.load().ok().and_then(|loaded| loaded.rules);
    let before = || serve::last_good(project, &project.ledger_as_written()).ok().flatten();
    on_disk.or_else(before).map(|rules| rules.config.zone)
}

/// The project's test files, read and checked against its rules.
pub(crate) fn load_tests(project: &Project, rules: &RuleSet) -> Result<LoadedTests, Failure> {
    let files = project.test_files().map_err(|error| Failure::from_error(Code::Config, &error))?;
    Ok(tierd_testing::load(rules, files))
}

/// Every diagnostic to standard error, rendered for people.
pub(crate) fn print_diagnostics(diagnostics: &[Diagnostic], files: &FileSet, output: Output) {
    for diagnostic in diagnostics {
        eprintln!("{}\n", diagnostic.render(files, output.color_stderr()));
    }
}

/// `2 errors, 1 warning`.
pub(crate) fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
    let warnings = diagnostics.len() - errors;
    let count = |n: usize, word: &str| counted(n as u64, word);
    match (errors, warnings) {
        (errors, 0) => count(errors, "error"),
        (0, warnings) => count(warnings, "warning"),
        (errors, warnings) => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    }
}

/// A name that isn't among those that there are: `lacking` is such as `no tier set`.
pub(crate) fn unknown<'a>(lacking: &str, name: &str, all: impl Iterator<Item = &'a str> + Clone) -> Failure {
    let near = nearest(name, all.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let all = all.collect::<Vec<_>>().join(", ");
    Failure::new(Code::Failed, format!("{lacking} `{name}`; there is: {all}{near}"))
}

/// A failure of the ledger: of the machine, or of what a person asked for.
pub(crate) fn ledger_failure(error: &tierd_ledger::Error) -> Failure {
    use tierd_ledger::ErrorKind as Kind;
    match &error.kind {
        Kind::Override(_) | Kind::NoOverride(_) | Kind::OverrideEnded { .. } | Kind::Nobody => {}
        Kind::NoTask(_) | Kind::AmbiguousTask { .. } | Kind::TaskDone { .. } => {}
        Kind::NoHold(_) | Kind::HoldOver { .. } | Kind::NoReason | Kind::BackupExists => {}
        _ => return Failure::from_error(Code::Unreachable, error),
    }
    // The file has nothing to do with it.
    Failure::new(Code::Failed, &error.kind)
}

/// A daemon that refuses, or one that went away.
pub(crate) fn daemon_failure(error: &ClientError) -> Failure {
    let code = if matches!(error, ClientError::Refused { .. }) { Code::Failed } else { Code::Unreachable };
    Failure::from_error(code, error)
}

/// A day as people type it.
pub(crate) fn parse_day(text: &str) -> Result<Date, Failure> {
    parse_date(text.as_bytes())
        .ok_or_else(|| Failure::new(Code::Failed, format!("`{text}` is no day; write it as 2026-03-31")))
}

/// A time as people type it: a date means its midnight.
pub(crate) fn parse_as_of(text: &str, zone: &Zone) -> Result<Timestamp, Failure> {
    parse_timestamp(text.as_bytes()).map(|civil| civil.instant(zone)).ok_or_else(|| {
        Failure::new(
            Code::Failed,
            format!("`{text}` is no time; write 2026-03-31, 2026-03-31T08:00 or 2026-03-31T08:00:00+08:00"),
        )
    })
}

/// The clock of a command that knows only its rules: now.
pub(crate) fn clock_now(rules: &RuleSet) -> Clock {
    Clock::new(now(), Arc::clone(&rules.config.zone))
}

/// This machine's time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
    Timestamp(i64::try_from(since).unwrap_or(i64::MAX))
}

/// A time as people read it, to the second, where more is of no interest.
pub(crate) fn local_second(at: Timestamp, zone: &Zone) -> String {
    local_time(Timestamp(at.0.div_euclid(MICROS) * MICROS), zone)
}

/// A time as people read it: `2026-03-31 08:00 Asia/Shanghai`, with seconds only where there are any.
pub(crate) fn local_time(at: Timestamp, zone: &Zone) -> String {
    let civil = zone.to_civil(at.0);
    let second = civil.div_euclid(MICROS).rem_euclid(86_400);
    let mut text = format!("{} {:02}:{:02}", zone.date_of(at), second / 3600, second / 60 % 60);
    if second % 60 != 0 {
        text.push_str(&format!(":{:02}", second % 60));
    }
    format!("{text} {}", zone.name())
}
