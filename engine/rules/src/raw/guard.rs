//! Guards as written.

use schemars::{Schema, json_schema};
use toml::de::DeValue;

use super::{
    forms::{Form, LimitText, Parsed, SpanText},
    policy::ShareText,
    read::{Item, Named, Reading},
    table::{table, words},
};
use crate::{code, config::Limit, diagnostic::Diagnostic};

table! {
    /// How much of a tier set may change in a run before the run waits for a person. Shares are such as `"10%"`.
    TiersGuardTable = "the guard of a tier set" {
        /// How many of the subjects that had a level may change it: a number, or a share.
        optional moved: Parsed<GuardText>,
        /// How many of them may fall to a lower level, or to none.
        optional fallen: Parsed<GuardText>,
        /// The largest share of all subjects that a level may have: `{ A = "20%" }`.
        optional share: Named<Parsed<ShareText>>,
    } with source: SourceGuardTable
}

table! {
    /// How much a retention rule may do in a run before the run waits for a person. Shares are such as `"10%"`.
    RuleGuardTable = "the guard of a retention rule" {
        /// How many of all subjects it may act on: a number, or a share.
        optional acted: Parsed<GuardText>,
    } with source: SourceGuardTable
}

table! {
    /// What guards of both kinds watch.
    SourceGuardTable = "a guard" {
        /// How many rows fewer than in the last run that decided this a table that it reads may have: a number, or a share.
        optional shrunk: Parsed<GuardText>,
        /// How old the newest row of each facts that it reads may be: `"2 days"`.
        optional stale: Parsed<SpanText>,
        /// How many bad values the tables that it reads may hold: a number of rows, or a share of them.
        optional bad_rows: Parsed<GuardText>,
        /// What happens above any of these. Default: hold.
        optional exceed: GuardExceedName,
    }
}

words! {
    /// What happens above a guard.
    GuardExceedName {
        /// The run waits, unapplied, for a person.
        Hold = "hold",
        /// The run is applied, and says so.
        Warn = "warn",
    }
}

/// A number, or a share of at most 100 %.
#[derive(Debug, Clone)]
pub(crate) struct GuardText;

impl Form for GuardText {
    type Value = Limit;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<Limit> {
        let limit = LimitText::of(item).filter(|limit| *limit != Limit::Unlimited);
        if limit.is_none() {
            let headline = match item.value.get_ref() {
                DeValue::String(text) if text.ends_with('%') => format!("`{text}` is no share from 0% to 100%"),
                _ => "expected a number or a share".to_owned(),
            };
            let help =
                "such as `500` or `\"10%\"`, with at most four digits after the point; leave it out for no bound";
            cx.out.push(Diagnostic::error(code::BAD_LIMIT, &cx.location(item.value.span()), headline).help(help));
        }
        limit
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0 },
            { "type": "string", "pattern": r"^[0-9]+(\.[0-9]{1,4})?\s*%$" },
        ], "examples": ["10%", 500] })
    }
}
