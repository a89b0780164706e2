//! Rows beside the log.

use jiff::Timestamp;
use store::{
    Batch, Checkpoint, DeadFilter, DeadLetter, DeadOp, DeadState, DefinitionRow, Error, Expected,
    OutboxFilter, OutboxOp, OutboxRow, RunFilter, RunRow, RunStatus, Signal, SignalOp, State, Store, Timer,
    TimerOp, Tried,
};

use crate::given::{at, batch};

fn run(id: &str, status: RunStatus) -> RunRow {
    RunRow {
        id: id.into(),
        tenant: "acme".into(),
        flow: "order".into(),
        hash: "h1".into(),
        key: Some("o-1".into()),
        line: Some("order".into()),
        status,
        conversation: Some("c-1".into()),
        commit: Some("act-1".into()),
        started: at(0),
        updated: at(1),
        ended: status.is_ended().then(|| at(1)),
        blocked_on: None,
        position: 0,
    }
}

fn runs(runs: &[RunRow]) -> Batch {
    Batch { runs: runs.to_vec(), ..Batch::default() }
}

#[tokio::test]
async fn a_state_is_written_replaced_and_deleted() {
    let store = Store::temporary().unwrap();
    let state = |id: &str, data: Option<&str>| State {
        kind: "entity",
        id: id.into(),
        data: data.map(|data| data.as_bytes().to_vec()),
    };
    let mut first = batch("s", Expected::NoStream, &["{}", "{}"]);
    first.states = vec![state("a/1", Some("one")), state("a/2", Some("two")), state("b/1", Some("three"))];
    store.commit(first).await.unwrap();
    let found = store.state("entity", "a/1").await.unwrap().unwrap();
    assert_eq!((found.data.as_slice(), found.position), (b"one".as_slice(), 2));
    assert_eq!(store.state("other", "a/1").await.unwrap(), None);

    let second = vec![state("a/1", Some("uno")), state("a/2", None)];
    store.commit(Batch { states: second, ..Batch::default() }).await.unwrap();
    let ids = |rows: Vec<store::StateRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.states("entity", "a/", None, 10).await.unwrap()), ["a/1"]);
    assert_eq!(ids(store.states("entity", "", None, 10).await.unwrap()), ["a/1", "b/1"]);
    assert_eq!(ids(store.states("entity", "", Some("a/1"), 10).await.unwrap()), ["b/1"]);
    assert_eq!(store.state("entity", "a/1").await.unwrap().unwrap().data, b"uno");
}

#[tokio::test]
async fn runs_keep_their_order_of_start() {
    let store = Store::temporary().unwrap();
    store.commit(runs(&[run("r1", RunStatus::Running), run("r2", RunStatus::Queued)])).await.unwrap();
    store.commit(runs(&[run("r1", RunStatus::Waiting), run("r3", RunStatus::Succeeded)])).await.unwrap();
    let ids = |rows: Vec<RunRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(store.live_runs(0, 10).await.unwrap()), ["r1", "r2"]);
    assert_eq!(ids(store.live_runs(1, 10).await.unwrap()), ["r2"]);
    assert_eq!(ids(store.runs(&RunFilter::default()).await.unwrap()), ["r3", "r2", "r1"]);
    let census = store.census().await.unwrap();
    assert_eq!((census.runs, census.dead), (vec![(RunStatus::Queued, 1), (RunStatus::Waiting, 1)], 0));
    let filter = RunFilter {
        key: Some("o-1".into()),
        status: vec![RunStatus::Waiting, RunStatus::Queued],
        before: Some(2),
        ..RunFilter::default()
    };
    assert_eq!(ids(store.runs(&filter).await.unwrap()), ["r1"]);
    let kept = store.run("r1").await.unwrap().unwrap();
    assert_eq!(kept, RunRow { position: 1, ..run("r1", RunStatus::Waiting) });
    assert_eq!(store.run("r9").await.unwrap(), None);
}

