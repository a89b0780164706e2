//! Orders: made under an id of the caller's choice, changed, cancelled.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::shelf::Shelf;
use super::{System, id};
use crate::answer::{Answer, parse};
use crate::desk::Call;
use crate::route::Route;

const ROUTES: &[Route] = &[
    ("POST", "/orders", "create"),
    ("GET", "/orders/{id}", "show"),
    ("PATCH", "/orders/{id}", "update"),
    ("POST", "/orders/{id}/cancel", "cancel"),
    ("DELETE", "/orders/{id}", "delete"),
];

pub(super) struct Orders {
    dice: Rng,
    orders: Shelf<Map<String, Value>>,
}

impl Orders {
    pub(super) fn new(dice: Rng) -> Self {
        Self { dice, orders: Shelf::new("order") }
    }

    fn create(&mut self, call: &Call) -> Result<Answer, Answer> {
        let mut order: Map<String, Value> = parse(&call.body)?;
        let id = match order.remove("id") {
            None | Some(Value::Null) => id("ord", &mut self.dice),
            Some(Value::String(id)) if !id.is_empty() => id,
            Some(_) => return Err(Answer::problem(422, "invalid", "id must be text")),
        };
        if self.orders.has(&id) {
            return Err(Answer::problem(409, "exists", format!("there is an order {id:?} already")));
        }
        order.entry("status").or_insert_with(|| json!("confirmed"));
        Ok(Answer::done(201, Shelf::show(&id, self.orders.put(&id, order)?)))
    }

    fn update(&mut self, call: &Call) -> Result<Answer, Answer> {
        let mut change: Map<String, Value> = parse(&call.body)?;
        change.remove("id");
        let order = self.orders.get_mut(&call.asked.id)?;
        order.extend(change);
        Ok(Answer::done(200, Shelf::show(&call.asked.id, order)))
    }

    /// Cancelling again changes nothing and is no mistake.
    fn cancel(&mut self, id: &str) -> Result<Answer, Answer> {
        let order = self.orders.get_mut(id)?;
        let before = order.insert("status".to_owned(), json!("cancelled"));
        let effect = before != Some(json!("cancelled"));
        Ok(Answer { effect, ..Answer::read(Shelf::show(id, order)) })
    }

    /// To delete an order is to cancel it: books are not burnt.
    fn delete(&mut self, id: &str) -> Result<Answer, Answer> {
        Ok(Answer { status: 204, body: Value::Null, ..self.cancel(id)? })
    }
}

impl System for Orders {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn act(&mut self, call: &Call) -> Answer {
        let id = call.asked.id.as_str();
        let answer = match call.asked.operation {
            "create" => self.create(call),
            "update" => self.update(call),
            "cancel" => self.cancel(id),
            "delete" => self.delete(id),
            _ => self.orders.get(id).map(|found| Answer::read(Shelf::show(id, found))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn state(&self) -> Value {
        json!({ "orders": self.orders.state() })
    }
}
