//! One turn of a run: events are applied, decisions become rows, one commit makes it so, then effects fly.

use std::collections::VecDeque;
use std::time::Duration;

use conversation::{Change, Outgoing};
use store::{Append, Batch, Expected, NewEvent, Receipt, Signal, SignalOp, Timer, TimerOp, failpoint};

use super::begin::{row, stream};
use super::due::Due;
use super::load::entry;
use super::runner::{Runner, Stop};
use super::runs::Message;
use crate::Transition;
use crate::core::{Decision, Effect, Event, name_of_unknown, told_unknown};

/// What a turn has gathered.
#[derive(Default)]
pub(super) struct Turn {
    pub(super) events: Vec<Event>,
    /// The events as they are written, and their size in bytes.
    entries: Vec<NewEvent>,
    weight: usize,
    /// Whether what is written ends the run.
    ended: bool,
    /// Whether others with its key need not wait for it any more.
    released: bool,
    pub(super) batch: Batch,
    pub(super) outgoing: Outgoing,
    pub(super) launch: Vec<Effect>,
    pub(super) children: Vec<super::RunId>,
    pub(super) stop_children: Vec<String>,
    pub(super) undo_children: Vec<String>,
    pub(super) decisions: VecDeque<Decision>,
    pub(super) timer_set: bool,
    /// Calls that a guard keeps in, to take their place in line.
    pub(super) held: Vec<(super::lines::Whom, super::lines::Waiting)>,
    pub(super) told: bool,
    /// Spans that are over with what is written.
    spans: Vec<port::Span>,
    /// Whether its parent is told that something is unknown, or known.
    doubted: bool,
}

impl Turn {
    pub(super) fn set(&mut self, timer: Timer) {
        self.batch.timers.push(TimerOp::Set(timer));
        self.timer_set = true;
    }
}

/// A turn that has gathered so many bytes is written before it goes on. Nothing is lost by a crash in between: what is
/// decided and not performed is decided again.
const SLICE: usize = 4 << 20;
/// The longest wait between two tries of a commit that the store could not take just then.
const COMMIT_WAIT: Duration = Duration::from_millis(500);

impl Runner {
    /// Applies events, performs decisions and whatever follows from them, commits once, then acts.
    pub(super) async fn turn_with(
        &mut self,
        events: Vec<Event>,
        decisions: Vec<Decision>,
        batch: Batch,
    ) -> Result<(), Stop> {
        self.whole_turn(events, Turn { batch, decisions: decisions.into(), ..Turn::default() }).await
    }

    /// A turn that also tells how far its commit has come.
    pub(super) async fn turn_telling(
        &mut self,
        events: Vec<Event>,
        change: Option<Change>,
    ) -> Result<(), Stop> {
        let outgoing = Outgoing { change, ..Outgoing::default() };
        self.whole_turn(events, Turn { outgoing, ..Turn::default() }).await
    }

    async fn whole_turn(&mut self, events: Vec<Event>, mut turn: Turn) -> Result<(), Stop> {
        for event in events {
            self.note(&mut turn, event);
        }
        while let Some(decision) = turn.decisions.pop_front() {
            self.perform(&mut turn, decision).await?;
            if turn.weight + turn.batch.size() > SLICE {
                self.write(&mut turn).await?;
            }
        }
        self.write(&mut turn).await?;
        // A call that is made again is sent without anything being written first.
        if !turn.launch.is_empty() {
            self.engine.0.store.must_hold()?;
        }
        self.act(turn);
        Ok(())
    }

    /// Applies an event that will be written with this turn.
    pub(super) fn note(&mut self, turn: &mut Turn, event: Event) {
        self.letter(turn, &event);
        let now = self.engine.0.clock.now();
        let entry = entry(&event, &self.state.start, now);
        turn.weight += entry.data.len();
        turn.entries.push(entry);
        let ended = self.ended_at(&event);
        let decisions = self.state.apply(&self.definition, &event, now);
        turn.spans.extend(self.span_ended_by(&event, ended));
        turn.decisions.extend(decisions);
        turn.events.push(event);
    }

    async fn write(&mut self, turn: &mut Turn) -> Result<(), Stop> {
        self.show(turn);
        self.tell_unknown(turn);
        self.tell_parent(turn);
        if !turn.entries.is_empty() {
            let (events, expected) = (std::mem::take(&mut turn.entries), Expected::Version(self.version));
            turn.batch.appends.push(Append { stream: stream(&self.run), expected, events });
        }
        if turn.batch.is_empty() && turn.outgoing.is_empty() {
            return Ok(());
        }
        failpoint("flow.writing");
        self.commit(std::mem::take(&mut turn.batch), &std::mem::take(&mut turn.outgoing)).await?;
        failpoint("flow.written");
        let events = std::mem::take(&mut turn.events);
        (turn.weight, turn.ended) = (0, turn.ended || events.iter().any(Event::is_end));
        turn.released |= events.iter().any(|event| matches!(event, Event::KeyReleased { .. }));
        self.version += events.len() as u64;
        self.engine.0.lost.found(&self.run);
        self.tell_listener(&events);
        self.record(std::mem::take(&mut turn.spans));
        Ok(())
    }

