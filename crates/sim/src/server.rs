//! The listening socket, and connections that can be dropped in the middle of an exchange.

use std::convert::Infallible;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;

use crate::door;
use crate::house::House;
use crate::knob::Knob;
use crate::ledger::{Effects, Entry};
use crate::options::Options;

/// How many connections are served at once; more wait to be accepted.
const CONNECTIONS: usize = 4096;
/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(30);

/// A running simulation. Dropping it stops it and drops its connections.
pub struct Handle {
    addr: SocketAddr,
    house: Arc<House>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

/// Starts the systems.
///
/// # Errors
/// When the address cannot be bound or the records cannot be opened.
pub async fn serve(options: Options) -> io::Result<Handle> {
    let house = Arc::new(House::open(&options)?);
    let listener = TcpListener::bind(options.addr).await?;
    let addr = listener.local_addr()?;
    let (stop, stopped) = watch::channel(false);
    let accepting = tokio::spawn(accept(listener, Arc::clone(&house), stopped));
    Ok(Handle { addr, house, stop, accepting })
}

impl Handle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base address of one system: `http://127.0.0.1:7101/payments`.
    pub fn url(&self, system: &str) -> String {
        format!("http://{}/{system}", self.addr)
    }

    /// Tells a system to misbehave.
    ///
    /// # Errors
    /// When there is no such system or the knob says nothing.
    pub fn behave(&self, system: &str, knob: Knob) -> Result<(), String> {
        self.house.behave(system, knob)
    }

    /// Tells a system to behave again.
    ///
    /// # Errors
    /// When there is no such system.
    pub fn reset(&self, system: &str) -> Result<(), String> {
        self.house.reset(system)
    }

    /// What was done to a system, oldest first, at most the last 100,000 entries.
    ///
    /// # Errors
    /// When there is no such system.
    pub fn ledger(&self, system: &str) -> Result<Vec<Entry>, String> {
        self.house.ledger(system, 0, usize::MAX)
    }

    /// The sums of what was done to a system.
    ///
    /// # Errors
    /// When there is no such system.
    pub fn effects(&self, system: &str) -> Result<Effects, String> {
        self.house.effects(system)
    }

    /// What every system holds, as `GET /_sim/state` shows it.
    pub fn state(&self) -> Value {
        self.house.state()
    }

    /// Stops listening and drops every connection.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        _ = self.accepting.await;
    }
}

async fn accept(listener: TcpListener, house: Arc<House>, mut stopped: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = tokio::select! {
            _ = stopped.changed() => return,
            accepted = listener.accept() => accepted,
        };
        // Out of file descriptors: a breath later some connection will have ended.
        let Ok((stream, _)) = stream else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let connection = converse(stream, Arc::clone(&house), stopped.clone());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    }
}

/// Serves one connection until it ends, is dropped on purpose, or the simulation stops.
async fn converse(stream: TcpStream, house: Arc<House>, mut stopped: watch::Receiver<bool>) {
    _ = stream.set_nodelay(true);
    let killed = Arc::new(Notify::new());
    let switch = Arc::clone(&killed);
    let service = service_fn(move |request| {
        let (house, switch) = (Arc::clone(&house), Arc::clone(&switch));
        async move {
            match door::answer(house, request).await {
                Some(response) => Ok::<_, Infallible>(response),
                None => {
                    switch.notify_one();
                    future::pending().await
                }
            }
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let conversation = http.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = conversation => {}
        () = killed.notified() => {}
        _ = stopped.changed() => {}
    }
}
