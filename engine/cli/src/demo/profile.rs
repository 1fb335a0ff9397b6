//! `profile.toml`: what a pack's example database holds. Read once, checked whole; what is drawn from it can't fail any more.
//!
//! A table either has rows of its own (customers, accounts) or dated rows about those of another ([`Events`]). Rows of the first
//! sort are of a hidden [`Kind`], by which their figures differ: how often they buy, for how much, since when, and whether less
//! and less. Columns are made from these figures ([`Make`]).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::amount::Amount;

/// A pack's profile.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// What the pack is about, in a few words.
    pub(crate) title: Title,
    /// Numbers of the grading systems that it holds: `S6`.
    pub(crate) systems: Vec<String>,
    /// Other names by which it is found.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// The tier set from which somebody is explained.
    pub(crate) explain: String,
    /// Tables, each after those that it refers to.
    #[serde(rename = "table")]
    pub(super) tables: Vec<Table>,
}

/// A title in both languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Title {
    pub(crate) en: String,
    pub(crate) zh: String,
}

/// A table of the example database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) name: String,
    /// Rows for 1,000 customers that are asked for, in a table with rows of its own.
    #[serde(default = "thousand")]
    pub(super) per_thousand: u32,
    /// The table whose rows these dated rows are about, and when they happen.
    pub(super) about: Option<String>,
    pub(super) events: Option<Events>,
    /// What each row has, unless its kind says otherwise.
    #[serde(default)]
    pub(super) figures: BTreeMap<String, Amount>,
    #[serde(default, rename = "kind")]
    pub(super) kinds: Vec<Kind>,
    pub(super) columns: Vec<Column>,
}

/// A hidden kind of customer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kind {
    pub(super) name: String,
    /// How many there are, beside those of the other kinds.
    pub(super) share: u32,
    #[serde(default)]
    pub(super) figures: BTreeMap<String, Amount>,
}

/// When dated rows happen. Texts are names of figures of the row that they are about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    /// How many in a year; about evenly spread.
    pub(super) per_year: Option<String>,
    /// Or once a month, on this day.
    pub(super) monthly: Option<u32>,
    /// The first one is at most so many days ago.
    pub(super) tenure: String,
    /// None in the last days, so many.
    pub(super) silent: Option<String>,
    /// By how many percent a year they become more, or fewer.
    pub(super) trend: Option<String>,
    /// Nothing is further back than this, in days.
    pub(super) most: u32,
    /// Percent of the usual in each month of the year.
    pub(super) season: Option<[u32; 12]>,
}

/// A column of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its type in `CREATE TABLE`.
    pub(super) sql: String,
    /// Percent of rows that have none.
    #[serde(default)]
    pub(super) null: u32,
    pub(super) make: Make,
}

/// How a value is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Make {
    /// 1, 2, 3 …
    Id,
    /// The id of the row that this row is about.
    About,
    /// When it happened: `2026-03-31 18:05:00`, `2026-03-31`, or 20260331.
    Time,
    Date,
    Yyyymmdd,
    /// The name of a person, or a city.
    Person,
    City,
    /// A company with one of these endings; a body of some city.
    Company(Vec<String>),
    Body(Vec<String>),
    /// A number as it is; a hundredth of it, as REAL or as text with two digits.
    Number(Amount),
    Hundredths(Amount),
    DecimalText(Amount),
    /// 1 in so many of 100 rows, else 0.
    Chance(Amount),
    /// One of these, by weight.
    Choice(BTreeMap<String, u32>),
    /// A day so long before or after the last one.
    DaysAgo(Amount),
    DaysAhead(Amount),
    /// The birthday of somebody of this age, in years.
    Born([u32; 2]),
    /// The id of a row of another table, the likelier the larger its figure: a member's group.
    Member {
        of: String,
        weight: String,
    },
    /// By the kind of the row; `else` for the kinds that aren't named.
    ByKind(BTreeMap<String, Make>),
}

/// What is wrong with a profile.
#[derive(Debug, thiserror::Error)]
#[error("profile of pack `{pack}`: {message}")]
pub(crate) struct ProfileError {
    pack: String,
    message: String,
}

fn thousand() -> u32 {
    1000
}

impl Profile {
    /// Reads and checks a profile: every name in it is known.
    ///
    /// # Errors
    /// [`ProfileError`] with the first mistake.
    pub(crate) fn parse(pack: &str, text: &str) -> Result<Self, ProfileError> {
        let wrong = |message: String| ProfileError { pack: pack.to_owned(), message };
        let profile: Profile = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        for (i, table) in profile.tables.iter().enumerate() {
            table.check(&profile.tables[..i]).map_err(|what| wrong(format!("table {}: {what}", table.name)))?;
        }
        Ok(profile)
    }
}

