//! Strings with a form of their own that policies and retention rules use: shares, codes of lints.

use schemars::{Schema, json_schema};
use tierd_model::Decimal;

use super::{
    forms::Form,
    read::{Item, Read, Reading},
    table::unknown_word,
};
use crate::{code, diagnostic::Diagnostic};

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
