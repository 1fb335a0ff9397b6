//! `tierd override`: levels that a person sets, within stated times and with a name under them.

use std::path::Path;

use tierd_daemon::overrides::{AskedOverride, OverrideError};
use tierd_ledger::{End, Ledger, Override, OverrideFilter, OverrideId, OverrideKind};
use tierd_model::{Key, Timestamp, Zone};

use crate::{
    args::{OverrideAddArgs, OverrideCommand, OverrideEndArgs, OverrideListArgs},
    exit::{Code, Failure},
    output::{Cell, Output, Table},
    session::{self, Session, ledger_failure},
};

/// Carries out one of its commands.
pub(crate) fn overrides(command: &OverrideCommand, folder: &Path, output: Output) -> Result<(), Failure> {
    let session = Session::in_force(folder, output)?;
    match command {
        OverrideCommand::Add(args) => add(args, &session, output),
        OverrideCommand::List(args) => list(args, &session, output),
        OverrideCommand::End(args) => end(args, &session, output),
    }
}

fn add(args: &OverrideAddArgs, session: &Session, output: Output) -> Result<(), Failure> {
    let (kind, level) = effect(args)?;
    let asked = AskedOverride {
        set: &args.set,
        key: &args.key,
        kind,
        level,
        from: args.from.as_deref().map(session::parse_day).transpose()?,
        until: session::parse_day(&args.until)?,
        reason: &args.reason,
        approver: &args.approver,
    };
    let path = session.project.ledger(&session.rules.config);
    let open = || Ledger::open_waiting(&path, "tierd override add", Ledger::PATIENCE);
    let added = tierd_daemon::overrides::add(open, &session.rules, &asked, session::now());
    let OverrideId(id) = added.map_err(|error| match error {
        OverrideError::Refused(why) => Failure::new(Code::Failed, why),
        OverrideError::Ledger(error) => ledger_failure(&error),
    })?;
    let set = session.tier_set(Some(&args.set))?;
    let who = format!("{} {}", session.rules.config.subjects[set.subject.0].name, args.key);
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
        Cell::text(given.state(now)),
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
