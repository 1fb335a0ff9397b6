//! What is said of a broken guard.

use tierd_rules::{Limit, RuleSet};

use super::{Guarded, Which};

/// The rules' names for one set or rule and what belongs to it.
#[derive(Clone)]
pub(super) struct Words<'a> {
    rules: &'a RuleSet,
    of: Guarded,
}

impl<'a> Words<'a> {
    pub(super) fn new(rules: &'a RuleSet, of: Guarded) -> Self {
        Words { rules, of }
    }

    pub(super) fn of(&self) -> Guarded {
        self.of
    }

    /// `tiers.value: 241 of 1000 (24.1 %) with a level would move, and `guard.moved` allows 10%`.
    pub(super) fn message(&self, which: Which, allowed: &str, found: &str) -> String {
        let (of, rules) = (self.of.name(self.rules), self.rules);
        let what = match which {
            Which::Moved => format!("{found} with a level would move"),
            Which::Fallen => format!("{found} with a level would fall"),
            Which::Share(level) => format!("{found} subjects would have level {}", self.level(level)),
            Which::Acted => format!("it would act on {found} subjects"),
            Which::Limit => {
                return format!("{of}: it would act on {found} subjects, and `limit` allows {allowed} per run");
            }
            Which::Shrunk(table) => format!("{found} rows of `{}` are gone since the last run", table.name(rules)),
            Which::Stale(table) => format!("the newest row of `{}` is of {found}", table.name(rules)),
            Which::BadRows(table) => {
                format!("{found} rows of `{}` hold values that don't fit their types", table.name(rules))
            }
        };
        format!("{of}: {what}, and `guard.{}` allows {allowed}", which.name())
    }

    fn level(&self, level: u16) -> &str {
        match self.of {
            Guarded::Set(set) => &self.rules.tier_sets[set.0].levels[usize::from(level)].name,
            Guarded::Rule(_) => "",
        }
    }
}

/// A limit as the rules have it.
pub(super) fn amount(limit: Limit) -> String {
    match limit {
        Limit::Rows(rows) => rows.to_string(),
        Limit::PartsPerMillion(ppm) => format!("{}%", f64::from(ppm) / 10_000.0),
        Limit::Unlimited => "any number".to_owned(),
    }
}

/// `241 of 1000 (24.1 %)`
pub(super) fn share(count: u64, total: u64) -> String {
    match total {
        0 => format!("{count} of 0"),
        _ => format!("{count} of {total} ({})", percent(count, total)),
    }
}

/// `24.1 %`: to a hundredth, without zeros that say nothing.
pub(crate) fn percent(count: u64, total: u64) -> String {
    let hundredths = (count as f64 * 10_000.0 / total.max(1) as f64).round();
    format!("{} %", hundredths / 100.0)
}
