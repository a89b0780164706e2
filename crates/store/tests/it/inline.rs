//! A store without threads: what a test decides, happens; what a dead process had committed, stays.

use futures_util::FutureExt;
use store::{Batch, Error, Expected, Fate, Moment, Receipt, Store};

use crate::given::batch;

/// Everything is done within one poll; `None` is a process that has died.
fn commit(store: &Store, batch: Batch) -> Option<Result<Receipt, Error>> {
    store.commit(batch).now_or_never()
}

fn version(store: &Store) -> Option<u64> {
    store.version("s").now_or_never().map(Result::unwrap)
}

fn one() -> Batch {
    batch("s", Expected::Any, &["{}"])
}

fn fated(fate: Fate) -> Store {
    let store = Store::inline().unwrap();
    store.commit(one()).now_or_never().unwrap().unwrap();
    store.decide(move |moment| if matches!(moment, Moment::Commit(_)) { fate } else { Fate::Done });
    store
}

#[test]
fn a_store_that_is_busy_or_full_writes_nothing_and_is_read() {
    for (fate, error) in [(Fate::Busy, Error::Busy), (Fate::Full, Error::Full)] {
        let store = fated(fate);
        assert_eq!(commit(&store, one()).unwrap(), Err(error));
        assert_eq!(version(&store), Some(1));
    }
}

#[test]
fn a_process_dies_before_a_commit_or_after_it() {
    for (fate, kept) in [(Fate::DiesBefore, 1), (Fate::DiesAfter, 2)] {
        let store = fated(fate);
        assert!(commit(&store, one()).is_none() && version(&store).is_none(), "{fate:?}: it is dead");
        let next = store.reopened();
        assert_eq!((version(&next), *next.head().borrow()), (Some(kept), kept), "{fate:?}");
        next.decide(|_| Fate::Done);
        assert!(commit(&next, one()).unwrap().is_ok() && commit(&store, one()).is_none());
    }
}

#[test]
fn a_refused_batch_leaves_nothing_behind() {
    let store = fated(Fate::Done);
    let mut refused = one();
    refused.appends.push(batch("t", Expected::Version(7), &["{}"]).appends.remove(0));
    assert!(matches!(commit(&store, refused).unwrap(), Err(Error::Version { actual: 0, .. })));
    assert_eq!(version(&store), Some(1));
    assert_eq!(commit(&store, one()).unwrap().unwrap().versions, [2]);
}
