//! Compares the clients' ledger with what the server says and with what the systems wrote down.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::{Acked, Order};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// An acknowledged act is not in its conversation, or more than once.
    Act {
        /// The act.
        acked: Acked,
        /// How often it is there.
        times: usize,
    },
    /// A run neither ended nor says what it waits for.
    Stuck(String),
    /// A key had more than one effect at a system that honours keys.
    Twice {
        /// The system.
        system: String,
        /// The key.
        key: String,
    },
    /// What an order left behind is neither everything nor nothing.
    Half {
        /// The order.
        order: String,
        /// What is there.
        what: String,
    },
    /// Compensation happened in another order than the reverse.
    Order {
        /// The order.
        order: String,
        /// The undoing operations as they happened.
        happened: Vec<String>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::Act { acked, times } => {
                write!(f, "acknowledged act {} is {times} times in {}", acked.act, acked.conversation)
            }
            Finding::Stuck(run) => write!(f, "run {run} neither ended nor names what it waits for"),
            Finding::Twice { system, key } => write!(f, "{system} acted twice under {key}"),
            Finding::Half { order, what } => write!(f, "{order} is half done: {what}"),
            Finding::Order { order, happened } => write!(f, "{order} was undone in the order {happened:?}"),
        }
    }
}

/// Everything there is to know at the end of a campaign.
#[derive(Debug, Default)]
pub struct Audit {
    /// Acts that each conversation holds, by conversation.
    pub conversations: BTreeMap<String, Vec<String>>,
    /// Views of all runs.
    pub runs: Vec<Value>,
    /// `GET /_sim/{system}/effects`, by system.
    pub effects: BTreeMap<String, Value>,
    /// `GET /_sim/{system}/ledger`, by system.
    pub ledgers: BTreeMap<String, Vec<Value>>,
    /// `GET /_sim/state`.
    pub state: Value,
}

impl Audit {
    /// Everything that is wrong, given what was acknowledged.
    pub fn findings(&self, acked: &[Acked], orders: u64) -> Vec<Finding> {
        let mut found = self.acts(acked);
        found.extend(self.stuck());
        found.extend(self.twice());
        for number in 0..orders {
            let order = Order::numbered(number);
            found.extend(self.half(&order));
            found.extend(self.order(&order));
        }
        found
    }

    fn acts(&self, acked: &[Acked]) -> Vec<Finding> {
        let times = |acked: &Acked| {
            let acts = self.conversations.get(&acked.conversation);
            acts.map_or(0, |acts| acts.iter().filter(|act| **act == acked.act).count())
        };
        let counted = acked.iter().map(|acked| (acked, times(acked)));
        counted
            .filter(|(_, times)| *times != 1)
            .map(|(acked, times)| Finding::Act { acked: acked.clone(), times })
            .collect()
    }

    fn stuck(&self) -> Vec<Finding> {
        const ENDED: [&str; 5] = ["succeeded", "failed", "compensated", "cancelled", "parked"];
        let silent = |run: &&Value| {
            let ended = run["status"].as_str().is_some_and(|status| ENDED.contains(&status));
            !ended && run["blocked_on"].is_null()
        };
        self.runs.iter().filter(silent).map(|run| Finding::Stuck(run["id"].to_string())).collect()
    }

    fn twice(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        for (system, effects) in &self.effects {
            for key in effects["repeated"].as_object().into_iter().flatten().map(|(key, _)| key.clone()) {
                found.push(Finding::Twice { system: system.clone(), key });
            }
        }
        found
    }

    /// A paid order left everything once; a refused one left nothing.
    fn half(&self, order: &Order) -> Option<Finding> {
        let entity = order.entity();
        let of = |items: &Value, status: &str| {
            let items = items.as_object().into_iter().flatten();
            items.filter(|(_, item)| item["order"] == entity && item["status"] == status).count()
        };
        let reserved = of(&self.state["inventory"]["reservations"], "reserved");
        let charged = of(&self.state["payments"]["charges"], "captured");
        let confirmed = self.state["orders"]["orders"][&entity]["status"] == "confirmed";
        let mails = self.mails(&entity);
        let whole = if order.refused { (0, 0, false, 0) } else { (2, 1, true, 1) };
        let what = (reserved, charged, confirmed, mails);
        let words = format!("(reserved, charged, confirmed, mails) is {what:?}, should be {whole:?}");
        (what != whole).then_some(Finding::Half { order: entity, what: words })
    }

    fn mails(&self, entity: &str) -> usize {
        let acted =
            self.ledgers.get("email").into_iter().flatten().filter(|entry| entry["outcome"] == "acted");
        acted.filter(|entry| entry["body"]["data"]["order"] == entity).count()
    }

    /// Effects that happened, undone in reverse.
    fn order(&self, order: &Order) -> Option<Finding> {
        let happened = self.undoings(order);
        let ranks: Vec<usize> = happened.iter().filter_map(|operation| rank(operation)).collect();
        let reversed = ranks.windows(2).all(|pair| pair[0] <= pair[1]);
        (!reversed).then(|| Finding::Order { order: order.entity(), happened })
    }

    /// The undoing operations on an order, as they first happened.
    fn undoings(&self, order: &Order) -> Vec<String> {
        let reservations = self.reservations(&order.entity());
        let contact = format!("cust_{}", order.number);
        let concerns = |entry: &Value| {
            let id = entry["id"].as_str().unwrap_or_default();
            id == order.entity() || id == contact || reservations.contains(id)
        };
        let acted = self.ledgers.values().flatten().filter(|entry| entry["outcome"] == "acted");
        let mut undone: Vec<(&str, &str)> = acted
            .filter(|entry| concerns(entry))
            .filter_map(|entry| Some((entry["at"].as_str()?, entry["operation"].as_str()?)))
            .filter(|(_, operation)| rank(operation).is_some())
            .collect();
        undone.sort_unstable();
        undone.into_iter().map(|(_, operation)| operation.to_owned()).collect()
    }

    fn reservations(&self, entity: &str) -> BTreeSet<String> {
        let all = self.state["inventory"]["reservations"].as_object().into_iter().flatten();
        all.filter(|(_, item)| item["order"] == entity).map(|(id, _)| id.clone()).collect()
    }
}

/// The place of an undoing operation in the reverse order of the flow: contact, order, reservations.
fn rank(operation: &str) -> Option<usize> {
    ["revert", "cancel", "release"].iter().position(|known| *known == operation)
}
