//! Where the questions of an organisation are found: a row for each says where it was asked, and one more lists it while
//! it is open. They are written in the commit that opens or closes it; what a question is stands in its conversation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use conversation::Motion;
use jiff::Timestamp;
use react::{Closing, Conversation, Question, Refusal, Wait, Want};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Batch, KeyOp, State};

use super::Conversations;
use super::read::Page;
use super::rows::{listed, parse};
use crate::{Code, Permission, Principal, Problem};

/// Where a question was asked, also after it was closed.
const PLACE: &str = "question";
/// The same, of those that are open.
const OPEN: &str = "question-open";

/// Rows read at once, and at most for one page.
const ROWS: usize = 100;
const MOST: usize = 1000;

/// Where a question was asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Place {
    conversation: String,
    run: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
}

/// Which questions are wanted; without any member all.
#[derive(Debug, Default)]
pub(crate) struct Which {
    pub(crate) conversation: Option<String>,
    pub(crate) entity: Option<String>,
    pub(crate) run: Option<String>,
}

impl Which {
    fn is(&self, place: &Place) -> bool {
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        same(&self.conversation, Some(&place.conversation))
            && same(&self.run, Some(&place.run))
            && same(&self.entity, place.entity.as_deref())
    }
}

/// A question that was found, in its conversation.
pub(crate) struct Found {
    id: String,
    place: Place,
    talk: Conversation,
}

impl Found {
    pub(crate) fn conversation(&self) -> &str {
        &self.place.conversation
    }

    /// What waits for the answer; a problem when nothing does any more.
    pub(crate) fn open(&self, now: Timestamp) -> Result<(&Wait, &Question), Problem> {
        open(&self.talk, &self.id, now).map_err(super::refusal::refused)
    }

    /// The question as it is shown.
    pub(crate) fn shown(&self, now: Timestamp) -> Value {
        let Place { conversation, run, entity } = &self.place;
        if let Some((wait, question)) = held(&self.talk, &self.id) {
            let status = if question.is_expired(now) { "expired" } else { "open" };
            return shown(conversation, wait, question, status);
        }
        let past = self.talk.past(&self.id);
        let status = past.map_or("closed", |past| how(past.how));
        let mut shown = json!({
            "id": self.id, "status": status, "conversation": conversation, "run": run, "entity": entity,
        });
        if let Some(past) = past {
            shown["type"] = if past.field.is_some() { "fact" } else { "confirm" }.into();
            shown["field"] = json!(past.field);
            shown["text"] = past.text.as_str().into();
        }
        shown
    }
}

impl Conversations {
    /// A question of the caller's organisation. One that the caller does not see is as unknown as one that never was.
    pub(crate) async fn question(&self, principal: &Principal, id: &str) -> Result<Found, Problem> {
        let found = self.any_question(principal, id).await?;
        if sees(principal, &found.talk) { Ok(found) } else { Err(Problem::new(Code::QuestionUnknown)) }
    }

    /// The same, whoever takes part in its conversation.
    async fn any_question(&self, principal: &Principal, id: &str) -> Result<Found, Problem> {
        let row = self.store.state(PLACE, &(listed(&principal.tenant) + id)).await?;
        let row = row.ok_or_else(|| Problem::new(Code::QuestionUnknown))?;
        let place: Place = parse(&row)?;
        let (talk, _) = self.header(principal, &place.conversation).await?;
        Ok(Found { id: id.to_owned(), place, talk })
    }

