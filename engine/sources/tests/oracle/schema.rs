//! Random tables: who is graded, one or two fact tables, and how their columns are stored.

use std::sync::Arc;

use tierd_model::{
    CalendarSpan, CalendarUnit, Clock, MICROS, MonthDay, Timestamp, Type, Window, WindowKind, Zone, parse_timestamp,
    pow10,
};

use tierd_rules::is_usable_name;

use crate::{cells::MOST_WHOLES, choices::Choices, expression::Item};

/// Rows of one fact table at most: what bounds of sums reckon with.
pub(crate) const MOST_ROWS: usize = 60;

/// Zones with and without daylight saving, with odd offsets, one whose midnight is skipped, and one that skipped a whole day.
const ZONES: [&str; 8] = [
    "UTC",
    "Asia/Shanghai",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
    "Pacific/Apia",
];

/// Runs at month ends, leap days, midnights, in gaps and overlaps.
const RUNS: [&str; 13] = [
    "2024-07-15T12:00:00",
    "2024-02-29T12:00:00",
    "2025-02-28T23:59:59.999999",
    "2024-03-31T02:30:00",
    "2024-10-27T02:30:00",
    "2024-03-10T02:30:00",
    "2024-11-03T01:30:00",
    "2024-01-01T00:00:00",
    "2024-12-31T23:59:59",
    "2026-05-31T00:00:00.000001",
    "2000-03-01T00:00:00",
    "2024-09-08T00:30:00",
    "2012-02-29T12:00:00",
];

/// A column as rules see it and as it is stored.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) stored: String,
    pub(crate) ty: Type,
    pub(crate) encoding: Option<&'static str>,
    pub(crate) declared: &'static str,
    /// Integers up to the ends of 64 bits: compared and ranked, not computed with.
    pub(crate) huge: bool,
    /// Whether it names the subject's group.
    pub(crate) is_parent: bool,
}

impl Column {
    /// The column in expressions.
    pub(crate) fn item(&self) -> Item {
        let most = match self.ty {
            Type::Integer if self.huge => 1 << 63,
            ty => MOST_WHOLES * pow10(ty.scale().unwrap_or(0)).unsigned_abs(),
        };
        Item { text: self.name.clone(), ty: self.ty, most, eighths: self.ty == Type::Real }
    }
}

/// How a table stands in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Rowids,
    WithoutRowids,
    View,
}

pub(crate) struct Table {
    /// Index into [`Schema::subjects`] of those whom its rows are about.
    pub(crate) kind: usize,
    /// In rules.
    pub(crate) name: &'static str,
    /// In the database.
    pub(crate) table: &'static str,
    pub(crate) layout: Layout,
    /// The key, or the facts' column of it.
    pub(crate) key: &'static str,
    pub(crate) key_declared: &'static str,
    pub(crate) columns: Vec<Column>,
}

pub(crate) struct Schema {
    pub(crate) clock: Clock,
    /// Those who are graded, and in most cases the groups that they belong to.
    pub(crate) subjects: Vec<Table>,
    /// Whether their keys are text.
    pub(crate) text_keys: Vec<bool>,
    pub(crate) facts: Vec<Table>,
    /// Instants at which something happens: window ends, changes of the clock, and right beside them.
    pub(crate) edges: Vec<i64>,
}

impl Schema {
    pub(crate) fn random(choices: &mut Choices<'_>) -> Self {
        let zone = Arc::new(Zone::new(choices.pick(&ZONES)).expect("a zone"));
        let written = parse_timestamp(choices.pick(&RUNS).as_bytes()).expect("a time");
        let clock = Clock::new(written.instant(&zone), zone);
        let kinds = 1 + usize::from(choices.chance(70));
        let text_keys: Vec<bool> = (0..kinds).map(|_| choices.chance(40)).collect();
        let edges = edges(&clock);
        let names = [("orders", "orders"), ("visits", "visit \"log\"")];
        let tables = 1 + usize::from(choices.chance(60));
        let facts = (0..tables).map(|i| {
            let kind = if i > 0 && choices.chance(40) { kinds - 1 } else { 0 };
            facts(choices, names[i], kind, text_keys[kind])
        });
        let facts = facts.collect();
        let subjects = (0..kinds).map(|kind| subject(choices, kind, &text_keys)).collect();
        Schema { subjects, clock, text_keys, facts, edges }
    }

    pub(crate) fn zone(&self) -> &Zone {
        self.clock.zone()
    }
}

fn subject(choices: &mut Choices<'_>, kind: usize, text_keys: &[bool]) -> Table {
    let layout = layout(choices);
    let key_declared = key_declared(choices, text_keys[kind]);
    if kind > 0 {
        let columns = columns(choices, Vec::new(), 'b');
        return Table { kind, name: "account", table: "accounts", layout, key: "code", key_declared, columns };
    }
    let table = choices.pick(&["customers", "customer", "our 'best' ones"]);
    let parent = text_keys.get(1).map(|text| parent(choices, *text));
    let columns = columns(choices, parent.into_iter().collect(), 'a');
    Table { kind, name: "customer", table, layout, key: "id", key_declared, columns }
}

/// The column that names a subject's group.
fn parent(choices: &mut Choices<'_>, text: bool) -> Column {
    let ty = if text { Type::Text } else { Type::Integer };
    let (name, declared) = ("belongs_to".to_owned(), key_declared(choices, text));
    Column { stored: name.clone(), name, ty, encoding: None, declared, huge: !text, is_parent: true }
}

fn facts(choices: &mut Choices<'_>, (name, table): (&'static str, &'static str), kind: usize, text: bool) -> Table {
    let layout = layout(choices);
    let time = time_column(choices);
    let columns = columns(choices, vec![time], 'c');
    let key = choices.pick(&["customer_id", "customer_nr", "who \"exactly\""]);
    Table { kind, name, table, layout, key, key_declared: key_declared(choices, text), columns }
}

