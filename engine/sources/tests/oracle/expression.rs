//! Random expressions of the rule language, typed as the checker types them, and never so large that 64 bits don't hold them:
//! beyond that SQLite goes over to floating point, and says so in the documentation of the lowering.

use tierd_model::{Clock, Type, pow10};

use crate::{cells::TEXTS, choices::Choices, schema::local_text};

/// What every number of a computation stays below.
const LIMIT: u128 = 1 << 61;

/// An expression with what is known of its values.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) text: String,
    pub(crate) ty: Type,
    /// No value is larger in size: units of an exact number, wholes of a real.
    pub(crate) most: u128,
    /// A real that is a multiple of 1/8: its sums are exact.
    pub(crate) eighths: bool,
}

impl Item {
    fn scale(&self) -> u8 {
        self.ty.scale().unwrap_or(0)
    }

    /// The largest value at another scale.
    pub(crate) fn at_scale(&self, scale: u8) -> u128 {
        self.most.saturating_mul(pow10(scale.saturating_sub(self.scale())).unsigned_abs())
    }

    fn is_literal(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
    }
}

/// A tier set whose level conditions may ask for, and its levels, lowest first.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    pub(crate) set: String,
    pub(crate) names: Vec<&'static str>,
    pub(crate) ordered: bool,
}

/// Writes expressions over a scope.
pub(crate) struct Writer<'s, 'c, 'w> {
    pub(crate) scope: &'s [Item],
    pub(crate) levels: &'s [Levels],
    pub(crate) choices: &'c mut Choices<'w>,
    pub(crate) clock: &'s Clock,
}

