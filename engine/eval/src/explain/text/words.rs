//! Values, tests and gaps in words.

use serde_json::{Map, Value as Json};
use tierd_model::{Clock, DAY_MICROS, Date, Decimal, Instants, MICROS, Per, Timestamp, Value, Window, WindowKind};
use tierd_rules::{CompareOp, RankKind, Standing};

use super::super::{
    clauses::{Side, Test},
    missing::{Difference, Gap, Needed},
    stories::{FactsLine, How, InputLine, Lots, Part},
};
use crate::rank::Bucket;

/// Constants of a list that are written out.
const LISTED: usize = 8;

pub(super) struct Words<'a> {
    pub(super) clock: &'a Clock,
}

impl Words<'_> {
    /// The value of a side, masked if it is personal.
    pub(super) fn value(&self, side: &Side) -> String {
        self.known(side.value.as_ref(), side.personal)
    }

    pub(super) fn known(&self, value: Option<&Value>, personal: bool) -> String {
        match value {
            None => "NULL".to_owned(),
            Some(value) if personal => value.masked(),
            Some(value) => self.shown(value),
        }
    }

    /// As a rule would write it: decimals without needless zeros, text in quotes, instants on the local clock.
    fn shown(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
            Value::Decimal(decimal) => decimal.normalize().to_string(),
            Value::Timestamp(at) => self.local(*at),
            other => other.to_string(),
        }
    }

    /// `2026-03-31 10:00`, with seconds where there are any.
    pub(super) fn local(&self, at: Timestamp) -> String {
        let civil = self.clock.zone().to_civil(at.0);
        let day = Date(civil.div_euclid(DAY_MICROS) as i32);
        let second = civil.rem_euclid(DAY_MICROS) / MICROS;
        let clock = format!("{day} {:02}:{:02}", second / 3600, second / 60 % 60);
        if second % 60 == 0 { clock } else { format!("{clock}:{:02}", second % 60) }
    }

    /// A bound in the rule's words, with its value where the words don't say it.
    fn bound(&self, side: &Side) -> String {
        let value = self.value(side);
        let says_it = side.is_constant() && side.text.contains(&value);
        match side.text.as_str() {
            "" => value,
            text if says_it => text.to_owned(),
            text => format!("{text} (= {value})"),
        }
    }

    fn list(&self, list: &[Value]) -> String {
        let shown: Vec<String> = list.iter().take(LISTED).map(|value| self.shown(value)).collect();
        let more = list.len().saturating_sub(LISTED);
        if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
    }

    /// What a test asks for: `needs >= 10000`, or `must not be >= 10000` under a `not`.
    pub(super) fn asked(&self, test: &Test, wanted: bool) -> String {
        let asked = match test {
            Test::Compare { op, right, .. } => format!("{} {}", op.symbol(), self.bound(right)),
            Test::Between { low, high, negated, .. } => {
                format!("{}between {} and {}", not(*negated), self.bound(low), self.bound(high))
            }
            Test::In { list, negated, .. } => {
                format!("{} of {}", if *negated { "none" } else { "one" }, self.list(list))
            }
            Test::IsNull { negated, .. } => (if *negated { "a value" } else { "NULL" }).to_owned(),
            Test::StartsWith { prefix, negated, .. } => format!("text {}starting with '{prefix}'", not(*negated)),
            Test::Flag(_) => "true".to_owned(),
        };
        format!("{} {asked}", if wanted { "needs" } else { "must not be" })
    }

    /// `2500 short`; empty where that isn't a number, or is personal.
    pub(super) fn shortfall(&self, gap: &Gap) -> String {
        let Some(by) = gap.difference.filter(|_| !gap.actual.personal) else { return String::new() };
        match (by, by.is_zero(), by.is_upwards()) {
            (_, true, _) => "not beyond it".to_owned(),
            (Difference::Days(_) | Difference::Micros(_), _, true) => format!("{} too early", size(by)),
            (Difference::Days(_) | Difference::Micros(_), _, false) => format!("{} too late", size(by)),
            (_, _, true) => format!("{} short", size(by)),
            (_, _, false) => format!("{} too much", size(by)),
        }
    }

    /// What has to change: `annual_spend must rise by 2500 to 10000`.
    pub(super) fn gap(&self, gap: &Gap) -> String {
        let what = &gap.actual.text;
        let by = gap.difference.filter(|_| !gap.actual.personal);
        match (&gap.needed, by) {
            (Needed::Compared(op, bound), Some(by)) => format!("{what} must {}", self.change(*op, by, bound)),
            (Needed::Within(low, high), Some(by)) => {
                let end = if by.is_upwards() { low } else { high };
                format!("{what} must {}", self.change(CompareOp::Eq, by, end))
            }
            (Needed::Flag(flag), _) => format!("{what} must be {flag}"),
            (needed, _) => match gap.actual.value {
                Some(_) => format!("{what} must be {}, and is {}", self.needed(needed), self.value(&gap.actual)),
                None => format!("{what} must be {}, and is unknown (NULL)", self.needed(needed)),
            },
        }
    }

    fn change(&self, op: CompareOp, by: Difference, bound: &Side) -> String {
        let bound = self.bound(bound);
        let verb = match (by, by.is_upwards() || (by.is_zero() && op == CompareOp::Gt)) {
            (Difference::Days(_) | Difference::Micros(_), true) => "move forward",
            (Difference::Days(_) | Difference::Micros(_), false) => "move back",
            (_, true) => "rise",
            (_, false) => "fall",
        };
        match op {
            CompareOp::Gt | CompareOp::Lt if by.is_zero() => format!("{verb} beyond {bound}"),
            CompareOp::Gt | CompareOp::Lt => format!("{verb} by more than {}, beyond {bound}", size(by)),
            _ => format!("{verb} by {} to {bound}", size(by)),
        }
    }

    fn needed(&self, needed: &Needed) -> String {
        match needed {
            Needed::Compared(CompareOp::Eq, bound) => self.bound(bound),
            Needed::Compared(CompareOp::Ne, bound) => format!("anything but {}", self.bound(bound)),
            Needed::Compared(op, bound) => format!("{} {}", op.symbol(), self.bound(bound)),
            Needed::Within(low, high) => format!("between {} and {}", self.bound(low), self.bound(high)),
            Needed::Outside(low, high) => format!("below {} or above {}", self.bound(low), self.bound(high)),
            Needed::OneOf(list) => format!("one of {}", self.list(list)),
            Needed::NoneOf(list) => format!("anything but {}", self.list(list)),
            Needed::StartingWith(prefix) => format!("text starting with '{prefix}'"),
            Needed::NotStartingWith(prefix) => format!("text not starting with '{prefix}'"),
            Needed::Null => "NULL".to_owned(),
            Needed::Known => "known".to_owned(),
            Needed::Flag(flag) => flag.to_string(),
        }
    }

    /// How a metric was found.
    pub(super) fn how(&self, how: &How) -> String {
        match how {
            How::Aggregate { text, from, filter, window, instants, per, .. } => {
                let per = per.map(|per| format!(", per {}", unit(per))).unwrap_or_default();
                format!("{text} of {}{per}", self.rows(from, filter.as_deref(), *window, *instants))
            }
            How::Attribute { name } => format!("attribute {name}"),
            How::Derived { rows, .. } if !rows.is_empty() => format!("sum of {} rows", rows.len()),
            How::Derived { text, .. } => format!("from {text}"),
            How::Lookup { parent, key: Some(key), metric } => format!("{metric} of {parent} {key}"),
            How::Lookup { parent, key: None, metric } => format!("{metric} of the {parent}, of which there is none"),
            How::Rollup { text, members, count, filter } => {
                let s = if *count == 1 { "" } else { "s" };
                match filter {
                    // The number of those that count isn't known here.
                    Some(filter) => format!("{text} of {members}s where {filter}; {count} {members}{s} in all"),
                    None => format!("{text} of {count} {members}{s}"),
                }
            }
            How::Points { text, part, account } => {
                let part = match part {
                    Part::All => String::new(),
                    Part::Booked(window, time) => format!(" {}", self.time(*window, *time)),
                    Part::LostBy(day) => format!(" up to the midnight that begins {day}"),
                };
                let account = account.as_ref().map(|account| format!("; {}", self.account(account)));
                format!("{text}{part}{}", account.unwrap_or_default())
            }
            How::Plugin { plugin, function, config, inputs, facts, failed, .. } => {
                let facts = facts.as_ref().map(|facts| format!(" over {}", self.facts(facts)));
                let of_values = facts.is_none();
                let inputs: Vec<String> = inputs.iter().map(|input| self.input(input, of_values)).collect();
                let given = if inputs.is_empty() { String::new() } else { format!(": {}", inputs.join(", ")) };
                let failed = failed.as_ref().map(|why| format!("; it gave nothing to anybody: {why}"));
                let (facts, failed) = (facts.unwrap_or_default(), failed.unwrap_or_default());
                format!("{function} of plugin {plugin}{}{facts}{given}{failed}", settings(config))
            }
            How::Standing { set, what } => match what {
                Standing::Level => format!("level in {set}"),
                Standing::Was => format!("level in {set} before this run"),
                Standing::Since => format!("day since which the level in {set} was held"),
            },
            How::Rank { of_name, descending, kind, ranked, .. } => {
                let first = if *descending { "largest" } else { "smallest" };
                let what = match kind {
                    RankKind::Rank => "rank".to_owned(),
                    RankKind::Percentile => "percentile".to_owned(),
                    RankKind::Ntile(buckets) => format!("bucket of {buckets}"),
                };
                format!("{what} by {of_name}, {first} first, among {ranked}")
            }
        }
    }

    /// `orders where status = 'paid', from 2025-03-31 00:00 to 2026-03-31 10:00`
    fn rows(&self, from: &str, filter: Option<&str>, window: Window, instants: Option<Instants>) -> String {
        let filter = filter.map(|filter| format!(" where {filter}")).unwrap_or_default();
        let time = match instants {
            None => "in a window without beginning: its date is NULL".to_owned(),
            Some(time) => self.time(window, time),
        };
        format!("{from}{filter}, {time}")
    }

    fn facts(&self, facts: &FactsLine) -> String {
        self.rows(&facts.from, facts.filter.as_deref(), facts.window, facts.instants)
    }

    /// `spend = annual_spend (= 12.5)`, or `spend = 12.5` where the rule says no more; of facts, each row has its own value.
    fn input(&self, input: &InputLine, of_values: bool) -> String {
        let InputLine { name, text, value, personal } = input;
        let value = self.known(value.as_ref(), *personal);
        match of_values {
            true if name == text || *text == value => format!("{name} = {value}"),
            true => format!("{name} = {text} (= {value})"),
            false => format!("{name} = {text}"),
        }
    }

    fn time(&self, window: Window, time: Instants) -> String {
        match window.kind {
            WindowKind::Lifetime => format!("before {}", self.local(time.end)),
            _ => format!("from {} to {}", self.local(time.start), self.local(time.end)),
        }
    }

    /// `balance 120 in 3 lots, of which 20 are lost at 2026-04-01 00:00`
    fn account(&self, account: &Lots) -> String {
        let number = |units: i128| Decimal::new(units, account.balance.scale).normalize().to_string();
        let balance = number(account.balance.units);
        let (lots, s) = (account.lots.len(), if account.lots.len() == 1 { "" } else { "s" });
        let next = account.lots.iter().find_map(|(expires, _)| *expires);
        let lost = account.lots.iter().filter(|(expires, _)| next.is_some() && *expires == next);
        let lost: i128 = lost.map(|(_, points)| points.units).sum();
        match next {
            Some(at) => {
                let (lost, at) = (number(lost), self.local(at));
                format!("balance {balance} in {lots} lot{s}, of which {lost} are lost at {at}")
            }
            None => format!("balance {balance} in {lots} lot{s}"),
        }
    }

    /// A bucket's cut points and how many subjects it holds.
    pub(super) fn bucket(&self, bucket: &Bucket, personal: bool) -> String {
        let [from, to] = [&bucket.from, &bucket.to].map(|value| self.known(Some(value), personal));
        format!("{}: {from} to {to} ({})", bucket.number, bucket.subjects)
    }
}

