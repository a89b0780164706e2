//! Customers: contacts with their last versions, so that a change can be taken back.

use fastrand::Rng;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::shelf::Shelf;
use super::{System, id};
use crate::answer::{Answer, parse};
use crate::desk::Call;
use crate::route::Route;

/// How many earlier versions of a contact are kept.
const VERSIONS: usize = 16;

const ROUTES: &[Route] = &[
    ("POST", "/contacts", "create"),
    ("GET", "/contacts/{id}", "show"),
    ("PUT", "/contacts/{id}", "put"),
    ("PATCH", "/contacts/{id}", "update"),
    ("POST", "/contacts/{id}/revert", "revert"),
];

pub(super) struct Crm {
    dice: Rng,
    contacts: Shelf<Contact>,
}

#[derive(Debug, Default, Serialize)]
struct Contact {
    #[serde(flatten)]
    fields: Map<String, Value>,
    /// Oldest first; `None` is "was not there".
    #[serde(skip)]
    earlier: Vec<Option<Map<String, Value>>>,
}

impl Crm {
    pub(super) fn new(dice: Rng) -> Self {
        Self { dice, contacts: Shelf::new("contact") }
    }

    fn create(&mut self, call: &Call) -> Result<Answer, Answer> {
        let mut fields = fields(call)?;
        let id = match fields.remove("id") {
            None | Some(Value::Null) => id("con", &mut self.dice),
            Some(Value::String(id)) if !id.is_empty() => id,
            Some(_) => return Err(Answer::problem(422, "invalid", "id must be text")),
        };
        if self.contacts.has(&id) {
            return Err(Answer::problem(409, "exists", format!("there is a contact {id:?} already")));
        }
        self.write(201, &id, fields)
    }

    fn put(&mut self, call: &Call) -> Result<Answer, Answer> {
        let fields = fields(call)?;
        let status = if self.contacts.has(&call.asked.id) { 200 } else { 201 };
        self.write(status, &call.asked.id, fields)
    }

    fn update(&mut self, call: &Call) -> Result<Answer, Answer> {
        let change = fields(call)?;
        let mut fields = self.contacts.get(&call.asked.id)?.fields.clone();
        fields.extend(change);
        self.write(200, &call.asked.id, fields)
    }

    fn write(&mut self, status: u16, id: &str, mut fields: Map<String, Value>) -> Result<Answer, Answer> {
        fields.remove("id");
        let (before, mut earlier) = match self.contacts.get_mut(id) {
            Ok(known) => (Some(std::mem::take(&mut known.fields)), std::mem::take(&mut known.earlier)),
            Err(_) => (None, Vec::new()),
        };
        if earlier.len() == VERSIONS {
            earlier.remove(0);
        }
        earlier.push(before);
        let written = self.contacts.put(id, Contact { fields, earlier })?;
        Ok(Answer::done(status, Shelf::show(id, written)))
    }

    /// Takes the last change back; taking back the first one takes the contact away.
    fn revert(&mut self, id: &str) -> Result<Answer, Answer> {
        let contact = self.contacts.get_mut(id)?;
        match contact.earlier.pop() {
            Some(Some(fields)) => {
                contact.fields = fields;
                Ok(Answer::done(200, Shelf::show(id, contact)))
            }
            Some(None) => {
                self.contacts.remove(id);
                Ok(Answer::done(204, Value::Null))
            }
            None => Err(Answer::problem(409, "nothing to revert", "no earlier version is kept")),
        }
    }
}

fn fields(call: &Call) -> Result<Map<String, Value>, Answer> {
    parse(&call.body)
}

impl System for Crm {
    fn name(&self) -> &'static str {
        "crm"
    }

    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn act(&mut self, call: &Call) -> Answer {
        let id = call.asked.id.as_str();
        let answer = match call.asked.operation {
            "create" => self.create(call),
            "put" => self.put(call),
            "update" => self.update(call),
            "revert" => self.revert(id),
            _ => self.contacts.get(id).map(|found| Answer::read(Shelf::show(id, found))),
        };
        answer.unwrap_or_else(|refusal| refusal)
    }

    fn state(&self) -> Value {
        json!({ "contacts": self.contacts.state() })
    }
}
