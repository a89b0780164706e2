//! A commit's `idempotency_key` is the identity of the whole commit.

use futures_util::future::join_all;
use serde_json::{Value, json};
use store::{Append, Batch, Expected, KeyOp, NewEvent, RunFilter, State, Store};

use crate::fixture::{House, fact};
use crate::tokens;

const ACTS: &str = "/v1/conversations/conv_1/acts";
const PATIENT: &[(&str, &str)] = &[("prefer", "wait=20")];

fn commit(id: &str, key: &str) -> Value {
    json!({
        "id": id, "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order-management", "idempotency_key": key,
    })
}

fn with(mut act: Value, members: Value) -> Value {
    act.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    act
}

fn flow(steps: Value) -> Value {
    json!({"on": {"commit": {"system": "order_management"}}, "do": steps})
}

async fn succeeding() -> House {
    House::running(&flow(json!([{"set": {"a": 1}}]))).await
}

async fn failing() -> House {
    let unless = json!([{"if": "!has(entity.ok)", "raise": {"code": "shop.closed", "message": "closed"}}]);
    House::running(&flow(unless)).await
}

async fn runs(house: &House) -> usize {
    house.get("/v1/runs").await.json["runs"].as_array().unwrap().len()
}

#[tokio::test]
async fn the_same_commit_under_a_fresh_id_is_answered_as_the_first() {
    let house = succeeding().await;
    let first = house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    // The entity has changed since: it is no part of the commit's identity, for the flow itself may change it.
    house.post(ACTS, &fact("act_f", "size", json!("large"))).await;
    let head = house.head();
    let later = with(
        commit("act_2", "k"),
        json!({"timestamp": "2026-01-01T00:09:00Z", "confidence": 0.5, "source": "ai", "retry_count": 1,
               "metadata": {"trace_id": "t", "conversation_id": "conv_1"}}),
    );
    let again = house.post_with(ACTS, PATIENT, &later).await;
    assert_eq!((again.status, &again.json["replayed"]), (200, &json!(true)), "{}", again.text);
    assert_eq!(again.json["integrations"], first.json["integrations"]);
    assert_eq!(again.json["processedAct"], first.json["processedAct"], "the first act");
    assert_eq!((house.head(), runs(&house).await), (head, 1));
    let by_id = house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    assert_eq!(by_id.json["integrations"], first.json["integrations"]);
    // Who does not wait is told how it stands.
    let seen = house.post(ACTS, &commit("act_3", "k")).await;
    assert_eq!((seen.status, &seen.json["integrations"]), (200, &first.json["integrations"]));
    // Also when nothing more is taken.
    assert_eq!(house.post("/v1/conversations/conv_1/end", &json!({})).await.status, 200);
    assert_eq!(house.post(ACTS, &commit("act_4", "k")).await.json["replayed"], true);
}

#[tokio::test]
async fn another_commit_under_the_key_is_refused_and_told_where_it_differs() {
    let house = succeeding().await;
    house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    let head = house.head();
    let others = [
        (json!({"entity": "order_2"}), "/entity"),
        (json!({"system": "crm"}), "/system"),
        (json!({"action": "cancel"}), "/action"),
        (json!({"max_retries": 3}), "/max_retries"),
        (json!({"metadata": {"note": "urgent"}}), "/metadata/note"),
        // Of what somebody else has said nothing more is told.
        (json!({"speaker": "mallory", "entity": "order_2"}), "/speaker"),
    ];
    for (number, (change, pointer)) in others.into_iter().enumerate() {
        let other = with(commit(&format!("act_o{number}"), "k"), change);
        let refused = house.post(ACTS, &other).await;
        assert_eq!((refused.status, refused.code()), (422, "commit.key_reused"), "{}", refused.text);
        let at: Vec<&Value> =
            refused.json["errors"].as_array().unwrap().iter().map(|e| &e["pointer"]).collect();
        assert_eq!(at, [pointer]);
        assert!(!refused.text.contains("order_1"), "{}", refused.text);
    }
    let elsewhere = house
        .post("/v1/conversations/conv_2/acts", &with(commit("act_1", "k"), json!({"entity": "x"})))
        .await;
    assert_eq!(elsewhere.json["errors"][0]["pointer"], "/metadata/conversation_id", "{}", elsewhere.text);
    assert_eq!(elsewhere.json["errors"].as_array().unwrap().len(), 1);
    assert_eq!(house.head(), head, "nothing was written");
    // Another name of the same system is no other commit.
    let alias = house.post(ACTS, &with(commit("act_9", "k"), json!({"system": "order_management"}))).await;
    assert_eq!(alias.json["replayed"], true, "{}", alias.text);
}

