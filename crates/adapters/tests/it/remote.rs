//! A remote that answers exactly as told, byte by byte, and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the remote does with each request.
#[derive(Clone)]
pub(crate) enum Does {
    /// Sends these bytes and closes.
    Says(String),
    /// Closes without a byte.
    Drops,
    /// Reads and is silent for ever.
    Nothing,
    /// Sends a head, then one byte of body and silence.
    Drips,
    /// Sends a head and a body without end.
    Floods,
}

pub(crate) struct Remote {
    pub(crate) addr: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Remote {
    pub(crate) async fn that(does: Does) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (requests, sent) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicUsize>::default());
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&sent));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, does.clone(), Arc::clone(&seen), Arc::clone(&counted)));
            }
        });
        Self { addr, requests, sent, task }
    }

    /// Answers every request with a status, headers and a body.
    pub(crate) async fn answering(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {length}\r\n{headers}");
        Self::that(Does::Says(format!("{head}connection: close\r\n\r\n{body}"))).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/base", self.addr)
    }

    /// The requests so far, head and body, headers in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// How many bytes a flood has pushed out.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, does: Does, seen: Arc<Mutex<Vec<String>>>, sent: Arc<AtomicUsize>) {
    let request = request(&mut stream).await;
    seen.lock().unwrap().push(request);
    match does {
        Does::Says(bytes) => _ = stream.write_all(bytes.as_bytes()).await,
        Does::Drops => {}
        Does::Nothing => std::future::pending().await,
        Does::Drips => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
            _ = stream.write_all(head.as_bytes()).await;
            std::future::pending().await
        }
        Does::Floods => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n\"";
            _ = stream.write_all(head.as_bytes()).await;
            let chunk = [b'x'; 4096];
            while stream.write_all(&chunk).await.is_ok() {
                sent.fetch_add(chunk.len(), Ordering::Relaxed);
            }
        }
    }
}

/// Reads one request: its head, and as much body as the head says.
async fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let said = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= said.unwrap_or(0usize) {
                return format!("{head}\n\n{body}");
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