#[test]
fn every_status_reads_back() {
    for status in RunStatus::ALL {
        assert_eq!(RunStatus::parse(status.as_str()), Some(status));
    }
}

#[tokio::test]
async fn a_definition_is_kept_as_first_seen() {
    let store = Store::temporary().unwrap();
    let row = |source: &str| DefinitionRow {
        hash: "h".into(),
        name: "order".into(),
        source: source.into(),
        created: at(0),
    };
    for source in ["one", "two"] {
        store.commit(Batch { definitions: vec![row(source)], ..Batch::default() }).await.unwrap();
    }
    assert_eq!(store.definition("h").await.unwrap(), Some(row("one")));
    assert_eq!(store.definition("g").await.unwrap(), None);
}

#[tokio::test]
async fn timers_come_due_in_order_and_stay_until_cleared() {
    let store = Store::temporary().unwrap();
    let set = |id: &str, due| {
        TimerOp::Set(Timer { id: id.into(), run: "r".into(), step: "s".into(), due: at(due) })
    };
    let commit = |timers| store.commit(Batch { timers, ..Batch::default() });
    commit(vec![set("b", 20), set("a", 30), set("c", 10)]).await.unwrap();
    commit(vec![set("a", 15)]).await.unwrap();
    assert_eq!(store.next_timer().await.unwrap(), Some(at(10)));
    let due = store.timers_due(at(15), None, 10).await.unwrap();
    assert_eq!(due.iter().map(|timer| &*timer.id).collect::<Vec<_>>(), ["c", "a"]);
    let next = store.timers_due(at(15), Some(due[0].clone()), 10).await.unwrap();
    assert_eq!(next, due[1..]);
    assert_eq!(store.next_timer_after(at(15)).await.unwrap(), Some(at(20)));
    commit(vec![TimerOp::Clear { id: "c".into() }, TimerOp::Clear { id: "nobody".into() }]).await.unwrap();
    assert_eq!(store.timers_due(at(15), None, 10).await.unwrap().len(), 1);
    commit(vec![TimerOp::Clear { id: "a".into() }, TimerOp::Clear { id: "b".into() }]).await.unwrap();
    assert_eq!(store.next_timer().await.unwrap(), None);
}

#[tokio::test]
async fn a_signal_is_delivered_once_also_after_it_was_taken() {
    let store = Store::temporary().unwrap();
    let put = |id: &str, payload: &str| {
        SignalOp::Put(Signal { run: "r".into(), id: id.into(), name: "n".into(), payload: payload.into() })
    };
    let commit = |signals| store.commit(Batch { signals, ..Batch::default() });
    commit(vec![put("1", "a"), put("2", "b"), put("1", "c")]).await.unwrap();
    let payloads = |found: Vec<Signal>| found.into_iter().map(|signal| signal.payload).collect::<Vec<_>>();
    assert_eq!(payloads(store.signals("r").await.unwrap()), [b"a", b"b"]);
    commit(vec![SignalOp::Take { run: "r".into(), id: "1".into() }]).await.unwrap();
    commit(vec![put("1", "again")]).await.unwrap();
    assert_eq!(payloads(store.signals("r").await.unwrap()), [b"b"]);
    assert_eq!(store.prune(at(0)).await.unwrap(), 1);
    assert_eq!(payloads(store.signals("r").await.unwrap()), [b"b"]);
}

