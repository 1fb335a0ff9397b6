//! What a column holds: its type and encoding, by declaration, name and sampled values.

use tierd_model::{Decimal, Type, parse_date, parse_timestamp};
use tierd_rules::{AmountEncoding, Encoding, TimeEncoding};

use super::{
    names,
    tables::{Cell, Column},
};

/// What a column is taken for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kind {
    pub(super) ty: Type,
    pub(super) encoding: Encoding,
    /// What a person should know: what else it could be.
    pub(super) comment: Option<String>,
    /// Sampled values that don't fit.
    pub(super) bad: usize,
}

/// Of 10 values 9 must fit.
const ENOUGH: (usize, usize) = (9, 10);
/// 1985 to 2100, in seconds.
const UNIX_SECONDS: std::ops::RangeInclusive<i64> = 473_385_600..=4_102_444_800;
/// 1858 to 2132, in days.
const JULIAN_DAYS: std::ops::RangeInclusive<f64> = 2_400_000.5..=2_500_000.5;

impl Kind {
    fn plain(ty: Type) -> Self {
        Kind { ty, encoding: Encoding::Plain, comment: None, bad: 0 }
    }

    fn time(ty: Type, encoding: TimeEncoding) -> Self {
        Kind { encoding: Encoding::Time(encoding), ..Kind::plain(ty) }
    }

    fn amount(scale: u8, encoding: AmountEncoding) -> Self {
        Kind { encoding: Encoding::Amount(encoding), ..Kind::plain(Type::Decimal(scale)) }
    }

    fn saying(self, comment: impl Into<String>) -> Self {
        Kind { comment: Some(comment.into()), ..self }
    }

    /// A date or a timestamp.
    pub(super) fn is_time(&self) -> bool {
        matches!(self.encoding, Encoding::Time(_))
    }
}

/// What `column` holds, going by `values` (none of them NULL).
///
/// # Errors
/// Why it is left out, in a few words.
pub(super) fn kind(column: &Column, values: &[&Cell]) -> Result<Kind, &'static str> {
    let count = |test: fn(&Cell) -> bool| values.iter().filter(|cell| test(cell)).count();
    let texts = count(|c| matches!(c, Cell::Text(_)));
    let integers = count(|c| matches!(c, Cell::Integer(_)));
    let reals = count(|c| matches!(c, Cell::Real(_)));
    let blobs = count(|c| matches!(c, Cell::Blob));
    if blobs > 0 {
        return Err("BLOB");
    }
    if values.is_empty() {
        return Ok(declared(column));
    }
    if texts == values.len() {
        return Ok(text(column, values));
    }
    if enough(texts, values.len()) {
        let kind = text(column, values);
        return Ok(Kind { bad: kind.bad.max(values.len() - texts), ..kind });
    }
    if !enough(integers + reals, values.len()) {
        return Err("numbers and text mixed");
    }
    let kind = if reals > 0 { real(column, values) } else { integer(column, values) };
    Ok(Kind { bad: kind.bad.max(texts), ..kind })
}

fn enough(fit: usize, all: usize) -> bool {
    fit > 0 && fit * ENOUGH.1 >= all * ENOUGH.0
}

// ── Text ─────────────────────────────────────────────────────────────────────────────────────────────

fn text(column: &Column, values: &[&Cell]) -> Kind {
    let texts: Vec<&str> =
        values.iter().filter_map(|c| if let Cell::Text(t) = c { Some(t.as_str()) } else { None }).collect();
    let fitting = |test: &dyn Fn(&str) -> bool| texts.iter().filter(|t| test(t)).count();
    let dates = fitting(&|t| parse_date(t.as_bytes()).is_some());
    let timestamps = fitting(&|t| parse_timestamp(t.as_bytes()).is_some());
    if enough(timestamps, texts.len()) {
        let ty = if dates == timestamps && !column.declared.contains("TIME") { Type::Date } else { Type::Timestamp };
        let kind = Kind { bad: texts.len() - timestamps, ..Kind::time(ty, TimeEncoding::Iso8601) };
        return utc_default(column, &texts, kind);
    }
    if is_timely(column) {
        let days = fitting(&|t| t.len() == 8 && t.parse().is_ok_and(is_yyyymmdd));
        if enough(days, texts.len()) {
            return Kind { bad: texts.len() - days, ..Kind::time(Type::Date, TimeEncoding::Yyyymmdd) };
        }
        if texts.iter().any(|t| t.bytes().filter(u8::is_ascii_digit).count() >= 4) {
            return Kind::plain(Type::Text).saying(
                "looks like a time in a form that tierd doesn't read: a view can rewrite it as YYYY-MM-DD HH:MM:SS",
            );
        }
    }
    text_amount(column, &texts).unwrap_or_else(|| Kind::plain(Type::Text))
}

