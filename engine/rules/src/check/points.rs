//! Points programs: what earns, spends and takes back points, and how they are lost. Metrics about them are in [`told`].

use tierd_model::{Decimal, MonthDay, Type, Value};

use super::{Checking, catalog::Catalog, window::calendar_unit};
use crate::{
    Booking, BookingKind, Expiry, FactsId, PointsProgram, SubjectId, code,
    expr::{Expr, ExprKind},
    fileset::Location,
    raw::{
        At, Name, RuleFile,
        points::{BookingTable, ExpireAtName, ExpireTable, PointsTable},
        rules::UnitName,
        values::PointsEntry,
    },
};

mod told;

/// More than any scheme has: bounds for time and memory.
const MAX_PROGRAMS: usize = 1_000;
const MAX_BOOKINGS: usize = 1_000;
/// Amounts are 64-bit integers of the smallest unit: with six digits there is room for 9,000,000,000,000 points.
const MAX_DIGITS: u16 = 6;

/// The points programs of all files by name, good ones and others: metrics of the others are silent.
#[derive(Default)]
pub(super) struct Programs(Vec<(String, Option<PointsProgram>)>);

impl Programs {
    /// The good ones; a [`crate::PointsId`] is an index into them where all are good.
    pub(super) fn into_good(self) -> Vec<PointsProgram> {
        self.0.into_iter().filter_map(|(_, program)| program).collect()
    }
}

