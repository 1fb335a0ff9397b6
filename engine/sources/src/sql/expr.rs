//! Typed expressions as SQL.
//!
//! How values stand in SQL: integers and bools as INTEGER, decimals as INTEGER in their smallest unit, reals as REAL, dates as TEXT
//! `YYYY-MM-DD`, timestamps as INTEGER microseconds since 1970 (UTC), text as TEXT. SQLite's three-valued logic is ours, and its
//! whole-number arithmetic is exact as long as every value fits 64 bits; beyond, SQLite goes over to floating point where tierd
//! goes on exactly to 127 bits and then says NULL. An infinite real is NULL in tierd and stays infinite here.
//!
//! Where SQL differs from what rules mean, the text says so by its form: `least` is an aggregate over its arguments because
//! SQLite's `min(a, b)` is NULL as soon as one is, month arithmetic takes the earlier of two dates because SQLite runs over into
//! the next month, division rounds by hand. Operands that such forms need twice are named in a subquery first.

use tierd_model::{CalendarSpan, Clock, Date, Timestamp, Type, Value, pow10};
use tierd_rules::{ArithOp, CompareOp, Expr, ExprKind};

use super::{
    text::{Binds, Sql, indent, infix, literal},
    zone::{Reach, date_of},
};

/// What the columns of an expression are called, and when it is evaluated.
pub(super) struct Scope<'a> {
    /// The run's time.
    pub(super) clock: &'a Clock,
    /// Quoted names by column index.
    pub(super) columns: Vec<String>,
    /// The column that windows look at, and the instants of it that can matter.
    pub(super) time: Option<(usize, Reach)>,
}

