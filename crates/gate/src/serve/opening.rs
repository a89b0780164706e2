//! Ends a connection whose other side does not begin. Which version of HTTP it speaks is found out before the library
//! that serves it starts any timer: who says nothing, or half of what HTTP/2 begins with, would stay for ever.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What HTTP/2 begins with (RFC 9113 §3.4). Any other byte means HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream whose reads fail when the version is not known in time.
pub(super) struct Opening<S> {
    stream: S,
    /// How many bytes of the preface came.
    heard: usize,
    /// `None` when the version is known.
    patience: Option<Pin<Box<Sleep>>>,
}

impl<S> Opening<S> {
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, heard: 0, patience: Some(Box::pin(tokio::time::sleep(limit))) }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let rest = &PREFACE[self.heard..];
        let more = bytes.len() < rest.len() && rest.starts_with(bytes);
        self.heard += if more { bytes.len() } else { 0 };
        if !more {
            self.patience = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        let Some(patience) = &mut self.patience else { return read };
        if read.is_pending() {
            ready!(patience.as_mut().poll(context));
            let why = "the other side does not begin";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
        }
        self.hear(&into.filled()[before..]);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Says this, then nothing for an hour. Whether it is waited for.
    async fn is_waited_for(said: &[u8]) -> bool {
        let (near, mut far) = tokio::io::duplex(64);
        let mut near = Opening::new(near, Duration::from_secs(10));
        far.write_all(said).await.unwrap();
        let read = async { while near.read(&mut [0; 8]).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(3600), read).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_begin_is_given_up() {
        for said in [&b""[..], b"P", b"PRI", &PREFACE[..23]] {
            assert!(!is_waited_for(said).await, "{said:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whose_version_is_known_has_other_limits() {
        for said in [&b"G"[..], b"POST", b"PRX", PREFACE] {
            assert!(is_waited_for(said).await, "{said:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn letters_one_by_one_do_not_begin_the_time_anew() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut near = Opening::new(near, Duration::from_secs(10));
        let dripping = tokio::spawn(async move {
            for letter in PREFACE.chunks(1) {
                tokio::time::sleep(Duration::from_secs(1)).await;
                far.write_all(letter).await?;
            }
            io::Result::Ok(())
        });
        while near.read(&mut [0; 8]).await.is_ok() {}
        drop(near);
        assert!(dripping.await.unwrap().is_err());
    }
}
