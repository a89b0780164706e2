//! How much of everything the gate takes. Every number is a default that configuration can change.

use std::time::Duration;

/// The gate's limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Bytes of one JSON body.
    pub body: usize,
    /// Bytes of one NDJSON upload.
    pub bulk: usize,
    /// Bytes of one line of it.
    pub line: usize,
    /// Bytes of one field of an entity.
    pub field: usize,
    /// Bytes of all fields of an entity.
    pub entity: usize,
    /// Acts in one JSON array.
    pub array: usize,
    /// Bytes of all request headers together.
    pub headers: usize,
    /// Header lines in a request.
    pub header_lines: usize,
    /// Time for the headers of a request to arrive.
    pub header_time: Duration,
    /// Time for a body to arrive; for NDJSON, for each piece of it.
    pub body_time: Duration,
    /// How long a client may take nothing of an answer before it is disconnected.
    pub stall: Duration,
    /// Connections at once; further ones wait to be accepted.
    pub connections: usize,
    /// Requests worked on at once; further ones are refused, at once and before anything of them is read. Who only
    /// waits (for a body, a position, a run; for events) is not counted; pages are not either.
    ///
    /// By Little's law 128 requests are done after 18 ms on average where 7,000 a second are possible (two cores, one
    /// `fsync` for many). 64 keep such a machine busy; more than 210 would have to wait longer than 30 ms.
    pub in_flight: usize,
    /// Requests of operators (runs, dead letters, systems) worked on at once: at the operators' own door, and, beside
    /// `in_flight`, when so many are, at the other.
    pub operators: usize,
    /// Live subscriptions at once.
    pub subscriptions: usize,
    /// Between two heartbeats of a live subscription.
    pub heartbeat: Duration,
    /// The longest that `Prefer: wait` is honoured.
    pub wait: Duration,
    /// The longest that `Cardan-At-Least` waits.
    pub at_least: Duration,
    /// How much the conversations behind the gate keep.
    pub conversations: conversation::Limits,
    /// Requests per principal.
    pub rate: Option<Rate>,
    /// How long an idempotency key is remembered.
    pub keys: Duration,
    /// How long a drain waits for requests in flight.
    pub drain: Duration,
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Requests that may come at once.
    pub capacity: u32,
    /// Requests per second after that.
    pub per_second: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1 << 20,
            bulk: 256 << 20,
            line: 1 << 20,
            field: 1 << 20,
            entity: 4 << 20,
            array: 1000,
            headers: 32 << 10,
            header_lines: 100,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            connections: 10_000,
            in_flight: 128,
            operators: 16,
            subscriptions: 1024,
            heartbeat: Duration::from_secs(15),
            wait: Duration::from_secs(60),
            at_least: Duration::from_secs(2),
            conversations: conversation::Limits::default(),
            rate: None,
            keys: Duration::from_secs(24 * 60 * 60),
            drain: Duration::from_secs(10),
        }
    }
}
