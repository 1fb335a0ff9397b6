//! What starts a retention rule: its condition alone, a date, a move, or a follow-up that is due.

use tierd_model::{CalendarSpan, MonthDay, Type};

use super::Ground;
use crate::{
    MetricId, SubjectId, TierSet,
    check::{
        Checking,
        metrics::{Metrics, Use},
    },
    code,
    diagnostic::Diagnostic,
    expr::ExprKind,
    fileset::Location,
    raw::{
        At, Name,
        forms::{Parsed, SpanText},
        retention::{DirectionName, MovedEntry, MovedTable, RetentionTable},
    },
    retention::{DateTrigger, Direction, Trigger},
    syntax::{Node, NodeKind},
};

const NO_SPAN: CalendarSpan = CalendarSpan { months: 0, days: 0 };

/// The tier set that the rule's trigger names.
pub(super) fn set_written(table: &RetentionTable) -> Option<&At<String>> {
    let moved = table.moved.as_ref().and_then(|moved| match moved.value.as_ref()? {
        MovedEntry::Short(_) => None,
        MovedEntry::Long(long) => long.set.as_ref(),
    });
    table.follow_up.as_ref().or(moved)
}

impl Checking<'_> {
    /// Whether the rule says in one way what starts it, and has only keys that go with that.
    pub(super) fn one_trigger(&mut self, name: &Name, table: &RetentionTable) -> bool {
        let kinds = [
            ("on", table.on.as_ref().map(|key| &key.at)),
            ("moved", table.moved.as_ref().map(|key| &key.at)),
            ("follow_up", table.follow_up.as_ref().map(|key| &key.at)),
        ];
        let given: Vec<_> = kinds.into_iter().filter_map(|(key, at)| at.map(|at| (key, at))).collect();
        match (given.as_slice(), &table.r#when) {
            ([], None) => {
                let help = "write `when`, or one of `on`, `moved` and `follow_up`";
                self.error(code::MISSING_WHEN, &name.at, "nothing starts this rule", help);
            }
            ([(first, first_at), (second, second_at), ..], _) => {
                let headline = format!("`{second}` excludes `{first}`");
                let diagnostic = Diagnostic::error(code::CONFLICTING_KEYS, second_at, headline);
                self.out.push(diagnostic.other(first_at, "").help("make two rules of it"));
            }
            _ => {}
        }
        let good = self.keys_of_trigger(table);
        good && given.len() <= 1 && !(given.is_empty() && table.r#when.is_none())
    }

    /// Reports keys that don't go with what starts the rule.
    fn keys_of_trigger(&mut self, table: &RetentionTable) -> bool {
        let mut good = true;
        let dates = [("before", &table.before), ("after", &table.after), ("late", &table.late)];
        for (key, written) in dates {
            if let (Some(written), None) = (written, &table.on) {
                self.error(code::CONFLICTING_KEYS, &written.at, format!("`{key}` goes with `on` only"), "leave it out");
                good = false;
            }
        }
        if let (Some(_), Some(after)) = (&table.before, &table.after) {
            let help = "write `late` for how long after the date the rule may still act";
            self.error(code::CONFLICTING_KEYS, &after.at, "`after` excludes `before`", help);
            good = false;
        }
        let dated = table.on.is_some() || table.follow_up.is_some();
        if let (Some(hold), true) = (&table.r#for, dated) {
            let help = "leave it out; a date is there or isn't";
            self.error(code::CONFLICTING_KEYS, &hold.at, "`for` goes with `when` or `moved` only", help);
            good = false;
        }
        good
    }

    pub(super) fn trigger<'a>(
        &mut self,
        table: &RetentionTable,
        subject: SubjectId,
        ground: &Ground<'a, '_>,
        metrics: &mut Metrics<'a>,
    ) -> Option<Trigger> {
        if let Some(on) = &table.on {
            return self.date(on, table, subject, ground, metrics);
        }
        if let Some(moved) = &table.moved {
            return self.moved(moved, subject, ground);
        }
        let Some(text) = &table.follow_up else {
            return Some(Trigger::State);
        };
        let set = self.set_named(text, Some(subject), ground)?;
        if ground.sets.get(set).levels.iter().all(|level| level.follow_up.is_none()) {
            let headline = "no level of this set asks for follow-ups";
            let help = "write strategy = { every = \"90 days\" } in a level";
            self.error(code::BAD_TRIGGER, &text.at, headline, help);
            return None;
        }
        Some(Trigger::FollowUp(set))
    }

    fn moved(&mut self, written: &At<MovedEntry>, subject: SubjectId, ground: &Ground<'_, '_>) -> Option<Trigger> {
        let none = MovedTable { set: None, direction: None, from: None, to: None };
        let (table, short) = match written.value.as_ref()? {
            MovedEntry::Short(direction) => (&none, Some(*direction)),
            MovedEntry::Long(table) => (table, None),
        };
        let set = match &table.set {
            Some(text) => self.set_named(text, Some(subject), ground)?,
            None => self.only_set(&written.at, subject, ground)?,
        };
        let tier_set = ground.sets.get(set);
        let long = At::value_or(table.direction.as_ref(), DirectionName::Any, |direction| *direction)?;
        let direction = match short.unwrap_or(long) {
            DirectionName::Up => Direction::Up,
            DirectionName::Down => Direction::Down,
            DirectionName::Any => Direction::Any,
        };
        let from = self.levels_named(table.from.as_ref(), tier_set);
        let to = self.levels_named(table.to.as_ref(), tier_set);
        let (from, to) = (from?, to?);
        self.possible(written, tier_set, direction, &from, &to)?;
        Some(Trigger::Moved { set, direction, from, to })
    }

    /// Reports a move that can't happen.
    fn possible(
        &mut self,
        written: &At<MovedEntry>,
        set: &TierSet,
        direction: Direction,
        from: &[u16],
        to: &[u16],
    ) -> Option<()> {
        if direction != Direction::Any && !set.ordered {
            let help = "write \"any\", or `from` and `to`";
            let headline = format!("the levels of `{}` are neither higher nor lower than each other", set.name);
            self.error(code::BAD_TRIGGER, &written.at, headline, help);
            return None;
        }
        let goes = |from: u16, to: u16| match direction {
            Direction::Up => from < to,
            Direction::Down => from > to,
            Direction::Any => from != to,
        };
        let some = from.is_empty() || to.is_empty() || from.iter().any(|from| to.iter().any(|to| goes(*from, *to)));
        if !some {
            let headline = "no level moves like this";
            self.error(code::BAD_TRIGGER, &written.at, headline, "levels are written lowest first in the tier set");
        }
        some.then_some(())
    }

    /// The name of the metric whose date starts the rule.
    pub(super) fn date_use(&self, table: &RetentionTable) -> Option<Use> {
        let on = table.on.as_ref()?;
        match words(on.value.as_ref()?)? {
            Words::Yearly => None,
            Words::Anniversary(name) | Words::On(name) => {
                let start = on.value.as_ref()?.rfind(name)?;
                Some((name.into(), self.place(on, start..start + name.len())))
            }
        }
    }

    fn date<'a>(
        &mut self,
        on: &At<String>,
        table: &RetentionTable,
        subject: SubjectId,
        ground: &Ground<'a, '_>,
        metrics: &mut Metrics<'a>,
    ) -> Option<Trigger> {
        let span = |written: &Option<At<Parsed<SpanText>>>| At::value_or(written.as_ref(), NO_SPAN, |span| span.0);
        let (before, after, late) = (span(&table.before), span(&table.after), span(&table.late));
        let text = on.value.as_ref()?;
        let day = match words(text) {
            Some(Words::Yearly) => self.yearly(text, &on.at),
            Some(Words::Anniversary(_)) => {
                self.date_metric(table, subject, ground, metrics).map(DateTrigger::Anniversary)
            }
            Some(Words::On(_)) => self.date_metric(table, subject, ground, metrics).map(DateTrigger::On),
            None => {
                let help =
                    "write \"anniversary of birthday\", the name of a date, or a day of every year such as \"12-24\"";
                self.error(code::BAD_TRIGGER, &on.at, format!("`{text}` is no date"), help);
                None
            }
        }?;
        let from = plus(before?.negate(), after?);
        let until = plus(after?, late?);
        let yearly = !matches!(day, DateTrigger::On(_));
        if yearly && [from, until].into_iter().any(|span| !within_a_year(span)) {
            let headline = "a day of every year, and an entry more than a year away from it";
            self.error(code::OUT_OF_RANGE, &on.at, headline, "write shorter spans");
            return None;
        }
        Some(Trigger::Date { day, from, until })
    }

    fn yearly(&mut self, text: &str, at: &Location) -> Option<DateTrigger> {
        let day = MonthDay::parse(text.trim());
        let report = |error: tierd_model::MonthDayError| {
            let headline = format!("`{text}` is no day of the year");
            self.error(code::BAD_DAY, at, headline, error.to_string());
        };
        day.map(DateTrigger::Yearly).map_err(report).ok()
    }

    fn date_metric<'a>(
        &mut self,
        table: &RetentionTable,
        subject: SubjectId,
        ground: &Ground<'a, '_>,
        metrics: &mut Metrics<'a>,
    ) -> Option<MetricId> {
        let (name, at) = self.date_use(table)?;
        let node = Node { kind: NodeKind::Name(name.clone()), at: at.clone() };
        self.resolve(&node.names(), subject, ground.catalog, metrics);
        let value = self.typing(ground.catalog, metrics, subject).value(&node)?;
        match (value.kind, value.ty) {
            (ExprKind::Column(metric), Type::Date) => Some(MetricId(metric)),
            (ExprKind::Column(_), Type::Timestamp) => {
                let help = format!("make a date of it: a metric with derived = \"date({name})\"");
                self.error(code::BAD_TRIGGER, &at, format!("`{name}` is a timestamp, not a date"), help);
                None
            }
            (ExprKind::Column(_), ty) => {
                let help = "name a date metric or a date attribute";
                self.error(code::BAD_TRIGGER, &at, format!("`{name}` is {ty}, not a date"), help);
                None
            }
            _ => {
                let help = "write `when` for a rule that may act on any day";
                self.error(code::BAD_TRIGGER, &at, format!("`{name}` is every day"), help);
                None
            }
        }
    }
}

/// What an `on` says, as far as its words go.
enum Words<'t> {
    Anniversary(&'t str),
    On(&'t str),
    Yearly,
}

fn words(on: &str) -> Option<Words<'_>> {
    match on.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["anniversary", "of", name] => Some(Words::Anniversary(name)),
        [day] if day.starts_with(|first: char| first.is_ascii_digit()) => Some(Words::Yearly),
        [name] => Some(Words::On(name)),
        _ => None,
    }
}

/// Whether a span is surely shorter than a year.
fn within_a_year(span: CalendarSpan) -> bool {
    i64::from(span.months).abs() * 31 + i64::from(span.days).abs() < 365
}

/// One span after the other.
fn plus(a: CalendarSpan, b: CalendarSpan) -> CalendarSpan {
    CalendarSpan { months: a.months + b.months, days: a.days + b.days }
}
