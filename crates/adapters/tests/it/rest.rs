//! What is rest's own, over a real socket.

use std::time::Duration;

use port::{Kind, Landed, Status};
use serde_json::{Value, json};

use crate::remote::{Does, Remote};
use crate::rig::{self, SECRET, call, rest};

const JSON: &str = "content-type: application/json\r\n";

async fn answered(headers: &str, body: &str, operation: Value) -> Result<Value, port::Fault> {
    let remote = Remote::answering(200, headers, body).await;
    let link = rest(json!({ "url": remote.url(), "operations": { "op": operation } }));
    call(&*link, "op", json!({})).await.map(|reply| reply.output)
}

#[tokio::test]
async fn a_request_carries_its_context_and_its_key() {
    let remote = Remote::answering(201, JSON, r#"{"id":"r-1"}"#).await;
    let link = rest(json!({
        "url": remote.url(), "headers": { "X-Tenant": "acme" }, "deadline_header": "X-Time-Left",
        "operations": {
            "reserve": { "post": "/reservations", "repeat": "keyed" },
            "note": { "post": "/notes" },
        }
    }));
    let ctx = rig::ctx().within(Duration::from_secs(60));
    let reply = rig::call_in(&ctx, &*link, "reserve", json!({ "product": "pizza" })).await.unwrap();
    assert_eq!((reply.status, reply.output), (Some(Status::http(201)), json!({ "id": "r-1" })));
    rig::call_in(&ctx, &*link, "note", json!({})).await.unwrap();
    let [reserved, noted] = <[String; 2]>::try_from(remote.requests()).unwrap();
    assert!(reserved.starts_with("post /base/reservations http/1.1\r\n"), "{reserved}");
    assert!(reserved.ends_with("\n\n{\"product\":\"pizza\"}"), "{reserved}");
    let trace = format!("traceparent: {}", ctx.trace);
    for said in [
        "x-tenant: acme",
        "x-correlation-id: corr-1",
        "content-type: application/json",
        "user-agent: cardan/",
        &trace,
    ] {
        assert!(reserved.contains(said), "{said} in {reserved}");
    }
    let left = reserved.lines().find_map(|line| line.strip_prefix("x-time-left: ")).unwrap();
    assert!((1..=60_000).contains(&left.parse::<u64>().unwrap()), "{left}");
    assert!(reserved.contains("idempotency-key: run-1.step-2") && !noted.contains("idempotency-key"));
}

#[tokio::test]
async fn the_time_left_travels_in_grpcs_format_when_the_header_is_grpcs() {
    let remote = Remote::answering(204, "", "").await;
    let link = rest(json!({
        "url": remote.url(), "deadline_header": "grpc-timeout", "operations": { "look": { "get": "/look" } },
    }));
    rig::call_in(&rig::ctx().within(Duration::from_secs(60)), &*link, "look", json!({})).await.unwrap();
    let seen = &remote.requests()[0];
    let left = seen.lines().find_map(|line| line.strip_prefix("grpc-timeout: ")).unwrap();
    let micros: u64 = left.strip_suffix('u').unwrap().parse().unwrap();
    assert!((1..=60_000_000).contains(&micros), "{left}");
}

#[tokio::test]
async fn c18_credentials_go_where_they_are_configured() {
    let cases = [
        (json!({ "api_key": { "value": { "secret": "KEY" } } }), format!("x-api-key: {SECRET}")),
        (
            json!({ "api_key": { "name": "X-Token", "prefix": "v1 ", "value": { "secret": "KEY" } } }),
            format!("x-token: v1 {SECRET}"),
        ),
        (
            json!({ "api_key": { "in": "query", "name": "key", "value": { "secret": "KEY" } } }),
            format!("get /base/look?key={SECRET} http"),
        ),
        (json!({ "bearer": { "secret": "KEY" } }), format!("authorization: bearer {SECRET}")),
        (
            json!({ "basic": { "user": "u", "password": { "secret": "KEY" } } }),
            "authorization: basic dtpodw50".to_owned(),
        ),
    ];
    for (auth, said) in cases {
        let remote = Remote::answering(204, "", "").await;
        let link =
            rest(json!({ "url": remote.url(), "auth": auth, "operations": { "look": { "get": "/look" } } }));
        call(&*link, "look", json!({})).await.unwrap();
        let seen = &remote.requests()[0];
        assert!(seen.contains(&said), "{said} in {seen}");
    }
}

#[tokio::test]
async fn b27_missing_credentials_stop_the_build_and_not_the_call() {
    for name in ["NOWHERE", "EMPTY", "UNSENDABLE"] {
        let section = json!({ "url": "https://h.example", "auth": { "bearer": { "secret": name } } });
        let kind = rig::kind("rest");
        let Err(found) = rig::built(&kind, &diag::Node::from_json(&section)) else {
            panic!("built with {name}");
        };
        assert_eq!(found[0].code, "REST011", "{name}");
    }
}

#[tokio::test]
async fn a_key_in_the_query_is_not_in_the_fault() {
    let remote = Remote::that(Does::Drops).await;
    let auth = json!({ "api_key": { "in": "query", "name": "key", "value": { "secret": "KEY" } } });
    for url in [remote.url(), "http://127.0.0.1:1".to_owned()] {
        let link = rest(json!({ "url": url, "auth": auth, "operations": { "op": { "get": "/" } } }));
        let fault = call(&*link, "op", json!({})).await.unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains(SECRET), "{fault:?}");
    }
}

