//! Questions of a run: each is answered once, by what names it, and closed with whatever ends it.

use conversation::{By, Closing, OutgoingClose, OutgoingWait};
use flow::{QuestionEnd, RunView};
use serde_json::{Value, json};
use store::RunStatus;

use crate::world::{PATIENCE, World, order};

async fn ends(world: &World, run: &flow::RunId) -> RunView {
    world.engine.wait(run.as_str(), PATIENCE).await.unwrap()
}

fn code(view: &RunView) -> &str {
    view.error.as_ref().map_or("", |error| &error.code)
}

/// What was told of a step's questions: how they were closed, in order.
fn closed(world: &World, step: &str) -> Vec<Closing> {
    let said = world.said.said.lock();
    let closes = said.iter().flat_map(|said| &said.closes);
    closes.filter(|close| close.step.as_deref() == Some(step)).map(|close| close.how).collect()
}

fn yes() -> Value {
    json!({ "confirmed": true })
}

const SURE: &str = r#"do: [{ sure: { confirm: { summary: "Sure?" } } }]"#;

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_earlier_question_answers_no_later_one() {
    let world = World::of(
        r#"
do:
  - again: { for: { each: one, in: [1, 2] }, confirm: { summary: "Sure?" } }
"#,
    )
    .await;
    let run = world.start("act_1", order()).await;
    let first = world.asked("again[0]", None).await;
    world.answer(&first, yes()).await;
    let second = world.asked("again[1]", None).await;
    assert_ne!(first.question.id, second.question.id);
    world.answer(&first, yes()).await;
    world.signal(&run, "again[1]", "s", yes()).await;
    assert_eq!(world.engine.view(run.as_str()).await.unwrap().status, RunStatus::Waiting);
    world.answer(&second, yes()).await;
    assert_eq!(ends(&world, &run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_question_is_asked_again_under_a_new_name_when_what_it_shows_has_changed() {
    let mut world = World::of(SURE).await;
    let run = world.start("act_1", order()).await;
    let first = world.asked("sure", None).await;
    world.close(&first, QuestionEnd::Changed).await;
    let second = world.asked("sure", Some(&first.question.id)).await;
    world.answer(&first, yes()).await;
    assert_eq!(world.engine.view(run.as_str()).await.unwrap().status, RunStatus::Waiting);
    world.dies_and_restarts().await;
    world.answer(&second, yes()).await;
    assert_eq!(ends(&world, &run).await.status, RunStatus::Succeeded);
    let acts = world
        .said
        .said
        .lock()
        .iter()
        .flat_map(|said| said.acts.clone())
        .map(|act| act.id)
        .collect::<Vec<_>>();
    assert_eq!(acts.len(), 2);
    assert_ne!(acts[0], acts[1], "two acts ask");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_keeps_changing_is_given_up() {
    let world = World::of(SURE).await;
    let run = world.start("act_1", order()).await;
    let mut last: Option<OutgoingWait> = None;
    for _ in 0..100 {
        let before = last.as_ref().map(|wait| wait.question.id.clone());
        let wait = world.asked("sure", before.as_deref()).await;
        world.close(&wait, QuestionEnd::Changed).await;
        last = Some(wait);
    }
    assert_eq!(code(&ends(&world, &run).await), "flow.question_changed");
}

#[tokio::test(start_paused = true)]
async fn what_ends_a_question_from_outside_fails_its_step_by_name() {
    for (how, wanted) in
        [(QuestionEnd::Withdrawn, "flow.question_withdrawn"), (QuestionEnd::Ended, "flow.conversation_over")]
    {
        let world = World::of(SURE).await;
        let run = world.start("act_1", order()).await;
        let sure = world.asked("sure", None).await;
        world.close(&sure, how).await;
        assert_eq!(code(&ends(&world, &run).await), wanted);
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_withdrawn_with_whatever_ends_it() {
    let race = r#"
do:
  - first:
      race: true
      fork:
        sure: [{ sure: { confirm: { summary: "Sure?" } } }]
        soon: [{ soon: { wait: 50ms } }]
  - charge: { call: payments.charge, compensate: none }
"#;
    let world = World::of(race).await;
    assert_eq!(world.runs(order()).await.status, RunStatus::Succeeded);
    assert_eq!(closed(&world, "sure"), [Closing::Withdrawn], "its race was lost");

    let world = World::of(SURE).await;
    let run = world.start("act_1", order()).await;
    world.asked("sure", None).await;
    world.engine.cancel(run.as_str(), "ann").await.unwrap();
    ends(&world, &run).await;
    assert_eq!(closed(&world, "sure"), [Closing::Withdrawn], "its run was cancelled");

    let timed = r#"do: [{ sure: { confirm: { summary: "Sure?" }, timeout: 20ms } }]"#;
    let world = World::of(timed).await;
    assert_eq!(code(&world.runs(order()).await), "flow.timeout");
    assert_eq!(closed(&world, "sure"), [Closing::Expired], "its time was over");
    let all = OutgoingClose { step: None, how: Closing::Withdrawn };
    assert!(world.said.said.lock().iter().any(|said| said.closes.contains(&all)), "nothing is left of a run");
}

#[tokio::test(start_paused = true)]
async fn a_restart_asks_anew() {
    let world = World::of(SURE).await;
    let run = world.start("act_1", order()).await;
    let first = world.asked("sure", None).await;
    world.engine.pause(run.as_str(), "ann").await.unwrap();
    world.engine.restart_from(run.as_str(), "sure", false, "ops").await.unwrap();
    let second = world.asked("sure", Some(&first.question.id)).await;
    assert_eq!(closed(&world, "sure"), [Closing::Withdrawn]);
    world.answer(&first, yes()).await;
    assert_eq!(world.engine.view(run.as_str()).await.unwrap().status, RunStatus::Waiting);
    world.answer(&second, yes()).await;
    assert_eq!(ends(&world, &run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_while_a_run_was_paused_counts() {
    let world = World::of(SURE).await;
    let run = world.start("act_1", order()).await;
    let sure = world.asked("sure", None).await;
    world.engine.pause(run.as_str(), "ann").await.unwrap();
    world.answer(&sure, yes()).await;
    world.until(&run, |view| view.steps[0].result.is_some()).await;
    world.engine.resume(run.as_str(), false, "ops").await.unwrap_or_default();
    assert_eq!(ends(&world, &run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_taken_in_time_counts_after_a_crash_beyond_it() {
    let mut world = World::of(r#"do: [{ sure: { confirm: { summary: "Sure?" }, timeout: 300ms } }]"#).await;
    let run = world.start("act_1", order()).await;
    let sure = world.asked("sure", None).await;
    let expires = sure.question.expires.unwrap();
    world.engine.stop(std::time::Duration::ZERO).await;
    let mut batch = store::Batch::default();
    world.engine.answer(&mut batch, run.as_str(), &sure.question.id, "a", &yes());
    world.store.commit(batch).await.unwrap();
    let left = expires.duration_since(port::Clock::now(&*world.clock));
    world.passes(std::time::Duration::try_from(left).unwrap()).await;
    world.dies_and_restarts().await;
    assert_eq!(ends(&world, &run).await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn silence_is_a_yes_only_where_the_flow_says_so() {
    let flow = r#"
result: "${ steps.sure }"
do: [{ sure: { confirm: { summary: "Sure?", with: { timeout_ms: 30 } }, timeout: 1h, on_timeout: confirm } }]
"#;
    let world = World::of(flow).await;
    let view = world.runs(order()).await;
    assert_eq!(view.result.unwrap()["method"], "timeout", "the act's own time counts, being shorter");
    let act = world.said.said.lock().iter().flat_map(|said| said.acts.clone()).last().unwrap();
    assert_eq!((&act.body["confirmed"], &act.body["confirmation_method"]), (&json!(true), &json!("timeout")));
    let world = World::of(&flow.replace("on_timeout: confirm", "on_timeout: continue")).await;
    assert_eq!(world.runs(order()).await.result, Some(Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_flow_names_who_may_answer() {
    let world = World::of(
        r#"
do:
  - sure:
      confirm: { summary: "Sure?", shows: { amount: "${ entity.total_amount }" } }
      by: { role: [manager, owner], participant: "${ entity.customer_id }", not: committer }
"#,
    )
    .await;
    world.start("act_1", order()).await;
    let sure = world.asked("sure", None).await;
    let by = By {
        role: vec!["manager".into(), "owner".into()],
        participant: vec!["c-1".into()],
        not_committer: true,
        ..By::default()
    };
    assert_eq!((sure.question.by, sure.question.shows), (by, json!({ "amount": 42 })));
    let nobody =
        r#"do: [{ sure: { confirm: { summary: "Sure?" }, by: { participant: "${ entity.notes }" } } }]"#;
    let mut order = order();
    order["notes"] = Value::Null;
    assert_eq!(code(&World::of(nobody).await.runs(order).await), "flow.input", "null is not everybody");
}
