//! What needs no wire: sections judged, requests built, statuses understood.

use std::time::Duration;

use bytes::Bytes;
use diag::{Node, Severity};
use http::{HeaderMap, HeaderValue, header};
use jiff::Timestamp;
use port::{Call, IdempotencyKey, Kind, Landed};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::config::{self, Config};
use super::{KIND, request};
use crate::http::{Request, fault};

fn section(json: &Value) -> Node {
    Node::from_json(json)
}

fn config(json: Value) -> Config {
    let (config, found) = config::read("stock", &section(&json));
    config.unwrap_or_else(|| panic!("{found:?}"))
}

fn codes(json: Value) -> Vec<&'static str> {
    (KIND.check)("stock", &section(&json)).iter().map(|finding| finding.code).collect()
}

/// A system at `https://stock.example:8443/base/` with one operation.
fn with(operation: Value) -> Config {
    config(json!({ "url": "https://stock.example:8443/base/", "operations": { "op": operation } }))
}

fn build(operation: Value, input: Value) -> Result<Request, port::Fault> {
    let config = with(operation);
    let call = Call { operation: "op".into(), input: input.into(), key: IdempotencyKey::new("k-1") };
    request::build(&config.http.base, &config.operations["op"], &call)
}

fn url(operation: Value, input: Value) -> String {
    build(operation, input).unwrap().url.to_string()
}

#[test]
fn b27_base_path_is_kept() {
    let there = "https://stock.example:8443/base/orders/7";
    assert_eq!(url(json!({ "get": "/orders/{id}" }), json!({ "id": 7 })), there);
    let config = config(json!({ "url": "http://h", "operations": { "op": { "get": "/" } } }));
    let call = Call { operation: "op".into(), input: Value::Null.into(), key: None };
    assert_eq!(
        request::build(&config.http.base, &config.operations["op"], &call).unwrap().url.as_str(),
        "http://h/"
    );
}

#[test]
fn b27_operation_cannot_leave_its_host() {
    for path in [
        "http://evil.example/x",
        "//evil.example/x",
        "orders",
        "/../x",
        "/a/./b",
        "/a?b",
        "/a#b",
        "/\\evil",
        "/%2e%2e/x",
        "/a b",
    ] {
        let found =
            codes(json!({ "url": "https://stock.example/base", "operations": { "op": { "get": path } } }));
        assert_eq!(found, ["REST003"], "{path}");
    }
    for id in ["..", ".", "", "\u{0}"] {
        let built = build(json!({ "get": "/orders/{id}/lines" }), json!({ "id": id }));
        match built {
            Err(fault) => assert_eq!((fault.kind, fault.landed), (Kind::Invalid, Landed::No)),
            Ok(request) => assert_eq!(request.url.path(), "/base/orders/%00/lines"),
        }
    }
    assert!(build(json!({ "get": "/orders/{a}{b}" }), json!({ "a": ".", "b": "." })).is_err());
    let escaped = url(json!({ "get": "/orders/{id}" }), json!({ "id": "../../x?y#z@evil.example/%2e" }));
    assert_eq!(escaped, "https://stock.example:8443/base/orders/..%2F..%2Fx%3Fy%23z%40evil.example%2F%252e");
}

proptest! {
    #[test]
    fn b27_no_input_leaves_the_base(id in any::<String>(), page in any::<String>()) {
        let operation = json!({ "get": "/orders/{id}/lines", "query": { "page": "{page}" } });
        if let Ok(Request { url, .. }) = build(operation, json!({ "id": id, "page": page })) {
            prop_assert_eq!(url.host_str(), Some("stock.example"));
            prop_assert_eq!(url.port(), Some(8443));
            prop_assert_eq!(url.path().split('/').count(), 5);
            prop_assert!(url.path().starts_with("/base/orders/") && url.path().ends_with("/lines"));
            prop_assert_eq!(url.query_pairs().count(), 1);
            prop_assert!(url.fragment().is_none());
        }
    }
}

