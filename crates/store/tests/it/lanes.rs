//! The outbox: each lane by itself, within one key in order.

use store::{Batch, Error, OutboxOp, OutboxRow, OutboxStage, Store};

use crate::given::at;

fn row(id: &str, lane: &str, key: &str) -> OutboxRow {
    OutboxRow {
        id: id.into(),
        kind: "tell".into(),
        lane: lane.into(),
        key: key.into(),
        target: format!("{lane}.do"),
        payload: b"{}".to_vec(),
        tenant: "acme".into(),
        created: at(1),
        due: at(5),
        ..OutboxRow::default()
    }
}

fn put(id: &str, lane: &str, key: &str) -> OutboxOp {
    OutboxOp::Put(row(id, lane, key))
}

async fn does(store: &Store, outbox: impl Into<Vec<OutboxOp>>) -> Result<(), Error> {
    store.commit(Batch { outbox: outbox.into(), ..Batch::default() }).await.map(drop)
}

/// Whose turn it is in a lane.
async fn heads(store: &Store, lane: &str) -> Vec<String> {
    let heads = store.outbox_heads("tell", lane, 10).await.unwrap();
    heads.into_iter().map(|head| head.id).collect()
}

#[tokio::test]
async fn rows_of_a_key_take_their_turns_in_the_order_in_which_they_were_put() {
    let store = Store::temporary().unwrap();
    does(
        &store,
        [put("1", "crm", "k"), put("2", "crm", "k"), put("3", "crm", "other"), put("1", "crm", "x")],
    )
    .await
    .unwrap();
    assert_eq!(heads(&store, "crm").await, ["1", "3"]);
    does(&store, [OutboxOp::Done { id: "1".into() }]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["2", "3"]);
    does(&store, [OutboxOp::Done { id: "2".into() }, put("4", "crm", "k")]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["3", "4"]);
}

#[tokio::test]
async fn each_lane_is_read_by_itself_and_other_kinds_are_in_nobodys_way() {
    let store = Store::temporary().unwrap();
    let unknown = OutboxRow { kind: "pigeon".into(), ..row("p", "crm", "p") };
    does(&store, [put("a", "crm", "1"), put("b", "mail", "1"), OutboxOp::Put(unknown)]).await.unwrap();
    does(&store, [OutboxOp::Postpone { id: "b".into(), due: at(90), blocked: "breaker_open".into() }])
        .await
        .unwrap();
    let lanes = store.outbox_lanes("tell").await.unwrap();
    let lanes: Vec<_> = lanes.into_iter().map(|lane| (lane.lane, lane.due)).collect();
    assert_eq!(lanes, [("crm".to_owned(), at(5)), ("mail".to_owned(), at(90))]);
    assert_eq!(heads(&store, "crm").await, ["a"]);
    let backlog = store.outbox_backlog().await.unwrap();
    let backlog: Vec<_> = backlog.into_iter().map(|lane| (lane.lane, lane.rows)).collect();
    assert_eq!(backlog, [("crm".to_owned(), 2), ("mail".to_owned(), 1)]);
}

#[tokio::test]
async fn a_dead_row_holds_its_key_unless_it_is_passed_over_and_comes_back_to_its_place() {
    let store = Store::temporary().unwrap();
    does(&store, [put("1", "crm", "k"), put("2", "crm", "k"), put("3", "crm", "k")]).await.unwrap();
    let bury = |id: &str, holds| OutboxOp::Bury { id: id.into(), holds, perhaps: true };
    does(&store, [bury("1", true)]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, [""; 0]);
    assert_eq!(store.outbox_ahead("crm", "k").await.unwrap().as_deref(), Some("1"));
    let revive =
        |id: &str| OutboxOp::Revive { id: id.into(), payload: b"[1]".to_vec(), perhaps: false, now: at(7) };
    does(&store, [revive("1")]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["1"]);
    let revived = store.outbox_one("1").await.unwrap().unwrap();
    assert_eq!(
        (&revived.payload[..], revived.perhaps, revived.stage),
        (&b"[1]"[..], false, OutboxStage::Ready)
    );
    does(&store, [bury("1", false)]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["2"]);
    assert_eq!(store.outbox(&store::OutboxFilter::default()).await.unwrap().len(), 2);
    does(&store, [revive("1")]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["1"], "the second gives way");
    let discard = |id: &str| OutboxOp::Discard { id: id.into() };
    does(&store, [discard("1"), discard("nobody")]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["1"], "it lives");
    assert_eq!(does(&store, [revive("1")]).await, Err(Error::Gone { id: "1".into() }));
}

