//! The circuit breaker: one word of state, one window, no lock on the way through.
//!
//! It is told the time, the dice and whom to tell; it knows no clock, no runtime and no fault, only verdicts.

mod permit;
mod trip;
mod window;
mod word;

use std::sync::Arc;
use std::time::Duration;

use port::Outlook;

pub use permit::Permit;
use trip::Rules;
use window::Window;
use word::{Phase, Probes, Word};

use crate::event::State;
use crate::policy;
use crate::status::Switch;
use crate::sync::{AtomicU8, AtomicU64, Lock, Ordering};
use crate::tick::{Tick, nanos};

/// What a breaker needs of the world.
pub trait Scene {
    /// The time at which the breaker is asked or told.
    fn now(&self) -> Tick;
    /// A number in `0.0..1.0`, for the jitter of the open time.
    fn chance(&self) -> f64;
    /// Told of each change of state, by the one caller that caused it.
    fn changed(&self, change: Change);
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// From which state.
    pub from: State,
    /// To which state.
    pub to: State,
    /// How long it stays open, when it opened.
    pub open_for: Option<Duration>,
}

/// A call was kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    nanos: u64,
}

impl Refusal {
    fn lasting(span: Duration) -> Self {
        Self { nanos: nanos(span) }
    }

    /// When to come back.
    #[inline]
    pub fn retry_after(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }
}

/// One circuit breaker.
pub struct Breaker {
    word: AtomicU64,
    /// Since when probes are out: era in the top 16 bits, milliseconds below.
    since: AtomicU64,
    switch: AtomicU8,
    window: Option<Window>,
    /// Held while a failure is added to the window, and while the window is emptied for the next era: no failure of an
    /// earlier era is found in a later one. Calls that go well do not take it.
    emptying: Lock<()>,
    rules: Arc<Rules>,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(policy: &policy::Breaker) -> Self {
        Self::with(Arc::new(Rules::new(policy)))
    }

    fn with(rules: Arc<Rules>) -> Self {
        Self {
            word: AtomicU64::new(Word::CLOSED.pack()),
            since: AtomicU64::new(0),
            switch: AtomicU8::new(Switch::Auto as u8),
            window: rules.window.as_ref().map(Window::new),
            emptying: Lock::new(()),
            rules,
        }
    }

    /// Another closed breaker with the same rules; what the operator told this one holds for it too.
    pub fn sibling(&self) -> Self {
        let sibling = Self::with(Arc::clone(&self.rules));
        sibling.set(self.switch());
        sibling
    }

