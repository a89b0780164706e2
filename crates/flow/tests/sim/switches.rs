//! What cases are made of. Each can be left out, to find out what a violation hangs on: `SIM_WITHOUT=race,kill`.

/// Whether cases have this.
pub(crate) fn is_on(what: &str) -> bool {
    let without = std::env::var("SIM_WITHOUT").unwrap_or_default();
    !without.split(',').any(|left_out| left_out == what)
}
