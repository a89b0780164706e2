//! Acts that are taken: durable, in order, once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::fixture::{House, ask, fact};

#[tokio::test]
async fn an_act_is_durable_when_it_is_answered() {
    let house = House::open().await;
    let answer = house.post("/v1/conversations/conv_1/acts", &fact("act_1", "quantity", json!(2))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["processedAct"]["id"], "act_1");
    let position = answer.json["position"].as_u64().unwrap();
    assert_eq!(answer.header("cardan-position"), position.to_string());
    assert_eq!(house.head(), position);
    let events = house.events("conversation-conv_1").await;
    assert!(
        events.iter().any(|(type_, data)| type_ == "ActProcessed" && data["act"]["id"] == "act_1"),
        "{events:?}"
    );
}

#[tokio::test]
async fn the_guides_paths_speak_the_same() {
    let house = House::open().await;
    let answer = house.post("/conversation/conv_1/acts", &ask("act_1", "size")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    for member in ["processedAct", "integrations", "nextActions"] {
        assert!(answer.json.get(member).is_some(), "{member} in {}", answer.text);
    }
    let read = house.get("/conversation/conv_1").await;
    assert_eq!(read.status, 200);
    assert_eq!(read.json["acts"][0]["id"], "act_1");
    assert_eq!(read.json, house.get("/v1/conversations/conv_1").await.json);
    let checked = act::check(act::DocumentKind::Conversation, read.json.clone(), &act::Rules::strict());
    assert!(checked.is_ok(), "{:?} in {}", checked.err(), read.text);
}

#[tokio::test]
async fn an_entity_has_a_tag_that_changes_with_it() {
    let house = House::open().await;
    house.post("/v1/conversations/conv_1/acts", &fact("act_1", "quantity", json!(2))).await;
    let first = house.get("/v1/conversations/conv_1/entities/order_1").await;
    assert_eq!((first.status, &first.json["fields"]["quantity"]), (200, &json!(2)), "{}", first.text);
    let tag = first.header("etag");
    let path = "/v1/conversations/conv_1/entities/order_1";
    assert_eq!(house.get_with(path, &[("if-none-match", &tag)]).await.status, 304);
    house.post("/v1/conversations/conv_1/acts", &fact("act_2", "quantity", json!(3))).await;
    let second = house.get_with(path, &[("if-none-match", &tag)]).await;
    assert_eq!((second.status, &second.json["fields"]["quantity"]), (200, &json!(3)));
    assert_ne!(second.header("etag"), tag);
}

#[tokio::test]
async fn b4_the_same_act_again_changes_nothing() {
    let house = House::open().await;
    let mut act = fact("act_1", "quantity", json!(2));
    act["operation"] = json!("increment");
    let first = house.post("/v1/conversations/conv_1/acts", &act).await;
    let head = house.head();
    let again = house.post("/v1/conversations/conv_1/acts", &act).await;
    assert_eq!((first.status, again.status), (200, 200), "{}", again.text);
    assert_eq!(
        (&again.json["processedAct"], &again.json["replayed"]),
        (&first.json["processedAct"], &json!(true))
    );
    assert_eq!(house.head(), head);
    assert_eq!(house.entity("conv_1", "order_1").await["quantity"], 2);
}

#[tokio::test]
async fn the_answer_says_what_became_of_the_act() {
    let house = House::open().await;
    let path = "/v1/conversations/conv_1/acts";
    let applied = house.post(path, &fact("act_1", "quantity", json!(2))).await;
    assert_eq!(applied.json["result"], json!({"status": "applied"}), "{}", applied.text);
    let mut more = fact("act_2", "quantity", json!("two"));
    more["operation"] = json!("increment");
    let invalid = house.post(path, &more).await;
    let result = &invalid.json["result"];
    assert_eq!((invalid.status, &result["status"]), (200, &json!("invalid")), "{}", invalid.text);
    assert_eq!(result["errors"][0]["field"], "quantity");
    let again = house.post(path, &more).await;
    assert_eq!((&again.json["result"], &again.json["replayed"]), (result, &json!(true)), "{}", again.text);
    let line = house.lines(path, &fact("act_3", "id", json!(1)).to_string()).await;
    assert_eq!(line[0]["result"]["errors"][0]["code"], "entity.reserved_field", "{line:?}");
}

#[tokio::test]
async fn a_commit_that_no_flow_takes_is_said() {
    let house = House::open().await;
    let act = json!({
        "id": "act_1", "timestamp": "2026-01-01T00:00:00Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "shipping",
    });
    let answer = house.post("/v1/conversations/conv_1/acts", &act).await;
    assert_eq!(answer.json["result"], json!({"status": "unrouted"}), "{}", answer.text);
    let warning = &answer.json["warnings"][0];
    assert_eq!((&warning["code"], &warning["pointer"]), (&json!("warn.unrouted"), &json!("/system")));
    assert!(warning["message"].as_str().unwrap().contains("integration-shipping"), "{warning}");
}

#[tokio::test]
async fn an_act_id_is_not_used_for_another_act() {
    let house = House::open().await;
    house.post("/v1/conversations/conv_1/acts", &fact("act_1", "quantity", json!(2))).await;
    let head = house.head();
    let other = house.post("/v1/conversations/conv_1/acts", &fact("act_1", "quantity", json!(3))).await;
    assert_eq!((other.status, other.code()), (409, "act.id_reused"), "{}", other.text);
    assert_eq!(house.head(), head);
    assert_eq!(house.entity("conv_1", "order_1").await["quantity"], 2);
    let elsewhere = house.post("/v1/conversations/conv_2/acts", &fact("act_1", "quantity", json!(3))).await;
    assert_eq!(elsewhere.status, 200, "ids are of their conversation");
}

#[tokio::test]
async fn b5_concurrent_writers_lose_nothing() {
    let house = House::open().await;
    let said = (0..100).map(|number| {
        let house = house.clone();
        async move {
            let mut act = fact(&format!("act_{number}"), "quantity", json!(1));
            act["operation"] = json!("increment");
            house.post("/v1/conversations/conv_1/acts", &act).await.status
        }
    });
    assert!(join_all(said).await.into_iter().all(|status| status == 200), "processed_count = 100");
    assert_eq!(house.entity("conv_1", "order_1").await["quantity"], 100);
    let events = house.events("conversation-conv_1").await;
    assert_eq!(events.iter().filter(|(type_, _)| type_ == "ActProcessed").count(), 100);
}

#[tokio::test]
async fn b8_a_pending_commit_is_no_failure() {
    let house = House::open().await;
    let act = json!({
        "id": "act_1", "timestamp": "2026-01-01T00:00:00Z", "speaker": "local", "type": "commit",
        "entity": "order_1", "action": "create", "system": "order_management",
    });
    assert_eq!(house.post("/v1/conversations/conv_1/acts", &act).await.status, 200);
    let events = house.events("conversation-conv_1").await;
    assert!(events.iter().all(|(type_, _)| type_ != "BusinessActionFailed"), "{events:?}");
}

#[tokio::test]
async fn an_array_is_taken_whole_or_not_at_all() {
    let house = House::open().await;
    let good = json!([fact("act_1", "a", json!(1)), fact("act_2", "b", json!(2))]);
    let answer = house.post("/v1/conversations/conv_1/acts", &good).await;
    assert_eq!((answer.status, answer.json.as_array().map(Vec::len)), (200, Some(2)), "{}", answer.text);
    let head = house.head();
    let bad = json!([fact("act_3", "a", json!(9)), {"id": "act_4"}]);
    let refused = house.post("/v1/conversations/conv_1/acts", &bad).await;
    assert_eq!((refused.status, refused.code()), (400, "act.invalid"));
    assert_eq!(
        refused.json["errors"][0]["pointer"].as_str().map(|p| p.starts_with("/1/")),
        Some(true),
        "{}",
        refused.text
    );
    let reused = json!([fact("act_5", "a", json!(9)), fact("act_1", "a", json!(7))]);
    assert_eq!(house.post("/v1/conversations/conv_1/acts", &reused).await.code(), "act.id_reused");
    assert_eq!(house.head(), head, "nothing of either array was applied");
    assert_eq!(house.entity("conv_1", "order_1").await["a"], 1);
}

#[tokio::test]
async fn b9_a_bad_line_refuses_only_itself() {
    let house = House::open().await;
    let lines = [
        fact("act_1", "a", json!(1)).to_string(),
        "{nonsense".to_owned(),
        json!({"id": "act_2"}).to_string(),
        fact("act_1", "a", json!(1)).to_string(),
        fact("act_1", "a", json!(2)).to_string(),
        fact("act_3", "a", json!(3)).to_string(),
    ];
    let verdicts = house.lines("/v1/conversations/conv_1/acts", &lines.join("\n")).await;
    let told: Vec<Value> = verdicts.iter().map(|verdict| verdict["status"].clone()).collect();
    assert_eq!(told, [200, 400, 400, 200, 409, 200], "{verdicts:?}");
    assert_eq!(verdicts.iter().map(|v| v["line"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((&verdicts[3]["replayed"], &verdicts[4]["code"]), (&json!(true), &json!("act.id_reused")));
    assert_eq!(house.entity("conv_1", "order_1").await["a"], 3);
}

#[tokio::test]
async fn a_line_that_names_too_much_refuses_only_itself_and_says_where() {
    let house = House::open().await;
    let lines: Vec<String> = (0..5)
        .map(|number| {
            let mut act = fact(&format!("act_{number}"), "a", json!(number));
            if number == 2 {
                act["entity"] = json!("e".repeat(600));
            }
            act.to_string()
        })
        .collect();
    let verdicts = house.lines("/v1/conversations/conv_1/acts", &lines.join("\n")).await;
    let told: Vec<_> = verdicts.iter().map(|verdict| verdict["status"].as_u64().unwrap()).collect();
    assert_eq!(told, [200, 200, 400, 200, 200], "{verdicts:?}");
    let error = &verdicts[2]["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/entity"), &json!("act.too_long")));
}

#[tokio::test]
async fn many_lines_are_taken_in_order_and_an_upload_can_be_repeated() {
    let house = House::open().await;
    let lines: Vec<String> = (0..500)
        .map(|number| {
            let mut act = fact(&format!("act_{number}"), "seen", json!([number]));
            act["operation"] = json!("append");
            act["value"] = json!(number);
            act.to_string()
        })
        .collect();
    let verdicts = house.lines("/v1/conversations/conv_1/acts", &lines.join("\n")).await;
    assert!(verdicts.iter().all(|verdict| verdict["status"] == 200), "{verdicts:?}");
    let expected: Vec<u64> = (0..500).collect();
    assert_eq!(house.entity("conv_1", "order_1").await["seen"], json!(expected));
    let head = house.head();
    let again = house.lines("/v1/conversations/conv_1/acts", &lines.join("\n")).await;
    assert!(again.iter().all(|verdict| verdict["replayed"] == true), "{again:?}");
    assert_eq!(house.head(), head);
}

#[tokio::test]
async fn a_position_can_be_waited_for() {
    let house = House::open().await;
    let answer = house.post("/v1/conversations/conv_1/acts", &ask("act_1", "size")).await;
    let position = answer.header("cardan-position");
    let read = house.get_with("/v1/conversations/conv_1", &[("cardan-at-least", &position)]).await;
    assert_eq!(read.status, 200);
    let beyond = house.get_with("/v1/conversations/conv_1", &[("cardan-at-least", "999999")]).await;
    assert_eq!((beyond.status, beyond.code()), (503, "position.not_visible"));
    assert_eq!(beyond.header("retry-after"), "1");
    let odd = house.get_with("/v1/conversations/conv_1", &[("cardan-at-least", "soon")]).await;
    assert_eq!((odd.status, odd.code()), (400, "header.invalid"));
}

#[tokio::test]
async fn a_conversation_is_made_listed_and_ended() {
    let house = House::open().await;
    let new =
        json!({"id": "conv_new", "participants": [{"id": "local", "type": "human"}], "channel": "chat"});
    let made = house.post("/v1/conversations", &new).await;
    assert_eq!(
        (made.status, made.header("location").as_str()),
        (201, "/v1/conversations/conv_new"),
        "{}",
        made.text
    );
    let twice = house.post("/v1/conversations", &new).await;
    assert_eq!((twice.status, twice.code()), (409, "conversation.exists"));
    let listed = house.get("/v1/conversations").await;
    assert_eq!(listed.json["conversations"][0]["id"], "conv_new", "{}", listed.text);
    assert_eq!(
        house.post("/v1/conversations/conv_new/end", &json!({"status": "completed"})).await.status,
        200
    );
    assert_eq!(house.get("/v1/conversations/conv_new").await.json["status"], "completed");
    let late = house.post("/v1/conversations/conv_new/acts", &ask("act_1", "size")).await;
    assert_eq!((late.status, late.code()), (409, "conversation.ended"));
}

#[tokio::test]
async fn an_uploader_may_wait_for_each_verdict_before_the_next_line() {
    let house = House::open().await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<String>(64);
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|piece| (Ok::<_, std::convert::Infallible>(piece), receiver))
    });
    let body = axum::body::Body::from_stream(pieces);
    let headers = [("content-type", "application/x-ndjson")];
    let post = crate::fixture::request(http::Method::POST, "/v1/conversations/conv_1/acts", &headers, body);
    let response = tower::ServiceExt::oneshot(house.router.clone(), post).await.unwrap();
    let mut verdicts = response.into_body();
    for number in 1..=3 {
        sender.send(format!("{}\n", fact(&format!("act_{number}"), "a", json!(number)))).await.unwrap();
        let frame = http_body_util::BodyExt::frame(&mut verdicts).await.unwrap().unwrap();
        let verdict: Value = serde_json::from_slice(frame.data_ref().unwrap()).unwrap();
        assert_eq!((&verdict["line"], &verdict["status"]), (&json!(number), &json!(200)), "{verdict}");
    }
    drop(sender);
    assert!(http_body_util::BodyExt::frame(&mut verdicts).await.is_none());
}
