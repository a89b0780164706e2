//! `json` reads JSON text so that nothing in it changes on the way in, or refuses it.
//!
//! A number is kept when it has at most 28 significant digits and a decimal or a double holds exactly those; a member
//! stands once in its object; text has no half of a surrogate pair. What is refused is told with a pointer and a code.
//! The same crate computes with such numbers: each result is exact, or there is none.
//!
//! It does not know acts, flows, systems or doors: they say what a refusal means to them.

mod arithmetic;
mod document;
mod number;

pub use arithmetic::{add, divide, multiply, remainder, subtract};
pub use document::{MAX_DEPTH, Mistake, code, is_reserved, parse, push_token};
pub use number::{DIGITS, EXPECTED, decimal, exact, from_decimal, from_float, is_kept};
