//! The whole state of a breaker in one atomic word, so that every change is one compare-and-swap.
//!
//! ```text
//! 63..62 state · 61..46 era · 45..0 by state:
//!   closed     31..0 failures in a row
//!   open       45..40 round · 39..0 open until, in ms since the guard was made (34 years)
//!   half open  45..40 round · 39..30 probes out · 29..20 good · 19..10 bad · 9..0 slow
//! ```

/// A state and the era it belongs to. Each change of state begins a new era; a result that was admitted in an earlier
/// one is ignored. 65,536 eras later the number repeats; a call would have to stay out for as many openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) era: u16,
    pub(super) phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed { streak: u32 },
    Open { round: u8, until: u64 },
    HalfOpen(Probes),
}

/// What the probes of one half-open era have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Probes {
    /// How many times in a row the breaker opened before.
    pub(super) round: u8,
    pub(super) out: u16,
    pub(super) good: u16,
    pub(super) bad: u16,
    pub(super) slow: u16,
}

const ERA: u32 = 46;
const ROUND: u32 = 40;
const MOST_ROUNDS: u8 = 63;
const MOST_MILLIS: u64 = (1 << ROUND) - 1;
const TEN_BITS: u64 = (1 << 10) - 1;

impl Word {
    pub(super) const CLOSED: Word = Word { era: 0, phase: Phase::Closed { streak: 0 } };

    /// The first word of the next era.
    #[inline]
    pub(super) fn then(self, phase: Phase) -> Word {
        Word { era: self.era.wrapping_add(1), phase }
    }

    /// Another word of the same era.
    #[inline]
    pub(super) fn still(self, phase: Phase) -> Word {
        Word { era: self.era, phase }
    }

    #[inline]
    pub(super) fn pack(self) -> u64 {
        let (state, rest) = match self.phase {
            Phase::Closed { streak } => (0, u64::from(streak)),
            Phase::Open { round, until } => (1, round_bits(round) | until.min(MOST_MILLIS)),
            Phase::HalfOpen(probes) => (2, probes.pack()),
        };
        state << 62 | u64::from(self.era) << ERA | rest
    }

    #[inline]
    pub(super) fn unpack(bits: u64) -> Word {
        #[expect(clippy::cast_possible_truncation, reason = "the low 16 bits are the era")]
        let era = (bits >> ERA) as u16;
        let phase = match bits >> 62 {
            0 => Phase::Closed { streak: low32(bits) },
            1 => Phase::Open { round: round(bits), until: bits & MOST_MILLIS },
            _ => Phase::HalfOpen(Probes::unpack(bits)),
        };
        Word { era, phase }
    }
}

impl Probes {
    #[inline]
    fn pack(self) -> u64 {
        let field = |value: u16, shift: u32| u64::from(value).min(TEN_BITS) << shift;
        round_bits(self.round)
            | field(self.out, 30)
            | field(self.good, 20)
            | field(self.bad, 10)
            | field(self.slow, 0)
    }

    #[inline]
    fn unpack(bits: u64) -> Self {
        let field = |shift: u32| low16(bits >> shift & TEN_BITS);
        Self { round: round(bits), out: field(30), good: field(20), bad: field(10), slow: field(0) }
    }
}

#[inline]
fn round_bits(round: u8) -> u64 {
    u64::from(round.min(MOST_ROUNDS)) << ROUND
}

#[expect(clippy::cast_possible_truncation, reason = "masked to 6 bits")]
#[inline]
fn round(bits: u64) -> u8 {
    (bits >> ROUND & u64::from(MOST_ROUNDS)) as u8
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is meant")]
#[inline]
fn low32(bits: u64) -> u32 {
    bits as u32
}

#[expect(clippy::cast_possible_truncation, reason = "masked to 10 bits")]
#[inline]
fn low16(bits: u64) -> u16 {
    bits as u16
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phases() -> impl Strategy<Value = Phase> {
        let ten = 0u16..1_024;
        prop_oneof![
            any::<u32>().prop_map(|streak| Phase::Closed { streak }),
            (0u8..64, 0u64..1 << 40).prop_map(|(round, until)| Phase::Open { round, until }),
            (0u8..64, ten.clone(), ten.clone(), ten.clone(), ten).prop_map(
                |(round, out, good, bad, slow)| { Phase::HalfOpen(Probes { round, out, good, bad, slow }) }
            ),
        ]
    }

    proptest! {
        #[test]
        fn a_word_is_read_as_it_was_written(era: u16, phase in phases()) {
            let word = Word { era, phase };
            prop_assert_eq!(Word::unpack(word.pack()), word);
        }
    }
}
