//! What is done while nobody knows whether a step landed. Nothing but an answer, a look-up after settling, an undo after
//! settling, or a person ends the doubt.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use port::{Kind, Landed, Repeat};
use serde_json::Value;

use super::Decision;
use super::author::Author;
use super::event::Event;
use super::failure::Failure;
use super::frame::{Activation, At, Leaf, Slot};
use super::machine::Machine;
use super::member::step_of;
use super::record::{Look, RecordStatus};
use super::state::State;
use super::time::later;
use super::told::Told;
use crate::definition::{Call, Verify};

impl Leaf {
    /// Whether the step has not been sent yet.
    pub(super) fn is_unsent(&self) -> bool {
        !self.intent && !self.perhaps && self.rounds == 0
    }

    /// Whether the look-up before the first send is still to be made.
    pub(super) fn looks_first(&self, verify: &Verify) -> bool {
        verify.before && self.before.is_none() && self.is_unsent()
    }
}

impl State {
    /// The steps that wait for a person because they may have landed and must not be sent again.
    pub(crate) fn unsettled(&self) -> Vec<Arc<str>> {
        let unknown = |path: &str, leaf: &Leaf| leaf.perhaps && self.repeat_of(path) == Repeat::Never;
        let stuck = self.leaves().filter(|(_, leaf)| matches!(leaf.at, At::Stuck) && leaf.undoes.is_none());
        stuck
            .filter(|(active, leaf)| unknown(&active.path, leaf))
            .map(|(active, _)| active.path.clone())
            .collect()
    }

    /// Those of them that a person who lets the run go on has not said are to be sent again: all, or that of one step.
    pub(crate) fn still_unsettled(&self, send_again: bool, step: Option<&str>) -> Vec<Arc<str>> {
        let stays = |path: &Arc<str>| !send_again || step.is_some_and(|step| *step != **path);
        self.unsettled().into_iter().filter(stays).collect()
    }

    /// How safely the call of a path may be repeated, at the member that was asked when its system is a group.
    pub(super) fn repeat_of(&self, path: &str) -> Repeat {
        let Some(call) = self.call(path) else { return Repeat::Never };
        let asked = self.leaf(path).and_then(|leaf| leaf.asked.as_deref());
        match asked.or_else(|| self.acted(path).map(|member| &**member)) {
            _ if self.is_keyed_otherwise(path, call) => Repeat::Never,
            Some(member) if call.members.are_several() => call.members.repeat_at(member),
            _ => call.repeat,
        }
    }

    /// How the system of a path's call knows a repeat, where that may change.
    pub(crate) fn keyed_as(&self, path: &str) -> Option<Arc<str>> {
        let keyed_as = self.call(path)?.keyed_as.clone();
        (!keyed_as.is_empty()).then_some(keyed_as)
    }

    /// Whether what may have landed was sent when the system knew a repeat by something else: it would take another for a new
    /// one.
    pub(super) fn is_keyed_otherwise(&self, path: &str, call: &Call) -> bool {
        let leaf = self.leaf(path).filter(|leaf| leaf.perhaps || leaf.intent);
        leaf.and_then(|leaf| leaf.keyed_as.as_ref()).is_some_and(|keyed_as| *keyed_as != call.keyed_as)
    }

    /// How long after its end the effect of a path's call may still appear.
    pub(super) fn settling(&self, path: &str) -> SignedDuration {
        let settles = self.call(path).map_or(port::SETTLES_WITHIN, |call| call.settles);
        if store::mutant("conclude-too-early") {
            return SignedDuration::ZERO;
        }
        SignedDuration::try_from(settles).unwrap_or(SignedDuration::from_secs(5))
    }

    /// When what is known not to have been found counts: never before this. Of an undoing, that of its step.
    pub(super) fn settles(&self, path: &str) -> Option<Timestamp> {
        let leaf = self.leaf(path)?;
        match leaf.undoes {
            Some(at) => self.done.get(at)?.settles,
            None => leaf.settles,
        }
    }

    /// The look-up that an active path makes.
    pub(crate) fn verify(&self, path: &str) -> Option<&Verify> {
        self.task(path)?.verify.as_ref()
    }
}

