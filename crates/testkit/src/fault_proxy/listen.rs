//! The listening side: a port that stays ours while nobody listens on it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

use super::relay::Relay;
use super::{Behaviour, Tally};

const BACKLOG: u32 = 1024;
/// How long to wait before listening or accepting is tried again.
const BREATH: Duration = Duration::from_millis(10);

/// A bound socket that never listens. With `SO_REUSEADDR` on both, a second one may listen on the same port and stop,
/// and in between no one else is given the port.
pub(super) struct Port {
    addr: SocketAddr,
    _bound: TcpSocket,
}

impl Port {
    /// Takes a free loopback port.
    pub(super) fn reserve() -> io::Result<Self> {
        let bound = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self { addr: bound.local_addr()?, _bound: bound })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Listens until the listener is dropped.
    pub(super) fn listen(&self) -> io::Result<TcpListener> {
        bind(self.addr)?.listen(BACKLOG)
    }
}

fn bind(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

/// Listens and stops listening as told, until the proxy is gone.
pub(super) async fn run(
    port: Port,
    listener: TcpListener,
    upstream: SocketAddr,
    mut told: watch::Receiver<Behaviour>,
    tally: Arc<Tally>,
) {
    let mut listener = Some(listener);
    loop {
        match (*told.borrow_and_update(), &listener) {
            (Behaviour::Refuse, Some(_)) => listener = None,
            (Behaviour::Refuse, None) => {}
            (_, None) => listener = port.listen().ok(),
            (_, Some(_)) => {}
        }
        tokio::select! {
            changed = told.changed() => if changed.is_err() { return },
            accepted = accept(listener.as_ref()) => if let Ok(stream) = accepted {
                tally.connections.fetch_add(1, Ordering::Relaxed);
                let relay = Relay::new(stream, upstream, told.clone(), Arc::clone(&tally));
                tokio::spawn(relay.run());
            },
        }
    }
}

/// The next connection; never, when nobody listens on purpose.
async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    let Some(listener) = listener else { return std::future::pending().await };
    match listener.accept().await {
        Ok((stream, _)) => Ok(stream),
        Err(error) => {
            tokio::time::sleep(BREATH).await;
            Err(error)
        }
    }
}
