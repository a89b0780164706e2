//! Who is told what became of messages, after it is durable.

use store::DeadLetter;

/// Is told what became of messages, after it is durable. Must not block.
pub trait Listener: Send + Sync + 'static {
    /// A message of this run has come to its end: its answer is in the store.
    fn settled(&self, run: &str);

    /// A message became a dead letter.
    fn undeliverable(&self, letter: &DeadLetter);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Noop;

impl Listener for Noop {
    fn settled(&self, _run: &str) {}

    fn undeliverable(&self, _letter: &DeadLetter) {}
}
