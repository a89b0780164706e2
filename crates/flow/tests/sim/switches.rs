//! What cases are made of. Each can be left out, to find out what a violation hangs on: `SIM_WITHOUT=race,kill`.

/// What the code under test does not keep yet. A case has none of it, unless `SIM_ALL` is set.
const PENDING: &[&str] = &["late", "lag", "kill", "strict", "restart", "resume", "replay"];

/// Whether cases have this.
pub(crate) fn is_on(what: &str) -> bool {
    let without = std::env::var("SIM_WITHOUT").unwrap_or_default();
    let pending = PENDING.contains(&what) && std::env::var("SIM_ALL").is_err();
    !pending && !without.split(',').any(|left_out| left_out == what)
}
