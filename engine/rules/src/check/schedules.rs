//! Schedules: those of `tierd.toml`, and those that tier sets and retention rules give in words.

use std::{sync::Arc, time::Duration};

use tierd_model::{MICROS, Recurrence, Timestamp, Zone};

use super::{Checking, allow::allows};
use crate::{
    TierSet, code,
    diagnostic::Diagnostic,
    fileset::Location,
    raw::{
        At, ConfigFile, Name,
        schedule::{MissedName, ScheduleTable, bad_words},
    },
    retention::RetentionRule,
    schedule::{DEFAULT_SCHEDULE, Missed, Schedule, ScheduleId},
    suggest::nearest,
};

/// More than any company has: a bound for time and memory.
const MAX_SCHEDULES: usize = 1_000;

/// All schedules, by their ids.
#[derive(Default)]
pub(super) struct Schedules {
    /// Those of the configuration by name, wrong ones too; then those in words.
    all: Vec<(String, Option<Schedule>)>,
    /// How many of them are of the configuration.
    declared: usize,
}

impl Schedules {
    /// The schedules; their ids stand only if all of them are good, and without that there are no rules.
    pub(super) fn into_good(self) -> Vec<Schedule> {
        self.all.into_iter().filter_map(|(_, schedule)| schedule).collect()
    }

    fn named(&self, name: &str) -> Option<ScheduleId> {
        self.all[..self.declared].iter().position(|(known, _)| known == name).map(ScheduleId)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.all[..self.declared].iter().map(|(name, _)| name.as_str())
    }

    /// The schedule of these words, which all that write the same share.
    fn in_words(&mut self, recurrence: Recurrence, zone: &Arc<Zone>, at: &Location) -> ScheduleId {
        let name = recurrence.to_string();
        let known = self.all[self.declared..].iter().position(|(known, _)| *known == name);
        ScheduleId(
            self.declared
                + known.unwrap_or_else(|| {
                    let schedule = Schedule {
                        name: name.clone(),
                        recurrence: Some(recurrence),
                        zone: zone.clone(),
                        missed: Missed::Latest,
                        deadline: None,
                        jitter: Duration::ZERO,
                        on_change: None,
                        at: at.clone(),
                    };
                    self.all.push((name, Some(schedule)));
                    self.all.len() - 1 - self.declared
                }),
        )
    }
}