#[tokio::test]
async fn b27_no_content_is_null_and_a_page_is_a_fault() {
    assert_eq!(answered("", "", json!({ "get": "/" })).await.unwrap(), Value::Null);
    assert_eq!(
        answered("content-type: application/problem+json; charset=utf-8\r\n", "[1]", json!({ "get": "/" }))
            .await
            .unwrap(),
        json!([1])
    );
    assert_eq!(answered("", "{\"a\":1}", json!({ "get": "/" })).await.unwrap(), json!({ "a": 1 }));
    let page =
        answered("content-type: text/html\r\n", "<html>secret page</html>", json!({ "get": "/" })).await;
    let fault = page.unwrap_err();
    assert_eq!((fault.kind, fault.landed, fault.status), (Kind::Protocol, Landed::Yes, Some(200)));
    assert!(!format!("{fault:?}").contains("secret page"));
    let text = answered("content-type: text/plain\r\n", "ten", json!({ "get": "/", "output": "text" })).await;
    assert_eq!(text.unwrap(), json!("ten"));
}

#[tokio::test]
async fn bytes_come_as_a_document_and_go_on_as_they_were() {
    let pdf = "%PDF-1.7 not {json}";
    let from = Remote::answering(200, "content-type: Application/PDF; v=1\r\n", pdf).await;
    let link =
        rest(json!({ "url": from.url(), "operations": { "label": { "get": "/label", "output": "bytes" } } }));
    let label = call(&*link, "label", json!({})).await.unwrap().output;
    assert_eq!((&label["media_type"], &label["size"]), (&json!("application/pdf"), &json!(pdf.len())));
    assert!(from.requests()[0].contains("\naccept: */*"));
    let to = Remote::answering(201, "", "").await;
    let link = rest(json!({ "url": to.url(), "operations": {
        "file": { "put": "/files/{id}", "body": { "bytes": "{file}" } },
        "image": { "post": "/images", "body": { "bytes": "{file}" }, "headers": { "Content-Type": "image/webp" } },
    } }));
    call(&*link, "file", json!({ "id": "7", "file": label })).await.unwrap();
    call(&*link, "image", json!({ "file": { "base64": "AAEC" } })).await.unwrap();
    let [file, image] = <[String; 2]>::try_from(to.requests()).unwrap();
    assert!(
        file.contains("\ncontent-type: application/pdf") && file.ends_with(&format!("\n\n{pdf}")),
        "{file}"
    );
    assert!(image.contains("\ncontent-type: image/webp") && image.ends_with("\n\n\0\u{1}\u{2}"), "{image:?}");
    for (input, says) in [
        (json!({ "id": "7", "file": "AAEC" }), "must be a document with `base64`"),
        (json!({ "id": "7" }), "the input lacks a member"),
        (json!({ "id": "7", "file": label, "more": 1 }), "does not fit"),
    ] {
        let fault = call(&*link, "file", input).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (Kind::Invalid, Landed::No), "{says}: {fault}");
    }
    assert_eq!(to.requests().len(), 2);
}