#[test]
fn the_body_is_what_the_path_left() {
    let sent = |operation, input| {
        build(operation, input)
            .unwrap()
            .body
            .map(|body: Bytes| serde_json::from_slice::<Value>(&body).unwrap())
    };
    let input = json!({ "id": "7", "status": "paid" });
    assert_eq!(sent(json!({ "patch": "/orders/{id}" }), input.clone()), Some(json!({ "status": "paid" })));
    assert_eq!(sent(json!({ "put": "/orders/{id}", "body": "all" }), input.clone()), Some(input));
    let nested = json!({ "id": "7", "order": [1, 2] });
    assert_eq!(sent(json!({ "put": "/orders/{id}", "body": "{order}" }), nested), Some(json!([1, 2])));
    assert_eq!(sent(json!({ "post": "/orders/{id}/cancel", "body": "none" }), json!({ "id": "7" })), None);
    assert_eq!(sent(json!({ "delete": "/orders/{id}" }), json!({ "id": "7" })), None);
    assert_eq!(sent(json!({ "post": "/orders" }), Value::Null), Some(json!({})));
}

#[test]
fn what_cannot_be_a_request_is_invalid_and_names_the_member() {
    let cases = [
        (json!({ "get": "/o/{id}" }), json!({}), "id"),
        (json!({ "get": "/o/{id}" }), json!({ "id": null }), "id"),
        (json!({ "get": "/o/{id}" }), json!({ "id": "" }), "id"),
        (json!({ "get": "/o/{id}" }), json!({ "id": [1] }), "id"),
        (json!({ "get": "/o/{id}" }), json!({ "id": "x".repeat(3000) }), "id"),
        (json!({ "get": "/o/{id}" }), json!({ "id": 1, "colour": "red" }), "colour"),
        (json!({ "get": "/o", "query": { "q": "{q}" } }), json!({ "q": {} }), "q"),
        (json!({ "post": "/o", "body": "{order}" }), json!({}), "order"),
    ];
    for (operation, input, member) in cases {
        let fault = build(operation.clone(), input.clone()).unwrap_err();
        assert_eq!((fault.kind, fault.landed), (Kind::Invalid, Landed::No), "{operation} {input}");
        assert_eq!(fault.context, [("member", member.to_owned())], "{operation} {input}");
    }
    for input in [json!([1]), json!("text"), json!(1)] {
        assert_eq!(build(json!({ "post": "/o" }), input).unwrap_err().kind, Kind::Invalid);
    }
    let split = json!({ "get": "/o", "headers": { "If-Match": "{etag}" } });
    for etag in ["a\r\nX-Evil: 1", "a ", " a", "a\t", "é"] {
        let fault = build(split.clone(), json!({ "etag": etag })).unwrap_err();
        assert_eq!((fault.kind, fault.landed), (Kind::Invalid, Landed::No), "{etag:?}");
    }
}

#[test]
fn an_absent_member_leaves_its_parameter_out() {
    let list = json!({ "get": "/o", "query": { "page": "{page}", "sort": "name" }, "headers": { "If-Match": "{etag}" } });
    let request = build(list.clone(), json!({})).unwrap();
    assert_eq!(request.url.query(), Some("sort=name"));
    assert!(request.headers.is_empty());
    let request = build(list, json!({ "page": "2&admin=1", "etag": "\"v1\"" })).unwrap();
    assert_eq!(request.url.query(), Some("page=2%26admin%3D1&sort=name"));
    assert_eq!(request.headers["if-match"], "\"v1\"");
}

#[test]
fn only_keyed_operations_carry_the_key() {
    for (repeat, carried) in [("safe", false), ("never", false), ("keyed", true)] {
        let request = build(json!({ "post": "/o", "repeat": repeat }), json!({})).unwrap();
        assert_eq!(request.headers.contains_key("idempotency-key"), carried, "{repeat}");
    }
    let named = json!({ "post": "/o", "repeat": "keyed", "idempotency_header": "X-Idempotency-Key" });
    let headers = build(named.clone(), json!({})).unwrap().headers;
    assert_eq!(
        (headers.get("x-idempotency-key"), headers.len()),
        (Some(&HeaderValue::from_static("k-1")), 2)
    );
    let config = with(named);
    let call = Call { operation: "op".into(), input: Value::Null.into(), key: None };
    let fault = request::build(&config.http.base, &config.operations["op"], &call).unwrap_err();
    assert_eq!((fault.kind, fault.landed), (Kind::Internal, Landed::No));
}