/// The size of a difference, without its direction.
fn size(by: Difference) -> String {
    let days = |n: i64| if n == 1 { "1 day".to_owned() } else { format!("{n} days") };
    match by {
        Difference::Exact(by) => by.normalize().to_string().trim_start_matches('-').to_owned(),
        Difference::Real(by) => by.abs().to_string(),
        Difference::Days(by) => days(by.saturating_abs()),
        Difference::Micros(by) => {
            let seconds = by.saturating_abs() / MICROS;
            let clock = format!("{}:{:02}:{:02} h", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
            match (seconds / 86_400, seconds % 86_400) {
                (0, _) => clock,
                (n, 0) => days(n),
                (n, _) => format!("{} {clock}", days(n)),
            }
        }
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "not " } else { "" }
}

fn unit(per: Per) -> &'static str {
    match per {
        Per::Day => "day",
        Per::Week => "week",
        Per::Month => "month",
        Per::Year => "year",
    }
}

/// ` with good = 80, fair = 50`; lists and tables are too long for a line, and stand in the rule.
fn settings(config: &Map<String, Json>) -> String {
    let one = |(name, value): (&String, &Json)| match value {
        Json::Array(_) => format!("{name} = […]"),
        Json::Object(_) => format!("{name} = {{…}}"),
        value => format!("{name} = {value}"),
    };
    match config.is_empty() {
        true => String::new(),
        false => format!(" with {}", config.iter().map(one).collect::<Vec<_>>().join(", ")),
    }
}
