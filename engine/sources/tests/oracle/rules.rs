//! Random metrics, points and tier sets, as the text of a rule file.

use tierd_model::{Per, Type, Window, WindowKind, pow10};

use tierd_rules::is_usable_name;

use crate::{
    choices::Choices,
    expression::{Item, Levels, Writer},
    schema::{MOST_ROWS, NASTY, Schema, Table, windows},
};

/// More than any sum, rate or average of a random case may reach on its way.
const LIMIT: u128 = 1 << 61;

/// The source of what is known only after all facts are read.
const LATER: u8 = u8::MAX;

/// A metric or attribute, and what matters of how it is found.
#[derive(Clone)]
struct Known {
    item: Item,
    /// How often facts must have been read: 0 for attributes. Up to 2, a window may begin at it.
    source: u8,
    /// Whether it may have a trend.
    has_trend: bool,
}

/// Writes metrics and tier sets over the same schema.
pub(crate) struct Rules<'a> {
    schema: &'a Schema,
    /// By kind of subject, what conditions may name: attributes and the metrics so far.
    scopes: Vec<Vec<Known>>,
    /// By kind of subject, the tier sets that they may ask.
    levels: Vec<Vec<Levels>>,
    /// The last tier set per category, which the next one of the same kind and column may ask.
    of_category: Option<OfCategory>,
    /// What the points program may be asked: of which kind of subject, and the bound of a sum of its bookings.
    program: Option<Program>,
    metrics: usize,
    pub(crate) text: String,
}

struct OfCategory {
    kind: usize,
    column: String,
    levels: Levels,
}

struct Program {
    kind: usize,
    ty: Type,
    most: u128,
    expires: bool,
}

