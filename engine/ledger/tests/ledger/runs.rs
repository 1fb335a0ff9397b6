//! What runs leave in the ledger, and what readers are told of it.

use std::time::Duration;

use crate::common::*;
use tierd_ledger::{
    ErrorKind, KeyRef, Keys, LevelCount, Move, Outcome, Reader, RevisionHash, RevisionRecord, RunRecord, SetDecisions,
};
use tierd_model::{Key, Timestamp};

fn moves(moves: &[Move]) -> Vec<(Option<&str>, Option<&str>, u64)> {
    moves.iter().map(|m| (m.from.as_deref(), m.to.as_deref(), m.subjects)).collect()
}

/// Everything held, as `(key, level, run)`.
fn held(reader: &Reader) -> Vec<(i64, Option<String>, i64)> {
    let mut out = Vec::new();
    reader
        .held_all("value", |row| match row.key {
            KeyRef::Integer(key) => out.push((key, row.level.map(str::to_owned), row.run.0)),
            KeyRef::Text(key) => panic!("a text key: {key}"),
        })
        .unwrap();
    out
}

#[test]
fn first_level_is_a_change_from_none() {
    let place = place();
    let mut ledger = open(&place.path);
    let summary = run(&mut ledger, 0, &[1, 2, 3, 4], &[0, 2, NONE, 0]);

    assert_eq!((summary.run.0, summary.outcome, summary.transitions), (1, Outcome::Applied, 3));
    let set = &summary.sets[0];
    assert_eq!(moves(&set.moves), [(None, Some("C"), 2), (None, Some("A"), 1)]);
    assert_eq!(set.levels, [("C".to_owned(), 2), ("B".to_owned(), 0), ("A".to_owned(), 1)]);
    assert_eq!((set.without_level, set.absent), (1, 0));

    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(held(&reader), [(1, Some("C".into()), 1), (2, Some("A".into()), 1), (4, Some("C".into()), 1)]);
    let two = reader.held("value", KeyRef::Integer(2)).unwrap().unwrap();
    assert_eq!((two.level.as_deref(), two.since, two.revision), (Some("A"), start(0).as_of, REVISION));
    assert_eq!(two.metrics, "{\"spend\":1}");
    assert_eq!(reader.held("value", KeyRef::Integer(3)).unwrap(), None);
    assert_eq!(reader.held("other", KeyRef::Integer(2)).unwrap(), None);
    assert_sound(&place.path);
}

#[test]
fn unchanged_run_writes_no_transition_and_says_so() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1, 2, 3], &[0, 2, NONE]);
    let again = run(&mut ledger, 1, &[1, 2, 3], &[0, 2, NONE]);
    assert_eq!((again.outcome, again.transitions, again.sets[0].moves.len()), (Outcome::Unchanged, 0, 0));
    assert_eq!(again.sets[0].levels[2], ("A".to_owned(), 1));

    let reader = Reader::open(&place.path).unwrap();
    let last = reader.last_applied_run().unwrap().unwrap();
    assert_eq!((last.id.0, last.outcome), (2, Outcome::Unchanged));
    assert_eq!(held(&reader)[0].2, 1, "held since the first run");
    assert_eq!(reader.distribution("value").unwrap(), reader.distribution_in("value", last.id).unwrap());
    assert_sound(&place.path);
}

#[test]
fn only_what_changed_is_written() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1, 2, 3, 4], &[0, 1, 2, NONE]);
    // 1 rises, 2 stays, 3 loses its level, 4 gets its first, 0 and 5 are new, 6 is new without a level.
    let summary = run(&mut ledger, 1, &[0, 1, 2, 3, 4, 5, 6], &[2, 1, 1, NONE, 0, 1, NONE]);
    assert_eq!(
        moves(&summary.sets[0].moves),
        [
            (None, Some("C"), 1),
            (None, Some("B"), 1),
            (None, Some("A"), 1),
            (Some("C"), Some("B"), 1),
            (Some("A"), None, 1)
        ]
    );
    let reader = Reader::open(&place.path).unwrap();
    let expected: Vec<_> = [(0, "A", 2), (1, "B", 2), (2, "B", 1), (3, "", 2), (4, "C", 2), (5, "B", 2)]
        .map(|(key, level, run)| (key, (!level.is_empty()).then(|| level.to_owned()), run))
        .into();
    assert_eq!(held(&reader), expected);
    assert_sound(&place.path);
}

