//! People answer what they were asked: at once, late, twice, another thing the second time, or another question.

use std::time::Duration;

use conversation::{OutgoingWait, Want};
use flow::{QuestionEnd, RunId};
use serde_json::{Value, json};
use store::Batch;

use crate::diary::Answer;
use crate::dice::{self, Dice};
use crate::play::Play;
use crate::switches::is_on;

impl Play<'_> {
    /// Gives the answers whose time has come.
    pub(crate) async fn answer(&mut self) {
        self.hear();
        let now = self.life.world.now();
        while !self.life.world.is_dead() {
            let due = self.diary.to_answer.iter().position(|(at, ..)| *at <= now);
            let Some(due) = due else { return };
            let (_, wait, answer) = self.diary.to_answer.remove(due);
            self.reply(&wait, &answer).await;
        }
    }

    /// Makes up what is said to new questions, and when.
    fn hear(&mut self) {
        let asked = self.life.voice.asked.lock().clone();
        for (n, wait) in asked.iter().enumerate().skip(self.diary.heard) {
            let mut dice = dice::of((self.case.seed, "answer", &wait.run, &wait.step, n));
            self.think(n, wait, &asked, &mut dice);
        }
        self.diary.heard = asked.len();
    }

    fn think(&mut self, n: usize, wait: &OutgoingWait, asked: &[OutgoingWait], dice: &mut Dice) {
        if dice.percent(10) {
            return;
        }
        let now = self.life.world.now();
        let late = is_on("late-answer") && dice.percent(25);
        let at = now + Duration::from_secs(if late { dice.below(150) } else { 0 });
        let (first, other) = said(&wait.want, dice.percent(20));
        let id = format!("a{n}");
        let answer = |id: &str, payload: &Value| Answer { id: id.to_owned(), payload: payload.clone() };
        let mut plan = vec![(at, wait.clone(), answer(&id, &first))];
        match dice.below(6) {
            // The same once more, or another one.
            0 => plan.push((at, wait.clone(), answer(&id, &first))),
            1 => plan.push((at, wait.clone(), answer(&format!("{id}.2"), &other))),
            // To a question of before, which may be another run's and over.
            2 if is_on("stranger") => {
                let other_question = dice.pick(asked).clone();
                let (payload, _) = said(&other_question.want, false);
                plan.insert(0, (now, other_question, answer(&format!("{id}.3"), &payload)));
            }
            // To a question that nobody has asked.
            3 if is_on("stranger") => {
                let mut nobodys = wait.clone();
                nobodys.question.id = "q_nobodys".to_owned();
                plan.insert(0, (now, nobodys, answer(&format!("{id}.4"), &other)));
            }
            _ => {}
        }
        self.diary.to_answer.extend(plan);
    }

    async fn reply(&mut self, wait: &OutgoingWait, Answer { id, payload }: &Answer) {
        let (store, run, question) = (self.life.store(), &wait.run, &wait.question.id);
        let done = self.with(async |engine| {
            let mut batch = Batch::default();
            engine.answer(&mut batch, run, question, id, payload);
            store.commit(batch).await.map(|_| engine.committed(&[RunId::from(run.as_str())]))
        });
        let sure = matches!(done.await, Some(Ok(())));
        self.diary.gave(id, run, question, sure);
    }

    /// A question is closed without an answer: by a person, because what it shows has changed, or with its conversation.
    pub(crate) async fn withdraw(&mut self, n: u64) -> Option<bool> {
        let asked = self.life.voice.asked.lock().clone();
        let wait = asked.get(n as usize % asked.len().max(1))?.clone();
        let how = [QuestionEnd::Withdrawn, QuestionEnd::Changed, QuestionEnd::Ended][n as usize % 3];
        let (store, question) = (self.life.store(), wait.question.id.clone());
        let closed = self.with(async |engine| {
            let mut batch = Batch::default();
            let by = (Some("ops"), Some("not needed"));
            engine.close(&mut batch, (&wait.run, &wait.step), Some(&question), how, by);
            store.commit(batch).await.map(|_| engine.committed(&[RunId::from(wait.run.as_str())]))
        });
        let closed = matches!(closed.await, Some(Ok(())));
        if closed {
            let order = self.diary.next();
            self.diary.closed.entry(question).or_insert(order);
        }
        Some(closed)
    }
}

/// What is said to a question of this kind, and the contrary.
fn said(want: &Want, no: bool) -> (Value, Value) {
    match want {
        Want::Fact { .. } => (json!("red"), json!("blue")),
        Want::Confirm { .. } => {
            let (yes, no_) = (json!({ "confirmed": true }), json!({ "confirmed": false, "reason": "no" }));
            if no { (no_, yes) } else { (yes, no_) }
        }
        Want::Event { .. } => (Value::Null, Value::Null),
    }
}
