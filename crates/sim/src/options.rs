//! What a simulation is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// What a simulation is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one. Default `127.0.0.1:7101`.
    pub addr: SocketAddr,
    /// Decides the ids that are given out. Default 1.
    pub seed: u64,
    /// Whether a write under a known idempotency key is answered from memory instead of done again. Default yes.
    pub honour_keys: bool,
    /// How many of each product there are until someone says otherwise. Default 100.
    pub stock: u32,
    /// A folder for one `<system>.jsonl` each, written before the answer is sent. Default none: memory only.
    pub records: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 7101)),
            seed: 1,
            honour_keys: true,
            stock: 100,
            records: None,
        }
    }
}

impl Options {
    /// The defaults on a free loopback port, for tests.
    #[must_use]
    pub fn free_port() -> Self {
        Self { addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..Self::default() }
    }
}
