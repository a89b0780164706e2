//! Streams, versions and positions.

use std::collections::HashSet;
use std::sync::Arc;

use store::{Batch, Error, Expected, Receipt, Store};

use crate::given::{Disk, append, at, batch, event};

#[tokio::test]
async fn an_event_comes_back_as_it_was_appended() {
    let store = Store::temporary().unwrap();
    let mut given = event(r#"{"a":1}"#);
    given.causation = Some("act-9".into());
    given.at = at(5);
    let mut wanted = batch("conversation-1", Expected::NoStream, &[]);
    wanted.appends[0].events.push(given.clone());
    let receipt = store.commit(wanted).await.unwrap();
    assert_eq!(receipt, Receipt { position: 1, first: 1, versions: vec![1] });

    let found = store.stream("conversation-1", 0, 10).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found, store.log(0, 10).await.unwrap());
    let found = &found[0];
    assert_eq!((found.position, found.version, &*found.stream), (1, 1, "conversation-1"));
    assert_eq!((&found.data, &*found.type_, found.at), (&given.data, "Happened", given.at));
    assert_eq!((&*found.tenant, &*found.correlation), ("acme", "cor-1"));
    assert_eq!(found.causation.as_deref(), Some("act-9"));
}

#[tokio::test]
async fn b5_version_is_checked_in_the_writing_transaction() {
    let store = Store::temporary().unwrap();
    store.commit(batch("s", Expected::NoStream, &["1", "2"])).await.unwrap();
    let refused = |expected, actual| Err(Error::Version { stream: "s".into(), expected, actual });
    for expected in [Expected::NoStream, Expected::Version(0), Expected::Version(1), Expected::Version(3)] {
        assert_eq!(store.commit(batch("s", expected, &["x"])).await, refused(expected, 2));
    }
    assert_eq!(store.commit(batch("s", Expected::Version(2), &["3"])).await.unwrap().versions, [3]);
    assert_eq!(store.commit(batch("s", Expected::Any, &["4"])).await.unwrap().versions, [4]);
    assert_eq!(store.version("s").await.unwrap(), 4);
}

#[tokio::test]
async fn b5_must_not_exist_can_be_said() {
    let store = Store::temporary().unwrap();
    assert!(store.commit(batch("s", Expected::Version(1), &["x"])).await.is_err());
    store.commit(batch("s", Expected::NoStream, &["1"])).await.unwrap();
    assert!(store.commit(batch("s", Expected::NoStream, &["1"])).await.is_err());
}

#[tokio::test]
async fn an_expectation_without_events_guards_a_batch() {
    let store = Store::temporary().unwrap();
    store.commit(batch("a", Expected::NoStream, &["1"])).await.unwrap();
    let guarded = |expected| Batch {
        appends: vec![append("a", expected, &[]), append("b", Expected::Any, &["1"])],
        ..Batch::default()
    };
    assert!(store.commit(guarded(Expected::Version(2))).await.is_err());
    assert_eq!(store.commit(guarded(Expected::Version(1))).await.unwrap().versions, [1, 1]);
}

#[tokio::test]
async fn appends_of_one_batch_see_each_other() {
    let store = Store::temporary().unwrap();
    let twice = |second| Batch {
        appends: vec![append("s", Expected::NoStream, &["1", "2"]), append("s", second, &["3"])],
        ..Batch::default()
    };
    assert!(store.commit(twice(Expected::Version(1))).await.is_err());
    assert_eq!(store.log(0, 10).await.unwrap(), []);
    assert_eq!(store.commit(twice(Expected::Version(2))).await.unwrap().versions, [2, 3]);
}

/// F20: concurrent clients, each with its own idea of the version. One winner per expected version, and the log is
/// exactly what was acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_winner_per_expected_version() {
    let store = Store::temporary().unwrap();
    let mut clients = Vec::new();
    for client in 0..16 {
        let store = store.clone();
        clients.push(tokio::spawn(async move {
            let (mut won, mut version) = (Vec::new(), 0);
            while won.len() < 25 {
                let data = format!("{client}/{}", won.len());
                match store.commit(batch("s", Expected::Version(version), &[&data])).await {
                    Ok(receipt) => {
                        assert_eq!(receipt.versions, [version + 1], "won against another's event");
                        version += 1;
                        won.push((version, data));
                    }
                    Err(Error::Version { actual, .. }) => version = actual,
                    Err(other) => panic!("{other}"),
                }
            }
            won
        }));
    }
    let mut won = Vec::new();
    for client in clients {
        won.extend(client.await.unwrap());
    }
    won.sort();
    let found = store.stream("s", 0, 1000).await.unwrap();
    let found: Vec<_> =
        found.into_iter().map(|event| (event.version, String::from_utf8(event.data).unwrap())).collect();
    assert_eq!(found, won);
}

