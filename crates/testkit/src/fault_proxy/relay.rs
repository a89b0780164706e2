//! One connection between a caller and the upstream.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::{Behaviour, Tally};

const HEAD_END: &[u8] = b"\r\n\r\n";
const ENDLESS_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n\"";

/// How much is read at once.
const PIECE: usize = 8192;
/// What an endless body is made of.
static FILLER: [u8; PIECE] = [b'x'; PIECE];

/// Whether the connection goes on.
type Flow = ControlFlow<End>;

/// How a connection ends.
enum End {
    Close,
    Reset,
}

pub(super) struct Relay {
    caller: TcpStream,
    upstream: SocketAddr,
    server: Option<TcpStream>,
    told: watch::Receiver<Behaviour>,
    tally: Arc<Tally>,
    /// How much of [`HEAD_END`] the current answer has shown.
    head: usize,
    /// Bytes answered on this connection.
    answered: u64,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.tally.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Relay {
    pub(super) fn new(
        caller: TcpStream,
        upstream: SocketAddr,
        told: watch::Receiver<Behaviour>,
        tally: Arc<Tally>,
    ) -> Self {
        _ = caller.set_nodelay(true);
        tally.open.fetch_add(1, Ordering::Relaxed);
        Self { caller, upstream, server: None, told, tally, head: 0, answered: 0 }
    }

    /// Relays until either side ends, the behaviour says so, or the proxy is gone.
    pub(super) async fn run(mut self) {
        let (mut asked, mut answer) = (vec![0; PIECE], vec![0; PIECE]);
        let end = loop {
            if let ControlFlow::Break(end) = self.step(&mut asked, &mut answer).await {
                break end;
            }
        };
        if let End::Reset = end {
            _ = self.caller.set_zero_linger();
        }
    }

    async fn step(&mut self, asked: &mut [u8], answer: &mut [u8]) -> Flow {
        let behaviour = *self.told.borrow_and_update();
        if behaviour == Behaviour::Refuse {
            return Flow::Break(End::Reset);
        }
        tokio::select! {
            changed = self.told.changed() => changed.map_or(Flow::Break(End::Close), |()| Flow::Continue(())),
            read = self.caller.read(asked) => match read {
                Ok(1..) if behaviour == Behaviour::BlackHole => Flow::Continue(()),
                Ok(length @ 1..) => self.onward(behaviour, &asked[..length]).await,
                Ok(0) | Err(_) => Flow::Break(End::Close),
            },
            read = read_from(self.server.as_mut(), answer) => match read {
                Ok(length @ 1..) => self.back(behaviour, &answer[..length]).await,
                Ok(0) | Err(_) => Flow::Break(End::Close),
            },
        }
    }

    /// Passes on what the caller sent, as the behaviour has it.
    async fn onward(&mut self, behaviour: Behaviour, bytes: &[u8]) -> Flow {
        self.head = 0;
        match behaviour {
            Behaviour::Refuse | Behaviour::Reset => Flow::Break(End::Reset),
            Behaviour::EndlessBody => self.flood().await,
            Behaviour::HalfClose => {
                self.send(bytes).await?;
                _ = self.caller.shutdown().await;
                self.drain().await
            }
            Behaviour::Delay(time) => {
                self.pause(time).await?;
                self.send(bytes).await
            }
            Behaviour::Pass
            | Behaviour::BlackHole
            | Behaviour::DripHead(_)
            | Behaviour::DripBody(_)
            | Behaviour::CutAfter(_) => self.send(bytes).await,
        }
    }

    /// Passes on what the upstream answered, as the behaviour has it.
    async fn back(&mut self, behaviour: Behaviour, bytes: &[u8]) -> Flow {
        match behaviour {
            Behaviour::BlackHole | Behaviour::EndlessBody | Behaviour::HalfClose => Flow::Continue(()),
            Behaviour::Refuse | Behaviour::Reset => Flow::Break(End::Reset),
            Behaviour::Pass | Behaviour::Delay(_) => self.answer(bytes).await,
            Behaviour::DripHead(every) => self.drip(bytes, every).await,
            Behaviour::DripBody(every) => {
                let (head, body) = bytes.split_at(self.head_of(bytes));
                self.answer(head).await?;
                self.drip(body, every).await
            }
            Behaviour::CutAfter(most) => {
                let left = usize::try_from(most.saturating_sub(self.answered)).unwrap_or(usize::MAX);
                self.answer(&bytes[..left.min(bytes.len())]).await?;
                if bytes.len() >= left { Flow::Break(End::Reset) } else { Flow::Continue(()) }
            }
        }
    }

    /// How many of `bytes` belong to the answer's head.
    fn head_of(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && self.head < HEAD_END.len() {
            let expected = bytes[at] == HEAD_END[self.head];
            self.head = if expected { self.head + 1 } else { usize::from(bytes[at] == HEAD_END[0]) };
            at += 1;
        }
        at
    }

    /// Passes bytes to the upstream, which is connected when first needed.
    async fn send(&mut self, bytes: &[u8]) -> Flow {
        let server = match &mut self.server {
            Some(server) => server,
            None => match TcpStream::connect(self.upstream).await {
                Ok(server) => self.server.insert(server),
                Err(_) => return Flow::Break(End::Reset),
            },
        };
        write(server, bytes, &self.tally.sent).await
    }

    async fn answer(&mut self, bytes: &[u8]) -> Flow {
        self.answered += bytes.len() as u64;
        write(&mut self.caller, bytes, &self.tally.answered).await
    }

    /// Passes `bytes` on one at a time until told otherwise, then the rest at once.
    async fn drip(&mut self, bytes: &[u8], every: Duration) -> Flow {
        for at in 0..bytes.len() {
            self.answer(&bytes[at..=at]).await?;
            self.pause(every).await?;
            if self.told.has_changed().unwrap_or(true) {
                return self.answer(&bytes[at + 1..]).await;
            }
        }
        Flow::Continue(())
    }

    /// Writes until the caller leaves or the proxy is told otherwise.
    async fn flood(&mut self) -> Flow {
        self.answer(ENDLESS_HEAD).await?;
        let mut told = self.told.clone();
        loop {
            tokio::select! {
                _ = told.changed() => return Flow::Break(End::Reset),
                wrote = self.answer(&FILLER) => wrote?,
            }
        }
    }

    /// Reads and forgets what the caller still sends, until it leaves.
    async fn drain(&mut self) -> Flow {
        let mut forgotten = [0; 512];
        loop {
            tokio::select! {
                _ = self.told.changed() => return Flow::Break(End::Close),
                read = self.caller.read(&mut forgotten) => match read {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return Flow::Break(End::Close),
                },
            }
        }
    }

    /// Waits, but not past a change of behaviour.
    async fn pause(&self, time: Duration) -> Flow {
        let mut told = self.told.clone();
        tokio::select! {
            changed = told.changed() => changed.map_or(Flow::Break(End::Close), |()| Flow::Continue(())),
            () = tokio::time::sleep(time) => Flow::Continue(()),
        }
    }
}

async fn read_from(server: Option<&mut TcpStream>, into: &mut [u8]) -> std::io::Result<usize> {
    match server {
        Some(server) => server.read(into).await,
        None => std::future::pending().await,
    }
}

async fn write(to: &mut TcpStream, bytes: &[u8], count: &AtomicU64) -> Flow {
    match to.write_all(bytes).await {
        Ok(()) => {
            count.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            Flow::Continue(())
        }
        Err(_) => Flow::Break(End::Close),
    }
}
