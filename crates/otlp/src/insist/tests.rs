use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use port::SystemEntropy;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{ExportTraceServiceRequest, Insist, Patience};
use crate::transport::{Answer, Send, Trouble};

/// A collector that answers as it is told to, and remembers when it was asked.
#[derive(Clone, Default)]
struct Collector {
    answers: Arc<Mutex<Vec<Result<Answer, Trouble>>>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Send for Collector {
    type Payload = ();
    fn prepare(&self, _request: ExportTraceServiceRequest) {}
    async fn send(&self, _payload: &()) -> Result<Answer, Trouble> {
        self.asked.lock().push(Instant::now());
        let answer = self.answers.lock().pop();
        match answer {
            Some(answer) => answer,
            // It never answers.
            None => std::future::pending().await,
        }
    }
}

fn busy(after: Option<u64>) -> Result<Answer, Trouble> {
    let trouble = Trouble::passing("answered 503".to_owned());
    Err(Trouble { after: after.map(Duration::from_secs), ..trouble })
}

struct World {
    collector: Collector,
    insist: Insist<Collector>,
    closing: watch::Sender<bool>,
}

fn world(mut answers: Vec<Result<Answer, Trouble>>) -> World {
    answers.reverse();
    let collector = Collector::default();
    *collector.answers.lock() = answers;
    let (closing, closes) = watch::channel(false);
    let insist = Insist {
        transport: collector.clone(),
        patience: Patience::default(),
        timeout: Duration::from_secs(10),
        closes,
        entropy: Arc::new(SystemEntropy),
    };
    World { collector, insist, closing }
}

impl World {
    async fn send(&mut self) -> (Result<Answer, Trouble>, Vec<Duration>) {
        let outcome = self.insist.send(ExportTraceServiceRequest::default(), |_| {}).await;
        let asked = self.collector.asked.lock();
        (outcome, asked.windows(2).map(|pair| pair[1] - pair[0]).collect())
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_tried_again_with_growing_waits_and_then_given_up() {
    let mut world = world((0..9).map(|_| busy(None)).collect());
    let (outcome, waits) = world.send().await;
    assert!(outcome.unwrap_err().passes);
    assert_eq!(waits.len(), 4, "five attempts in all");
    for (wait, most) in waits.iter().zip([1, 2, 4, 8]) {
        let most = Duration::from_secs(most);
        assert!((most / 2..=most + Duration::from_millis(1)).contains(wait), "{wait:?} of {most:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_says_when_is_asked_then_within_a_bound() {
    let mut world = world(vec![busy(Some(7)), busy(Some(3600)), Ok(Answer::default())]);
    let (outcome, waits) = world.send().await;
    assert!(outcome.is_ok());
    assert_eq!(waits.iter().map(Duration::as_secs).collect::<Vec<_>>(), [7, 30]);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_final() {
    let refusal = Trouble { passes: false, after: None, cause: "answered 400".to_owned() };
    let mut world = world(vec![Err(refusal.clone())]);
    let (outcome, waits) = world.send().await;
    assert_eq!((outcome, waits.len()), (Err(refusal), 0));
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_never_answers_is_given_up() {
    let mut world = world(Vec::new());
    let begun = Instant::now();
    let (outcome, waits) = world.send().await;
    assert!(outcome.unwrap_err().cause.contains("no answer within 10s"));
    assert_eq!(waits.len(), 4);
    assert!(begun.elapsed() <= Duration::from_secs(5 * 10 + 15) + Duration::from_millis(10));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_each_batch_is_tried_once() {
    let mut world = world(vec![busy(None), Ok(Answer::default())]);
    world.closing.send_replace(true);
    let (outcome, _) = world.send().await;
    assert!(outcome.is_err());
    assert_eq!(world.collector.asked.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_interrupts_a_wait() {
    let mut world = world(vec![busy(Some(20)), Ok(Answer::default())]);
    let closing = world.closing.clone();
    let asked = world.collector.asked.clone();
    let begun = Instant::now();
    let (outcome, ()) = tokio::join!(world.send(), async move {
        while asked.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        closing.send_replace(true);
    });
    assert!(outcome.0.is_ok());
    assert!(begun.elapsed() < Duration::from_secs(20), "held time: nobody waited for the 20 seconds");
}
