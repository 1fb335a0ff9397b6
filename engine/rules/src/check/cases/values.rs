//! Constants of test files as values of a type.

use tierd_model::{CalendarSpan, Decimal, Key, KeyType, Timestamp, Type, Value, parse_date, parse_timestamp};

use super::CaseChecking;
use crate::{
    SubjectId,
    check::constant::{constant_of, example},
    code,
    raw::{At, values::Constant},
};

impl CaseChecking<'_> {
    /// A value of this type; `Some(None)` for NULL. `what` names what has the type.
    pub(super) fn value(&mut self, written: &At<Constant>, ty: Type, what: &str) -> Option<Option<Value>> {
        let constant = written.value.as_ref()?;
        if *constant == Constant::Text("null".to_owned()) {
            return Some(None);
        }
        let found = typed(constant, ty, &self.rules.config.zone);
        if found.is_none() {
            let headline = format!("{what} is {ty}, and this is no such value");
            let help = format!("write a value such as {}, or \"null\"", example(ty));
            self.error(code::BAD_VALUE, &written.at, headline, help);
        }
        found.map(Some)
    }

    /// A time: a date means its midnight.
    pub(super) fn time(&mut self, written: &At<Constant>) -> Option<Timestamp> {
        let constant = written.value.as_ref()?;
        let zone = &self.rules.config.zone;
        let found = match constant {
            Constant::Text(text) | Constant::Time(text) => {
                parse_timestamp(text.as_bytes()).map(|time| time.instant(zone))
            }
            Constant::Number(_) | Constant::Bool(_) => None,
        };
        if found.is_none() {
            let help = "write 2026-03-31, 2026-03-31T08:00:00 or 2026-03-31T08:00:00+08:00";
            self.error(code::BAD_VALUE, &written.at, "this is no time", help);
        }
        found
    }

    /// As [`CaseChecking::time`]; `Some(None)` where nothing is written.
    pub(super) fn optional_time(&mut self, written: Option<&At<Constant>>) -> Option<Option<Timestamp>> {
        written.map_or(Some(None), |written| self.time(written).map(Some))
    }

    /// As [`CaseChecking::optional_time`], for an end: a day is over at the midnight after it.
    pub(super) fn optional_end(&mut self, written: Option<&At<Constant>>) -> Option<Option<Timestamp>> {
        let day = written.and_then(|written| match written.value.as_ref()? {
            Constant::Text(text) | Constant::Time(text) => parse_date(text.as_bytes()),
            Constant::Number(_) | Constant::Bool(_) => None,
        });
        match day {
            Some(day) => Some(Some(self.rules.config.zone.midnight(CalendarSpan::days(1).add_to(day)))),
            None => self.optional_time(written),
        }
    }

    /// The key of a subject of this kind.
    pub(super) fn key(&mut self, written: &At<Constant>, subject: SubjectId) -> Option<Key> {
        written.value.as_ref()?;
        let found = self.known_key(written, subject);
        if found.is_none() {
            let (kind, help) = match self.rules.config.subjects[subject.0].key_type {
                KeyType::Integer => ("an integer", "write a whole number"),
                KeyType::Text => ("text", "write it in quotes"),
            };
            let headline = format!("the key of a {} is {kind}", self.rules.config.subjects[subject.0].name);
            self.error(code::BAD_VALUE, &written.at, headline, help);
        }
        found
    }

    /// As [`CaseChecking::key`], with nothing reported.
    pub(super) fn known_key(&self, written: &At<Constant>, subject: SubjectId) -> Option<Key> {
        let ty = self.rules.config.subjects[subject.0].key_type;
        match (written.value.as_ref()?, ty) {
            (Constant::Number(text) | Constant::Text(text), KeyType::Integer) => Key::parse(text, ty),
            (Constant::Text(text), KeyType::Text) => Key::parse(text, ty),
            _ => None,
        }
    }
}

/// Besides what constants of rules may be, exact numbers may stand in quotes.
fn typed(constant: &Constant, ty: Type, zone: &tierd_model::Zone) -> Option<Value> {
    match (constant, ty) {
        (Constant::Text(text), Type::Integer) => text.parse().ok().map(Value::Integer),
        (Constant::Text(text), Type::Decimal(scale)) => Decimal::parse(text)?.rescale_exact(scale).map(Value::Decimal),
        _ => constant_of(constant, ty, zone),
    }
}
