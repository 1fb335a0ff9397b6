//! First levels where there are no dated rows: by a number, by a date, or one for all.

use tierd_model::Type;

use super::{
    kind::Kind,
    names,
    relate::{Described, Subject},
    toml_text::string,
};

/// Levels from the best attribute that there is.
pub(super) fn from_attributes(subject: &Subject<'_>) -> String {
    let stored = |d: &Described| subject.table.columns[d.column].name.as_str();
    let usable = |d: &&Described| !d.personal && !names::is_identifier(stored(d));
    let with = |test: &dyn Fn(&Kind) -> bool| {
        subject.columns.iter().filter(usable).filter(|d| d.kind.as_ref().is_ok_and(test)).collect::<Vec<_>>()
    };
    let mut numbers = with(&|kind| kind.ty.is_numeric());
    numbers.sort_by_key(|d| std::cmp::Reverse(names::money_rank(stored(d))));
    if let Some(number) = numbers.first() {
        return attribute_levels(&subject.name, &number.name);
    }
    if let Some(time) = with(&Kind::is_time).first() {
        let date = time.kind.as_ref().is_ok_and(|kind| kind.ty == Type::Date);
        let date = if date { time.name.clone() } else { format!("date({})", time.name) };
        return tenure_levels(&subject.name, &date);
    }
    one_level(&subject.name)
}

fn attribute_levels(subject: &str, attribute: &str) -> String {
    format!(
        r#"
# Fifths of all by `{attribute}`, 5 for the largest.
[metric.value_fifth]
quintile = {quintile}

[tiers.value]
subject = {subject}

[[tiers.value.level]]
name = "C"

[[tiers.value.level]]
name = "B"
when = "value_fifth >= 4"

[[tiers.value.level]]
name = "A"
when = "value_fifth = 5"   # or a threshold: when = "{attribute} >= 5000"
"#,
        quintile = string(&format!("{attribute} asc")),
        subject = string(subject),
    )
}

fn tenure_levels(subject: &str, date: &str) -> String {
    format!(
        r#"
[metric.days_known]
derived = {derived}

[tiers.value]
subject = {subject}

[[tiers.value.level]]
name = "new"

[[tiers.value.level]]
name = "known"
when = "days_known >= 90"

[[tiers.value.level]]
name = "old"
when = "days_known >= 365"
"#,
        derived = string(&format!("days_between({date}, today)")),
        subject = string(subject),
    )
}

fn one_level(subject: &str) -> String {
    format!(
        r#"
# Nothing to grade by was found: a level that all have, to begin with.
[tiers.value]
subject = {subject}

[[tiers.value.level]]
name = "C"
"#,
        subject = string(subject),
    )
}
