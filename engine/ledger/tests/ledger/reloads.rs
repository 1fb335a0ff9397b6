//! What the ledger remembers of changes of the files.

use tierd_ledger::{NewReload, Reader, ReloadOutcome, RevisionHash, RevisionRecord};
use tierd_model::Timestamp;

use crate::common::*;

fn reload(at: i64, outcome: ReloadOutcome, hash: u8) -> NewReload<'static> {
    let revision = RevisionRecord {
        hash: RevisionHash([hash; 32]),
        loaded: Timestamp(at),
        files: &[("tierd.toml", "x = 1")],
        plugins: &[],
    };
    let problems = (outcome == ReloadOutcome::Refused).then_some("[]");
    NewReload { at: Timestamp(at), cause: "watch", outcome, files: "ff", revision, problems, by: None, why: None }
}

#[test]
fn each_change_of_the_files_is_listed_with_the_revision_in_force() {
    let place = place();
    let mut ledger = open(&place.path);
    ledger.record_reload(&reload(FIRST_DAY + 1, ReloadOutcome::Activated, 1)).unwrap();
    ledger.record_reload(&reload(FIRST_DAY + 2, ReloadOutcome::Refused, 1)).unwrap();
    let rolled =
        NewReload { by: Some("ann"), why: Some("too strict"), ..reload(FIRST_DAY + 3, ReloadOutcome::RolledBack, 2) };
    ledger.record_reload(&rolled).unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let listed: Vec<_> = reader.reloads(9).unwrap().into_iter().map(|r| (r.outcome, r.revision, r.by)).collect();
    let hash = |byte| Some(RevisionHash([byte; 32]));
    assert_eq!(
        listed,
        [
            (ReloadOutcome::RolledBack, hash(2), Some("ann".to_owned())),
            (ReloadOutcome::Refused, hash(1), None),
            (ReloadOutcome::Activated, hash(1), None)
        ]
    );
    assert_eq!(reader.revision_in_force().unwrap(), hash(2));
    let activated: Vec<_> = reader.activations().unwrap().into_iter().map(|a| Some(a.revision)).collect();
    assert_eq!(activated, [Some(REVISION), hash(1), hash(2)]);
}

#[test]
fn last_good_is_the_last_decision_and_not_the_last_row() {
    let place = place();
    let mut ledger = open(&place.path);
    ledger.record_reload(&reload(FIRST_DAY + 10, ReloadOutcome::Activated, 1)).unwrap();
    // A run that began before the change, and took the ledger after it.
    let older = RevisionRecord { hash: REVISION, loaded: Timestamp(FIRST_DAY + 5), files: &[], plugins: &[] };
    ledger.record_revision(&older).unwrap();
    let last_good = || Reader::open(&place.path).unwrap().last_good().unwrap().map(|good| good.revision);
    assert_eq!(last_good(), Some(RevisionHash([1; 32])));
    // A run by hand, without a daemon, later on.
    let newer =
        RevisionRecord { hash: RevisionHash([3; 32]), loaded: Timestamp(FIRST_DAY + 20), files: &[], plugins: &[] };
    ledger.record_revision(&newer).unwrap();
    assert_eq!(last_good(), Some(RevisionHash([3; 32])));
}

#[test]
fn revisions_are_found_by_what_their_hash_begins_with() {
    let place = place();
    let _ledger = open(&place.path);
    let reader = Reader::open(&place.path).unwrap();
    for (prefix, found) in [("abab", 1), ("ABAB", 1), ("ac", 0), ("", 0), ("%", 0), (&"ab".repeat(32), 1)] {
        assert_eq!(reader.revisions_beginning(prefix).unwrap().len(), found, "{prefix}");
    }
}