#[test]
fn every_mistake_in_a_section_is_found() {
    let one = |key: &str, value: Value| {
        let mut section = json!({ "url": "https://h.example", "operations": { "op": { "get": "/" } } });
        section[key] = value;
        codes(section)
    };
    assert!(one("headers", json!({ "X-Tenant": "a" })).is_empty());
    assert_eq!(one("url", json!("stock.example")), ["REST002"]);
    assert_eq!(one("url", json!("ftp://stock.example")), ["REST002"]);
    assert_eq!(one("url", json!("https://u:p@stock.example")), ["REST002"]);
    assert_eq!(one("url", json!("https://stock.example?x=1")), ["REST002"]);
    assert_eq!(
        one("headers", json!({ "Authorization": "Bearer x", "bad name": "x", "X": "\n" })),
        ["REST005"; 3]
    );
    assert_eq!(one("headers", json!({ "X": "a ", "Y": "\ta", "Accept-Encoding": "gzip" })), ["REST005"; 3]);
    assert_eq!(one("max_response", json!("65MiB")), ["REST008"]);
    assert_eq!(one("health", json!("health")), ["REST003"]);
    assert_eq!(one("colour", json!("red")), ["REST001"]);
    assert_eq!(one("probe", json!({ "path": "up" })), ["REST003"]);
    assert_eq!(one("probe", json!({ "path": "/{up}" })), ["REST003"]);
    assert_eq!(one("probe", json!({ "path": "/up", "every": "500ms" })), ["REST014"]);
    assert!(one("probe", json!({ "path": "/up", "every": "1h" })).is_empty());
    assert_eq!(one("tls", json!({ "certificate": "me.pem" })), ["REST016"]);
    assert_eq!(codes(json!({ "url": "http://h.example", "tls": {} })), ["REST016"]);
    for address in ["127.0.0.1", "[::1]", "169.254.169.254", "10.1.2.3"] {
        let inside = json!({ "url": format!("https://{address}"), "addresses": "public" });
        assert_eq!(codes(inside), ["REST015"], "{address}");
    }
    assert!(codes(json!({ "url": "https://1.1.1.1", "addresses": "public" })).is_empty());
    let op = |operation: Value| one("operations", json!({ "op": operation }));
    assert_eq!(op(json!({})), ["REST004"]);
    assert_eq!(op(json!({ "get": "/", "post": "/" })), ["REST004"]);
    assert_eq!(op(json!({ "get": "/{id" })), ["REST003"]);
    assert_eq!(op(json!({ "post": "/", "body": "some" })), ["REST003"]);
    assert_eq!(op(json!({ "post": "/", "undo": "nothing" })), ["REST006"]);
    let sent = |headers: Value| op(json!({ "post": "/", "repeat": "keyed", "headers": headers }));
    assert_eq!(sent(json!({ "Content-Type": "application/x-www-form-urlencoded" })), ["REST005"]);
    assert_eq!(sent(json!({ "Content-Type": "{type}" })), ["REST005"]);
    assert_eq!(sent(json!({ "Idempotency-Key": "{id}" })), ["REST005"], "set in two ways");
    assert!(
        sent(json!({ "Content-Type": "application/vnd.shop+json; v=2", "Accept": "text/plain" })).is_empty()
    );
    assert_eq!(op(json!({ "put": "/", "body": { "bytes": "file" } })), ["REST003"]);
    assert!(
        op(json!({ "put": "/", "body": { "bytes": "{file}" }, "headers": { "Content-Type": "image/png" } }))
            .is_empty()
    );
    for key in ["partition", "cost"] {
        assert_eq!(op(json!({ "get": "/", key: "model" })), ["REST003"], "{key}");
        assert!(op(json!({ "get": "/", key: "{deployment}" })).is_empty(), "{key}");
    }
    let kept = |headers: Value| op(json!({ "post": "/", "response_headers": headers }));
    assert_eq!(kept(json!(["a b"])), ["REST005"]);
    assert_eq!(kept(json!(["Set-Cookie"])), ["REST005"]);
    assert_eq!(kept(json!(vec!["ETag"; 17])), ["REST005"]);
    assert!(kept(json!(["ETag", "Content-Length"])).is_empty());
    assert_eq!(op(json!({ "post": "/", "input": 5 })), ["REST009"]);
    assert_eq!(op(json!({ "post": "/", "input": { "a": 1, "b": 1 }, "output": { "c": 1 } })), ["REST009"; 3]);
    assert_eq!(op(json!({ "post": "/", "ok": [500] })), ["REST010"]);
    let both = json!({ "get": "/{", "undo": "nothing", "ok": [200] });
    assert_eq!(op(both), ["REST006", "REST003", "REST010"]);
}

