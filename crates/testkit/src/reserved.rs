//! A port that stays ours while nobody listens on it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

const BACKLOG: u32 = 1024;

/// A bound socket that never listens. With `SO_REUSEADDR` on both, a second one may listen on the same port and stop,
/// and in between no one else is given the port.
pub(crate) struct Port {
    addr: SocketAddr,
    _bound: TcpSocket,
}

impl Port {
    /// Takes a free loopback port.
    pub(crate) fn reserve() -> io::Result<Self> {
        let bound = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self { addr: bound.local_addr()?, _bound: bound })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Listens until the listener is dropped.
    pub(crate) fn listen(&self) -> io::Result<TcpListener> {
        bind(self.addr)?.listen(BACKLOG)
    }
}

/// A socket that may share its port with others that are bound so, as long as only one of them listens.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}
