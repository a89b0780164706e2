//! What every kind of adapter must do, run over the list. A kind is tested before its author writes a test; all it
//! needs is a line in [`sample`].

use adapters::{Kind, list};
use diag::Node;
use port::{Kind as FaultKind, Landed};
use serde_json::{Value, json};

use crate::remote::{Does, Remote};
use crate::rig::{self, SECRET, build, call, hurried};

/// A section of that kind with a never-repeat operation `act` against `url`, credentials and a small answer limit.
fn sample(kind: &Kind, url: &str) -> Value {
    match kind.name {
        "rest" => json!({
            "url": url,
            "auth": { "bearer": { "secret": "KEY" } },
            "max_response": "4KiB",
            "operations": { "act": { "post": "/act" }, "look": { "get": "/look" } },
        }),
        other => panic!("say in the conformance suite how to reach a remote with {other:?}"),
    }
}

async fn against(does: Does) -> Vec<(Remote, std::sync::Arc<dyn port::Link>)> {
    let mut pairs = Vec::new();
    for kind in list::ALL {
        let remote = Remote::that(does.clone()).await;
        let link = build(kind, &sample(kind, &remote.url()));
        pairs.push((remote, link));
    }
    pairs
}

#[test]
fn names_are_sorted_and_found() {
    assert!(list::ALL.is_sorted_by_key(|kind| kind.name));
    for kind in list::ALL {
        assert_eq!(list::find(kind.name).unwrap().name, kind.name);
        assert!(kind.reference.starts_with(&format!("# {}\n", kind.name)));
    }
    assert!(list::find("carrier-pigeon").is_none());
}

#[tokio::test]
async fn a_spec_is_sorted_and_equals_what_was_promised_before_building() {
    for kind in list::ALL {
        let section = sample(kind, "http://127.0.0.1:9");
        let link = build(kind, &section);
        assert!(link.spec().operations.is_sorted_by(|one, other| one.name < other.name));
        assert_eq!((kind.spec)("remote", &Node::from_json(&section)).as_ref(), Some(link.spec()));
        assert_eq!((link.spec().adapter, &*link.spec().system), (kind.name, "remote"));
    }
}

#[test]
fn an_empty_section_is_refused_by_shape_and_by_check() {
    for kind in list::ALL {
        let node = Node::from_json(&json!({}));
        assert!(!(kind.shape)().check(&node).is_empty() && !(kind.check)("remote", &node).is_empty());
        assert!(rig::built(kind, &node).is_err());
    }
}

#[tokio::test]
async fn an_unknown_operation_is_invalid_and_nothing_is_sent() {
    for (remote, link) in against(Does::Drops).await {
        let fault = call(&*link, "dance", json!({})).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Invalid, Landed::No));
        assert!(remote.requests().is_empty());
    }
}

#[tokio::test]
async fn nobody_there_did_not_land() {
    for kind in list::ALL {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let link = build(kind, &sample(kind, &format!("http://{free}")));
        let fault = call(&*link, "act", json!({})).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Connect, Landed::No), "{fault}");
    }
}

#[tokio::test]
async fn a_dropped_connection_is_unknown() {
    for (_remote, link) in against(Does::Drops).await {
        let fault = call(&*link, "act", json!({})).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Unavailable, Landed::Unknown), "{fault}");
    }
}

#[tokio::test]
async fn gibberish_is_unknown() {
    for (_remote, link) in against(Does::Says("\u{1}\u{2} not a protocol\r\n\r\n".into())).await {
        let fault = call(&*link, "act", json!({})).await.unwrap_err();
        assert_eq!(fault.landed, Landed::Unknown, "{fault}");
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_is_unknown() {
    for (_remote, link) in against(Does::Nothing).await {
        let fault = hurried(&*link, "act", json!({}), 100).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Timeout, Landed::Unknown), "{fault}");
    }
}

#[tokio::test]
async fn a_dripping_answer_ends_at_the_deadline_and_has_landed() {
    for (_remote, link) in against(Does::Drips).await {
        let fault = hurried(&*link, "act", json!({}), 2_000).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Timeout, Landed::Yes), "{fault}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_has_landed() {
    for (remote, link) in against(Does::Floods).await {
        let fault = call(&*link, "act", json!({})).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Protocol, Landed::Yes), "{fault}");
        // What the sockets' buffers took is sent, no more: the adapter stopped reading.
        assert!(remote.sent() < 64 << 20, "{}", remote.sent());
    }
}

#[tokio::test]
async fn a_passed_deadline_sends_nothing() {
    for (remote, link) in against(Does::Nothing).await {
        let late = rig::ctx().within(std::time::Duration::ZERO);
        let fault = rig::call_in(&late, &*link, "act", json!({})).await.unwrap_err();
        assert_eq!((fault.kind, fault.landed), (FaultKind::Timeout, Landed::No), "{fault}");
        assert!(remote.requests().is_empty());
    }
}

#[tokio::test]
async fn a_dropped_call_leaves_the_adapter_usable() {
    for (remote, link) in against(Does::Nothing).await {
        let ctx = rig::ctx();
        for _ in 0..3 {
            let calls = remote.requests().len();
            let abandoned = rig::call_in(&ctx, &*link, "act", json!({}));
            tokio::select! {
                answered = abandoned => panic!("{answered:?}"),
                () = arrived(&remote, calls + 1) => {}
            }
        }
        let fault = hurried(&*link, "look", json!({}), 100).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Timeout);
    }
}

#[tokio::test]
async fn a_secret_the_remote_echoes_is_not_in_the_fault() {
    let echo = json!({ "title": format!("bad token {SECRET}"), "detail": SECRET }).to_string();
    let answer = format!("HTTP/1.1 401 No\r\ncontent-length: {}\r\n\r\n{echo}", echo.len());
    for (remote, link) in against(Does::Says(answer)).await {
        let fault = call(&*link, "act", json!({})).await.unwrap_err();
        assert!(!format!("{fault} {fault:?}").contains(SECRET), "{fault:?}");
        assert!(format!("{:?}", remote.requests()).contains(SECRET), "the remote itself was shown it");
    }
}

async fn arrived(remote: &Remote, calls: usize) {
    while remote.requests().len() < calls {
        tokio::task::yield_now().await;
    }
}
