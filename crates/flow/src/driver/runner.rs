//! One live run: a loop over what comes home, what is said and what is due.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use port::{Fault, Reply};
use tokio::sync::mpsc;

use super::Engine;
use super::due::Due;
use super::load::Loaded;
use super::runs::{Command, Message, Timer, What};
use super::witness::Asking;
use crate::Error;
use crate::core::{Decision, Effect, Event, State, TimerKind, Verdict};
use crate::definition::Definition;

/// A call that has come home.
pub(super) struct Home {
    pub(super) effect: Arc<Effect>,
    pub(super) outcome: Result<Reply, Fault>,
    pub(super) took: Duration,
}

/// A run in memory.
pub(super) struct Runner {
    pub(super) engine: Engine,
    pub(super) run: String,
    pub(super) definition: Arc<Definition>,
    pub(super) state: State,
    pub(super) version: u64,
    pub(super) flights: FuturesUnordered<BoxFuture<'static, Home>>,
    /// The inputs of calls in flight or just come home, for dead letters.
    pub(super) aloft: HashMap<Arc<str>, Arc<Effect>>,
    /// The paths whose call is out.
    pub(super) out: HashSet<Arc<str>>,
    /// Where calls in flight say which member of a group they are about to ask, and where that is heard.
    pub(super) announce: mpsc::Sender<Asking>,
    announced: mpsc::Receiver<Asking>,
    /// How often in a row a guard kept a step's call in.
    pub(super) rejected: HashMap<Arc<str>, u32>,
    /// Up to where steps have looked for events; what the journal says may be a little behind.
    pub(super) looked: HashMap<Arc<str>, u64>,
    /// The position of the run's first entry in the log, once it was asked for.
    pub(super) began: Option<u64>,
    /// Somebody wanted the run to look, and its inbox was full.
    missed: Arc<AtomicBool>,
    /// What the run's row says, so that it is written only when it changes.
    pub(super) shown: (store::RunStatus, Option<String>),
    /// Whether its conversation was told that nobody knows whether a step landed.
    pub(super) unknown: bool,
    /// The step of which its parent was told that nobody knows whether it landed.
    pub(super) doubt: Option<Arc<str>>,
}

/// Why a run leaves the memory.
pub(super) enum Stop {
    /// Somebody else writes this run's journal, or the store is gone.
    Fenced(Error),
    /// It need not: somebody else has decided about this dead letter, and nothing of the turn was written.
    NotOpen(String),
    Stopping,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fenced(error)
    }
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotOpen { id } => Self::NotOpen(id),
            error => Self::Fenced(error.into()),
        }
    }
}

/// Lives a run until it has nothing to do.
pub(super) async fn live(
    engine: Engine,
    run: String,
    begun: Option<Loaded>,
    (mut inbox, missed): (mpsc::Receiver<Message>, Arc<AtomicBool>),
) {
    let mut stopping = engine.0.stopping.subscribe();
    let new = begun.is_some();
    let loaded = match engine.recall(&run, begun).await {
        Ok(loaded) => loaded,
        Err(error) => {
            tracing::error!(run, %error, "loading a run");
            return lose(&engine, &run, &mut inbox, Some(&error));
        }
    };
    let shown = (loaded.row.status, loaded.row.blocked_on.clone());
    let (doubt, unknown) = (loaded.state.unknown().cloned(), loaded.state.told_unknown());
    let (announce, announced) = mpsc::channel(1);
    let mut runner = Runner {
        engine: engine.clone(),
        run: run.clone(),
        definition: loaded.definition,
        state: loaded.state,
        version: loaded.version,
        flights: FuturesUnordered::new(),
        aloft: HashMap::new(),
        out: HashSet::new(),
        announce,
        announced,
        rejected: HashMap::new(),
        looked: HashMap::new(),
        began: None,
        missed,
        shown,
        unknown,
        doubt,
    };
    if new {
        runner.tell_beginning();
    }
    let living = AssertUnwindSafe(runner.run(&mut inbox, &mut stopping)).catch_unwind().await;
    match living {
        Ok(Ok(()) | Err(Stop::NotOpen(_) | Stop::Stopping)) => engine.0.lost.found(&run),
        Ok(Err(Stop::Fenced(error))) => {
            tracing::warn!(run, %error, "letting go of a run");
            lose(&engine, &run, &mut inbox, Some(&error));
        }
        Err(_panic) => {
            tracing::error!(run, "a run panicked; it is read back");
            lose(&engine, &run, &mut inbox, None);
        }
    }
    if engine.is_stopping() {
        engine.0.runs.lock().remove(&run);
    }
}

/// Drops the run from memory for a while; those who commanded it hear that it is busy.
fn lose(engine: &Engine, run: &str, inbox: &mut mpsc::Receiver<Message>, error: Option<&Error>) {
    engine.look_again(run, error);
    while let Some(message) = engine.retire(run, inbox) {
        if let Message::Command { reply, .. } = message {
            let _ = reply.send(Err(Error::Busy(run.to_owned())));
        }
    }
}

