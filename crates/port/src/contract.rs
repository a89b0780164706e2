//! What an operation's schemas say of a call and of its answer.

use schema::Breach;
use serde_json::{Map, Value};

use crate::{Fault, Kind, Landed, Operation, Reply, Spec};

impl Operation {
    /// Whether an input may be sent. No input is an empty one.
    ///
    /// # Errors
    /// [`Kind::Invalid`], with the place of the input that breaks the schema: nothing was sent.
    pub fn admits(&self, input: &Value) -> Result<(), Fault> {
        let empty = || self.input.check(&Value::Object(Map::new()));
        let checked = match input {
            Value::Null => self.input.check(input).or_else(|_| empty()),
            input => self.input.check(input),
        };
        checked.map_err(|breach| Fault { attempts: 0, ..broken(Kind::Invalid, Landed::No, "input", &breach) })
    }

    /// The reply, when its output is of the shape that was promised.
    ///
    /// # Errors
    /// [`Kind::Protocol`] and a [`Fault::breach`], with the place that breaks the schema: the effect is there, its answer
    /// is lost.
    pub fn understands(&self, reply: Reply) -> Result<Reply, Fault> {
        if self.may_be_silent && reply.output.is_null() {
            return Ok(reply);
        }
        match self.output.check(&reply.output) {
            Ok(()) => Ok(reply),
            Err(breach) => Err(Fault {
                status: reply.status.map(|status| status.code),
                attempts: reply.attempts,
                member: reply.member,
                breach: true,
                ..broken(Kind::Protocol, Landed::Yes, "answer", &breach)
            }),
        }
    }
}

/// An operation that the spec does not know is the adapter's to refuse: nothing is said of it here.
impl Spec {
    /// Whether an input may be sent to an operation.
    ///
    /// # Errors
    /// As for [`Operation::admits`].
    pub fn admits(&self, operation: &str, input: &Value) -> Result<(), Fault> {
        self.operation(operation).map_or(Ok(()), |known| known.admits(input))
    }

    /// The reply of an operation, when its output is of the shape that was promised.
    ///
    /// # Errors
    /// As for [`Operation::understands`].
    pub fn understands(&self, operation: &str, reply: Reply) -> Result<Reply, Fault> {
        match self.operation(operation) {
            Some(known) => known.understands(reply),
            None => Ok(reply),
        }
    }
}

fn broken(kind: Kind, landed: Landed, what: &str, breach: &Breach) -> Fault {
    let Breach { pointer, says } = breach;
    match pointer.as_str() {
        "" => Fault::new(kind, landed, format!("the {what} does not fit: it {says}")),
        pointer => Fault::new(kind, landed, format!("the {what} does not fit: {pointer} {says}")),
    }
}

#[cfg(test)]
mod tests {
    use schema::Schema;
    use serde_json::json;

    use super::*;
    use crate::{Repeat, Status};

    fn operation() -> Operation {
        let input =
            json!({ "type": "object", "properties": { "sku": { "type": "string" } }, "required": ["sku"] });
        let output = json!({ "type": "object", "required": ["id"] });
        Operation {
            input: Schema::compile(&input).unwrap(),
            output: Schema::compile(&output).unwrap(),
            ..Operation::new("reserve", Repeat::Keyed)
        }
    }

    #[test]
    fn an_input_that_does_not_fit_is_invalid_and_was_not_sent() {
        let fault = operation().admits(&json!({ "sku": 7 })).unwrap_err();
        assert_eq!((fault.kind, fault.landed, fault.attempts), (Kind::Invalid, Landed::No, 0));
        assert_eq!(fault.message, "the input does not fit: /sku must be string");
        let none = operation().admits(&Value::Null).unwrap_err();
        assert_eq!(none.message, "the input does not fit: it lacks the member `sku`");
        assert!(Operation::new("any", Repeat::Safe).admits(&Value::Null).is_ok());
    }

    #[test]
    fn no_input_is_an_empty_one() {
        let open = Operation { input: Schema::compile(&json!({ "type": "object" })).unwrap(), ..operation() };
        assert!(open.admits(&Value::Null).is_ok());
    }

    #[test]
    fn an_answer_that_does_not_fit_is_lost_and_its_effect_is_there() {
        let reply =
            Reply { output: json!({}), status: Some(Status::http(201)), attempts: 2, ..Reply::default() };
        let fault = operation().understands(reply).unwrap_err();
        assert_eq!((fault.kind, fault.landed, fault.breach), (Kind::Protocol, Landed::Yes, true));
        assert_eq!((fault.status, fault.attempts), (Some(201), 2));
        assert_eq!(fault.message, "the answer does not fit: it lacks the member `id`");
    }

    #[test]
    fn silence_fits_where_it_may_be_an_answer() {
        assert!(operation().understands(Reply::default()).is_err());
        let silent = Operation { may_be_silent: true, ..operation() };
        assert!(silent.understands(Reply::default()).is_ok());
    }
}
