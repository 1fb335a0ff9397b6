//! Random metrics and tier sets, as the text of a rule file.

use tierd_model::{Per, Type, Window, WindowKind, pow10};

use crate::{
    choices::Choices,
    expression::{Item, Writer},
    schema::{MOST_ROWS, Schema, windows},
};

/// More than any sum, rate or average of a random case may reach on its way.
const LIMIT: u128 = 1 << 61;

/// Writes metrics and tier sets over the same schema.
pub(crate) struct Rules<'a> {
    schema: &'a Schema,
    /// What conditions may name: attributes and the metrics so far.
    scope: Vec<Item>,
    pub(crate) text: String,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        let scope = schema.subject.columns.iter().map(|column| column.item()).collect();
        Rules { schema, scope, text: String::new() }
    }

    /// Adds one metric.
    pub(crate) fn metric(&mut self, choices: &mut Choices<'_>) {
        let name = format!("{}{}", choices.pick(&["m", "M", "指标"]), self.scope.len());
        let (body, item) = match choices.below(10) {
            0..6 => self.aggregate(choices, &name),
            6 => self.attribute(choices, &name),
            7 | 8 => self.derived(choices, &name),
            _ => self.rank(choices, &name),
        };
        self.text += &format!("[metric.\"{name}\"]\n{body}\n");
        self.scope.push(item);
    }

    /// Adds a tier set.
    pub(crate) fn tier_set(&mut self, choices: &mut Choices<'_>, name: &str) {
        let unknown = choices.pick(&["keep", "lowest"]);
        let mut text = format!("[tiers.\"{name}\"]\nunknown = \"{unknown}\"\n");
        for (i, level) in ["C", "it's B", "金", "A"].iter().enumerate().take(1 + choices.below(4)) {
            text += &format!("[[tiers.\"{name}\".level]]\nname = {}\n", quoted(level));
            if i > 0 || choices.chance(40) {
                let when = self.writer(choices).condition(3);
                text += &format!("when = {}\n", quoted(&when));
            }
        }
        self.text += &text;
    }

    fn writer<'s, 'c, 'w>(&'s self, choices: &'c mut Choices<'w>) -> Writer<'s, 'c, 'w> {
        Writer { scope: &self.scope, choices, clock: &self.schema.clock }
    }

    fn aggregate(&self, choices: &mut Choices<'_>, name: &str) -> (String, Item) {
        let facts = &self.schema.facts[choices.below(self.schema.facts.len())];
        let columns: Vec<Item> = facts.columns.iter().map(|column| column.item()).collect();
        let argument = argument(choices, &columns, self.schema);
        let (function, mut ty, mut most, summed) = function(choices, &argument);
        let mut body = format!("from = \"{}\"\naggregate = {}\n", facts.name, quoted(&function));
        let windows = windows();
        // The first few are long enough to hold something.
        let (window, kind) = if choices.chance(50) { choices.pick(&windows) } else { choices.pick(&windows[..2]) };
        let offset = if kind == WindowKind::Lifetime { 0 } else { choices.pick(&[0, 0, 0, 1, 2]) };
        body += &format!("window = {{ {window}, offset = {offset} }}\n");
        if choices.chance(30) {
            let writer = &mut Writer { scope: &columns, choices: &mut *choices, clock: &self.schema.clock };
            body += &format!("where = {}\n", quoted(&writer.condition(2)));
        }
        let per = choices.pick(&[("month", Per::Month), ("day", Per::Day), ("week", Per::Week), ("year", Per::Year)]);
        let units = Window { kind, offset }.units(per.1).filter(|_| summed && ty.is_exact());
        let scale = ty.scale().unwrap_or(0).max(6);
        let widen = pow10(scale - ty.scale().unwrap_or(0)) * units.map_or(1, |(_, denominator)| denominator);
        let rate = most.saturating_mul(widen.unsigned_abs());
        if units.is_some() && rate < LIMIT && choices.chance(60) {
            body += &format!("per = \"{}\"\n", per.0);
            ty = Type::Decimal(scale);
            most = rate;
        }
        body += &format!("empty = {}\n", empty(choices, ty));
        // What empty says may be larger than what rows give.
        let most = most.max(5 * pow10(ty.scale().unwrap_or(0)).unsigned_abs());
        let eighths = ty == Type::Real && argument.eighths && !function.starts_with("avg");
        (body, Item { text: name.to_owned(), ty, most, eighths })
    }

    fn attribute(&self, choices: &mut Choices<'_>, name: &str) -> (String, Item) {
        let columns = &self.schema.subject.columns;
        if columns.is_empty() {
            return self.aggregate(choices, name);
        }
        let column = &columns[choices.below(columns.len())];
        (format!("attribute = \"{}\"\n", column.name), Item { text: name.to_owned(), ..column.item() })
    }

    fn derived(&self, choices: &mut Choices<'_>, name: &str) -> (String, Item) {
        let writer = &mut self.writer(choices);
        let item = writer.value(3);
        (format!("derived = {}\n", quoted(&item.text)), Item { text: name.to_owned(), ..item })
    }

    fn rank(&self, choices: &mut Choices<'_>, name: &str) -> (String, Item) {
        let ordered = |item: &&Item| !matches!(item.ty, Type::Text | Type::Bool);
        let ranked: Vec<&Item> = self.scope.iter().filter(ordered).collect();
        if ranked.is_empty() {
            return self.aggregate(choices, name);
        }
        let of = &ranked[choices.below(ranked.len())].text;
        let direction = choices.pick(&["desc", "asc"]);
        let kind = choices.below(4);
        let body = match kind {
            0 => format!("rank = \"{of} {direction}\"\n"),
            1 => format!("quintile = \"{of} {direction}\"\n"),
            2 => format!("ntile = {{ of = \"{of} {direction}\", buckets = {} }}\n", choices.pick(&[3, 2, 10])),
            _ => format!("percentile = \"{of} {direction}\"\n"),
        };
        let ty = if kind == 3 { Type::Decimal(6) } else { Type::Integer };
        (body, Item { text: name.to_owned(), ty, most: 100_000_000, eighths: false })
    }
}

