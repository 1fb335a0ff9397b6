//! How files get to where they are: links, mounts, folders that are swapped.

use std::{fs, os::unix::fs::symlink, process::Command, time::Duration};

use tierd_daemon::serve::ReloadCause;

use crate::support::*;

/// Kubernetes: files are links through `..data`, and a change is one rename of that link.
#[tokio::test]
async fn config_map_is_swapped_by_its_link() {
    let place = Place::new();
    fs::remove_dir_all(place.path("rules")).unwrap();
    let dated = |n: u32| {
        place.write(&format!("rules/..2026_{n}/value.toml"), &generation(n));
        symlink(format!("..2026_{n}"), place.path("rules/..data_tmp")).unwrap();
        fs::rename(place.path("rules/..data_tmp"), place.path("rules/..data")).unwrap();
    };
    dated(1);
    symlink("..data/value.toml", place.path("rules/value.toml")).unwrap();
    let daemon = place.serve().await;
    for n in 2..5 {
        dated(n);
        fs::remove_dir_all(place.path(&format!("rules/..2026_{}", n - 1))).unwrap();
        daemon.until_generation(n).await;
    }
    daemon.stop().await;
}

/// A release is a folder, and `current` a link to one of them.
#[tokio::test]
async fn release_is_swapped_above_the_project() {
    let place = Place::new();
    for n in 1..4 {
        place.write(&format!("releases/{n}/tierd.toml"), CONFIG);
        place.write(&format!("releases/{n}/rules/value.toml"), &generation(n));
    }
    let point = |n: u32| {
        symlink(format!("releases/{n}"), place.path("next")).unwrap();
        fs::rename(place.path("next"), place.path("current")).unwrap();
    };
    point(1);
    // The ledger stays where it is, or each release would begin anew.
    let ledger = format!("{CONFIG}\n[ledger]\npath = \"{}\"\n", place.path("tierd.ledger").display());
    (1..4).for_each(|n| place.write(&format!("releases/{n}/tierd.toml"), &ledger));
    let daemon = Daemon::start(&place.path("current"), Duration::from_secs(3600)).await.unwrap();
    for n in 2..4 {
        point(n);
        daemon.until_generation(n).await;
    }
    daemon.stop().await;
}

#[tokio::test]
async fn file_behind_a_link_is_changed_where_it_is() {
    let place = Place::new();
    place.write("shared/value.toml", &generation(1));
    fs::remove_file(place.path("rules/value.toml")).unwrap();
    symlink("../shared/value.toml", place.path("rules/value.toml")).unwrap();
    let daemon = place.serve().await;
    place.write("shared/value.toml", &generation(2));
    daemon.until_generation(2).await;
    place.write("shared/new.toml", &generation(3));
    fs::rename(place.path("shared/new.toml"), place.path("shared/value.toml")).unwrap();
    daemon.until_generation(3).await;
    daemon.stop().await;
}

#[tokio::test]
async fn folder_of_rules_is_replaced_by_another_one() {
    let place = Place::new();
    let daemon = place.serve().await;
    for n in 2..5 {
        place.write("incoming/value.toml", &generation(n));
        fs::rename(place.path("rules"), place.path("outgoing")).unwrap();
        fs::rename(place.path("incoming"), place.path("rules")).unwrap();
        fs::remove_dir_all(place.path("outgoing")).unwrap();
        daemon.until_generation(n).await;
        // The new folder is watched as well.
        place.write("rules/value.toml", &generation(n + 10));
        daemon.until_generation(n + 10).await;
    }
    daemon.stop().await;
}

#[tokio::test]
async fn folders_that_appear_are_watched() {
    let place = Place::new();
    let daemon = place.serve().await;
    place.write("rules/north/deep/more.toml", &generation(2));
    daemon.until("both", |active| sets(active) == "g1 g2").await;
    place.write("rules/north/deep/more.toml", &generation(3));
    daemon.until("the edit", |active| sets(active) == "g1 g3").await;
    fs::remove_dir_all(place.path("rules/north")).unwrap();
    daemon.until_generation(1).await;
    daemon.stop().await;
}

#[tokio::test]
async fn other_folder_of_rules_is_followed() {
    let place = Place::new();
    place.write("policies/value.toml", &generation(2));
    let daemon = place.serve().await;
    place.write("tierd.toml", &format!("rules = \"policies\"\n{CONFIG}"));
    daemon.until_generation(2).await;
    place.write("policies/value.toml", &generation(3));
    daemon.until_generation(3).await;
    daemon.stop().await;
}

/// A mount makes no event; the poll sees it. Needs to be allowed to mount, as root in a container of its own usually is.
#[tokio::test]
async fn folder_mounted_over_the_rules_is_found_by_the_poll() {
    let place = Place::new();
    place.write("mounted/value.toml", &generation(2));
    let mount = |arguments: &[&std::path::Path]| Command::new("mount").arg("--bind").args(arguments).output().unwrap();
    let daemon = place.try_serve(Duration::from_millis(200)).await.unwrap();
    let mounted = mount(&[&place.path("mounted"), &place.path("rules")]);
    if !mounted.status.success() {
        // Only where mounting is forbidden altogether; a continuous integration has to be able to.
        assert!(std::env::var_os("CI").is_none(), "{}", String::from_utf8_lossy(&mounted.stderr));
        eprintln!("not tested: mount --bind isn't allowed here");
        return daemon.stop().await;
    }
    let seen = tokio::spawn(async move {
        daemon.until_generation(2).await;
        daemon
    })
    .await;
    assert!(Command::new("umount").arg(place.path("rules")).status().unwrap().success());
    let daemon = seen.unwrap();
    daemon.until_generation(1).await;
    daemon.stop().await;
}

#[tokio::test]
async fn folder_that_vanishes_or_is_empty_keeps_the_rules() {
    let place = Place::new();
    let daemon = place.serve().await;
    fs::rename(place.path("rules"), place.path("away")).unwrap();
    let active = daemon.until_refused().await;
    assert_eq!((sets(&active), active.refused.as_ref().unwrap().problems[0].code.as_str()), ("g1".to_owned(), "files"));
    fs::create_dir(place.path("rules")).unwrap();
    daemon.handle().reload(ReloadCause::Request).await.unwrap();
    assert_eq!(daemon.sets(), "g1");
    place.write("rules/value.toml", &generation(2));
    daemon.until_generation(2).await;
    daemon.stop().await;
}

#[tokio::test]
async fn files_that_are_no_text_are_refused() {
    let place = Place::new();
    let daemon = place.serve().await;
    fs::write(place.path("rules/value.toml"), b"\xff\xfe").unwrap();
    let active = daemon.until_refused().await;
    let refused = active.refused.as_ref().unwrap();
    assert_eq!((refused.files.as_str(), refused.problems[0].code.as_str()), ("", "files"));
    assert!(refused.problems[0].message.contains("not UTF-8"), "{refused:?}");
    fs::remove_file(place.path("tierd.toml")).unwrap();
    daemon
        .until("the other reason", |active| {
            active.refused.as_ref().is_some_and(|refused| refused.problems[0].message.contains("tierd.toml"))
        })
        .await;
    place.write("tierd.toml", CONFIG);
    place.write("rules/value.toml", &generation(2));
    daemon.until_generation(2).await;
    daemon.stop().await;
}