impl Checking<'_> {
    /// The schedules of the configuration.
    pub(super) fn schedules_of(&mut self, config: &ConfigFile, zone: &Arc<Zone>) -> Schedules {
        let tables = config.schedule.iter().filter_map(|named| named.value.as_ref()).flat_map(|named| &named.0);
        let tables = self.by_name(tables, "schedule", MAX_SCHEDULES);
        let checked = tables.into_iter().map(|(name, table)| (name.text.clone(), self.schedule(name, table, zone)));
        let mut all: Vec<_> = checked.collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        Schedules { declared: all.len(), all }
    }

    fn schedule(&mut self, name: &Name, table: &At<ScheduleTable>, zone: &Arc<Zone>) -> Option<Schedule> {
        let table = table.value.as_ref()?;
        let zone = match &table.time_zone {
            Some(written) => self.zone(written),
            None => Some(zone.clone()),
        };
        let recurrence = self.recurrence(name, table)?;
        let on_change = At::value_or(table.on_change.as_ref(), None, |quiet| Some(quiet.0));
        let jitter = At::value_or(table.jitter.as_ref(), Duration::ZERO, |jitter| jitter.0);
        let (zone, jitter) = (zone?, jitter?);
        match &recurrence {
            Some(recurrence) => self.comes(recurrence, table, jitter, &zone)?,
            None => self.idle_times(table),
        }
        Some(Schedule {
            name: name.text.clone(),
            recurrence,
            zone,
            missed: At::value_or(table.missed.as_ref(), Missed::Latest, |missed| match missed {
                MissedName::Latest => Missed::Latest,
                MissedName::All => Missed::All,
                MissedName::Skip => Missed::Skip,
            })?,
            deadline: At::value_or(table.deadline.as_ref(), None, |deadline| Some(deadline.0))?,
            jitter,
            on_change: on_change?,
            at: name.at.clone(),
        })
    }

    /// When it comes; `Some(None)` where only a change of the database starts it.
    fn recurrence(&mut self, name: &Name, table: &ScheduleTable) -> Option<Option<Recurrence>> {
        match (&table.every, &table.cron) {
            (Some(every), Some(cron)) => {
                let diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, &cron.at, "`cron` excludes `every`");
                self.out.push(diagnostic.other(&every.at, "").help("say it in one of the two ways"));
                None
            }
            (Some(every), None) => Some(Some(every.value.as_ref()?.0.clone())),
            (None, Some(cron)) => Some(Some(cron.value.as_ref()?.0.clone())),
            (None, None) if table.on_change.is_some() => Some(None),
            (None, None) => {
                let help = "write every = \"daily at 02:15\", a `cron` expression, or on_change = \"30 seconds\"";
                self.error(code::MISSING_KEY, &name.at, "this schedule never comes", help);
                None
            }
        }
    }

    /// Reports a schedule that never comes, or whose jitter reaches beyond the time of the next run.
    fn comes(&mut self, recurrence: &Recurrence, table: &ScheduleTable, jitter: Duration, zone: &Zone) -> Option<()> {
        let first = recurrence.next_after(Timestamp(0), zone);
        let Some(first) = first else {
            if let Some(written) = &table.cron {
                let help =
                    "there is no such day; the fields are minute, hour, day of the month, month, day of the week";
                self.error(code::BAD_SCHEDULE, &written.at, format!("`{recurrence}` never comes"), help);
            }
            return None;
        };
        let next = recurrence.next_after(first, zone).map_or(i64::MAX, |next| (next.0 - first.0) / MICROS);
        if let (Some(written), true) = (&table.jitter, jitter.as_secs() >= next.unsigned_abs()) {
            let headline = "the jitter is no shorter than the time to the next run";
            self.error(code::OUT_OF_RANGE, &written.at, headline, "write a shorter one");
            return None;
        }
        Some(())
    }

    /// Warns of keys that are about times, where there are none.
    fn idle_times(&mut self, table: &ScheduleTable) {
        let keys = [
            ("time_zone", table.time_zone.as_ref().map(|key| &key.at)),
            ("missed", table.missed.as_ref().map(|key| &key.at)),
            ("deadline", table.deadline.as_ref().map(|key| &key.at)),
            ("jitter", table.jitter.as_ref().map(|key| &key.at)),
        ];
        for (key, at) in keys.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))) {
            let headline = format!("`{key}` means nothing where only a change of the database starts a run");
            self.idle(at, &headline, "write `every` or `cron`, or leave it out");
        }
    }

    /// The schedule that a table names or gives in words; without that the default one, if there is any. `None` where it is wrong.
    pub(super) fn schedule_of(&mut self, written: Option<&At<String>>, zone: &Arc<Zone>) -> Option<Option<ScheduleId>> {
        let Some(written) = written else {
            return Some(self.schedules.named(DEFAULT_SCHEDULE));
        };
        let text = self.text(written)?;
        if let Some(found) = self.schedules.named(&text) {
            return Some(Some(found));
        }
        match Recurrence::words(&text) {
            Ok(recurrence) => self.in_words(recurrence, written, zone).map(Some),
            Err(error) => {
                let near = nearest(&text, self.schedules.names());
                let diagnostic = match near {
                    None if text.split_whitespace().nth(1).is_some() => bad_words(&text, &error, &written.at),
                    near => self.unknown_schedule(&text, near.map(str::to_owned), &error, &written.at),
                };
                self.out.push(diagnostic);
                None
            }
        }
    }

    fn in_words(&mut self, recurrence: Recurrence, written: &At<String>, zone: &Arc<Zone>) -> Option<ScheduleId> {
        let words = recurrence.to_string();
        if self.schedules.named(&words).is_some() {
            let headline = format!("these words mean `{words}`, which is the name of another schedule");
            let help = format!("write schedule = \"{words}\" for `[schedule.{words}]`, or give that one another name");
            self.error(code::DUPLICATE_NAME, &written.at, headline, help);
            return None;
        }
        Some(self.schedules.in_words(recurrence, zone, &written.at))
    }

    fn unknown_schedule(
        &self,
        text: &str,
        near: Option<String>,
        error: &tierd_model::RecurrenceError,
        at: &Location,
    ) -> Diagnostic {
        let near_word = error.unknown().and_then(|(word, known)| nearest(word, known.iter().copied()));
        let names: Vec<&str> = self.schedules.names().collect();
        let help = match near.as_deref().or(near_word) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None if names.is_empty() => {
                format!("declare `[schedule.{text}]` in tierd.toml, or write words such as \"daily at 02:15\"")
            }
            None => format!("tierd.toml declares {}; or write words such as \"daily at 02:15\"", names.join(", ")),
        };
        Diagnostic::error(code::UNKNOWN_SCHEDULE, at, format!("no schedule `{text}`")).help(help)
    }

    /// Warns of sets and rules that only runs by hand decide, where others follow schedules.
    pub(super) fn unscheduled(&mut self, tier_sets: &[TierSet], retention: &[RetentionRule]) {
        if self.schedules.all.is_empty() {
            return;
        }
        let sets = tier_sets.iter().filter(|set| set.schedule.is_none() && !allows(&set.allow, code::UNSCHEDULED));
        let sets = sets.map(|set| (set.category.as_ref().map_or(&set.name, |of| &of.set), "tier set", &set.at));
        let rules = retention.iter().filter(|rule| rule.schedule.is_none() && !allows(&rule.allow, code::UNSCHEDULED));
        let rules = rules.map(|rule| (&rule.name, "retention rule", &rule.at));
        for (name, noun, at) in sets.chain(rules) {
            let headline = format!("{noun} `{name}` follows no schedule: only runs by hand decide it");
            let help = "declare `[schedule.default]` in tierd.toml, or give it a `schedule` of its own";
            self.out.push(Diagnostic::warning(code::UNSCHEDULED, at, headline).help(help));
        }
    }
}
