//! One count over several nodes, in real servers. Every story is told once and holds for each kind of server.

mod node;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod stories;
