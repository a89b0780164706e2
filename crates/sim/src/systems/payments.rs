//! Money: charges, and refunds of whole charges.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{System, id};
use crate::amount::Amount;
use crate::answer::{Answer, parse};
use crate::desk::Call;
use crate::route::Route;

const ROUTES: &[Route] =
    &[("POST", "/charges", "charge"), ("GET", "/charges/{id}", "show"), ("POST", "/refunds", "refund")];

/// The test card that is always declined.
const DECLINED: &str = "tok_declined";

pub(super) struct Payments {
    dice: Rng,
    charges: Shelf<Charge>,
}

#[derive(Debug, Serialize)]
struct Charge {
    amount: Amount,
    currency: String,
    method: String,
    order: Option<String>,
    status: &'static str,
    refund: Option<String>,
}

#[derive(Deserialize)]
struct Pay {
    amount: Amount,
    currency: String,
    method: String,
    order: Option<String>,
}

#[derive(Deserialize)]
struct Refund {
    charge: String,
}

impl Payments {
    pub(super) fn new(dice: Rng) -> Self {
        Self { dice, charges: Shelf::new("charge") }
    }

    fn charge(&mut self, call: &Call) -> Result<Answer, Answer> {
        let Pay { amount, currency, method, order } = parse(&call.body)?;
        if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(Answer::problem(422, "invalid", "currency must be an ISO 4217 code such as EUR"));
        }
        if method == DECLINED {
            return Err(Answer::problem(402, "card_declined", "the test card is declined, as it always is"));
        }
        let made = Charge { amount, currency, method, order, status: "captured", refund: None };
        let id = id("ch", &mut self.dice);
        Ok(Answer::done(201, Shelf::show(&id, self.charges.put(&id, made)?)))
    }

    fn refund(&mut self, call: &Call) -> Result<Answer, Answer> {
        let Refund { charge: of } = parse(&call.body)?;
        let charge = self.charges.get_mut(&of)?;
        if let Some(refund) = &charge.refund {
            let says = format!("charge {of:?} was refunded by {refund:?}");
            return Err(Answer::problem(409, "already refunded", says));
        }
        let id = id("re", &mut self.dice);
        charge.status = "refunded";
        charge.refund = Some(id.clone());
        let made = json!({ "id": id, "charge": of, "amount": charge.amount, "currency": charge.currency });
        Ok(Answer::done(201, made))
    }
}

impl System for Payments {
    fn name(&self) -> &'static str {
        "payments"
    }

    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn act(&mut self, call: &Call) -> Answer {
        let id = call.asked.id.as_str();
        let answer = match call.asked.operation {
            "charge" => self.charge(call),
            "refund" => self.refund(call),
            _ => self.charges.get(id).map(|found| Answer::read(Shelf::show(id, found))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn state(&self) -> Value {
        json!({ "charges": self.charges.state() })
    }
}
