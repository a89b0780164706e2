//! Where the questions of an organisation are found: a row for each says where it was asked, and one more lists it while
//! it is open. They are written in the commit that opens or closes it; what a question is stands in its conversation.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use react::{Closing, Conversation, Question, Refusal, Wait, Want};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Batch, KeyOp, State};

use crate::refusal::refused;
use crate::rows::{listed, parse};
use crate::{Caller, Code, Conversations, Error, Keep, Page, Request};

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
pub struct QuestionFilter {
    /// Of this conversation.
    pub conversation: Option<String>,
    /// About this entity.
    pub entity: Option<String>,
    /// Of this run.
    pub run: Option<String>,
}

impl QuestionFilter {
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
pub struct Found {
    id: String,
    place: Place,
    talk: Conversation,
}

impl Found {
    /// The conversation in which it was asked.
    pub fn conversation(&self) -> &str {
        &self.place.conversation
    }

    /// What waits for the answer, unless nothing does any more.
    ///
    /// # Errors
    /// [`Code::QuestionClosed`].
    pub fn open(&self, now: Timestamp) -> Result<(&Wait, &Question), Error> {
        open(&self.talk, &self.id, now).map_err(refused)
    }

    /// The question as it is shown.
    pub fn shown(&self, now: Timestamp) -> Value {
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
    ///
    /// # Errors
    /// [`Code::QuestionUnknown`], and the store's.
    pub async fn question(&self, caller: &Caller, id: &str) -> Result<Found, Error> {
        let found = self.any_question(caller, id).await?;
        if caller.sees(&found.talk) { Ok(found) } else { Err(Error::new(Code::QuestionUnknown)) }
    }

    /// The same, whoever takes part in its conversation.
    async fn any_question(&self, caller: &Caller, id: &str) -> Result<Found, Error> {
        let row = self.store.state(PLACE, &(listed(&caller.tenant) + id)).await?;
        let row = row.ok_or_else(|| Error::new(Code::QuestionUnknown))?;
        let place: Place = parse(&row)?;
        let (talk, _) = self.header(caller, &place.conversation).await?;
        Ok(Found { id: id.to_owned(), place, talk })
    }

    /// A page of the open questions that the caller sees. It may be short while there is a next.
    ///
    /// # Errors
    /// The store's.
    pub async fn open_questions(
        &self,
        caller: &Caller,
        which: &QuestionFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, Error> {
        let (prefix, now) = (listed(&caller.tenant), self.clock.now());
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
                let talk = self.once_read(caller, &place.conversation, &mut talks).await?;
                items.extend(listed_as(caller, &talk, &row.id[prefix.len()..], now));
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
        caller: &Caller,
        id: &str,
        talks: &mut BTreeMap<String, Arc<Conversation>>,
    ) -> Result<Arc<Conversation>, Error> {
        if let Some(talk) = talks.get(id) {
            return Ok(talk.clone());
        }
        let talk = Arc::new(self.header(caller, id).await?.0);
        talks.insert(id.to_owned(), talk.clone());
        Ok(talk)
    }

    /// Closes an open question without an answer; its run goes on as its flow says. Answers how it looks then.
    ///
    /// # Errors
    /// [`Code::QuestionUnknown`], [`Code::QuestionClosed`], and the store's.
    pub async fn withdraw(
        &self,
        request: &Request<'_>,
        (id, reason): (&str, &str),
        done: Option<KeyOp>,
    ) -> Result<(Value, u64), Error> {
        let found = self.any_question(&request.caller, id).await?;
        let by = request.caller.subject.clone();
        let close = |talk: &Conversation, now| {
            open(talk, id, now)?;
            Ok(react::close_question(talk, id, Closing::Withdrawn, Some(&by), Some(reason)))
        };
        let keep: Option<Keep> = done.map(|done| -> Keep { Box::new(move |_| Some(done)) });
        let (_, position) = self.change(request, found.conversation(), keep, close).await?;
        let shown = self.any_question(&request.caller, id).await?.shown(self.clock.now());
        Ok((shown, position))
    }
}

fn listed_as(caller: &Caller, talk: &Conversation, id: &str, now: Timestamp) -> Option<Value> {
    let (wait, question) = held(talk, id).filter(|(_, question)| !question.is_expired(now))?;
    caller.sees(talk).then(|| shown(&talk.id, wait, question, "open"))
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
pub(crate) fn open<'a>(
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
pub(crate) fn ids(talk: &Conversation) -> BTreeSet<String> {
    talk.waits.iter().filter_map(|wait| Some(wait.question.as_ref()?.id.clone())).collect()
}

/// Adds to a batch the rows of the questions that were opened and closed since these were open.
pub(crate) fn write(batch: &mut Batch, talk: &Conversation, before: &BTreeSet<String>) {
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
