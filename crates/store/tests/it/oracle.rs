//! Random operations on the store and on a model of it in memory: equal answers, equal rows, also after reopening.

use std::collections::BTreeMap;

use store::{Batch, Error, Expected, KeyOp, KeyRecord, KeyState, Lease, State, Store};

use crate::given::{Disk, append, at};

const OPERATIONS: usize = 1_500;

#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    log: Vec<(String, u64, Vec<u8>)>,
    streams: BTreeMap<String, u64>,
    states: BTreeMap<String, Vec<u8>>,
    keys: BTreeMap<String, KeyRecord>,
    lease: Lease,
}

impl Model {
    fn commit(&mut self, batch: &Batch) -> Result<Vec<u64>, Error> {
        let mut next = self.clone();
        let mut versions = Vec::new();
        for append in &batch.appends {
            versions.push(next.append(append)?);
        }
        for op in &batch.keys {
            next.key(op)?;
        }
        for state in &batch.states {
            match &state.data {
                Some(data) => next.states.insert(state.id.clone(), data.clone()),
                None => next.states.remove(&state.id),
            };
        }
        *self = next;
        Ok(versions)
    }

    fn version(&self, stream: &str) -> u64 {
        self.streams.get(stream).copied().unwrap_or(0)
    }

    fn append(&mut self, append: &store::Append) -> Result<u64, Error> {
        let actual = self.version(&append.stream);
        let (stream, expected) = (append.stream.clone(), append.expected);
        if !expected.allows(actual) {
            return Err(Error::Version { stream, expected, actual });
        }
        for (version, event) in (actual + 1..).zip(&append.events) {
            self.log.push((stream.clone(), version, event.data.clone()));
            self.streams.insert(stream.clone(), version);
        }
        Ok(actual + append.events.len() as u64)
    }

    fn key(&mut self, op: &KeyOp) -> Result<(), Error> {
        match op {
            KeyOp::Claim(record) => match self.keys.get(&record.key) {
                Some(found)
                    if found.expires > record.created
                        && !(found.state == KeyState::InProgress
                            && (found.owner == record.owner || found.lease != self.lease)) =>
                {
                    return Err(Error::Key(Box::new(found.clone())));
                }
                _ => {
                    let record = KeyRecord { lease: self.lease.clone(), ..record.clone() };
                    self.keys.insert(record.key.clone(), record);
                }
            },
            KeyOp::Finish { key, owner, response, expires, .. } => {
                let found = self.keys.get_mut(key).filter(|found| found.owner == *owner);
                let Some(found) = found else { return Err(Error::Lapsed { key: key.clone() }) };
                found.state = KeyState::Done { response: response.clone() };
                found.expires = *expires;
            }
            KeyOp::Release { key, owner, .. } => {
                self.keys.retain(|_, found| {
                    !(found.key == *key && found.owner == *owner && found.state == KeyState::InProgress)
                });
            }
        }
        Ok(())
    }
}

struct Dice(fastrand::Rng);

impl Dice {
    fn batch(&mut self, model: &Model, now: i64) -> Batch {
        let mut batch = Batch::default();
        for _ in 0..self.0.usize(..3) {
            let stream = format!("s-{}", self.0.u8(..4));
            let expected = match self.0.u8(..5) {
                0 => Expected::Any,
                1 => Expected::NoStream,
                2 => Expected::Version(self.0.u64(..6)),
                _ => Expected::Version(model.version(&stream)),
            };
            let data = vec!["{}"; self.0.usize(..3)];
            batch.appends.push(append(&stream, expected, &data));
        }
        if self.0.bool() {
            let data = self.0.bool().then(|| vec![self.0.u8(..); self.0.usize(..50)]);
            batch.states.push(State { kind: "k", id: self.0.u8(..6).to_string(), data });
        }
        for _ in 0..self.0.usize(..3) {
            batch.keys.push(self.key(now));
        }
        batch
    }

    fn key(&mut self, now: i64) -> KeyOp {
        let (tenant, key) = ("acme".to_owned(), self.0.u8(..4).to_string());
        let owner = self.0.u8(..3).to_string();
        match self.0.u8(..4) {
            0 => KeyOp::Finish { tenant, key, owner, response: vec![self.0.u8(..)], expires: at(now + 20) },
            1 => KeyOp::Release { tenant, key, owner },
            _ => KeyOp::Claim(KeyRecord {
                tenant,
                key,
                owner,
                fingerprint: [1; 32],
                lease: Lease::default(),
                state: KeyState::InProgress,
                created: at(now),
                expires: at(now + self.0.i64(1..20)),
            }),
        }
    }
}

async fn snapshot(store: &Store) -> Model {
    let mut found = Model { lease: store.lease().clone(), ..Model::default() };
    for event in store.log(0, 10_000).await.unwrap() {
        found.streams.insert(event.stream.to_string(), event.version);
        found.log.push((event.stream.to_string(), event.version, event.data));
    }
    for row in store.states("k", "", None, 1000).await.unwrap() {
        found.states.insert(row.id, row.data);
    }
    for key in 0..4 {
        if let Some(record) = store.key("acme", &key.to_string()).await.unwrap() {
            found.keys.insert(record.key.clone(), record);
        }
    }
    found
}

fn seed(test: &str) -> u64 {
    let given = std::env::var("CARDAN_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("replay: CARDAN_SEED={seed} cargo test -p store --test it {test} -- --nocapture");
    seed
}

/// Compares a store with the model; `again` closes it and opens it anew.
async fn compare(seed: u64, mut store: Store, again: impl Fn(Store) -> Store) {
    let mut dice = Dice(fastrand::Rng::with_seed(seed));
    let mut model = Model { lease: store.lease().clone(), ..Model::default() };
    for turn in 0..OPERATIONS {
        let batch = dice.batch(&model, turn as i64 / 10);
        let wanted = model.commit(&batch);
        let answer = store.commit(batch.clone()).await.map(|receipt| receipt.versions);
        assert_eq!(answer, wanted, "seed {seed}, operation {turn}: {batch:?}");
        if dice.0.u8(..200) == 0 {
            store = again(store);
            model.lease = store.lease().clone();
        }
        if turn % 100 == 0 {
            assert_eq!(snapshot(&store).await, model, "seed {seed}, operation {turn}");
        }
    }
    assert_eq!(snapshot(&store).await, model, "seed {seed}");
    store.verify().await.unwrap();
}

#[tokio::test]
async fn the_store_answers_as_the_model_does() {
    let disk = Disk::new();
    let again = |store| {
        drop(store);
        disk.open()
    };
    compare(seed("the_store_answers"), disk.open(), again).await;
}

#[tokio::test]
async fn a_store_without_threads_answers_as_the_model_does() {
    compare(seed("a_store_without_threads"), Store::inline().unwrap(), |store| store.reopened()).await;
}