/// `CURRENT_TIMESTAMP` writes UTC and doesn't say so.
fn utc_default(column: &Column, texts: &[&str], kind: Kind) -> Kind {
    let says_zone = texts.iter().filter_map(|t| t.get(10..)).any(|rest| rest.contains(['Z', 'z', '+', '-']));
    if column.defaults_to_now && !says_zone && kind.ty == Type::Timestamp {
        return kind.saying("the default CURRENT_TIMESTAMP is UTC without saying so: time_zone must then be \"UTC\"");
    }
    kind
}

fn text_amount(column: &Column, texts: &[&str]) -> Option<Kind> {
    if names::is_identifier(&column.name) || !(is_money(column) || declared_scale(column).is_some()) {
        return None;
    }
    let decimals: Vec<Decimal> = texts.iter().filter_map(|t| Decimal::parse(t)).map(Decimal::normalize).collect();
    let scale = decimals.iter().map(|d| d.scale).max()?.max(2);
    let fits = enough(decimals.len(), texts.len()) && scale <= 6;
    fits.then(|| Kind { bad: texts.len() - decimals.len(), ..Kind::amount(scale, AmountEncoding::Text) })
}

// ── Integers ─────────────────────────────────────────────────────────────────────────────────────────

fn integer(column: &Column, values: &[&Cell]) -> Kind {
    let numbers: Vec<i64> =
        values.iter().filter_map(|c| if let Cell::Integer(i) = c { Some(*i) } else { None }).collect();
    if names::is_identifier(&column.name) {
        return Kind::plain(Type::Integer);
    }
    if let Some(kind) = is_timely(column).then(|| integer_time(column, &numbers)).flatten() {
        return kind;
    }
    let zero_or_one = numbers.iter().all(|n| matches!(n, 0 | 1));
    if zero_or_one && (column.declared.contains("BOOL") || names::is_flag(&column.name)) {
        return Kind::plain(Type::Bool);
    }
    if names::is_minor_unit(&column.name) {
        return Kind::amount(2, AmountEncoding::MinorUnits);
    }
    if let Some(scale) = declared_scale(column) {
        return Kind::amount(scale, AmountEncoding::Real);
    }
    if is_money(column) && !zero_or_one {
        let comment = "whole units; if it counts cents: { type = \"decimal(2)\", encoding = \"minor_units\" }";
        return Kind::plain(Type::Integer).saying(comment);
    }
    Kind::plain(Type::Integer)
}

fn integer_time(column: &Column, numbers: &[i64]) -> Option<Kind> {
    // 0 often stands for "never", and the run takes it for 1970: harmless, as no window reaches back so far.
    let numbers: Vec<i64> = numbers.iter().copied().filter(|n| *n != 0).collect();
    let fitting = |test: &dyn Fn(i64) -> bool| enough(numbers.iter().filter(|n| test(**n)).count(), numbers.len());
    if fitting(&is_yyyymmdd) {
        let bad = numbers.iter().filter(|n| !is_yyyymmdd(**n)).count();
        return Some(Kind { bad, ..Kind::time(Type::Date, TimeEncoding::Yyyymmdd) });
    }
    let ty = if column.declared == "DATE" { Type::Date } else { Type::Timestamp };
    if fitting(&|n| UNIX_SECONDS.contains(&n)) {
        return Some(Kind::time(ty, TimeEncoding::UnixSeconds));
    }
    if fitting(&|n| UNIX_SECONDS.contains(&(n / 1000))) {
        return Some(Kind::time(ty, TimeEncoding::UnixMilliseconds));
    }
    if fitting(&|n| JULIAN_DAYS.contains(&(n as f64))) {
        return Some(Kind::time(Type::Date, TimeEncoding::JulianDay));
    }
    let micros = fitting(&|n| UNIX_SECONDS.contains(&(n / 1_000_000)));
    micros.then(|| {
        Kind::plain(Type::Integer)
            .saying("looks like Unix microseconds, which tierd doesn't read: a view can divide by 1000")
    })
}

fn is_yyyymmdd(n: i64) -> bool {
    let (year, month, day) = (n / 10_000, n / 100 % 100, n % 100);
    (1900..=2100).contains(&year) && tierd_model::Date::from_ymd(year, month as u32, day as u32).is_some()
}

// ── Reals ────────────────────────────────────────────────────────────────────────────────────────────

