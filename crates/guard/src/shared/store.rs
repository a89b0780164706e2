//! A ledger with a name, a bound on its answers, and a circuit, so that a slow or absent store does not slow calls.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use port::Entropy;

use super::ledger::Answer;
use super::{Away, Key, Ledger, Rule, SharedLimit};
use crate::breaker::{Breaker, Change, Scene};
use crate::classify::Verdict;
use crate::event::{Event, State};
use crate::pipeline::World;
use crate::policy;
use crate::tick::Tick;

/// A named ledger, shared by all limits that name it.
pub struct Store {
    name: Arc<str>,
    ledger: Arc<dyn Ledger>,
    patience: Duration,
    circuit: Breaker,
}

/// The longest a probe may take to connect again, while its call has gone on long ago.
const CONNECTING: Duration = Duration::from_secs(5);

impl Store {
    /// The longest a call waits for a store, unless the wiring says otherwise.
    pub const PATIENCE: Duration = Duration::from_millis(50);

    /// A store that is considered unavailable after three calls in a row that it did not answer within `patience`. It is asked
    /// again after half a second, and then ever less often, down to every five seconds.
    pub fn new(name: &str, ledger: Arc<dyn Ledger>, patience: Duration) -> Self {
        let circuit = Breaker::new(&policy::Breaker {
            consecutive_failures: NonZeroU32::new(3),
            error_rate: None,
            open_for: Duration::from_millis(500),
            max_open: Duration::from_secs(5),
            ..policy::Breaker::default()
        });
        Self { name: name.into(), ledger, patience, circuit }
    }

    /// A store that nobody wired: always away.
    pub(crate) fn missing(name: &str) -> Self {
        Self::new(name, Arc::new(Missing), Self::PATIENCE)
    }

    /// The name that policies use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks, if it makes sense to ask. `None`: the store is away, so the fallback applies.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Option<Result<Duration, crate::limit::TooMany>> {
        let scene = Noticed { store: self, ask, away: None };
        let permit = self.circuit.admit(&scene).ok()?;
        let started = scene.now();
        let answer = self.bounded(ask).await;
        let (verdict, away) = match &answer {
            Ok(_) => (Verdict::Good, None),
            Err(away) => (Verdict::Bad { retry_after: None }, Some(away)),
        };
        let scene = Noticed { away, ..scene };
        permit.settle(verdict, scene.now().since(started), &scene);
        answer.ok()
    }

    /// How long until the store is asked again.
    pub(super) fn asked_in(&self, now: Tick) -> Duration {
        self.circuit.open_for(now).unwrap_or(self.patience)
    }

    async fn bounded(&self, ask: &Ask<'_>) -> Answer {
        let answer = if self.circuit.state() == State::Closed {
            tokio::time::timeout(self.patience, self.ledger.take(ask.key, ask.rule, ask.wait)).await.ok()
        } else {
            self.probe(ask).await
        };
        answer.unwrap_or_else(|| {
            self.ledger.suspect();
            Err(Away(format!("no answer within {:?}", self.patience)))
        })
    }

    /// Connecting again may take longer than a call may wait, so it goes on when the call does; the next probe finds
    /// the connection there.
    async fn probe(&self, ask: &Ask<'_>) -> Option<Answer> {
        let (ledger, key) = (Arc::clone(&self.ledger), ask.key.clone());
        let (rule, wait) = (*ask.rule, ask.wait);
        let asking = tokio::spawn(async move {
            tokio::time::timeout(CONNECTING, ledger.take(&key, &rule, wait)).await.ok()
        });
        tokio::time::timeout(self.patience, asking).await.ok()?.ok()?
    }
}

/// One question to a store, and the world it is asked in.
pub(super) struct Ask<'a> {
    pub(super) key: &'a Key,
    pub(super) rule: &'a Rule,
    pub(super) wait: Duration,
    pub(super) world: &'a World,
    pub(super) entropy: &'a dyn Entropy,
}

/// Says when the store goes away, and when it is back.
struct Noticed<'a> {
    store: &'a Store,
    ask: &'a Ask<'a>,
    away: Option<&'a Away>,
}

impl Scene for Noticed<'_> {
    fn now(&self) -> Tick {
        self.ask.world.now()
    }

    fn chance(&self) -> f64 {
        self.ask.entropy.unit()
    }

    fn changed(&self, change: Change) {
        let away = match (change.from, change.to) {
            (State::Closed, State::Open) => self.away,
            (_, State::Closed) => None,
            _ => return,
        };
        self.ask.world.listener.hear(&Event::LimitStore { store: &self.store.name, away });
    }
}

struct Missing;

impl Ledger for Missing {
    fn take<'a>(
        &'a self,
        _: &'a Key,
        _: &'a Rule,
        _: Duration,
    ) -> futures_util::future::BoxFuture<'a, Answer> {
        Box::pin(async { Err(Away("no store of that name is wired".to_owned())) })
    }
}

/// The store that the limits of one policy are counted in, and under which name.
pub(crate) struct Till {
    pub(crate) store: Arc<Store>,
    /// The system, or `system.operation`.
    pub(crate) scope: String,
    /// The key of the lane that stands for all of the scope.
    pub(crate) common: Arc<str>,
}

impl Till {
    pub(crate) fn limit(&self, policy: &policy::Limit, lane: &str) -> SharedLimit {
        let key = if *lane == *self.common { self.scope.clone() } else { format!("{}/{lane}", self.scope) };
        SharedLimit::new(policy, Key::new(&key), Arc::clone(&self.store))
    }
}