#[test]
fn b21_a_literal_secret_is_refused_and_not_repeated() {
    for auth in [
        json!({ "bearer": "hunter2" }),
        json!({ "bearer": { "secret": "T", "value": "hunter2" } }),
        json!({ "api_key": { "value": "hunter2" } }),
        json!({ "basic": { "user": "u", "password": "hunter2" } }),
    ] {
        let found = (KIND.check)("stock", &section(&json!({ "url": "https://h.example", "auth": auth })));
        assert_eq!(found.len(), 1, "{auth}");
        assert_eq!(found[0].severity, Severity::Error);
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }
}

#[test]
fn credentials_in_clear_text_are_worth_a_warning() {
    let at = |url: &str| codes(json!({ "url": url, "auth": { "bearer": { "secret": "T" } } }));
    assert_eq!(at("http://stock.example"), ["REST007"]);
    for sound in ["https://stock.example", "http://127.0.0.1:7101", "http://[::1]:1", "http://localhost:1"] {
        assert!(at(sound).is_empty(), "{sound}");
    }
}

#[test]
fn the_spec_says_what_was_configured_and_what_follows() {
    let config = config(json!({
        "url": "https://h.example", "health": "/health",
        "operations": {
            "reserve": { "post": "/reservations", "repeat": "keyed", "undo": "release", "summary": "sets aside" },
            "release": { "delete": "/reservations/{id}" },
            "page": { "get": "/page", "output": "text", "partition": "{to}", "cost": "{pages}" },
        }
    }));
    let spec = super::spec("stock", &config);
    let names: Vec<_> = spec.operations.iter().map(|operation| &*operation.name).collect();
    assert_eq!(names, ["health", "page", "release", "reserve"]);
    let reserve = spec.operation("reserve").unwrap();
    assert_eq!((reserve.repeat, reserve.undo.as_deref()), (port::Repeat::Keyed, Some("release")));
    let release = spec.operation("release").unwrap();
    assert_eq!(release.repeat, port::Repeat::Safe);
    let closed = json!({ "type": "object", "properties": { "id": true }, "required": ["id"], "additionalProperties": false });
    assert_eq!(*release.input.document(), closed);
    assert_eq!((reserve.partition.as_deref(), &reserve.cost), (Some("/model"), &port::Cost::One));
    let page = spec.operation("page").unwrap();
    assert_eq!((page.partition.as_deref(), &page.cost), (Some("/to"), &port::Cost::At("/pages".into())));
    assert_eq!((page.output.document(), page.may_be_silent), (&json!({ "type": "string" }), true));
}

#[test]
fn every_status_means_what_the_reference_says() {
    let (kinds, wait) = (status_table(), Some(Duration::from_secs(3)));
    for status in 300..=599u16 {
        for wait in [None, wait] {
            let fault = fault::of_status(status, wait);
            let expected = kinds(status, wait.is_some());
            assert_eq!((fault.kind, fault.landed), expected, "{status} {wait:?}");
            assert_eq!((fault.status, fault.retry_after), (Some(status), wait));
        }
    }
}

