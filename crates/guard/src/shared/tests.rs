use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use port::SeededEntropy;

use super::ledger::Answer;
use super::*;
use crate::limit::TooMany;
use crate::policy::{self, Algorithm, Fallback, Mode, Policy, Shared};
use crate::{Event, Listener, Place, RuntimeClock, Tick, World};

/// A store that does as it is told.
#[derive(Default)]
struct Told {
    answer: Mutex<Option<Answer>>,
    asked: AtomicU32,
    /// What each call took.
    weights: Mutex<Vec<u32>>,
}

impl Told {
    /// `None`: no answer.
    fn tell(&self, answer: Option<Answer>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

impl Ledger for Told {
    fn take<'a>(&'a self, _: &'a Key, rule: &'a Rule, _: Duration) -> BoxFuture<'a, Answer> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.weights.lock().unwrap().push(rule.weight);
        let answer = self.answer.lock().unwrap().clone();
        Box::pin(async move {
            match answer {
                Some(answer) => answer,
                None => std::future::pending().await,
            }
        })
    }
}

#[derive(Default)]
struct Ear(Mutex<Vec<String>>);

impl Listener for Ear {
    fn hear(&self, event: &Event<'_>) {
        let word = match event {
            Event::LimitStore { store, away: Some(away) } => format!("{store} is away: {away}"),
            Event::LimitStore { store, away: None } => format!("{store} is back"),
            Event::LimitFallback { fallback, .. } => fallback.as_str().to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(word);
    }
}

struct Scene {
    told: Arc<Told>,
    ear: Arc<Ear>,
    world: World,
    limit: SharedLimit,
}

impl Scene {
    /// A limit of ten at once, counted in `main`.
    fn new(fallback: Fallback) -> Self {
        let (told, ear) = (Arc::new(Told::default()), Arc::new(Ear::default()));
        let world = World::new(Arc::new(RuntimeClock::start()), Arc::clone(&ear) as Arc<dyn Listener>);
        let store = Store::new("main", Arc::clone(&told) as Arc<dyn Ledger>, Store::PATIENCE);
        let limit = SharedLimit::new(&limit(fallback), Key::new("crm"), Arc::new(store));
        Self { told, ear, world, limit }
    }

    async fn take(&self) -> Result<Duration, TooMany> {
        self.costing(1).await
    }

    async fn costing(&self, cost: u32) -> Result<Duration, TooMany> {
        let place = &Place { system: "crm", operation: "read", key: "crm" };
        let (world, entropy) = (&self.world, &SeededEntropy::new(1));
        self.limit
            .take(&Caller { world, entropy, place, quiet_until: Tick::default(), most: None, cost })
            .await
    }

    /// How many of ten calls pass.
    async fn ten(&self) -> usize {
        let mut passed = 0;
        for _ in 0..10 {
            passed += usize::from(self.take().await.is_ok());
        }
        passed
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.ear.0.lock().unwrap())
    }
}

fn limit(fallback: Fallback) -> policy::Limit {
    policy::Limit {
        per: policy::Per::System,
        capacity: 10,
        refill_per_second: 0.001,
        weight: 1,
        mode: Mode::Reject,
        algorithm: Algorithm::TokenBucket,
        shared: Some(Shared { store: "main".into(), fallback }),
    }
}

fn share(of: u32) -> Fallback {
    Fallback::LocalShare { of: NonZeroU32::new(of).unwrap() }
}

fn gone() -> Option<Answer> {
    Some(Err(Away("connection refused".to_owned())))
}

const TURN: Option<Answer> = Some(Ok(Ok(Duration::ZERO)));

#[tokio::test(start_paused = true)]
async fn each_fallback_applies_while_the_store_is_away_and_says_so() {
    for (fallback, passing) in [(share(2), 5), (Fallback::Open, 10), (Fallback::Closed, 0)] {
        let scene = Scene::new(fallback);
        scene.told.tell(gone());
        assert_eq!(scene.ten().await, passing, "{fallback:?}");
        assert_eq!(scene.told.asked(), 3, "after three calls nobody asks any more");
        let heard = scene.heard();
        let count = |word: &str| heard.iter().filter(|heard| *heard == word).count();
        assert_eq!(count("main is away: connection refused"), 1);
        assert_eq!(count(fallback.as_str()), 10);

        scene.told.tell(TURN);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(scene.ten().await, 10, "{fallback:?}");
        assert_eq!(scene.heard(), ["main is back"], "{fallback:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_nodes_share_fills_at_its_part_of_the_rate() {
    let scene = Scene::new(share(2));
    scene.told.tell(gone());
    scene.ten().await;
    let late = scene.take().await.unwrap_err();
    assert_eq!(late.retry_after.as_secs(), 2_000, "the whole limit has a turn each 1,000 seconds");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_costs_three_calls_a_bounded_wait() {
    let scene = Scene::new(Fallback::Open);
    scene.told.tell(None);
    let started = tokio::time::Instant::now();
    assert_eq!(scene.ten().await, 10);
    assert_eq!(started.elapsed().as_millis() / 50, 3, "the clock is paused: only waits count");
}

#[tokio::test(start_paused = true)]
async fn b18_shared_a_refusal_says_when_and_the_store_is_not_asked_before() {
    let scene = Scene::new(Fallback::Closed);
    let late = TooMany { retry_after: Duration::from_secs(2) };
    scene.told.tell(Some(Ok(Err(late))));
    assert_eq!(scene.take().await, Err(late));
    scene.told.tell(TURN);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(scene.take().await, Err(TooMany { retry_after: Duration::from_millis(500) }));
    assert_eq!(scene.told.asked(), 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(scene.take().await, Ok(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn b18_shared_no_turn_for_much_is_not_taken_for_none_for_little() {
    let scene = Scene::new(Fallback::Closed);
    let late = TooMany { retry_after: Duration::from_secs(2) };
    scene.told.tell(Some(Ok(Err(late))));
    assert_eq!(scene.costing(7).await, Err(late));
    assert_eq!(scene.costing(99).await, Err(late));
    assert_eq!(*scene.told.weights.lock().unwrap(), [7, 10], "more than all is all");
    scene.told.tell(TURN);
    assert_eq!(scene.take().await, Ok(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_closed_limit_says_when_the_store_is_asked_again() {
    let scene = Scene::new(Fallback::Closed);
    scene.told.tell(gone());
    scene.ten().await;
    let late = scene.take().await.unwrap_err();
    assert!(late.retry_after > Duration::ZERO && late.retry_after <= Duration::from_secs(1));
}

#[test]
fn a_key_is_safe_for_every_store() {
    assert_eq!(Key::new("crm/a\0b\nc").as_str(), "crm/a\u{FFFD}b\u{FFFD}c");
    let long = "é".repeat(300);
    assert_eq!(Key::new(&long).as_str(), "é".repeat(100));
}

#[test]
fn b18_shared_a_call_that_never_fits_is_a_mistake_in_the_configuration() {
    let conflicts = |limit: policy::Limit| {
        let policy = Policy { limit: Some(limit), ..Policy::default() };
        policy.conflicts().into_iter().map(|conflict| conflict.message).collect::<Vec<_>>()
    };
    assert_eq!(conflicts(limit(share(10))), [""; 0]);
    assert_eq!(conflicts(limit(share(11))), ["a call that takes 1 never fits one part in 11 of 10"]);
    let window =
        policy::Limit { capacity: 1_001, algorithm: Algorithm::SlidingWindow, ..limit(Fallback::Open) };
    assert_eq!(
        conflicts(window),
        ["a shared sliding window keeps every turn; 1001 is more than 1000, use a token bucket"]
    );
}
