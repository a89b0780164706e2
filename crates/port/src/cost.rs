//! What a call is for and what it costs, as its operation declares: guards keep partitions and count by it.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::Value;

use crate::Operation;

/// What one call takes of a rate limit, in tokens of the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cost {
    /// One token.
    #[default]
    One,
    /// So many, whatever the input.
    Fixed(NonZeroU32),
    /// As the input says at this JSON pointer: a number, rounded up, or the length of a list; anything else is one.
    At(Arc<str>),
}

impl Operation {
    /// The model or endpoint that a call is for; empty when the operation names none, or the input has no text there.
    pub fn partition_of<'a>(&self, input: &'a Value) -> &'a str {
        let named = self.partition.as_deref().and_then(|pointer| input.pointer(pointer)?.as_str());
        named.unwrap_or_default()
    }

    /// What a call with this input takes of a rate limit; at least 1.
    pub fn cost_of(&self, input: &Value) -> u32 {
        match &self.cost {
            Cost::One => 1,
            Cost::Fixed(tokens) => tokens.get(),
            Cost::At(pointer) => input.pointer(pointer).and_then(tokens).unwrap_or(1).max(1),
        }
    }
}

fn tokens(said: &Value) -> Option<u32> {
    match said {
        Value::Array(items) => u32::try_from(items.len()).ok(),
        Value::Number(number) => {
            let number = number.as_f64()?.ceil();
            // Too many is as many as there can be; what is below zero is none.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within its bounds")]
            Some(number.clamp(0.0, f64::from(u32::MAX)) as u32)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Repeat;

    #[test]
    fn the_partition_is_the_text_that_the_operation_names() {
        let named = |pointer: Option<&str>, input: Value| {
            let operation =
                Operation { partition: pointer.map(Into::into), ..Operation::new("ask", Repeat::Safe) };
            operation.partition_of(&input).to_owned()
        };
        assert_eq!(named(Some("/model"), json!({ "model": "large" })), "large");
        assert_eq!(named(Some("/to/endpoint"), json!({ "to": { "endpoint": "eu" } })), "eu");
        assert_eq!(named(Some("/model"), json!({ "model": 7 })), "");
        assert_eq!(named(None, json!({ "model": "large" })), "", "nothing is guessed");
    }

    #[test]
    fn a_cost_is_fixed_or_read_from_the_input() {
        let cost = |cost: Cost, input: Value| {
            Operation { cost, ..Operation::new("ask", Repeat::Safe) }.cost_of(&input)
        };
        assert_eq!(cost(Cost::One, json!({})), 1);
        assert_eq!(cost(Cost::Fixed(NonZeroU32::new(5).unwrap()), json!({})), 5);
        let at = || Cost::At("/n".into());
        for (input, tokens) in [
            (json!({ "n": 3 }), 3),
            (json!({ "n": 2.1 }), 3),
            (json!({ "n": [1, 2, 3, 4] }), 4),
            (json!({ "n": 0 }), 1),
            (json!({ "n": -7 }), 1),
            (json!({ "n": "many" }), 1),
            (json!({}), 1),
            (json!({ "n": 1e18 }), u32::MAX),
        ] {
            assert_eq!(cost(at(), input.clone()), tokens, "{input}");
        }
    }
}
