//! Aggregates: function, rows, window, rate and the value of those without rows.

use tierd_model::{Per, Type, Value, Window};

use super::{
    Checking,
    catalog::{Catalog, Entry, columns_scope, unknown},
    window,
};
use crate::{
    Aggregate, AggregateFn, Facts, FactsId, code,
    diagnostic::Diagnostic,
    expr::{Expr, ExprKind},
    fileset::Location,
    raw::{
        At, Name,
        rules::{MetricTable, PerName},
    },
    syntax::{Node, NodeKind},
    typing::Typing,
};

/// Aggregates as they are written, with their functions.
const AGGREGATES: [(&str, AggregateFn); 13] = [
    ("sum", AggregateFn::Sum),
    ("count", AggregateFn::Count),
    ("count_distinct", AggregateFn::CountDistinct),
    ("count_where", AggregateFn::Count),
    ("share", AggregateFn::Avg),
    ("avg", AggregateFn::Avg),
    ("min", AggregateFn::Min),
    ("max", AggregateFn::Max),
    ("first", AggregateFn::First),
    ("last", AggregateFn::Last),
    ("days_since", AggregateFn::DaysSince),
    ("mean_gap", AggregateFn::MeanGap),
    ("median_gap", AggregateFn::MedianGap),
];

const FORMS: &str = "write sum(x), count(*), count(x), count_distinct(x), count_where(c), share(c), avg(x), min(x), max(x), first(x), \
     last(x), days_since(x), mean_gap(x) or median_gap(x)";

/// A function with its argument, and the type of what it gives.
pub(super) struct Call {
    pub(super) function: AggregateFn,
    pub(super) argument: Option<Expr>,
    pub(super) ty: Type,
}

/// What is called, before its argument is typed.
pub(super) struct Called<'n> {
    name: &'n str,
    function: AggregateFn,
    argument: Option<Argument<'n>>,
}

