//! A remote that answers each request with the same bytes, and counts the requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(crate) struct Remote {
    pub(crate) addr: SocketAddr,
    requests: Arc<AtomicU64>,
    listening: JoinHandle<()>,
}

impl Remote {
    /// `headers` end with a line break each.
    pub(crate) async fn answering(status: u16, headers: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n"
        );
        let answer: Arc<[u8]> = [head.as_bytes(), body].concat().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (addr, requests) = (listener.local_addr().unwrap(), Arc::<AtomicU64>::default());
        let count = Arc::clone(&requests);
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_one(stream, Arc::clone(&answer), Arc::clone(&count)));
            }
        });
        Self { addr, requests, listening }
    }

    /// Answers 200 with `{"id":"r-1"}`.
    pub(crate) async fn well() -> Self {
        Self::answering(200, "content-type: application/json\r\n", br#"{"id":"r-1"}"#).await
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn answer_one(mut stream: TcpStream, answer: Arc<[u8]>, count: Arc<AtomicU64>) {
    let mut asked = Vec::new();
    while !is_whole(&asked) {
        if !matches!(stream.read_buf(&mut asked).await, Ok(1..)) {
            return;
        }
    }
    count.fetch_add(1, Ordering::Relaxed);
    _ = stream.write_all(&answer).await;
}

/// Whether the head and the body it announces are there.
fn is_whole(asked: &[u8]) -> bool {
    let text = String::from_utf8_lossy(asked).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let said = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= said.unwrap_or(0)
}
