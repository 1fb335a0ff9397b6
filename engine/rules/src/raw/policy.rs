//! Strings with a form of their own that policies and retention rules use: days of the year, shares, codes of lints.

use schemars::{Schema, json_schema};
use tierd_model::{Decimal, MonthDay};

use super::{
    forms::Form,
    read::{Item, Read, Reading},
    table::unknown_word,
};
use crate::{code, diagnostic::Diagnostic};

/// A day of every year: `04-01`.
#[derive(Debug, Clone)]
pub(crate) struct DayText;

impl Form for DayText {
    type Value = MonthDay;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<MonthDay> {
        let text = String::read(item, cx)?;
        let report = |error: tierd_model::MonthDayError| {
            let at = cx.location(item.value.span());
            let headline = format!("`{text}` is no day of the year");
            cx.out.push(Diagnostic::error(code::BAD_DAY, &at, headline).help(error.to_string()));
        };
        MonthDay::parse(&text).map_err(report).ok()
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$",
            "examples": ["04-01", "12-31"],
        })
    }
}

/// A share above 0 % and below 100 %, in parts per million: `10%`.
#[derive(Debug, Clone)]
pub(crate) struct ShareText;

impl Form for ShareText {
    type Value = u32;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<u32> {
        let text = String::read(item, cx)?;
        let percent = text.strip_suffix('%').and_then(|percent| Decimal::parse(percent.trim_end()));
        let units =
            percent.and_then(|percent| percent.rescale_exact(4)).and_then(|share| u32::try_from(share.units).ok());
        let share = units.filter(|ppm| (1..1_000_000).contains(ppm));
        if share.is_none() {
            let at = cx.location(item.value.span());
            let headline = format!("`{text}` is no share above 0% and below 100%");
            let help = "write a share such as \"10%\", with at most four digits after the point";
            cx.out.push(Diagnostic::error(code::BAD_SHARE, &at, headline).help(help));
        }
        share
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[0-9]{1,2}(\.[0-9]{1,4})?\s*%$", "examples": ["10%", "0.5%"] })
    }
}

/// The code of a lint: one of [`code::LINTS`].
#[derive(Debug, Clone)]
pub(crate) struct LintCode;

impl Form for LintCode {
    type Value = &'static str;

    fn parse(item: &Item<'_, '_>, cx: &mut Reading<'_>) -> Option<&'static str> {
        let text = String::read(item, cx)?;
        let found = code::LINTS.iter().find(|lint| **lint == text);
        found.copied().or_else(|| unknown_word(&text, code::LINTS, item, cx))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "enum": code::LINTS })
    }
}
