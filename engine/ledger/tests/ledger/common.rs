//! A small tier set, and the shortest way to write runs of it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, types::FromSql};
use tierd_ledger::{
    ActKind, ActRow, Cause, HoldDigest, KeyRef, Keys, Ledger, NewHold, NewOverride, NewTask, Outgoing, OverrideKind,
    Result, RevisionHash, RevisionRecord, RuleDecisions, RuleStateRow, RunId, RunRecord, RunStart, RunSummary,
    SetDecisions, Verdict,
};
use tierd_model::{Date, Timestamp};

pub(crate) const NONE: u16 = tierd_ledger::NO_LEVEL;
pub(crate) const LEVELS: &[&str] = &["C", "B", "A"];
pub(crate) const REVISION: RevisionHash = RevisionHash([0xab; 32]);
/// 2026-03-01T00:00:00Z; run `n` is as of `n` days later.
pub(crate) const FIRST_DAY: i64 = 1_772_323_200_000_000;

/// A folder of its own with the path of a ledger in it.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tierd.ledger");
    Place { folder, path }
}

/// Opens the ledger, with its revision recorded.
pub(crate) fn open(path: &Path) -> Ledger {
    let mut ledger = Ledger::open(path, "a test").unwrap();
    record_revision(&mut ledger);
    ledger
}

pub(crate) fn record_revision(ledger: &mut Ledger) {
    let files = &[("tierd.toml", "time_zone = \"UTC\""), ("rules/value.toml", "[tiers.value]")];
    ledger
        .record_revision(&RevisionRecord { hash: REVISION, loaded: Timestamp(FIRST_DAY), files, plugins: &[] })
        .unwrap();
}

pub(crate) fn start(day: i64) -> RunStart<'static> {
    let as_of = Timestamp(FIRST_DAY + day * tierd_model::DAY_MICROS);
    let today = Date((as_of.0 / tierd_model::DAY_MICROS) as i32);
    RunStart {
        cause: Cause::Hand,
        schedules: None,
        as_of,
        today,
        started: Timestamp(as_of.0 + 1_000_000),
        revision: REVISION,
    }
}

pub(crate) fn decisions<'a>(keys: Keys<'a>, assigned: &'a [u16]) -> SetDecisions<'a> {
    SetDecisions {
        name: "value",
        family: "value",
        category: None,
        subject: "customer",
        levels: LEVELS,
        keys,
        assigned,
        metrics: &metrics,
        reason: &|_| "changed",
        states: None,
    }
}

/// `{"spend":N}` with the subject's index.
pub(crate) fn metrics(subject: usize, json: &mut String) {
    json.push_str(&format!("{{\"spend\":{subject}}}"));
}

pub(crate) fn apply(ledger: &mut Ledger, day: i64, sets: &[SetDecisions<'_>]) -> Result<RunSummary> {
    apply_with_rules(ledger, day, sets, &[])
}

pub(crate) fn apply_with_rules(
    ledger: &mut Ledger,
    day: i64,
    sets: &[SetDecisions<'_>],
    rules: &[RuleDecisions<'_>],
) -> Result<RunSummary> {
    let record = RunRecord {
        data_version: "v1",
        subjects: sets.first().map_or(0, |s| s.keys.len() as u64),
        ..RunRecord::default()
    };
    ledger.begin_run(start(day)).apply(&record, sets, rules)
}

/// One run of the tier set `value` with integer keys.
pub(crate) fn run(ledger: &mut Ledger, day: i64, keys: &[i64], assigned: &[u16]) -> RunSummary {
    apply(ledger, day, &[decisions(Keys::Integer(keys), assigned)]).unwrap()
}

/// What the rule `win_back` does to subjects with integer keys.
pub(crate) fn win_back<'a>(keys: &'a [i64], states: &'a [RuleStateRow], acts: &'a [ActRow]) -> RuleDecisions<'a> {
    let keys = Keys::Integer(keys);
    RuleDecisions { rule: "win_back", subject: "customer", shadow: false, hold_for: "", keys, states, acts }
}

/// An action on the subject of this index.
pub(crate) fn act(subject: u32, outgoing: Outgoing) -> ActRow {
    let entered = start(0).as_of;
    ActRow { subject, kind: ActKind::Acted, entered, occurrence: None, outgoing: vec![outgoing] }
}

/// A task for `sales`, due on this day and the manager's from the next one on.
pub(crate) fn task(title: &str, due: i64) -> Outgoing {
    Outgoing::Task(NewTask {
        title: title.to_owned(),
        owner: Some("sales".to_owned()),
        channel: Some("phone".to_owned()),
        text: None,
        due: Some(start(due).today),
        escalate: Some((start(due + 1).today, "manager".to_owned())),
    })
}

pub(crate) fn event(name: &str) -> Outgoing {
    Outgoing::Event { name: name.to_owned(), data: "{\"value\":50}".to_owned() }
}

/// A floor at B for a month from the first day on.
pub(crate) fn override_of(key: i64) -> NewOverride<'static> {
    NewOverride {
        set: "value",
        subject: "customer",
        key: KeyRef::Integer(key),
        kind: OverrideKind::Floor,
        level: "B",
        reason: "long-standing partner",
        approver: "李经理",
        starts: start(0).as_of,
        expires: start(30).as_of,
        created: start(0).as_of,
    }
}

