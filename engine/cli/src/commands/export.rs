//! `tierd export`: the decision table.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io::BufWriter,
    path::Path,
};

use arrow_array::ArrayRef;
use serde_json::Value as Json;
use tierd_daemon::evaluate::{Evaluation, attributes};
use tierd_eval::{columns::value_at, evaluate::SetOutcome};
use tierd_ledger::{ActKind, NO_LEVEL, Override, OverrideFilter, Reader};
use tierd_model::{CalendarSpan, Clock, Date, Key, Timestamp, Type};
use tierd_rules::{Level, Metric, TierSet, TierSetId, retention::Trigger};
use tierd_sources::Keys;

use crate::{
    args::ExportArgs,
    commands::levels::last_run,
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    reading,
    session::{self, Session},
};

/// Evaluates as of the last run, and prints who has which level.
///
/// The levels are those that the ledger holds; the metrics beside them are those of the data as it is now, as of the last run. Where
/// the two no longer agree, a remark says for how many.
pub(crate) fn export(args: &ExportArgs, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    let set = session.tier_set(args.set.as_deref())?;
    let ledger = Reader::open(&session.project.ledger(&session.rules.config));
    let ledger = ledger.map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
    last_run(&ledger)?;
    let columns = Columns::asked_for(args, &session, set, output)?;
    let clock = session.clock_of_last_run(None)?;
    let evaluation = reading::evaluate(&args.reading, &session, &clock, output)?;
    let decisions = Decisions::read(&session, &ledger, &evaluation, set, &clock)?;
    let table = columns.table(&session, &evaluation, &decisions)?;
    decisions.remark_on_changes(output);
    write(args, &table, output)
}

/// What the table shows between the key and the level.
struct Columns {
    attributes: Vec<usize>,
    metrics: Vec<usize>,
    /// Keys of benefits.
    benefits: Vec<String>,
    /// Level indices to show; all where empty.
    levels: Vec<u16>,
    output: Output,
}

impl Columns {
    fn asked_for(args: &ExportArgs, session: &Session, set: &TierSet, output: Output) -> Result<Self, Failure> {
        let rules = &session.rules;
        let subject = &rules.config.subjects[set.subject.0];
        let attribute = |name: &String| {
            let names = || subject.attributes.iter().map(|a| a.name.as_str());
            names().position(|a| a == name).ok_or_else(|| unknown("attribute", name, names()))
        };
        let of_subject = |m: &&Metric| m.subject == set.subject;
        let metric = |name: &String| {
            rules.metric_of(set.subject, name).map(|(id, _)| id.0).ok_or_else(|| {
                unknown("metric", name, rules.metrics.iter().filter(of_subject).map(|m| m.name.as_str()))
            })
        };
        let level = |name: &String| {
            let names = || set.levels.iter().map(|l| l.name.as_str());
            names().position(|l| l == name).map(|l| l as u16).ok_or_else(|| unknown("level", name, names()))
        };
        let benefits = set.levels.iter().flat_map(|level| level.benefits.keys().map(String::as_str));
        let benefits: BTreeSet<&str> = benefits.collect();
        let benefit = |name: &String| match benefits.contains(name.as_str()) {
            true => Ok(name.clone()),
            false => Err(unknown("benefit", name, benefits.iter().copied())),
        };
        let metrics = match args.metrics.as_slice() {
            [] => set.metrics().into_iter().map(|id| id.0).collect(),
            names => names.iter().map(metric).collect::<Result<_, _>>()?,
        };
        Ok(Columns {
            attributes: args.attributes.iter().map(attribute).collect::<Result<_, _>>()?,
            metrics,
            benefits: args.benefits.iter().map(benefit).collect::<Result<_, _>>()?,
            levels: args.levels.iter().map(level).collect::<Result<_, _>>()?,
            output,
        })
    }

    fn table(&self, session: &Session, evaluation: &Evaluation, decisions: &Decisions<'_>) -> Result<Table, Failure> {
        let shown = self.shown(session, evaluation, decisions)?;
        let names = shown.iter().map(|column| column.name.as_str());
        let category = decisions.set.category.as_ref();
        let fixed = ["level", "strategy", "owner", "next_follow_up", "override", "override_until"];
        let fixed = category.map(|_| "category").into_iter().chain(fixed);
        let benefits = self.benefits.iter().map(String::as_str);
        let mut table = Table::new(["key"].into_iter().chain(names).chain(fixed).chain(benefits));
        for (row, &level) in decisions.held.iter().enumerate() {
            if !self.levels.is_empty() && !self.levels.contains(&level) {
                continue;
            }
            let mut cells = vec![key_cell(&decisions.keys.key(row))];
            cells.extend(shown.iter().map(|column| column.cell(row)));
            cells.extend(category.map(|category| Cell::text(&category.value)));
            cells.extend(decisions.cells(row));
            cells.extend(decisions.override_cells(row));
            cells.extend(self.benefits.iter().map(|key| decisions.benefit(row, key)));
            table.push(cells);
        }
        Ok(table)
    }