impl Writer<'_, '_, '_> {
    /// A condition, at most `depth` operators deep.
    pub(crate) fn condition(&mut self, depth: usize) -> String {
        let depth = depth.saturating_sub(1);
        if depth > 0 {
            match self.choices.below(10) {
                0 => return format!("({} and {})", self.condition(depth), self.condition(depth)),
                1 => return format!("({} or {})", self.condition(depth), self.condition(depth)),
                2 => return format!("not {}", self.parenthesized(depth)),
                3 => {
                    let (a, b, c) = (self.condition(depth), self.condition(depth), self.condition(depth));
                    return format!("(case when {a} then {b} else {c} end)");
                }
                4 => return format!("coalesce({}, {})", self.condition(depth), self.condition(depth)),
                5 => return format!("nullif({}, {})", self.condition(depth), self.condition(depth)),
                _ => {}
            }
        }
        let ty = self.column_of(|_| true).map_or(Type::Integer, |item| item.ty);
        match ty {
            _ if self.choices.chance(8) => self.is_null(),
            _ if !self.levels.is_empty() && self.choices.chance(15) => self.level(),
            Type::Real => self.real_comparison(depth),
            Type::Date => self.date_comparison(depth),
            Type::Timestamp if self.choices.chance(40) => self.date_comparison(depth),
            Type::Timestamp => self.timestamp_comparison(depth),
            Type::Text => self.text_condition(),
            Type::Bool => self.bool_column(),
            _ => self.exact_comparison(depth),
        }
    }

    /// A value made from the scope's columns.
    pub(crate) fn value(&mut self, depth: usize) -> Item {
        let ty = self.column_of(|_| true).map_or(Type::Integer, |item| item.ty);
        match ty {
            Type::Real => self.real(depth),
            Type::Timestamp if self.choices.chance(30) => self.simple(Type::Date, depth),
            Type::Date | Type::Timestamp | Type::Text => self.simple(ty, depth),
            Type::Bool => Item { text: self.condition(depth), ty, most: 0, eighths: false },
            _ => self.exact(depth),
        }
    }

    fn simple(&mut self, ty: Type, depth: usize) -> Item {
        let text = match ty {
            Type::Date => self.date(depth),
            Type::Timestamp => self.timestamp(depth),
            _ => self.text(depth),
        };
        Item { text, ty, most: 0, eighths: false }
    }

    fn parenthesized(&mut self, depth: usize) -> String {
        let condition = self.condition(depth);
        if condition.starts_with('(') { condition } else { format!("({condition})") }
    }

    fn column_of(&mut self, fits: impl Fn(Type) -> bool) -> Option<Item> {
        let all: Vec<&Item> = self.scope.iter().filter(|item| fits(item.ty)).collect();
        match all.len() {
            0 => None,
            n => Some(all[self.choices.below(n)].clone()),
        }
    }

    fn bool_column(&mut self) -> String {
        match self.column_of(|ty| ty == Type::Bool) {
            Some(item) if self.choices.chance(40) => {
                format!("{} = {}", item.text, self.choices.pick(&["true", "false"]))
            }
            Some(item) => item.text,
            None => self.is_null(),
        }
    }

    fn is_null(&mut self) -> String {
        let not = self.choices.pick(&["", "not "]);
        match self.column_of(|_| true) {
            Some(item) => format!("{} is {not}null", item.text),
            None => self.exact_comparison(1),
        }
    }

    /// What is asked of a level besides, if there is any to ask for.
    pub(crate) fn asked(&mut self) -> String {
        if self.levels.is_empty() { String::new() } else { format!(" or {}", self.level()) }
    }

    /// What is asked of a level, by the order of levels where it is a comparison. Some level must be able to meet it.
    fn level(&mut self) -> String {
        let Levels { set, names, ordered } = &self.levels[self.choices.below(self.levels.len())];
        let name = |at: usize| format!("'{}'", names[at].replace('\'', "''"));
        let (a, b) = (self.choices.below(names.len()), self.choices.below(names.len()));
        let (low, high) = (name(a.min(b)), name(a.max(b)));
        let not = if names.len() > 2 { self.choices.pick(&["", "not "]) } else { "" };
        match self.choices.below(if *ordered { 8 } else { 4 }) {
            0 => format!("tier.{set} is {not}null"),
            1 => format!("tier.{set} {not}in ({high}, {low})"),
            2 if !ordered => format!("tier.{set} <> {high}"),
            _ if !ordered => format!("tier.{set} = {low}"),
            2 => format!("tier.{set} between {low} and {high}"),
            3 if a > 0 => format!("tier.{set} < {}", name(a)),
            4 if b + 1 < names.len() => format!("tier.{set} > {}", name(b)),
            5 => format!("tier.{set} <= {low}"),
            6 if names.len() > 1 => format!("tier.{set} <> {high}"),
            _ => format!("tier.{set} >= {low}"),
        }
    }

    fn compare(&mut self, a: &str, b: &str) -> String {
        let op = self.choices.pick(&["=", "<>", "<", "<=", ">", ">="]);
        format!("{a} {op} {b}")
    }

    fn exact_comparison(&mut self, depth: usize) -> String {
        let a = if depth > 0 { self.exact(depth) } else { self.exact_column() };
        let (b, c) = (self.exact(depth.saturating_sub(1)), self.literal());
        let scale = a.scale().max(b.scale()).max(c.scale());
        if [&a, &b, &c].iter().any(|item| item.at_scale(scale) >= LIMIT && item.scale() < scale) {
            return format!("{} is not null", a.text);
        }
        let not = self.choices.pick(&["", "not "]);
        match self.choices.below(6) {
            0 => format!("{} {not}between {} and {}", a.text, c.text, b.text),
            1 => format!("{} {not}in ({}, {})", a.text, c.text, self.literal_up_to(scale).text),
            _ => self.compare(&a.text, &b.text),
        }
    }

    fn real_comparison(&mut self, depth: usize) -> String {
        let (a, b) = (self.real(depth), self.real(depth));
        match self.choices.below(6) {
            0 | 1 => format!("{} between {} and {}", a.text, b.text, self.real(0).text),
            2 => format!("{} in (0.125, -12.5, 3)", a.text),
            _ => self.compare(&a.text, &b.text),
        }
    }

    fn date_comparison(&mut self, depth: usize) -> String {
        let (a, b) = (self.date(depth), self.date(depth));
        match self.choices.below(4) {
            0 => format!("{a} between {b} and today"),
            1 => format!("{a} in (date '2024-02-29', date '2023-12-31')"),
            _ => self.compare(&a, &b),
        }
    }

    fn timestamp_comparison(&mut self, depth: usize) -> String {
        let (a, b) = (self.timestamp(depth), self.timestamp(depth));
        match self.choices.below(6) {
            0 => format!("{a} between {b} and as_of"),
            1 => {
                let at = local_text(self.clock.zone(), self.clock.as_of().0);
                format!("{a} in (timestamp '{at}', timestamp '2024-02-29 00:00:00')")
            }
            _ => self.compare(&a, &b),
        }
    }

    fn text_condition(&mut self) -> String {
        let a = self.text(1);
        let (not, literal) = (self.choices.pick(&["", "not "]), self.text_literal());
        match self.choices.below(6) {
            0 => format!("{a} {not}in ({literal}, {})", self.text_literal()),
            1 => format!("{a} {not}like '{}%'", self.choices.pick(&["pa", "P", "客", "it''s", "x"])),
            2 => format!("starts_with({a}, {literal})"),
            3 => format!("{a} <> {}", self.text(1)),
            _ => format!("{a} = {literal}"),
        }
    }

    fn text_literal(&mut self) -> String {
        format!("'{}'", self.choices.pick(&TEXTS).replace('\'', "''"))
    }

    fn text(&mut self, depth: usize) -> String {
        let column = self.column_of(|ty| ty == Type::Text).map(|item| item.text);
        let column = column.unwrap_or_else(|| self.text_literal());
        match self.choices.below(if depth > 0 { 9 } else { 1 }) {
            8 => format!("(case {column} when {} then {} else {column} end)", self.text_literal(), self.text_literal()),
            5 => format!("coalesce({column}, {})", self.text_literal()),
            6 => format!("nullif({column}, {})", self.text_literal()),
            7 => {
                let when = self.condition(depth.saturating_sub(1));
                format!("(case when {when} then {column} else {} end)", self.text_literal())
            }
            _ => column,
        }
    }

    fn date(&mut self, depth: usize) -> String {
        let depth_left = depth.saturating_sub(1);
        let simple = match self.choices.below(5) {
            0..2 => self.column_of(|ty| ty == Type::Date).map(|item| item.text),
            2 => self.column_of(|ty| ty == Type::Timestamp).map(|item| format!("date({})", item.text)),
            3 => Some("today".to_owned()),
            _ => None,
        };
        let simple = simple.unwrap_or_else(|| {
            let day = self.choices.pick(&["2024-02-29", "2023-12-31", "2024-03-31", "2025-01-01"]);
            format!("date '{day}'")
        });
        match self.choices.below(if depth > 0 { 10 } else { 1 }) {
            9 => {
                let when = self.condition(depth_left);
                format!("(case when {when} then {simple} else {} end)", self.date(depth_left))
            }
            5 | 6 => {
                let span =
                    self.choices.pick(&["1 month", "3 months", "10 days", "1 year", "1 quarter 2 days", "45 days"]);
                format!("({simple} {} interval '{span}')", self.choices.pick(&["+", "-"]))
            }
            7 => format!(
                "{}({simple}, {})",
                self.choices.pick(&["least", "greatest", "coalesce"]),
                self.date(depth_left)
            ),
            8 => format!("nullif({simple}, {})", self.date(depth_left)),
            _ => simple,
        }
    }

    fn timestamp(&mut self, depth: usize) -> String {
        let simple = match self.choices.below(5) {
            0..3 => self.column_of(|ty| ty == Type::Timestamp).map(|item| item.text),
            3 => {
                let span = self.choices.pick(&[
                    "",
                    " - interval '1 month'",
                    " + interval '1 day'",
                    " - interval '1 year 3 days'",
                ]);
                Some(if span.is_empty() { "as_of".to_owned() } else { format!("(as_of{span})") })
            }
            _ => None,
        };
        let simple = simple.unwrap_or_else(|| {
            let at = local_text(self.clock.zone(), self.clock.as_of().0);
            let offset = self.choices.pick(&["", "Z", "-0530"]);
            format!("timestamp '{at}{offset}'")
        });
        match self.choices.below(if depth > 0 { 7 } else { 1 }) {
            6 => {
                let when = self.condition(depth.saturating_sub(1));
                format!("(case when {when} then {simple} end)")
            }
            5 => {
                let function = self.choices.pick(&["least", "greatest", "coalesce", "nullif"]);
                format!("{function}({simple}, {})", self.timestamp(depth.saturating_sub(1)))
            }
            _ => simple,
        }
    }

    fn literal(&mut self) -> Item {
        self.literal_up_to(18)
    }

    /// A number as written, with at most so many digits after the point.
    fn literal_up_to(&mut self, scale: u8) -> Item {
        let all = [
            "1", "0", "2", "3", "5", "20", "100", "-100", "2000", "1.00", "0.5", "12.5", "40.25", "-1", "12345",
            "0.0001",
        ];
        let fitting: Vec<&str> = all
            .into_iter()
            .filter(|t| t.split_once('.').map_or(0, |(_, digits)| digits.len()) <= usize::from(scale))
            .collect();
        let text = self.choices.pick(&fitting);
        let number = tierd_model::Decimal::parse(text).expect("a number");
        let ty = if text.contains('.') { Type::Decimal(number.scale) } else { Type::Integer };
        Item { text: text.to_owned(), ty, most: number.units.unsigned_abs(), eighths: false }
    }

    /// An exact number.
    pub(crate) fn exact(&mut self, depth: usize) -> Item {
        let depth_left = depth.saturating_sub(1);
        let operator = self.choices.below(if depth > 0 { 15 } else { 3 });
        let a = match operator {
            2 => return self.literal(),
            0 | 1 => return self.exact_column(),
            _ => self.exact(depth_left),
        };
        if a.most >= LIMIT {
            return a;
        }
        match operator {
            3 => self.sum(a, depth_left),
            4 => self.product(a, depth_left),
            5 | 6 => self.quotient(a, depth_left),
            7 => Item { text: format!("(-{})", spaced(&a.text)), ..a },
            8 => Item { text: format!("abs({})", a.text), ..a },
            9 => self.rounded(a),
            10 => self.cast(a),
            11 => self.chosen(a, depth_left),
            12 => {
                let b = self.exact(depth_left);
                self.common(&a, &b, |a, b| format!("nullif({a}, {b})"))
            }
            13 => {
                let (from, to) = (self.date(depth_left), self.date(depth_left));
                let text = format!("days_between({from}, {to})");
                Item { text, ty: Type::Integer, most: 4_000_000, eighths: false }
            }
            _ => {
                let real = self.real(depth_left);
                let (ty, scale) =
                    self.choices.pick(&[(Type::Decimal(2), 2), (Type::Integer, 0), (Type::Decimal(3), 3)]);
                if real.most.saturating_mul(10_000) >= LIMIT {
                    return a;
                }
                let most = (real.most + 1) * pow10(scale).unsigned_abs();
                Item { text: format!("cast({} as {ty})", real.text), ty, most, eighths: false }
            }
        }
    }

    fn exact_column(&mut self) -> Item {
        match self.column_of(Type::is_exact) {
            Some(item) => item,
            None => self.literal(),
        }
    }

    /// Both at one scale, if they fit; else the first alone.
    fn common(&mut self, a: &Item, b: &Item, text: impl Fn(&str, &str) -> String) -> Item {
        let scale = a.scale().max(b.scale());
        let most = a.at_scale(scale).max(b.at_scale(scale));
        if most >= LIMIT {
            return a.clone();
        }
        let ty = if (a.ty, b.ty) == (Type::Integer, Type::Integer) { Type::Integer } else { Type::Decimal(scale) };
        Item { text: text(&a.text, &b.text), ty, most, eighths: false }
    }

    fn sum(&mut self, a: Item, depth: usize) -> Item {
        let (b, op) = (self.exact(depth), self.choices.pick(&["+", "-"]));
        let scale = a.scale().max(b.scale());
        let most = a.at_scale(scale).saturating_add(b.at_scale(scale));
        if most >= LIMIT {
            return a;
        }
        let sum = self.common(&a, &b, |a, b| format!("({a} {op} {})", spaced(b)));
        Item { most, ..sum }
    }

    fn product(&mut self, a: Item, depth: usize) -> Item {
        let b = self.exact(depth);
        let (most, scale) = (a.most.saturating_mul(b.most), a.scale() + b.scale());
        if most >= LIMIT || scale > 12 {
            return a;
        }
        let ty = if (a.ty, b.ty) == (Type::Integer, Type::Integer) { Type::Integer } else { Type::Decimal(scale) };
        Item { text: format!("({} * {})", a.text, b.text), ty, most, eighths: false }
    }

    fn quotient(&mut self, a: Item, depth: usize) -> Item {
        let b = self.exact(depth);
        let scale = a.scale().max(6);
        let factor = pow10(scale + b.scale() - a.scale()).unsigned_abs();
        let most = a.most.saturating_mul(factor).saturating_add(b.most);
        if most >= LIMIT {
            return a;
        }
        let zero = b.is_literal() && b.most == 0;
        let divisor = match b.is_literal() && !zero {
            true => b.text,
            false if zero => return a,
            false => format!("nullif({}, 0)", b.text),
        };
        Item { text: format!("({} / {divisor})", a.text), ty: Type::Decimal(scale), most, eighths: false }
    }

    fn rounded(&mut self, a: Item) -> Item {
        let digits = self.choices.pick(&[0, 2, 1, 6]);
        if a.at_scale(digits) >= LIMIT {
            return a;
        }
        if let Some(function) = self.choices.pick(&[None, Some("floor"), Some("ceil")]) {
            let text = format!("{function}({})", a.text);
            return Item { text, ty: Type::Integer, most: a.at_scale(0) + 1, eighths: false };
        }
        let text = format!("round({}, {digits})", a.text);
        Item { text, ty: Type::Decimal(digits), most: a.at_scale(digits) + 1, eighths: false }
    }

    fn cast(&mut self, a: Item) -> Item {
        let (ty, scale) = self.choices.pick(&[(Type::Integer, 0), (Type::Decimal(2), 2), (Type::Decimal(5), 5)]);
        if a.at_scale(scale) >= LIMIT {
            return a;
        }
        Item { text: format!("cast({} as {ty})", a.text), ty, most: a.at_scale(scale) + 1, eighths: false }
    }

    /// One of two or three values.
    fn chosen(&mut self, a: Item, depth: usize) -> Item {
        let b = self.exact(depth);
        match self.choices.below(5) {
            0 => self.common(&a, &b, |a, b| format!("coalesce({a}, {b})")),
            1 => self.common(&a, &b, |a, b| format!("least({a}, {b})")),
            2 => self.common(&a, &b, |a, b| format!("greatest({a}, null, {b})")),
            3 => {
                let when = self.condition(depth);
                self.common(&a, &b, |a, b| format!("(case when {when} then {a} else {b} end)"))
            }
            _ => {
                let when = self.condition(depth);
                let (x, y) = (self.exact_column(), self.condition(0));
                let first = self.common(&a, &b, |a, b| format!("{a} when {y} then {b}"));
                if first.text == a.text {
                    return a;
                }
                let both = self.common(&first, &x, |first, x| format!("(case when {when} then {first} else {x} end)"));
                if both.text == first.text { a } else { both }
            }
        }
    }

    /// A floating-point number.
    pub(crate) fn real(&mut self, depth: usize) -> Item {
        let depth_left = depth.saturating_sub(1);
        let column = match self.column_of(|ty| ty == Type::Real) {
            Some(item) => item,
            None => self.real_literal(),
        };
        match self.choices.below(if depth > 0 { 10 } else { 2 }) {
            1 => self.real_literal(),
            9 => {
                let (when, b) = (self.condition(depth_left), self.real(depth_left));
                let (most, eighths) = (column.most.max(b.most), column.eighths && b.eighths);
                let text = format!("(case when {when} then {} else {} end)", column.text, b.text);
                Item { text, ty: Type::Real, most, eighths }
            }
            3 => {
                let (b, op) = (self.real(depth_left), self.choices.pick(&["+", "-"]));
                let most = column.most + b.most;
                let eighths = column.eighths && b.eighths;
                Item { text: format!("({} {op} {})", column.text, b.text), ty: Type::Real, most, eighths }
            }
            4 => {
                let b = self.real(depth_left);
                let most = column.most.saturating_mul(b.most);
                if most > 1 << 40 {
                    return column;
                }
                Item { text: format!("({} * {})", column.text, b.text), ty: Type::Real, most, eighths: false }
            }
            5 if column.eighths => {
                let a = self.real(depth_left);
                let text = format!("({} / nullif({}, 0))", a.text, column.text);
                Item { text, ty: Type::Real, most: a.most * 8, eighths: false }
            }
            6 => {
                let b = self.real(depth_left);
                let function = self.choices.pick(&["least", "greatest", "coalesce", "nullif"]);
                let (most, eighths) = (column.most.max(b.most), column.eighths && b.eighths);
                Item { text: format!("{function}({}, {})", column.text, b.text), ty: Type::Real, most, eighths }
            }
            7 => {
                let text = format!("round({}, {})", column.text, self.choices.pick(&[2, 0, 1]));
                Item { text, eighths: false, most: column.most + 1, ..column }
            }
            8 => {
                let a = self.exact(depth_left);
                let most = a.most / pow10(a.scale()).unsigned_abs() + 1;
                Item { text: format!("cast({} as real)", a.text), ty: Type::Real, most, eighths: false }
            }
            _ => column,
        }
    }

    fn real_literal(&mut self) -> Item {
        let text =
            self.choices.pick(&["cast(1 as real)", "cast(0.125 as real)", "cast(-12.5 as real)", "cast(100 as real)"]);
        Item { text: text.to_owned(), ty: Type::Real, most: 100, eighths: true }
    }
}

/// With a blank before a minus: two of them begin a comment.
fn spaced(text: &str) -> String {
    if text.starts_with('-') { format!(" {text}") } else { text.to_owned() }
}