#[tokio::test]
async fn bytes_are_bounded_and_never_hold_our_credentials() {
    let answered = |body: String, status: u16| async move {
        let remote = Remote::answering(status, "", &body).await;
        let link =
            rest(json!({ "url": remote.url(), "auth": { "bearer": { "secret": "KEY" } }, "max_response": 64,
            "operations": { "file": { "get": "/", "output": "bytes", "ok": [404] } } }));
        call(&*link, "file", json!({})).await
    };
    let fault = answered(format!("x{SECRET}x"), 200).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Protocol, Landed::Yes));
    assert!(fault.message.contains("credentials") && !format!("{fault:?}").contains(SECRET));
    assert_eq!(answered("x".repeat(65), 200).await.unwrap_err().kind, Kind::Protocol);
    assert_eq!(answered("x".repeat(64), 200).await.unwrap().output["size"], 64);
    assert_eq!(answered(String::new(), 200).await.unwrap().output, Value::Null);
    assert_eq!(
        answered("{}".to_owned(), 404).await.unwrap().output,
        Value::Null,
        "it describes something else"
    );
}

#[tokio::test]
async fn lines_and_events_come_as_a_list() {
    let lines = |body: &'static str| {
        answered("content-type: application/x-ndjson\r\n", body, json!({ "get": "/", "output": "lines" }))
    };
    assert_eq!(lines("{\"n\":1}\n{\"n\":2}\n").await.unwrap(), json!([{ "n": 1 }, { "n": 2 }]));
    let fault = lines("1\n{\n").await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Protocol, Landed::Yes));
    assert_eq!(fault.context.last().unwrap(), &("line", "2".to_owned()));
    let stream = "event: token\ndata: {\"t\":1}\n\ndata: [DONE]\n\n";
    let events =
        answered("content-type: text/event-stream\r\n", stream, json!({ "post": "/", "output": "events" }))
            .await;
    let told = json!([{ "event": "token", "data": { "t": 1 } }, { "event": "message", "data": "[DONE]" }]);
    assert_eq!(events.unwrap(), told);
}

#[tokio::test]
async fn bad_json_has_landed() {
    for body in ["{", "nope", "{\"a\":1} trailing", "[[[[", &"[".repeat(10_000)] {
        let fault = answered(JSON, body, json!({ "get": "/" })).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (Kind::Protocol, Landed::Yes));
    }
}

