//! What operators told the breakers of systems, and who, since when, until when and why: it is true until somebody
//! says otherwise, also after a restart.
//!
//! One row for each system holds its orders, oldest first. An order takes the place of those that it covers, so that
//! giving them again one after another leads to where the breakers stood.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use port::Clock;
use serde::{Deserialize, Serialize};
use store::{Batch, State, Store};
use tokio::sync::Notify;

use crate::{Control, Mode, Which};

const KIND: &str = "breaker-orders";
/// The longest sleep; a clock that is set forward is noticed after it.
const LONGEST: Duration = Duration::from_secs(30);

/// The guards, and what operators told them. Cheap to clone.
#[derive(Clone)]
pub struct Modes(Arc<Inside>);

struct Inside {
    store: Store,
    control: Arc<dyn Control>,
    clock: Arc<dyn Clock>,
    orders: Mutex<BTreeMap<String, Vec<Order>>>,
    /// Held while an order is given and written: those of two operators come one after the other.
    giving: tokio::sync::Mutex<()>,
    given: Notify,
}

/// What an operator told breakers of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Only those of this operation.
    pub operation: Option<String>,
    /// Only those of this tenant or model.
    pub key: Option<String>,
    /// What they do.
    pub mode: Mode,
    /// Who said so.
    pub by: String,
    /// Why, in that person's own words; may be empty.
    pub reason: String,
    /// When it was said.
    pub since: Timestamp,
    /// When it ends by itself; `None`: when somebody says otherwise.
    pub until: Option<Timestamp>,
}

impl Order {
    fn which(&self) -> Which {
        Which { operation: self.operation.clone(), key: self.key.clone() }
    }

    /// Whether every breaker that `other` is for is one that this is for.
    fn covers(&self, other: &Self) -> bool {
        let holds = |own: &Option<String>, theirs: &Option<String>| own.is_none() || own == theirs;
        holds(&self.operation, &other.operation) && holds(&self.key, &other.key)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// Why an order was not given.
pub(crate) enum Refused {
    /// There is no such breaker.
    Unknown(String),
    /// It was given, and is not on disk: it ends with the process.
    Store(store::Error),
}

impl Modes {
    /// Guards that were told nothing yet.
    pub fn new(store: Store, control: Arc<dyn Control>, clock: Arc<dyn Clock>) -> Self {
        let (orders, giving, given) = (Mutex::default(), tokio::sync::Mutex::default(), Notify::new());
        Self(Arc::new(Inside { store, control, clock, orders, giving, given }))
    }

    pub(crate) fn control(&self) -> &dyn Control {
        &*self.0.control
    }

    /// What holds for a system now because somebody said so, the oldest first.
    pub fn of(&self, system: &str) -> Vec<Order> {
        let now = self.0.clock.now();
        let orders = self.0.orders.lock().get(system).cloned().unwrap_or_default();
        orders.into_iter().filter(|order| !order.is_over(now)).collect()
    }

    /// Gives the orders again that are in the store. To be done before anything is sent.
    ///
    /// # Errors
    /// The store's.
    pub async fn restore(&self) -> Result<(), store::Error> {
        let mut after = None;
        loop {
            let page = self.0.store.states(KIND, "", after.as_deref(), 0).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for row in page {
                let orders: Vec<Order> = serde_json::from_slice(&row.data).map_err(|error| {
                    store::Error::Corrupt { what: format!("{KIND} {:?}: {error}", row.id) }
                })?;
                self.give_again(&row.id, &orders, 0);
                self.0.orders.lock().insert(row.id, orders);
            }
        }
    }

    /// Tells breakers, and writes that down. What they had been told before, when that was the same for all.
    pub(crate) async fn give(&self, system: &str, order: Order) -> Result<Option<Mode>, Refused> {
        let _giving = self.0.giving.lock().await;
        let was = self.0.control.switch(system, &order.which(), order.mode).map_err(Refused::Unknown)?;
        let mut orders = self.0.orders.lock().get(system).cloned().unwrap_or_default();
        orders.retain(|earlier| !order.covers(earlier));
        // Automatic is what they are anyway where nothing else is said.
        if order.mode != Mode::Automatic || !orders.is_empty() {
            orders.push(order);
        }
        self.write(system, orders).await.map_err(Refused::Store)?;
        Ok(was)
    }

    /// Ends the orders whose time is over, for ever; `woken` is told of each system that may be called again.
    pub async fn follow<F: Future<Output = ()> + Send>(self, woken: impl Fn(String) -> F + Send) {
        loop {
            for system in self.lapse().await {
                woken(system).await;
            }
            let given = self.0.given.notified();
            tokio::select! {
                () = tokio::time::sleep(self.until_next()) => {}
                () = given => {}
            }
        }
    }

    /// Ends the orders whose time is over; the systems that may be called again.
    pub async fn lapse(&self) -> Vec<String> {
        let _giving = self.0.giving.lock().await;
        let (now, all) = (self.0.clock.now(), self.0.orders.lock().clone());
        let mut freed = Vec::new();
        for (system, orders) in all {
            let (over, left): (Vec<_>, Vec<_>) = orders.into_iter().partition(|order| order.is_over(now));
            if over.is_empty() {
                continue;
            }
            over.iter().for_each(|order| self.end(&system, order, &left));
            if let Err(error) = self.write(&system, left).await {
                // At a start it is found to be over once more.
                tracing::warn!(integration_system = system, %error, "writing that an order has ended");
            }
            freed.push(system);
        }
        freed
    }

    /// What an order was for does again what was said before it.
    fn end(&self, system: &str, order: &Order, left: &[Order]) {
        let beneath = left.iter().rposition(|other| other.covers(order));
        let mode = beneath.map_or(Mode::Automatic, |at| left[at].mode);
        tracing::warn!(
            integration_system = system,
            integration_operation = order.operation,
            breaker_key = order.key,
            principal = order.by,
            from = order.mode.as_str(),
            to = mode.as_str(),
            "what an operator told a breaker has ended"
        );
        self.tell(system, &Order { mode, ..order.clone() });
        self.give_again(system, left, beneath.map_or(0, |at| at + 1));
    }

    fn give_again(&self, system: &str, orders: &[Order], from: usize) {
        let now = self.0.clock.now();
        orders
            .iter()
            .skip(from)
            .filter(|order| !order.is_over(now))
            .for_each(|order| self.tell(system, order));
    }

    /// A configuration that has no such breaker any more may have it again.
    fn tell(&self, system: &str, order: &Order) {
        if let Err(why) = self.0.control.restore(system, &order.which(), order.mode) {
            tracing::warn!(integration_system = system, why, "an operator's order is for no breaker");
        }
    }

    async fn write(&self, system: &str, orders: Vec<Order>) -> Result<(), store::Error> {
        let data = (!orders.is_empty()).then(|| serde_json::to_vec(&orders).unwrap_or_default());
        self.0.orders.lock().insert(system.to_owned(), orders);
        self.0.given.notify_one();
        let states = vec![State { kind: KIND, id: system.to_owned(), data }];
        self.0.store.commit(Batch { states, ..Batch::default() }).await.map(drop)
    }

    fn until_next(&self) -> Duration {
        let now = self.0.clock.now();
        let orders = self.0.orders.lock();
        let next = orders.values().flatten().filter_map(|order| order.until).min();
        next.map_or(LONGEST, |next| {
            Duration::try_from(next.duration_since(now)).unwrap_or_default().min(LONGEST)
        })
    }
}
