//! Kills the real server under load and compares what is left with a ledger the clients kept.
//!
//! The ledger is written by the clients after each acknowledgement, outside the server. The simulated systems keep
//! their own records in another process. Neither knows the store.

mod audit;
mod clients;
mod collect;
mod http;
mod ledger;
mod process;

pub use audit::{Audit, Finding};
pub use clients::{Clients, Order};
pub use http::client;
pub use ledger::{Acked, Ledger};
pub use process::{Process, free_port};