pub(crate) fn fail(ledger: &mut Ledger, day: i64, message: &str) -> RunId {
    ledger.begin_run(start(day)).fail(&RunRecord::default(), message).unwrap()
}

pub(crate) const NEW_HOLD: NewHold<'static> = NewHold {
    message: "value: 60 % moved, and its guard allows 10 %",
    shown: "{\"sets\":[]}",
    digest: HoldDigest([7; 32]),
};

/// A run of these schedules that a guard holds.
pub(crate) fn hold(ledger: &mut Ledger, day: i64, schedules: Option<&[String]>) -> RunId {
    let start = RunStart { cause: Cause::Schedule, schedules, ..start(day) };
    ledger.begin_run(start).hold(&RunRecord::default(), &NEW_HOLD).unwrap()
}

pub(crate) fn verdict(by: &str) -> Verdict<'_> {
    Verdict { at: start(40).as_of, by, why: "checked with sales" }
}

/// The first column of a query's only row, through a connection that is none of the ledger's.
pub(crate) fn query<T: FromSql>(path: &Path, sql: &str) -> T {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// What must hold of every ledger at any time.
pub(crate) fn assert_sound(path: &Path) {
    let conn = Connection::open(path).unwrap();
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(one("PRAGMA integrity_check"), "ok");
    let orphans = |sql: &str| conn.prepare(sql).unwrap().query([]).unwrap().next().unwrap().is_some();
    assert!(!orphans("PRAGMA foreign_key_check"), "a row refers to nothing");
    let counts = [
        "SELECT count(*) FROM run AS r WHERE transitions <> (SELECT count(*) FROM transition AS t WHERE t.run = r.id)",
        "SELECT count(*) FROM run AS r JOIN transition AS t ON t.run = r.id
         WHERE t.id NOT BETWEEN first_transition AND first_transition + transitions - 1 OR first_transition IS NULL",
        "SELECT (SELECT count(*) FROM transition) - (SELECT count(*) FROM level_changes)",
        // What is held is what the subject's latest transition says, and earlier ones make a chain.
        "SELECT count(*) FROM held AS h LEFT JOIN transition AS t ON t.id = h.transition
         WHERE (t.tier_set, t.subject, t.to_level) IS NOT (h.tier_set, h.subject, h.level)",
        "SELECT count(*) FROM (SELECT tier_set, subject, max(id) AS latest FROM transition GROUP BY 1, 2) AS t
         LEFT JOIN held AS h USING (tier_set, subject) WHERE h.transition IS NOT t.latest",
        "SELECT count(*) FROM transition AS t LEFT JOIN transition AS p ON p.id = t.previous
         WHERE t.previous IS NOT NULL AND (p.tier_set, p.subject, p.to_level) IS NOT (t.tier_set, t.subject, t.from_level)",
        "SELECT count(*) FROM transition WHERE json_valid(metrics) = 0",
        // Actions, tasks and what goes out belong together, and share no number with a transition.
        "SELECT count(*) FROM run AS r WHERE actions <> (SELECT count(*) FROM action AS a WHERE a.run = r.id)",
        "SELECT count(*) FROM task AS t WHERE (SELECT count(*) FROM outbox AS o WHERE o.action = t.action
                                               AND o.kind = 'task.created') <> 1",
        "SELECT count(*) FROM task AS t WHERE (SELECT count(*) FROM outbox AS o WHERE o.action = t.action
                                               AND o.kind = 'task.escalated') <> (t.escalated IS NOT NULL)",
        "SELECT count(*) FROM outbox JOIN transition USING (id)",
        // A held run has a hold and nothing else; whoever approved it, a run has applied it.
        "SELECT count(*) FROM run AS r LEFT JOIN hold AS h ON h.run = r.id WHERE (r.outcome = 'held') <> (h.run IS NOT NULL)",
        "SELECT count(*) FROM run AS r WHERE outcome IN ('held', 'failed')
            AND (transitions + actions > 0 OR EXISTS (SELECT 1 FROM run_set AS s WHERE s.run = r.id)
                 OR EXISTS (SELECT 1 FROM outbox AS o WHERE o.run = r.id))",
        "SELECT count(*) FROM hold AS h LEFT JOIN run AS r ON r.id = h.followed
         WHERE h.state = 'approved' AND r.outcome IS NOT 'applied' AND r.outcome IS NOT 'unchanged'",
        "SELECT count(*) FROM hold WHERE (state IN ('approved', 'superseded')) <> (followed IS NOT NULL) OR followed <= run",
        "SELECT count(*) FROM hold WHERE (state IN ('approved', 'rejected')) <> (by IS NOT NULL AND why IS NOT NULL)",
    ];
    for sql in counts {
        let wrong: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(wrong, 0, "{sql}");
    }
}
