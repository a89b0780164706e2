//! Limits that several nodes count together, in a store that decides by its own clock in one atomic step.
//!
//! A ledger knows keys and numbers, never systems or calls. It is asked once per call and bounded in time; when it
//! does not answer, the declared fallback applies, and a circuit of its own keeps later calls from paying for it.

mod key;
mod ledger;
mod limit;
mod store;

pub use key::Key;
pub use ledger::{Answer, Away, Ledger, Rule};
pub(crate) use limit::{Caller, SharedLimit};
pub use store::Store;
pub(crate) use store::Till;

#[cfg(all(test, not(loom)))]
mod tests;
