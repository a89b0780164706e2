//! What people do with runs and letters, and what is not to be obeyed.

use flow::{Engine, Error, RunView, StepStatus};
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::{Append, Batch, DeadFilter, DeadState, Expected, NewEvent, RunFilter};

use crate::deed::Deed;
use crate::oracle::mark;
use crate::play::{Play, begin};

/// Who does what is done at a time.
pub(crate) const OPS: &str = "ops";
/// Who looks after what is left at the end.
const NIGHT: &str = "night shift";

impl Play<'_> {
    pub(crate) async fn deed(&mut self, deed: &Deed) {
        self.tally.deeds += 1;
        let done = match deed {
            Deed::Replay | Deed::Discard => self.letter(*deed == Deed::Replay, OPS).await,
            Deed::Wake => self.with(async |engine| engine.wake("keyed") > 0).await,
            Deed::Publish(n) => self.publish(*n).await,
            Deed::Withdraw(n) => self.withdraw(*n).await,
            Deed::Newcomer => {
                self.newcomer().await;
                Some(true)
            }
            Deed::Repeated(n) => self.commits_again(*n).await,
            Deed::Deploy(version) => {
                self.life.deploy(*version);
                Some(true)
            }
            Deed::Jump(seconds) => {
                self.life.clock.jump(SignedDuration::from_secs(*seconds));
                None
            }
            Deed::Gone(_) | Deed::Back => {
                self.life.missing = if let Deed::Gone(system) = deed { Some(system) } else { None };
                self.life.world.dies();
                self.revive().await;
                None
            }
            Deed::Pause(n) | Deed::Resume(n) | Deed::SendAgain(n) | Deed::Cancel(n) => {
                self.tell_run(*n, deed).await
            }
            Deed::Restart(n, _) | Deed::Settle(n, _) | Deed::Undo(n, _) | Deed::Signal(n, _) => {
                self.tell_run(*n, deed).await
            }
            Deed::ReleaseKey(n) => self.tell_run(*n, deed).await,
        };
        self.tally.obeyed += u64::from(done == Some(true));
    }

    async fn tell_run(&mut self, n: usize, deed: &Deed) -> Option<bool> {
        let run = &self.nth_run(n).await?;
        let done = match deed {
            Deed::Pause(_) => self.command(async |engine| engine.pause(run, OPS).await).await,
            Deed::Resume(_) => self.command(async |engine| engine.resume(run, false, OPS).await).await,
            Deed::Cancel(_) => self.command(async |engine| engine.cancel(run, OPS).await).await,
            Deed::Undo(_, force) => self.command(async |engine| engine.undo(run, *force, OPS).await).await,
            Deed::ReleaseKey(_) => self.command(async |engine| engine.release_key(run, OPS).await).await,
            Deed::SendAgain(_) => self.allowed(run, async |engine| engine.resume(run, true, OPS).await).await,
            Deed::Restart(_, step) => self.restart(run, *step).await,
            Deed::Settle(_, step) => self.settle_one(run, *step).await,
            Deed::Signal(_, id) => return self.signal(run, *id).await,
            _ => None,
        };
        self.diary.obeyed += usize::from(done == Some(true));
        done
    }

    /// Whether the engine obeys.
    async fn command(&self, tell: impl AsyncFnOnce(Engine) -> Result<(), Error>) -> Option<bool> {
        self.with(async |engine| tell(engine).await.is_ok()).await
    }

    /// What a person has done again is, of a system without keys, one effect more.
    async fn allowed(&self, run: &str, tell: impl AsyncFnOnce(Engine) -> Result<(), Error>) -> Option<bool> {
        self.life.world.ledger().allow(run, true);
        let done = self.command(tell).await;
        if done == Some(false) {
            self.life.world.ledger().allow(run, false);
        }
        done
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

    async fn view(&self, run: &str) -> Option<RunView> {
        self.with(async |engine| engine.view(run).await.ok()).await?
    }

    async fn restart(&self, run: &str, step: u64) -> Option<bool> {
        let view = self.view(run).await?;
        let steps: Vec<_> = view.steps.iter().map(|step| step.path.clone()).collect();
        let path = steps.get(step as usize % steps.len().max(1))?.clone();
        self.allowed(run, async |engine| engine.restart_from(run, &path, false, OPS).await).await
    }

    /// A person says what became of one of a run's steps.
    async fn settle_one(&mut self, run: &str, step: u64) -> Option<bool> {
        let view = self.view(run).await?;
        let paths: Vec<_> =
            view.steps.iter().chain(&view.compensation).map(|step| step.path.clone()).collect();
        let path = paths.get(step as usize % paths.len().max(1))?.clone();
        self.settle(&view, &path, OPS).await
    }

    /// Says of a step, or of its undoing, what the world's ledger says; nothing while that may still change.
    async fn settle(&mut self, view: &RunView, path: &str, by: &str) -> Option<bool> {
        let truth = self.truth(view, path)?;
        let run = &view.id;
        let done = self.command(async |engine| engine.settle(run, path, truth, by).await).await;
        if done == Some(true) && is_known(view, path) {
            self.diary.violations.push(format!("10: {run}/{path} was known, and was settled"));
        }
        done
    }

    fn truth(&self, view: &RunView, path: &str) -> Option<Option<Value>> {
        let step = path.strip_suffix("/undo").unwrap_or(path);
        let found = view.steps.iter().find(|found| found.path == step)?;
        let mark = mark(&view.id, found, &self.case.flows)?;
        let ledger = self.life.world.ledger();
        if ledger.is_underway(&mark) {
            return None;
        }
        let stands = ledger.standing(&mark).next().map(|effect| json!({ "id": effect.id.to_string() }));
        Some(match (path.ends_with("/undo"), stands) {
            (false, stands) => stands,
            (true, None) => Some(Value::Null),
            (true, Some(_)) => None,
        })
    }

    async fn letter(&self, replay: bool, by: &str) -> Option<bool> {
        let store = self.life.store();
        let filter = DeadFilter { state: Some(DeadState::Open), ..DeadFilter::default() };
        let letter = self.with(async |_| store.dead(&filter).await.unwrap().into_iter().next()).await??;
        self.with(async |engine| match replay {
            true => engine.replay_dead(&letter.id, false, by).await.is_ok(),
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

    async fn signal(&mut self, run: &str, n: u64) -> Option<bool> {
        let (id, payload) = (format!("s{n}"), json!({ "n": n }));
        let sent = flow::Sent { name: "go", id: &id, payload: &payload };
        let done = self.with(async |engine| engine.send_signal(run, sent).await.is_ok()).await;
        if done == Some(true) {
            let now = port::Clock::now(&*self.life.clock);
            self.diary.signals.push((run.to_owned(), id, now));
        }
        done
    }

    /// The same commit once more begins nothing.
    async fn commits_again(&mut self, n: usize) -> Option<bool> {
        let (n, store) = (n % self.commits.max(1), self.life.store());
        let begun = self.with(async |engine| begin(&engine, &store, n).await.is_ok()).await;
        if begun == Some(true) {
            self.diary.violations.push(format!("3: commit {n} has begun a second run"));
        }
        begun
    }

    /// People look after what is left: they let paused runs go on, try again what a person has to decide about, and say
    /// what became of that which nobody knows.
    pub(crate) async fn tidy(&mut self) {
        let store = self.life.store();
        let rows = store.live_runs(0, 100).await.unwrap();
        let mut live: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        live.sort();
        for run in &live {
            let _ = self.command(async |engine| engine.resume(run, false, NIGHT).await).await;
        }
        for _ in 0..20 {
            if self.letter(true, NIGHT).await != Some(true) {
                break;
            }
        }
        for run in live.iter().filter(|_| crate::switches::is_on("settle")) {
            self.settle_all(run).await;
        }
    }

    async fn settle_all(&mut self, run: &str) {
        let Some(view) = self.view(run).await else { return };
        let open = |status| matches!(status, StepStatus::Unknown | StepStatus::Parked);
        let steps = view.steps.iter().chain(&view.compensation).filter(|step| open(step.status));
        for path in steps.map(|step| step.path.clone()).collect::<Vec<_>>() {
            let _ = self.settle(&view, &path, NIGHT).await;
        }
    }
}

/// Whether it is known what became of a step and of its undoing: nobody can settle that.
fn is_known(view: &RunView, path: &str) -> bool {
    let step = path.strip_suffix("/undo").unwrap_or(path);
    let undo = format!("{step}/undo");
    let done = view.steps.iter().any(|found| found.path == step && found.status == StepStatus::Succeeded);
    let told = view.steps.iter().any(|found| found.path == step && found.task == "tell");
    done && !told && view.compensation.iter().all(|found| found.path != undo)
}