    /// Asks for leave to make a call.
    ///
    /// # Errors
    /// A [`Refusal`] when the breaker is open, or when all probes are out.
    #[inline]
    pub fn admit(&self, scene: &impl Scene) -> Result<Permit<'_>, Refusal> {
        if self.switch() == Switch::Auto { self.enter(scene) } else { self.obey(scene) }
    }

    /// Lets in or refuses as the operator told it.
    #[cold]
    fn obey(&self, scene: &impl Scene) -> Result<Permit<'_>, Refusal> {
        match self.switch() {
            // Just now.
            Switch::Auto => self.enter(scene),
            Switch::ForcedOpen => Err(Refusal::lasting(self.rules.open_for)),
            Switch::Disabled => Ok(Permit::untracked()),
            Switch::ObserveOnly => Ok(self.enter(scene).unwrap_or_else(|_| Permit::untracked())),
        }
    }

    /// Asks again for a call that waited since it got leave: the operator may have spoken, and the state may be another.
    ///
    /// # Errors
    /// As [`Breaker::admit`].
    #[inline]
    pub fn renew<'a>(&'a self, permit: Permit<'a>, scene: &impl Scene) -> Result<Permit<'a>, Refusal> {
        match self.switch() {
            Switch::Auto | Switch::ObserveOnly if permit.holds() => Ok(permit),
            _ => self.admit(scene),
        }
    }

    #[inline]
    fn enter(&self, scene: &impl Scene) -> Result<Permit<'_>, Refusal> {
        let word = self.read();
        match word.phase {
            Phase::Closed { .. } => Ok(self.permit(word.era, false)),
            Phase::Open { until, .. } => self.still_open(until, scene).map_or_else(|| self.knock(scene), Err),
            Phase::HalfOpen(_) => self.knock(scene),
        }
    }

    /// The refusal while the open time lasts.
    #[inline]
    fn still_open(&self, until: u64, scene: &impl Scene) -> Option<Refusal> {
        let nanos = (until * 1_000_000).checked_sub(scene.now().nanos()).filter(|left| *left > 0)?;
        Some(Refusal { nanos })
    }

    /// Asks at a breaker that is not closed.
    fn knock(&self, scene: &impl Scene) -> Result<Permit<'_>, Refusal> {
        loop {
            let word = self.read();
            match word.phase {
                Phase::Closed { .. } => return Ok(self.permit(word.era, false)),
                Phase::Open { round, until } => {
                    if let Some(refusal) = self.still_open(until, scene) {
                        return Err(refusal);
                    }
                    let empty = word.then(Phase::HalfOpen(Probes { round, ..Probes::default() }));
                    if self.swap(word, empty) {
                        scene.changed(Change { from: State::Open, to: State::HalfOpen, open_for: None });
                    }
                }
                Phase::HalfOpen(probes) => {
                    if let Some(answer) = self.probe(word, probes, scene) {
                        return answer;
                    }
                }
            }
        }
    }

    /// Reserves a probe. `None` when the word has changed and must be read again.
    fn probe(&self, word: Word, probes: Probes, scene: &impl Scene) -> Option<Result<Permit<'_>, Refusal>> {
        if probes.out > 0 && self.overdue(word.era, scene.now()) {
            self.open(word, probes.round + 1, None, scene);
            return None;
        }
        if probes.out >= self.rules.permits {
            return Some(Err(Refusal::lasting(self.rules.probe_hint())));
        }
        if probes.out == 0 {
            // Before anybody can see that a probe is out: who sees it must find it on time.
            self.stamp(word.era, scene.now());
        }
        let next = word.still(Phase::HalfOpen(Probes { out: probes.out + 1, ..probes }));
        self.swap(word, next).then(|| Ok(self.permit(word.era, true)))
    }

    /// Whether probes have been out longer than the longest wait.
    fn overdue(&self, era: u16, now: Tick) -> bool {
        let since = self.since.load(Ordering::Acquire);
        let began = since & STAMP_MILLIS;
        since >> 48 == u64::from(era) && now.millis() >= began.saturating_add(self.rules.max_wait)
    }

    /// Stamps never go back: a caller that was held up between its look and its stamp must not make others late.
    fn stamp(&self, era: u16, now: Tick) {
        let stamp = u64::from(era) << 48 | now.millis() & STAMP_MILLIS;
        let is_newer = |seen: u64| (1..1 << 63).contains(&stamp.wrapping_sub(seen));
        // An error only says that a newer stamp is there.
        let _ = self
            .since
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |seen| is_newer(seen).then_some(stamp));
    }

    #[inline]
    fn permit(&self, era: u16, probe: bool) -> Permit<'_> {
        Permit { breaker: Some(self), era, probe }
    }

    #[inline]
    fn read(&self) -> Word {
        Word::unpack(self.word.load(Ordering::Acquire))
    }

    #[inline]
    fn swap(&self, seen: Word, next: Word) -> bool {
        self.word.compare_exchange(seen.pack(), next.pack(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Opens, if the word is still as it was seen.
    fn open(&self, seen: Word, round: u8, asked: Option<Duration>, scene: &impl Scene) -> bool {
        let open_for = self.rules.open_time(round, asked, scene.chance());
        let until = (scene.now() + open_for).nanos().div_ceil(1_000_000);
        let opened = self.swap(seen, seen.then(Phase::Open { round, until }));
        if opened {
            scene.changed(Change { from: state(seen.phase), to: State::Open, open_for: Some(open_for) });
        }
        opened
    }

    /// The state now. An open breaker whose time is up is still open until a call comes.
    pub fn state(&self) -> State {
        state(self.read().phase)
    }

    /// How long an open breaker stays open; `None` when it is not open.
    pub fn open_for(&self, now: Tick) -> Option<Duration> {
        match self.read().phase {
            Phase::Open { until, .. } => Some(Duration::from_millis(until.saturating_sub(now.millis()))),
            Phase::Closed { .. } | Phase::HalfOpen(_) => None,
        }
    }

    /// How a call would fare now. Takes no permit.
    pub fn outlook(&self, now: Tick) -> Outlook {
        let word = self.read();
        match (self.switch(), word.phase) {
            (Switch::Disabled | Switch::ObserveOnly, _) | (Switch::Auto, Phase::Closed { .. }) => {
                Outlook::Open
            }
            (Switch::ForcedOpen, _) => Outlook::Closed(self.rules.open_for),
            (Switch::Auto, Phase::Open { .. }) => match self.open_for(now).filter(|left| !left.is_zero()) {
                Some(left) => Outlook::Closed(left),
                None => Outlook::Probing(self.rules.permits.into()),
            },
            (Switch::Auto, Phase::HalfOpen(probes)) => match self.rules.permits.saturating_sub(probes.out) {
                // Somebody has to come for it to open again.
                0 if self.overdue(word.era, now) => Outlook::Probing(1),
                0 => Outlook::Closed(self.rules.probe_hint()),
                left => Outlook::Probing(left.into()),
            },
        }
    }

    /// What the operator told it.
    #[inline]
    pub fn switch(&self) -> Switch {
        match self.switch.load(Ordering::Relaxed) {
            0 => Switch::Auto,
            1 => Switch::ForcedOpen,
            2 => Switch::Disabled,
            _ => Switch::ObserveOnly,
        }
    }

    /// Tells it what to do from now on.
    pub fn set(&self, switch: Switch) {
        self.switch.store(switch as u8, Ordering::Relaxed);
    }

    /// Closes it and forgets everything; results still out are ignored.
    pub fn reset(&self, scene: &impl Scene) {
        loop {
            let word = self.read();
            if self.close(word) {
                let from = state(word.phase);
                if from != State::Closed {
                    scene.changed(Change { from, to: State::Closed, open_for: None });
                }
                return;
            }
        }
    }

    /// Begins a closed era, if the word is still as it was seen. The window is emptied before, because after it a new
    /// caller's result could be lost.
    fn close(&self, seen: Word) -> bool {
        let _alone = self.emptying.hold();
        self.window.iter().for_each(Window::clear);
        self.swap(seen, seen.then(Phase::Closed { streak: 0 }))
    }

    /// Whether nothing is known of the system but that it works: such a breaker can be forgotten.
    pub fn is_idle(&self, now: Tick) -> bool {
        let good = matches!(self.read().phase, Phase::Closed { streak: 0 });
        good && self.switch() == Switch::Auto
            && self.window.as_ref().is_none_or(|window| window.is_clean(now))
    }
}

const STAMP_MILLIS: u64 = (1 << 48) - 1;

fn state(phase: Phase) -> State {
    match phase {
        Phase::Closed { .. } => State::Closed,
        Phase::Open { .. } => State::Open,
        Phase::HalfOpen(_) => State::HalfOpen,
    }
}