fn real(column: &Column, values: &[&Cell]) -> Kind {
    let number = |cell: &&Cell| match cell {
        Cell::Real(r) => Some(*r),
        Cell::Integer(i) => Some(*i as f64),
        _ => None,
    };
    let numbers: Vec<f64> = values.iter().filter_map(number).collect();
    if is_timely(column) {
        if numbers.iter().all(|n| JULIAN_DAYS.contains(n)) {
            return Kind::time(Type::Timestamp, TimeEncoding::JulianDay);
        }
        if numbers.iter().all(|n| UNIX_SECONDS.contains(&(*n as i64))) {
            let comment =
                "looks like Unix seconds with a fraction, which tierd doesn't read: a view can cast it to INTEGER";
            return Kind::plain(Type::Real).saying(comment);
        }
    }
    let needed = numbers.iter().map(|n| digits(*n)).collect::<Option<Vec<u8>>>().and_then(|all| all.into_iter().max());
    let wanted = declared_scale(column).or(is_money(column).then_some(2));
    match (wanted, needed) {
        (Some(wanted), Some(needed)) => Kind::amount(wanted.max(needed), AmountEncoding::Real),
        (Some(_), None) => Kind::plain(Type::Real).saying("an amount, but not in whole cents: sums are not exact"),
        (None, _) => Kind::plain(Type::Real),
    }
}

/// Digits after the point that a number needs, up to 4; `None` for more.
fn digits(number: f64) -> Option<u8> {
    (0..=4).find(|scale| {
        let scaled = number * 10f64.powi(i32::from(*scale));
        (scaled - scaled.round()).abs() <= 1e-4
    })
}

// ── Declarations and names ───────────────────────────────────────────────────────────────────────────

/// Nothing but the declaration and the name to go by.
fn declared(column: &Column) -> Kind {
    let (ty, name) = (column.declared.as_str(), column.name.as_str());
    let is = |part: &str| ty.contains(part);
    let empty = "no values yet: the encoding is a guess";
    if is("BOOL") {
        return Kind::plain(Type::Bool);
    }
    if names::is_identifier(name) {
        return Kind::plain(if is("INT") { Type::Integer } else { Type::Text });
    }
    if is_timely(column) {
        let (of, encoding) = match () {
            () if is("INT") => (Type::Timestamp, TimeEncoding::UnixSeconds),
            () if is("REAL") || is("DOUB") || is("FLOA") => (Type::Timestamp, TimeEncoding::JulianDay),
            () if ty == "DATE" => (Type::Date, TimeEncoding::Iso8601),
            () => (Type::Timestamp, TimeEncoding::Iso8601),
        };
        return Kind::time(of, encoding).saying(empty);
    }
    if is("INT") {
        let minor = names::is_minor_unit(name);
        return if minor { Kind::amount(2, AmountEncoding::MinorUnits) } else { Kind::plain(Type::Integer) };
    }
    if let Some(scale) = declared_scale(column) {
        return Kind::amount(scale, AmountEncoding::Real);
    }
    if is("REAL") || is("DOUB") || is("FLOA") {
        return if is_money(column) {
            Kind::amount(2, AmountEncoding::Real).saying(empty)
        } else {
            Kind::plain(Type::Real)
        };
    }
    Kind::plain(Type::Text)
}

/// Named or declared as a date or time.
fn is_timely(column: &Column) -> bool {
    column.declared.contains("DATE") || column.declared.contains("TIME") || names::is_time(&column.name)
}

fn is_money(column: &Column) -> bool {
    names::money_rank(&column.name).is_some()
}

/// The digits after the point of `DECIMAL(10,2)`; 2 for `MONEY`.
fn declared_scale(column: &Column) -> Option<u8> {
    let ty = &column.declared;
    if ty.contains("MONEY") || ty.contains("CURRENCY") {
        return Some(2);
    }
    if !(ty.starts_with("DEC") || ty.starts_with("NUM")) {
        return None;
    }
    let (_, arguments) = ty.split_once('(')?;
    let (_, scale) = arguments.trim_end_matches(')').split_once(',')?;
    scale.trim().parse().ok().filter(|scale| (1..=9).contains(scale))
}

#[cfg(test)]
mod tests {
    use super::super::toml_text;
    use super::*;

    fn int(values: &[i64]) -> Vec<Cell> {
        values.iter().map(|v| Cell::Integer(*v)).collect()
    }

    fn reals(values: &[f64]) -> Vec<Cell> {
        values.iter().map(|v| Cell::Real(*v)).collect()
    }

    fn texts(values: &[&str]) -> Vec<Cell> {
        values.iter().map(|v| Cell::Text((*v).to_owned())).collect()
    }