/// Positions have no gaps although every other batch of a group is refused, some of them after they wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn positions_have_no_gaps_among_refused_batches() {
    let store = Store::temporary().unwrap();
    let mut head = store.head();
    let follower = tokio::spawn({
        let store = store.clone();
        async move {
            let mut seen = 0;
            while seen < 400 {
                head.changed().await.unwrap();
                let upto = *head.borrow_and_update();
                // What the head announces is there.
                while seen < upto {
                    seen = store.log(seen, 100).await.unwrap().last().unwrap().position;
                }
            }
        }
    });
    let mut clients = Vec::new();
    for client in 0..8 {
        let store = store.clone();
        clients.push(tokio::spawn(async move {
            for turn in 0..50 {
                let stream = format!("c-{client}");
                store.commit(batch(&stream, Expected::Version(turn), &["{}"])).await.unwrap();
                assert!(store.commit(batch(&stream, Expected::NoStream, &["{}"])).await.is_err());
                assert!(store.commit(crate::keys::refused_late(&stream, turn)).await.is_err());
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    follower.await.unwrap();
    let log = store.log(0, 1000).await.unwrap();
    assert_eq!(log.iter().map(|event| event.position).collect::<Vec<_>>(), (1..=400).collect::<Vec<_>>());
    store.verify().await.unwrap();
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_drop_without_close() {
    let disk = Disk::new();
    for round in 0..3 {
        let store = disk.open();
        for turn in 0..20 {
            store.commit(batch("s", Expected::Version(round * 20 + turn), &["{}"])).await.unwrap();
        }
        assert_eq!(*store.head().borrow(), (round + 1) * 20);
    }
    assert_eq!(disk.open().version("s").await.unwrap(), 60);
}

#[tokio::test]
async fn a_dropped_future_does_not_undo_its_batch() {
    let store = Store::temporary().unwrap();
    let asked = store.commit(batch("s", Expected::NoStream, &["{}"]));
    // Polled once, so that the batch is on its way, then dropped.
    let _ = tokio::time::timeout(std::time::Duration::ZERO, asked).await;
    store.commit(Batch::default()).await.unwrap();
    assert_eq!(store.version("s").await.unwrap(), 1);
}

#[tokio::test]
async fn a_name_or_batch_that_is_too_large_is_refused_before_the_queue() {
    let store = Store::temporary().unwrap();
    for name in [String::new(), "n".repeat(513)] {
        let refused = store.commit(batch(&name, Expected::Any, &["{}"])).await;
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    }
    let huge = "x".repeat(17 << 20);
    let refused = store.commit(batch("s", Expected::Any, &[&huge])).await;
    assert!(matches!(refused, Err(Error::TooLarge { what: "batch", .. })), "{refused:?}");
}

#[tokio::test]
async fn b9_a_full_queue_says_busy_and_keeps_what_it_took() {
    let options = store::Options { queue: 2, ..store::Options::default() };
    let disk = Disk::new();
    let store = Arc::new(Store::open(disk.path(), options).unwrap());
    let asked: Vec<_> = (0..200)
        .map(|turn| {
            let store = store.clone();
            tokio::spawn(async move {
                (turn, store.commit(batch(&format!("s-{turn}"), Expected::NoStream, &["{}"])).await)
            })
        })
        .collect();
    let mut kept = HashSet::new();
    for answer in asked {
        match answer.await.unwrap() {
            (turn, Ok(_)) => assert!(kept.insert(format!("s-{turn}"))),
            (_, Err(error)) => assert_eq!(error, Error::Busy),
        }
    }
    let found: HashSet<_> =
        store.log(0, 1000).await.unwrap().iter().map(|event| event.stream.to_string()).collect();
    assert_eq!(found, kept);
    assert_eq!(store.health().queued, 0);
}

#[tokio::test]
async fn b9_one_refused_batch_does_not_fail_its_group() {
    let store = Store::temporary().unwrap();
    store.commit(batch("taken", Expected::NoStream, &["{}"])).await.unwrap();
    let asked: Vec<_> = (0..64)
        .map(|turn| {
            let store = store.clone();
            let stream = if turn % 8 == 0 { "taken".to_owned() } else { format!("free-{turn}") };
            tokio::spawn(
                async move { store.commit(batch(&stream, Expected::NoStream, &["{}"])).await.is_ok() },
            )
        })
        .collect();
    let mut good = 0;
    for answer in asked {
        good += usize::from(answer.await.unwrap());
    }
    assert_eq!((good, store.log(0, 1000).await.unwrap().len()), (56, 57));
}

#[tokio::test]
async fn a_closed_store_commits_what_was_queued_and_takes_no_more() {
    let disk = Disk::new();
    let store = disk.open();
    let asked: Vec<_> = (0..50)
        .map(|turn| {
            let store = store.clone();
            tokio::spawn(async move {
                store.commit(batch(&format!("s-{turn}"), Expected::NoStream, &["{}"])).await
            })
        })
        .collect();
    tokio::task::yield_now().await;
    let other = store.clone();
    store.close().await;
    assert_eq!(other.commit(batch("late", Expected::Any, &["{}"])).await, Err(Error::Closed));
    let mut acknowledged = 0;
    for answer in asked {
        acknowledged += u64::from(answer.await.unwrap().is_ok());
    }
    // The file is free again although `other` still lives.
    let again = disk.open();
    assert_eq!(*again.head().borrow(), acknowledged);
}

#[tokio::test]
async fn a_stream_knows_how_long_it_was_at_a_position_of_the_log() {
    let store = Store::temporary().unwrap();
    let mut last = vec![0];
    for turn in 0..40_u64 {
        let stream = if turn % 3 == 0 { "s" } else { "another" };
        store.commit(batch(stream, Expected::Any, &["1"])).await.unwrap();
        last.push(last[last.len() - 1] + u64::from(turn % 3 == 0));
    }
    for (position, version) in last.iter().enumerate() {
        assert_eq!(store.version_at("s", position as u64).await.unwrap(), *version, "at {position}");
    }
    assert_eq!(store.version_at("s", u64::MAX).await.unwrap(), 14);
    assert_eq!(store.version_at("nobody", 7).await.unwrap(), 0);
}
