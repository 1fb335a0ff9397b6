//! What a daemon takes from the machine while nothing happens.

use std::time::Duration;

use serde_json::json;

use crate::{
    Failure, http, print,
    process::{self, Process},
    shop::{Folder, Shop},
};

/// Looks at a daemon for so long, after it has graded so many customers twice.
pub(crate) fn run(customers: i64, seconds: u64) -> Result<(), Failure> {
    let place = tempfile::tempdir()?;
    Shop::make(&place.path().join("shop.db"), customers, 10)?;
    let folder = Folder::make(place.path().join("project"), "[http]\nlisten = \"off\"\n")?;
    let process = process::serve(&folder)?;
    let at_start = Taken::now(&process)?;
    for _ in 0..2 {
        let answer =
            http::post(&folder.socket(), "/api/v1/runs", &json!({ "as_of": "2026-01-02T00:00:00Z", "wait": 50 }))?;
        if answer.status != 200 {
            return Err(format!("the run answered {}: {}", answer.status, answer.body).into());
        }
    }
    std::thread::sleep(Duration::from_secs(2));
    let before = Taken::now(&process)?;
    std::thread::sleep(Duration::from_secs(seconds));
    let after = Taken::now(&process)?;
    print(&json!({
        "customers": customers,
        "resident_mib_at_start": at_start.resident,
        "resident_mib": after.resident,
        "anonymous_mib": after.anonymous,
        "handles": after.handles,
        "share_of_a_core": (after.processor - before.processor) / seconds as f64,
        "seconds": seconds,
    }));
    process.stop()
}

/// What a process has taken.
pub(crate) struct Taken {
    pub(crate) anonymous: f64,
    pub(crate) resident: f64,
    pub(crate) handles: usize,
    pub(crate) processor: f64,
}

impl Taken {
    pub(crate) fn now(process: &Process) -> Result<Self, Failure> {
        let (anonymous, resident) = process.memory()?;
        Ok(Taken { anonymous, resident, handles: process.handles()?, processor: process.processor_seconds()? })
    }
}