impl<'a> Rules<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        let known = |item| Known { item, source: 0, has_trend: false };
        let scope = |table: &Table| table.columns.iter().map(|column| known(column.item())).collect();
        let scopes: Vec<_> = schema.subjects.iter().map(scope).collect();
        let levels = vec![Vec::new(); scopes.len()];
        Rules { schema, scopes, levels, of_category: None, program: None, metrics: 0, text: String::new() }
    }

    /// Adds one metric, mostly of customers.
    pub(crate) fn metric(&mut self, choices: &mut Choices<'_>) {
        let kind = if choices.chance(30) { self.scopes.len() - 1 } else { 0 };
        let name = self.name(choices);
        let (body, known) = match choices.below(18) {
            0..6 => self.aggregate(choices, kind, &name),
            6 => self.attribute(choices, kind, &name),
            7 | 8 => self.derived(choices, kind, &name),
            9 => self.rank(choices, kind, &name),
            10 | 11 => self.of_groups(choices, kind, &name),
            12 => self.trend(choices, kind, &name),
            13 => self.points(choices, kind, &name),
            14 => self.scorecard(choices, kind, &name),
            _ => self.own_window(choices, kind, &name),
        };
        self.text += &format!("[metric.\"{name}\"]\nsubject = \"{}\"\n{body}\n", self.schema.subjects[kind].name);
        self.scopes[kind].push(known);
        self.metrics += 1;
    }

    /// A new name: some differ in case alone, which SQLite doesn't see.
    fn name(&self, choices: &mut Choices<'_>) -> String {
        let (number, nasty) = (self.metrics, choices.pick(&NASTY));
        let taken = self.scopes.iter().flatten().any(|known| known.item.text == nasty);
        match choices.below(8) {
            7 if !taken && is_usable_name(nasty) => nasty.to_owned(),
            6 => format!("指标{number}"),
            _ => format!("{}{}", ["m", "M"][number % 2], number / 2),
        }
    }

    /// Adds a tier set, one in five of them per category.
    pub(crate) fn tier_set(&mut self, choices: &mut Choices<'_>, name: &str) {
        let kind = match &self.of_category {
            Some(of) => of.kind,
            None if choices.chance(25) => self.scopes.len() - 1,
            None => 0,
        };
        let unknown = choices.pick(&["keep", "lowest", "keep", "lowest", "error"]);
        let subject = self.schema.subjects[kind].name;
        let mut text = format!("[tiers.\"{name}\"]\nsubject = \"{subject}\"\nunknown = \"{unknown}\"\n");
        let mut items = self.items(kind);
        let often = if self.of_category.is_some() { 80 } else { 20 };
        let by_category = if choices.chance(often) { self.by_category(choices, kind, name) } else { None };
        let (categories, column) = by_category.unzip();
        let mut levels = self.levels[kind].clone();
        let mut asked = None;
        if let Some(by) = &categories {
            asked =
                self.of_category.as_ref().filter(|of| Some(&of.column) == column.as_ref()).map(|of| of.levels.clone());
            levels.extend(asked.clone());
            text += "per = \"category\"\ncategories = [\"paid\", \"客户\", \"it's\"]\n";
            items.extend(by.iter().cloned());
        }
        let ordered = choices.chance(80);
        // Levels that are moved are earned all the same, where nothing was held before.
        let policies = [
            "",
            "",
            "",
            "upgrade = \"never\"\n",
            "downgrade = { after = \"30 days\", steps = 1 }\nlock = \"1 year\"\n",
        ];
        text += if ordered { choices.pick(&policies) } else { "ordered = false\n" };
        let names: Vec<&str> = ["C", "it's B", "金", "A"].into_iter().take(1 + choices.below(4)).collect();
        let has_measure = categories.is_none() && names.len() > 1 && choices.chance(25);
        let measure = if has_measure { measure_of(choices, &items) } else { None };
        text += &measure.map_or(String::new(), |measure| format!("of = {}\n", quoted(&measure.text)));
        for (i, level) in names.iter().enumerate() {
            text += &format!("[[tiers.\"{name}\".level]]\nname = {}\n", quoted(level));
            if let Some(measure) = measure.filter(|_| i > 0) {
                text += &format!("from = {}\n", threshold(choices, measure.ty));
                continue;
            }
            let writer = |choices| Writer { scope: &items, levels: &levels, choices, clock: &self.schema.clock };
            let last = i + 1 == names.len();
            if i > 0 || choices.chance(40) || last && categories.is_some() {
                let when = match (&categories, last) {
                    // Some condition must name a metric per category.
                    (Some(by), true) => {
                        let asked = Writer { levels: asked.as_slice(), ..writer(&mut *choices) }.asked();
                        format!("{} is not null{asked}", by[by.len() - 1].text)
                    }
                    _ => writer(&mut *choices).condition(3),
                };
                text += &format!("when = {}\n", quoted(&when));
            }
        }
        self.text += &text;
        let levels = Levels { set: name.to_owned(), names, ordered };
        match column {
            _ if unknown == "error" => {}
            None => self.levels[kind].push(levels),
            Some(column) => self.of_category = Some(OfCategory { kind, column, levels }),
        }
    }

    /// Metrics with a value for each category, and the column that holds it; `None` where no facts have a column of text.
    fn by_category(&mut self, choices: &mut Choices<'_>, kind: usize, set: &str) -> Option<(Vec<Item>, String)> {
        let facts = self.schema.facts.iter().filter(|facts| facts.kind == kind);
        let all: Vec<_> =
            facts.flat_map(|f| f.columns.iter().filter(|c| c.ty == Type::Text).map(move |c| (f, c))).collect();
        // Mostly by the same column as the last such set, whose levels may then be asked for.
        let same = all.iter().find(|(_, column)| self.of_category.as_ref().is_some_and(|of| of.column == column.name));
        let (facts, column) = same.filter(|_| choices.chance(80)).or(all.get(choices.below(all.len())))?;
        let plain = self.items(kind);
        let names = [format!("{set}1"), format!("{set}2"), format!("{set}3")];
        let (body, item) = self.aggregate_over(choices, facts, None, &names[0]);
        self.text += &format!("[metric.\"{}\"]\nby = \"{}\"\n{body}\n", names[0], column.name);
        let mut items = vec![item];
        let scope: Vec<Item> = plain.into_iter().chain(items.clone()).collect();
        let mut writer = Writer { scope: &scope, levels: &[], choices, clock: &self.schema.clock };
        let condition = writer.condition(2);
        let text = format!("(case when {} is null or {condition} then 1 else 2 end)", names[0]);
        self.text += &format!("[metric.\"{}\"]\nderived = {}\n", names[1], quoted(&text));
        items.push(Item { text: names[1].clone(), ty: Type::Integer, most: 2, eighths: false });
        self.text += &format!("[metric.\"{}\"]\nrank = \"{} desc\"\n", names[2], names[1]);
        items.push(Item { text: names[2].clone(), ty: Type::Integer, most: 1000, eighths: false });
        Some((items, column.name.to_string()))
    }

    fn items(&self, kind: usize) -> Vec<Item> {
        self.scopes[kind].iter().map(|known| known.item.clone()).collect()
    }

    /// What an expression is found from: at least what everything is found from whose name stands in it.
    fn source(&self, kind: usize, text: &str) -> u8 {
        if text.contains("tier.") {
            return LATER;
        }
        let named = self.scopes[kind].iter().filter(|known| text.contains(&known.item.text));
        named.map(|known| known.source).max().unwrap_or(0)
    }

    fn aggregate(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let all: Vec<&Table> = self.schema.facts.iter().filter(|facts| facts.kind == kind).collect();
        match all.len() {
            0 => self.derived(choices, kind, name),
            n => {
                let facts = all[choices.below(n)];
                let (body, item) = self.aggregate_over(choices, facts, None, name);
                let has_trend = item.ty.is_numeric() && !body.contains("lifetime");
                (body, Known { item, source: 1, has_trend })
            }
        }
    }

    /// An aggregate in a window that begins at a date of the subject's own.
    fn own_window(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let facts: Vec<&Table> = self.schema.facts.iter().filter(|facts| facts.kind == kind).collect();
        let dates = self.scopes[kind].iter().filter(|known| matches!(known.item.ty, Type::Date | Type::Timestamp));
        let dates: Vec<&Known> = dates.filter(|known| known.source <= 2).collect();
        if facts.is_empty() || dates.is_empty() {
            return self.aggregate(choices, kind, name);
        }
        let anchor = dates[choices.below(dates.len())];
        let window = match choices.below(4) {
            0 | 1 => format!("since = \"{}\"", anchor.item.text),
            _ => format!("anniversary_of = \"{}\", offset = {}", anchor.item.text, choices.pick(&[0, 0, 1, 2])),
        };
        let facts = facts[choices.below(facts.len())];
        let (body, item) = self.aggregate_over(choices, facts, Some(&window), name);
        let has_trend = item.ty.is_numeric() && window.contains("offset");
        (body, Known { item, source: anchor.source + 1, has_trend })
    }

    fn aggregate_over(
        &self,
        choices: &mut Choices<'_>,
        facts: &Table,
        own_window: Option<&str>,
        name: &str,
    ) -> (String, Item) {
        let columns: Vec<Item> = facts.columns.iter().map(|column| column.item()).collect();
        let argument = argument(choices, &columns, self.schema);
        let (function, mut ty, mut most, summed) = self.call(choices, &columns, &argument, false);
        let mut body = format!("from = \"{}\"\naggregate = {}\n", facts.name, quoted(&function));
        let windows = windows();
        // The first few are long enough to hold something.
        let (window, kind) = if choices.chance(50) { choices.pick(&windows) } else { choices.pick(&windows[..2]) };
        let offset = if kind == WindowKind::Lifetime { 0 } else { choices.pick(&[0, 0, 0, 1, 2]) };
        body += &match own_window {
            Some(window) => format!("window = {{ {window} }}\n"),
            None => format!("window = {{ {window}, offset = {offset} }}\n"),
        };
        if choices.chance(30) {
            let writer =
                &mut Writer { scope: &columns, levels: &[], choices: &mut *choices, clock: &self.schema.clock };
            body += &format!("where = {}\n", quoted(&writer.condition(2)));
        }
        let per = choices.pick(&[("month", Per::Month), ("day", Per::Day), ("week", Per::Week), ("year", Per::Year)]);
        let has_rate = summed && ty.is_exact() && own_window.is_none();
        let units = Window { kind, offset }.units(per.1).filter(|_| has_rate);
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

    /// A call of a function, mostly of this argument.
    fn call(
        &self,
        choices: &mut Choices<'_>,
        columns: &[Item],
        argument: &Item,
        of_members: bool,
    ) -> (String, Type, u128, bool) {
        if !choices.chance(15) {
            return function(choices, argument, of_members);
        }
        let share = choices.chance(50);
        let condition = Writer { scope: columns, levels: &[], choices, clock: &self.schema.clock }.condition(2);
        match share {
            true => (format!("share({condition})"), Type::Decimal(6), 1_000_000, false),
            false => (format!("count_where({condition})"), Type::Integer, MOST_ROWS as u128, true),
        }
    }

    fn attribute(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let columns = &self.schema.subjects[kind].columns;
        if columns.is_empty() {
            return self.aggregate(choices, kind, name);
        }
        let column = &columns[choices.below(columns.len())];
        let item = Item { text: name.to_owned(), ..column.item() };
        (format!("attribute = \"{}\"\n", column.name), Known { item, source: 0, has_trend: false })
    }

    fn derived(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let scope = self.items(kind);
        let item = Writer { scope: &scope, levels: &self.levels[kind], choices, clock: &self.schema.clock }.value(3);
        let source = self.source(kind, &item.text);
        let body = format!("derived = {}\n", quoted(&item.text));
        (body, Known { item: Item { text: name.to_owned(), ..item }, source, has_trend: false })
    }

    fn rank(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let ordered = |item: &Item| !matches!(item.ty, Type::Text | Type::Bool);
        let ranked: Vec<Item> = self.items(kind).into_iter().filter(ordered).collect();
        if ranked.is_empty() {
            return self.aggregate(choices, kind, name);
        }
        let of = &ranked[choices.below(ranked.len())].text;
        let direction = choices.pick(&["desc", "asc"]);
        let form = choices.below(5);
        let body = match form {
            4 => frozen(choices, &ranked, direction),
            0 => format!("rank = \"{of} {direction}\"\n"),
            1 => format!("quintile = \"{of} {direction}\"\n"),
            2 => format!("ntile = {{ of = \"{of} {direction}\", buckets = {} }}\n", choices.pick(&[3, 2, 10])),
            _ => format!("percentile = \"{of} {direction}\"\n"),
        };
        let ty = if form == 3 { Type::Decimal(6) } else { Type::Integer };
        (body, later(Item { text: name.to_owned(), ty, most: 100_000_000, eighths: false }))
    }

    /// A customer's look-up, an account's roll-up.
    fn of_groups(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        if self.scopes.len() == 1 || self.scopes[1 - kind].is_empty() {
            return self.aggregate(choices, kind, name);
        }
        let scope = self.items(1 - kind);
        let item = &scope[choices.below(scope.len())];
        if kind == 0 && !self.levels[1].is_empty() && choices.chance(60) {
            let body = format!("lookup = \"account.tier.{}\"\n", self.levels[1][0].set);
            return (body, later(Item { text: name.to_owned(), ty: Type::Text, most: 0, eighths: false }));
        }
        if kind == 0 {
            let body = format!("lookup = \"account.{}\"\n", item.text);
            return (body, later(Item { text: name.to_owned(), ..item.clone() }));
        }
        let argument = argument(choices, &scope, self.schema);
        let (function, ty, most, _) = self.call(choices, &scope, &argument, true);
        let mut body = format!("from = \"customer\"\naggregate = {}\n", quoted(&function));
        if choices.chance(40) {
            let mut writer =
                Writer { scope: &scope, levels: &self.levels[0], choices: &mut *choices, clock: &self.schema.clock };
            body += &format!("where = {}\n", quoted(&writer.condition(2)));
        }
        body += &format!("empty = {}\n", empty(choices, ty));
        let most = most.max(5 * pow10(ty.scale().unwrap_or(0)).unsigned_abs());
        let eighths = ty == Type::Real && argument.eighths && !function.starts_with("avg");
        (body, later(Item { text: name.to_owned(), ty, most, eighths }))
    }

    fn trend(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let digits = |item: &Item| item.ty.scale().unwrap_or(0).max(6);
        let change = |item: &Item| item.most.saturating_mul(2 * pow10(digits(item)).unsigned_abs());
        let fits = |item: &Item| if item.ty == Type::Real { item.eighths } else { change(item) < LIMIT };
        let all: Vec<&Known> = self.scopes[kind].iter().filter(|known| known.has_trend && fits(&known.item)).collect();
        if all.is_empty() {
            return self.aggregate(choices, kind, name);
        }
        let of = &all[choices.below(all.len())].item;
        let ty = if of.ty == Type::Real { Type::Real } else { Type::Decimal(6) };
        let most = if ty == Type::Real { of.most * 16 } else { change(of) };
        let body = format!("trend = \"{}\"\n", of.text);
        (body, later(Item { text: name.to_owned(), ty, most, eighths: false }))
    }

    fn scorecard(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let scope = self.items(kind);
        let mut rows: Vec<(String, Item)> = Vec::new();
        for _ in 0..1 + choices.below(4) {
            let mut writer =
                Writer { scope: &scope, levels: &self.levels[kind], choices: &mut *choices, clock: &self.schema.clock };
            let points = writer.exact(1);
            let when = writer.condition(2);
            let when = if choices.chance(70) { format!("when = {}, ", quoted(&when)) } else { String::new() };
            rows.push((format!("  {{ {when}points = {} }},\n", quoted(&points.text)), points));
        }
        let scale = rows.iter().filter_map(|(_, item)| item.ty.scale()).max().unwrap_or(0);
        let sum =
            |rows: &[(String, Item)]| rows.iter().map(|(_, item)| item.at_scale(scale)).fold(0, u128::saturating_add);
        if sum(&rows) >= LIMIT {
            rows = vec![(
                "  { points = 3 },\n".to_owned(),
                Item { text: "3".to_owned(), ty: Type::Integer, most: 3, eighths: false },
            )];
        }
        let whole = rows.iter().all(|(_, item)| item.ty == Type::Integer);
        let scale = rows.iter().filter_map(|(_, item)| item.ty.scale()).max().unwrap_or(0);
        let ty = if whole { Type::Integer } else { Type::Decimal(scale) };
        let most = rows.iter().map(|(_, item)| item.at_scale(scale)).sum();
        let body: String = rows.iter().map(|(row, _)| row.as_str()).collect();
        (format!("scorecard = [\n{body}]\n"), later(Item { text: name.to_owned(), ty, most, eighths: false }))
    }

    /// Adds a points program, if the facts book any.
    pub(crate) fn program(&mut self, choices: &mut Choices<'_>) {
        let kind = if choices.chance(20) { self.scopes.len() - 1 } else { 0 };
        let facts: Vec<&Table> = self.schema.facts.iter().filter(|facts| facts.kind == kind).collect();
        if facts.is_empty() {
            return;
        }
        let digits = choices.pick(&[0, 2, 4]);
        let expires = choices.chance(50);
        let expire = if expires { "expire = { after = \"6 months\" }\n" } else { "" };
        let mut text =
            format!("[points.club]\nsubject = \"{}\"\ndigits = {digits}\n{expire}", self.schema.subjects[kind].name);
        let mut most = 0u128;
        for i in 0..1 + choices.below(4) {
            let booking = if i == 0 { "earn" } else { choices.pick(&["earn", "spend", "refund"]) };
            let facts = facts[choices.below(facts.len())];
            let columns: Vec<Item> = facts.columns.iter().map(|column| column.item()).collect();
            let mut writer = Writer { scope: &columns, levels: &[], choices: &mut *choices, clock: &self.schema.clock };
            let points = writer.exact(2);
            let condition = writer.condition(2);
            let sum = points.at_scale(digits).saturating_mul(MOST_ROWS as u128);
            let (points, sum) = match points.text.contains("happened") || sum >= LIMIT / 8 || is_constant(&points.text)
            {
                true => ("7".to_owned(), 7 * MOST_ROWS as u128 * 10_000),
                false => (quoted(&points.text), sum),
            };
            text += &format!("[[points.club.{booking}]]\nfrom = \"{}\"\npoints = {points}\n", facts.name);
            if choices.chance(40) {
                text += &format!("where = {}\n", quoted(&condition));
            }
            most += sum;
        }
        self.text += &text;
        let ty = if digits == 0 { Type::Integer } else { Type::Decimal(digits) };
        self.program = Some(Program { kind, ty, most, expires });
    }

    fn points(&self, choices: &mut Choices<'_>, kind: usize, name: &str) -> (String, Known) {
        let Some(program) = self.program.as_ref().filter(|program| program.kind == kind) else {
            return self.aggregate(choices, kind, name);
        };
        let item = Item { text: name.to_owned(), ty: program.ty, most: program.most, eighths: false };
        let body = match choices.below(3) {
            0 if !program.expires => "points = \"club.balance\"\n".to_owned(),
            n => {
                let (window, kind) = choices.pick(&windows());
                let offset = if kind == WindowKind::Lifetime { 0 } else { choices.pick(&[0, 0, 1]) };
                let measure = ["earned", "earned", "spent"][n];
                format!("points = \"club.{measure}\"\nwindow = {{ {window}, offset = {offset} }}\n")
            }
        };
        (body, later(item))
    }
}