    /// A page of the open questions that the caller sees. It may be short while there is a next.
    pub(crate) async fn open_questions(
        &self,
        principal: &Principal,
        which: &Which,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, Problem> {
        let (prefix, now) = (listed(&principal.tenant), self.clock.now());
        let mut after = after.map(|id| format!("{prefix}{id}"));
        let (mut items, mut talks, mut read) = (Vec::new(), BTreeMap::new(), 0);
        while read < MOST {
            let page = self.store.states(OPEN, &prefix, after.as_deref(), ROWS).await?;
            for row in &page {
                after = Some(row.id.clone());
                let place: Place = parse(row)?;
                if !which.is(&place) {
                    continue;
                }
                let talk = self.once_read(principal, &place.conversation, &mut talks).await?;
                items.extend(listed_as(principal, &talk, &row.id[prefix.len()..], now));
                if items.len() == limit {
                    return Ok(Page { items, next: after.map(|id| id[prefix.len()..].to_owned()) });
                }
            }
            if page.len() < ROWS {
                return Ok(Page { items, next: None });
            }
            read += page.len();
        }
        Ok(Page { items, next: after.map(|id| id[prefix.len()..].to_owned()) })
    }

    async fn once_read(
        &self,
        principal: &Principal,
        id: &str,
        talks: &mut BTreeMap<String, Arc<Conversation>>,
    ) -> Result<Arc<Conversation>, Problem> {
        if let Some(talk) = talks.get(id) {
            return Ok(talk.clone());
        }
        let talk = Arc::new(self.header(principal, id).await?.0);
        talks.insert(id.to_owned(), talk.clone());
        Ok(talk)
    }

    /// Closes an open question without an answer; its run goes on as its flow says. Answers how it looks then.
    pub(crate) async fn withdraw(
        &self,
        principal: &Principal,
        (correlation, motion): (&Arc<str>, &dyn Motion),
        (id, reason): (&str, &str),
        done: Option<KeyOp>,
    ) -> Result<(Value, u64), Problem> {
        let found = self.any_question(principal, id).await?;
        let by = principal.subject.clone();
        let close = |talk: &Conversation, now| {
            open(talk, id, now)?;
            Ok(react::close_question(talk, id, Closing::Withdrawn, Some(&by), Some(reason)))
        };
        let keep: Option<super::Keep> = done.map(|done| -> super::Keep { Box::new(move |_| Some(done)) });
        let (_, position) =
            self.change(principal, (correlation, motion), found.conversation(), keep, close).await?;
        let shown = self.any_question(principal, id).await?.shown(self.clock.now());
        Ok((shown, position))
    }
}

/// Whether the caller sees the questions of a conversation: who takes part, who speaks for those who do, operators.
fn sees(principal: &Principal, talk: &Conversation) -> bool {
    let may = |permission| principal.permissions.has(permission);
    may(Permission::FlowRead)
        || may(Permission::SpeakForOthers)
        || talk.has(&principal.subject, &principal.standing(&principal.subject))
}

fn listed_as(principal: &Principal, talk: &Conversation, id: &str, now: Timestamp) -> Option<Value> {
    let (wait, question) = held(talk, id).filter(|(_, question)| !question.is_expired(now))?;
    sees(principal, talk).then(|| shown(&talk.id, wait, question, "open"))
}

fn shown(conversation: &str, wait: &Wait, question: &Question, status: &str) -> Value {
    let (type_, field) = match &wait.want {
        Want::Fact { field, .. } => ("fact", Some(field)),
        Want::Confirm { .. } | Want::Event { .. } => ("confirm", None),
    };
    let mut shown = json!({
        "id": question.id, "status": status, "type": type_, "conversation": conversation, "run": wait.run,
        "step": wait.step, "entity": wait.want.entity(), "field": field, "text": question.text,
        "entity_version": question.version, "shows": question.shows, "digest": question.digest,
        "committer": question.committer, "asked": question.asked.to_string(),
        "expires": question.expires.map(|at| at.to_string()),
    });
    if !question.by.is_anybody() {
        shown["by"] = json!(question.by);
    }
    shown
}

fn held<'a>(talk: &'a Conversation, id: &str) -> Option<(&'a Wait, &'a Question)> {
    let mut waits = talk.waits.iter().filter_map(|wait| Some((wait, wait.question.as_deref()?)));
    waits.find(|(_, question)| question.id == id)
}

/// The question, when it can still be answered; otherwise what became of it.
pub(super) fn open<'a>(
    talk: &'a Conversation,
    id: &str,
    now: Timestamp,
) -> Result<(&'a Wait, &'a Question), Refusal> {
    let held = held(talk, id);
    if let Some(open) = held.filter(|(_, question)| !question.is_expired(now)) {
        return Ok(open);
    }
    let how = match (held, talk.past(id)) {
        (Some(_), _) => how(Closing::Expired),
        (None, Some(past)) => how(past.how),
        (None, None) => "closed",
    };
    let message = format!("expected an open question; this one is {how}");
    Err(Refusal { code: "question.closed", message, pointer: "" })
}

fn how(closing: Closing) -> &'static str {
    use act::Word as _;
    closing.as_str()
}

/// The open questions of a conversation.
pub(super) fn ids(talk: &Conversation) -> BTreeSet<String> {
    talk.waits.iter().filter_map(|wait| Some(wait.question.as_ref()?.id.clone())).collect()
}

/// Adds to a batch the rows of the questions that were opened and closed since these were open.
pub(super) fn write(batch: &mut Batch, talk: &Conversation, before: &BTreeSet<String>) {
    let after = ids(talk);
    let prefix = listed(&talk.tenant);
    for id in before.difference(&after) {
        batch.states.push(State { kind: OPEN, id: format!("{prefix}{id}"), data: None });
    }
    for id in after.difference(before) {
        let Some((wait, _)) = held(talk, id) else { continue };
        let place = Place {
            conversation: talk.id.to_string(),
            run: wait.run.clone(),
            entity: wait.want.entity().map(str::to_owned),
        };
        // Serialising plain data to a vector cannot fail.
        let data = serde_json::to_vec(&place).unwrap_or_default();
        for kind in [PLACE, OPEN] {
            batch.states.push(State { kind, id: format!("{prefix}{id}"), data: Some(data.clone()) });
        }
    }
}
