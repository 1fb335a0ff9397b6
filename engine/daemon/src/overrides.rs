//! Overrides as people ask for them: checked against the rules before the ledger has them.

use tierd_ledger::{KeyRef, Ledger, NewOverride, OverrideId, OverrideKind};
use tierd_model::{CalendarSpan, Date, Key, KeyType, Timestamp, Zone};
use tierd_rules::{RuleSet, Subject, TierSet, nearest};

/// What somebody asks for.
#[derive(Debug, Clone, Copy)]
pub struct AskedOverride<'a> {
    /// The tier set's full name.
    pub set: &'a str,
    /// Whose level, as text.
    pub key: &'a str,
    /// What it does.
    pub kind: OverrideKind,
    /// To which level.
    pub level: &'a str,
    /// The first day; at once where there is none.
    pub from: Option<Date>,
    /// The last day.
    pub until: Date,
    /// Why.
    pub reason: &'a str,
    /// Who answers for it.
    pub approver: &'a str,
}

/// Why there is no override.
#[derive(Debug, thiserror::Error)]
pub enum OverrideError {
    /// It doesn't fit the rules.
    #[error("{0}")]
    Refused(String),
    /// The ledger refuses it, or can't be written.
    #[error(transparent)]
    Ledger(#[from] tierd_ledger::Error),
}

/// Records an override that fits the rules, and returns its number. Days begin and end in the rules' zone. The ledger is opened only
/// for one that fits.
///
/// # Errors
/// [`OverrideError`]; nothing is recorded then.
pub fn add(
    open: impl FnOnce() -> Result<Ledger, tierd_ledger::Error>,
    rules: &RuleSet,
    asked: &AskedOverride<'_>,
    now: Timestamp,
) -> Result<OverrideId, OverrideError> {
    let (set, key, starts, expires) = checked(rules, asked, now).map_err(OverrideError::Refused)?;
    let new = NewOverride {
        set: &set.name,
        subject: &rules.config.subjects[set.subject.0].name,
        key: KeyRef::from(&key),
        kind: asked.kind,
        level: asked.level,
        reason: asked.reason,
        approver: asked.approver,
        starts,
        expires,
        created: now,
    };
    Ok(open()?.add_override(&new)?)
}

fn checked<'a>(
    rules: &'a RuleSet,
    asked: &AskedOverride<'_>,
    now: Timestamp,
) -> Result<(&'a TierSet, Key, Timestamp, Timestamp), String> {
    let sets = rules.tier_sets.iter().map(|set| set.name.as_str());
    let set = rules.tier_set(asked.set).ok_or_else(|| unknown("no tier set", asked.set, sets))?;
    let levels = set.levels.iter().map(|level| level.name.as_str());
    if !levels.clone().any(|level| level == asked.level) {
        return Err(unknown(&format!("tier set `{}` has no level", set.name), asked.level, levels));
    }
    if !set.ordered && asked.kind != OverrideKind::Pin {
        let kind = asked.kind.name();
        return Err(format!("the levels of `{}` have no order, so that there is no {kind}; pin a level", set.name));
    }
    let key = key(asked.key, &rules.config.subjects[set.subject.0])?;
    let (starts, expires) = times(asked, now, &rules.config.zone)?;
    Ok((set, key, starts, expires))
}

fn unknown<'a>(lacking: &str, name: &str, all: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = nearest(name, all.clone()).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("{lacking} `{name}`; there is: {}{near}", all.collect::<Vec<_>>().join(", "))
}

fn key(text: &str, subject: &Subject) -> Result<Key, String> {
    let kind = match subject.key_type {
        KeyType::Integer => "integer",
        KeyType::Text => "text",
    };
    let refused = || format!("`{text}` is no key of a {}: its keys are of type {kind}", subject.name);
    Key::parse(text, subject.key_type).ok_or_else(refused)
}

/// From the first moment of the first day to the last of the last one.
fn times(asked: &AskedOverride<'_>, now: Timestamp, zone: &Zone) -> Result<(Timestamp, Timestamp), String> {
    let starts = asked.from.map_or(now, |day| zone.midnight(day));
    let expires = zone.midnight(CalendarSpan::days(1).add_to(asked.until));
    if expires <= starts {
        Err(format!("its last day, {}, is over before it begins", asked.until))
    } else {
        Ok((starts, expires))
    }
}