#[test]
fn subjects_that_leave_the_data_keep_their_level() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1, 2, 3], &[0, 1, 2]);
    let emptied = run(&mut ledger, 1, &[], &[]);
    assert_eq!((emptied.outcome, emptied.sets[0].absent), (Outcome::Unchanged, 3));
    let still = run(&mut ledger, 2, &[], &[]);
    assert_eq!(still.sets[0].absent, 3, "known without reading");
    let partly = run(&mut ledger, 3, &[0, 2, 9], &[0, 1, 0]);
    assert_eq!((partly.transitions, partly.sets[0].absent), (2, 2));
    let back = run(&mut ledger, 4, &[0, 1, 2, 3, 9], &[0, 0, 1, 2, 0]);
    assert_eq!((back.outcome, back.sets[0].absent), (Outcome::Unchanged, 0));
    assert_sound(&place.path);
}

#[test]
fn history_is_a_chain_newest_first() {
    let place = place();
    let mut ledger = open(&place.path);
    for (day, level) in [0, 1, 1, 2, NONE, 1].into_iter().enumerate() {
        run(&mut ledger, day as i64, &[7, 8], &[0, level]);
    }
    let reader = Reader::open(&place.path).unwrap();
    let history = reader.history("value", KeyRef::Integer(8)).unwrap();
    let steps: Vec<_> = history.iter().map(|t| (t.run.0, t.from.as_deref(), t.to.as_deref())).collect();
    assert_eq!(
        steps,
        [
            (6, None, Some("B")),
            (5, Some("A"), None),
            (4, Some("B"), Some("A")),
            (2, Some("C"), Some("B")),
            (1, None, Some("C"))
        ]
    );
    assert_eq!(history[0].as_of, start(5).as_of);
    assert_eq!(reader.history("value", KeyRef::Integer(7)).unwrap().len(), 1);
    assert_sound(&place.path);
}

#[test]
fn failed_run_is_recorded_and_changes_nobody() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1], &[0]);
    let failed = fail(&mut ledger, 1, "12 bad values in `orders.amount`");
    drop(ledger.begin_run(start(2)));

    let reader = Reader::open(&place.path).unwrap();
    let runs = reader.runs(10).unwrap();
    assert_eq!(runs.iter().map(|run| run.id.0).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(runs[0].outcome, Outcome::Failed("12 bad values in `orders.amount`".into()));
    assert_eq!(reader.run(failed).unwrap().as_ref(), Some(&runs[0]));
    assert_eq!(reader.last_applied_run().unwrap().unwrap().id.0, 1);
    assert_eq!(reader.runs(1).unwrap().len(), 1);
    assert_eq!(run(&mut ledger, 3, &[1], &[0]).outcome, Outcome::Unchanged);
    assert_sound(&place.path);
}