/// What a call is of.
enum Argument<'n> {
    /// A value.
    Value(&'n Node),
    /// The rows for which this is true: `count_where(c)`.
    Where(&'n Node),
    /// The share of rows for which this is true among those where it isn't UNKNOWN: `share(c)`.
    Share(&'n Node),
}

/// An aggregate of facts; its window's anchor, if there is one, is still to be looked up.
pub(super) struct OfFacts<'a> {
    pub(super) aggregate: Aggregate,
    pub(super) ty: Type,
    pub(super) anchor: Option<&'a At<String>>,
}

impl Checking<'_> {
    /// The aggregate that a metric is.
    pub(super) fn aggregate<'a>(
        &mut self,
        name: &Name,
        table: &'a MetricTable,
        text: &At<String>,
        catalog: &Catalog,
    ) -> Option<OfFacts<'a>> {
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
        let rate = self.rate(table, call.as_ref(), window.as_ref().map(|found| &found.window));
        let empty = match (&table.empty, &call) {
            (Some(empty), Some(call)) if rate.is_some() => {
                self.empty(empty, metric_type(call.ty, rate.flatten()), &catalog.zone)
            }
            (None, call) => {
                self.missing_empty(name, "subject without such facts", call.as_ref().map(|call| call.function))
            }
            _ => None,
        };
        let (call, per) = (call?, rate?);
        let ty = metric_type(call.ty, per);
        let Call { function, argument, .. } = call;
        let window::Found { window, anchor } = window?;
        let aggregate = Aggregate { facts: facts?, function, argument, filter: filter?, window, per, empty: empty? };
        Some(OfFacts { aggregate, ty, anchor })
    }

    pub(super) fn facts_of(&mut self, name: &Name, table: &MetricTable, catalog: &Catalog) -> Option<FactsId> {
        let Some(from) = &table.from else {
            let help = "say of which facts: from = \"orders\"";
            self.error(code::MISSING_KEY, &name.at, "an aggregate has no `from`", help);
            return None;
        };
        let wanted = from.value.as_ref()?;
        let found = catalog.facts.iter().position(|entry| entry.name.text == *wanted);
        if found.is_none() {
            let facts = catalog.facts.iter().map(|entry| &entry.name);
            let names = facts.chain(catalog.groups()).map(|name| name.text.as_str());
            let diagnostic = unknown(code::UNKNOWN_FACTS, "facts", wanted, &from.at, names);
            self.out.push(diagnostic);
        }
        found.map(FactsId)
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
        let called = self.called(node)?;
        let argument = self.typed_facts(facts, catalog, |typing| called.argument(typing, &node.at))?;
        self.call(&called, argument)
    }

    /// What an aggregate calls, if it is one.
    pub(super) fn called<'n>(&mut self, node: &'n Node) -> Option<Called<'n>> {
        use AggregateFn as A;
        use Argument::{Share, Value, Where};
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
        let (function, argument) = match (name.as_str(), function, *distinct, *star, arguments.as_slice()) {
            ("count", _, false, true, []) => (function, None),
            ("count", _, true, false, [argument]) => (A::CountDistinct, Some(Value(argument))),
            ("count_where", _, false, false, [argument]) => (function, Some(Where(argument))),
            ("share", _, false, false, [argument]) => (function, Some(Share(argument))),
            (_, function, false, false, [argument]) => (function, Some(Value(argument))),
            _ => {
                self.error(code::BAD_AGGREGATE, &node.at, format!("`{name}` is called with other arguments"), FORMS);
                return None;
            }
        };
        Some(Called { name, function, argument })
    }

    /// The call, once its argument is typed.
    pub(super) fn call(&mut self, called: &Called<'_>, argument: Option<Expr>) -> Option<Call> {
        let ty = match &argument {
            Some(argument) => self.result_type(called.function, called.name, argument)?,
            None => Type::Integer,
        };
        Some(Call { function: called.function, argument, ty })
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

    /// Reports an aggregate without `empty`; `whose` is for whom it would count.
    pub(super) fn missing_empty<T>(&mut self, name: &Name, whose: &str, function: Option<AggregateFn>) -> Option<T> {
        let zero = matches!(function, Some(AggregateFn::Sum | AggregateFn::Count | AggregateFn::CountDistinct));
        let write = match zero {
            true => "`empty = 0`, or `empty = \"null\"` for unknown",
            false => "`empty = \"null\"` for unknown, or a value",
        };
        let help = format!("what has a {whose}? write {write}");
        self.error(code::MISSING_EMPTY, &name.at, "an aggregate has no `empty`", help);
        None
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

impl Called<'_> {
    pub(super) fn function(&self) -> AggregateFn {
        self.function
    }

    /// The typed argument, if there is any: `Some(None)` where there is none.
    pub(super) fn argument(&self, typing: &mut Typing<'_>, at: &Location) -> Option<Option<Expr>> {
        match &self.argument {
            Some(argument) => argument_of(argument, typing, at).map(Some),
            None => Some(None),
        }
    }
}

/// An argument's value for a row: a condition counts 1 where it is TRUE.
fn argument_of(argument: &Argument<'_>, typing: &mut Typing<'_>, at: &Location) -> Option<Expr> {
    let number = |n: i64| Expr { kind: ExprKind::Literal(Value::Integer(n)), ty: Type::Integer, at: at.clone() };
    let whens = match argument {
        Argument::Value(node) => return typing.value(node),
        Argument::Where(node) => vec![(typing.condition(node)?, number(1))],
        Argument::Share(node) => {
            let condition = typing.condition(node)?;
            let (ty, at) = (condition.ty, condition.at.clone());
            let not = Expr { kind: ExprKind::Not(Box::new(condition.clone())), ty, at };
            vec![(condition, number(1)), (not, number(0))]
        }
    };
    Some(Expr { kind: ExprKind::Case { whens, otherwise: None }, ty: Type::Integer, at: at.clone() })
}

/// The metric's type: a rate has at least six digits after the point.
fn metric_type(ty: Type, per: Option<Per>) -> Type {
    match (per, ty.scale()) {
        (Some(_), Some(scale)) => Type::Decimal(scale.max(6)),
        _ => ty,
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