#[tokio::test]
async fn the_outbox_is_listed_the_oldest_first() {
    let store = Store::temporary().unwrap();
    let row = |id: &str, created, target: &str, tenant: &str| OutboxRow {
        id: id.into(),
        kind: "tell".into(),
        target: target.into(),
        payload: b"{}".to_vec(),
        tenant: tenant.into(),
        correlation: "cor".into(),
        created: at(created),
        due: at(99),
        ..OutboxRow::default()
    };
    assert_eq!(store.census().await.unwrap().outbox_since, None);
    let rows = [
        row("r/c", 3, "email.send", "acme"),
        row("r/a", 3, "crm.note", "acme"),
        row("r/b", 2, "email", "acme"),
        row("r/d", 1, "email2.send", "other"),
    ];
    let outbox = rows.clone().map(OutboxOp::Put).into();
    store.commit(Batch { outbox, ..Batch::default() }).await.unwrap();
    let listed = async |filter: OutboxFilter| {
        let rows = store.outbox(&filter).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let all = OutboxFilter::default();
    assert_eq!(listed(all.clone()).await, ["r/d", "r/b", "r/a", "r/c"]);
    assert_eq!(
        listed(OutboxFilter { tenant: Some("acme".into()), limit: 2, ..all.clone() }).await,
        ["r/b", "r/a"]
    );
    assert_eq!(listed(OutboxFilter { after: Some((at(3), "r/a".into())), ..all.clone() }).await, ["r/c"]);
    assert_eq!(listed(OutboxFilter { system: Some("email".into()), ..all }).await, ["r/b", "r/c"]);
    let census = store.census().await.unwrap();
    assert_eq!((census.outbox, census.outbox_since), (4, Some(at(1))));
}

fn letter(id: &str) -> DeadLetter {
    DeadLetter {
        id: id.into(),
        tenant: "acme".into(),
        source: "run_1/charge".into(),
        system: "payments".into(),
        operation: "charge".into(),
        code: "timeout".into(),
        message: "no answer".into(),
        history: vec![Tried { at: at(1), code: "timeout".into(), message: "no answer".into(), attempts: 1 }],
        input: b"{}".to_vec(),
        key: Some("run_1/charge".into()),
        correlation: "cor".into(),
        first: at(1),
        last: at(2),
        state: DeadState::Open,
        resolved: None,
    }
}

#[tokio::test]
async fn of_two_who_resolve_a_letter_one_does() {
    let store = Store::temporary().unwrap();
    let commit = |op| store.commit(Batch { dead: vec![op], ..Batch::default() });
    commit(DeadOp::Put(letter("d"))).await.unwrap();
    commit(DeadOp::Edit { id: "d".into(), input: b"[1]".to_vec() }).await.unwrap();
    let resolve = |at: Timestamp| DeadOp::Resolve { id: "d".into(), how: DeadState::Replayed, at };
    commit(resolve(at(5))).await.unwrap();
    assert_eq!(commit(resolve(at(6))).await, Err(Error::NotOpen { id: "d".into() }));
    let edit = DeadOp::Edit { id: "d".into(), input: b"[2]".to_vec() };
    assert_eq!(commit(edit).await, Err(Error::NotOpen { id: "d".into() }));
    let settle = |id: &str| DeadOp::Settle { id: id.into(), how: DeadState::Discarded, at: at(7) };
    commit(settle("d")).await.expect("what is resolved stays so");
    commit(settle("unknown")).await.expect("there is nothing to settle");
    let found = store.dead_one("d").await.unwrap().unwrap();
    let wanted = DeadLetter {
        input: b"[1]".to_vec(),
        state: DeadState::Replayed,
        resolved: Some(at(5)),
        ..letter("d")
    };
    assert_eq!(found, wanted);
    // A replay that failed comes back.
    commit(DeadOp::Put(letter("d"))).await.unwrap();
    assert_eq!(store.dead_one("d").await.unwrap(), Some(letter("d")));
}

#[tokio::test]
async fn dead_letters_are_found_by_what_they_are() {
    let store = Store::temporary().unwrap();
    let other = DeadLetter { source: "run_10/charge".into(), system: "crm".into(), ..letter("e") };
    let dead = vec![DeadOp::Put(letter("d")), DeadOp::Put(other)];
    store.commit(Batch { dead, ..Batch::default() }).await.unwrap();
    let count = async |filter: DeadFilter| store.dead(&filter).await.unwrap().len();
    assert_eq!(count(DeadFilter::default()).await, 2);
    assert_eq!(store.census().await.unwrap().dead, 2);
    assert_eq!(count(DeadFilter { source: Some("run_1".into()), ..DeadFilter::default() }).await, 1);
    assert_eq!(count(DeadFilter { system: Some("crm".into()), ..DeadFilter::default() }).await, 1);
    assert_eq!(count(DeadFilter { state: Some(DeadState::Discarded), ..DeadFilter::default() }).await, 0);
    assert_eq!(count(DeadFilter { skip: 1, ..DeadFilter::default() }).await, 1);
}

#[tokio::test]
async fn a_checkpoint_moves_with_what_the_follower_wrote() {
    let store = Store::temporary().unwrap();
    assert_eq!(store.checkpoint("f").await.unwrap(), 0);
    let mut handled = batch("other", Expected::Version(9), &["{}"]);
    handled.checkpoints.push(Checkpoint { name: "f".into(), position: 7 });
    assert!(store.commit(handled.clone()).await.is_err());
    assert_eq!(store.checkpoint("f").await.unwrap(), 0);
    handled.appends.clear();
    store.commit(handled).await.unwrap();
    assert_eq!(store.checkpoint("f").await.unwrap(), 7);
}

#[tokio::test]
async fn a_refused_batch_leaves_no_row_of_any_kind() {
    let store = Store::temporary().unwrap();
    let mut all = batch("s", Expected::Version(1), &["{}"]);
    all.states.push(State { kind: "k", id: "i".into(), data: Some(b"x".to_vec()) });
    all.runs.push(run("r", RunStatus::Queued));
    all.dead.push(DeadOp::Put(letter("d")));
    all.timers.push(TimerOp::Set(Timer { id: "t".into(), run: "r".into(), step: "s".into(), due: at(1) }));
    assert!(store.commit(all).await.is_err());
    assert_eq!(store.state("k", "i").await.unwrap(), None);
    assert_eq!(store.run("r").await.unwrap(), None);
    assert_eq!(store.dead_one("d").await.unwrap(), None);
    assert_eq!(store.next_timer().await.unwrap(), None);
    assert_eq!(*store.head().borrow(), 0);
}

#[tokio::test]
async fn signals_are_found_by_name_in_order_and_those_of_ended_runs_are_forgotten() {
    let store = Store::temporary().unwrap();
    let put = |id: &str, name: &str| {
        SignalOp::Put(Signal { run: "r".into(), id: id.into(), name: name.into(), payload: id.into() })
    };
    let commit = |signals| store.commit(Batch { signals, ..Batch::default() });
    commit(vec![put("1", "n"), put("2", "other"), put("3", "n")]).await.unwrap();
    let found = store.signals_named("r", vec!["n".into()], 0).await.unwrap();
    assert_eq!(found.iter().map(|(_, signal)| signal.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    let after = store.signals_named("r", vec!["n".into(), "other".into()], found[0].0).await.unwrap();
    assert_eq!(after.iter().map(|(_, signal)| signal.id.as_str()).collect::<Vec<_>>(), ["2", "3"]);
    commit(vec![SignalOp::Take { run: "r".into(), id: "1".into() }]).await.unwrap();
    assert_eq!(store.signal_known("r", "1").await.unwrap(), (true, 2), "one that was taken is known");
    assert_eq!(store.signal_known("r", "9").await.unwrap(), (false, 2));
    store.commit(Batch { runs: vec![run("r", RunStatus::Running)], ..Batch::default() }).await.unwrap();
    assert_eq!(store.prune(at(0)).await.unwrap(), 0, "a live run keeps them");
    store.commit(Batch { runs: vec![run("r", RunStatus::Succeeded)], ..Batch::default() }).await.unwrap();
    assert_eq!(store.prune(at(0)).await.unwrap(), 3);
}
