//! How much an expression may cost. Every limit is a refusal with a code, never a slow answer.

use crate::code::Code;
use crate::fail::{Fail, Outcome};

/// Bytes of one expression.
pub(crate) const SOURCE_BYTES: usize = 8 * 1024;
/// Words and signs of one expression; bounds the depth of its tree and with it the stack.
pub(crate) const TOKENS: usize = 400;
/// Brackets within brackets.
pub(crate) const NESTING: usize = 32;
/// Loops within loops. The steps are bounded anyway; this keeps expressions readable.
pub(crate) const LOOP_NESTING: usize = 3;
/// Steps of one evaluation: nodes visited, items compared or copied, text copied in pieces of 64 bytes.
pub(crate) const STEPS: u64 = 100_000;
/// Bytes of one text an expression makes.
pub(crate) const TEXT_BYTES: usize = 1024 * 1024;
/// Weight of one result: its text in bytes and 16 for each value.
pub(crate) const RESULT_WEIGHT: usize = 32 * 1024 * 1024;
/// Bytes of memory of one compiled pattern.
pub(crate) const PATTERN_BYTES: usize = 256 * 1024;

/// The steps an evaluation has left.
#[derive(Debug)]
pub(crate) struct Fuel {
    left: u64,
}

impl Default for Fuel {
    fn default() -> Self {
        Self { left: STEPS }
    }
}

impl Fuel {
    /// Takes `steps`; an evaluation without steps ends.
    #[inline]
    pub(crate) fn spend(&mut self, steps: usize) -> Outcome<()> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(exhausted()),
        }
    }

    /// Takes the steps of copying or searching `bytes` of text.
    pub(crate) fn spend_text(&mut self, bytes: usize) -> Outcome<()> {
        self.spend(1 + bytes / 64)
    }

    /// Pays for making a text of `bytes`, before it is made.
    pub(crate) fn make_text(&mut self, bytes: usize) -> Outcome<()> {
        if bytes > TEXT_BYTES {
            let message = format!("a text may have {TEXT_BYTES} bytes, this one would have {bytes}");
            return Err(Fail::new(Code::TooLarge, message));
        }
        self.spend_text(bytes)
    }
}

#[cold]
fn exhausted() -> Box<Fail> {
    Fail::new(Code::Budget, format!("the expression needs more than {STEPS} steps"))
        .help("filter the list before mapping it, or move the loop into the flow (`for:`)")
}