impl Checking<'_> {
    pub(super) fn programs(&mut self, catalog: &Catalog, files: &[&RuleFile]) -> Programs {
        let tables = files.iter().filter_map(|file| file.points.as_ref()?.value.as_ref()).flat_map(|named| &named.0);
        let mut programs: Vec<_> = self
            .by_name(tables, "points program", MAX_PROGRAMS)
            .into_iter()
            .map(|(name, table)| {
                let program = table.value.as_ref().and_then(|table| self.program(name, table, catalog));
                (name.text.clone(), program)
            })
            .collect();
        programs.sort_by(|a, b| a.0.cmp(&b.0));
        Programs(programs)
    }

    fn program(&mut self, name: &Name, table: &PointsTable, catalog: &Catalog) -> Option<PointsProgram> {
        let explicit = table.subject.as_ref().map(|subject| self.subject_named(subject, catalog));
        let digits = self.digits(table);
        let expiry = self.expiry(table);
        let written = bookings(table);
        if table.earn.as_ref().is_none_or(|earn| earn.value.as_ref().is_some_and(Vec::is_empty)) {
            let help = format!("write `[[points.{}.earn]]` with `from` and `points`", name.text);
            self.error(code::BAD_POINTS, &name.at, "nothing earns these points", help);
            return None;
        }
        if written.len() > MAX_BOOKINGS {
            let headline = format!("there are more than {MAX_BOOKINGS} bookings");
            self.error(code::TOO_MANY, &name.at, headline, "take some out");
            return None;
        }
        let bookings: Vec<_> =
            written.into_iter().map(|(kind, table)| self.booking(kind, table, digits, catalog)).collect();
        let subject = self.program_subject(explicit, &bookings, catalog);
        Some(PointsProgram {
            name: name.text.clone(),
            title: table.title.as_ref().and_then(|title| title.value.clone()),
            subject: subject?,
            digits: digits?,
            bookings: bookings.into_iter().collect::<Option<_>>()?,
            expiry: expiry?,
            at: name.at.clone(),
        })
    }

    fn digits(&mut self, table: &PointsTable) -> Option<u8> {
        let digits = At::value_or(table.digits.as_ref(), 0, |digits| *digits)?;
        if let (Some(written), true) = (&table.digits, digits > MAX_DIGITS) {
            let headline = format!("points have at most {MAX_DIGITS} digits after the point");
            self.error(code::OUT_OF_RANGE, &written.at, headline, "write fewer, or leave it out for whole points");
            return None;
        }
        u8::try_from(digits).ok()
    }

    /// Whose points these are: what is written, and whom the facts are about.
    fn program_subject(
        &mut self,
        explicit: Option<Option<SubjectId>>,
        bookings: &[Option<Booking>],
        catalog: &Catalog,
    ) -> Option<SubjectId> {
        let about = |facts: FactsId| catalog.facts[facts.0].subject;
        let first = bookings.iter().flatten().find_map(|booking| about(booking.facts));
        let subject = explicit.unwrap_or(first)?;
        let mut good = true;
        for booking in bookings.iter().flatten() {
            good &= self.about(booking.facts, subject, &booking.at, catalog);
        }
        good.then_some(subject)
    }

    /// Whether facts are about this subject; reported where they are about another one.
    pub(super) fn about(&mut self, facts: FactsId, subject: SubjectId, at: &Location, catalog: &Catalog) -> bool {
        let entry = &catalog.facts[facts.0];
        let Some(other) = entry.subject.filter(|other| *other != subject) else {
            return entry.subject.is_some();
        };
        let (is, not) = (&catalog.subjects[other.0].name.text, &catalog.subjects[subject.0].name.text);
        let headline = format!("`{}` is about subject `{is}`, not `{not}`", entry.name.text);
        self.error(code::WRONG_SUBJECT, at, headline, "name facts of the same subject");
        false
    }

    fn booking(
        &mut self,
        kind: BookingKind,
        table: &BookingTable,
        digits: Option<u8>,
        catalog: &Catalog,
    ) -> Option<Booking> {
        let facts = self.facts_named(&table.from, catalog)?;
        let filter = self.row_filter(table.r#where.as_ref(), &catalog.facts[facts.0], catalog);
        let points = match table.points.value.as_ref()? {
            PointsEntry::Number(number) => self.fixed_points(number, &table.points.at, digits?),
            PointsEntry::Expression(text) => self.points_expression(text, &table.points.at, facts, catalog),
        };
        Some(Booking {
            kind,
            title: table.title.as_ref().and_then(|title| title.value.clone()),
            facts,
            filter: filter?,
            points: points?,
            at: table.from.at.clone(),
        })
    }

    /// The same number of points for every fact.
    fn fixed_points(&mut self, number: &str, at: &Location, digits: u8) -> Option<Expr> {
        let decimal = Decimal::parse(number);
        let value = decimal.map(|decimal| number.parse().map_or(Value::Decimal(decimal), Value::Integer));
        let books = decimal
            .and_then(|decimal| decimal.units.checked_div(tierd_model::pow10(decimal.scale.saturating_sub(digits))));
        if books.is_none_or(|units| units <= 0) {
            let headline = format!("this books no points: they are above 0 and have {digits} digits after the point");
            self.error(code::OUT_OF_RANGE, at, headline, "write a larger number, or `digits`");
            return None;
        }
        value.map(|value| Expr { ty: value.ty(), kind: ExprKind::Literal(value), at: at.clone() })
    }

    fn points_expression(&mut self, text: &str, at: &Location, facts: FactsId, catalog: &Catalog) -> Option<Expr> {
        let node = self.parse(&At { value: Some(text.to_owned()), at: at.clone() })?;
        let points = self.typed_facts(&catalog.facts[facts.0], catalog, |typing| typing.value(&node))?;
        if !points.ty.is_exact() {
            let help = match points.ty {
                Type::Real => "write cast(x as decimal(2))",
                _ => "write a column that holds numbers, or a number for each fact: points = 10",
            };
            let headline = format!("points are an exact number, this is {}", points.ty);
            self.error(code::TYPE_MISMATCH, &points.at, headline, help);
            return None;
        }
        Some(points)
    }

    fn expiry(&mut self, table: &PointsTable) -> Option<Expiry> {
        let Some(written) = &table.expire else {
            return Some(Expiry::Never);
        };
        let expire = written.value.as_ref()?;
        match (&expire.after, &expire.on) {
            (Some(after), None) => {
                let unit = At::value_or(expire.at.as_ref(), None, |at| Some(expire_at(*at)));
                Some(Expiry::After(after.value.as_ref()?.0, unit?))
            }
            (None, Some(_)) => self.clearing(expire),
            (Some(_), Some(on)) => {
                let help = "points are lost a while after they were earned, or all on the same days: write one of them";
                self.error(code::CONFLICTING_KEYS, &on.at, "`on` excludes `after`", help);
                None
            }
            (None, None) => {
                let help =
                    "write { after = \"12 months\" } or { on = [\"12-31\"] }; leave `expire` out where points last";
                self.error(code::BAD_POINTS, &written.at, "when are points lost?", help);
                None
            }
        }
    }

    fn clearing(&mut self, expire: &ExpireTable) -> Option<Expiry> {
        let on = expire.on.as_ref()?;
        if let Some(at) = &expire.at {
            let help = "leave it out: points are lost at the end of the days in `on`";
            self.error(code::CONFLICTING_KEYS, &at.at, "`at` goes with `after` only", help);
            return None;
        }
        let written = on.value.as_ref()?;
        if written.is_empty() {
            self.error(code::EMPTY_VALUE, &on.at, "on which days?", "write on = [\"03-31\", \"09-30\"]");
            return None;
        }
        let mut days: Vec<MonthDay> = vec![];
        for day in written {
            let value = day.value.as_ref()?.0;
            if days.contains(&value) {
                self.error(code::BAD_POINTS, &day.at, format!("`{value}` is here twice"), "leave one of them out");
                return None;
            }
            days.push(value);
        }
        days.sort();
        Some(Expiry::Clearing(days))
    }
}

/// All bookings of a program in the order written.
fn bookings(table: &PointsTable) -> Vec<(BookingKind, &BookingTable)> {
    let kinds =
        [(BookingKind::Earn, &table.earn), (BookingKind::Spend, &table.spend), (BookingKind::Refund, &table.refund)];
    let all = kinds.into_iter().flat_map(|(kind, written)| {
        let tables = written.as_ref().and_then(|written| written.value.as_ref()).into_iter().flatten();
        tables.filter_map(move |table| table.value.as_ref().map(|table| (kind, table)))
    });
    let mut all: Vec<_> = all.collect();
    all.sort_by_key(|(_, table)| table.from.at.range.start);
    all
}

fn expire_at(name: ExpireAtName) -> tierd_model::CalendarUnit {
    calendar_unit(match name {
        ExpireAtName::Month => UnitName::Month,
        ExpireAtName::Quarter => UnitName::Quarter,
        ExpireAtName::Year => UnitName::Year,
    })
}
