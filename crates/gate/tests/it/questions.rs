//! Questions over HTTP: found, answered once, withdrawn; and seen by nobody else.

use gate::{Auth, Limits};
use serde_json::{Value, json};
use store::Store;

use crate::fixture::{Answer, House, fact};
use crate::tokens::{ALL, house_with, token};

const ACTS: &str = "/v1/conversations/conv_1/acts";

fn approves() -> Value {
    json!({
        "result": "${ steps.sure }",
        "do": [{ "sure": { "confirm": { "summary": "Sure?", "shows": { "amount": 900 } } } }],
    })
}

fn asks() -> Value {
    json!({
        "result": "${ steps.size }",
        "do": [{ "size": { "ask": { "field": "size", "prompt": "Which size?" } } }],
    })
}

async fn begun(house: &House, speaker: &str, commit: &str) -> String {
    let act = json!({
        "id": commit, "timestamp": "2026-01-01T00:00:00Z", "speaker": speaker, "type": "commit",
        "entity": "order_1", "action": "create", "system": "order_management",
    });
    let answer = house.post(ACTS, &act).await;
    answer.json["integrations"][0]["run"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

/// The one open question, once it was asked.
async fn asked(house: &House, filter: &str) -> Value {
    for _ in 0..3000 {
        let page = house.get(&format!("/v1/questions?{filter}")).await;
        match page.json["questions"].as_array().map(Vec::as_slice) {
            Some([one]) => return one.clone(),
            Some([]) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            _ => panic!("{}", page.text),
        }
    }
    panic!("nothing was asked");
}

async fn until(house: &House, run: &str, status: &str) -> Value {
    for _ in 0..3000 {
        let view = house.get(&format!("/v1/runs/{run}")).await.json;
        if view["status"] == status {
            return view;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("never {status}: {}", house.get(&format!("/v1/runs/{run}")).await.text);
}

fn at(question: &Value, tail: &str) -> String {
    format!("/v1/questions/{}{tail}", question["id"].as_str().unwrap())
}

fn is(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text);
}

#[tokio::test]
async fn a_confirmation_is_found_and_answered_once() {
    let house = House::running(&approves()).await;
    let run = begun(&house, "local", "act_1").await;
    let question = asked(&house, "").await;
    assert_eq!((&question["type"], &question["text"]), (&json!("confirm"), &json!("Sure?")));
    assert_eq!((&question["run"], &question["conversation"]), (&json!(run), &json!("conv_1")));
    assert_eq!(question["shows"], json!({ "amount": 900 }));
    assert_eq!(house.get(&at(&question, "")).await.json, question);
    for (filter, hits) in [
        (format!("run={run}&entity=order_1&conversation=conv_1"), 1),
        ("run=other".to_owned(), 0),
        ("entity=other".to_owned(), 0),
        ("conversation=conv_2".to_owned(), 0),
    ] {
        let page = house.get(&format!("/v1/questions?{filter}")).await;
        assert_eq!(page.json["questions"].as_array().map(Vec::len), Some(hits), "{filter}: {}", page.text);
    }
    let path = at(&question, "/answer");
    is(&house.post(&path, &json!({ "value": 1 })).await, 400, "body.invalid");
    is(
        &house.post(&path, &json!({ "confirmed": true, "reason": "x".repeat(501) })).await,
        400,
        "body.invalid",
    );
    let key = [("idempotency-key", "k1")];
    let no = json!({ "confirmed": false, "reason": "too dear" });
    let answered = house.post_with(&path, &key, &no).await;
    assert_eq!((answered.status, &answered.json["status"]), (200, &json!("answered")), "{}", answered.text);
    assert_eq!(answered.json["act"]["metadata"]["cardan"]["question"], question["id"]);
    assert_eq!(answered.json["act"]["rejection_reason"], "too dear");
    let again = house.post_with(&path, &key, &no).await;
    assert_eq!((again.status, &again.json), (200, &answered.json), "{}", again.text);
    is(&house.post(&path, &json!({ "confirmed": true })).await, 409, "question.closed");
    is(&house.post(&at(&question, "/withdraw"), &json!({ "reason": "late" })).await, 409, "question.closed");
    let view = until(&house, &run, "failed").await;
    assert!(view.to_string().contains("too dear"), "{view}");
    let closed = house.get(&at(&question, "")).await;
    assert_eq!((closed.status, &closed.json["status"]), (200, &json!("answered")), "{}", closed.text);
    assert_eq!(house.get("/v1/questions").await.json["questions"], json!([]));
    is(&house.get("/v1/questions/q_none").await, 404, "question.unknown");
    is(
        &house.post("/v1/questions/q_none/answer", &json!({ "confirmed": true })).await,
        404,
        "question.unknown",
    );
}

#[tokio::test]
async fn an_ask_is_answered_by_a_value_that_is_a_fact() {
    let house = House::running(&asks()).await;
    let run = begun(&house, "local", "act_1").await;
    let question = asked(&house, "").await;
    assert_eq!((&question["type"], &question["field"]), (&json!("fact"), &json!("size")));
    is(&house.post(&at(&question, "/answer"), &json!({ "confirmed": true })).await, 400, "body.invalid");
    let mut body = json!({ "value": "L", "reason": "as always" });
    if question["entity"].is_null() {
        is(&house.post(&at(&question, "/answer"), &body).await, 400, "body.invalid");
        body["entity"] = json!("order_1");
    }
    let answered = house.post(&at(&question, "/answer"), &body).await;
    assert_eq!((answered.status, &answered.json["status"]), (200, &json!("answered")), "{}", answered.text);
    assert_eq!(until(&house, &run, "succeeded").await["result"], "L");
    assert_eq!(house.entity("conv_1", "order_1").await["size"], "L");
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_no_answer_and_says_why() {
    let house = House::running(&asks()).await;
    begun(&house, "local", "act_1").await;
    let question = asked(&house, "").await;
    let demands = json!({
        "id": "act_d", "timestamp": "2026-01-01T00:00:02Z", "speaker": "local", "type": "ask",
        "field": "size", "prompt": "Which size?", "constraints": [{ "type": "max_length", "value": 1 }],
    });
    assert_eq!(house.post(ACTS, &demands).await.status, 200);
    let answer = house.post(&at(&question, "/answer"), &json!({ "value": "XXL", "entity": "order_1" })).await;
    assert_eq!((answer.status, &answer.json["status"]), (200, &json!("open")), "{}", answer.text);
    assert_eq!(answer.json["result"]["status"], "invalid", "{}", answer.text);
    assert_eq!(answer.json["warnings"][0]["code"], "question.invalid", "{}", answer.text);
    let answer = house.post(&at(&question, "/answer"), &json!({ "value": "L", "entity": "order_1" })).await;
    assert_eq!(answer.json["status"], "answered", "{}", answer.text);
}

#[tokio::test]
async fn a_question_is_withdrawn_with_a_reason_and_its_run_hears_why() {
    let house = House::running(&approves()).await;
    let run = begun(&house, "local", "act_1").await;
    let question = asked(&house, "").await;
    let path = at(&question, "/withdraw");
    is(&house.post(&path, &json!({ "reason": " " })).await, 400, "body.invalid");
    let withdrawn = house.post(&path, &json!({ "reason": "asked in error" })).await;
    assert_eq!(
        (withdrawn.status, &withdrawn.json["status"]),
        (200, &json!("withdrawn")),
        "{}",
        withdrawn.text
    );
    let view = until(&house, &run, "failed").await;
    assert_eq!(view["error"]["code"], "flow.question_withdrawn", "{view}");
    assert!(view["error"]["message"].as_str().unwrap().contains("asked in error"), "{view}");
    is(&house.post(&at(&question, "/answer"), &json!({ "confirmed": true })).await, 409, "question.closed");
}

#[tokio::test]
async fn a_change_of_what_is_shown_closes_the_question_and_the_next_is_listed() {
    let house = House::running(&approves()).await;
    begun(&house, "local", "act_1").await;
    let first = asked(&house, "").await;
    let mut change = fact("act_2", "a", json!(2));
    change["entity"] = json!("order_1");
    assert_eq!(house.post(ACTS, &change).await.status, 200);
    is(&house.post(&at(&first, "/answer"), &json!({ "confirmed": true })).await, 409, "question.closed");
    assert_eq!(house.get(&at(&first, "")).await.json["status"], "changed");
    let second = asked(&house, "").await;
    assert_ne!(second["id"], first["id"]);
    assert_eq!(house.post(&at(&second, "/answer"), &json!({ "confirmed": true })).await.status, 200);
}

#[tokio::test]
async fn nobody_sees_or_answers_what_is_asked_in_conversations_of_others() {
    let house = house_with(&approves()).await;
    let ada = house.bearing(&token("ada", "acme", ALL, 60));
    begun(&ada, "ada", "act_1").await;
    let question = asked(&ada, "").await;
    let operator = house.bearing(&token("op", "acme", &["flow.read", "conversation.write"], 60));
    assert_eq!(asked(&operator, "").await, question, "operators see all of their organisation");
    is(
        &operator.post(&at(&question, "/answer"), &json!({ "confirmed": true })).await,
        403,
        "question.denied",
    );
    is(&operator.post(&at(&question, "/withdraw"), &json!({ "reason": "r" })).await, 403, "auth.permission");
    let everything = &["conversation.read", "conversation.write", "flow.read", "runs.decide"];
    for (who, of, may) in [("bob", "acme", ALL), ("ada", "globex", everything)] {
        let other = house.bearing(&token(who, of, may, 60));
        assert_eq!(other.get("/v1/questions").await.json["questions"], json!([]), "{who} of {of}");
        is(&other.get(&at(&question, "")).await, 404, "question.unknown");
        is(
            &other.post(&at(&question, "/answer"), &json!({ "confirmed": true })).await,
            404,
            "question.unknown",
        );
    }
    let elsewhere = house.bearing(&token("op", "globex", everything, 60));
    is(
        &elsewhere.post(&at(&question, "/withdraw"), &json!({ "reason": "r" })).await,
        404,
        "question.unknown",
    );
    let forged = json!({ "confirmed": true, "speaker": "bob" });
    is(&ada.post(&at(&question, "/answer"), &forged).await, 403, "act.speaker_mismatch");
    let nobody = house.bearing(&token("eve", "acme", &["dead.read"], 60));
    is(&nobody.get("/v1/questions").await, 403, "auth.permission");
    assert_eq!(ada.post(&at(&question, "/answer"), &json!({ "confirmed": true })).await.status, 200);
}

#[tokio::test]
async fn of_two_answers_at_once_one_counts() {
    let house = House::over(Store::temporary().unwrap(), Auth::Loopback, Limits::default()).await;
    is(&house.get("/v1/questions/q_1").await, 404, "question.unknown");
    let house = House::running(&approves()).await;
    let run = begun(&house, "local", "act_1").await;
    let path = at(&asked(&house, "").await, "/answer");
    let yes = json!({ "confirmed": true });
    let (one, two) = tokio::join!(house.post(&path, &yes), house.post(&path, &yes));
    let mut both = [one.status, two.status];
    both.sort_unstable();
    assert_eq!(both, [200, 409], "{} {}", one.text, two.text);
    until(&house, &run, "succeeded").await;
    let events = house.events("conversation-conv_1").await;
    let said = events.iter().filter(|(_, data)| data.to_string().contains("\"confirmed\":true")).count();
    assert_eq!(said, 1, "the other was not even said");
}