#[tokio::test]
async fn an_answer_that_would_become_another_has_landed_and_is_none() {
    for (body, says) in [
        (r#"{"id":"p1","status":"declined","status":"captured"}"#, "twice"),
        (r#"{"sum":12345678901234567890123456789}"#, "number"),
        (r#"[1,{"n":1e999}]"#, "number"),
        (r#"{"name":"\ud800"}"#, "JSON"),
        (r#"{"$serde_json::private::Number":"1"}"#, "member"),
    ] {
        for status in [200, 404] {
            let remote = Remote::answering(status, JSON, body).await;
            let link =
                rest(json!({ "url": remote.url(), "operations": { "op": { "post": "/", "ok": [404] } } }));
            let answered = call(&*link, "op", json!({})).await;
            if status == 404 && says == "JSON" {
                assert_eq!(answered.unwrap().output, Value::Null);
                continue;
            }
            let fault = answered.unwrap_err();
            assert_eq!((fault.kind, fault.landed), (Kind::Protocol, Landed::Yes), "{body}");
            assert!(fault.message.contains(says), "{body}: {fault}");
        }
    }
}

#[tokio::test]
async fn digits_come_back_and_go_out_as_they_are() {
    let body = r#"{"sum":31415926535897932.38,"id":27670116110564327421}"#;
    let remote = Remote::answering(200, JSON, body).await;
    let link = rest(json!({ "url": remote.url(), "operations": {
        "op": { "post": "/x/{id}", "query": { "sum": "{sum}" }, "body": "all" } } }));
    let output = call(&*link, "op", json!({ "id": 1, "sum": 2 })).await.unwrap().output;
    call(&*link, "op", output.clone()).await.unwrap();
    assert_eq!(output, serde_json::from_str::<Value>(body).unwrap());
    let sent = &remote.requests()[1];
    assert!(sent.starts_with("post /base/x/27670116110564327421?sum=31415926535897932.38 http"), "{sent}");
    assert!(sent.ends_with(r#"{"id":27670116110564327421,"sum":31415926535897932.38}"#), "{sent}");
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over_and_no_coding_is_welcome() {
    let remote = Remote::answering(201, JSON, "\u{feff}{\"id\":\"x\"}").await;
    let link = rest(json!({ "url": remote.url(), "operations": { "op": { "post": "/" } } }));
    assert_eq!(call(&*link, "op", json!({})).await.unwrap().output, json!({ "id": "x" }));
    assert!(remote.requests()[0].contains("\naccept-encoding: identity"));
    let coded = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let fault = answered(coded, "{}", json!({ "post": "/" })).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Protocol, Landed::Yes));
    assert!(fault.message.contains("coding"), "{fault}");
    let plain = "content-type: application/json\r\ncontent-encoding: identity\r\n";
    assert!(answered(plain, "{}", json!({ "post": "/" })).await.is_ok());
}

#[tokio::test]
async fn credentials_come_back_in_no_form_and_from_no_place() {
    let basic = json!({ "basic": { "user": "u", "password": { "secret": "KEY" } } });
    let bearer = json!({ "bearer": { "secret": "KEY" } });
    let pair = "dTpodW50ZXIyLWh1bnRlcjI=";
    for (auth, sent) in [(basic, pair), (bearer, SECRET)] {
        let edge = format!(r#"{{"title":"{}","detail":"you sent {sent}"}}"#, "x".repeat(180));
        let good = format!(r#"{{"seen":["Authorization: {sent}"],"{sent}":1}}"#);
        for (status, body) in [(402, edge), (200, good)] {
            let remote = Remote::answering(status, JSON, &body).await;
            let section =
                json!({ "url": remote.url(), "auth": auth, "operations": { "op": { "post": "/" } } });
            let told = format!("{:?}", call(&*rest(section), "op", json!({})).await);
            assert!(!told.contains(&sent[..8]), "{told}");
            assert!(told.contains("[secr"), "{told}");
        }
    }
}

#[tokio::test]
async fn an_answer_may_be_exactly_as_large_as_allowed() {
    for (length, fits) in [(1024, true), (1025, false)] {
        let body = format!("\"{}\"", "x".repeat(length - 2));
        let remote = Remote::answering(200, JSON, &body).await;
        let link = rest(
            json!({ "url": remote.url(), "max_response": 1024, "operations": { "op": { "get": "/" } } }),
        );
        assert_eq!(call(&*link, "op", json!({})).await.is_ok(), fits, "{length}");
    }
}

#[tokio::test]
async fn a_body_cut_short_has_landed() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{\"id\":";
    let remote = Remote::that(Does::Says(cut.to_owned())).await;
    let link = rest(json!({ "url": remote.url(), "operations": { "op": { "post": "/" } } }));
    let fault = call(&*link, "op", json!({})).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Unavailable, Landed::Yes), "{fault}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Remote::answering(200, JSON, "{}").await;
    for (status, landed) in
        [(301, Landed::Unknown), (303, Landed::Unknown), (307, Landed::No), (308, Landed::No)]
    {
        let location = format!("location: {}/x\r\n", elsewhere.url());
        let remote = Remote::answering(status, &location, "").await;
        let link = rest(json!({ "url": remote.url(), "operations": { "op": { "post": "/" } } }));
        let fault = call(&*link, "op", json!({})).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed, fault.status), (Kind::Protocol, landed, Some(status)));
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_failure_says_its_status_its_wait_and_a_few_words() {
    let body = r#"{"title":"card declined","card":"4111111111111111"}"#;
    let remote = Remote::answering(429, "retry-after: 7\r\n", body).await;
    let link = rest(json!({ "url": remote.url(), "operations": { "op": { "post": "/" } } }));
    let fault = call(&*link, "op", json!({})).await.unwrap_err();
    assert_eq!((fault.kind, fault.landed, fault.status), (Kind::Throttled, Landed::No, Some(429)));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(7)));
    assert_eq!(fault.context, [("answer", "card declined".to_owned())]);
}

#[tokio::test]
async fn the_headers_that_an_operation_names_come_with_the_answer() {
    let long = "x".repeat(2000);
    let headers = format!("etag: \"v7\"\r\nx-echo: {SECRET}\r\nx-long: {long}\r\nset-cookie: s=1\r\n");
    let remote = Remote::answering(201, &headers, "").await;
    let link = rest(json!({ "url": remote.url(), "auth": { "bearer": { "secret": "KEY" } }, "operations": {
        "op": { "post": "/", "response_headers": ["ETag", "X-Echo", "X-Long", "X-Absent"] }, "plain": { "post": "/" } } }));
    let reply = call(&*link, "op", json!({})).await.unwrap();
    let kept: Vec<_> = reply.metadata.iter().collect();
    assert_eq!(kept, [("etag", "\"v7\""), ("x-echo", "[secret]")]);
    assert!(call(&*link, "plain", json!({})).await.unwrap().metadata.is_empty());
}

#[tokio::test]
async fn a_declared_status_is_a_success() {
    let remote = Remote::answering(404, "content-type: text/html\r\n", "<html>").await;
    let link =
        rest(json!({ "url": remote.url(), "operations": { "gone": { "delete": "/x", "ok": [404] } } }));
    let reply = call(&*link, "gone", json!({})).await.unwrap();
    assert_eq!((reply.status, reply.output), (Some(Status::http(404)), Value::Null));
}

#[tokio::test]
async fn a_probe_is_well_on_any_2xx_and_says_why_not() {
    let probe = json!({ "path": "/up", "every": "10s" });
    let auth = json!({ "bearer": { "secret": "KEY" } });
    let at = |url: String| rest(json!({ "url": url, "auth": auth, "probe": probe }));
    let remote = Remote::answering(204, "", "").await;
    let link = at(remote.url());
    assert_eq!(link.spec().probe_every, Some(Duration::from_secs(10)));
    assert!(link.spec().operations.is_empty(), "a probe is no operation");
    link.probe(&rig::ctx()).await.unwrap();
    let asked = &remote.requests()[0];
    assert!(asked.starts_with("get /base/up http") && asked.contains(SECRET), "{asked}");
    let ill = Remote::answering(503, "", &format!(r#"{{"title":"draining {SECRET}"}}"#)).await;
    let fault = at(ill.url()).probe(&rig::ctx()).await.unwrap_err();
    assert_eq!((fault.kind, fault.status), (Kind::Unavailable, Some(503)));
    assert_eq!(fault.context, [("answer", "draining [secret]".to_owned())]);
    let silent = rest(json!({ "url": remote.url() }));
    assert_eq!(
        (silent.spec().probe_every, silent.probe(&rig::ctx()).await.unwrap_err().kind),
        (None, Kind::Invalid)
    );
}

#[tokio::test]
async fn health_takes_any_good_answer() {
    for (headers, body, output) in [("", "", Value::Null), ("", "OK", json!("OK")), (JSON, "{}", json!({}))] {
        let remote = Remote::answering(200, headers, body).await;
        let link = rest(json!({ "url": remote.url(), "health": "/health" }));
        assert_eq!(call(&*link, "health", Value::Null).await.unwrap().output, output);
        assert!(remote.requests()[0].starts_with("get /base/health http"));
    }
}
