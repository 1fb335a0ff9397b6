//! `tierd override`: levels that a person sets, within stated times and with a name under them.

use std::path::Path;

use tierd_ledger::{End, KeyRef, NewOverride, Override, OverrideFilter, OverrideId, OverrideKind};
use tierd_model::{CalendarSpan, Key, KeyType, Timestamp, Zone};
use tierd_rules::{Subject, TierSet};

use crate::{
    args::{OverrideAddArgs, OverrideCommand, OverrideEndArgs, OverrideListArgs},
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session::{self, Session, ledger_failure},
};

/// Carries out one of its commands.
pub(crate) fn overrides(command: &OverrideCommand, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::open(folder, output)?;
    match command {
        OverrideCommand::Add(args) => add(args, &session, output),
        OverrideCommand::List(args) => list(args, &session, output),
        OverrideCommand::End(args) => end(args, &session, output),
    }
}

fn add(args: &OverrideAddArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let set = session.tier_set(Some(&args.set))?;
    let (kind, level) = effect(args)?;
    if !set.levels.iter().any(|known| known.name == level) {
        let lacking = format!("tier set `{}` has no level", set.name);
        return Err(session::unknown(&lacking, level, set.levels.iter().map(|level| level.name.as_str())));
    }
    refuse_limits_without_order(set, kind)?;
    let subject = &session.rules.config.subjects[set.subject.0];
    let key = parse_key(&args.key, subject)?;
    let now = session::now();
    let (starts, expires) = times(args, now, &session.rules.config.zone)?;
    let new = NewOverride {
        set: &set.name,
        subject: &subject.name,
        key: KeyRef::from(&key),
        kind,
        level,
        reason: &args.reason,
        approver: &args.approver,
        starts,
        expires,
        created: now,
    };
    let added = session.ledger("tierd override add")?.add_override(&new);
    let OverrideId(id) = added.map_err(|error| ledger_failure(&error))?;
    let who = format!("{} {}", subject.name, args.key);
    output.remark(&format!("override {id}: {who} in `{}`; the next run applies it", set.name));
    output.line(&id.to_string())
}

fn effect(args: &OverrideAddArgs) -> Result<(OverrideKind, &str), Failure> {
    let effect = &args.effect;
    let given = [
        (OverrideKind::Pin, &effect.pin),
        (OverrideKind::Floor, &effect.floor),
        (OverrideKind::Ceiling, &effect.ceiling),
    ];
    let given = given.into_iter().find_map(|(kind, level)| Some((kind, level.as_deref()?)));
    given.ok_or_else(|| Failure::new(Code::Usage, "say what it does: --pin, --floor or --ceiling LEVEL"))
}

fn refuse_limits_without_order(set: &TierSet, kind: OverrideKind) -> Result<(), Failure> {
    if set.ordered || kind == OverrideKind::Pin {
        return Ok(());
    }
    let message = format!("the levels of `{}` have no order, so that there is no {}; use --pin", set.name, kind.name());
    Err(Failure::new(Code::Failed, message))
}

fn parse_key(text: &str, subject: &Subject) -> Result<Key, Failure> {
    let kind = match subject.key_type {
        KeyType::Integer => "integer",
        KeyType::Text => "text",
    };
    let refused = || format!("`{text}` is no key of a {}: its keys are of type {kind}", subject.name);
    Key::parse(text, subject.key_type).ok_or_else(|| Failure::new(Code::Failed, refused()))
}

/// From the first moment of the first day to the last of the last one, in the rules' zone.
fn times(args: &OverrideAddArgs, now: Timestamp, zone: &Zone) -> Result<(Timestamp, Timestamp), Failure> {
    let until = session::parse_day(&args.until)?;
    let starts = match &args.from {
        Some(day) => zone.midnight(session::parse_day(day)?),
        None => now,
    };
    let expires = zone.midnight(CalendarSpan::days(1).add_to(until));
    if expires <= starts {
        return Err(Failure::new(Code::Failed, format!("--until {} is over before it begins", args.until)));
    }
    Ok((starts, expires))
}

fn list(args: &OverrideListArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let now = session::now();
    let all = session.reader()?.overrides(OverrideFilter::default()).map_err(|error| ledger_failure(&error))?;
    let names =
        ["id", "set", "key", "kind", "level", "from", "until", "state", "reason", "approver", "ended_by", "why"];
    let mut table = Table::new(names);
    for given in all.iter().filter(|given| args.all || !is_over(given, now)) {
        table.push(row(given, now, &session.rules.config.zone));
    }
    output.table(&table, false)
}

fn is_over(given: &Override, now: Timestamp) -> bool {
    given.ended.is_some() || given.expires <= now
}

fn row(given: &Override, now: Timestamp, zone: &Zone) -> Vec<Cell> {
    let state = match &given.ended {
        Some(_) => "ended",
        None if given.expires <= now => "expired",
        None if given.starts > now => "to come",
        None => "in force",
    };
    let (by, why) = given.ended.as_ref().map(|(_, by, why)| (by.as_str(), why.as_str())).unzip();
    vec![
        Cell::number(given.id.0),
        Cell::text(&given.set),
        key_cell(&given.key),
        Cell::text(given.kind.name()),
        Cell::text(&given.level),
        Cell::text(zone.date_of(given.starts).to_string()),
        // The last moment is inside.
        Cell::text(zone.date_of(Timestamp(given.expires.0 - 1)).to_string()),
        Cell::text(state),
        Cell::text(&given.reason),
        Cell::text(&given.approver),
        Cell::optional(by),
        Cell::optional(why),
    ]
}

/// The key of a subject in a table.
pub(crate) fn key_cell(key: &Key) -> Cell {
    match key {
        Key::Integer(key) => Cell::number(key),
        Key::Text(key) => Cell::text(&**key),
    }
}

fn end(args: &OverrideEndArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let mut ledger = session.existing_ledger("tierd override end")?;
    let end = End { at: session::now(), by: &args.by, why: &args.why };
    ledger.end_override(OverrideId(args.id), &end).map_err(|error| ledger_failure(&error))?;
    output.remark(&format!("override {} has ended; the next run grades by the rules again", args.id));
    Ok(())
}
