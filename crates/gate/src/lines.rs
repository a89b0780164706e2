//! Cuts an upload into lines as it arrives. A line has a largest size; the whole upload has one too.

use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use bytes::BytesMut;
use futures_util::{FutureExt, StreamExt};

use crate::{Code, Problem};

/// Bytes that are read ahead of the lines that are cut, and bytes of lines cut at once.
const AHEAD: usize = 256 << 10;

/// The lines of an upload.
pub(crate) struct Lines {
    pieces: BodyDataStream,
    rest: BytesMut,
    /// Of `rest`, how much is known to hold no line end.
    searched: usize,
    ended: bool,
    line: usize,
    left: usize,
    time: Duration,
    /// Why nothing more will come; told after the lines that came before.
    broken: Option<Problem>,
}

impl Lines {
    pub(crate) fn new(body: Body, line: usize, all: usize, time: Duration) -> Self {
        let pieces = body.into_data_stream();
        Self { pieces, rest: BytesMut::new(), searched: 0, ended: false, line, left: all, time, broken: None }
    }

    /// Some lines that have arrived: at least one unless the upload has ended, at most `most`. Empty lines are left
    /// out. After an error there are no further lines.
    ///
    /// Safe under cancellation: what has arrived is kept.
    pub(crate) async fn next(&mut self, most: usize) -> Result<Vec<Bytes>, Problem> {
        loop {
            self.fill();
            let lines = self.cut(most)?;
            if !lines.is_empty() {
                return Ok(lines);
            }
            if let Some(problem) = self.broken.take() {
                return Err(self.end(problem));
            }
            if self.ended {
                return Ok(lines);
            }
            self.more().await;
        }
    }

    /// The same, when lines or the end have arrived already.
    pub(crate) fn arrived(&mut self, most: usize) -> Option<Result<Vec<Bytes>, Problem>> {
        self.next(most).now_or_never()
    }

    /// Takes what has arrived, so that batches are large when lines come fast.
    fn fill(&mut self) {
        while !self.ended && self.broken.is_none() && self.rest.len() < AHEAD {
            if self.more().now_or_never().is_none() {
                return;
            }
        }
    }

    async fn more(&mut self) {
        if let Err(problem) = self.piece().await {
            self.broken = Some(problem);
        }
    }

    async fn piece(&mut self) -> Result<(), Problem> {
        let arrived = tokio::time::timeout(self.time, self.pieces.next()).await;
        match arrived.map_err(|_| Problem::new(Code::BodySlow))? {
            Some(Ok(piece)) if piece.len() > self.left => {
                Err(Problem::because(Code::BodyTooLarge, "the upload is larger than allowed"))
            }
            Some(Ok(piece)) => {
                self.left -= piece.len();
                self.rest.extend_from_slice(&piece);
                Ok(())
            }
            Some(Err(_)) => Err(Problem::because(Code::BodyJson, "the upload broke off")),
            None => {
                self.ended = true;
                Ok(())
            }
        }
    }

    fn cut(&mut self, most: usize) -> Result<Vec<Bytes>, Problem> {
        let (mut lines, mut size) = (Vec::new(), 0);
        while lines.len() < most && size < AHEAD {
            let Some(line) = self.line() else { break };
            size += line.len();
            if line.len() > self.line {
                self.rest.clear();
                self.broken = Some(self.too_long());
                break;
            }
            if !line.iter().all(u8::is_ascii_whitespace) {
                lines.push(line);
            }
        }
        if lines.is_empty() && self.rest.len() > self.line {
            let problem = self.too_long();
            return Err(self.end(problem));
        }
        Ok(lines)
    }

    fn too_long(&self) -> Problem {
        Problem::because(Code::BodyTooLarge, format!("a line has at most {} bytes", self.line))
    }

    /// The next whole line, or what is left after the last.
    fn line(&mut self) -> Option<Bytes> {
        match self.rest[self.searched..].iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let line = self.rest.split_to(self.searched + at + 1).freeze();
                self.searched = 0;
                Some(line.slice(..line.len() - 1))
            }
            None if self.ended && !self.rest.is_empty() => {
                self.searched = 0;
                Some(self.rest.split().freeze())
            }
            None => {
                self.searched = self.rest.len();
                None
            }
        }
    }

    fn end(&mut self, problem: Problem) -> Problem {
        self.ended = true;
        self.rest.clear();
        self.searched = 0;
        problem
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    async fn cut(pieces: &[&'static str], line: usize, all: usize) -> Result<Vec<String>, Code> {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, Infallible>(*piece)).collect();
        let body = Body::from_stream(stream::iter(pieces));
        let mut lines = Lines::new(body, line, all, Duration::from_secs(1));
        let mut all = Vec::new();
        loop {
            let some = lines.next(2).await.map_err(|problem| problem.code)?;
            if some.is_empty() {
                return Ok(all);
            }
            assert!(some.len() <= 2);
            all.extend(some.iter().map(|line| String::from_utf8_lossy(line).into_owned()));
        }
    }

    #[tokio::test]
    async fn lines_come_whole_however_the_pieces_are_cut() {
        let lines = cut(&["a", "b\n\nc", "d\r\ne\nf", "\n", "g"], 9, 99).await;
        assert_eq!(lines.unwrap(), ["ab", "cd\r", "e", "f", "g"]);
        assert_eq!(cut(&[], 9, 99).await.unwrap(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_line_and_the_whole_are_bounded() {
        assert_eq!(cut(&["1234", "5678"], 5, 99).await, Err(Code::BodyTooLarge));
        assert_eq!(cut(&["12345678\n1\n"], 5, 99).await, Err(Code::BodyTooLarge), "also when it came whole");
        assert_eq!(cut(&["1\n2\n3\n"], 5, 5).await, Err(Code::BodyTooLarge));
    }
}
