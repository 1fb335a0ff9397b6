//! A database that is damaged under a daemon.

use std::{fs::File, os::unix::fs::FileExt};

use super::world::{HELD, assert_sound, run, run_succeeds, shop};
use crate::living::process::Daemon;

const PAGE: u64 = 4096;

/// A wrong byte in each page, one after the other. Not each can be noticed: SQLite has no checksums. But what can't be read moves nobody,
/// and nothing that is read ends the daemon.
#[test]
fn wrong_byte_in_any_page_fails_a_run_and_not_the_daemon() {
    let project = shop("");
    let orders = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                  INSERT INTO orders SELECT i + 100, i % 3 + 1, 1, 'paid', '2020-01-01' FROM n;";
    project.sql(&format!("CREATE INDEX by_customer ON orders (customer_id); {orders}"));
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    let file = File::options().read(true).write(true).open(project.path("shop.db")).unwrap();
    let (mut failed, pages) = (0, file.metadata().unwrap().len() / PAGE);
    assert!(pages > 15, "{pages}");
    for page in 0..pages {
        // The header of a page, where damage can be noticed; and some place in its middle.
        for at in [if page == 0 { 100 } else { 0 }, 1000 + page * 37 % 3000] {
            let at = page * PAGE + at;
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ 0xff], at).unwrap();
            let before = project.held("value");
            if let Err(why) = run(&daemon) {
                failed += 1;
                assert!(why.starts_with("run-failed: "), "{why}");
                assert_eq!(project.held("value"), before, "byte {at}");
            }
            file.write_all_at(&byte, at).unwrap();
        }
    }
    assert!(failed > 5, "{failed} of {} wrong bytes were noticed", pages * 2);
    run_succeeds(&daemon);
    assert_eq!(project.held("value"), HELD);
    assert!(!daemon.log().contains("tierd made a mistake"), "{}", daemon.log());
    assert_sound(&project.path("tierd.ledger"));
}

#[test]
fn file_cut_short_fails_a_run_and_not_the_daemon() {
    let project = shop("");
    project.sql("CREATE TABLE filler (text TEXT); INSERT INTO filler SELECT hex(randomblob(3000)) FROM orders");
    let daemon = Daemon::start(project.folder(), &[]);
    assert_eq!(run_succeeds(&daemon), "applied");
    let whole = std::fs::read(project.path("shop.db")).unwrap();
    let file = File::options().write(true).open(project.path("shop.db")).unwrap();
    for length in [whole.len() as u64 - PAGE, 2 * PAGE + 5, PAGE, 100, 7, 0] {
        file.set_len(length).unwrap();
        assert!(run(&daemon).is_err(), "{length} bytes are left");
        assert_eq!(project.held("value"), HELD, "{length} bytes are left");
    }
    file.write_all_at(&whole, 0).unwrap();
    assert_eq!(run_succeeds(&daemon), "unchanged");
}
