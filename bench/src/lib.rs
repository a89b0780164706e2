//! What every benchmark shares: the machine it ran on, the floor of its disk, medians and spread, a cheap HTTP load
//! generator, the server under test. It knows nothing of what is measured.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

pub mod floor;
pub mod http;
pub mod machine;
pub mod pulse;
pub mod server;
pub mod stats;
