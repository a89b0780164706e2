//! A store without space.

use std::time::Duration;

use store::{Batch, Error, Expected, Options, State, Store};

use crate::given::{Disk, batch};

fn state(id: usize, data: Option<Vec<u8>>) -> Batch {
    let states = vec![State { kind: "entity", id: id.to_string(), data }];
    Batch { states, ..batch("log", Expected::Any, &["{}"]) }
}

#[tokio::test]
async fn a_full_store_refuses_loses_nothing_and_recovers() {
    let disk = Disk::new();
    // It does not look for space by itself: how full it is does not change while we look.
    let options =
        Options { file_bytes: Some(1 << 20), probe: Duration::from_secs(3600), ..Options::default() };
    let store = Store::open(disk.path(), options).unwrap();
    let mut kept = 0;
    let refused = loop {
        match store.commit(state(kept, Some(vec![b'x'; 20_000]))).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, Error::Full);
    assert!(kept > 10);
    assert!(store.health().full && !store.health().is_ready());
    assert_eq!(*store.head().borrow(), kept as u64);
    assert_eq!(store.states("entity", "", None, 1000).await.unwrap().len(), kept);

    // Space returns; a small write makes the store ready again.
    for id in 0..5 {
        store.commit(state(id, None)).await.unwrap();
    }
    assert!(store.health().is_ready());
    store.commit(state(0, Some(vec![b'y'; 20_000]))).await.unwrap();
    assert_eq!(store.verify().await.unwrap().events, kept as u64 + 6);
}

#[tokio::test]
async fn a_full_store_becomes_ready_without_a_write() {
    let disk = Disk::new();
    let options = Options { file_bytes: Some(1 << 20), ..Options::default() };
    let store = Store::open(disk.path(), options).unwrap();
    while store.commit(state(0, Some(vec![b'x'; 1_200_000]))).await.is_ok() {}
    // The batch was too large for the space there is, but there is space.
    let ready = async {
        while store.health().full {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), ready).await.is_ok(), "it stays full");
}
