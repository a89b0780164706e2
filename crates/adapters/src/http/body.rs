//! The pieces of a body as they arrive, kept without a second copy of them.

use bytes::Bytes;

/// A smaller piece is copied: each piece keeps the read buffer that it is a part of alive, and a body that drips would
/// keep one buffer for each byte.
const SMALL: usize = 4096;

/// What has arrived so far.
#[derive(Default)]
pub(crate) struct Body {
    pieces: Vec<Bytes>,
    /// Small pieces since the last large one.
    tail: Vec<u8>,
    length: usize,
}

impl Body {
    /// Takes one more piece; false, and the piece is let go, when the body would be longer than `most` bytes.
    pub(crate) fn take(&mut self, piece: Bytes, most: usize) -> bool {
        if piece.len() > most.saturating_sub(self.length) {
            return false;
        }
        self.length += piece.len();
        if piece.len() < SMALL {
            self.tail.extend_from_slice(&piece);
        } else {
            self.end_tail();
            self.pieces.push(piece);
        }
        true
    }

    /// Everything that arrived, in order. Copied only when it came in several pieces.
    pub(crate) fn whole(mut self) -> Bytes {
        self.end_tail();
        match &mut self.pieces[..] {
            [] => Bytes::new(),
            [one] => std::mem::take(one),
            many => many.concat().into(),
        }
    }

    fn end_tail(&mut self) {
        if !self.tail.is_empty() {
            self.pieces.push(std::mem::take(&mut self.tail).into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(pieces: &[Bytes]) -> Body {
        let mut body = Body::default();
        assert!(pieces.iter().all(|piece| body.take(piece.clone(), usize::MAX)));
        body
    }

    #[test]
    fn pieces_of_any_size_come_out_in_order() {
        assert_eq!(Body::default().whole(), "");
        let large = Bytes::from(vec![b'x'; SMALL]);
        let pieces = [Bytes::from("a"), "b".into(), large.clone(), large.clone(), "c".into(), large.clone()];
        assert_eq!(taken(&pieces).whole(), pieces.concat());
        assert_eq!(taken(std::slice::from_ref(&large)).whole().as_ptr(), large.as_ptr(), "not copied");
    }

    #[test]
    fn a_body_that_drips_keeps_no_read_buffer() {
        let buffer = Bytes::from(vec![b'x'; 2 * SMALL]);
        let drops: Vec<_> = (0..100).map(|at| buffer.slice(at..=at)).collect();
        let body = taken(&drops);
        drop(drops);
        assert!(buffer.is_unique(), "a byte keeps {} bytes alive", buffer.len());
        assert_eq!(body.whole().len(), 100);
    }

    #[test]
    fn one_byte_too_many_is_refused() {
        let mut body = Body::default();
        assert!(body.take("12345".into(), 8) && body.take("678".into(), 8));
        assert!(!body.take("9".into(), 8));
        assert_eq!(body.whole(), "12345678");
    }
}
