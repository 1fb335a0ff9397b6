//! The oracle: tierd's own evaluation against its rules lowered to SQL and run by SQLite.
//!
//! Random schemas, rows, metrics and tier sets, written as the files that a user writes; all metrics and levels of all subjects
//! must be equal. `PROPTEST_CASES` sets the number of cases, `PROPTEST_RNG_SEED` repeats a run, and cases that failed once
//! (`oracle.txt`) are tried first, always.

#![expect(clippy::expect_used, reason = "a test that panics is a failed test")]

mod case;
mod cells;
mod choices;
mod compare;
mod expression;
mod rules;
mod schema;

use std::hash::BuildHasher;

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed, TestCaseError, TestRunner};

use case::{Case, words};

/// Cases in a usual run.
const CASES: u32 = 2_000;

#[test]
fn sql_gives_the_same_metrics_and_levels() {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/oracle.txt");
    config.failure_persistence = Some(Box::new(FileFailurePersistence::Direct(file)));
    config.max_shrink_iters = 600;
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => std::collections::hash_map::RandomState::new().hash_one(std::process::id()),
    };
    config.rng_seed = RngSeed::Fixed(seed);
    eprintln!("oracle: {} cases, PROPTEST_RNG_SEED={seed}", config.cases);
    let outcome =
        TestRunner::new(config).run(&words(), |words| compare::check(&Case::new(&words)).map_err(TestCaseError::fail));
    if let Err(failure) = outcome {
        panic!("PROPTEST_RNG_SEED={seed}\n{failure}");
    }
}