impl Scope<'_> {
    /// This expression over these columns.
    pub(super) fn lower(&self, expr: &Expr) -> Sql {
        if let Some(constant) = self.constant(expr) {
            return value(&constant, expr.ty);
        }
        match &expr.kind {
            // All constants but NULL are written above.
            ExprKind::Literal(_) | ExprKind::AsOf | ExprKind::Today | ExprKind::Null => Sql::whole("NULL"),
            ExprKind::Column(column) => Sql::whole(&self.columns[*column]),
            ExprKind::Not(a) => Sql::new(Binds::Not, format!("NOT {}", self.lower(a).at(Binds::Whole))),
            ExprKind::And(all) => joined(Binds::And, "AND", self.all(all)),
            ExprKind::Or(all) => joined(Binds::Or, "OR", self.all(all)),
            ExprKind::Compare(op, a, b) => compare(*op, &self.lower(a), &self.lower(b)),
            ExprKind::Between { value, low, high, negated } => self.between(value, low, high, *negated),
            ExprKind::In { value, list, negated } => self.within(value, list, *negated),
            ExprKind::IsNull { value, negated } => {
                let is = if *negated { "IS NOT NULL" } else { "IS NULL" };
                Sql::new(Binds::Equality, format!("{} {is}", self.lower(value).at(Binds::Sum)))
            }
            ExprKind::StartsWith { value, prefix, negated } => self.starts_with(value, prefix, *negated),
            ExprKind::Arith(op, a, b) => self.arith(*op, a, b, expr.ty),
            ExprKind::Negate(a) => Sql::new(Binds::Sum, format!("-{}", self.lower(a).at(Binds::Whole))),
            ExprKind::Abs(a) => call("abs", &[self.lower(a)]),
            ExprKind::Floor(a) => whole(&self.lower(a), a.ty, false),
            ExprKind::Ceil(a) => whole(&self.lower(a), a.ty, true),
            ExprKind::Round(a, digits) => round(&self.lower(a), a.ty, *digits),
            ExprKind::Case { whens, otherwise } => self.case(whens, otherwise.as_deref()),
            ExprKind::Coalesce(all) => coalesce(self.all(all)),
            ExprKind::NullIf(a, b) => call("nullif", &[self.lower(a), self.lower(b)]),
            ExprKind::Least(all) => extreme("min", self.all(all)),
            ExprKind::Greatest(all) => extreme("max", self.all(all)),
            ExprKind::AddSpan(a, span) => add_span(&self.lower(a), *span),
            ExprKind::DaysBetween(a, b) => days_between(&self.lower(a), &self.lower(b)),
            ExprKind::DateOf(a) => date_of(self.clock.zone(), self.reach(a), &self.lower(a)),
            ExprKind::Cast(a) => cast(&self.lower(a), a.ty, expr.ty),
        }
    }

    fn all(&self, all: &[Expr]) -> Vec<Sql> {
        all.iter().map(|expr| self.lower(expr)).collect()
    }

    /// Times and dates that stand fixed with the run's time, and numbers that were only widened: a reader wants `'2026-01-01'`.
    fn constant(&self, expr: &Expr) -> Option<Value> {
        match &expr.kind {
            ExprKind::Literal(v) => Some(v.clone()),
            ExprKind::AsOf => Some(Value::Timestamp(self.clock.as_of())),
            ExprKind::Today => Some(Value::Date(self.clock.today())),
            ExprKind::AddSpan(a, span) => match self.constant(a)? {
                Value::Date(date) => Some(Value::Date(span.add_to(date))),
                Value::Timestamp(at) => Some(Value::Timestamp(self.moved(at, *span))),
                _ => None,
            },
            ExprKind::DateOf(a) => match self.constant(a)? {
                Value::Timestamp(at) => Some(Value::Date(self.clock.zone().date_of(at))),
                _ => None,
            },
            ExprKind::Cast(a) => {
                let number = self.constant(a)?.as_decimal()?.rescale_exact(expr.ty.scale()?)?;
                Some(Value::Decimal(number))
            }
            _ => None,
        }
    }

    fn moved(&self, at: Timestamp, span: CalendarSpan) -> Timestamp {
        Clock::new(at, self.clock.zone().clone()).as_of_plus(span)
    }

    /// Which instants of this expression can matter.
    pub(super) fn reach(&self, expr: &Expr) -> Reach {
        match (&expr.kind, self.time) {
            (ExprKind::Column(column), Some((time, reach))) if *column == time => reach,
            _ => Reach::ALL,
        }
    }

    fn between(&self, value: &Expr, low: &Expr, high: &Expr, negated: bool) -> Sql {
        let [value, low, high] = [value, low, high].map(|e| self.lower(e).at(Binds::Sum));
        let not = if negated { "NOT " } else { "" };
        Sql::new(Binds::Equality, format!("{value} {not}BETWEEN {low} AND {high}"))
    }

    fn within(&self, of: &Expr, list: &[Value], negated: bool) -> Sql {
        let list: Vec<String> = list.iter().map(|v| value(v, of.ty).bare().to_owned()).collect();
        let not = if negated { "NOT " } else { "" };
        Sql::new(Binds::Equality, format!("{} {not}IN ({})", self.lower(of).at(Binds::Sum), list.join(", ")))
    }

    /// Not `LIKE`, which ignores case.
    fn starts_with(&self, value: &Expr, prefix: &str, negated: bool) -> Sql {
        let start = format!("substr({}, 1, {})", self.lower(value).bare(), prefix.chars().count());
        compare(if negated { CompareOp::Ne } else { CompareOp::Eq }, &Sql::whole(start), &literal(prefix))
    }

    fn arith(&self, op: ArithOp, a: &Expr, b: &Expr, ty: Type) -> Sql {
        let (left, right) = (self.lower(a), self.lower(b));
        match op {
            ArithOp::Add => infix(Binds::Sum, &left, "+", &right),
            ArithOp::Sub => infix(Binds::Sum, &left, "-", &right),
            ArithOp::Mul => infix(Binds::Product, &left, "*", &right),
            ArithOp::Div => match (a.ty.scale(), b.ty.scale(), ty.scale()) {
                (Some(dividend), Some(divisor), Some(scale)) => {
                    divide(&times(&left, pow10(scale + divisor - dividend)), &right)
                }
                _ => infix(Binds::Product, &left, "/", &right),
            },
        }
    }

    fn case(&self, whens: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Sql {
        let mut parts: Vec<String> = whens
            .iter()
            .map(|(when, then)| format!("WHEN {} THEN {}", self.lower(when).bare(), self.lower(then).bare()))
            .collect();
        parts.extend(otherwise.map(|e| format!("ELSE {}", self.lower(e).bare())));
        let short = parts.iter().map(String::len).sum::<usize>() < 80;
        let text = parts.join(if short { " " } else { "\n" });
        let gap = if short { " " } else { "\n  " };
        Sql::whole(format!("CASE{gap}{} END", indent(&text, 2)))
    }
}

