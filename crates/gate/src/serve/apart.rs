//! A server on a thread of its own, with a runtime of its own: whatever keeps the other threads busy does not delay it.

use std::io;
use std::net::TcpListener as StdListener;
use std::thread;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{oneshot, watch};

use super::{Handle, Server};
use crate::Limits;

/// The same as [`super::start`], apart.
pub(crate) fn start_apart(
    listener: StdListener,
    router: Router,
    limits: &Limits,
    stop: watch::Sender<bool>,
) -> io::Result<Handle> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let server = {
        let _inside = runtime.enter();
        Server::new(TcpListener::from_std(listener)?, router, limits, &stop)
    };
    let (ending, ended) = oneshot::channel();
    thread::Builder::new().name("operators".to_owned()).spawn(move || {
        runtime.block_on(server.run());
        // Waits for the reads that are under way: whoever waits for the end closes their store next.
        drop(runtime);
        drop(ending);
    })?;
    Ok(Handle { address, stop, ended })
}