impl Machine<'_> {
    /// A call of this path leaves. When one before it has left and nothing says what became of it, both may have landed.
    pub(super) fn sent(
        &mut self,
        path: &Arc<str>,
        member: &Option<Arc<str>>,
        leaves_until: Option<Timestamp>,
        keyed_as: Option<&Arc<str>>,
    ) {
        let leaf = self.state.leaf(path);
        let turned = leaf.is_some_and(|leaf| leaf.asked.is_some() && leaf.asked != *member);
        let pending = leaf.is_some_and(|leaf| leaf.intent && !leaf.probing);
        // A group turns to another member only when those before certainly did not act.
        if pending && !turned {
            self.doubt(path);
        }
        self.with_leaf(path, |leaf| {
            leaf.at = At::Flying;
            leaf.guard = None;
            if !leaf.probing {
                leaf.intent = true;
                leaf.asked.clone_from(member);
                leaf.leaves_until = leaves_until;
                leaf.keyed_as = leaf.keyed_as.take().filter(|_| leaf.perhaps).or_else(|| keyed_as.cloned());
            }
        });
        let now = self.state.now;
        let does = self.state.leaf(path).is_some_and(|leaf| !leaf.probing);
        self.with_record(path, |record| {
            record.status = RecordStatus::Running;
            if does {
                (record.sent, record.settled_as) = (record.sent.or(Some(now)), None);
            }
        });
    }

    /// From now on an earlier send may have landed; it settles after the last of them.
    pub(super) fn doubt(&mut self, path: &str) {
        let (now, settling) = (self.state.now, self.state.settling(path));
        self.with_leaf(path, |leaf| {
            // Of a send whose end nobody saw, it is not known when it ended.
            let ended = leaf.leaves_until.filter(|until| leaf.intent && *until > now).unwrap_or(now);
            let settles = ended.checked_add(settling).unwrap_or(Timestamp::MAX);
            leaf.settles = leaf.settles.max(Some(settles));
            leaf.perhaps = true;
        });
    }

    /// After an event that tells how a call ended, nothing of that call leaves any more.
    pub(super) fn came_home(&mut self, event: &Event) {
        let Some(path) = event.path().filter(|_| ends_a_call(event)) else { return };
        self.with_leaf(path, |leaf| leaf.leaves_until = None);
    }

    /// 0.1.0 wrote no intent for most calls: one that was to be made may have left.
    pub(super) fn may_be_out(&self, leaf: &Leaf) -> bool {
        self.state.start.scheme == 0 && matches!(leaf.at, At::Flying) && leaf.child.is_none()
    }

    pub(super) fn is_orphan(&self, path: &str) -> bool {
        let id = self.state.leaves.get(path);
        id.and_then(|id| self.state.active.get(id)).is_some_and(|active| active.slot == Slot::Orphan)
    }

    /// Asked again then: the system is not finished, or nothing can be concluded yet.
    pub(super) fn unfinished(&mut self, path: &Arc<str>, error: &Failure, until: Timestamp) {
        let now = self.state.now;
        if error.kind == Some(Kind::InProgress) {
            self.doubt(path);
            self.with_leaf(path, |leaf| leaf.unfinished = leaf.unfinished.or(Some(now)));
        }
        self.with_leaf(path, |leaf| leaf.settles = leaf.settles.or(Some(until)).filter(|_| leaf.perhaps));
        self.with_record(path, |record| record.error = Some(error.clone()));
        match self.is_orphan(path) {
            true => self.out.push(Decision::Settle { path: path.clone() }),
            false => self.blocked(path, until, None),
        }
    }

    /// Nobody knows whether a step landed: it is looked up, or the run decides as when exhausted.
    pub(super) fn unknown(&mut self, path: &Arc<str>, error: &Failure) {
        let can_verify = self.state.can_verify(path, error);
        self.doubt(path);
        if self.is_orphan(path) || !can_verify {
            return self.stuck(path, error, "outcome_unknown", RecordStatus::Unknown);
        }
        self.blame(path, error);
        let refused = error.kind.is_some_and(is_definitive);
        let now = self.state.now;
        self.with_leaf(path, |leaf| {
            leaf.probing = true;
            leaf.intent = false;
            leaf.refusal = refused.then(|| Failure { landed: Landed::No, ..error.clone() });
            leaf.looking = Some(now);
        });
        let after = self.state.verify(path).map_or(Duration::ZERO, |verify| verify.looking.after);
        self.blocked(path, later(now, after), None);
    }

    /// A step has been tried as often as it may be.
    pub(super) fn exhausted(&mut self, path: &Arc<str>, error: &Failure) {
        match error.landed {
            Landed::No => self.stuck(path, error, "exhausted", RecordStatus::Failed),
            Landed::Yes | Landed::Unknown => {
                self.stuck(path, error, "outcome_unknown", RecordStatus::Unknown);
            }
        }
    }

    /// A look-up has found nothing, or could not be made.
    pub(super) fn looked_up(
        &mut self,
        path: &Arc<str>,
        answer: Option<&Arc<Value>>,
        error: Option<&Failure>,
        until: Option<Timestamp>,
        before: bool,
    ) {
        let Some(id) = self.state.leaves.get(path).copied() else { return };
        if before {
            let answer = answer.cloned().unwrap_or_default();
            self.with_leaf(path, |leaf| leaf.before = Some(answer));
            return self.decide(id);
        }
        self.note_look(path, error.is_none().then_some(false), answer);
        let now = self.state.now;
        self.with_leaf(path, |leaf| {
            leaf.looks += 1;
            // Before an undoing nothing but its first look-up tells since when it is looked.
            leaf.looking = leaf.looking.or(Some(now));
        });
        match until {
            Some(until) => self.blocked(path, until, None),
            // All were made: the undoing goes on without them.
            None => {
                self.with_leaf(path, |leaf| (leaf.looked_out, leaf.probing) = (true, false));
                self.decide(id);
            }
        }
    }

    /// Remembers a look-up for people.
    pub(super) fn note_look(&mut self, path: &str, found: Option<bool>, answer: Option<&Arc<Value>>) {
        let (at, answer) = (self.state.now, answer.cloned());
        let path = step_of(path);
        self.with_record(path, |record| record.looks.push(Look { at, found, answer }));
    }

    /// A person found out what became of a step or of its undoing.
    pub(super) fn settled_by(&mut self, path: &Arc<str>, landed: Option<&Arc<Value>>, by: &Author) {
        self.with_record(path, |record| {
            (record.settled, record.settled_as) = (Some(by.clone()), Some(landed.is_some()));
        });
        if self.state.told(path).is_some_and(Told::is_unknown) {
            self.settle_told(path, landed);
        }
        let Some(id) = self.state.leaves.get(path).copied() else { return self.settle_left(path, landed) };
        self.out.push(Decision::Clear { path: path.clone() });
        if self.state.paused.as_ref().is_some_and(|paused| paused.step.as_ref() == Some(path)) {
            self.state.paused = None;
        }
        let Some(leaf) = self.state.active.get_mut(&id).and_then(Activation::leaf_mut) else { return };
        leaf.probing = false;
        match (leaf.undoes, landed) {
            (Some(_), Some(_)) => self.compensated(path, 0, 0),
            (None, Some(output)) => self.finish_leaf(id, output),
            (_, None) => {
                (leaf.perhaps, leaf.settles, leaf.refusal) = (false, None, None);
                self.afresh(id, None);
            }
        }
        if self.state.paused.is_none() {
            for held in self.leaf_ids(|at| matches!(at, At::Held)) {
                self.decide(held);
            }
        }
    }
}

fn ends_a_call(event: &Event) -> bool {
    match event {
        Event::StepRetried { .. } | Event::StepFailed { .. } | Event::StepExhausted { .. } => true,
        Event::StepUnfinished { .. } | Event::StepBlocked { .. } => true,
        // After a crash nobody saw its end.
        Event::StepUnknown { error, .. } => error.code != "flow.interrupted",
        _ => false,
    }
}

/// Whether a fault of this kind is the system's own no.
pub(super) fn is_definitive(kind: Kind) -> bool {
    match kind {
        Kind::Refused | Kind::NotFound | Kind::Conflict | Kind::Invalid | Kind::Unauthorised => true,
        Kind::Connect | Kind::Timeout | Kind::Throttled | Kind::Unavailable => false,
        Kind::InProgress | Kind::Protocol | Kind::Internal => false,
    }
}