/// The table of README.md, row by row.
fn status_table() -> impl Fn(u16, bool) -> (Kind, Landed) {
    let rows: Vec<(Vec<u16>, Option<bool>, Kind, Landed)> = include_str!("README.md")
        .lines()
        .skip_while(|line| !line.starts_with("| Status"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(row)
        .collect();
    move |status, waits| {
        let row =
            rows.iter().find(|row| row.0.contains(&status) && row.1.is_none_or(|wanted| wanted == waits));
        row.map(|row| (row.2, row.3)).unwrap_or_else(|| panic!("no row for {status}"))
    }
}

fn row(line: &str) -> (Vec<u16>, Option<bool>, Kind, Landed) {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let waits = cells[1].contains("Retry-After").then_some(true);
    let numbers = cells[1].split(" with ").next().unwrap();
    let statuses =
        numbers.split(", ").flat_map(|part| match part.trim_start_matches("other ").strip_suffix("xx") {
            Some(hundreds) => {
                let hundreds: u16 = hundreds.parse().unwrap();
                (hundreds * 100..hundreds * 100 + 100).collect::<Vec<_>>()
            }
            None => vec![part.parse().unwrap()],
        });
    let kind = serde_json::from_value(json!(cells[2].trim_matches('`'))).unwrap();
    let landed = serde_json::from_value(json!(cells[3])).unwrap();
    (statuses.collect(), waits, kind, landed)
}

#[test]
fn retry_after_is_read_in_both_forms() {
    let now: Timestamp = "1994-11-06T08:49:07Z".parse().unwrap();
    let read = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static(text));
        fault::retry_after(&headers, now).map(|wait| wait.as_secs())
    };
    assert_eq!(read("120"), Some(120));
    assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
    assert_eq!(read("Sun, 06 Nov 1994 08:40:00 GMT"), Some(0));
    assert_eq!(read("Sunday, 06-Nov-94 08:49:37 GMT"), Some(30), "RFC 850");
    assert_eq!(read("Sun Nov  6 08:49:37 1994"), Some(30), "asctime");
    assert_eq!(read("Sun Nov 16 08:49:37 1994"), Some(86_400), "asctime");
    assert_eq!(read("99999999999999999999999"), Some(86_400));
    assert_eq!(read("Sun, 06 Nov 2094 08:49:37 GMT"), Some(86_400));
    for nonsense in ["", "soon", "-1", "1.5", "Sunday, soon", "Sun Nov 31 08:49:37 1994"] {
        assert_eq!(read(nonsense), None, "{nonsense:?}");
    }
    assert_eq!(fault::retry_after(&HeaderMap::new(), now), None);
    let date = HeaderMap::from_iter([(
        header::RETRY_AFTER,
        HeaderValue::from_static("Sun, 06 Nov 1994 08:49:09 GMT"),
    )]);
    let later = now + jiff::SignedDuration::from_millis(300);
    assert_eq!(fault::retry_after(&date, later), Some(Duration::from_secs(2)), "not 0.7 s before it");
    for far in ["Fri, 31 Dec 9999 23:59:59 GMT", "Friday, 31-Dec-68 23:59:59 GMT", "Fri Dec 31 23:59:59 9999"]
    {
        assert_eq!(read(far), Some(86_400), "{far}");
    }
}

#[test]
fn b27_error_text_is_a_few_of_the_systems_own_words() {
    let words = |body: Value| fault::detail(body.to_string().as_bytes()).map(|said| fault::words(&said));
    assert_eq!(
        words(json!({ "title": "no", "detail": "not today", "card": "4111" })),
        Some("no: not today".to_owned())
    );
    assert_eq!(words(json!({ "error": { "message": "bad" } })), Some("bad".to_owned()));
    assert_eq!(words(json!({ "message": "a\r\nb" })), Some("a  b".to_owned()));
    assert_eq!(words(json!({ "message": "ü".repeat(500) })).unwrap().chars().count(), 200);
    assert_eq!(fault::words("a\u{1b}[2Jb"), "a [2Jb");
    assert_eq!(words(json!({ "card": "4111" })), None);
    assert_eq!(fault::detail(b"<html>"), None);
}
