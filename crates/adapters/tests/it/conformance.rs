//! What every kind of adapter must do, run over the list. A kind is tested before its author writes a test; all it
//! needs is `contract/sample.json` in its folder: which protocol it `speaks`, and a `section` for a remote at `{url}` with
//! the secret `KEY`, a small answer limit, and the operations `act` (never to be repeated) and `look`.
//!
//! What is asked of a kind follows from what it declares: cases on the wire from the protocol, others from its spec.

use adapters::{Kind, Kinds};
use diag::Node;
use port::{Kind as FaultKind, Landed, Link, Repeat};
use serde_json::{Value, json};

use crate::remote::{Does, Remote};
use crate::rig::{self, SECRET, build, call, hurried};

/// The sample of a kind, at `url`.
fn sample(kind: &Kind, url: &str) -> Value {
    let folder = env!("CARGO_MANIFEST_DIR");
    let text = std::fs::read_to_string(format!("{folder}/src/{}/contract/sample.json", kind.name)).unwrap();
    serde_json::from_str(&text.replace("{url}", url)).unwrap()
}

fn section(kind: &Kind, url: &str) -> Value {
    sample(kind, url)["section"].clone()
}

/// The kinds whose remotes speak HTTP.
fn speaking_http() -> Vec<Kind> {
    Kinds::built_in().iter().filter(|kind| sample(kind, "")["speaks"] == "http").copied().collect()
}

async fn against(does: Does) -> Vec<(Remote, std::sync::Arc<dyn Link>)> {
    let mut pairs = Vec::new();
    for kind in speaking_http() {
        let remote = Remote::that(does.clone()).await;
        let link = build(&kind, &section(&kind, &remote.url()));
        pairs.push((remote, link));
    }
    pairs
}

/// A new protocol needs a remote that speaks it, or its cases would silently not be run.
#[test]
fn every_protocol_has_a_remote() {
    for kind in Kinds::built_in().iter() {
        assert_eq!(
            sample(kind, "")["speaks"],
            "http",
            "say in conformance.rs how a remote answers {:?}",
            kind.name
        );
    }
}

#[test]
fn names_are_sorted_and_found() {
    let kinds = Kinds::built_in();
    assert!(kinds.iter().is_sorted_by_key(|kind| kind.name));
    for kind in kinds.iter() {
        assert_eq!(kinds.find(kind.name).unwrap().name, kind.name);
        assert!(kind.reference.starts_with(&format!("# {}\n", kind.name)));
    }
    assert!(kinds.find("carrier-pigeon").is_none());
}

#[test]
fn a_kind_can_be_handed_over_and_stands_beside_those_built_in() {
    let built_in = *Kinds::built_in().iter().next().unwrap();
    let kinds = Kinds::built_in().with(Kind { name: "carrier-pigeon", ..built_in });
    assert_eq!(kinds.find("carrier-pigeon").unwrap().name, "carrier-pigeon");
    assert!(kinds.iter().is_sorted_by_key(|kind| kind.name));
    assert_eq!(kinds.iter().count(), Kinds::built_in().iter().count() + 1);
    let again = kinds.with(Kind { name: "carrier-pigeon", reference: "another", ..built_in });
    assert_eq!(again.find("carrier-pigeon").unwrap().reference, "another");
}

#[tokio::test]
async fn a_spec_is_sorted_and_equals_what_was_promised_before_building() {
    for kind in Kinds::built_in().iter() {
        let section = section(kind, "http://127.0.0.1:9");
        let link = build(kind, &section);
        assert!(link.spec().operations.is_sorted_by(|one, other| one.name < other.name));
        assert_eq!((kind.spec)("remote", &Node::from_json(&section)).as_ref(), Some(link.spec()));
        assert_eq!((link.spec().adapter, &*link.spec().system), (kind.name, "remote"));
    }
}

#[test]
fn an_empty_section_is_refused_by_shape_and_by_check() {
    for kind in Kinds::built_in().iter() {
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
    for kind in speaking_http() {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let link = build(&kind, &section(&kind, &format!("http://{free}")));
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

#[tokio::test]
async fn a_key_goes_with_the_operations_that_declare_one_and_with_no_other() {
    for (remote, link) in against(Does::Drops).await {
        for operation in &link.spec().operations {
            let asked = remote.requests().len();
            _ = call(&*link, &operation.name, json!({})).await;
            let sent = remote.requests().split_off(asked).concat();
            let keyed = operation.repeat == Repeat::Keyed;
            assert_eq!(sent.contains("run-1.step-2"), keyed, "{}: {sent}", operation.name);
        }
    }
}

#[tokio::test]
async fn whoever_declares_a_probe_finds_a_system_well_and_ill() {
    let well = "HTTP/1.1 204 Well\r\nconnection: close\r\n\r\n";
    for (does, passes) in [(Does::Says(well.to_owned()), true), (Does::Drops, false)] {
        for (_remote, link) in against(does).await {
            if link.spec().probe_every.is_some() {
                assert_eq!(link.probe(&rig::ctx()).await.is_ok(), passes, "{}", link.spec().adapter);
            }
        }
    }
}

#[tokio::test]
async fn closing_comes_to_an_end() {
    for (_remote, link) in against(Does::Drops).await {
        _ = call(&*link, "act", json!({})).await;
        link.close().await;
    }
}

async fn arrived(remote: &Remote, calls: usize) {
    while remote.requests().len() < calls {
        tokio::task::yield_now().await;
    }
}
