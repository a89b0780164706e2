//! Bad input: the exact answer, and nothing half applied.

use http::{Method, Request};
use serde_json::json;

use crate::fixture::{Answer, House, fact};

const ACTS: &str = "/v1/conversations/conv_1/acts";

/// Sends raw bytes and shows that the store is as it was.
async fn refused(house: &House, content_type: Option<&str>, body: impl Into<Vec<u8>>) -> Answer {
    let head = house.head();
    let mut request = Request::builder().method(Method::POST).uri(ACTS).header("host", "localhost");
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    let answer = house.send(request.body(axum::body::Body::from(body.into())).unwrap()).await;
    assert_eq!(house.head(), head, "nothing was written");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json["type"], format!("urn:cardan:problem:{}", answer.code()));
    assert_eq!((&answer.json["status"], &answer.json["instance"]), (&json!(answer.status), &json!(ACTS)));
    answer
}

const JSON: Option<&str> = Some("application/json");

#[tokio::test]
async fn malformed_json_has_a_place() {
    let house = House::open().await;
    let answer = refused(&house, JSON, "{\"id\": \"act_1\",\n \"type\": fact}").await;
    assert_eq!((answer.status, answer.code()), (400, "body.json"));
    assert_eq!(
        (&answer.json["line"], &answer.json["column"], &answer.json["offset"]),
        (&json!(2), &json!(12), &json!(27))
    );
    assert_eq!(refused(&house, JSON, "").await.code(), "body.json");
    assert_eq!(refused(&house, JSON, "{} {}").await.code(), "body.json");
    let twice = refused(&house, JSON, r#"{"speaker":"a","speaker":"b"}"#).await;
    assert_eq!((twice.code(), &twice.json["errors"][0]["pointer"]), ("body.json", &json!("/speaker")));
}

#[tokio::test]
async fn bytes_that_are_not_utf8_have_a_place() {
    let house = House::open().await;
    let answer = refused(&house, JSON, b"{\"id\":\"\xc3\x28\"}".to_vec()).await;
    assert_eq!((answer.status, answer.code(), &answer.json["offset"]), (400, "body.utf8", &json!(7)));
}

#[tokio::test]
async fn wrong_types_and_unknown_members_are_told_all_at_once() {
    let house = House::open().await;
    let mut act = fact("act_1", "a", json!(1));
    act["speaker"] = json!(7);
    act["colour"] = json!("red");
    let answer = refused(&house, JSON, act.to_string()).await;
    assert_eq!((answer.status, answer.code()), (400, "act.invalid"));
    assert_eq!(
        (&answer.json["title"], &answer.json["error"]),
        (&json!("Invalid act structure"), &json!("Invalid act"))
    );
    let errors = answer.json["errors"].as_array().unwrap();
    let pointers: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert!(pointers.contains(&"/speaker") && pointers.contains(&"/colour"), "{pointers:?}");
    assert_eq!(answer.json["details"], answer.json["errors"]);
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let house = House::open().await;
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let answer = refused(&house, JSON, format!(r#"{{"id":"act_1","value":{deep}}}"#)).await;
    assert_eq!((answer.status, answer.code()), (400, "body.depth"));
}

#[tokio::test]
async fn huge_bodies_are_refused() {
    let house = House::open().await;
    let huge = fact("act_1", "a", json!("x".repeat(1 << 20))).to_string();
    let answer = refused(&house, JSON, huge).await;
    assert_eq!((answer.status, answer.code()), (413, "body.too_large"));
    let many: Vec<_> = (0..1001).map(|number| fact(&format!("act_{number}"), "a", json!(1))).collect();
    let answer = refused(&house, JSON, json!(many).to_string()).await;
    assert_eq!((answer.status, answer.code()), (413, "act.too_many"));
}

#[tokio::test]
async fn other_content_types_are_refused() {
    let house = House::open().await;
    let act = fact("act_1", "a", json!(1)).to_string();
    for other in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/json; charset=latin1"),
    ] {
        let answer = refused(&house, other, act.clone()).await;
        assert_eq!((answer.status, answer.code()), (415, "body.content_type"), "{other:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let house = House::open().await;
    for (path, code) in [
        ("/nowhere", "route.unknown"),
        ("/v1/conversations/conv_x", "conversation.unknown"),
        ("/v1/conversations/conv_x/entities/e", "conversation.unknown"),
        ("/v1/runs/run_x", "run.unknown"),
        ("/v1/dead/dead_x", "dead.unknown"),
        ("/v1/systems/none", "system.unknown"),
    ] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.code()), (404, code), "{path}");
        assert_eq!(answer.json["instance"], path);
    }
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let house = House::open().await;
    let request = Request::builder().method(Method::DELETE).uri("/v1/dead/x").header("host", "localhost");
    let answer = house.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.code()), (405, "route.method"));
    assert_eq!(answer.header("allow"), "GET, PATCH, HEAD");
}

#[tokio::test]
async fn queries_are_checked() {
    let house = House::open().await;
    for path in [
        "/v1/runs?status=lost",
        "/v1/runs?limit=many",
        "/v1/runs?colour=red",
        "/v1/dead?state=odd",
        "/v1/events?after=x",
    ] {
        let answer = house.get(path).await;
        assert_eq!((answer.status, answer.code()), (400, "query.invalid"), "{path}");
    }
}

#[tokio::test]
async fn a_flood_is_told_when_to_come_back() {
    let house = House::with(|limits| limits.rate = Some(gate::Rate { capacity: 2, per_second: 0.5 })).await;
    assert_eq!(house.get("/v1/runs").await.status, 200);
    assert_eq!(house.get("/v1/runs").await.status, 200);
    let answer = house.get("/v1/runs").await;
    assert_eq!(
        (answer.status, answer.code(), answer.header("retry-after").as_str()),
        (429, "rate.limited", "2")
    );
}

#[tokio::test]
async fn a_conversation_has_a_sound_name() {
    let house = House::open().await;
    let head = house.head();
    let answer = house.post("/v1/conversations/order-7/acts", &fact("act_1", "a", json!(1))).await;
    assert_eq!((answer.status, answer.code()), (404, "conversation.unknown"), "{}", answer.text);
    assert_eq!(house.head(), head);
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let house = House::open().await;
    let head = house.head();
    let request = |host: &str, origin: &str| {
        Request::builder()
            .method(Method::POST)
            .uri(ACTS)
            .header("host", host)
            .header("origin", origin)
            .header("content-type", "application/json")
            .body(axum::body::Body::from(fact("act_1", "a", json!(1)).to_string()))
            .unwrap()
    };
    for (host, origin) in [
        ("evil.example", "http://evil.example"),
        ("localhost", "https://evil.example"),
        ("localhost", "null"),
    ] {
        let answer = house.send(request(host, origin)).await;
        assert_eq!((answer.status, answer.code()), (403, "auth.origin"), "{host} {origin}");
        for page in ["/openapi.json", "/v1/nothing"] {
            let page = Request::builder().uri(page).header("host", host).header("origin", origin);
            let answer = house.send(page.body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.code()), (403, "auth.origin"), "{host} {origin}");
        }
    }
    assert_eq!(house.head(), head);
}
