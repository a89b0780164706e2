//! Named points at which the crash harness kills the process.
//!
//! Compiled to nothing without the feature `failpoints`. With it, `CARDAN_FAILPOINT=name:n` kills the process with
//! SIGKILL when the point `name` is passed for the n-th time.

/// The points of this crate, in the order a commit passes them.
pub fn failpoints() -> &'static [&'static str] {
    &[
        "store.begun",
        "store.applied",
        "store.committed",
        "store.published",
        "store.acknowledged",
        "store.checkpoint",
    ]
}

/// A point the harness may choose to die at.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn failpoint(_name: &str) {}

/// A point the harness may choose to die at.
#[cfg(feature = "failpoints")]
pub fn failpoint(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static CHOSEN: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let Some((chosen, nth)) = CHOSEN.get_or_init(chosen) else { return };
    if chosen == name && PASSED.fetch_add(1, Ordering::Relaxed) + 1 == *nth {
        die();
    }
}

#[cfg(feature = "failpoints")]
fn chosen() -> Option<(String, u64)> {
    let value = std::env::var("CARDAN_FAILPOINT").ok()?;
    let (name, nth) = value.rsplit_once(':')?;
    Some((name.to_owned(), nth.parse().ok()?))
}

#[cfg(feature = "failpoints")]
fn die() -> ! {
    // No destructor, no flush, no unwinding: what `kill -9` would leave.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}
