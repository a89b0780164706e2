//! What the inbox says about one thing that waits: what, where, why, and what settles it.

use flow::{ForPerson, Matter, Remedy, RunView, StepStatus, StepView};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use store::{DeadLetter, RunRow};

use super::commands;

/// At most so many things are told of one run.
const MOST: usize = 20;

/// One thing that waits for a person.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) what: &'static str,
    pub(crate) since: Timestamp,
    pub(crate) run: Option<String>,
    pub(crate) flow: Option<String>,
    pub(crate) step: Option<String>,
    pub(crate) system: Option<String>,
    pub(crate) operation: Option<String>,
    pub(crate) conversation: Option<String>,
    pub(crate) letter: Option<String>,
    pub(crate) why: String,
    /// Each of them settles it.
    pub(crate) commands: Vec<String>,
}

/// What a run waits for, now that it is read back. Nothing when it has gone on meanwhile.
pub(crate) fn of_run(waits: &ForPerson, view: &RunView, now: Timestamp) -> Vec<Entry> {
    let told = Told { waits, view };
    match waits.matter {
        Matter::Unknown | Matter::Stuck | Matter::Paused => told.paused(),
        Matter::Parked => told.parked(),
        Matter::Blocked => told.blocked(),
        Matter::Behind => told.behind(),
        Matter::Question => told.question(now),
    }
}

struct Told<'a> {
    waits: &'a ForPerson,
    view: &'a RunView,
}

