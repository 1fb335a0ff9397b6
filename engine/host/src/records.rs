//! What has been seen of each plugin: calls, failures, what it took, and whether it rests. By content, so that a mended plugin begins anew.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tierd_rules::plugin::PluginHash;

use crate::{
    breaker::{Breaker, BreakerState, End},
    fault::{Fault, Reason},
};

/// Plugins remembered at most; beyond that those called least recently are forgotten.
const REMEMBERED: usize = 64;

/// What has been seen of a plugin since the program began.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginStats {
    /// Of its file.
    pub hash: PluginHash,
    /// Its name in the rules that called it last; `None` before it was called.
    pub name: Option<String>,
    /// Calls that rules made of it: a metric of a run is one.
    pub calls: u64,
    /// Rows that it was given.
    pub rows: u64,
    /// Seconds that the calls took.
    pub seconds: f64,
    /// How often it failed, by reason; only those that happened.
    pub failures: Vec<(Reason, u64)>,
    /// Whether it is called or rests.
    pub breaker: BreakerState,
    /// The most bytes of memory that an instance of it had.
    pub memory_peak: u64,
    /// How long it took to compile; `None` if it was compiled before this program began.
    pub compile_seconds: Option<f64>,
}

/// How a call went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Went {
    pub(crate) rows: u64,
    pub(crate) took: Duration,
    pub(crate) memory_peak: u64,
}

#[derive(Default)]
pub(crate) struct Records(Mutex<HashMap<PluginHash, Record>>);

struct Record {
    name: Option<String>,
    calls: u64,
    rows: u64,
    took: Duration,
    failures: [u64; Reason::ALL.len()],
    breaker: Breaker,
    memory_peak: u64,
    compile_seconds: Option<f64>,
    last: Instant,
}

impl Record {
    fn new(now: Instant) -> Self {
        Record {
            name: None,
            calls: 0,
            rows: 0,
            took: Duration::ZERO,
            failures: [0; Reason::ALL.len()],
            breaker: Breaker::default(),
            memory_peak: 0,
            compile_seconds: None,
            last: now,
        }
    }

    fn stats(&self, hash: PluginHash, now: Instant) -> PluginStats {
        let failures = Reason::ALL.into_iter().zip(self.failures).filter(|(_, times)| *times > 0);
        PluginStats {
            hash,
            name: self.name.clone(),
            calls: self.calls,
            rows: self.rows,
            seconds: self.took.as_secs_f64(),
            failures: failures.collect(),
            breaker: self.breaker.state(now),
            memory_peak: self.memory_peak,
            compile_seconds: self.compile_seconds,
        }
    }
}

impl Records {
    /// It was compiled in so many seconds, or found compiled.
    pub(crate) fn loaded(&self, hash: PluginHash, compile_seconds: Option<f64>) {
        let mut records = self.lock();
        let record = of(&mut records, hash, Instant::now());
        record.compile_seconds = compile_seconds.or(record.compile_seconds);
    }

    /// Whether it may be called now. If so, [`Records::ended`] must be told how that ended.
    pub(crate) fn admit(&self, hash: PluginHash, name: &str, now: Instant) -> Result<(), Fault> {
        let mut records = self.lock();
        let record = of(&mut records, hash, now);
        record.name = Some(name.to_owned());
        record.breaker.admit(now).map_err(|left| {
            record.failures[Reason::Resting as usize] += 1;
            let seconds = left.as_secs_f64().ceil();
            Fault::new(Reason::Resting, format!("failed several times in a row, and rests for another {seconds} s"))
        })
    }

    /// A call that was admitted ended.
    pub(crate) fn ended(&self, hash: PluginHash, went: Went, failed: Option<Reason>, now: Instant) {
        let mut records = self.lock();
        let record = of(&mut records, hash, now);
        record.calls += 1;
        record.rows += went.rows;
        record.took += went.took;
        record.memory_peak = record.memory_peak.max(went.memory_peak);
        if let Some(reason) = failed {
            record.failures[reason as usize] += 1;
        }
        let end = match failed {
            None => End::Worked,
            Some(reason) if reason.counts_against() => End::Failed,
            Some(_) => End::Neither,
        };
        record.breaker.ended(end, now);
    }

    /// Those called last first.
    pub(crate) fn snapshot(&self, now: Instant) -> Vec<PluginStats> {
        let records = self.lock();
        let mut all: Vec<_> = records.iter().collect();
        all.sort_by_key(|(hash, record)| (std::cmp::Reverse(record.last), **hash));
        all.into_iter().map(|(hash, record)| record.stats(*hash, now)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PluginHash, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(records: &mut HashMap<PluginHash, Record>, hash: PluginHash, now: Instant) -> &mut Record {
    if records.len() >= REMEMBERED && !records.contains_key(&hash) {
        let oldest = records.iter().min_by_key(|(_, record)| record.last).map(|(hash, _)| *hash);
        oldest.map(|hash| records.remove(&hash));
    }
    let record = records.entry(hash).or_insert_with(|| Record::new(now));
    record.last = now;
    record
}
