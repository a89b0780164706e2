//! A closed-loop HTTP/1.1 load generator: one connection per worker, hand-written requests, no allocation to speak of.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::stats::Latencies;

/// Makes the body of request `n` of connection `c`, and the path it goes to.
pub type Script = dyn Fn(usize, u64) -> (String, String) + Send + Sync;

/// What one run showed.
#[derive(Debug)]
pub struct Load {
    /// Answered requests per second.
    pub rate: f64,
    /// Their latencies.
    pub latencies: Latencies,
    /// Answers that were no success.
    pub refused: u64,
}

/// Drives `connections` connections for `period`, each sending its next request when the last was answered.
///
/// # Errors
/// When a connection cannot be made or breaks.
pub async fn drive(
    to: SocketAddr,
    connections: usize,
    period: Duration,
    content: &'static str,
    script: Arc<Script>,
) -> io::Result<Load> {
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for connection in 0..connections {
        let script = script.clone();
        workers.spawn(async move { work(to, connection, start + period, content, &*script).await });
    }
    let (mut all, mut refused) = (Vec::new(), 0);
    while let Some(done) = workers.join_next().await {
        let (latencies, bad) = done.map_err(io::Error::other)??;
        all.extend(latencies);
        refused += bad;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    let rate = all.len() as f64 / start.elapsed().as_secs_f64();
    Ok(Load { rate, latencies: Latencies::new(all), refused })
}

async fn work(
    to: SocketAddr,
    connection: usize,
    end: Instant,
    content: &str,
    script: &Script,
) -> io::Result<(Vec<Duration>, u64)> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (mut seen, mut refused, mut answer) = (Vec::new(), 0, Vec::with_capacity(4096));
    for number in 0.. {
        let (path, body) = script(connection, number);
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {to}\r\ncontent-type: {content}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let sent = Instant::now();
        if sent >= end {
            break;
        }
        if !(200..300).contains(&exchange(&mut stream, &request, &mut answer).await?) {
            refused += 1;
        }
        seen.push(sent.elapsed());
    }
    Ok((seen, refused))
}

/// Sends a request and reads its answer; its status.
pub(crate) async fn exchange(stream: &mut TcpStream, request: &str, answer: &mut Vec<u8>) -> io::Result<u16> {
    stream.write_all(request.as_bytes()).await?;
    read(stream, answer).await
}

/// Reads one answer with a content length or chunks, and returns its status.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<u16> {
    answer.clear();
    loop {
        if let Some(status) = whole(answer) {
            return Ok(status);
        }
        if stream.read_buf(answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The status, when the whole answer is there.
fn whole(answer: &[u8]) -> Option<u16> {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let status = text.get(9..12)?.parse().ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let complete = match length {
        Some(length) => answer.len() >= head + 4 + length,
        None => answer.ends_with(b"0\r\n\r\n") || status == 204,
    };
    complete.then_some(status)
}
