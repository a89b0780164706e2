//! Idempotency records.

use std::sync::Arc;

use store::{Batch, Error, Expected, KeyOp, KeyRecord, KeyState, Store};

use crate::given::{at, batch};

fn record(tenant: &str, key: &str, owner: &str) -> KeyRecord {
    KeyRecord {
        tenant: tenant.into(),
        key: key.into(),
        fingerprint: [7; 32],
        owner: owner.into(),
        lease: store::Lease::default(),
        state: KeyState::InProgress,
        created: at(0),
        expires: at(60),
    }
}

fn claim(record: KeyRecord) -> Batch {
    Batch { keys: vec![KeyOp::Claim(record)], ..Batch::default() }
}

fn finish(owner: &str) -> Batch {
    let (tenant, key, owner) = ("acme".into(), "k".into(), owner.into());
    let op = KeyOp::Finish { tenant, key, owner, response: b"{}".to_vec(), expires: at(600) };
    Batch { keys: vec![op], ..Batch::default() }
}

/// A batch whose first key is free and whose second is not: refused after it has written.
pub(crate) fn refused_late(stream: &str, turn: u64) -> Batch {
    let mut late = batch(stream, Expected::Any, &["{}"]);
    let taken = record("acme", &format!("{stream}/{turn}"), "one");
    late.keys = vec![KeyOp::Claim(taken.clone()), KeyOp::Claim(KeyRecord { owner: "two".into(), ..taken })];
    late
}

#[tokio::test]
async fn b13_key_is_bound_to_tenant_and_payload() {
    let store = Store::temporary().unwrap();
    store.commit(claim(record("acme", "k", "a"))).await.unwrap();
    store.commit(claim(record("other", "k", "b"))).await.unwrap();
    let other_body = KeyRecord { fingerprint: [8; 32], ..record("acme", "k", "a") };
    let refused = store.commit(claim(other_body)).await;
    let there = KeyRecord { lease: store.lease().clone(), ..record("acme", "k", "a") };
    assert_eq!(refused, Err(Error::Key(Box::new(there))));
}

#[tokio::test]
async fn b13_late_owner_cannot_finish_or_release_anothers_claim() {
    let store = Store::temporary().unwrap();
    store.commit(claim(record("acme", "k", "slow"))).await.unwrap();
    let second = KeyRecord { created: at(60), expires: at(120), ..record("acme", "k", "quick") };
    let second = KeyRecord { lease: store.lease().clone(), ..second };
    store.commit(claim(second.clone())).await.unwrap();
    assert_eq!(store.commit(finish("slow")).await, Err(Error::Lapsed { key: "k".into() }));
    let release = KeyOp::Release { tenant: "acme".into(), key: "k".into(), owner: "slow".into() };
    store.commit(Batch { keys: vec![release], ..Batch::default() }).await.unwrap();
    assert_eq!(store.key("acme", "k").await.unwrap(), Some(second));
}

#[tokio::test]
async fn b13_effect_and_answer_are_one_batch() {
    let store = Store::temporary().unwrap();
    let mut whole = batch("s", Expected::NoStream, &["{}"]);
    whole.keys = [claim(record("acme", "k", "a")).keys, finish("a").keys].concat();
    store.commit(whole.clone()).await.unwrap();
    whole.appends[0].stream = "again".into();
    let Err(Error::Key(found)) = store.commit(whole).await else { panic!("claimed twice") };
    assert_eq!(found.state, KeyState::Done { response: b"{}".to_vec() });
    assert_eq!(store.version("again").await.unwrap(), 0);
}

#[tokio::test]
async fn an_owner_may_claim_again_until_it_finished() {
    let store = Store::temporary().unwrap();
    store.commit(claim(record("acme", "k", "a"))).await.unwrap();
    store.commit(claim(record("acme", "k", "a"))).await.unwrap();
    store.commit(finish("a")).await.unwrap();
    assert!(matches!(store.commit(claim(record("acme", "k", "a"))).await, Err(Error::Key(_))));
}

/// Whoever claimed it has been replaced and can finish nothing; a record that has its answer is not touched.
#[tokio::test]
async fn a_key_in_progress_is_given_up_when_its_epoch_is_over() {
    let store = Store::temporary().unwrap();
    let open = || claim(record("acme", "k", "a"));
    store.commit(open()).await.unwrap();
    let other = || claim(record("acme", "k", "b"));
    assert!(matches!(store.commit(other()).await, Err(Error::Key(_))), "its owner may be at work");
    let next = store.take_over().await.unwrap();
    let another = KeyRecord { fingerprint: [8; 32], ..record("acme", "k", "c") };
    assert!(matches!(next.commit(claim(another)).await, Err(Error::Key(_))), "another request");
    next.commit(other()).await.unwrap();
    let found = next.key("acme", "k").await.unwrap().unwrap();
    assert_eq!((found.owner.as_str(), &found.lease), ("b", next.lease()));
    next.commit(finish("b")).await.unwrap();
    let last = next.take_over().await.unwrap();
    assert!(matches!(last.commit(open()).await, Err(Error::Key(_))), "it has its answer");
}

#[tokio::test]
async fn a_released_key_can_be_claimed() {
    let store = Store::temporary().unwrap();
    store.commit(claim(record("acme", "k", "a"))).await.unwrap();
    let release = KeyOp::Release { tenant: "acme".into(), key: "k".into(), owner: "a".into() };
    store.commit(Batch { keys: vec![release], ..Batch::default() }).await.unwrap();
    store.commit(claim(record("acme", "k", "b"))).await.unwrap();
}

#[tokio::test]
async fn a_late_refusal_leaves_nothing_behind() {
    let store = Store::temporary().unwrap();
    let Err(Error::Key(_)) = store.commit(refused_late("s", 1)).await else { panic!("claimed twice") };
    assert_eq!(store.key("acme", "s/1").await.unwrap(), None);
    assert_eq!(store.version("s").await.unwrap(), 0);
    assert_eq!(store.commit(batch("s", Expected::NoStream, &["{}"])).await.unwrap().position, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_claims_one_wins() {
    let store = Arc::new(Store::temporary().unwrap());
    for key in 0..20 {
        let claims: Vec<_> = (0..16)
            .map(|owner| {
                let store = store.clone();
                tokio::spawn(async move {
                    let record = record("acme", &key.to_string(), &owner.to_string());
                    let mut batch = batch(&format!("key-{key}"), Expected::Any, &["{}"]);
                    batch.keys.push(KeyOp::Claim(record));
                    store.commit(batch).await.is_ok()
                })
            })
            .collect();
        let mut won = 0;
        for claim in claims {
            won += u64::from(claim.await.unwrap());
        }
        assert_eq!((won, store.version(&format!("key-{key}")).await.unwrap()), (1, 1));
    }
}

#[tokio::test]
async fn c21_expired_records_go_and_others_stay() {
    let store = Store::temporary().unwrap();
    let mut many = Batch::default();
    for key in 0..1200 {
        many.keys.push(KeyOp::Claim(record("acme", &key.to_string(), "a")));
    }
    store.commit(many).await.unwrap();
    store.commit(claim(KeyRecord { expires: at(61), ..record("acme", "kept", "a") })).await.unwrap();
    assert_eq!(store.prune(at(59)).await.unwrap(), 0);
    assert_eq!(store.prune(at(60)).await.unwrap(), 1200);
    assert!(store.key("acme", "kept").await.unwrap().is_some());
}
