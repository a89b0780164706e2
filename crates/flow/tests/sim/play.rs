//! Plays a case: lets time pass, has people do what they do, and begins another process when one has died.

use std::time::Duration;

use flow::{Engine, RunId, Start};
use serde_json::json;
use store::Batch;
use tokio::time::{Instant, sleep_until};

use crate::case::Case;
use crate::deed::Version;
use crate::diary::Diary;
use crate::dice;
use crate::life::Life;
use crate::oracle::{self, Found};
use crate::tally::Tally;
use crate::world::World;

/// From then on nothing goes wrong any more.
const CALM: Duration = Duration::from_secs(180);
/// After that everything that is due has happened.
const QUIET: Duration = Duration::from_secs(3600);
/// So long after people have looked after what was left everything has happened that they set going.
const NIGHT: Duration = Duration::from_secs(1200);

/// What a case came to.
pub(crate) struct Played {
    pub(crate) violations: Vec<String>,
    pub(crate) trace: u64,
    pub(crate) tally: Tally,
    pub(crate) found: Found,
    /// How many effects stand.
    pub(crate) standing: usize,
    /// How many events and acts were said: those published, and those emitted, each by its id.
    pub(crate) said: usize,
    /// What the systems were asked, for people.
    pub(crate) book: String,
}

/// Plays a case on a runtime of its own, whose time is held.
pub(crate) fn play(case: &Case) -> Played {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { Play::new(case).through().await })
}

/// A case that is played.
pub(crate) struct Play<'a> {
    pub(crate) case: &'a Case,
    pub(crate) life: Life,
    began: Instant,
    pub(crate) tally: Tally,
    pub(crate) diary: Diary,
    /// How many commits were made.
    pub(crate) commits: usize,
}

impl<'a> Play<'a> {
    fn new(case: &'a Case) -> Self {
        let world = World::new(case, CALM);
        let life = Life::new(case, world);
        let (tally, diary) = (Tally::default(), Diary::default());
        Self { case, life, began: Instant::now(), tally, diary, commits: 0 }
    }

    async fn through(mut self) -> Played {
        self.life.begin().await;
        for _ in 0..self.case.runs {
            self.newcomer().await;
        }
        let case = self.case;
        for (at, deed) in &case.deeds {
            self.pass(*at).await;
            self.deed(deed).await;
        }
        self.pass(CALM).await;
        self.settle_down().await;
        let mut until = CALM + QUIET;
        self.pass(until).await;
        if case.tidied {
            for _ in 0..6 {
                self.tidy().await;
                until += NIGHT;
                self.pass(until).await;
            }
        }
        self.judge().await
    }

    /// The configuration is whole again, and nobody dies any more.
    async fn settle_down(&mut self) {
        self.life.deploy(Version::First);
        if self.life.missing.take().is_some() {
            self.life.world.dies();
            self.revive().await;
        }
    }

    /// Lets time pass until then; people answer what they were asked.
    async fn pass(&mut self, until: Duration) {
        let end = self.began + until;
        while Instant::now() < end {
            let next = (Instant::now() + Duration::from_secs(if self.is_asked() { 4 } else { 30 })).min(end);
            let world = self.life.world.clone();
            tokio::select! {
                biased;
                () = world.died() => self.revive().await,
                () = sleep_until(next) => {}
            }
            self.answer().await;
        }
    }

    fn is_asked(&self) -> bool {
        self.life.voice.asked.lock().len() > self.diary.heard || !self.diary.to_answer.is_empty()
    }

    pub(crate) async fn revive(&mut self) {
        self.life.bury().await;
        let down = dice::of((self.case.seed, "down", self.life.world.crashes())).below(90_000);
        tokio::time::sleep(Duration::from_millis(down)).await;
        self.life.begin().await;
    }

    /// Does something with the engine, unless the process dies over it.
    pub(crate) async fn with<T>(&self, work: impl AsyncFnOnce(Engine) -> T) -> Option<T> {
        let engine = self.life.engine.clone()?;
        let world = self.life.world.clone();
        tokio::select! {
            biased;
            () = world.died() => None,
            done = tokio::time::timeout(Duration::from_secs(5), work(engine)) => done.ok(),
        }
    }

    /// A caller commits until it is told that the run has begun.
    pub(crate) async fn newcomer(&mut self) {
        let n = self.commits;
        self.commits += 1;
        loop {
            let store = self.life.store();
            let begun = self.with(async |engine| begin(&engine, &store, n).await).await;
            match begun {
                Some(Ok(())) => return,
                Some(Err(store::Error::Version { .. })) => return,
                Some(Err(error)) => panic!("{error}"),
                None if self.life.world.is_dead() => self.revive().await,
                None => {}
            }
        }
    }

    async fn judge(mut self) -> Played {
        let engine = self.life.engine.clone().unwrap();
        let found = oracle::look(&engine, &self.life.store()).await;
        let mut violations = self.life.world.ledger().violations.clone();
        violations.extend(self.diary.violations.clone());
        let now = port::Clock::now(&*self.life.clock);
        violations.extend(oracle::judge(&found, &self, now));
        let trace = {
            let ledger = self.life.world.ledger();
            self.tally.count(&ledger, &found, &self.life.world);
            dice::digest((&ledger.requests, &ledger.effects, found.digest()))
        };
        let published = self.life.store().version("topic-news").await.unwrap() as usize;
        let said = published + self.life.emitted();
        let standing = self.life.world.ledger().effects.iter().filter(|effect| effect.standing).count();
        let book = self.life.world.ledger().shown();
        self.life.bury().await;
        Played { violations, trace, tally: self.tally, found, standing, said, book }
    }
}

/// Makes the commit of this number.
pub(crate) async fn begin(engine: &Engine, store: &store::Store, n: usize) -> Result<(), store::Error> {
    let commit = format!("act_{n}");
    let mut start = Start::default();
    start.run = RunId::of_commit("default", "conv_1", &commit, "main").to_string();
    start.flow = "main".into();
    start.tenant = "default".into();
    start.conversation = Some("conv_1".into());
    start.commit = Some(commit);
    start.correlation = "corr".into();
    start.input = json!({ "entity": { "id": "order-1", "order": "o-1" } });
    let mut batch = Batch::default();
    let run = engine.begin(&mut batch, start).unwrap();
    store.commit(batch).await?;
    engine.committed(&[run]);
    Ok(())
}
