//! What the gate shows beside conversations: its own description, operators' pages, systems; and its ids.

use std::time::Duration;

use gate::{Auth, Limits, Page, Shown};
use http::Method;
use serde_json::json;
use store::Store;

use crate::fixture::{House, deps, request};

#[tokio::test]
async fn the_description_is_served_and_names_the_guides_paths() {
    let house = House::open().await;
    let document = house.get("/openapi.json").await;
    assert_eq!((document.status, document.json["openapi"].as_str()), (200, Some("3.1.0")));
    for path in ["/conversation/{id}/acts", "/conversation/{id}", "/v1/events", "/v1/dead/{id}/replay"] {
        assert!(document.json["paths"].get(path).is_some(), "{path}");
    }
}

#[tokio::test]
async fn operators_pages_need_no_token_and_only_answer_reads() {
    let mut deps = deps(Store::temporary().unwrap(), Auth::Loopback, Limits::default()).await;
    let shown =
        || Shown { status: 503, content_type: "text/plain; version=0.0.4", body: "acts 1\n".to_owned() };
    let show = Box::new(move |_: &http::HeaderMap| -> futures_util::future::BoxFuture<'static, Shown> {
        Box::pin(async move { shown() })
    });
    deps.pages = vec![Page { path: "/metrics", summary: "Metrics.", show }];
    let house = House { router: gate::router(deps), ..House::open().await };
    let page = house.get("/metrics").await;
    assert_eq!((page.status, page.text.as_str()), (503, "acts 1\n"));
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4");
    let refused = house.send(request(Method::DELETE, "/metrics", &[], axum::body::Body::empty())).await;
    assert_eq!(
        (refused.status, refused.code(), refused.header("allow").as_str()),
        (405, "route.method", "GET, HEAD")
    );
    assert!(house.get("/openapi.json").await.json["paths"].get("/metrics").is_some());
}

#[tokio::test]
async fn b31_ids_are_the_callers_the_traces_or_128_random_bits() {
    let house = House::open().await;
    let given = house.get_with("/v1/runs", &[("x-correlation-id", "order-7")]).await;
    assert_eq!(given.header("x-correlation-id"), "order-7");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = house.get_with("/v1/runs", &[("traceparent", trace)]).await;
    assert_eq!(traced.header("x-correlation-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(traced.header("traceresponse").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    let both = house.get_with("/v1/runs", &[("x-correlation-id", "order-7"), ("traceparent", trace)]).await;
    assert_eq!(both.header("x-correlation-id"), "order-7");
    assert!(both.header("traceresponse").starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    let odd =
        house.get_with("/v1/runs", &[("x-correlation-id", "two words")]).await.header("x-correlation-id");
    let new = house.get("/v1/runs").await.header("x-correlation-id");
    assert!(odd.len() == 32 && new.len() == 32 && odd != new, "{odd} {new}");
}

#[tokio::test]
async fn head_is_answered_where_get_is() {
    let house = House::open().await;
    let answer = house.send(request(Method::HEAD, "/v1/runs", &[], axum::body::Body::empty())).await;
    assert_eq!(answer.status, 200);
}

/// A message that nobody delivers: of a kind that no relay knows.
fn message(id: &str, tenant: &str, second: i64) -> store::OutboxRow {
    let at = jiff::Timestamp::from_second(second).unwrap();
    store::OutboxRow {
        id: id.into(),
        kind: "test".into(),
        target: "email.send".into(),
        payload: b"{}".to_vec(),
        tenant: tenant.into(),
        correlation: "cor".into(),
        created: at,
        due: at + Duration::from_secs(60),
        attempts: 2,
        sent: 5,
        cause: Some("circuit is open".into()),
        blocked: Some("breaker_open".into()),
        ..store::OutboxRow::default()
    }
}

#[tokio::test]
async fn messages_that_wait_are_listed_page_by_page_to_their_organisation() {
    let house = House::open().await;
    let rows = [("run_1/mail", "default", 20), ("run_2/mail", "default", 10), ("run_3/mail", "other", 1)];
    let outbox = rows.map(|(id, tenant, at)| store::OutboxOp::Put(message(id, tenant, at))).into();
    house.store.commit(store::Batch { outbox, ..store::Batch::default() }).await.unwrap();
    let page = house.get("/v1/outbox?limit=1").await;
    let expected = json!([{
        "id": "run_2/mail", "system": "email", "operation": "send", "since": "1970-01-01T00:00:10Z", "attempts": 2,
        "sent": 5, "cause": "circuit is open", "correlation": "cor", "key": "run_2/mail",
        "blocked_on": {
            "reason": "breaker_open", "system": "email", "since": "1970-01-01T00:00:10Z",
            "until": "1970-01-01T00:01:10Z",
        },
    }]);
    assert_eq!((page.status, &page.json["outbox"]), (200, &expected), "{}", page.text);
    let next = page.json["next"].as_str().unwrap();
    let rest = house.get(&format!("/v1/outbox?after={next}")).await;
    assert_eq!((&rest.json["outbox"][0]["id"], &rest.json["next"]), (&json!("run_1/mail"), &json!(null)));
    assert_eq!(rest.json["outbox"].as_array().map(Vec::len), Some(1), "{}", rest.text);
    let other = house.get("/v1/outbox?system=crm").await;
    assert_eq!(other.json["outbox"], json!([]));
    assert_eq!(house.get("/v1/outbox?after=yesterday").await.code(), "query.invalid");
}
