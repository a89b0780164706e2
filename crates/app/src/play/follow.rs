//! Reads Server-Sent Events from a response, one JSON document per event.

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use serde_json::Value;

/// The longest event that is read, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// A stream of live events.
pub(super) struct Follow {
    body: BoxStream<'static, reqwest::Result<Bytes>>,
    unread: Vec<u8>,
}

impl Follow {
    /// Reads events from a response body.
    pub(super) fn new(body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static) -> Self {
        Self { body: body.boxed(), unread: Vec::new() }
    }

    /// The next event's data. `None` when the stream has ended. Safe to drop: nothing read is lost.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.take() {
                match data(&event) {
                    Some(json) => return Some(json),
                    None => continue,
                }
            }
            let chunk = self.body.next().await?.ok()?;
            self.unread.extend_from_slice(&chunk);
            if self.unread.len() > LONGEST {
                return None;
            }
        }
    }

    /// Takes one whole event off what was read: everything up to an empty line.
    fn take(&mut self) -> Option<String> {
        let end = self.unread.windows(2).position(|pair| pair == b"\n\n")?;
        let event: Vec<u8> = self.unread.drain(..end + 2).collect();
        Some(String::from_utf8_lossy(&event).into_owned())
    }
}

/// The `data` lines of one event; `None` for heartbeats.
fn data(event: &str) -> Option<Value> {
    let lines: Vec<&str> =
        event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
    serde_json::from_str(&lines.join("\n")).ok()
}