/// A value as a literal of this type.
pub(super) fn value(value: &Value, ty: Type) -> Sql {
    match value {
        Value::Text(text) => literal(text),
        Value::Integer(_) | Value::Decimal(_) => {
            // The checker has proved that the value fits the type's scale.
            let exact = value.as_decimal().map(|d| d.rescale_exact(ty.scale().unwrap_or(d.scale)).unwrap_or(d));
            Sql::integer(exact.map_or(0, |d| d.units))
        }
        Value::Real(real) => Sql::integer(format!("{real:?}")),
        Value::Bool(bool) => Sql::whole(if *bool { "TRUE" } else { "FALSE" }),
        Value::Date(date) => date_literal(*date),
        Value::Timestamp(at) => Sql::new(Binds::Sum, format!("{} /* {at} */", at.0)),
    }
}

/// A date as a text literal.
pub(super) fn date_literal(date: Date) -> Sql {
    literal(&date.to_string())
}

/// `name(a, b, …)`
pub(super) fn call(name: &str, arguments: &[Sql]) -> Sql {
    let arguments: Vec<&str> = arguments.iter().map(Sql::bare).collect();
    Sql::whole(format!("{name}({})", arguments.join(", ")))
}

/// All of them, or any of them: on one line where it is short.
pub(super) fn joined(binds: Binds, word: &str, all: Vec<Sql>) -> Sql {
    if let [one] = &all[..] {
        return one.clone();
    }
    let all: Vec<String> = all.iter().map(|sql| sql.at(binds)).collect();
    let long = all.iter().map(String::len).sum::<usize>() > 90;
    Sql::new(binds, all.join(&format!("{}{word} ", if long { "\n  " } else { " " })))
}

fn compare(op: CompareOp, a: &Sql, b: &Sql) -> Sql {
    let (binds, sign) = match op {
        CompareOp::Eq => (Binds::Equality, "="),
        CompareOp::Ne => (Binds::Equality, "<>"),
        CompareOp::Lt => (Binds::Order, "<"),
        CompareOp::Le => (Binds::Order, "<="),
        CompareOp::Gt => (Binds::Order, ">"),
        CompareOp::Ge => (Binds::Order, ">="),
    };
    infix(binds, a, sign, b)
}

/// SQLite's `coalesce` wants two arguments.
fn coalesce(mut all: Vec<Sql>) -> Sql {
    if all.len() == 1 { all.remove(0) } else { call("coalesce", &all) }
}

/// The least or greatest that isn't NULL.
fn extreme(function: &str, all: Vec<Sql>) -> Sql {
    if let [a, b] = &all[..]
        && a.is_short()
        && b.is_short()
    {
        let both = call(function, &[a.clone(), b.clone()]);
        return call("coalesce", &[both, a.clone(), b.clone()]);
    }
    let rows: Vec<String> = all.iter().map(|row| format!("SELECT {} AS v", row.bare())).collect();
    Sql::whole(format!("(SELECT {function}(v) FROM ({}))", rows.join(" UNION ALL ")))
}

/// `value`, over operands that are named first: written once, computed once.
pub(super) fn scalar(value: &Sql, named: &str) -> Sql {
    let long = value.bare().len() + named.len() > 80 || named.contains('\n');
    let gap = if long { "\n" } else { " " };
    Sql::whole(format!("(SELECT {}{gap}FROM (SELECT {}))", value.bare(), indent(named, 2)))
}

/// `sql * factor`
pub(super) fn times(sql: &Sql, factor: i128) -> Sql {
    if factor == 1 { sql.clone() } else { infix(Binds::Product, sql, "*", &Sql::integer(factor)) }
}

