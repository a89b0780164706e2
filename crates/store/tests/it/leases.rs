//! Who may write: the handle whose lease is in force, and no other.

use store::{Batch, Error, Expected, Store, Work};

use crate::given::{Disk, batch};

fn one() -> Batch {
    batch("s", Expected::Any, &["{}"])
}

/// What of a handle's batches lands after another one has taken the store over.
async fn taken_over(store: Store) {
    store.commit(one()).await.unwrap();
    let next = store.take_over().await.unwrap();
    assert!(next.holds() && !store.holds() && !store.health().is_ready());
    for _ in 0..3 {
        let refused = Error::LeaseOver { lease: store.lease().clone(), current: next.lease().clone() };
        assert_eq!(store.commit(one()).await, Err(refused.clone()));
        assert_eq!(store.prune(crate::given::at(0)).await, Err(refused));
    }
    assert_eq!(store.version("s").await, Ok(1), "it is read all the same");
    assert_eq!(next.commit(one()).await.unwrap().versions, [2]);
}

#[tokio::test]
async fn a_handle_whose_store_was_taken_over_writes_nothing_more() {
    taken_over(Store::temporary().unwrap()).await;
    taken_over(Store::inline().unwrap()).await;
}

/// What is on its way to the disk when another handle takes the store over is there, or refused; and in that order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_is_taken_over_between_two_batches() {
    let store = Store::temporary().unwrap();
    let before: Vec<_> = (0..50).map(|_| tokio::spawn(commit(store.clone()))).collect();
    let next = store.take_over().await.unwrap();
    let seen = next.version("s").await.unwrap();
    let mut landed = 0;
    for commit in before {
        landed += u64::from(commit.await.unwrap().is_ok());
    }
    assert_eq!((next.version("s").await.unwrap(), landed), (seen, seen));
}

async fn commit(store: Store) -> Result<store::Receipt, Error> {
    store.commit(one()).await
}

#[tokio::test]
async fn each_opening_begins_an_epoch() {
    let disk = Disk::new();
    for epoch in 1..=3 {
        let store = disk.open();
        assert_eq!((&*store.lease().owner, store.lease().epoch), ("server", epoch));
        store.commit(one()).await.unwrap();
        store.close().await;
    }
    assert!(!Store::look(disk.path()).unwrap().lease().owner.is_empty());
}

#[tokio::test]
async fn a_damaged_lease_is_noticed() {
    let disk = Disk::new();
    let store = disk.open();
    store.commit(one()).await.unwrap();
    store.close().await;
    let sql = "UPDATE meta SET value = '0' WHERE name LIKE 'lease%'";
    rusqlite::Connection::open(disk.path()).unwrap().execute(sql, []).unwrap();
    let error = Store::open(disk.path(), store::Options::default()).unwrap_err();
    assert_eq!(error, Error::Corrupt { what: r#"the lease of "server" is not what was written"#.into() });
}

#[tokio::test]
async fn a_piece_of_work_is_one_claimants_until_it_is_dropped_or_its_epoch_is_over() {
    let store = Store::inline().unwrap();
    let first = store.claim(Work::Outbox, "a").unwrap();
    assert!(store.claim(Work::Outbox, "a").is_none() && store.is_claimed(Work::Outbox, "a"));
    assert!(store.claim(Work::Outbox, "b").is_some() && store.claim(Work::Timer, "a").is_some());
    drop(first);
    store.claim(Work::Outbox, "a").unwrap().keep();
    let late = store.claim(Work::Run, "r").unwrap();
    assert!(store.claim(Work::Outbox, "a").is_none(), "nobody knows what became of it");
    let next = store.take_over().await.unwrap();
    let claims = [next.claim(Work::Outbox, "a"), next.claim(Work::Run, "r")];
    assert!(claims.iter().all(Option::is_some));
    drop(late);
    assert!(next.is_claimed(Work::Run, "r"), "what is dropped late gives nobody else's back");
    assert!(store.claim(Work::Run, "s").is_none(), "a replaced process claims nothing");
}
