//! Accepts connections, bounds them, and drains them when told to stop.

mod apart;
mod opening;
mod stall;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use crate::Limits;
pub(crate) use apart::start_apart;
use opening::Opening;
use stall::Stall;

/// A server that runs. Dropping it does not stop it; [`Handle::drain`] does.
pub struct Handle {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    /// Answered by nobody: it ends when the server has.
    ended: oneshot::Receiver<()>,
}

impl Handle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets requests in flight end within the drain time, ends live subscriptions.
    pub async fn drain(self) {
        // Nobody listening any more means that it has stopped by itself.
        let _ = self.stop.send(true);
        let _ = self.ended.await;
    }
}

/// Starts to serve `router`. `stop` is what live subscriptions watch: it is set before connections are drained.
pub(crate) fn start(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: watch::Sender<bool>,
) -> io::Result<Handle> {
    let address = listener.local_addr()?;
    let server = Server::new(listener, router, limits, &stop);
    let (ending, ended) = oneshot::channel();
    tokio::spawn(async move {
        server.run().await;
        drop(ending);
    });
    Ok(Handle { address, stop, ended })
}

type Builder = auto::Builder<TokioExecutor>;

struct Server {
    listener: TcpListener,
    service: TowerToHyperService<Router>,
    builder: Arc<Builder>,
    permits: Arc<Semaphore>,
    opening: Duration,
    stall: Duration,
    drain: Duration,
    stopping: watch::Receiver<bool>,
}

fn builder(limits: &Limits) -> Builder {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.header_lines)
        .max_buf_size(limits.headers.max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.headers).unwrap_or(u32::MAX))
        .max_concurrent_streams(256)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(limits.header_time);
    builder
}

impl Server {
    fn new(listener: TcpListener, router: Router, limits: &Limits, stop: &watch::Sender<bool>) -> Self {
        Self {
            listener,
            service: TowerToHyperService::new(router),
            builder: Arc::new(builder(limits)),
            permits: Arc::new(Semaphore::new(limits.connections)),
            opening: limits.header_time,
            stall: limits.stall,
            drain: limits.drain,
            stopping: stop.subscribe(),
        }
    }

    async fn run(mut self) {
        let graceful = GracefulShutdown::new();
        loop {
            // A permit first: beyond the limit, connections wait in the kernel's queue.
            let accepted = tokio::select! {
                _ = self.stopping.wait_for(|stop| *stop) => break,
                accepted = accept(&self.listener, &self.permits) => accepted,
            };
            match accepted {
                Ok((stream, permit)) => self.connection(stream, permit, &graceful),
                // Out of descriptors, or a connection that was gone at once: neither is a reason to stop.
                Err(error) => {
                    tracing::warn!(error = %error, "accepting a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        if tokio::time::timeout(self.drain, graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end within the drain time");
        }
    }

    fn connection(&self, stream: TcpStream, permit: OwnedSemaphorePermit, graceful: &GracefulShutdown) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %error, "setting nodelay");
        }
        let io = TokioIo::new(Opening::new(Stall::new(stream, self.stall), self.opening));
        let connection = self.builder.serve_connection(io, self.service.clone()).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(error = %error, "connection ended");
            }
            drop(permit);
        });
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}
