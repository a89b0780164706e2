//! What names an effect for ever: the same key on every attempt, after every crash, and nobody else's.

use aws_lc_rs::digest::{Context, SHA256};
use xxhash_rust::xxh3::xxh3_128;

use super::member::step_of;
use super::record::{Record, RecordStatus};
use super::state::State;

/// How keys are made, as a run pins it when it starts.
pub(crate) const SCHEME: u8 = 1;

impl State {
    /// The idempotency key of a path.
    pub(crate) fn key(&self, path: &str) -> String {
        self.key_after(path, self.times_undone(path))
    }

    /// The key under which the step of this record, or its undoing, was last sent.
    pub(super) fn last_key(&self, path: &str, step: &Record) -> String {
        let undone = u32::from(step.status == RecordStatus::Compensated);
        self.key_after(path, self.times_undone(path).saturating_sub(undone))
    }

    fn key_after(&self, path: &str, undone: u32) -> String {
        match self.start.scheme {
            0 => self.first_key(path, undone),
            _ => self.digest(path, undone),
        }
    }

    /// A digest over everything that tells one effect from another, each part with its length before it, so that no
    /// two lists of parts are written alike. 32 hexadecimal digits.
    fn digest(&self, path: &str, undone: u32) -> String {
        let start = &self.start;
        let entity = start.entity().unwrap_or_default();
        let (kind, own) = match &start.idempotency_key {
            Some(own) => ("key", own.as_str()),
            None if store::mutant("key-without-run") => ("run", ""),
            None => ("run", start.run.as_str()),
        };
        let generations = format!("{}.{}", start.generation, undone);
        let conversation = start.conversation.as_deref().unwrap_or_default();
        let parts = [
            start.installation.as_str(),
            &start.tenant,
            &start.flow,
            conversation,
            entity,
            kind,
            own,
            path,
            &generations,
        ];
        let mut sum = Context::new(&SHA256);
        for part in parts {
            sum.update(&(part.len() as u64).to_be_bytes());
            sum.update(part.as_bytes());
        }
        sum.finish().as_ref()[..16].iter().fold(String::new(), |key, byte| key + &format!("{byte:02x}"))
    }

    /// How often the step of a path was undone: done again it is another effect.
    fn times_undone(&self, path: &str) -> u32 {
        if store::mutant("key-without-generation") {
            return 0;
        }
        let step = step_of(path);
        self.undone.get(step).copied().unwrap_or_default()
    }

    /// As 0.1.0 made them.
    fn first_key(&self, path: &str, undone: u32) -> String {
        let start = &self.start;
        let again = match undone {
            0 => String::new(),
            times => format!("~{times}"),
        };
        let base = match &start.idempotency_key {
            Some(own) => format!("{}.{}.{own}", start.tenant, start.flow),
            None => start.run.clone(),
        };
        let key = format!("{base}/{path}{again}");
        match port::IdempotencyKey::new(&key) {
            Some(_) => key,
            None => format!("cardan-{:032x}", xxh3_128(key.as_bytes())),
        }
    }
}
