//! Mail: what was handed over for sending. Nothing is sent, and nothing can be taken back.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{System, id};
use crate::answer::{Answer, parse};
use crate::desk::Call;
use crate::route::Route;

const ROUTES: &[Route] = &[("POST", "/messages", "send"), ("GET", "/messages/{id}", "show")];

pub(super) struct Email {
    dice: Rng,
    messages: Shelf<Message>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Message {
    to: String,
    template: String,
    #[serde(default)]
    data: Value,
    #[serde(skip_deserializing, default = "queued")]
    status: &'static str,
}

fn queued() -> &'static str {
    "queued"
}

impl Email {
    pub(super) fn new(dice: Rng) -> Self {
        Self { dice, messages: Shelf::new("message") }
    }

    fn send(&mut self, call: &Call) -> Result<Answer, Answer> {
        let message: Message = parse(&call.body)?;
        if !message.to.contains('@') {
            return Err(Answer::problem(422, "invalid", "to must be a mail address"));
        }
        let id = id("msg", &mut self.dice);
        Ok(Answer::done(202, Shelf::show(&id, self.messages.put(&id, message)?)))
    }
}

impl System for Email {
    fn name(&self) -> &'static str {
        "email"
    }

    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn act(&mut self, call: &Call) -> Answer {
        let id = call.asked.id.as_str();
        let answer = match call.asked.operation {
            "send" => self.send(call),
            _ => self.messages.get(id).map(|found| Answer::read(Shelf::show(id, found))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn state(&self) -> Value {
        json!({ "messages": self.messages.state() })
    }
}
