//! The listening side.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::relay::Relay;
use super::{Behaviour, Tally};
use crate::reserved::Port;

/// How long to wait before listening or accepting is tried again.
const BREATH: Duration = Duration::from_millis(10);

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