    fn shown(
        &self,
        session: &Session,
        evaluation: &Evaluation,
        decisions: &Decisions<'_>,
    ) -> Result<Vec<Shown>, Failure> {
        let rules = &session.rules;
        let of = evaluation.source(decisions.result);
        let metrics = &evaluation.subject(decisions.result).metrics;
        let subject = &rules.config.subjects[of.subject.0];
        let read = attributes(&session.project, rules, of, &self.attributes, decisions.clock)
            .map_err(|error| reading::evaluate_failure(&error, rules, self.output))?;
        let mut shown = Vec::new();
        for (&index, values) in self.attributes.iter().zip(read) {
            let attribute = &subject.attributes[index];
            shown.push(Shown { name: attribute.name.clone(), ty: attribute.ty, personal: attribute.personal, values });
        }
        let personal = rules.personal();
        for &index in &self.metrics {
            let metric = &rules.metrics[index];
            // Metrics of this subject are all evaluated; the names were looked up among them.
            if let Some(values) = metrics.columns[index].clone() {
                shown.push(Shown { name: metric.name.clone(), ty: metric.ty, personal: personal[index], values });
            }
        }
        Ok(shown)
    }
}

/// One column of the table.
struct Shown {
    name: String,
    ty: Type,
    personal: bool,
    values: ArrayRef,
}

impl Shown {
    fn cell(&self, row: usize) -> Cell {
        match value_at(&self.values, self.ty, row) {
            Some(value) if self.personal => Cell::text(value.masked()),
            value => Cell::value(value.as_ref()),
        }
    }
}

/// Who holds which level, and since when.
struct Decisions<'a> {
    set: &'a TierSet,
    result: &'a SetOutcome,
    keys: &'a Keys,
    clock: &'a Clock,
    /// By subject, the index of its level.
    held: Vec<u16>,
    /// By subject, the time that its level was given.
    since: Vec<Option<Timestamp>>,
    /// By subject, the last time that a rule followed it up.
    followed_up: HashMap<usize, Timestamp>,
    /// By subject, the last override made that is in force.
    overrides: HashMap<usize, Override>,
}

impl<'a> Decisions<'a> {
    fn read(
        session: &'a Session,
        ledger: &Reader,
        evaluation: &'a Evaluation,
        set: &'a TierSet,
        clock: &'a Clock,
    ) -> Result<Self, Failure> {
        let result =
            evaluation.outcome.sets.iter().find(|result| session.rules.tier_sets[result.set.0].name == set.name);
        let result =
            result.ok_or_else(|| Failure::new(Code::Failed, format!("tier set `{}` has no levels", set.name)))?;
        let keys = &evaluation.source(result).keys;
        let mut held = vec![NO_LEVEL; keys.len()];
        let mut since = vec![None; keys.len()];
        let read = ledger.held_all(&set.name, |row| {
            // Customers who left the data are in the ledger still, and not in this table.
            if let Some(subject) = keys.find(&row.key.to_key()) {
                let level = row.level.and_then(|name| set.levels.iter().position(|level| level.name == name));
                held[subject] = level.map_or(NO_LEVEL, |level| level as u16);
                since[subject] = Some(row.since);
            }
        });
        read.map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
        let followed_up = followed_up(session, ledger, result.set, keys);
        let filter =
            OverrideFilter { set: Some(&set.name), in_force: Some(clock.as_of()), ..OverrideFilter::default() };
        let overrides = ledger.overrides(filter);
        let (followed_up, overrides) = followed_up
            .and_then(|followed_up| Ok((followed_up, overrides?)))
            .map_err(|error| Failure::from_error(Code::Unreachable, &error))?;
        let of_subject = |one: Override| keys.find(&one.key).map(|subject| (subject, one));
        let overrides = overrides.into_iter().filter_map(of_subject).collect();
        Ok(Decisions { set, result, keys, clock, held, since, followed_up, overrides })
    }