/// What levels may have thresholds of.
fn measure_of<'i>(choices: &mut Choices<'_>, items: &'i [Item]) -> Option<&'i Item> {
    let fits = |item: &&Item| match item.ty {
        Type::Text | Type::Bool => false,
        ty => !ty.is_exact() || item.at_scale(6) < LIMIT,
    };
    let all: Vec<&Item> = items.iter().filter(fits).collect();
    all.get(choices.below(all.len())).copied()
}

/// The least value that a level takes.
fn threshold(choices: &mut Choices<'_>, measure: Type) -> &'static str {
    match measure {
        Type::Date => choices.pick(&["2024-02-29", "\"2023-12-31\""]),
        Type::Timestamp => choices.pick(&["2024-01-31T08:00:00", "\"2024-02-29 00:00:00\""]),
        _ => choices.pick(&["1", "0", "20", "-3", "0.5", "40.25"]),
    }
}

/// Buckets whose cuts are written down, of the first of these that is a number.
fn frozen(choices: &mut Choices<'_>, ranked: &[Item], direction: &str) -> String {
    let fits = |item: &&Item| item.ty == Type::Real || item.ty.is_exact() && item.at_scale(6) < LIMIT;
    let Some(of) = ranked.iter().rev().find(fits) else {
        return format!("rank = \"{} {direction}\"\n", ranked[0].text);
    };
    let mut cuts = choices.pick(&[["-100", "0", "3", "2000"], ["1", "2", "3.5", "100"], ["0", "5", "12.25", "40"]]);
    if direction == "desc" {
        cuts.reverse();
    }
    match choices.below(2) {
        0 => format!("quintile = \"{} {direction}\"\ncuts = [{}]\n", of.text, cuts.join(", ")),
        _ => {
            let ntile = format!("ntile = {{ of = \"{} {direction}\", buckets = 3 }}", of.text);
            format!("{ntile}\ncuts = [{}]\n", cuts[1..3].join(", "))
        }
    }
}

/// Found after all facts are read.
fn later(item: Item) -> Known {
    Known { item, source: LATER, has_trend: false }
}

/// A number, which must be above 0 to book points.
fn is_constant(text: &str) -> bool {
    !text.contains(|c: char| c.is_alphabetic())
}

/// What is aggregated: mostly a column, sometimes a computation.
fn argument(choices: &mut Choices<'_>, columns: &[Item], schema: &Schema) -> Item {
    if choices.chance(30) {
        return Writer { scope: columns, levels: &[], choices, clock: &schema.clock }.value(2);
    }
    columns[choices.below(columns.len())].clone()
}

/// Functions that ask for rows in the order of time.
const ORDERED: [&str; 5] = ["first", "last", "days_since", "mean_gap", "median_gap"];

/// A call that suits the argument, its type, a bound of its values and of all on the way to them, and whether it has a rate.
fn function(choices: &mut Choices<'_>, argument: &Item, of_members: bool) -> (String, Type, u128, bool) {
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
    if matches!(ty, Type::Date | Type::Timestamp) {
        let gap = 4_000_000_000_000;
        all.extend([("mean_gap", Type::Decimal(6), gap, false), ("median_gap", Type::Decimal(6), gap, false)]);
    }
    all.retain(|(name, ..)| !(of_members && ORDERED.contains(name)));
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
