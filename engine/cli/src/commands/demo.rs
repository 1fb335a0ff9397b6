use std::path::Path;

use tierd_daemon::run::{self as runs, RunReport};
use tierd_model::{Clock, Date, Zone, parse_date};
use tierd_rules::RuleSet;

use crate::{
    args::{DemoArgs, Format, Reader, Reading},
    commands::{explain, init, run, schema},
    demo::{ShopOptions, files, write_shop},
    exit::{Code, Failure},
    output::{Output, thousands},
    progress, reading,
    session::{self, Session},
};

/// The demo's database, beside `tierd.toml`.
const DATABASE: &str = "shop.db";

/// The zone that the shipped rules name; the shop's last day ends there.
const ZONE: &str = "Asia/Shanghai";

/// Makes the demo's folder (or uses it again), grades everybody, and explains one customer.
pub(crate) fn demo(args: &DemoArgs, output: Output) -> Result<(), Failure> {
    if args.dir.join(DATABASE).exists() {
        output.remark(&format!("{} is there already: used again as it is", args.dir.display()));
    } else {
        make(args, output)?;
    }
    let session = Session::open(&args.dir, output)?;
    let clock = session.clock(args.as_of.as_deref())?;
    let report = grade(&session, &clock, output)?;
    run::print(&report, &session.rules, &clock, output)?;
    if output.format == Format::Table {
        explain_one(&session, &clock, &report, output)?;
        output.remark(&next_steps(&args.dir));
    }
    Ok(())
}

fn make(args: &DemoArgs, output: Output) -> Result<(), Failure> {
    let folder = &args.dir;
    write_files(folder)?;
    let bar = progress::bar(output.quiet, "writing");
    let options = ShopOptions { customers: args.customers, seed: args.seed, today: today(args.as_of.as_deref())? };
    let stats =
        write_shop(&folder.join(DATABASE), &options, &mut |rows| bar.iter().for_each(|bar| bar.set_position(rows)))
            .map_err(|error| Failure::from_error(Code::Failed, &error))?;
    bar.iter().for_each(|bar| bar.finish_and_clear());
    output.remark(&format!(
        "made {} with {} customers, {} orders, {} contacts",
        folder.join(DATABASE).display(),
        thousands(stats.customers),
        thousands(stats.orders),
        thousands(stats.contacts),
    ));
    Ok(())
}

/// The shop's last day: the one asked for, or today.
fn today(as_of: Option<&str>) -> Result<Date, Failure> {
    let zone = Zone::new(ZONE).map_err(|error| Failure::from_error(Code::Failed, &error))?;
    match as_of {
        None => Ok(zone.date_of(session::now())),
        Some(text) => parse_date(text.as_bytes())
            .ok_or_else(|| Failure::new(Code::Usage, format!("`{text}` is no date; write 2026-03-31"))),
    }
}

fn write_files(folder: &Path) -> Result<(), Failure> {
    let all = files().into_iter().chain(schema::beside_config());
    init::write(folder, &all.map(|(path, text)| (path.to_owned(), text)).collect::<Vec<_>>())
}

fn grade(session: &Session, clock: &Clock, output: Output) -> Result<RunReport, Failure> {
    let how = Reading { reader: Reader::Auto, threads: None };
    reading::with_progress(&how, session, clock, output, |evaluator| {
        runs::run(&session.project, &session.rules, evaluator, session::now())
    })
}

/// Explains somebody in the middle, who has a next level to reach.
fn explain_one(session: &Session, clock: &Clock, report: &RunReport, output: Output) -> Result<(), Failure> {
    let Some((set, subject)) = in_the_middle(&session.rules, report) else {
        return Ok(());
    };
    output.line("")?;
    explain::print(session, clock, &report.evaluation, subject, set, output)
}

/// A tier set (by index) and the first subject in it who is neither at its top nor at its bottom.
fn in_the_middle(rules: &RuleSet, report: &RunReport) -> Option<(usize, usize)> {
    let sets = &report.evaluation.sets;
    let set = sets.iter().position(|result| rules.tier_sets[result.set].name == "value").unwrap_or(0);
    let earned = &sets.get(set)?.graded.earned;
    let top = rules.tier_sets[sets[set].set].levels.len() as u16 - 1;
    let subject = earned.iter().position(|&level| 0 < level && level < top).unwrap_or(0);
    (subject < earned.len()).then_some((set, subject))
}

fn next_steps(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "
Go on in {folder}:
  cd {folder}
  tierd explain 4711            why a customer has its level
  edit rules/value.toml         then: tierd check, tierd run --dry-run, tierd run
  tierd export --set value --attribute name --output csv"
    )
}
