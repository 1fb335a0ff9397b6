//! How editors save: each way brings the new text into force, and nothing else ever.

use std::{
    fs::{self, File},
    io::Write,
    time::{Duration, Instant},
};

use tierd_daemon::serve::ReloadCause;

use crate::support::*;

const FILE: &str = "rules/value.toml";

#[tokio::test]
async fn saved_in_place() {
    let place = Place::new();
    let daemon = place.serve().await;
    for n in 2..5 {
        place.write(FILE, &generation(n));
        daemon.until_generation(n).await;
    }
    daemon.stop().await;
}

#[tokio::test]
async fn written_beside_and_renamed_over() {
    let place = Place::new();
    let daemon = place.serve().await;
    for n in 2..5 {
        place.write("rules/.value.toml.tmp", &generation(n));
        fs::rename(place.path("rules/.value.toml.tmp"), place.path(FILE)).unwrap();
        daemon.until_generation(n).await;
    }
    daemon.stop().await;
}

/// vim: probe with a file named 4913, move the original to a backup, write the new one, remove the backup.
#[tokio::test]
async fn saved_by_the_dance_of_vim() {
    let outcomes = decided_on(async || {
        let place = Place::new();
        let daemon = place.serve().await;
        let mut longest = Duration::ZERO;
        for n in 2..5 {
            place.write("rules/.value.toml.swp", "b0VIM");
            File::create(place.path("rules/4913")).unwrap();
            fs::remove_file(place.path("rules/4913")).unwrap();
            let began = Instant::now();
            fs::rename(place.path(FILE), place.path("rules/value.toml~")).unwrap();
            place.write(FILE, &generation(n));
            longest = longest.max(began.elapsed());
            fs::remove_file(place.path("rules/value.toml~")).unwrap();
            fs::remove_file(place.path("rules/.value.toml.swp")).unwrap();
            daemon.until_generation(n).await;
        }
        (longest, daemon.stop_and_tell(&place).await)
    });
    assert_eq!(outcomes.await, ["activated"; 4], "nothing but whole files was ever decided on");
}

#[tokio::test]
async fn truncated_and_written_in_two_steps() {
    let outcomes = decided_on(async || {
        let place = Place::new();
        let daemon = place.serve().await;
        let text = generation(2);
        let (head, tail) = text.split_at(20);
        let began = Instant::now();
        let mut file = File::create(place.path(FILE)).unwrap();
        file.write_all(head.as_bytes()).unwrap();
        tokio::time::sleep(PAUSE).await;
        file.write_all(tail.as_bytes()).unwrap();
        drop(file);
        let took = began.elapsed();
        daemon.until_generation(2).await;
        (took, daemon.stop_and_tell(&place).await)
    });
    assert_eq!(outcomes.await, ["activated", "activated"]);
}

#[tokio::test]
async fn deleted_and_created() {
    let outcomes = decided_on(async || {
        let place = Place::new();
        place.write("rules/other.toml", "");
        let daemon = place.serve().await;
        let took = delete_and_create(&place).await;
        daemon.until_generation(2).await;
        (took, daemon.stop_and_tell(&place).await)
    });
    assert_eq!(outcomes.await, ["activated", "activated"]);
}

/// As the test before, but the daemon looks while the file is gone, and nothing else in the folder is young. A look for an event comes later.
#[tokio::test]
async fn deletion_counts_as_a_change_until_it_has_lasted() {
    let outcomes = decided_on(async || {
        let place = Place::new();
        place.write("rules/other.toml", "");
        place.rest().await;
        let daemon = place.serve().await;
        let look = daemon.handle().reload(ReloadCause::Poll);
        let (took, reloaded) = tokio::join!(delete_and_create(&place), look);
        assert_eq!(sets(reloaded.unwrap().active()), "g2");
        (took, daemon.stop_and_tell(&place).await)
    });
    assert_eq!(outcomes.await, ["activated", "activated"]);
}

#[tokio::test]
async fn file_that_is_deleted_at_the_start_is_waited_for() {
    let outcomes = decided_on(async || {
        let place = Place::new();
        place.write("rules/other.toml", "");
        place.rest().await;
        let (took, daemon) = tokio::join!(delete_and_create(&place), place.serve());
        daemon.until_generation(2).await;
        (took, daemon.stop_and_tell(&place).await)
    });
    assert_eq!(outcomes.await, ["activated"]);
}

#[tokio::test]
async fn deleted_file_is_out_of_force() {
    let place = Place::new();
    place.write("rules/more.toml", &generation(2));
    let daemon = place.serve().await;
    fs::remove_file(place.path(FILE)).unwrap();
    // Files of other programs that come and go keep nothing from coming into force.
    let busy = async {
        loop {
            place.write("rules/.lock", "");
            fs::remove_file(place.path("rules/.lock")).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = daemon.until_generation(2) => {}
        () = busy => {}
    }
    daemon.stop().await;
}

/// The time between the two.
const PAUSE: Duration = Duration::from_millis(100);

/// Returns how long that took.
async fn delete_and_create(place: &Place) -> Duration {
    let began = Instant::now();
    fs::remove_file(place.path(FILE)).unwrap();
    tokio::time::sleep(PAUSE).await;
    place.write(FILE, &generation(2));
    began.elapsed()
}

#[tokio::test]
async fn files_that_editors_leave_about_are_no_rules() {
    let place = Place::new();
    let daemon = place.serve().await;
    let before = daemon.active();
    for name in ["rules/4913", "rules/.value.toml.swp", "rules/value.toml~", "rules/#value.toml#", "rules/notes.md"] {
        place.write(name, "[nonsense");
    }
    // Touched, and saved without a change.
    place.replace(FILE, &generation(1));
    place.replace("rules/after.toml", &generation(2));
    let after = daemon.until("both", |active| sets(active) == "g1 g2").await;
    assert!(after.since > before.since);
    daemon.until_written().await;
    assert_eq!(outcomes(&place.reader().reloads(9).unwrap()), ["activated", "activated"]);
    daemon.stop().await;
}

/// Whatever part of a file has been written, the rules in force are those before or those after.
#[tokio::test]
async fn file_truncated_at_every_byte_is_never_a_mix() {
    let place = Place::new();
    let daemon = place.serve().await;
    let (old, new) = (generation(1), generation(2));
    let whole = new.find("\n#").unwrap();
    for length in 0..=new.len() {
        place.write(FILE, &new[..length]);
        let reloaded = daemon.handle().reload(ReloadCause::Request).await.unwrap();
        let active = reloaded.active();
        let text: Vec<_> = active.rules.files.iter().map(|(_, file)| file.text.to_string()).collect();
        let in_force = &text[0];
        assert!(*in_force == old || new[..length].starts_with(&**in_force), "at {length}: {in_force}");
        if active.refused.is_none() {
            assert!(in_force.is_empty() || length >= whole, "at {length}: {in_force}");
        }
    }
    daemon.until_generation(2).await;
    daemon.stop().await;
}