/// Names that the lowered SQL has for its own purposes.
pub(crate) const NASTY: [&str; 20] = [
    "n", "d", "t", "v", "local", "day", "nth", "level", "key", "tail", "units", "metrics", "orders", "customer",
    "zone", "at", "account", "years", "whose", "gap",
];

/// More columns, of any type, after those that are there.
fn columns(choices: &mut Choices<'_>, mut columns: Vec<Column>, letter: char) -> Vec<Column> {
    for i in 0..choices.below(6) {
        let mut column = column(choices, format!("{letter}{i}"));
        // The table's own names are another matter than those in rules.
        for name in [&mut column.name, &mut column.stored] {
            let nasty = choices.pick(&NASTY);
            let taken = columns.iter().any(|c| [c.name.as_str(), c.stored.as_str()].contains(&nasty));
            if choices.chance(15) && !taken && is_usable_name(nasty) {
                nasty.clone_into(name);
            }
        }
        columns.push(column);
    }
    columns
}

fn layout(choices: &mut Choices<'_>) -> Layout {
    choices.pick(&[Layout::Rowids, Layout::Rowids, Layout::Rowids, Layout::WithoutRowids, Layout::View])
}

fn key_declared(choices: &mut Choices<'_>, text: bool) -> &'static str {
    match text {
        true => choices.pick(&["TEXT", "TEXT COLLATE NOCASE", ""]),
        false => choices.pick(&["INTEGER", "", "NUMERIC"]),
    }
}

fn time_column(choices: &mut Choices<'_>) -> Column {
    let ty = choices.pick(&[Type::Timestamp, Type::Timestamp, Type::Date]);
    stored_as(choices, "happened_at".to_owned(), ty)
}

fn column(choices: &mut Choices<'_>, name: String) -> Column {
    let ty = choices.pick(&[
        Type::Decimal(2),
        Type::Integer,
        Type::Text,
        Type::Real,
        Type::Bool,
        Type::Date,
        Type::Timestamp,
        Type::Decimal(0),
        Type::Decimal(4),
    ]);
    stored_as(choices, name, ty)
}

fn stored_as(choices: &mut Choices<'_>, name: String, ty: Type) -> Column {
    let encoding = match ty {
        Type::Decimal(_) => Some(choices.pick(&["minor_units", "real", "text"])),
        Type::Date | Type::Timestamp => {
            Some(choices.pick(&["iso8601", "unix_seconds", "unix_milliseconds", "yyyymmdd", "julian_day"]))
        }
        _ => None,
    };
    let text = ty == Type::Text || matches!(encoding, Some("text" | "iso8601"));
    // Without a declared type a column keeps whatever is put into it; a declared one converts what it can.
    let declared = match text {
        true => choices.pick(&["", "", "TEXT", "TEXT COLLATE NOCASE"]),
        false => choices.pick(&["", "", "", "INTEGER", "REAL", "NUMERIC"]),
    };
    let stored = if choices.chance(30) { format!("{name} \"x\"") } else { name.clone() };
    let huge = choices.chance(10);
    Column { name, stored, ty, encoding, declared, huge, is_parent: false }
}

/// Every window that metrics use, with its text.
pub(crate) fn windows() -> Vec<(&'static str, WindowKind)> {
    use CalendarUnit as Unit;
    let last = |months, days| WindowKind::Last(CalendarSpan { months, days });
    let program_year = |day| WindowKind::ProgramYear(MonthDay::parse(day).expect("a day of the year"));
    vec![
        ("last = \"12 months\"", last(12, 0)),
        ("lifetime = true", WindowKind::Lifetime),
        ("last = \"30 days\"", last(0, 30)),
        ("last = \"1 month\"", last(1, 0)),
        ("last = \"1 year 10 days\"", last(12, 10)),
        ("calendar = \"year\"", WindowKind::Calendar(Unit::Year)),
        ("calendar = \"quarter\"", WindowKind::Calendar(Unit::Quarter)),
        ("calendar = \"month\"", WindowKind::Calendar(Unit::Month)),
        ("previous = \"year\"", WindowKind::Previous(Unit::Year)),
        ("previous = \"quarter\"", WindowKind::Previous(Unit::Quarter)),
        ("previous = \"month\"", WindowKind::Previous(Unit::Month)),
        ("program_year = \"04-01\"", program_year("04-01")),
        ("program_year = \"02-29\"", program_year("02-29")),
        ("program_year = \"12-31\"", program_year("12-31")),
    ]
}

fn edges(clock: &Clock) -> Vec<i64> {
    let mut edges = vec![clock.as_of().0];
    for (_, kind) in windows() {
        for offset in 0..3 {
            let window = Window { kind, offset }.resolve(clock);
            edges.extend([window.start.0, window.end.0].iter().filter(|at| **at > i64::MIN));
        }
    }
    // Anniversaries of all these days.
    for i in 0..edges.len() {
        let day = clock.zone().date_of(Timestamp(edges[i]));
        let years = [-24, -12, 12].map(|months| CalendarSpan::months(months).add_to(day));
        edges.extend(years.map(|day| clock.zone().midnight(day).0));
    }
    let year = 400 * 86_400 * MICROS;
    let near = |at: i64| (at - clock.as_of().0).abs() < year;
    edges.extend(clock.zone().instant_offsets().map(|(start, _)| start).filter(|at| *at > i64::MIN && near(*at)));
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The local time of an instant as ISO text, with a blank.
pub(crate) fn local_text(zone: &Zone, at: i64) -> String {
    let text = Timestamp(zone.to_civil(at)).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}