    /// Commits; waits for a store that is busy or full, for it recovers.
    async fn commit(&mut self, batch: Batch, outgoing: &Outgoing) -> Result<Receipt, Stop> {
        let mut wait = Duration::from_millis(5);
        loop {
            let committed = if outgoing.is_empty() {
                self.engine.0.store.commit(batch.clone()).await
            } else {
                self.say_all(outgoing, batch.clone()).await
            };
            match committed {
                Err(store::Error::Busy | store::Error::Full) => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(COMMIT_WAIT);
                }
                Err(error) => return Err(error.into()),
                Ok(receipt) => return Ok(receipt),
            }
        }
    }

    /// Writes the run's row when what it shows has changed, and ends its SLA timer with it.
    fn show(&mut self, turn: &mut Turn) {
        let status = self.state.status();
        let blocked =
            crate::view::blocked_on(&self.state).and_then(|blocked| serde_json::to_string(&blocked).ok());
        let shown = (status, blocked);
        let released = turn.events.iter().any(|event| matches!(event, Event::KeyReleased { .. }));
        // A call that is made again, and of which nothing is written first, is seen to be out all the same.
        let nothing = turn.events.is_empty() && turn.batch.is_empty();
        if nothing || (shown == self.shown && !released) {
            return;
        }
        let mut row = row(&self.state.start, status, self.state.started);
        row.line = self.state.place().map(|place| place.line);
        row.updated = self.state.now;
        row.ended = self.state.ended_at;
        row.blocked_on.clone_from(&shown.1);
        turn.batch.runs.push(row);
        if self.state.ended.is_some() && self.definition.sla.is_some() {
            turn.batch.timers.push(Due::Sla.clear(&self.run));
        }
        self.shown = shown;
    }

    /// Tells the conversation when nobody knows any more whether a step landed, and when that is known again.
    fn tell_unknown(&mut self, turn: &mut Turn) {
        let unknown = self.state.unknown().map(|step| step.to_string());
        if turn.events.is_empty()
            || unknown.is_some() == self.unknown
            || !self.answers()
            || self.state.ended.is_some()
        {
            return;
        }
        self.unknown = unknown.is_some();
        let change = unknown.map_or(Change::InProgress, |step| Change::Unknown { step });
        turn.outgoing.change.get_or_insert(change);
    }

    /// Tells the run above when it begins to be unknown whether a step landed, and when that is known.
    fn tell_parent(&mut self, turn: &mut Turn) {
        let Some(parent) = self.state.start.parent.as_ref().filter(|_| !turn.events.is_empty()) else {
            return;
        };
        let unknown = self.state.unknown().cloned();
        if unknown == self.doubt {
            return;
        }
        let (id, name) = (format!("{}?{}", self.run, self.version), name_of_unknown(&parent.path));
        let payload = told_unknown(unknown.as_ref()).to_string().into_bytes();
        // Before the run's end, if that is told with it.
        let doubt = Signal { run: parent.run.clone(), id, name, payload };
        turn.batch.signals.insert(0, SignalOp::Put(doubt));
        (turn.doubted, self.doubt) = (true, unknown);
    }

    /// Whether its conversation is told how far it has come.
    pub(super) fn answers(&self) -> bool {
        self.state.start.commit.is_some() && self.state.start.conversation.is_some()
    }

    /// Tells of the entries that somebody else has committed.
    pub(super) fn tell_beginning(&self) {
        let started = Event::RunStarted(self.state.start.clone());
        let taken = self.state.taken.then_some(Event::RunTaken);
        self.tell_listener(&[Some(started), taken].into_iter().flatten().collect::<Vec<_>>());
    }

    fn tell_listener(&self, events: &[Event]) {
        let start = &self.state.start;
        for event in events {
            let step = event.path();
            let call = step.and_then(|step| self.state.call(step));
            self.engine.0.listener.wrote(&Transition {
                run: &self.run,
                flow: &start.flow,
                tenant: &start.tenant,
                correlation: &start.correlation,
                span: self.state.span_of(event),
                event: event.name(),
                step: step.map(|step| &**step),
                system: call.map(|call| &*call.system),
                operation: call.map(|call| &*call.operation),
                took: event.ms().filter(|_| call.is_some()).map(Duration::from_millis),
                rejection: event.rejection(),
                failure: event.failure(),
                status: self.shown.0,
            });
        }
    }

    /// After the commit: calls fly, others are woken.
    fn act(&mut self, turn: Turn) {
        for effect in turn.launch {
            self.launch(effect);
        }
        let engine = &self.engine;
        for (whom, waiting) in turn.held {
            engine.0.lines.lock().hold(&whom, waiting, engine.0.clock.now());
        }
        if turn.timer_set {
            engine.0.timer_set.notify_one();
        }
        if turn.told {
            engine.0.outbox_put.notify_one();
        }
        engine.committed(&turn.children);
        for child in turn.stop_children {
            engine.cancel_child(child);
        }
        for child in turn.undo_children {
            engine.undo_child(child, &self.run);
        }
        if turn.ended {
            self.ended();
        }
        if let Some(parent) = self.state.start.parent.as_ref().filter(|_| turn.doubted) {
            self.engine.send(&parent.run, Message::Look);
        }
        if (turn.released || turn.ended) && !store::mutant("keep-key") {
            self.next_in_line();
        }
    }

    fn ended(&self) {
        let engine = &self.engine;
        engine.0.waiters.wake(&self.run);
        engine.0.topics.forget(&self.run);
        if let Some(parent) = &self.state.start.parent {
            engine.send(&parent.run, Message::Look);
        }
    }
}
