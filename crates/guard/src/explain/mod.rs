//! What a call can cost at worst, and which number comes from where; `cardan explain system.operation` prints it.

mod group;
mod numbers;
#[cfg(test)]
mod tests;
mod timeline;

use std::fmt;
use std::time::Duration;

use port::Repeat;

pub use group::{GroupExplanation, explain_group};
pub use numbers::Number;
pub(crate) use numbers::human;
use numbers::{flatten, longest_wait};
use timeline::Timeline;

use crate::policy::{Mode, Policy};

/// Whose policy is explained.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// `system.operation`.
    pub call: &'a str,
    /// How safe a repeat of it is.
    pub repeat: Repeat,
    /// From the most general to the most particular, each complete: what it says and where it was said (`profile
    /// erpSystem`, `system crm`, `operation crm.create`). The last one is in force.
    pub layers: &'a [(&'a str, &'a Policy)],
}

/// What a call can cost at worst. Its `Display` is the text for a terminal, without colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// `system.operation`.
    pub call: String,
    /// Every number in force, in the order of the stages.
    pub numbers: Vec<Number>,
    /// How often the call is sent at most, hedged copies included.
    pub most_attempts: u32,
    /// How long the call can take at most, every wait and every `Retry-After` included.
    pub longest: Duration,
    /// What decides whether it is tried again.
    pub again: &'static str,
    timeline: Timeline,
}

/// Explains the last layer.
pub fn explain(subject: &Subject<'_>) -> Explanation {
    let usual = Policy::default();
    let policy = subject.layers.last().map_or(&usual, |(_, policy)| *policy);
    let timeline = Timeline::of(policy);
    // The last attempt that the policy allows may still be hedged.
    let hedged = policy.hedge.as_ref().filter(|_| subject.repeat == Repeat::Safe);
    let affordable = hedged.filter(|_| policy.retry.budget.capacity > 0);
    let copies = affordable.map_or(0, |hedge| hedge.max.saturating_sub(1));
    Explanation {
        call: subject.call.to_owned(),
        numbers: numbers(subject.layers),
        most_attempts: attempts(policy).saturating_add(copies),
        longest: longest(policy, copies),
        again: again(subject.repeat),
        timeline,
    }
}

/// The numbers in force, each with the layer that said it last.
fn numbers(layers: &[(&str, &Policy)]) -> Vec<Number> {
    let mut numbers: Vec<Number> = Vec::new();
    for (origin, policy) in layers {
        let before = std::mem::take(&mut numbers);
        numbers = flatten(policy, origin)
            .into_iter()
            .map(|new| before.iter().find(|old| old.says_the_same_as(&new)).cloned().unwrap_or(new))
            .collect();
    }
    numbers
}

/// How often a call is tried at most. Without a budget nothing is tried again.
fn attempts(policy: &Policy) -> u32 {
    match policy.retry.budget.capacity {
        0 => 1,
        _ => policy.retry.max_attempts.get(),
    }
}

/// Every attempt times out, the last of its copies too, and everything before it waits as long as it may.
pub(crate) fn longest(policy: &Policy, copies: u32) -> Duration {
    let queue = policy.bulkhead.as_ref().map_or(Duration::ZERO, |bulkhead| bulkhead.max_wait);
    let turn = match policy.limit.as_ref().map(|limit| limit.mode) {
        Some(Mode::Wait { max_wait }) => max_wait,
        Some(Mode::Reject) | None => Duration::ZERO,
    };
    let attempts = attempts(policy);
    let copied = policy.hedge.as_ref().map_or(Duration::ZERO, |hedge| hedge.after * copies);
    let waits: Duration = (2..=attempts).map(|next| longest_wait(policy, next)).sum();
    let total = (copied + queue + turn + policy.attempt_timeout) * attempts + waits;
    policy.deadline.map_or(total, |deadline| deadline.min(total))
}

fn again(repeat: Repeat) -> &'static str {
    match repeat {
        Repeat::Safe => "tried again after any passing fault, because repeating it changes nothing",
        Repeat::Keyed => {
            "tried again after any passing fault when an idempotency key is sent, else only when it did not land"
        }
        Repeat::Never => {
            "tried again only when it certainly did not land, because repeating it may act twice"
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.call)?;
        let name = self.numbers.iter().map(|number| number.name.len()).max().unwrap_or_default();
        let value = self.numbers.iter().map(|number| number.value.len()).max().unwrap_or_default();
        for number in &self.numbers {
            writeln!(f, "  {:name$}  {:value$}  {}", number.name, number.value, number.origin)?;
        }
        match self.most_attempts {
            1 => writeln!(f, "\nsent at most once, takes at most {}", human(self.longest))?,
            most => writeln!(f, "\nsent at most {most} times, takes at most {}", human(self.longest))?,
        }
        writeln!(f, "{}", self.again)?;
        write!(f, "\n{}", self.timeline)?;
        match self.longest.saturating_sub(self.timeline.end()) {
            Duration::ZERO => Ok(()),
            rest => writeln!(
                f,
                "and up to {} more: waiting for a place and a turn, and as long as a `Retry-After` may ask",
                human(rest)
            ),
        }
    }
}
