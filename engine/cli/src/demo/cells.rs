//! The values of one row.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::Value;
use tierd_model::{CalendarSpan, Date};

use super::{
    amount::Amount,
    events::{Event, LocalSecond},
    people,
    profile::{Column, Make},
    random::Random,
    subjects::{Subject, Subjects},
};

/// For each table and figure that members are distributed by: the sums up to each row.
pub(super) type Weights = HashMap<(String, String), Vec<u64>>;

/// What the values of a row are made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// Its own id.
    pub(super) id: u32,
    pub(super) subjects: &'a Subjects<'a>,
    /// The subject that it is, or is about.
    pub(super) subject: &'a Subject,
    /// What happened, in dated rows.
    pub(super) event: Option<Event>,
    pub(super) today: Date,
    pub(super) weights: &'a Weights,
}

impl Row<'_> {
    /// The row's value in a column.
    pub(super) fn cell(&self, column: &Column, random: &mut Random) -> Value {
        if column.null > 0 && random.chance(column.null) {
            return Value::Null;
        }
        self.make(&column.make, random)
    }

    fn make(&self, make: &Make, random: &mut Random) -> Value {
        match make {
            Make::Id => Value::Integer(self.id.into()),
            Make::About => Value::Integer(self.event.map_or(self.id, |event| event.subject).into()),
            Make::Time => Value::Text(self.at().text()),
            Make::Date => Value::Text(self.at().date().to_string()),
            Make::Yyyymmdd => Value::Integer(yyyymmdd(self.at().date())),
            Make::Person => Value::Text(people::name(random)),
            Make::City => Value::Text(people::city(random).to_owned()),
            Make::Company(endings) => Value::Text(people::company(random, endings)),
            Make::Body(endings) => Value::Text(people::body(random, endings)),
            Make::Number(amount) => Value::Integer(self.draw(amount, random)),
            Make::Hundredths(amount) => Value::Real(self.draw(amount, random) as f64 / 100.0),
            Make::DecimalText(amount) => Value::Text(two_digits(self.draw(amount, random))),
            Make::Chance(amount) => {
                let percent = u32::try_from(self.draw(amount, random)).unwrap_or(0);
                Value::Integer(random.chance(percent).into())
            }
            Make::Choice(weights) => choice(weights, random),
            Make::DaysAgo(amount) => self.day(-self.draw(amount, random)),
            Make::DaysAhead(amount) => self.day(self.draw(amount, random)),
            Make::Born([youngest, oldest]) => self.born(random.between(*youngest, *oldest), random),
            Make::Member { of, weight } => member(self.weights.get(&(of.clone(), weight.clone())), random),
            Make::ByKind(makes) => {
                let kind = &self.subjects.kind(self.subject).name;
                makes.get(kind).or_else(|| makes.get("else")).map_or(Value::Null, |make| self.make(make, random))
            }
        }
    }

    /// When it happened; rows that don't happen have the first second of the last day.
    fn at(&self) -> LocalSecond {
        self.event.map_or(LocalSecond(i64::from(self.today.0 - 1) * 86_400), |event| event.at)
    }

    fn draw(&self, amount: &Amount, random: &mut Random) -> i64 {
        amount.draw(random, |name| self.subject.figures[self.subjects.table.figure(name)])
    }

    fn day(&self, days: i64) -> Value {
        let days = i32::try_from(days).unwrap_or(0);
        Value::Text(Date(self.today.0 + days).to_string())
    }

    fn born(&self, age: u32, random: &mut Random) -> Value {
        let birthday = CalendarSpan::months(-12 * age as i32).add_to(self.today);
        Value::Text(Date(birthday.0 - random.between(0, 364) as i32).to_string())
    }
}

fn yyyymmdd(date: Date) -> i64 {
    let (year, month, day) = date.ymd();
    year * 10_000 + i64::from(month) * 100 + i64::from(day)
}

/// 1999 as `19.99`.
fn two_digits(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", number.unsigned_abs() / 100, number.unsigned_abs() % 100)
}

/// Numbers among the choices become numbers by the affinity of their column.
fn choice(weights: &BTreeMap<String, u32>, random: &mut Random) -> Value {
    let at = random.weighted(weights.values().copied());
    weights.keys().nth(at).map_or(Value::Null, |text| Value::Text(text.clone()))
}

fn member(totals: Option<&Vec<u64>>, random: &mut Random) -> Value {
    let Some((totals, last)) = totals.and_then(|totals| totals.last().map(|last| (totals, *last))) else {
        return Value::Null;
    };
    let last = i64::try_from(last).unwrap_or(i64::MAX);
    let at = random.within(0, last.saturating_sub(1)) as u64;
    let place = totals.partition_point(|&total| total <= at);
    Value::Integer(place as i64 + 1)
}