/// What is aggregated: mostly a column, sometimes a computation.
fn argument(choices: &mut Choices<'_>, columns: &[Item], schema: &Schema) -> Item {
    if choices.chance(30) {
        return Writer { scope: columns, choices, clock: &schema.clock }.value(2);
    }
    columns[choices.below(columns.len())].clone()
}

/// A call that suits the argument, its type, a bound of its values and of all on the way to them, and whether it has a rate.
fn function(choices: &mut Choices<'_>, argument: &Item) -> (String, Type, u128, bool) {
    let (x, ty) = (&argument.text, argument.ty);
    let rows = MOST_ROWS as u128;
    let sum = argument.most.saturating_mul(rows);
    // Real sums must be exact in floating point, lest a comparison of equal sums go either way.
    let summable = if ty == Type::Real { argument.eighths } else { ty.is_exact() && sum < LIMIT };
    let widened = pow10(6u8.saturating_sub(ty.scale().unwrap_or(6))).unsigned_abs();
    let average = if ty == Type::Real { Type::Real } else { Type::Decimal(ty.scale().unwrap_or(0).max(6)) };
    let mut all = vec![("count(*)", Type::Integer, rows, true)];
    if summable {
        all.extend([("sum", ty, sum, true); 3]);
    }
    if summable && sum.saturating_mul(widened) < LIMIT {
        all.push(("avg", average, argument.most * widened + 1, false));
    }
    if matches!(ty, Type::Date | Type::Timestamp) {
        all.extend([("days_since", Type::Integer, 4_000_000, false); 2]);
    }
    if !matches!(ty, Type::Text | Type::Bool) {
        all.extend([("min", ty, argument.most, false), ("max", ty, argument.most, false)]);
    }
    all.extend([("first", ty, argument.most, false), ("last", ty, argument.most, false)]);
    all.extend([("count", Type::Integer, rows, true), ("count_distinct", Type::Integer, rows, true)]);
    let (name, ty, most, summed) = choices.pick(&all);
    let call = if name == "count(*)" { name.to_owned() } else { format!("{name}({x})") };
    (call, ty, most, summed)
}

/// A TOML value of this type, or `"null"`.
fn empty(choices: &mut Choices<'_>, ty: Type) -> &'static str {
    if choices.chance(40) {
        return "\"null\"";
    }
    match ty {
        Type::Text => choices.pick(&["\"none\"", "\"\"", "\"it's\""]),
        Type::Bool => choices.pick(&["false", "true"]),
        Type::Date => choices.pick(&["2024-02-29", "\"1970-01-01\""]),
        Type::Timestamp => choices.pick(&["2024-01-31T08:00:00Z", "\"2024-03-10 02:30\""]),
        Type::Real | Type::Decimal(2..) => choices.pick(&["0", "0.5", "-3", "2.25"]),
        _ => choices.pick(&["0", "3", "-1"]),
    }
}

/// A TOML string.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
