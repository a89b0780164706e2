//! Asks for something again and again while something else goes on, from a thread of its own: what loads the server from
//! this process would keep the answers waiting too.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::http::exchange;
use crate::stats::Latencies;

/// Between an answer and the next question.
const PAUSE: Duration = Duration::from_millis(20);

/// Somebody who asks.
#[derive(Debug)]
pub struct Pulse {
    stop: Arc<AtomicBool>,
    asking: JoinHandle<io::Result<(Latencies, usize)>>,
}

impl Pulse {
    /// Begins to ask for `path`.
    ///
    /// # Errors
    /// When there is no runtime for it.
    pub fn of(address: SocketAddr, path: &str) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, request) = (stop.clone(), format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let asking = thread::spawn(move || runtime.block_on(ask(address, request, &told)));
        Ok(Self { stop, asking })
    }

    /// Every answer's latency, and how many said anything but yes.
    ///
    /// # Errors
    /// When the connection broke.
    pub fn stop(self) -> io::Result<(Latencies, usize)> {
        self.stop.store(true, Ordering::Relaxed);
        self.asking.join().map_err(|_| io::Error::other("the asking thread panicked"))?
    }
}

async fn ask(address: SocketAddr, request: String, told: &AtomicBool) -> io::Result<(Latencies, usize)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut seen, mut bad, mut answer) = (Vec::new(), 0, Vec::with_capacity(4096));
    while !told.load(Ordering::Relaxed) {
        let sent = Instant::now();
        let status = exchange(&mut stream, &request, &mut answer).await?;
        seen.push(sent.elapsed());
        bad += usize::from(status != 200);
        tokio::time::sleep(PAUSE).await;
    }
    Ok((Latencies::new(seen), bad))
}