/// Resolves when the engine is stopping.
pub(super) async fn stopped(stopping: &mut tokio::sync::watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

impl Runner {
    async fn run(
        &mut self,
        inbox: &mut mpsc::Receiver<Message>,
        stopping: &mut tokio::sync::watch::Receiver<bool>,
    ) -> Result<(), Stop> {
        let decisions = self.state.outstanding(&self.definition, self.engine.0.clock.now());
        self.turn(Vec::new(), decisions).await?;
        // Whatever brought it into memory, it hears from now on: a paused run is not asked to look at a start.
        let mut looks = false;
        loop {
            let idle = self.engine.0.limits.idle;
            let message = tokio::select! {
                biased;
                Some(home) = self.flights.next(), if !self.flights.is_empty() => {
                    self.home(home).await?;
                    continue;
                }
                Some(asking) = self.announced.recv() => {
                    self.announced(asking).await?;
                    continue;
                }
                () = stopped(stopping), if self.flights.is_empty() => return Err(Stop::Stopping),
                message = inbox.recv() => message,
                () = tokio::time::sleep(idle), if self.flights.is_empty() => {
                    match self.engine.retire(&self.run, inbox) {
                        Some(message) => Some(message),
                        None => return Ok(()),
                    }
                }
            };
            match message {
                Some(message) => {
                    let look = !std::mem::replace(&mut looks, true) && !matches!(message, Message::Look);
                    self.heard(message).await?;
                    if look {
                        self.look().await?;
                    }
                }
                None => return Ok(()),
            }
            if self.missed.swap(false, Ordering::AcqRel) {
                self.look().await?;
            }
            if self.is_over() && self.flights.is_empty() {
                match self.engine.retire(&self.run, inbox) {
                    Some(message) => self.heard(message).await?,
                    None => return Ok(()),
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.state.ended.is_some()
    }

    async fn heard(&mut self, message: Message) -> Result<(), Stop> {
        match message {
            Message::Look => self.look().await,
            Message::Due(timer) => self.due(*timer).await,
            Message::Command { command, records, reply } => {
                // What its messages were answered since it ended counts, too.
                if self.state.ended.is_some() {
                    self.take_answers().await?;
                }
                let answer = match self.check(&command) {
                    Ok(()) => self.obey(*command, records).await?,
                    refused => refused,
                };
                let _ = reply.send(answer);
                Ok(())
            }
        }
    }

    /// A call has come home: its outcome is judged and written, by the process that holds the run.
    async fn home(&mut self, home: Home) -> Result<(), Stop> {
        self.engine.0.store.must_hold()?;
        let path = home.effect.path.clone();
        self.out.remove(&path);
        let rejected = matches!(&home.outcome, Err(fault) if fault.rejection.is_some());
        let count = self.rejected.entry(path.clone()).or_default();
        let before = *count;
        *count = if rejected { before + 1 } else { 0 };
        let verdict = Verdict {
            now: self.engine.0.clock.now(),
            took: home.took,
            unit: self.engine.0.entropy.unit(),
            max_output: self.engine.0.limits.output,
            rejected: before,
        };
        let event = self.state.judge(&home.effect, home.outcome, verdict);
        self.hold(&home.effect);
        let done = self.turn(vec![event], Vec::new()).await;
        if !self.is_aloft(&path) {
            self.aloft.remove(&path);
        }
        done
    }

    /// Does as a person decided, unless another one was first; then the run stands where it stood.
    async fn obey(
        &mut self,
        command: Command,
        records: Vec<store::KeyOp>,
    ) -> Result<Result<(), Error>, Stop> {
        let before = (self.state.clone(), self.shown.clone(), self.unknown, self.doubt.clone());
        match self.carry_out(command, records).await {
            Err(Stop::NotOpen(letter)) => {
                (self.state, self.shown, self.unknown, self.doubt) = before;
                Ok(Err(Error::UnknownDead(letter)))
            }
            done => done.map(Ok),
        }
    }

    async fn carry_out(&mut self, command: Command, records: Vec<store::KeyOp>) -> Result<(), Stop> {
        let resumed = matches!(command.what, What::Resume { .. });
        let rows = store::Batch { keys: records, ..self.rows(&command) };
        self.turn_with(vec![command.event()], Vec::new(), rows).await?;
        if !self.state.taken && self.state.ended.is_none() {
            self.take_turn().await?;
        }
        if resumed { self.hurry().await } else { Ok(()) }
    }

    fn is_aloft(&self, path: &Arc<str>) -> bool {
        self.state.is_active(path)
    }

    /// Whether it is this run's turn, whether answers have come.
    async fn look(&mut self) -> Result<(), Stop> {
        if !self.state.taken && self.state.ended.is_none() {
            return self.take_turn().await;
        }
        self.take_told().await?;
        self.take_signals().await?;
        self.take_topics().await
    }

    async fn due(&mut self, timer: Timer) -> Result<(), Stop> {
        let Timer { id, due, _claim } = timer;
        let clear = store::TimerOp::Clear { id };
        let rows = store::Batch { timers: vec![clear], ..store::Batch::default() };
        match due {
            Some(Due::Again { path, .. }) => self.made_again(&path, rows).await,
            Some(Due::Step { path, kind }) => {
                // An answer that was taken before the time was over counts.
                if kind == TimerKind::Timeout {
                    self.take_signals().await?;
                    self.take_topics().await?;
                }
                let event = self.state.fired(&path, kind);
                self.turn_with(event.into_iter().collect(), Vec::new(), rows).await
            }
            Some(Due::Sla) => {
                let breached = (!self.is_over()).then_some(Event::SlaBreached);
                self.turn_with(breached.into_iter().collect(), Vec::new(), rows).await
            }
            None => self.turn_with(Vec::new(), Vec::new(), rows).await,
        }
    }

    async fn made_again(&mut self, path: &str, rows: store::Batch) -> Result<(), Stop> {
        let decisions = self.state.again(&self.definition, path, self.engine.0.clock.now());
        self.turn_with(Vec::new(), decisions, rows).await?;
        if !self.out.contains(path) {
            self.engine.0.lines.lock().forget(&Due::again(path, None).id(&self.run));
            self.engine.0.timer_set.notify_one();
        }
        Ok(())
    }

    pub(super) async fn turn(&mut self, events: Vec<Event>, decisions: Vec<Decision>) -> Result<(), Stop> {
        self.turn_with(events, decisions, store::Batch::default()).await
    }
}
