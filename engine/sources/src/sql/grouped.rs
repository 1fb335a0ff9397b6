//! One aggregate in a `GROUP BY`: over facts by subject, or over members by group.

use tierd_model::{Type, Value, pow10};
use tierd_rules::AggregateFn;

use super::{
    expr::{call, divide, joined, times, value},
    text::{Binds, Sql, indent, name},
};

/// What is aggregated, of which rows.
pub(super) struct Grouped {
    pub(super) function: AggregateFn,
    /// `None` for `count(*)`.
    pub(super) argument: Option<(Sql, Type)>,
    /// All of these must hold.
    pub(super) rows: Vec<Sql>,
}

impl Grouped {
    /// Adds the columns that the grouped query needs, and gives the number as it is to be read from `cte`; NULL where no row
    /// counts, but for counts, which are 0 then.
    pub(super) fn columns(&self, cte: &str, alias: &str, columns: &mut Vec<(String, String)>) -> Sql {
        let over = filter(&self.rows);
        let argument = self.argument.as_ref().map_or("*", |(argument, _)| argument.bare());
        let raw = |alias: &str| Sql::whole(format!("{cte}.{alias}"));
        let (call, result) = match self.average() {
            None => (one_call(self.function, argument), raw(alias)),
            Some(scale) => {
                let count = name(&format!("count of {}", alias.trim_matches('"')));
                columns.push((format!("count({argument}){over}"), count.clone()));
                let dividend = times(&raw(alias), pow10(6u8.saturating_sub(scale)));
                (format!("sum({argument})"), divide(&dividend, &raw(&count)))
            }
        };
        columns.push((format!("{call}{over}"), alias.to_owned()));
        result
    }

    /// The scale of the argument of an exact average, which is a quotient of two aggregates.
    fn average(&self) -> Option<u8> {
        let (_, ty) = self.argument.as_ref()?;
        ty.scale().filter(|_| self.function == AggregateFn::Avg)
    }
}

/// Which rows count, after a call.
pub(super) fn filter(rows: &[Sql]) -> String {
    match rows {
        [] => String::new(),
        rows => format!(" FILTER (\n  WHERE {}\n)", indent(joined(Binds::And, "AND", rows.to_vec()).bare(), 2)),
    }
}

/// Whether an aggregate is a number of rows: 0, where others are NULL.
pub(super) fn counts(function: AggregateFn) -> bool {
    matches!(function, AggregateFn::Count | AggregateFn::CountDistinct)
}

/// A count of no rows is NULL, unless the metric says 0 for none anyway.
pub(super) fn some_rows(function: AggregateFn, raw: Sql, empty: Option<&Value>, ty: Type) -> Sql {
    let zero = empty.is_some_and(|empty| value(empty, ty).bare() == "0");
    if counts(function) && !zero { call("nullif", &[raw, Sql::integer(0)]) } else { raw }
}

/// The number, or what the metric says where no row counts.
pub(super) fn or_empty(sql: Sql, empty: Option<&Value>, ty: Type) -> Sql {
    match empty {
        Some(empty) => call("coalesce", &[sql, value(empty, ty)]),
        None => sql,
    }
}

fn one_call(function: AggregateFn, argument: &str) -> String {
    match function {
        AggregateFn::Sum => format!("sum({argument})"),
        AggregateFn::Count => format!("count({argument})"),
        AggregateFn::CountDistinct => format!("count(DISTINCT {argument})"),
        AggregateFn::Avg => format!("avg({argument})"),
        AggregateFn::Min => format!("min({argument})"),
        AggregateFn::Max | AggregateFn::DaysSince => format!("max({argument})"),
        AggregateFn::First | AggregateFn::Last | AggregateFn::MeanGap | AggregateFn::MedianGap => {
            unreachable!("what asks for rows in their order has a query of its own, and no roll-up asks for it")
        }
    }
}
