//! Who is never acted on, to measure what acting does.

use sha2::{Digest, Sha256};
use tierd_model::Key;
use tierd_rules::RetentionRule;

const MILLION: u64 = 1_000_000;

/// Whether a subject is held out of a rule. It depends on nothing but the names of both, so that it stays so across restarts,
/// edits and other databases, and two rules hold out different subjects: the first 8 bytes (big endian) of SHA-256 over the
/// rule's name, a zero byte and the key as text, modulo a million, are below the share in parts per million.
pub fn is_held_out(rule: &RetentionRule, key: &Key) -> bool {
    if rule.holdout == 0 {
        return false;
    }
    let digest = Sha256::new().chain_update(&rule.name).chain_update([0]).chain_update(key.to_string()).finalize();
    let first = digest.iter().take(8).fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    first % MILLION < u64::from(rule.holdout)
}