#[tokio::test]
async fn a_thousand_at_once_are_one_commit() {
    let house = House::running_within(
        &flow(json!([{"set": {"a": 1}}])),
        gate::Limits { in_flight: 2000, ..gate::Limits::default() },
    )
    .await;
    let calls = (0..1000).map(|number| {
        let house = house.clone();
        // Some come by their own id, some in other requests' company.
        let act = commit(&format!("act_{}", number % 700), "k");
        async move {
            let body = if number % 3 == 0 { json!([act]) } else { act };
            let answer = house.post_with(ACTS, PATIENT, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let told = if number % 3 == 0 { answer.json[0].clone() } else { answer.json };
            (told["integrations"][0]["run"].clone(), told["replayed"] == true)
        }
    });
    let answers = join_all(calls).await;
    assert_eq!(answers.iter().filter(|(_, replayed)| !replayed).count(), 1);
    assert!(answers.iter().all(|(run, _)| *run == answers[0].0));
    assert_eq!(runs(&house).await, 1);
}

#[tokio::test]
async fn two_conversations_at_once_share_no_key() {
    let house = succeeding().await;
    let say = |number: usize| {
        let (house, act) = (house.clone(), commit("act_1", "k"));
        async move { house.post(&format!("/v1/conversations/conv_{number}/acts"), &act).await }
    };
    let answers = join_all((0..20).map(say)).await;
    let taken = answers.iter().filter(|answer| answer.status == 202).count();
    let refused = answers.iter().filter(|answer| answer.code() == "commit.key_reused").count();
    assert_eq!((taken, refused, runs(&house).await), (1, 19, 1));
}

#[tokio::test]
async fn a_key_twice_in_one_batch_is_one_commit() {
    let house = succeeding().await;
    let twice = house.post_with(ACTS, PATIENT, &json!([commit("act_1", "k"), commit("act_2", "k")])).await;
    assert_eq!(twice.json[0]["integrations"], twice.json[1]["integrations"], "{}", twice.text);
    assert_eq!((&twice.json[1]["replayed"], runs(&house).await), (&json!(true), 1));
    let mixed =
        json!([fact("act_3", "a", json!(1)), with(commit("act_4", "k"), json!({"entity": "order_2"}))]);
    let refused = house.post(ACTS, &mixed).await;
    assert_eq!((refused.status, refused.code()), (422, "commit.key_reused"));
    assert_eq!(house.entity("conv_1", "order_1").await["a"], Value::Null, "all or nothing");
    let acts = [
        commit("act_5", "n"),
        commit("act_6", "n"),
        with(commit("act_7", "n"), json!({"action": "cancel"})),
        with(commit("act_8", "n"), json!({"metadata": {"cardan": {"new_try": true}}})),
        commit("act_9", "k"),
    ];
    let lines: String = acts.iter().map(|act| act.to_string() + "\n").collect();
    let verdicts = house.lines(ACTS, &lines).await;
    let told: Vec<Value> = verdicts.iter().map(|line| json!([line["replayed"], line["code"]])).collect();
    let expected = [
        json!([null, null]),
        json!([true, null]),
        json!([null, "commit.key_reused"]),
        json!([null, "commit.new_try"]),
    ];
    assert_eq!((&told[..4], &told[4]), (&expected[..], &json!([true, null])));
    // What has begun is pending; what was begun before is told as it stands, which may be at its end by then.
    assert_eq!((&verdicts[0]["status"], &verdicts[4]["status"]), (&json!(202), &json!(200)));
    assert_eq!(runs(&house).await, 2);
}

#[tokio::test]
async fn a_commit_that_failed_is_answered_so_until_it_is_tried_anew() {
    let house = failing().await;
    let first = house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    assert_eq!(first.json["integrations"][0]["code"], "shop.closed");
    house.post(ACTS, &fact("act_f", "ok", json!(true))).await;
    let again = house.post_with(ACTS, PATIENT, &commit("act_2", "k")).await;
    assert_eq!((&again.json["integrations"], runs(&house).await), (&first.json["integrations"], 1));
    // A count of retries is no wish for a new try.
    let counted =
        house.post_with(ACTS, PATIENT, &with(commit("act_3", "k"), json!({"retry_count": 9}))).await;
    assert_eq!(counted.json["replayed"], true);
    let anew = |id: &str| with(commit(id, "k"), json!({"metadata": {"cardan": {"new_try": true}}}));
    let next = house.post_with(ACTS, PATIENT, &anew("act_4")).await;
    assert_eq!(
        (next.status, &next.json["integrations"][0]["status"]),
        (200, &json!("success")),
        "{}",
        next.text
    );
    let run = next.json["integrations"][0]["run"].as_str().unwrap();
    let (type_, begun) = house.events(&format!("run-{run}")).await.remove(0);
    assert_eq!((type_.as_str(), &begun["generation"]), ("RunStarted", &json!(1)));
    // The key names the latest try; each act its own.
    let plain = house.post_with(ACTS, PATIENT, &commit("act_5", "k")).await;
    assert_eq!(plain.json["integrations"], next.json["integrations"]);
    let old = house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    assert_eq!(old.json["integrations"], first.json["integrations"]);
    let same = house.post_with(ACTS, PATIENT, &anew("act_4")).await;
    assert_eq!(same.json["integrations"], next.json["integrations"]);
    let refused = house.post(ACTS, &anew("act_6")).await;
    assert_eq!((refused.status, refused.code()), (409, "commit.new_try"), "it succeeded: {}", refused.text);
    // Nor is the first try begun again beside the second.
    let old = first.json["integrations"][0]["run"].as_str().unwrap();
    let restart = house.post(&format!("/v1/runs/{old}/restart"), &json!({"step": "1"})).await;
    assert_eq!((restart.status, restart.code()), (409, "run.state"), "{}", restart.text);
    assert!(restart.json["detail"].as_str().unwrap().contains("tried anew"), "{}", restart.text);
    assert_eq!(runs(&house).await, 2);
}

#[tokio::test]
async fn a_new_try_needs_a_try_before() {
    let house = House::running(&flow(json!([{"wait": "1h"}]))).await;
    let anew = |mut act: Value, wish: Value| {
        act["metadata"] = json!({"cardan": {"new_try": wish}});
        act
    };
    let mut keyless = commit("act_0", "k");
    keyless.as_object_mut().unwrap().remove("idempotency_key");
    for act in [
        anew(commit("act_1", "k"), json!(true)),
        anew(commit("act_1", "k"), json!("yes")),
        anew(keyless, json!(true)),
    ] {
        let refused = house.post(ACTS, &act).await;
        assert_eq!((refused.status, refused.code()), (409, "commit.new_try"), "{}", refused.text);
        assert_eq!(refused.json["errors"][0]["pointer"], "/metadata/cardan/new_try");
    }
    assert_eq!(house.head(), 0);
    house.post(ACTS, &commit("act_1", "k")).await;
    let going_on = house.post(ACTS, &anew(commit("act_2", "k"), json!(true))).await;
    assert_eq!((going_on.status, going_on.code(), runs(&house).await), (409, "commit.new_try", 1));
    // Unless it says so it follows the first, which is still at it.
    let follows = house.post_with(ACTS, &[("prefer", "wait=10ms")], &commit("act_3", "k")).await;
    assert_eq!((follows.status, &follows.json["integrations"][0]["status"]), (202, &json!("pending")));
}

#[tokio::test]
async fn a_commit_that_broke_a_rule_or_found_no_flow_keeps_its_meaning() {
    let house = succeeding().await;
    let nowhere = with(commit("act_1", "k"), json!({"system": "crm"}));
    assert_eq!(house.post(ACTS, &nowhere).await.json["result"]["status"], "unrouted");
    let head = house.head();
    let again = house.post(ACTS, &with(nowhere.clone(), json!({"id": "act_2"}))).await;
    assert_eq!((again.status, &again.json["result"]["status"]), (200, &json!("unrouted")), "{}", again.text);
    assert_eq!(house.head(), head, "it is published once");
    // A commit that tells of work wants none: it has no identity.
    let told = with(commit("act_3", "k"), json!({"status": "success"}));
    assert_eq!(house.post(ACTS, &told).await.status, 200);
}

#[tokio::test]
async fn one_caller_learns_nothing_of_anothers_commit() {
    let house = tokens::house_with(&flow(json!([{"set": {"a": 1}}]))).await;
    let as_ = |subject: &str, organisation: &str| {
        house.bearing(&tokens::token(subject, organisation, tokens::ALL, 60))
    };
    let by = |subject: &str, id: &str| with(commit(id, "k"), json!({"speaker": subject}));
    let mine = as_("ada", "acme").post_with(ACTS, PATIENT, &by("ada", "act_1")).await;
    assert_eq!(mine.json["integrations"][0]["status"], "success", "{}", mine.text);
    // In her name only who may speak for others.
    let forged = as_("bob", "acme").post(ACTS, &by("ada", "act_2")).await;
    assert_eq!((forged.status, forged.code()), (403, "act.speaker_mismatch"));
    let own = as_("bob", "acme").post(ACTS, &by("bob", "act_2")).await;
    assert_eq!(
        (own.status, own.code(), &own.json["errors"][0]["pointer"]),
        (422, "commit.key_reused", &json!("/speaker"))
    );
    let clerk = house.bearing(&tokens::token(
        "clerk",
        "acme",
        &["conversation.write", "conversation.speak_for_others"],
        60,
    ));
    assert_eq!(clerk.post(ACTS, &by("ada", "act_3")).await.json["replayed"], true);
    // Another organisation's key is another key.
    let other =
        as_("ada", "other").post_with("/v1/conversations/conv_9/acts", PATIENT, &by("ada", "act_1")).await;
    assert_eq!((other.status, other.json.get("replayed")), (200, None), "{}", other.text);
}

/// What 0.1.0 leaves behind: the log, the runs and the records of acts, and no record of a commit's key.
async fn older(store: &Store) -> Store {
    let old = Store::temporary().unwrap();
    for event in store.log(0, 10_000).await.unwrap() {
        let new = NewEvent {
            type_: event.type_.to_string().into(),
            data: event.data,
            at: event.at,
            tenant: event.tenant,
            correlation: event.correlation,
            causation: event.causation,
        };
        let append = Append { stream: event.stream.to_string(), expected: Expected::Any, events: vec![new] };
        old.commit(Batch { appends: vec![append], ..Batch::default() }).await.unwrap();
    }
    let runs = store.runs(&RunFilter::default()).await.unwrap();
    let talk = store.state("conversation", "conv_1").await.unwrap().unwrap();
    let talk = State { kind: "conversation", id: talk.id, data: Some(talk.data) };
    let act = store.key("default", "act/conv_1/act_1").await.unwrap().unwrap();
    old.commit(Batch { runs, keys: vec![KeyOp::Claim(act)], states: vec![talk], ..Batch::default() })
        .await
        .unwrap();
    old
}

#[tokio::test]
async fn keys_of_an_older_store_are_found_in_its_log() {
    let set = flow(json!([{"set": {"a": 1}}]));
    let house = House::running(&set).await;
    let first = house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    let next = House::of(older(&house.store).await, &set).await;
    let again = next.post_with(ACTS, PATIENT, &commit("act_2", "k")).await;
    assert_eq!(again.json["integrations"], first.json["integrations"], "{}", again.text);
    assert_eq!(again.json["processedAct"], first.json["processedAct"]);
    let other = next.post(ACTS, &with(commit("act_3", "k"), json!({"entity": "order_2"}))).await;
    assert_eq!(other.code(), "commit.key_reused");
    assert_eq!(runs(&next).await, 1);
    // The log is looked through once.
    next.post_with(ACTS, PATIENT, &commit("act_4", "n")).await;
    let head = next.head();
    House::of(next.store.clone(), &set).await;
    assert_eq!((next.head(), runs(&next).await), (head, 2));
}

#[tokio::test]
async fn a_full_share_refuses_and_forgets_nothing() {
    let conversations = conversation::Limits { commit_keys: 2, ..conversation::Limits::default() };
    let limits = gate::Limits { conversations, ..gate::Limits::default() };
    let house =
        House::running_within(&flow(json!([{"raise": {"code": "E", "message": "no"}}])), limits).await;
    for key in ["a", "b"] {
        house.post_with(ACTS, PATIENT, &commit(&format!("act_{key}"), key)).await;
    }
    let refused = house.post(ACTS, &commit("act_c", "c")).await;
    assert_eq!((refused.status, refused.code(), runs(&house).await), (507, "commit.keys_full", 2));
    assert_eq!(house.post(ACTS, &commit("act_d", "a")).await.json["replayed"], true);
    let anew = with(commit("act_e", "b"), json!({"metadata": {"cardan": {"new_try": true}}}));
    assert_eq!(house.post(ACTS, &anew).await.status, 202, "a new try is no new key");
    let mut keyless = commit("act_f", "c");
    keyless.as_object_mut().unwrap().remove("idempotency_key");
    assert_eq!(house.post(ACTS, &keyless).await.status, 202);
}

/// Of an old commit nothing may be kept but that it was begun.
#[tokio::test]
async fn a_commit_that_is_not_kept_any_more_is_not_begun_again() {
    let set = flow(json!([{"set": {"a": 1}}]));
    let house = House::running(&set).await;
    house.post_with(ACTS, PATIENT, &commit("act_1", "k")).await;
    let act = house.store.key("default", "act/conv_1/act_1").await.unwrap().unwrap();
    let page = house.store.query(
        "SELECT key FROM keys WHERE key LIKE 'commit/%'",
        10,
        std::time::Duration::from_secs(5),
    );
    let rows = page.await.unwrap().rows;
    let [[store::Cell::Text(key)]] = [[rows[0][0].clone()]] else { panic!("{rows:?}") };
    for response in [
        &b"{}"[..],
        br#"{"act":"act_1","conversation":"conv_1","version":99,"runs":[]}"#,
        br#"{"act":"act_1","conversation":"conv_1","version":3,"runs":[{"run":"run_gone","system":"s"}]}"#,
    ] {
        let (tenant, owner) = ("default".to_owned(), "commit".to_owned());
        let finish = KeyOp::Finish {
            tenant,
            key: key.clone(),
            owner,
            response: response.to_vec(),
            expires: act.expires,
        };
        house.store.commit(Batch { keys: vec![finish], ..Batch::default() }).await.unwrap();
        let refused = house.post(ACTS, &commit("act_2", "k")).await;
        assert_eq!(
            (refused.status, refused.code(), runs(&house).await),
            (410, "commit.key_expired", 1),
            "{}",
            refused.text
        );
    }
}
