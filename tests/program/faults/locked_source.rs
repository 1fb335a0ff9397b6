//! Somebody else keeps the database to himself for longer than we wait.

use rusqlite::Connection;

use super::world::{FOLLOWS_CHANGES, HELD, metrics, run_fails, shop, until};
use crate::living::process::Daemon;

#[test]
fn run_is_put_off_and_made_when_the_database_is_free() {
    let project = shop(FOLLOWS_CHANGES);
    let other = Connection::open(project.path("shop.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let daemon = Daemon::start(project.folder(), &[]);
    run_fails(&daemon, &["run-deferred", "shop.db stayed locked by another process"]);
    project.tierd(&["status"]).ok().prints(&["stayed locked"]);
    assert!(daemon.log().contains("run failed"), "{}", daemon.log());
    assert!(metrics(project.folder()).contains("tierd_runs_total{outcome=\"failed\",cause=\"hand\"} 1"));
    assert_eq!(project.count("SELECT count(*) FROM run"), 0, "what is only put off is no failed run");
    other.execute_batch("ROLLBACK").unwrap();
    until("the run after the change", &daemon, || project.held("value") == HELD);
}
