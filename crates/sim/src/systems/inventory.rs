//! Stock: what is there, and what is promised to whom.

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{System, id};
use crate::answer::{Answer, parse};
use crate::desk::Call;
use crate::route::Route;

const ROUTES: &[Route] = &[
    ("GET", "/products/{id}", "product"),
    ("GET", "/products/{id}/availability", "availability"),
    ("PUT", "/products/{id}", "stock"),
    ("POST", "/reservations", "reserve"),
    ("GET", "/reservations/{id}", "reservation"),
    ("DELETE", "/reservations/{id}", "release"),
];

pub(super) struct Inventory {
    dice: Rng,
    stock: u32,
    products: Shelf<Product>,
    reservations: Shelf<Reservation>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Product {
    on_hand: u32,
    reserved: u32,
}

impl Product {
    fn available(self) -> u32 {
        self.on_hand.saturating_sub(self.reserved)
    }
}

#[derive(Debug, Serialize)]
struct Reservation {
    product: String,
    quantity: u32,
    order: Option<String>,
    status: &'static str,
}

#[derive(Deserialize)]
struct Reserve {
    product: String,
    quantity: u32,
    order: Option<String>,
}

#[derive(Deserialize)]
struct Stock {
    on_hand: u32,
}

impl Inventory {
    pub(super) fn new(dice: Rng, stock: u32) -> Self {
        Self { dice, stock, products: Shelf::new("product"), reservations: Shelf::new("reservation") }
    }

    fn product(&self, id: &str) -> Product {
        let untouched = Product { on_hand: self.stock, reserved: 0 };
        self.products.get(id).copied().unwrap_or(untouched)
    }

    fn show(&self, id: &str) -> Value {
        let product = self.product(id);
        json!({ "id": id, "on_hand": product.on_hand, "reserved": product.reserved, "available": product.available() })
    }

    fn availability(&self, call: &Call) -> Result<Answer, Answer> {
        let asked = call.query.split('&').find_map(|pair| pair.strip_prefix("quantity="));
        let asked = asked.map_or(Ok(1), str::parse::<u32>);
        let wanted = asked.map_err(|_| Answer::problem(422, "invalid", "quantity must be a whole number"))?;
        let mut shown = self.show(&call.asked.id);
        let enough = self.product(&call.asked.id).available() >= wanted;
        shown["is_available"] = Value::Bool(enough);
        Ok(Answer::read(shown))
    }

    fn stock(&mut self, call: &Call) -> Result<Answer, Answer> {
        let Stock { on_hand } = parse(&call.body)?;
        let known = self.product(&call.asked.id);
        self.products.put(&call.asked.id, Product { on_hand, ..known })?;
        Ok(Answer::done(200, self.show(&call.asked.id)))
    }

    fn reserve(&mut self, call: &Call) -> Result<Answer, Answer> {
        let Reserve { product, quantity, order } = parse(&call.body)?;
        if quantity == 0 || product.is_empty() {
            return Err(Answer::problem(422, "invalid", "reserve at least 1 of a named product"));
        }
        let known = self.product(&product);
        if known.available() < quantity {
            let says =
                format!("{quantity} of {product:?} were asked for, {} are available", known.available());
            return Err(Answer::problem(409, "insufficient stock", says));
        }
        self.products.put(&product, Product { reserved: known.reserved + quantity, ..known })?;
        let id = id("rsv", &mut self.dice);
        let made = Reservation { product, quantity, order, status: "reserved" };
        Ok(Answer::done(201, Shelf::show(&id, self.reservations.put(&id, made)?)))
    }

    /// Releasing again changes nothing and is no mistake.
    fn release(&mut self, id: &str) -> Result<Answer, Answer> {
        let reservation = self.reservations.get_mut(id)?;
        if reservation.status == "released" {
            return Ok(Answer { status: 204, ..Answer::read(Value::Null) });
        }
        reservation.status = "released";
        let (product, quantity) = (reservation.product.clone(), reservation.quantity);
        let known = self.product(&product);
        self.products
            .put(&product, Product { reserved: known.reserved.saturating_sub(quantity), ..known })?;
        Ok(Answer::done(204, Value::Null))
    }
}

impl System for Inventory {
    fn name(&self) -> &'static str {
        "inventory"
    }

    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn act(&mut self, call: &Call) -> Answer {
        let id = call.asked.id.as_str();
        let answer = match call.asked.operation {
            "availability" => self.availability(call),
            "stock" => self.stock(call),
            "reserve" => self.reserve(call),
            "reservation" => self.reservations.get(id).map(|found| Answer::read(Shelf::show(id, found))),
            "release" => self.release(id),
            _ => Ok(Answer::read(self.show(id))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn state(&self) -> Value {
        json!({ "products": self.products.state(), "reservations": self.reservations.state() })
    }
}
