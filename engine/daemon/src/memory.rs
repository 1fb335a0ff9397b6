//! Giving memory back: a daemon is idle most of the time, and a run over a million customers takes some hundred megabytes.
//!
//! glibc keeps freed memory for the process, in pieces between what is still in use, and would keep it until the next run.

/// Gives freed memory back to the operating system, where the C library can do that. Takes some milliseconds.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` has no preconditions and may be called from any thread; it touches nothing but free memory.
    unsafe {
        libc::malloc_trim(0);
    }
}
