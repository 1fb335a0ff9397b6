//! Aggregates: function, rows, window, rate and the value of those without rows.

use tierd_model::{Per, Type, Window, WindowKind};

use super::{
    Checking,
    catalog::{Catalog, Entry, columns_scope},
};
use crate::{
    Aggregate, AggregateFn, Facts, FactsId, code,
    diagnostic::Diagnostic,
    expr::Expr,
    raw::{
        At, Name,
        rules::{MetricTable, PerName, UnitName, WindowTable},
        values::WindowEntry,
    },
    syntax::{Node, NodeKind},
    typing::Typing,
};

/// Aggregates as they are written, with their functions.
const AGGREGATES: [(&str, AggregateFn); 9] = [
    ("sum", AggregateFn::Sum),
    ("count", AggregateFn::Count),
    ("count_distinct", AggregateFn::CountDistinct),
    ("avg", AggregateFn::Avg),
    ("min", AggregateFn::Min),
    ("max", AggregateFn::Max),
    ("first", AggregateFn::First),
    ("last", AggregateFn::Last),
    ("days_since", AggregateFn::DaysSince),
];

const FORMS: &str =
    "write sum(x), count(*), count(x), count_distinct(x), avg(x), min(x), max(x), first(x), last(x) or days_since(x)";

/// A function with its argument, and the type of what it gives.
struct Call {
    function: AggregateFn,
    argument: Option<Expr>,
    ty: Type,
}

