//! Any bytes as a plugin's file.

#![no_main]

use tierd_host_fuzz::{road, sections};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| road::take(&sections::with_types_of_a_scorer(bytes)));
