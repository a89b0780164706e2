//! Over real connections.

use std::time::Duration;

use gate::{Auth, Handle, Limits};
use store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::{Port, deps, fact};

async fn serve(limits: Limits) -> (Handle, Store) {
    serve_at(&Port::reserve(), limits).await
}

async fn serve_at(port: &Port, limits: Limits) -> (Handle, Store) {
    let store = Store::temporary().unwrap();
    let listener = port.listen();
    let deps = deps(store.clone(), Auth::Loopback, limits).await;
    (gate::serve(listener, None, deps).unwrap().main, store)
}

/// Sends bytes and reads until the server closes or has sent a whole answer.
async fn raw(server: &Handle, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut text = Vec::new();
    let read = stream.read_to_end(&mut text);
    tokio::time::timeout(Duration::from_secs(60), read)
        .await
        .expect("the server ends the connection")
        .unwrap();
    String::from_utf8(text).unwrap()
}

fn post(body: &str, extra: &str) -> String {
    format!(
        "POST /v1/conversations/conv_1/acts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\n{extra}\r\n{body}"
    )
}

#[tokio::test]
async fn an_act_comes_in_over_a_connection() {
    let (server, store) = serve(Limits::default()).await;
    let body = fact("act_1", "a", 1.into()).to_string();
    let text = raw(&server, post(&body, &format!("Content-Length: {}\r\n", body.len())).as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
    assert!(text.contains("cardan-position:") && text.contains("x-correlation-id:"), "{text}");
    assert!(*store.head().borrow() > 0);
    server.drain().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let (server, store) = serve(Limits { body_time: Duration::from_millis(50), ..Limits::default() }).await;
    let text = raw(&server, post("{\"id\":", "Content-Length: 100\r\n").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("body.timeout"), "{text}");
    assert_eq!(*store.head().borrow(), 0);
    server.drain().await;
}

#[tokio::test]
async fn headers_that_do_not_come_are_not_waited_for() {
    let (server, _) = serve(Limits { header_time: Duration::from_millis(50), ..Limits::default() }).await;
    let text = raw(&server, b"GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nX-Slow: ").await;
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    server.drain().await;
}

/// Who says nothing, or never which protocol they speak, holds a place that others need.
#[tokio::test]
async fn a_connection_that_does_not_begin_is_closed() {
    let limits = Limits { header_time: Duration::from_millis(50), connections: 1, ..Limits::default() };
    let (server, _) = serve(limits).await;
    for silent in ["", "P", "PRI", "PRI * HTTP/2.0\r\n\r\nSM"] {
        assert_eq!(raw(&server, silent.as_bytes()).await, "", "{silent:?}");
    }
    let text = raw(&server, b"GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200"), "the place is free again: {text}");
    server.drain().await;
}

#[tokio::test]
async fn too_many_headers_are_refused() {
    let (server, _) = serve(Limits::default()).await;
    let lines: String = (0..200).map(|number| format!("X-{number}: 1\r\n")).collect();
    let text =
        raw(&server, format!("GET /v1/runs HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 431"), "{text}");
    let huge = format!("GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nX-Big: {}\r\n\r\n", "x".repeat(64 << 10));
    assert!(raw(&server, huge.as_bytes()).await.starts_with("HTTP/1.1 431"));
    server.drain().await;
}

#[tokio::test]
async fn a_huge_body_is_refused_by_its_announcement() {
    let (server, store) = serve(Limits::default()).await;
    let text = raw(&server, post("", "Content-Length: 99999999999\r\n").as_bytes()).await;
    assert!(text.starts_with("HTTP/1.1 413") && text.contains("body.too_large"), "{text}");
    assert_eq!(*store.head().borrow(), 0);
    server.drain().await;
}

#[tokio::test]
async fn a_drain_ends_live_subscriptions_and_refuses_new_connections() {
    let port = Port::reserve();
    let (server, _) = serve_at(&port, Limits::default()).await;
    let address = server.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut piece = [0; 1024];
    assert!(stream.read(&mut piece).await.unwrap() > 0);
    tokio::time::timeout(Duration::from_secs(60), server.drain())
        .await
        .expect("the subscription does not hold it up");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn without_authentication_only_loopback_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let deps = deps(Store::temporary().unwrap(), Auth::Loopback, Limits::default()).await;
    let refused = gate::serve(listener, None, deps).err().unwrap();
    assert!(refused.to_string().contains("without authentication"), "{refused}");
}

/// Says a request, then more of it, and reads what comes.
async fn refused_early(server: &Handle, line: &str, kind: &str) -> String {
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 200000\r\n\r\n"
    );
    raw(server, head.as_bytes()).await
}

#[tokio::test]
async fn a_connection_that_is_closed_is_announced() {
    let (server, _) = serve(Limits::default()).await;
    let acts = "POST /v1/conversations/conv_1/acts";
    for (line, kind) in
        [("POST /v1/nothing", "text/plain"), ("PUT /v1/conversations", "text/plain"), (acts, "text/plain")]
    {
        let text = refused_early(&server, line, kind).await;
        assert!(text.to_lowercase().contains("connection: close"), "{line}: {text}");
    }
    // A body that was read leaves the connection as it was.
    let body = fact("act_1", "a", 1.into()).to_string();
    let twice = format!(
        "{acts} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}\
         GET /v1/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let text = raw(&server, twice.as_bytes()).await;
    assert_eq!(text.matches("HTTP/1.1 200").count(), 2, "{text}");
    server.drain().await;
}

#[tokio::test]
async fn what_a_proxy_may_read_the_other_way_is_refused() {
    let (server, _) = serve(Limits::default()).await;
    let said = async |line: &str, more: &str| {
        raw(&server, format!("GET {line} HTTP/1.1\r\n{more}Connection: close\r\n\r\n").as_bytes()).await
    };
    for (line, more) in [
        ("/v1/runs", "Host: localhost\r\nHost: shop.example\r\n"),
        ("/v1/runs", "Host: localhost\r\nHost: localhost\r\n"),
        ("/v1/runs", "Host: localhost\r\nOrigin: http://localhost\r\nOrigin: http://shop.example\r\n"),
        ("http://shop.example/v1/runs", "Host: localhost\r\n"),
        ("/metrics", "Host: localhost\r\nHost: shop.example\r\n"),
    ] {
        let text = said(line, more).await;
        assert!(text.starts_with("HTTP/1.1 400") && text.contains("header.invalid"), "{line} {more}: {text}");
    }
    assert!(said("http://LOCALHOST/v1/runs", "Host: localhost\r\n").await.starts_with("HTTP/1.1 200"));
    server.drain().await;
}