#[tokio::test]
async fn only_what_was_certainly_not_sent_is_withdrawn() {
    let store = Store::temporary().unwrap();
    does(&store, [put("1", "crm", "k"), put("2", "crm", "k")]).await.unwrap();
    let payload = Some(br#"{"asked":"first"}"#.to_vec());
    does(&store, [OutboxOp::Begin { id: "1".into(), settles: at(70), payload: payload.clone() }])
        .await
        .unwrap();
    let withdraw = |id: &str| OutboxOp::Withdraw { id: id.into() };
    assert_eq!(does(&store, [withdraw("1")]).await, Err(Error::Gone { id: "1".into() }));
    does(&store, [withdraw("2")]).await.unwrap();
    let begun = store.outbox_one("1").await.unwrap().unwrap();
    assert_eq!((begun.perhaps, begun.settles), (true, Some(at(70))));
    assert_eq!(Some(begun.payload), payload, "whom it was sent to is written with it");
    let begin = OutboxOp::Begin { id: "2".into(), settles: at(70), payload: None };
    assert_eq!(does(&store, [begin]).await, Err(Error::Gone { id: "2".into() }));
}

#[tokio::test]
async fn rows_wait_for_their_time_and_never_longer_than_they_may() {
    let store = Store::temporary().unwrap();
    does(&store, [put("1", "crm", "a"), put("2", "crm", "b")]).await.unwrap();
    let retry = OutboxOp::Retry {
        id: "1".into(),
        due: at(5000),
        attempts: 1,
        sent: 3,
        cause: "timeout".into(),
        blocked: Some("breaker_open".into()),
        perhaps: true,
        settles: Some(at(9)),
    };
    does(&store, [retry]).await.unwrap();
    assert_eq!(heads(&store, "crm").await, ["2", "1"]);
    let recall = |blocked: Option<&str>| OutboxOp::Recall {
        after: at(100),
        blocked: blocked.map(str::to_owned),
        now: at(20),
    };
    does(&store, [recall(Some("blocked"))]).await.unwrap();
    assert_eq!(store.outbox_one("1").await.unwrap().unwrap().due, at(5000));
    does(&store, [recall(None)]).await.unwrap();
    let found = store.outbox_one("1").await.unwrap().unwrap();
    let known = (found.due, found.attempts, found.sent, found.cause.as_deref(), found.settles);
    assert_eq!(known, (at(20), 1, 3, Some("timeout"), Some(at(9))));
    does(&store, [OutboxOp::Hurry { id: "1".into(), now: at(30) }]).await.unwrap();
    assert_eq!(store.outbox_one("1").await.unwrap().unwrap().due, at(20), "what is due is not put off");
}

#[tokio::test]
async fn a_dead_row_is_replaced_by_one_of_its_name_and_a_living_one_is_not() {
    let store = Store::temporary().unwrap();
    let other = OutboxRow { payload: b"[2]".to_vec(), ..row("1", "crm", "k") };
    does(&store, [put("1", "crm", "k"), put("2", "crm", "k"), OutboxOp::Put(other.clone())]).await.unwrap();
    assert_eq!(store.outbox_one("1").await.unwrap().unwrap().payload, b"{}");
    does(&store, [OutboxOp::Bury { id: "1".into(), holds: true, perhaps: false }, OutboxOp::Put(other)])
        .await
        .unwrap();
    assert_eq!(store.outbox_one("1").await.unwrap().unwrap().payload, b"[2]");
    assert_eq!(heads(&store, "crm").await, ["2"], "it was put again after the second");
}
