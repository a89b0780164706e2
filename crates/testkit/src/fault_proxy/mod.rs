//! A TCP proxy on loopback that misbehaves on command: between a caller and its upstream, in either's place.
//!
//! It knows bytes, connections and where an HTTP head ends, nothing more. What is set holds for new connections and,
//! from the next byte on, for those that are open.

mod listen;
mod relay;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::reserved::Port;

/// What the proxy does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// Passes everything on.
    #[default]
    Pass,
    /// Nobody listens: connecting is refused, open connections are reset.
    Refuse,
    /// Takes the connection and the first bytes, then resets it (RST). Nothing reaches the upstream.
    Reset,
    /// Takes everything and answers nothing. Nothing reaches the upstream.
    BlackHole,
    /// Waits so long before passing on each piece that the caller sends.
    Delay(Duration),
    /// Passes the answer on one byte at a time, from its first byte.
    DripHead(Duration),
    /// Passes the answer's head on at once and its body one byte at a time.
    DripBody(Duration),
    /// Answers 200 with a JSON body that never ends. Nothing reaches the upstream.
    EndlessBody,
    /// Passes the request on and ends the answer (FIN) before its first byte.
    HalfClose,
    /// Passes so many bytes of a connection's answers on, then resets it.
    CutAfter(u64),
}

/// What went through so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Connections accepted.
    pub connections: u64,
    /// Of these, open now.
    pub open: u64,
    /// Bytes passed to the upstream.
    pub sent: u64,
    /// Bytes passed to callers, made-up ones included.
    pub answered: u64,
}

/// A running proxy. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct FaultProxy {
    addr: SocketAddr,
    behaviour: watch::Sender<Behaviour>,
    tally: Arc<Tally>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Tally {
    connections: AtomicU64,
    open: AtomicU64,
    sent: AtomicU64,
    answered: AtomicU64,
}

impl FaultProxy {
    /// Starts before `upstream`, passing everything on.
    ///
    /// # Errors
    /// When no loopback port is free.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let port = Port::reserve()?;
        let (behaviour, told) = watch::channel(Behaviour::Pass);
        let tally = Arc::<Tally>::default();
        let (addr, listener) = (port.addr(), port.listen()?);
        let listening = tokio::spawn(listen::run(port, listener, upstream, told, Arc::clone(&tally)));
        Ok(Self { addr, behaviour, tally, listening })
    }

    /// Where callers connect.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Behaves otherwise from now on. A port that is to be refused may take one more connection.
    pub fn set(&self, behaviour: Behaviour) {
        self.behaviour.send_replace(behaviour);
    }

    /// What went through so far.
    pub fn counts(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            connections: read(&self.tally.connections),
            open: read(&self.tally.open),
            sent: read(&self.tally.sent),
            answered: read(&self.tally.answered),
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
