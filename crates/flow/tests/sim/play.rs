//! Plays a case: lets time pass, has people do what they do, and begins another process when one has died.

use std::collections::BTreeSet;
use std::time::Duration;

use conversation::{OutgoingWait, Want};
use flow::{Engine, RunId, Start};
use serde_json::{Value, json};
use store::{Append, Batch, DeadFilter, DeadState, Expected, NewEvent, RunFilter};
use tokio::time::{Instant, sleep_until};

use crate::case::{Case, Deed};
use crate::dice;
use crate::life::Life;
use crate::oracle::{self, Found};
use crate::tally::Tally;
use crate::world::World;

/// From then on nothing goes wrong any more.
const CALM: Duration = Duration::from_secs(180);
/// After that everything that is due has happened.
const QUIET: Duration = Duration::from_secs(3600);

/// What a case came to.
pub(crate) struct Played {
    pub(crate) violations: Vec<String>,
    pub(crate) trace: u64,
    pub(crate) tally: Tally,
    pub(crate) found: Found,
    /// How many effects stand.
    pub(crate) standing: usize,
}

/// Plays a case on a runtime of its own, whose time is held.
pub(crate) fn play(case: &Case) -> Played {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { Play::new(case).through().await })
}

struct Play<'a> {
    case: &'a Case,
    life: Life,
    began: Instant,
    tally: Tally,
    answered: usize,
}

impl<'a> Play<'a> {
    fn new(case: &'a Case) -> Self {
        let world = World::new(case, CALM);
        let life = Life::new(case.seed, world, case.flows.clone());
        Self { case, life, began: Instant::now(), tally: Tally::default(), answered: 0 }
    }

