//! Giving memory back: a daemon is idle most of the time, and a run over a million customers takes some hundred megabytes.
//!
//! glibc keeps freed memory for the process, and the more the larger the pieces were that were freed: it raises its own thresholds, and
//! each thread that ever made a run would keep some 30 MB at the end of its heap, which `malloc_trim` doesn't touch. So the
//! thresholds are fixed first.

/// Memory of this many bytes or more, such as a column of a million numbers, goes back to the operating system when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 4 << 20;

/// So many free bytes a heap may have at its end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const SPARE: libc::c_int = 1 << 20;

/// Has this process keep less freed memory from now on. It costs page faults at the beginning of each run, as in a new process.
pub(crate) fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `mallopt` with these parameters changes numbers that the allocator reads under its own locks; any value is allowed.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, SPARE);
    }
}

/// Gives freed memory back to the operating system, where the C library can do that. Takes some milliseconds.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: `malloc_trim` has no preconditions and may be called from any thread; it touches nothing but free memory.
    unsafe {
        libc::malloc_trim(0);
    }
}
