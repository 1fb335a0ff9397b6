use std::path::{Path, PathBuf};

use tierd_daemon::run::{self as runs, RunReport};
use tierd_model::{Clock, Date, Zone, parse_date};
use tierd_rules::RuleSet;

use crate::{
    args::{DemoArgs, Format, Reader, Reading},
    commands::{explain, init, run, schema},
    demo::{Options, Pack, Stats, write_database},
    exit::{Code, Failure},
    output::{Cell, Output, Table, thousands},
    progress, reading,
    session::{self, Session},
};

/// The pack that is shown where none is asked for.
const SHOP: &str = "shop";

/// The zone that the shipped packs name; the last day of their databases ends there.
const ZONE: &str = "Asia/Shanghai";

/// Makes the demo's folder (or uses it again), grades everybody, and explains one customer.
pub(crate) fn demo(args: &DemoArgs, output: Output) -> Result<(), Failure> {
    if args.list {
        return list(output);
    }
    let pack = pack(&args.pack)?;
    let folder = args.dir.clone().unwrap_or_else(|| default_folder(&pack));
    if folder.join(pack.database()).exists() {
        output.remark(&format!("{} is there already: used again as it is", folder.display()));
    } else {
        make(args, &pack, &folder, output)?;
    }
    let session = Session::open(&folder, output)?;
    let clock = session.clock(args.as_of.as_deref())?;
    let report = grade(&session, &clock, output)?;
    run::print(&report, &session.rules, &clock, output)?;
    if output.format == Format::Table {
        explain_one(&pack, &session, &clock, &report, output)?;
        output.remark(&next_steps(&pack, &folder, &session.rules));
    }
    Ok(())
}

/// The packs, with the grading systems that they are about.
fn list(output: Output) -> Result<(), Failure> {
    let mut table = Table::new(["pack", "system", "title", "标题", "also"]);
    for pack in Pack::all().map_err(|error| Failure::from_error(Code::Failed, &error))? {
        let profile = &pack.profile;
        table.push(vec![
            Cell::text(pack.name),
            Cell::text(profile.systems.join(", ")),
            Cell::text(&profile.title.en),
            Cell::text(&profile.title.zh),
            Cell::optional((!profile.aliases.is_empty()).then(|| profile.aliases.join(", "))),
        ]);
    }
    output.table(&table, false)
}

fn pack(name: &str) -> Result<Pack, Failure> {
    let found = Pack::find(name).map_err(|error| Failure::from_error(Code::Failed, &error))?;
    found.ok_or_else(|| Failure::new(Code::Usage, format!("no pack `{name}`; `tierd demo --list` shows what there is")))
}

fn default_folder(pack: &Pack) -> PathBuf {
    if pack.name == SHOP { "tierd-demo".into() } else { format!("tierd-demo-{}", pack.name).into() }
}

fn make(args: &DemoArgs, pack: &Pack, folder: &Path, output: Output) -> Result<(), Failure> {
    write_files(pack, folder)?;
    let bar = progress::bar(output.quiet, "writing");
    let usual = if pack.name == SHOP { 100_000 } else { 10_000 };
    let options =
        Options { customers: args.customers.unwrap_or(usual), seed: args.seed, today: today(args.as_of.as_deref())? };
    let path = folder.join(pack.database());
    let mut progress = |rows| bar.iter().for_each(|bar| bar.set_position(rows));
    let stats = write_database(&path, &pack.profile, &options, &mut progress)
        .map_err(|error| Failure::from_error(Code::Failed, &error))?;
    bar.iter().for_each(|bar| bar.finish_and_clear());
    output.remark(&format!("made {} with {}", path.display(), counts(&stats)));
    Ok(())
}

/// `100,000 customers, 1,101,633 orders`.
fn counts(stats: &Stats) -> String {
    let tables: Vec<String> = stats.iter().map(|(table, rows)| format!("{} {table}", thousands(*rows))).collect();
    tables.join(", ")
}

/// The database's last day: the one asked for, or today.
fn today(as_of: Option<&str>) -> Result<Date, Failure> {
    let zone = Zone::new(ZONE).map_err(|error| Failure::from_error(Code::Failed, &error))?;
    match as_of {
        None => Ok(zone.date_of(session::now())),
        Some(text) => parse_date(text.as_bytes())
            .ok_or_else(|| Failure::new(Code::Usage, format!("`{text}` is no date; write 2026-03-31"))),
    }
}

fn write_files(pack: &Pack, folder: &Path) -> Result<(), Failure> {
    init::write(folder, &pack.texts())?;
    init::write(folder, pack.plugins())?;
    init::write(folder, &schema::beside_config())
}

fn grade(session: &Session, clock: &Clock, output: Output) -> Result<RunReport, Failure> {
    let how = Reading { reader: Reader::Auto, threads: None };
    reading::with_progress(&how, session, clock, output, |evaluator| {
        runs::run(&session.project, &session.rules, evaluator, runs::Asked::by_hand(session::now()))
    })
}

/// Explains somebody in the middle, who has a next level to reach.
fn explain_one(
    pack: &Pack,
    session: &Session,
    clock: &Clock,
    report: &RunReport,
    output: Output,
) -> Result<(), Failure> {
    let Some((set, subject)) = in_the_middle(&pack.profile.explain, &session.rules, report) else {
        return Ok(());
    };
    output.line("")?;
    explain::print(session, clock, &report.evaluation, subject, set, output)
}

/// The tier set of this name (by index) and the first subject in it who is neither at its top nor at its bottom.
fn in_the_middle(name: &str, rules: &RuleSet, report: &RunReport) -> Option<(usize, usize)> {
    let sets = &report.evaluation.outcome.sets;
    let set = rules.tier_sets.iter().position(|set| set.name == name).unwrap_or(0);
    let held = &sets.get(set)?.settled.held;
    let top = rules.tier_sets[set].levels.len() as u16 - 1;
    let subject = held.iter().position(|&level| 0 < level && level < top).unwrap_or(0);
    (subject < held.len()).then_some((set, subject))
}

fn next_steps(pack: &Pack, folder: &Path, rules: &RuleSet) -> String {
    let (folder, set) = (folder.display(), &pack.profile.explain);
    let file = rules.tier_set(set).map_or("rules", |set| &rules.files.file(set.at.file).path);
    let (customer, tests) = if pack.name == SHOP {
        (4711, "")
    } else {
        (42, "\n  tierd test                    the cases beside the rules")
    };
    format!(
        "
Go on in {folder}:
  cd {folder}
  tierd explain {customer:<16}why a customer has its level
  edit {file:<25}then: tierd check, tierd run --dry-run, tierd run
  tierd serve                   stays: edits come into force, schedules run, HTTP answers
  tierd export --set {set} --attribute name --output csv{tests}"
    )
}