    async fn through(mut self) -> Played {
        self.life.begin().await;
        for n in 0..self.case.runs {
            self.start(n).await;
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
                until += QUIET;
                self.pass(until).await;
            }
        }
        self.judge().await
    }

    /// The configuration is whole again, and nobody dies any more.
    async fn settle_down(&mut self) {
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
        self.life.voice.asked.lock().len() > self.answered
    }

    async fn revive(&mut self) {
        self.life.bury().await;
        let down = dice::of((self.case.seed, "down", self.life.world.crashes())).below(90_000);
        tokio::time::sleep(Duration::from_millis(down)).await;
        self.life.begin().await;
    }

    /// Does something with the engine, unless the process dies over it.
    async fn with<T>(&self, work: impl AsyncFnOnce(Engine) -> T) -> Option<T> {
        let engine = self.life.engine.clone()?;
        let world = self.life.world.clone();
        tokio::select! {
            biased;
            () = world.died() => None,
            done = tokio::time::timeout(Duration::from_secs(5), work(engine)) => done.ok(),
        }
    }

    /// A caller commits until it is told that the run has begun.
    async fn start(&mut self, n: usize) {
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

    /// People answer what they were asked: some at once, some twice, some late, some not at all.
    async fn answer(&mut self) {
        while self.is_asked() && !self.life.world.is_dead() {
            let wait = self.life.voice.asked.lock()[self.answered].clone();
            let mut dice = dice::of((self.case.seed, "answer", &wait.run, &wait.step, self.answered));
            self.answered += 1;
            let payload = match (&wait.want, dice.below(10)) {
                (_, 0) => continue,
                (Want::Fact { .. }, _) => json!("red"),
                (Want::Confirm { .. }, 1 | 2) => json!({ "confirmed": false, "reason": "no" }),
                (Want::Confirm { .. }, _) => json!({ "confirmed": true }),
                (Want::Event { .. }, _) => continue,
            };
            for _ in 0..1 + dice.below(2) {
                self.reply(&wait, &format!("a{}", self.answered), &payload).await;
            }
        }
    }

    async fn reply(&self, wait: &OutgoingWait, id: &str, payload: &Value) {
        let (store, run) = (self.life.store(), &wait.run);
        self.with(async |engine| {
            let mut batch = Batch::default();
            engine.answer(&mut batch, run, &wait.question.id, id, payload);
            store.commit(batch).await.map(|_| engine.committed(&[RunId::from(run.as_str())]))
        })
        .await;
    }

    async fn signal(&self, run: &str, step: &str, id: &str, payload: &Value) {
        let store = self.life.store();
        self.with(async |engine| {
            let mut batch = Batch::default();
            engine.signal(&mut batch, run, step, id, payload);
            store.commit(batch).await.map(|_| engine.committed(&[RunId::from(run)]))
        })
        .await;
    }

    async fn deed(&mut self, deed: &Deed) {
        self.tally.deeds += 1;
        let run = async |n: usize| self.nth_run(n).await;
        let done = match deed {
            Deed::Pause(n) => match run(*n).await {
                Some(run) => self.with(async |engine| engine.pause(&run, "ops").await.is_ok()).await,
                None => None,
            },
            Deed::Resume(n) => match run(*n).await {
                Some(run) => self.with(async |engine| engine.resume(&run, false, "ops").await.is_ok()).await,
                None => None,
            },
            Deed::Cancel(n) => match run(*n).await {
                Some(run) => self.with(async |engine| engine.cancel(&run, "ops").await.is_ok()).await,
                None => None,
            },
            Deed::Restart(n, step) => match run(*n).await {
                Some(run) => self.restart(&run, *step).await,
                None => None,
            },
            Deed::Replay | Deed::Discard => self.letter(*deed == Deed::Replay).await,
            Deed::Wake => self.with(async |engine| engine.wake("keyed") > 0).await,
            Deed::Signal(n, id) => {
                if let Some(run) = run(*n).await {
                    self.signal(&run, "go", &format!("s{id}"), &json!({ "n": id })).await;
                }
                None
            }
            Deed::Publish(n) => self.publish(*n).await,
            Deed::Jump(seconds) => {
                self.life.clock.jump(jiff::SignedDuration::from_secs(*seconds));
                None
            }
            Deed::Gone(_) | Deed::Back => {
                self.life.missing = if let Deed::Gone(system) = deed { Some(system) } else { None };
                self.life.world.dies();
                self.revive().await;
                None
            }
        };
        self.tally.obeyed += u64::from(done == Some(true));
    }

    /// Any run, children included, in order of start.
    async fn nth_run(&self, n: usize) -> Option<String> {
        let store = self.life.store();
        let rows = self.with(async |_| store.runs(&RunFilter::default()).await.unwrap()).await?;
        let mut ids: Vec<_> = rows.into_iter().map(|row| (row.position, row.id)).collect();
        ids.sort();
        let len = ids.len().max(1);
        ids.into_iter().nth(n % len).map(|(_, id)| id)
    }

    async fn restart(&self, run: &str, step: u64) -> Option<bool> {
        let view = self.with(async |engine| engine.view(run).await.ok()).await??;
        let steps: Vec<_> = view.steps.iter().map(|step| step.path.clone()).collect();
        let path = steps.get(step as usize % steps.len().max(1))?.clone();
        // What a person restarts is done again; of a system without keys that is one effect more.
        self.life.world.ledger().allow(run, true);
        let done =
            self.with(async |engine| engine.restart_from(run, &path, false, "ops").await.is_ok()).await;
        if done == Some(false) {
            self.life.world.ledger().allow(run, false);
        }
        done
    }

    async fn letter(&self, replay: bool) -> Option<bool> {
        let store = self.life.store();
        let filter = DeadFilter { state: Some(DeadState::Open), ..DeadFilter::default() };
        let letter = self.with(async |_| store.dead(&filter).await.unwrap().into_iter().next()).await??;
        self.with(async |engine| match replay {
            true => engine.replay_dead(&letter.id, false, "ops").await.is_ok(),
            false => engine.discard_dead(&letter.id).await.is_ok(),
        })
        .await
    }

    async fn publish(&self, n: u64) -> Option<bool> {
        let event = NewEvent {
            type_: "Published".into(),
            data: json!({ "n": n }).to_string().into_bytes(),
            at: port::Clock::now(&*self.life.clock),
            tenant: "default".into(),
            correlation: "corr".into(),
            causation: None,
        };
        let append = Append { stream: "topic-news".into(), expected: Expected::Any, events: vec![event] };
        let store = self.life.store();
        self.with(async |_| store.commit(Batch { appends: vec![append], ..Batch::default() }).await.is_ok())
            .await
    }

    /// People look after what is left: they let paused runs go on, and try again what a person has to decide about.
    async fn tidy(&mut self) {
        let store = self.life.store();
        let rows = store.live_runs(0, 100).await.unwrap();
        let live: BTreeSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        for run in live {
            let _ = self.with(async |engine| engine.resume(&run, false, "ops").await.is_ok()).await;
        }
        for _ in 0..20 {
            if self.letter(true).await != Some(true) {
                break;
            }
        }
    }

    async fn judge(mut self) -> Played {
        let engine = self.life.engine.clone().unwrap();
        let found = oracle::look(&engine, &self.life.store()).await;
        let mut violations = self.life.world.ledger().violations.clone();
        let now = port::Clock::now(&*self.life.clock);
        violations.extend(oracle::judge(&found, &self.life, &self.case.flows, now));
        let trace = {
            let ledger = self.life.world.ledger();
            self.tally.count(&ledger, &found, &self.life.world);
            dice::digest((&ledger.requests, &ledger.effects, found.digest()))
        };
        let standing = self.life.world.ledger().effects.iter().filter(|effect| effect.standing).count();
        self.life.bury().await;
        Played { violations, trace, tally: self.tally, found, standing }
    }
}

async fn begin(engine: &Engine, store: &store::Store, n: usize) -> Result<(), store::Error> {
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