    fn found(name: &str, declared: &str, values: &[Cell]) -> Result<Kind, &'static str> {
        let column = Column { name: name.to_owned(), declared: declared.to_owned(), defaults_to_now: false };
        kind(&column, &values.iter().collect::<Vec<_>>())
    }

    /// The type and encoding, as `tierd.toml` would have them.
    fn check(name: &str, declared: &str, values: Vec<Cell>, expected: &str) {
        let shown = found(name, declared, &values).map(|kind| toml_text::column(kind.ty, kind.encoding, false, None));
        let shown = match shown {
            Ok(text) => text.replace("{ type = ", "").replace(", encoding =", "").replace([' ', '"', '}'], " "),
            Err(why) => format!("left out: {why}"),
        };
        assert_eq!(shown.split_whitespace().collect::<Vec<_>>().join(" "), expected, "{name} {declared} {values:?}");
    }

    #[test]
    fn times_by_value_and_name() {
        check("joined", "TEXT", texts(&["2024-02-29"]), "date iso8601");
        check("joined", "DATETIME", texts(&["2024-02-29"]), "timestamp iso8601");
        check("x", "", texts(&["2024-02-29", "2024-02-29T10:00:00Z"]), "timestamp iso8601");
        check("order_date", "INTEGER", int(&[20_240_229, 20_231_231]), "date yyyymmdd");
        check("order_date", "TEXT", texts(&["20240229"]), "date yyyymmdd");
        check("ts", "INTEGER", int(&[1_700_000_000]), "timestamp unix_seconds");
        check("ts", "INTEGER", int(&[0, 1_700_000_000]), "timestamp unix_seconds");
        check("ts", "INTEGER", int(&[1_700_000_000_000]), "timestamp unix_milliseconds");
        check("ts", "INTEGER", int(&[1_700_000_000_000_000]), "integer");
        check("booked_on", "REAL", reals(&[2_460_000.25]), "timestamp julian_day");
        check("ts", "REAL", reals(&[1_700_000_000.5]), "real");
        check("visits", "INTEGER", int(&[1_700_000_000]), "integer");
        check("day", "INTEGER", int(&[1, 31]), "integer");
        check("order_date", "TEXT", texts(&["31.12.2024", "1.1.2025"]), "text");
    }

    #[test]
    fn amounts_by_value_and_name() {
        check("amount_cents", "INTEGER", int(&[1999]), "decimal(2) minor_units");
        check("amount", "INTEGER", int(&[1999]), "integer");
        check("amount", "REAL", reals(&[19.99, 20.0]), "decimal(2) real");
        check("amount", "REAL", reals(&[19.9975]), "decimal(4) real");
        check("amount", "REAL", reals(&[0.123_456_7]), "real");
        check("weight", "REAL", reals(&[19.99]), "real");
        check("x", "DECIMAL(10,3)", reals(&[19.99]), "decimal(3) real");
        check("x", "DECIMAL(10,2)", int(&[20]), "decimal(2) real");
        check("amount", "TEXT", texts(&["19.990", "20"]), "decimal(2) text");
        check("amount", "TEXT", texts(&["19.9901"]), "decimal(4) text");
        check("amount", "TEXT", texts(&["many", "few"]), "text");
        check("order_no", "TEXT", texts(&["19.99"]), "text");
    }

    #[test]
    fn flags_numbers_and_the_rest() {
        check("is_active", "INTEGER", int(&[0, 1]), "bool");
        check("x", "BOOLEAN", int(&[0, 1]), "bool");
        check("x", "BOOLEAN", int(&[0, 2]), "integer");
        check("level", "INTEGER", int(&[0, 1]), "integer");
        check("photo", "BLOB", vec![Cell::Blob], "left out: BLOB");
        check("x", "", vec![Cell::Integer(1), Cell::Text("a".into())], "left out: numbers and text mixed");
        check("x", "DATE", vec![], "date iso8601");
        check("amount", "REAL", vec![], "decimal(2) real");
        check("customer_id", "", vec![], "text");
    }

    #[test]
    fn few_values_that_do_not_fit_are_counted() {
        let mut days = texts(&["2024-02-29"; 19]);
        days.push(Cell::Text("n/a".into()));
        assert_eq!(found("day", "TEXT", &days).map(|kind| (kind.ty, kind.bad)), Ok((Type::Date, 1)));
        let mut counts = int(&[7; 19]);
        counts.push(Cell::Text("seven".into()));
        assert_eq!(found("count", "INTEGER", &counts).map(|kind| (kind.ty, kind.bad)), Ok((Type::Integer, 1)));
    }

    #[test]
    fn utc_defaults_are_told() {
        let column = Column { name: "at".to_owned(), declared: "TEXT".to_owned(), defaults_to_now: true };
        let said = |text: &str| kind(&column, &[&Cell::Text(text.to_owned())]).unwrap().comment.is_some();
        assert!(said("2024-02-29 10:00:00"));
        assert!(!said("2024-02-29 10:00:00Z"));
        assert!(!said("2024-02-29 10:00:00+08:00"));
    }
}
