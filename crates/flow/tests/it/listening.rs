//! `listen` hears what came since the run began, in order, each once; signals are kept until they are heard.

use std::time::Duration;

use flow::{Error, RunId, Sent};
use serde_json::{Value, json};
use store::{Append, Batch, Expected, NewEvent, RunStatus};

use crate::world::{PATIENCE, World, eventually, order};

fn published(topic: &str, payload: &Value, causation: Option<&str>) -> Append {
    let event = NewEvent {
        type_: "Published".into(),
        data: payload.to_string().into_bytes(),
        at: jiff::Timestamp::UNIX_EPOCH,
        tenant: "default".into(),
        correlation: "c".into(),
        causation: causation.map(Into::into),
    };
    Append { stream: format!("topic-{topic}"), expected: Expected::Any, events: vec![event] }
}

impl World {
    async fn publishes(&self, topic: &str, payloads: impl IntoIterator<Item = Value>) {
        let appends = payloads.into_iter().map(|payload| published(topic, &payload, None)).collect();
        self.store.commit(Batch { appends, ..Batch::default() }).await.unwrap();
    }

    async fn waits_at(&self, run: &RunId, step: &str) {
        self.until(run, |view| view.blocked_on.as_ref().is_some_and(|on| on.step.as_deref() == Some(step)))
            .await;
    }

    async fn sends(&self, run: &RunId, name: &str, id: &str, payload: Value) -> Result<(), Error> {
        self.engine.send_signal(run.as_str(), Sent { name, id, payload: &payload }).await
    }

    async fn gives(&self, run: &RunId) -> Option<Value> {
        let view = self.engine.wait(run.as_str(), PATIENCE).await.unwrap();
        assert_eq!(view.status, RunStatus::Succeeded, "{view:#?}");
        view.result
    }

    fn wrote(&self, event: &str) -> usize {
        self.crash.events.lock().iter().filter(|(name, _)| name == event).count()
    }
}

/// The provider calls back before it has answered.
#[tokio::test(start_paused = true)]
async fn what_comes_before_the_listen_is_heard() {
    let world = World::of(
        "{ result: '${ steps.paid.n }', do: [{ call: crm.update }, { paid: { listen: { topic: paid, where: event.id == entity.id } } }] }",
    )
    .await;
    world.publishes("paid", [json!({ "id": "order-1", "n": 1 })]).await;
    world.ledger.holds("crm.update");
    let run = world.start("act_1", order()).await;
    world.called("crm.update", 1).await;
    world.publishes("paid", [json!({ "id": "x", "n": 2 }), json!({ "id": "order-1", "n": 3 })]).await;
    world.ledger.lets_go("crm.update");
    assert_eq!(world.gives(&run).await, Some(json!(3)), "what came before the run began is none of its");
}

const TWO: &str = "{ result: '${ [steps.a, steps.b] }', do: [{ a: { listen: { topic: t } } }, { b: { listen: { topic: t } } }] }";

#[tokio::test(start_paused = true)]
async fn two_events_satisfy_two_listens_in_their_order() {
    let mut world = World::of(TWO).await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "a").await;
    world.publishes("t", [json!(1), json!(2)]).await;
    assert_eq!(world.gives(&run).await, Some(json!([1, 2])));
    // Dead after each entry of the journal, the same is heard.
    for entries in 2..8 {
        world.crash.after(entries);
        let run = world.start(&format!("crash_{entries}"), order()).await;
        world.publishes("t", [json!(entries), json!(10 + entries)]).await;
        eventually("it has died", async || world.crash.has_died().then_some(())).await;
        world.dies_and_restarts().await;
        assert_eq!(world.gives(&run).await, Some(json!([entries, 10 + entries])), "after {entries} entries");
    }
}

#[tokio::test(start_paused = true)]
async fn branches_take_an_event_each() {
    let world = World::of(
        "{ result: '${ [steps.a, steps.b, steps.c] }', do: [{ both: { fork: { a: [{ a: { listen: { topic: t } } }], b: [{ b: { listen: { topic: t } } }] } } }, { c: { listen: { topic: t } } }] }",
    )
    .await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "a").await;
    world.publishes("t", [json!(1), json!(2), json!(3)]).await;
    assert_eq!(world.gives(&run).await, Some(json!([1, 2, 3])));
}

/// What the commit itself published is its beginning, not an answer to it.
#[tokio::test(start_paused = true)]
async fn a_run_does_not_hear_its_own_commit() {
    let world =
        World::of("{ result: '${ steps.next }', do: [{ next: { listen: { topic: committed } } }] }").await;
    let (run, mut batch) = world.begin("act_1", order());
    batch.appends.push(published("committed", &json!("mine"), Some("act_1")));
    world.store.commit(batch).await.unwrap();
    world.engine.committed(std::slice::from_ref(&run));
    world.waits_at(&run, "next").await;
    world.publishes("committed", [json!("another")]).await;
    assert_eq!(world.gives(&run).await, Some(json!("another")));
}

/// Events of others are looked at once, also by a process that comes after.
#[tokio::test(start_paused = true)]
async fn what_is_for_others_is_passed_once() {
    let mut world =
        World::of("{ result: '${ steps.l.n }', do: [{ l: { listen: { topic: t, where: event.mine } } }] }")
            .await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "l").await;
    for _ in 0..3 {
        world.publishes("t", (0..1000).map(|n| json!({ "mine": false, "n": n }))).await;
    }
    eventually("all are looked at", async || (world.wrote("TopicRead") == 3).then_some(())).await;
    world.dies_and_restarts().await;
    world.publishes("t", [json!({ "mine": true, "n": 7 })]).await;
    assert_eq!(world.gives(&run).await, Some(json!(7)));
    assert_eq!(world.wrote("TopicRead"), 3, "what was looked at is not looked at again");
}

