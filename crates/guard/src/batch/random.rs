//! Whatever the sizes, times and faults, each item has its own answer once, and no more batches are out than may be.
//!
//! A failure names its seed; `BATCH_SEED=… cargo test -p guard batch::random` replays that one.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use parking_lot::Mutex;
use port::{Entropy, Fault, Kind, Landed, SeededEntropy};
use tokio::sync::oneshot;

use super::batcher;
use crate::policy;

/// A system that takes batches, refuses those with a poison item, and takes its time.
struct System {
    dice: SeededEntropy,
    poison: BTreeSet<u64>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    out: usize,
    most_out: usize,
    largest: usize,
    taken: Vec<u64>,
}

impl System {
    async fn take(&self, items: Vec<u64>) -> Result<Vec<u64>, Fault> {
        let out = {
            let mut seen = self.seen.lock();
            seen.out += 1;
            (seen.most_out, seen.largest) = (seen.most_out.max(seen.out), seen.largest.max(items.len()));
            Out(self)
        };
        tokio::time::sleep(Duration::from_millis(among(&self.dice, 0..=20))).await;
        drop(out);
        if items.iter().any(|item| self.poison.contains(item)) {
            return Err(Fault::new(Kind::Invalid, Landed::No, "an item is invalid"));
        }
        self.seen.lock().taken.extend(&items);
        Ok(items.iter().map(|item| item * 2).collect())
    }
}

/// A batch that is out.
struct Out<'a>(&'a System);

impl Drop for Out<'_> {
    fn drop(&mut self) {
        self.0.seen.lock().out -= 1;
    }
}

fn among(dice: &dyn Entropy, range: RangeInclusive<u64>) -> u64 {
    range.start() + dice.bits() % (range.end() - range.start() + 1)
}

/// Items come at random times; half of the time the shutdown comes among them.
async fn story(seed: u64) {
    let dice = SeededEntropy::new(seed);
    let draw = |range| among(&dice, range);
    let number = |range| NonZeroU32::new(u32::try_from(draw(range)).unwrap()).unwrap();
    let numbers = policy::Batch {
        size: number(1..=12),
        timeout: Duration::from_millis(draw(1..=30)),
        in_flight: number(1..=5),
        queue: number(1..=40),
    };
    let items = draw(0..=120);
    let poison: BTreeSet<u64> = (0..items).filter(|_| draw(0..=9) == 0).collect();
    let system = Arc::new(System {
        dice: SeededEntropy::new(seed + 1),
        poison: poison.clone(),
        seen: Mutex::default(),
    });
    let taking = Arc::clone(&system);
    let (batcher, worker) = batcher(&numbers, move |items| {
        let system = Arc::clone(&taking);
        async move { system.take(items).await }
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let working = tokio::spawn(worker.run(async { drop(stopped.await) }));
    let end = Duration::from_millis(if draw(0..=1) == 0 { 10_000 } else { draw(0..=100) });
    tokio::spawn(async move {
        tokio::time::sleep(end).await;
        let _worker_is_gone = stop.send(());
    });
    let pushes = (0..items).map(|item| {
        let (batcher, pause) = (batcher.clone(), Duration::from_millis(draw(0..=100)));
        async move {
            tokio::time::sleep(pause).await;
            batcher.push(item).await
        }
    });
    let answers = join_all(pushes).await;
    drop(batcher);
    working.await.unwrap();

    let mut expected = Vec::new();
    for (item, answer) in (0..items).zip(&answers) {
        match answer {
            Ok(answer) => {
                assert_eq!(*answer, item * 2, "another's answer");
                expected.push(item);
            }
            Err(fault) if fault.kind == Kind::Invalid => assert!(poison.contains(&item), "{item} is sound"),
            Err(fault) => {
                assert_eq!((fault.kind, fault.landed), (Kind::Internal, Landed::No), "it was too late")
            }
        }
    }
    let too_late =
        answers.iter().filter(|answer| matches!(answer, Err(fault) if fault.kind == Kind::Internal));
    assert!(end < Duration::from_secs(10) || too_late.count() == 0, "there was no shutdown");
    let mut seen = system.seen.lock();
    seen.taken.sort_unstable();
    assert_eq!(seen.taken, expected, "taken once each, and told so");
    assert!(seen.most_out <= numbers.in_flight.get() as usize, "{} batches out", seen.most_out);
    assert!(seen.largest <= numbers.size.get() as usize, "{} in a batch", seen.largest);
}

#[test]
fn each_item_has_its_own_answer_once() {
    let given = std::env::var("BATCH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seeds: Vec<u64> = given.map_or_else(|| (0..400).collect(), |seed| vec![seed]);
    for seed in seeds {
        let told = std::panic::catch_unwind(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.unwrap().block_on(story(seed));
        });
        assert!(told.is_ok(), "replay with BATCH_SEED={seed} cargo test -p guard batch::random");
    }
}