impl Told<'_> {
    fn entry(
        &self,
        what: &'static str,
        step: Option<&StepView>,
        why: String,
        commands: Vec<String>,
    ) -> Entry {
        let blocked = self.view.blocked_on.as_ref();
        let named = || blocked.and_then(|blocked| blocked.step.clone());
        Entry {
            step: step.map(|step| step.path.clone()).or_else(named),
            system: step.and_then(|step| step.member.clone().or_else(|| step.system.clone())),
            operation: step.and_then(|step| step.operation.clone()),
            ..bare(what, self.waits.since, &self.waits.row, why, commands)
        }
    }

    fn step(&self, path: &str) -> Option<&StepView> {
        self.view.steps.iter().chain(&self.view.compensation).find(|step| step.path == path)
    }

    /// Every step of which nobody knows, and the one that the run is paused for.
    fn paused(&self) -> Vec<Entry> {
        let Some(blocked) = self.view.blocked_on.as_ref() else { return self.lost() };
        let all = self.view.steps.iter().chain(&self.view.compensation);
        let unknown = all.filter(|step| step.status == StepStatus::Unknown);
        let mut told: Vec<_> = unknown.take(MOST).map(|step| self.unknown(step)).collect();
        let named = told.iter().any(|entry| entry.step == blocked.step);
        match blocked.reason {
            "outcome_unknown" if named => {}
            "by a person" => told.push(self.by_a_person()),
            reason if self.view.status == store::RunStatus::Paused => told.push(self.stuck(reason)),
            _ if told.is_empty() => return self.lost(),
            _ => {}
        }
        told
    }

    /// It could not be read or written, and is tried again by itself.
    fn lost(&self) -> Vec<Entry> {
        if self.waits.matter != Matter::Stuck || self.view.status == store::RunStatus::Paused {
            return Vec::new();
        }
        let why = "it could not go on and is read back from time to time; the log says why".to_owned();
        vec![self.entry("stuck", None, why, vec![format!("cardan flow show {}", self.view.id)])]
    }

    fn unknown(&self, step: &StepView) -> Entry {
        let mut commands = commands::settle(&self.view.id, &step.path);
        commands.push(commands::send_again(&self.view.id, &step.path));
        let why = format!("nobody knows whether it landed{}", because(step));
        self.entry("unknown", Some(step), why, commands)
    }

    fn by_a_person(&self) -> Entry {
        let commands = vec![commands::flow("resume", &self.view.id), commands::flow("cancel", &self.view.id)];
        self.entry("paused", None, "somebody paused it".to_owned(), commands)
    }

    fn stuck(&self, reason: &str) -> Entry {
        let blocked = self.view.blocked_on.as_ref();
        let step = blocked.and_then(|blocked| self.step(blocked.step.as_deref()?));
        let said = match reason {
            "exhausted" => "its attempts are exhausted",
            "expression" => "an expression failed on its data",
            "input" => "its input does not fit",
            other => other,
        };
        let letter = blocked.and_then(|blocked| blocked.letter.as_ref());
        let open = letter.filter(|letter| letter.state == store::DeadState::Open);
        let mut commands = match open {
            Some(letter) => vec![commands::letter(&letter.id)[0].clone()],
            None => vec![commands::flow("resume", &self.view.id)],
        };
        commands.push(commands::flow("cancel", &self.view.id));
        let why = format!("{said}{}", step.map(because).unwrap_or_default());
        Entry { letter: open.map(|letter| letter.id.clone()), ..self.entry("stuck", step, why, commands) }
    }

    /// Every undoing that a person has to finish.
    fn parked(&self) -> Vec<Entry> {
        if self.view.status != store::RunStatus::Parked {
            return Vec::new();
        }
        let left = |undo: &&StepView| matches!(undo.status, StepStatus::Parked | StepStatus::Unknown);
        let parked = self.view.compensation.iter().filter(left);
        let told: Vec<_> = parked.map(|undo| self.undo(undo)).chain(self.in_doubt()).take(MOST).collect();
        match told.is_empty() {
            true => vec![self.entry(
                "parked",
                None,
                "something that it began could not be undone".to_owned(),
                vec![commands::flow("release-key", &self.view.id)],
            )],
            false => told,
        }
    }

    /// Steps that the run does not undo, and of which nobody knows whether they landed.
    fn in_doubt(&self) -> impl Iterator<Item = Entry> {
        let unknown = self.view.steps.iter().filter(|step| step.status == StepStatus::Unknown);
        let unknown = unknown.filter(|step| self.step(&format!("{}/undo", step.path)).is_none());
        unknown.map(|step| {
            let why = format!("nobody knows whether it landed{}", because(step));
            self.entry("unknown", Some(step), why, commands::settle(&self.view.id, &step.path))
        })
    }

    fn undo(&self, undo: &StepView) -> Entry {
        if undo.status == StepStatus::Unknown {
            return self.undo_in_doubt(undo);
        }
        let run = &self.view.id;
        let step = undo.path.strip_suffix("/undo").unwrap_or(&undo.path);
        let unknown = self.step(step).is_some_and(|step| step.status == StepStatus::Unknown);
        let (what, said) = match unknown {
            true => ("unknown", "nobody knows whether its step landed, so it is not undone"),
            false => ("parked", "it could not be undone"),
        };
        let mut commands = vec![commands::landed(run, &undo.path), commands::did_not_land(run, step)];
        // What a child has left has its own entry, and its letter there.
        if undo.system.is_some() {
            let letter = DeadLetter::id_of(&format!("{run}/{}", undo.path));
            commands.push(format!("cardan dead replay {letter}"));
        }
        self.entry(what, Some(undo), format!("{said}{}", because(undo)), commands)
    }

    /// It was sent, and nobody knows whether it landed.
    fn undo_in_doubt(&self, undo: &StepView) -> Entry {
        let mut commands = commands::settle(&self.view.id, &undo.path);
        let letter = DeadLetter::id_of(&format!("{}/{}", self.view.id, undo.path));
        commands.push(commands::replay_again(&letter));
        let why = format!("nobody knows whether it was undone{}", because(undo));
        self.entry("unknown", Some(undo), why, commands)
    }

    fn blocked(&self) -> Vec<Entry> {
        let Some(blocked) = self.view.blocked_on.as_ref().filter(|on| on.reason == "blocked") else {
            return Vec::new();
        };
        let step = blocked.step.as_deref().and_then(|step| self.step(step));
        let missing = blocked.on.as_ref().and_then(|on| on["missing"].as_str()).unwrap_or("something");
        let why = format!("{missing} is not configured: add it and start the server again");
        let commands = vec![commands::flow("resume", &self.view.id), commands::flow("cancel", &self.view.id)];
        vec![self.entry("blocked", step, why, commands)]
    }

    fn behind(&self) -> Vec<Entry> {
        let Some(ahead) = self.waits.ahead.as_ref().filter(|_| self.view.status == store::RunStatus::Queued)
        else {
            return Vec::new();
        };
        let why = format!("its key is held by {ahead}, whose undoing is parked");
        vec![self.entry("behind", None, why, vec![commands::flow("release-key", ahead)])]
    }

    fn question(&self, now: Timestamp) -> Vec<Entry> {
        let Some(blocked) = self.view.blocked_on.as_ref().filter(|on| on.reason == "answer") else {
            return Vec::new();
        };
        let on = blocked.on.as_ref().unwrap_or(&Value::Null);
        let asked = on["summary"].as_str().or(on["fact"].as_str()).unwrap_or_default();
        let conversation = self.view.conversation.as_deref();
        let commands = conversation.map(|conversation| commands::answer(conversation, on, now));
        let step = blocked.step.as_deref().and_then(|step| self.step(step));
        vec![self.entry("question", step, format!("it asks: {asked}"), commands.into_iter().collect())]
    }
}

