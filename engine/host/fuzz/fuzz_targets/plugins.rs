//! Plugins that were changed and are still valid: in the code of a function, in data, in a limit.

#![no_main]

use tierd_host_fuzz::{change, road};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| road::take(bytes));

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    change::change(bytes, size, most, seed)
});
