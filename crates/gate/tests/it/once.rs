//! `once`: of each key one run ever begins, whatever conversation, caller or flow wants another.

use futures_util::future::join_all;
use serde_json::{Value, json};
use store::RunFilter;

use crate::fixture::House;

const PATIENT: &[(&str, &str)] = &[("prefer", "wait=20")];

fn commit(id: &str, entity: &str) -> Value {
    json!({
        "id": id, "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
        "entity": entity, "action": "create", "system": "order-management",
    })
}

fn with(mut act: Value, members: Value) -> Value {
    act.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    act
}

fn flow(steps: Value) -> Value {
    json!({
        "on": {"commit": {"system": "order_management"}},
        "once": "${ has(act.parameters) ? act.parameters.order : entity.id }", "do": steps,
    })
}

fn acts(conversation: usize) -> String {
    format!("/v1/conversations/conv_{conversation}/acts")
}

async fn runs(house: &House) -> Vec<String> {
    let rows = house.store.runs(&RunFilter::default()).await.unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_second_commit_of_the_key_is_refused_and_told_which_run_there_is() {
    let house = House::running(&flow(json!([{"set": {"a": 1}}]))).await;
    let first = house.post_with(&acts(1), PATIENT, &commit("act_1", "order_1")).await;
    assert_eq!(first.json["integrations"][0]["status"], "success", "{}", first.text);
    let run = first.json["integrations"][0]["run"].as_str().unwrap().to_owned();
    for conversation in [1, 2] {
        let refused = house.post(&acts(conversation), &commit("act_2", "order_1")).await;
        assert_eq!((refused.status, refused.code()), (409, "commit.once"), "{}", refused.text);
        assert!(refused.text.contains(&run), "{}", refused.text);
    }
    // The first again is answered as the first, and another key has a run of its own.
    let again = house.post(&acts(1), &commit("act_1", "order_1")).await;
    assert_eq!((again.status, &again.json["replayed"]), (200, &json!(true)), "{}", again.text);
    assert_eq!(house.post_with(&acts(1), PATIENT, &commit("act_3", "order_2")).await.status, 200);
    assert_eq!(runs(&house).await.len(), 2);
}

#[tokio::test]
async fn of_many_at_once_one_begins() {
    let house = House::running(&flow(json!([{"set": {"a": 1}}]))).await;
    let calls = (0..60).map(|number| {
        let house = house.clone();
        async move {
            let act = commit(&format!("act_{number}"), "order_1");
            let body = if number % 3 == 0 { json!([act]) } else { act };
            let answer = house.post_with(&acts(number % 7), PATIENT, &body).await;
            (answer.status == 200 && !answer.text.contains("commit.once"), answer.text)
        }
    });
    let answers = join_all(calls).await;
    let taken = answers.iter().filter(|(taken, _)| *taken).count();
    assert_eq!((taken, runs(&house).await.len()), (1, 1), "{answers:#?}");
}

#[tokio::test]
async fn two_in_one_array_are_one() {
    let house = House::running(&flow(json!([{"set": {"a": 1}}]))).await;
    let both = json!([commit("act_1", "order_1"), commit("act_2", "order_1")]);
    let lines = format!("{}\n{}\n", both[0], both[1]);
    let verdicts = house.lines(&acts(1), &lines).await;
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
    assert!(verdicts[1].to_string().contains("commit.once"), "{verdicts:?}");
    // All or none: an array is refused as a whole.
    let refused =
        house.post(&acts(2), &json!([commit("act_3", "order_2"), commit("act_4", "order_2")])).await;
    assert_eq!(refused.code(), "commit.once", "{}", refused.text);
    assert_eq!(runs(&house).await.len(), 1);
    assert_eq!(house.post_with(&acts(3), PATIENT, &commit("act_5", "order_2")).await.status, 200);
}

#[tokio::test]
async fn what_came_to_nothing_is_tried_anew_only_by_its_own_commit() {
    let unless = json!([{"if": "!has(entity.ok)", "raise": {"code": "shop.closed", "message": "closed"}}]);
    let house = House::running(&flow(unless)).await;
    let keyed = |id: &str| with(commit(id, "order_1"), json!({"idempotency_key": "k"}));
    let failed = house.post_with(&acts(1), PATIENT, &keyed("act_1")).await;
    assert_eq!(failed.json["integrations"][0]["status"], "error", "{}", failed.text);
    let other = house.post(&acts(2), &commit("act_2", "order_1")).await;
    assert_eq!(other.code(), "commit.once", "also when it has failed: {}", other.text);
    let ok = json!({
        "id": "act_f", "timestamp": "2026-01-01T00:00:02Z", "speaker": "local", "type": "fact",
        "entity": "order_1", "field": "ok", "value": true,
    });
    assert_eq!(house.post(&acts(1), &ok).await.status, 200);
    let anew = with(keyed("act_3"), json!({"metadata": {"cardan": {"new_try": true}}}));
    let anew = house.post_with(&acts(1), PATIENT, &anew).await;
    assert_eq!(anew.json["integrations"][0]["status"], "success", "{}", anew.text);
    // From now on the key is that of the new try.
    let refused = house.post(&acts(2), &commit("act_4", "order_1")).await;
    assert!(refused.text.contains(anew.json["integrations"][0]["run"].as_str().unwrap()), "{}", refused.text);
    assert_eq!(runs(&house).await.len(), 2);
}

#[tokio::test]
async fn without_a_key_there_may_be_any_number() {
    let mut flow = flow(json!([{"set": {"a": 1}}]));
    flow["once"] = json!("${ has(entity.order) ? entity.order : null }");
    let house = House::running(&flow).await;
    for number in 0..2 {
        let id = format!("act_{number}");
        assert_eq!(house.post_with(&acts(1), PATIENT, &commit(&id, "order_1")).await.status, 200);
    }
    assert_eq!(runs(&house).await.len(), 2);
}

#[tokio::test]
async fn keys_of_runs_count_as_keys_of_commits() {
    let keys = conversation::Limits { commit_keys: 2, ..conversation::Limits::default() };
    let limits = gate::Limits { conversations: keys, ..gate::Limits::default() };
    let house = House::running_within(&flow(json!([{"set": {"a": 1}}])), limits).await;
    for number in 0..2 {
        let (id, entity) = (format!("act_{number}"), format!("order_{number}"));
        assert_eq!(house.post_with(&acts(1), PATIENT, &commit(&id, &entity)).await.status, 200);
    }
    let full = house.post(&acts(1), &commit("act_9", "order_9")).await;
    assert_eq!((full.status, full.code()), (507, "commit.keys_full"), "{}", full.text);
    assert_eq!(runs(&house).await.len(), 2);
    // What was refused has begun nothing: with room it is taken.
    let again = House::of(house.store.clone(), &flow(json!([{"set": {"a": 1}}]))).await;
    assert_eq!(again.post_with(&acts(1), PATIENT, &commit("act_9", "order_9")).await.status, 200);
    assert_eq!(runs(&house).await.len(), 3);
}