#[test]
fn what_a_run_saw_is_kept() {
    let place = place();
    let mut ledger = open(&place.path);
    let record = RunRecord {
        data_version: "schema 4, change counter 981",
        subjects: 2,
        fact_rows: 30,
        bad_values: 1,
        unknown_subjects: 4,
        read: Duration::from_millis(150),
        evaluate: Duration::from_micros(20_900),
        cut_points: Some(r#"{"recency":[10,20]}"#),
        table_rows: None,
        plugin_failures: Some(r#"[{"metric":"risk"}]"#),
    };
    ledger.begin_run(start(0)).apply(&record, &[], &[]).unwrap();
    let run = Reader::open(&place.path).unwrap().last_applied_run().unwrap().unwrap();
    assert_eq!((run.as_of, run.started, run.revision), (start(0).as_of, start(0).started, REVISION));
    assert!(run.finished >= run.started);
    assert_eq!(run.data_version, "schema 4, change counter 981");
    assert_eq!((run.subjects, run.fact_rows, run.bad_values, run.unknown_subjects), (2, 30, 1, 4));
    assert_eq!((run.read_ms, run.evaluate_ms), (150, 20));
    assert_eq!(run.cut_points.as_deref(), Some(r#"{"recency":[10,20]}"#));
    assert_eq!(run.plugin_failures.as_deref(), Some(r#"[{"metric":"risk"}]"#));
}

#[test]
fn text_keys_are_ordered_byte_by_byte() {
    let place = place();
    let mut ledger = open(&place.path);
    let keys = vec!["", "10", "9", "Z", "a", "é", "张三"];
    let set = decisions(Keys::Text(&keys), &[0, 1, 2, 0, 1, 2, 0]);
    assert_eq!(apply(&mut ledger, 0, &[set]).unwrap().transitions, 7);
    let next = vec!["", "10", "11", "9", "Z", "a", "张三", "张四"];
    let set = decisions(Keys::Text(&next), &[0, 1, 0, 2, 0, 0, 0, 0]);
    let summary = apply(&mut ledger, 1, &[set]).unwrap();
    assert_eq!((summary.transitions, summary.sets[0].absent), (3, 1));

    let reader = Reader::open(&place.path).unwrap();
    let mut held = Vec::new();
    reader.held_all("value", |row| held.push(row.key.to_key())).unwrap();
    assert_eq!(held, ["", "10", "11", "9", "Z", "a", "é", "张三", "张四"].map(|key| Key::Text(key.into())));
    assert_eq!(
        reader.held_levels("value", Keys::Text(&next), &["A", "B"]).unwrap(),
        [NONE, 1, NONE, 0, NONE, NONE, NONE, NONE]
    );
    assert_sound(&place.path);
}

/// Integer keys at both ends of their range, and more changes than one batch holds.
#[test]
fn many_changes_come_out_as_few_do() {
    let place = place();
    let mut ledger = open(&place.path);
    let all: Vec<i64> = std::iter::once(i64::MIN).chain(-9_000..9_000).chain([i64::MAX]).collect();
    let level = |key: i64, salt: u64| match (key.unsigned_abs() + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 {
        3 => NONE,
        level => level as u16,
    };
    let mut expected: std::collections::BTreeMap<i64, u16> = std::collections::BTreeMap::new();
    // Each run sees other subjects: some new, some gone.
    for (day, skip) in [7, 2, 3, 5, 2].into_iter().enumerate() {
        let keys: Vec<i64> = all.iter().copied().filter(|key| key % skip != 0).collect();
        let assigned: Vec<u16> = keys.iter().map(|&key| level(key, day as u64)).collect();
        let changes = keys.iter().zip(&assigned).filter(|(k, l)| expected.get(k).unwrap_or(&NONE) != *l).count();
        let absent = expected.iter().filter(|(k, l)| **l != NONE && **k % skip == 0).count();
        let summary = run(&mut ledger, day as i64, &keys, &assigned);
        assert_eq!((summary.transitions, summary.sets[0].absent), (changes as u64, absent as u64), "run {day}");
        expected.extend(keys.iter().copied().zip(assigned));

        let reader = Reader::open(&place.path).unwrap();
        let want: Vec<u16> = all.iter().map(|key| *expected.get(key).unwrap_or(&NONE)).collect();
        assert_eq!(reader.held_levels("value", Keys::Integer(&all), LEVELS).unwrap(), want);
    }
    assert_sound(&place.path);
}

#[test]
fn renamed_and_dropped_levels_keep_their_names_in_history() {
    let place = place();
    let mut ledger = open(&place.path);
    let keys = Keys::Integer(&[1, 2, 3]);
    run(&mut ledger, 0, &[1, 2, 3], &[0, 1, 2]);
    let two = SetDecisions { levels: &["C", "gold"], ..decisions(keys, &[0, 0, 1]) };
    let summary = apply(&mut ledger, 1, &[two]).unwrap();
    assert_eq!(moves(&summary.sets[0].moves), [(Some("B"), Some("C"), 1), (Some("A"), Some("gold"), 1)]);
    // The same names and levels in another order: nobody moves.
    let turned = SetDecisions { levels: &["gold", "C"], ..decisions(keys, &[1, 1, 0]) };
    assert_eq!(apply(&mut ledger, 2, &[turned]).unwrap().outcome, Outcome::Unchanged);

    let reader = Reader::open(&place.path).unwrap();
    let names = |counts: Vec<LevelCount>| {
        counts.into_iter().map(|c| (c.level.unwrap_or_default(), c.subjects)).collect::<Vec<_>>()
    };
    let pairs = |pairs: &[(&str, u64)]| pairs.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect::<Vec<_>>();
    assert_eq!(names(reader.distribution("value").unwrap()), pairs(&[("gold", 1), ("C", 2), ("", 0)]));
    let first = reader.runs(3).unwrap()[2].id;
    assert_eq!(names(reader.distribution_in("value", first).unwrap()), pairs(&[("C", 1), ("B", 1), ("A", 1), ("", 0)]));
    assert_eq!(reader.distribution("unheard of").unwrap(), []);
    let history = reader.history("value", KeyRef::Integer(3)).unwrap();
    assert_eq!(history[1].to.as_deref(), Some("A"));
    assert_sound(&place.path);
}

#[test]
fn tier_sets_do_not_mix() {
    let place = place();
    let mut ledger = open(&place.path);
    let rfm = |assigned| SetDecisions { name: "rfm", family: "rfm", ..decisions(Keys::Integer(&[1, 2]), assigned) };
    let value = |assigned| decisions(Keys::Integer(&[1, 2]), assigned);
    apply(&mut ledger, 0, &[value(&[0, 1]), rfm(&[2, 2])]).unwrap();
    let summary = apply(&mut ledger, 1, &[value(&[0, 1]), rfm(&[2, 1])]).unwrap();
    assert_eq!(summary.sets.iter().map(|set| set.transitions).collect::<Vec<_>>(), [0, 1]);
    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.held("value", KeyRef::Integer(2)).unwrap().unwrap().run.0, 1);
    assert_eq!(reader.held("rfm", KeyRef::Integer(2)).unwrap().unwrap().run.0, 2);
    // A set that no run decides for a while is as it was.
    apply(&mut ledger, 2, &[value(&[0, 1])]).unwrap();
    assert_eq!(apply(&mut ledger, 3, &[rfm(&[2, 1])]).unwrap().outcome, Outcome::Unchanged);
    assert_sound(&place.path);
}

#[test]
fn tier_set_that_grades_someone_else_is_refused() {
    let place = place();
    let mut ledger = open(&place.path);
    run(&mut ledger, 0, &[1], &[0]);
    let texts = vec!["1"];
    let others = [
        (SetDecisions { subject: "account", ..decisions(Keys::Integer(&[1]), &[0]) }, "`account` with integer keys"),
        (decisions(Keys::Text(&texts), &[0]), "`customer` with text keys"),
    ];
    for (other, expected) in others {
        match apply(&mut ledger, 1, &[other]).unwrap_err().kind {
            ErrorKind::OtherSubjects { kept, given, .. } => {
                assert_eq!((kept.as_str(), given.as_str()), ("`customer` with integer keys", expected));
            }
            kind => panic!("{kind:?}"),
        }
    }
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM run"), 1);
    assert_sound(&place.path);
}

#[test]
fn run_of_an_unrecorded_revision_leaves_nothing() {
    let place = place();
    let mut ledger = tierd_ledger::Ledger::open(&place.path, "a test").unwrap();
    let failure = apply(&mut ledger, 0, &[decisions(Keys::Integer(&[1]), &[0])]).unwrap_err();
    assert!(matches!(failure.kind, ErrorKind::UnknownRevision(REVISION)), "{failure:?}");
    assert_eq!(query::<i64>(&place.path, "SELECT (SELECT count(*) FROM held) + (SELECT count(*) FROM tier_set)"), 0);
}

#[test]
fn contradictory_decisions_leave_nothing() {
    let place = place();
    let mut ledger = open(&place.path);
    let good = decisions(Keys::Integer(&[1]), &[0]);
    let bad = SetDecisions { name: "other", ..decisions(Keys::Integer(&[2, 1]), &[0, 0]) };
    let failure = apply(&mut ledger, 0, &[good, bad]).unwrap_err();
    assert!(
        failure.to_string().ends_with("decisions of tier set `other` are refused: the keys don't ascend"),
        "{failure}"
    );
    assert_eq!(query::<i64>(&place.path, "SELECT (SELECT count(*) FROM held) + (SELECT count(*) FROM run)"), 0);
}

#[test]
fn a_revision_that_a_run_has_need_not_be_the_one_in_force() {
    let place = place();
    let mut ledger = tierd_ledger::Ledger::open(&place.path, "a test").unwrap();
    let record = |n: u8| RevisionRecord {
        hash: RevisionHash([n; 32]),
        loaded: Timestamp(i64::from(n)),
        files: &[("rules/a.toml", "one")],
        plugins: &[],
    };
    ledger.keep_revision(&record(1)).unwrap();
    let in_force = || Reader::open(&place.path).unwrap().revision_in_force().unwrap();
    assert_eq!(in_force(), None);
    ledger.record_revision(&record(2)).unwrap();
    // A run that began with the first writes after the second has come into force.
    ledger.keep_revision(&record(1)).unwrap();
    assert_eq!(in_force(), Some(RevisionHash([2; 32])));
    assert_eq!(Reader::open(&place.path).unwrap().revision_files(RevisionHash([1; 32])).unwrap().len(), 1);
}

#[test]
fn files_of_revisions_are_kept_and_shared() {
    let place = place();
    let mut ledger = tierd_ledger::Ledger::open(&place.path, "a test").unwrap();
    let revision = |n: u8| RevisionHash([n; 32]);
    let config = ("tierd.toml", "time_zone = \"UTC\"");
    let mut record = |n: u8, at: i64, files: &[(&str, &str)]| {
        ledger
            .record_revision(&RevisionRecord { hash: revision(n), loaded: Timestamp(at), files, plugins: &[] })
            .unwrap()
    };
    assert!(record(1, 10, &[config, ("rules/a.toml", "one")]));
    assert!(!record(1, 20, &[config, ("rules/a.toml", "one")]), "already in force");
    assert!(record(2, 30, &[config, ("rules/a.toml", "two"), ("rules/b.toml", "one")]));
    assert!(record(1, 40, &[config, ("rules/a.toml", "one")]), "back to the first");

    let reader = Reader::open(&place.path).unwrap();
    assert_eq!(reader.revision_in_force().unwrap(), Some(revision(1)));
    let revisions = reader.revisions().unwrap();
    assert_eq!(
        revisions.iter().map(|r| (r.hash, r.first_seen.0, r.files)).collect::<Vec<_>>(),
        [(revision(2), 30, 3), (revision(1), 10, 2)]
    );
    let files = reader.revision_files(revision(2)).unwrap();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    assert_eq!(files, [("rules/a.toml", "two"), ("rules/b.toml", "one"), config]);
    assert_eq!(reader.revision_files(revision(3)).unwrap(), []);
    assert_eq!(query::<i64>(&place.path, "SELECT count(*) FROM content"), 3, "each content once");
    assert_eq!(query::<String>(&place.path, "SELECT group_concat(at) FROM activation"), "10,30,40");
    assert_sound(&place.path);
}