/// The quotient of whole numbers, rounded half away from zero; NULL for a zero divisor.
///
/// SQLite's `/` cuts towards zero, so half of the divisor is added, with the sign of the quotient.
pub(super) fn divide(dividend: &Sql, divisor: &Sql) -> Sql {
    let constant = divisor.bare().parse::<i128>().ok().filter(|d| *d > 0);
    let text = |n: &Sql, d: &Sql| match constant {
        Some(1) => n.clone(),
        Some(d) => {
            let half = format!("CASE WHEN {} < 0 THEN -{} ELSE {} END", n.at(Binds::Sum), d / 2, d / 2);
            Sql::new(Binds::Product, format!("({} + {half}) / {d}", n.at(Binds::Sum)))
        }
        None => {
            let (n, d) = (n.bare(), d.bare());
            let half = format!("CASE WHEN ({n} < 0) = ({d} < 0) THEN {d} / 2 ELSE -{d} / 2 END");
            Sql::new(Binds::Product, format!("({n} + {half}) / {d}"))
        }
    };
    if dividend.is_short() && (constant.is_some() || divisor.is_short()) || constant == Some(1) {
        return text(dividend, divisor);
    }
    let named = text(&Sql::whole("n"), &Sql::whole("d"));
    let d = if constant.is_some() { String::new() } else { format!(", {} AS d", divisor.bare()) };
    scalar(&named, &format!("{} AS n{d}", dividend.bare()))
}

/// An exact number from one scale to another, halves away from zero.
pub(super) fn rescale(sql: &Sql, from: u8, to: u8) -> Sql {
    if to >= from { times(sql, pow10(to - from)) } else { divide(sql, &Sql::integer(pow10(from - to))) }
}

fn round(sql: &Sql, from: Type, digits: u8) -> Sql {
    match from.scale() {
        Some(scale) => rescale(sql, scale, digits),
        None => Sql::whole(format!("round({}, {digits})", sql.bare())),
    }
}

/// The whole number right below or right above. SQLite cuts towards zero, and says 1 for what is true.
fn whole(sql: &Sql, from: Type, above: bool) -> Sql {
    if from.scale() == Some(0) {
        return sql.clone();
    }
    if !sql.is_short() {
        return scalar(&whole(&Sql::whole("n"), from, above), &format!("{} AS n", sql.bare()));
    }
    let n = sql.bare();
    let (cut, over, under) = match from.scale() {
        Some(scale) => {
            let one = pow10(scale);
            (format!("{n} / {one}"), format!("{n} % {one} > 0"), format!("{n} % {one} < 0"))
        }
        None => {
            let cut = format!("CAST({n} AS INTEGER)");
            (cut.clone(), format!("{n} > {cut}"), format!("{n} < {cut}"))
        }
    };
    Sql::new(Binds::Sum, if above { format!("{cut} + ({over})") } else { format!("{cut} - ({under})") })
}

fn cast(sql: &Sql, from: Type, to: Type) -> Sql {
    match (from.scale(), to.scale()) {
        (Some(from), Some(to)) => rescale(sql, from, to),
        (Some(0), None) => Sql::whole(format!("CAST({} AS REAL)", sql.bare())),
        (Some(scale), None) => infix(Binds::Product, sql, "/", &Sql::whole(format!("{}.0", pow10(scale)))),
        // Rounded as a decimal first: 1.115 is a little less than that, and 111.50000000000001 as a product.
        (None, Some(scale)) => {
            let units =
                infix(Binds::Product, &round(sql, from, scale), "*", &Sql::whole(format!("{}.0", pow10(scale))));
            Sql::whole(format!("CAST(round({}) AS INTEGER)", units.bare()))
        }
        (None, None) => sql.clone(),
    }
}

/// The date moved by months, to the last day of a shorter month, then by days.
///
/// SQLite runs over into the next month (31 January and 1 month is 2 or 3 March), so the last day of the month meant is the
/// limit. (`'floor'` does the same from SQLite 3.46 on, and older ones make NULL of it without a word.)
fn add_span(date: &Sql, span: CalendarSpan) -> Sql {
    if !date.is_short() {
        let inner = add_span(&Sql::whole("day"), span);
        return scalar(&inner, &format!("{} AS day", date.bare()));
    }
    let d = date.bare();
    let days = if span.days == 0 { String::new() } else { format!(", '{:+} days'", span.days) };
    if span.months == 0 {
        return Sql::whole(format!("date({d}{days})"));
    }
    let months = span.months;
    let limit = format!("date({d}, 'start of month', '{:+} months', '-1 day')", months + 1);
    let clamped = format!("min(date({d}, '{months:+} months'), {limit})");
    Sql::whole(if days.is_empty() { clamped } else { format!("date({clamped}{days})") })
}

/// Whole days from the first date to the second.
pub(super) fn days_between(from: &Sql, to: &Sql) -> Sql {
    Sql::whole(format!("CAST(julianday({}) - julianday({}) AS INTEGER)", to.bare(), from.bare()))
}