    fn level(&self, subject: usize) -> Option<&'a Level> {
        self.set.levels.get(usize::from(self.held[subject]))
    }

    /// Level, strategy, owner, next follow-up.
    fn cells(&self, subject: usize) -> [Cell; 4] {
        let Some(level) = self.level(subject) else {
            return [Cell::Null, Cell::Null, Cell::Null, Cell::Null];
        };
        let text = |key: &str| level.strategy.get(key).and_then(Json::as_str);
        let strategy =
            Cell::Data { text: text("touch").unwrap_or_default().to_owned(), json: level.strategy.clone().into() };
        let since = self.since[subject].map(|since| self.clock.zone().date_of(since));
        let done = self.followed_up.get(&subject).map(|&last| self.clock.zone().date_of(last));
        let next = level.follow_up.zip(since).map(|(every, since)| match done {
            // Where a rule does it, it is due so long after it was done, however late.
            Some(done) => every.add_to(done.max(since)).to_string(),
            None => next_follow_up(since, every, self.clock.today()).to_string(),
        });
        [Cell::text(&level.name), strategy, Cell::optional(text("owner")), Cell::optional(next)]
    }

    /// What the level gives under this key.
    fn benefit(&self, subject: usize, key: &str) -> Cell {
        match self.level(subject).and_then(|level| level.benefits.get(key)) {
            None | Some(Json::Null) => Cell::Null,
            Some(Json::String(text)) => Cell::text(text),
            Some(Json::Number(number)) => Cell::number(number),
            Some(value) => Cell::Data { text: value.to_string(), json: value.clone() },
        }
    }

    /// Why the level is not the rules' own, and until when.
    fn override_cells(&self, subject: usize) -> [Cell; 2] {
        let one = self.overrides.get(&subject);
        let until = one.map(|one| session::local_time(one.expires, self.clock.zone()));
        [Cell::optional(one.map(|one| one.reason.as_str())), Cell::optional(until)]
    }

    fn remark_on_changes(&self, output: Output) {
        let changed = self.held.iter().zip(&self.result.settled.held).filter(|(held, earned)| held != earned).count();
        if changed > 0 {
            output.remark(&format!("data or rules have changed since the last run: {changed} levels would change now"));
        }
    }
}

/// The last action of the rules that follow up levels of a set, by subject.
fn followed_up(
    session: &Session,
    ledger: &Reader,
    set: TierSetId,
    keys: &Keys,
) -> Result<HashMap<usize, Timestamp>, tierd_ledger::Error> {
    let mut last: HashMap<usize, Timestamp> = HashMap::new();
    for rule in session.rules.retention.iter().filter(|rule| rule.trigger == Trigger::FollowUp(set)) {
        for action in ledger.actions(&rule.name)? {
            if let Some(subject) = keys.find(&action.key).filter(|_| action.kind == ActKind::Acted) {
                let last = last.entry(subject).or_insert(action.as_of);
                *last = action.as_of.max(*last);
            }
        }
    }
    Ok(last)
}

/// The first day after `today` that lies a whole number of spans after the level was given.
fn next_follow_up(since: Date, every: CalendarSpan, today: Date) -> Date {
    let days = i64::from(every.months) * 30 + i64::from(every.days);
    // A guess that is at most one span too early, so that old levels cost no long count.
    let passed = (i64::from(today.0) - i64::from(since.0)).max(0);
    let guess = (passed / (days + i64::from(every.months)).max(1) - 1).max(0) as i32;
    (guess..).map(|n| every.times(n).add_to(since)).find(|&day| day > today).unwrap_or(today)
}

fn key_cell(key: &Key) -> Cell {
    match key {
        Key::Integer(key) => Cell::number(key),
        Key::Text(key) => Cell::text(&**key),
    }
}

fn unknown<'a>(what: &str, name: &str, there: impl Iterator<Item = &'a str>) -> Failure {
    Failure::new(Code::Failed, format!("no {what} `{name}`; there is: {}", there.collect::<Vec<_>>().join(", ")))
}

fn write(args: &ExportArgs, table: &Table, output: Output) -> Result<(), Failure> {
    let Some(path) = &args.file else {
        return output.table(table, args.excel);
    };
    let failed =
        |error: std::io::Error| Failure::new(Code::Failed, format!("cannot write {}: {error}", path.display()));
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    table.write(&mut file, output.format, args.excel).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follow_ups_are_whole_spans_after_the_level_was_given() {
        let date = |y, m, d| Date::from_ymd(y, m, d).unwrap();
        let month = CalendarSpan::months(1);
        for (since, every, today, expected) in [
            (date(2026, 1, 31), month, date(2026, 1, 31), date(2026, 2, 28)),
            (date(2026, 1, 31), month, date(2026, 2, 28), date(2026, 3, 31)),
            (date(2016, 1, 31), month, date(2026, 3, 30), date(2026, 3, 31)),
            (date(2020, 2, 29), CalendarSpan::months(12), date(2026, 3, 1), date(2027, 2, 28)),
            (date(2026, 3, 1), CalendarSpan::days(7), date(2026, 3, 8), date(2026, 3, 15)),
            (date(2026, 3, 1), CalendarSpan::days(90), date(2026, 3, 2), date(2026, 5, 30)),
        ] {
            assert_eq!(next_follow_up(since, every, today), expected, "{since} {every} {today}");
        }
    }
}