impl Checking<'_> {
    pub(super) fn aggregate(
        &mut self,
        name: &Name,
        table: &MetricTable,
        text: &At<String>,
        catalog: &Catalog,
    ) -> Option<(Aggregate, Type)> {
        let facts = self.facts_of(name, table, catalog);
        let node = self.parse(text);
        let window = self.window_of(name, table);
        let (call, filter) = match facts {
            Some(facts) => {
                let entry = &catalog.facts[facts.0];
                (
                    node.and_then(|node| self.function(&node, entry, catalog)),
                    self.row_filter(table.r#where.as_ref(), entry, catalog),
                )
            }
            None => (None, None),
        };
        let rate = self.rate(table, call.as_ref(), window.as_ref());
        let empty = match (&table.empty, &call) {
            (None, _) => self.missing_empty(name, call.as_ref()),
            (Some(empty), Some(call)) if rate.is_some() => {
                self.empty(empty, metric_type(call.ty, rate.flatten()), &catalog.zone)
            }
            _ => None,
        };
        let (call, per) = (call?, rate?);
        let ty = metric_type(call.ty, per);
        let Call { function, argument, .. } = call;
        let aggregate =
            Aggregate { facts: facts?, function, argument, filter: filter?, window: window?, per, empty: empty? };
        Some((aggregate, ty))
    }

    fn facts_of(&mut self, name: &Name, table: &MetricTable, catalog: &Catalog) -> Option<FactsId> {
        let Some(from) = &table.from else {
            let help = "say of which facts: from = \"orders\"";
            self.error(code::MISSING_KEY, &name.at, "an aggregate has no `from`", help);
            return None;
        };
        self.facts_named(from, catalog)
    }

    /// Which facts count: `Some(None)` for all.
    pub(super) fn row_filter(
        &mut self,
        text: Option<&At<String>>,
        facts: &Entry<Facts>,
        catalog: &Catalog,
    ) -> Option<Option<Expr>> {
        let Some(text) = text else {
            return Some(None);
        };
        let node = self.parse(text)?;
        self.typed_facts(facts, catalog, |typing| typing.condition(&node)).map(Some)
    }

    /// Types expressions over the columns of facts.
    pub(super) fn typed_facts<T>(
        &mut self,
        facts: &Entry<Facts>,
        catalog: &Catalog,
        run: impl FnOnce(&mut Typing<'_>) -> T,
    ) -> T {
        let mut scope = columns_scope(&facts.columns, &format!("`{}`", facts.name.text), "column");
        for attribute in facts.subject.into_iter().flat_map(|subject| catalog.attributes(subject)) {
            scope.hint(attribute, format!("`{attribute}` is an attribute of the subject: use it in a condition"));
        }
        run(&mut Typing { files: self.files, zone: &catalog.zone, scope: &scope, out: self.out })
    }

    fn function(&mut self, node: &Node, facts: &Entry<Facts>, catalog: &Catalog) -> Option<Call> {
        let NodeKind::Call { name, name_at, distinct, star, arguments } = &node.kind else {
            self.error(code::BAD_AGGREGATE, &node.at, "this is no aggregate", FORMS);
            return None;
        };
        let Some(&(_, function)) = AGGREGATES.iter().find(|(known, _)| known == name) else {
            let names = AGGREGATES.iter().map(|(known, _)| *known);
            let help = match crate::suggest::nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => FORMS.to_owned(),
            };
            self.error(code::BAD_AGGREGATE, name_at, format!("no aggregate `{name}`"), help);
            return None;
        };
        let (function, argument) = match (function, *distinct, *star, arguments.as_slice()) {
            (AggregateFn::Count, false, true, []) => {
                return Some(Call { function, argument: None, ty: Type::Integer });
            }
            (AggregateFn::Count, true, false, [argument]) => (AggregateFn::CountDistinct, argument),
            (function, false, false, [argument]) => (function, argument),
            _ => {
                self.error(code::BAD_AGGREGATE, &node.at, format!("`{name}` is called with other arguments"), FORMS);
                return None;
            }
        };
        let argument = self.typed_facts(facts, catalog, |typing| typing.value(argument))?;
        let ty = self.result_type(function, name, &argument)?;
        Some(Call { function, argument: Some(argument), ty })
    }

    fn result_type(&mut self, function: AggregateFn, name: &str, argument: &Expr) -> Option<Type> {
        use AggregateFn as A;
        let ty = argument.ty;
        let (good, wanted) = match function {
            A::Sum | A::Avg => (ty.is_numeric(), "a number"),
            A::Min | A::Max => (!matches!(ty, Type::Text | Type::Bool), "numbers, dates or timestamps"),
            A::DaysSince | A::MeanGap | A::MedianGap => {
                (matches!(ty, Type::Date | Type::Timestamp), "a date or timestamp")
            }
            A::Count | A::CountDistinct | A::First | A::Last => (true, ""),
        };
        if !good {
            let diagnostic =
                Diagnostic::error(code::TYPE_MISMATCH, &argument.at, format!("`{name}` takes {wanted}, this is {ty}"));
            self.out.push(diagnostic.help(match (function, ty) {
                (A::DaysSince | A::MeanGap | A::MedianGap, _) => "name a column that holds dates or times",
                (_, Type::Bool) => "count rows with `count(*)` and a condition in `where`",
                (A::Min | A::Max, _) => "there are first(x), last(x) and count_distinct(x)",
                _ => "where the column holds numbers, declare it so in tierd.toml",
            }));
            return None;
        }
        Some(match (function, ty.scale()) {
            (A::Count | A::CountDistinct | A::DaysSince, _) => Type::Integer,
            (A::MeanGap | A::MedianGap, _) => Type::Decimal(6),
            (A::Avg, Some(scale)) => Type::Decimal(scale.max(6)),
            _ => ty,
        })
    }

    fn missing_empty<T>(&mut self, name: &Name, call: Option<&Call>) -> Option<T> {
        let zero = call.is_some_and(|call| {
            matches!(call.function, AggregateFn::Sum | AggregateFn::Count | AggregateFn::CountDistinct)
        });
        let help = match zero {
            true => "what has a subject without such facts? write `empty = 0`, or `empty = \"null\"` for unknown",
            false => "what has a subject without such facts? write `empty = \"null\"` for unknown, or a value",
        };
        self.error(code::MISSING_EMPTY, &name.at, "an aggregate has no `empty`", help);
        None
    }

    fn window_of(&mut self, name: &Name, table: &MetricTable) -> Option<Window> {
        let Some(window) = &table.window else {
            let help = "say which time counts: window = { last = \"12 months\" } or window = \"lifetime\"";
            self.error(code::MISSING_KEY, &name.at, "an aggregate has no `window`", help);
            return None;
        };
        match window.value.as_ref()? {
            WindowEntry::Lifetime(_) => Some(Window { kind: WindowKind::Lifetime, offset: 0 }),
            WindowEntry::Table(table) => self.window(table, window),
        }
    }

    pub(super) fn window(&mut self, table: &WindowTable, at: &At<WindowEntry>) -> Option<Window> {
        let unit = |unit: &At<UnitName>| unit.value.map(calendar_unit);
        let kinds = [
            table.last.as_ref().map(|last| last.value.as_ref().map(|last| WindowKind::Last(last.0))),
            table.calendar.as_ref().map(|calendar| unit(calendar).map(WindowKind::Calendar)),
            table.previous.as_ref().map(|previous| unit(previous).map(WindowKind::Previous)),
            table.lifetime.as_ref().map(|lifetime| lifetime.value.map(|_| WindowKind::Lifetime)),
        ];
        let given: Vec<_> = kinds.into_iter().flatten().collect();
        let [kind] = given.as_slice() else {
            let headline = if given.is_empty() { "this window has no kind" } else { "this window has several kinds" };
            let help = "write exactly one of `last`, `calendar`, `previous` and `lifetime`";
            self.error(code::BAD_WINDOW, &at.at, headline, help);
            return None;
        };
        let kind = (*kind)?;
        if table.lifetime.as_ref().is_some_and(|lifetime| lifetime.value == Some(false)) {
            self.error(code::BAD_WINDOW, &at.at, "`lifetime` is true or left out", "write { last = \"12 months\" }");
            return None;
        }
        let offset = At::value_or(table.offset.as_ref(), 0, |offset| *offset)?;
        self.bounded(Window { kind, offset }, at)
    }

    /// Windows reach back 1,000 years at most, so that no date leaves the calendar.
    fn bounded(&mut self, window: Window, at: &At<WindowEntry>) -> Option<Window> {
        let back = i64::from(window.offset) + 2;
        let (months, days) = match window.kind {
            WindowKind::Lifetime if window.offset > 0 => {
                let help = "leave `offset` out";
                self.error(code::BAD_WINDOW, &at.at, "nothing lies before the whole lifetime", help);
                return None;
            }
            WindowKind::Lifetime | WindowKind::Since(_) => (0, 0),
            WindowKind::ProgramYear(_) | WindowKind::AnniversaryOf(_) => (12, 0),
            WindowKind::Last(span) => (span.months, span.days),
            WindowKind::Calendar(unit) | WindowKind::Previous(unit) => (unit.months(), 0),
        };
        if i64::from(months) * (back - 1) > 12_000 || i64::from(days) * (back - 1) > 365_000 {
            let headline = "this window lies more than 1,000 years back";
            self.error(code::OUT_OF_RANGE, &at.at, headline, "write a smaller `offset`");
            return None;
        }
        Some(window)
    }

    /// `per`, if it can be: `Some(None)` where there is none.
    fn rate(&mut self, table: &MetricTable, call: Option<&Call>, window: Option<&Window>) -> Option<Option<Per>> {
        let Some(written) = &table.per else {
            return Some(None);
        };
        let per = per(written.value?);
        let (call, window) = (call?, window?);
        let summed = matches!(call.function, AggregateFn::Sum | AggregateFn::Count | AggregateFn::CountDistinct);
        let (headline, help) = if !summed {
            ("only sums and counts have a rate", "leave `per` out")
        } else if !call.ty.is_exact() {
            ("a rate is computed from exact numbers", "write sum(cast(x as decimal(2)))")
        } else if window.units(per).is_none() {
            (
                "a rate needs a window of fixed length",
                "write window = { last = \"12 months\" } or { previous = \"year\" }",
            )
        } else {
            return Some(Some(per));
        };
        self.error(code::BAD_RATE, &written.at, headline, help);
        None
    }
}

/// The metric's type: a rate has at least six digits after the point.
fn metric_type(ty: Type, per: Option<Per>) -> Type {
    match (per, ty.scale()) {
        (Some(_), Some(scale)) => Type::Decimal(scale.max(6)),
        _ => ty,
    }
}

pub(super) fn calendar_unit(unit: UnitName) -> tierd_model::CalendarUnit {
    match unit {
        UnitName::Year => tierd_model::CalendarUnit::Year,
        UnitName::Quarter => tierd_model::CalendarUnit::Quarter,
        UnitName::Month => tierd_model::CalendarUnit::Month,
    }
}

fn per(per: PerName) -> Per {
    match per {
        PerName::Day => Per::Day,
        PerName::Week => Per::Week,
        PerName::Month => Per::Month,
        PerName::Year => Per::Year,
    }
}