impl Table {
    fn check(&self, before: &[Table]) -> Result<(), String> {
        let subject = match &self.about {
            None => self,
            Some(name) => find(before, name)?,
        };
        if self.about.is_none() && !self.kinds.iter().any(|kind| kind.share > 0) {
            return Err("has no kind with a share".into());
        }
        if self.about.is_some() != self.events.is_some() {
            return Err("`about` and `events` go together".into());
        }
        let mut used: Vec<&str> = self.kinds.iter().flat_map(|kind| kind.figures.keys()).map(String::as_str).collect();
        if let Some(events) = &self.events {
            events.check()?;
            used.extend(events.figures());
        }
        for column in &self.columns {
            column.make.check(before, &mut used)?;
        }
        match used.into_iter().find(|name| !subject.figures.contains_key(*name)) {
            Some(name) => Err(format!("no figure `{name}`")),
            None => Ok(()),
        }
    }

    /// Where a figure stands among a row's figures.
    #[expect(clippy::expect_used, reason = "Table::check has found every figure that is named")]
    pub(super) fn figure(&self, name: &str) -> usize {
        self.figures.keys().position(|key| key == name).expect("a figure that is declared")
    }
}

fn find<'a>(tables: &'a [Table], name: &str) -> Result<&'a Table, String> {
    let found = tables.iter().find(|table| table.name == name && table.about.is_none());
    found.ok_or_else(|| format!("no table `{name}` with rows of its own before it"))
}

impl Events {
    fn check(&self) -> Result<(), String> {
        match (&self.per_year, self.monthly) {
            (Some(_), None) | (None, Some(1..=28)) => Ok(()),
            _ => Err("events are either `per_year` or `monthly` on a day from 1 to 28".into()),
        }
    }

    fn figures(&self) -> impl Iterator<Item = &str> {
        let optional = [&self.per_year, &self.silent, &self.trend].into_iter().flatten();
        optional.chain([&self.tenure]).map(String::as_str)
    }
}

impl Make {
    /// Adds the figures that it needs to `used`.
    fn check<'a>(&'a self, before: &[Table], used: &mut Vec<&'a str>) -> Result<(), String> {
        match self {
            Make::Number(amount) | Make::Hundredths(amount) | Make::DecimalText(amount) => used.extend(amount.figure()),
            Make::DaysAgo(amount) | Make::DaysAhead(amount) | Make::Chance(amount) => used.extend(amount.figure()),
            Make::Choice(weights) if weights.values().all(|&weight| weight == 0) => {
                return Err("a choice of nothing".into());
            }
            Make::Company(endings) | Make::Body(endings) if endings.is_empty() => return Err("no endings".into()),
            Make::Member { of, weight } => {
                let group = find(before, of)?;
                if !group.figures.contains_key(weight) {
                    return Err(format!("no figure `{weight}` of {of}"));
                }
            }
            Make::ByKind(makes) => {
                if !makes.contains_key("else") {
                    return Err("`by_kind` needs an `else`".into());
                }
                makes.values().try_for_each(|make| make.check(before, used))?;
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        title = { en = "Test", zh = "测试" }
        systems = ["S6"]
        explain = "value"
        [[table]]
        name = "customers"
        figures = { tenure = [30, 400], orders = 3, ticket = { lognormal = [20000, 50] } }
        kind = [{ name = "all", share = 1 }]
        columns = [{ name = "id", sql = "INTEGER PRIMARY KEY", make = "id" }]
        [[table]]
        name = "orders"
        about = "customers"
        events = { per_year = "orders", tenure = "tenure", most = 800 }
        columns = [{ name = "amount", sql = "INTEGER", make = { number = { around = "ticket", percent = 50 } } }]
    "#;

    #[test]
    fn a_good_profile_is_read() {
        let profile = Profile::parse("test", GOOD).unwrap();
        assert_eq!(profile.tables.len(), 2);
        assert_eq!(profile.tables[0].figure("tenure"), 1);
    }

    #[test]
    fn mistakes_are_named() {
        for (from, to, said) in [
            (r#"per_year = "orders""#, r#"per_year = "odrers""#, "table orders: no figure `odrers`"),
            (r#"about = "customers""#, r#"about = "people""#, "no table `people`"),
            ("share = 1", "share = 0", "table customers: has no kind"),
            (r#"around = "ticket""#, r#"around = "bill""#, "no figure `bill`"),
            (r#"per_year = "orders", "#, "", "either `per_year` or `monthly`"),
            ("explain", "explained", "unknown field `explained`"),
        ] {
            let error = Profile::parse("test", &GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("pack `test`"), "{to}: {error}");
        }
    }
}
