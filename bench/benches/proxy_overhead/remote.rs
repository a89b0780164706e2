//! A remote that answers 1 KB of JSON at once, on a thread and in a runtime of its own.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts it; it ends with the process.
pub(crate) fn start() -> SocketAddr {
    let (tell, told) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream));
            }
        });
    });
    told.recv().unwrap()
}

async fn converse(mut stream: TcpStream) {
    _ = stream.set_nodelay(true);
    let body = super::rig::body().to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let answer = head + &body;
    let mut asked = Vec::with_capacity(4096);
    while let Ok(1..) = stream.read_buf(&mut asked).await {
        if is_whole(&asked) {
            asked.clear();
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// Whether the head and the body it announces are there.
fn is_whole(asked: &[u8]) -> bool {
    let Some(head) = asked.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&asked[..head]).to_lowercase();
    let said = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    asked.len() >= head + 4 + said.unwrap_or(0)
}
