//! Going back to an earlier revision.

use tierd_daemon::{
    Project,
    serve::{Origin, ReloadCause, RollbackRefused, roll_back},
};
use tierd_model::Timestamp;

use crate::support::*;

const FILE: &str = "rules/value.toml";

/// A daemon that has had generation 1 and has generation 2 now, and the hash of generation 1.
async fn two_generations(place: &Place) -> (Daemon, String) {
    let daemon = place.serve().await;
    let first = daemon.active().rules.revision.to_string();
    place.replace(FILE, &generation(2));
    daemon.until_generation(2).await;
    daemon.until_written().await;
    (daemon, first)
}

#[tokio::test]
async fn rollback_holds_until_the_files_change_also_across_a_restart() {
    let place = Place::new();
    let (daemon, first) = two_generations(&place).await;
    let active = daemon.handle().rollback(&first[..8], Some("ann"), Some("too strict")).await.unwrap();
    assert_eq!((sets(&active).as_str(), active.origin), ("g1", Origin::RolledBack));
    // The files are as they were, whoever asks.
    daemon.handle().reload(ReloadCause::Request).await.unwrap();
    assert_eq!(daemon.sets(), "g1");
    daemon.until_written().await;
    let last = place.reader().last_reload().unwrap().unwrap();
    assert_eq!((last.by.as_deref(), last.why.as_deref()), (Some("ann"), Some("too strict")));
    daemon.stop().await;

    let daemon = place.serve().await;
    assert_eq!((daemon.sets().as_str(), daemon.active().origin), ("g1", Origin::RolledBack));
    place.replace(FILE, &generation(3));
    let active = daemon.until_generation(3).await;
    assert_eq!(active.origin, Origin::Files);
    daemon.until_written().await;
    let reloads = place.reader().reloads(9).unwrap();
    assert_eq!(outcomes(&reloads), ["activated", "activated", "rolled_back", "activated"]);
    daemon.stop().await;
}

#[tokio::test]
async fn rollback_to_the_files_ends_a_rollback() {
    let place = Place::new();
    let (daemon, first) = two_generations(&place).await;
    let second = daemon.active().rules.revision.to_string();
    daemon.handle().rollback(&first, None, None).await.unwrap();
    let active = daemon.handle().rollback(&second, None, None).await.unwrap();
    assert_eq!((sets(&active).as_str(), active.origin), ("g2", Origin::Files));
    daemon.stop().await;
    let daemon = place.serve().await;
    assert_eq!((daemon.sets().as_str(), daemon.active().origin), ("g2", Origin::Files));
    daemon.stop().await;
}

#[tokio::test]
async fn rollback_without_a_daemon_is_obeyed_by_the_next_one() {
    let place = Place::new();
    let (daemon, first) = two_generations(&place).await;
    daemon.stop().await;
    let project = Project::open(place.root()).unwrap();
    let now = Timestamp(1);
    let rules = roll_back(&project, &place.path("tierd.ledger"), &first[..6], (None, None), now).unwrap();
    assert_eq!(rules.revision.to_string(), first);
    let daemon = place.serve().await;
    assert_eq!(daemon.sets(), "g1");
    daemon.stop().await;
}

#[tokio::test]
async fn rollback_to_nothing_in_particular_is_refused() {
    let place = Place::new();
    let (daemon, _) = two_generations(&place).await;
    let refused = async |revision: &str| daemon.handle().rollback(revision, None, None).await.unwrap_err();
    assert!(matches!(refused("abc").await, RollbackRefused::TooShort(_)));
    assert!(matches!(refused("not hexadecimal").await, RollbackRefused::Unknown(_)));
    assert!(matches!(refused(&"0".repeat(64)).await, RollbackRefused::Unknown(_)));
    assert_eq!(daemon.sets(), "g2");
    daemon.stop().await;
}

#[tokio::test]
async fn revision_that_kept_its_ledger_elsewhere_is_no_way_back() {
    let place = Place::new();
    let (daemon, _) = two_generations(&place).await;
    daemon.stop().await;
    // Moved by hand, with all that it remembers.
    std::fs::rename(place.path("tierd.ledger"), place.path("moved.ledger")).unwrap();
    place.write("tierd.toml", &format!("{CONFIG}\n[ledger]\npath = \"moved.ledger\"\n"));
    let daemon = place.serve().await;
    let reader = tierd_ledger::Reader::open(&place.path("moved.ledger")).unwrap();
    let old = reader.revisions().unwrap().pop().unwrap().hash.to_string();
    let refused = daemon.handle().rollback(&old, None, None).await.unwrap_err();
    assert!(
        matches!(&refused, RollbackRefused::Unusable(why) if why.contains("keeps its ledger elsewhere")),
        "{refused}"
    );
    daemon.stop().await;
}