/// What a letter says. `None` when its run's own entries say it.
pub(crate) fn of_letter(
    letter: DeadLetter,
    run: Option<&RunRow>,
    of_run: &[Entry],
    remedy: Remedy,
) -> Option<Entry> {
    let (id, step) = letter.source.split_once('/').unwrap_or((&letter.source, ""));
    if of_run.iter().any(|entry| entry.step.as_deref() == Some(step)) {
        return None;
    }
    Some(Entry {
        what: match remedy {
            Remedy::Replay | Remedy::Gone => "dead_letter",
            Remedy::Doubted | Remedy::Unsettled => "unknown",
        },
        since: letter.last,
        run: Some(id.to_owned()),
        flow: run.map(|run| run.flow.clone()),
        step: Some(step.to_owned()),
        conversation: run.and_then(|run| run.conversation.clone()),
        commands: settled_by(&letter.id, (id, step), remedy),
        why: format!("{}: {}", letter.code, letter.message),
        system: Some(letter.system),
        operation: Some(letter.operation),
        letter: Some(letter.id),
    })
}

/// What settles a letter; what may have arrived is settled as such.
fn settled_by(letter: &str, (run, step): (&str, &str), remedy: Remedy) -> Vec<String> {
    let [replay, discard] = commands::letter(letter);
    match remedy {
        Remedy::Replay => vec![replay, discard],
        Remedy::Gone => vec![commands::restart(run, step), discard],
        Remedy::Doubted => [vec![replay], commands::settle(run, step), vec![discard]].concat(),
        Remedy::Unsettled => {
            [commands::settle(run, step), vec![commands::replay_again(letter), discard]].concat()
        }
    }
}

/// A run that cannot be read back.
pub(crate) fn unreadable(waits: &ForPerson, error: &flow::Error) -> Entry {
    let commands = vec![format!("cardan flow show {}", waits.row.id)];
    bare("stuck", waits.since, &waits.row, error.to_string(), commands)
}

fn bare(what: &'static str, since: Timestamp, row: &RunRow, why: String, commands: Vec<String>) -> Entry {
    Entry {
        what,
        since,
        run: Some(row.id.clone()),
        flow: Some(row.flow.clone()),
        step: None,
        system: None,
        operation: None,
        conversation: row.conversation.clone(),
        letter: None,
        why,
        commands,
    }
}

fn because(step: &StepView) -> String {
    step.error.as_ref().map(|error| format!(": {}", error.message)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command by what tells it from the others.
    fn offered(remedy: Remedy) -> Vec<&'static str> {
        let words = ["--landed", "--did-not-land", "--send-again", "discard", "restart", "replay"];
        let commands = settled_by("dead_1", ("run_1", "mail"), remedy);
        let of = |command: &String| words.into_iter().find(|word| command.contains(word)).unwrap();
        commands.iter().map(of).collect()
    }

    #[test]
    fn what_may_have_arrived_is_settled_or_sent_again_by_a_person_who_says_so() {
        let unsettled = ["--landed", "--did-not-land", "--send-again", "discard"];
        assert_eq!(offered(Remedy::Unsettled), unsettled);
        assert_eq!(offered(Remedy::Doubted), ["replay", "--landed", "--did-not-land", "discard"]);
        assert_eq!(offered(Remedy::Replay), ["replay", "discard"]);
        assert_eq!(offered(Remedy::Gone), ["restart", "discard"]);
    }
}