/// A paused run is not looked at when a process starts; resumed, it hears what came meanwhile.
#[tokio::test(start_paused = true)]
async fn what_comes_while_a_run_is_paused_and_away_is_heard() {
    let mut world = World::of("{ result: '${ [steps.l, steps.s] }', do: [{ l: { listen: { topic: t } } }, { s: { listen: { signal: go } } }] }").await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "l").await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.dies_and_restarts().await;
    world.publishes("t", [json!(1)]).await;
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    world.waits_at(&run, "s").await;
    world.engine.pause(run.as_str(), "ops").await.unwrap();
    world.sends(&run, "go", "s1", json!(2)).await.unwrap();
    world.dies_and_restarts().await;
    world.engine.resume(run.as_str(), false, "ops").await.unwrap();
    assert_eq!(world.gives(&run).await, Some(json!([1, 2])));
}

/// Nobody was at work when the event came, nor when the time was over: the event was first.
#[tokio::test(start_paused = true)]
async fn an_event_that_came_in_time_counts_though_its_run_was_away() {
    let mut world = World::of(
        "{ result: '${ steps.l }', do: [{ l: { listen: { topic: t }, timeout: 1s, on_timeout: continue } }] }",
    )
    .await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "l").await;
    world.engine.stop(Duration::ZERO).await;
    world.publishes("t", [json!(7)]).await;
    world.clock.jump(jiff::SignedDuration::from_secs(2));
    world.dies_and_restarts().await;
    assert_eq!(world.gives(&run).await, Some(json!(7)));
}

#[tokio::test(start_paused = true)]
async fn signals_are_kept_heard_once_and_known_by_their_id() {
    let world = World::of(
        "{ result: '${ [steps.a, steps.b] }', do: [{ call: crm.update }, { a: { listen: { signal: go, where: event > 1 } } }, { b: { listen: { signal: go } } }] }",
    )
    .await;
    world.ledger.holds("crm.update");
    let run = world.start("act_1", order()).await;
    for (id, n) in [("s1", 1), ("s2", 2), ("s2", 9), ("s3", 3)] {
        world.sends(&run, "go", id, json!(n)).await.unwrap();
    }
    world.ledger.lets_go("crm.update");
    assert_eq!(world.gives(&run).await, Some(json!([2, 1])));
    let late = world.sends(&run, "go", "s9", json!(null)).await;
    assert!(matches!(late, Err(Error::Status { .. })), "{late:?}");
    assert!(matches!(world.sends(&"run_none".into(), "go", "s", json!(0)).await, Err(Error::UnknownRun(_))));
}

#[tokio::test(start_paused = true)]
async fn a_signal_answers_no_question() {
    let world = World::of("{ do: [{ sure: { confirm: { summary: Sure? } } }] }").await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "sure").await;
    world.sends(&run, "sure", "s1", json!({ "confirmed": true })).await.unwrap();
    world.sends(&run, "signal:sure", "s2", json!({ "confirmed": true })).await.unwrap();
    let sure = world.asked("sure", None).await;
    world.answer(&sure, json!({ "confirmed": false })).await;
    let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
    assert_eq!(view.error.unwrap().code, "flow.rejected", "only the answer counts");
}

#[tokio::test(start_paused = true)]
async fn as_many_signals_wait_as_are_allowed() {
    let world = World::of("{ do: [{ listen: { signal: never } }] }").await;
    let run = world.start("act_1", order()).await;
    world.waits_at(&run, "listen_1").await;
    let large = world.sends(&run, "go", "large", json!("x".repeat(65_536))).await;
    assert!(large.unwrap_err().to_string().contains("a signal of 65538 bytes, allowed are 65536"));
    let limit = flow::Limits::default().signals;
    for n in 0..limit {
        world.sends(&run, "go", &format!("s{n}"), json!(n)).await.unwrap();
    }
    let full = world.sends(&run, "go", "one more", json!(0)).await.unwrap_err();
    assert!(matches!(full, Error::Signals { waiting: 1000, .. }), "{full}");
    world.sends(&run, "go", "s0", json!(0)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn no_answer_in_time_is_as_the_flow_says() {
    let world = World::of(
        "{ result: '${ [steps.a, steps.b, steps.c] }', do: [{ a: { confirm: { summary: Sure? }, timeout: 1ms, on_timeout: continue } }, { b: { ask: { field: f, prompt: F? }, timeout: 1ms, on_timeout: continue } }, { c: { listen: { topic: t }, timeout: 1ms, on_timeout: continue } }] }",
    )
    .await;
    let run = world.start("act_1", order()).await;
    assert_eq!(world.gives(&run).await, Some(json!([null, null, null])));
    let world = World::of("{ do: [{ a: { confirm: { summary: Sure? }, timeout: 1ms } }] }").await;
    assert_eq!(world.runs(order()).await.error.unwrap().code, "flow.timeout");
}

#[tokio::test(start_paused = true)]
async fn the_runs_of_a_key_that_hear_are_those_whose_turn_it_is() {
    let world = World::of("{ key: '${ entity.id }', do: [{ listen: { signal: go } }] }").await;
    let first = world.start("act_1", order()).await;
    world.waits_at(&first, "listen_1").await;
    let _second = world.start("act_2", order()).await;
    let ids = async |key: &str| {
        let found = world.engine.hearing("default", None, key).await.unwrap();
        found.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(ids("order-1").await, [first.to_string()]);
    assert!(ids("order-2").await.is_empty());
    assert!(world.engine.hearing("another", None, "order-1").await.unwrap().is_empty());
}
