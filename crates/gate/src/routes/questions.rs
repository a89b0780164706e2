//! Questions of flows: what waits for a person's answer.

use act::{Accepted, Checked, DocumentKind};
use conversation::{Answering, QuestionFilter, Submission, digest};
use react::{Question, Wait, Want};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::page_size;
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, LIMIT, Optional, Parameter, Route, Takes, Verb};
use crate::ticket::Ticket;
use crate::{Code, Gate, Problem};

/// The longest reason, in characters.
const REASON: usize = 500;

const QUERY: &[Parameter] = &[
    Parameter { name: "conversation", type_: "string", about: "Only of this conversation." },
    Parameter { name: "entity", type_: "string", about: "Only about this entity." },
    Parameter { name: "run", type_: "string", about: "Only of this run." },
    AFTER,
    LIMIT,
];

pub(super) const ROUTES: &[Route] = &[
    Route {
        verb: Verb::Get,
        path: "/v1/questions",
        name: "listQuestions",
        summary: "Lists open questions of the conversations that the caller takes part in; with `flow.read` or \
                  `conversation.speak_for_others` of all of the organisation. A page may be short while there is a `next`.",
        query: QUERY,
        takes: Takes::Nothing,
        gives: Gives { status: 200, schema: Schema::QuestionList },
        problems: &[Code::QueryInvalid],
        handler: |gate, asked| Box::pin(list(gate, asked)),
        shows: None,
        ..QUESTION
    },
    Route {
        verb: Verb::Get,
        path: "/v1/questions/{id}",
        name: "getQuestion",
        summary: "Shows a question: what is asked, of whom, until when; of one that is closed, how it ended.",
        takes: Takes::Nothing,
        problems: &[Code::QuestionUnknown],
        shows: None,
        ..QUESTION
    },
    Route {
        path: "/v1/questions/{id}/answer",
        name: "answerQuestion",
        summary: "Answers a question: says the confirm or the fact that it wants, in its conversation.",
        permission: Permission::ConversationWrite,
        takes: Takes::Json(Schema::AnswerQuestion, Optional::No),
        problems: &[
            Code::QuestionUnknown,
            Code::QuestionClosed,
            Code::QuestionDenied,
            Code::BodyInvalid,
            Code::ActInvalid,
            Code::ActSpeaker,
            Code::ActRefused,
            Code::ConversationEnded,
            Code::Contended,
        ],
        handler: |gate, asked| Box::pin(answer(gate, asked)),
        ..QUESTION
    },
    Route {
        path: "/v1/questions/{id}/withdraw",
        name: "withdrawQuestion",
        summary: "Closes a question without an answer; its run goes on as its flow says.",
        permission: Permission::RunsDecide,
        takes: Takes::Json(Schema::WithdrawQuestion, Optional::No),
        problems: &[Code::QuestionUnknown, Code::QuestionClosed, Code::BodyInvalid, Code::Contended],
        handler: |gate, asked| Box::pin(withdraw(gate, asked)),
        ..QUESTION
    },
];

const QUESTION: Route = Route {
    verb: Verb::Post,
    path: "",
    name: "",
    summary: "",
    permission: Permission::QuestionsRead,
    query: &[],
    headers: &[],
    takes: Takes::Nothing,
    gives: Gives { status: 200, schema: Schema::Question },
    problems: &[],
    handler: |gate, asked| Box::pin(one(gate, asked)),
    shows: Some(|gate, asked| Box::pin(one(gate, asked))),
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    conversation: Option<String>,
    entity: Option<String>,
    run: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let Query { conversation, entity, run, after, limit } = asked.query()?;
    let (which, limit) = (QuestionFilter { conversation, entity, run }, page_size(limit));
    let (caller, after) = (asked.principal.caller(), after.as_deref());
    let page = gate.conversations.open_questions(&caller, &which, after, limit).await?;
    Ok(Answer::ok(&json!({ "questions": page.items, "next": page.next })))
}

async fn one(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let found = gate.conversations.question(&asked.principal.caller(), asked.param("id")).await?;
    Ok(Answer::ok(&found.shown(gate.clock.now())))
}

/// What is answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    /// Yes or no, to a confirmation.
    confirmed: Option<bool>,
    /// The field's value, to an ask; null, too.
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    reason: Option<String>,
    /// Who answers; the caller, unless it speaks for others.
    speaker: Option<String>,
    /// Of which entity, where the question is about any.
    entity: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

async fn answer(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let given: Given = asked.document()?;
    fits(given.reason.as_deref().unwrap_or_default())?;
    let (request, id) = (asked.request(gate), asked.param("id"));
    let caller = request.caller.clone();
    let found = gate.conversations.question(&caller, id).await?;
    let (wait, question) = found.open(gate.clock.now())?;
    let act = act(gate, &asked, given.says(wait, question)?)?;
    let done = asked.ticket.as_ref().map(Ticket::done);
    let submission = Submission {
        request,
        conversation: found.conversation(),
        acts: vec![act],
        all_or_nothing: true,
        answering: Some(Answering { question: id, done }),
    };
    let answer = gate.conversations.take(submission).await?;
    let taken = answer.verdicts.into_iter().next().ok_or_else(|| Problem::new(Code::Internal))??;
    let mut shown = gate.conversations.question(&caller, id).await?.shown(gate.clock.now());
    shown["act"] = serde_json::from_str(taken.act.get()).unwrap_or_default();
    shown["position"] = taken.position.into();
    shown["result"] = json!(taken.result);
    if !taken.warnings.is_empty() {
        shown["warnings"] = json!(taken.warnings);
    }
    Ok(Answer::ok(&shown).at(taken.position))
}

impl Given {
    /// The members of the act that answers, but for who says it and when.
    fn says(self, wait: &Wait, question: &Question) -> Result<Map<String, Value>, Problem> {
        let invalid = |why: &str| Problem::because(Code::BodyInvalid, why);
        let entity = wait.want.entity().map(str::to_owned).or(self.entity.clone());
        let entity = entity.ok_or_else(|| invalid("entity: expected one; the question is about any"))?;
        if self.entity.is_some_and(|given| given != entity) {
            return Err(invalid("entity: expected the entity of the question, or no such member"));
        }
        let mut cardan = json!({ "question": question.id });
        let mut act = match (&wait.want, self.confirmed, self.value) {
            (Want::Confirm { .. }, Some(confirmed), None) => json!({
                "type": "confirm", "summary": question.text, "awaiting": false, "confirmed": confirmed,
            }),
            (Want::Fact { field, .. }, None, Some(value)) => {
                json!({ "type": "fact", "field": field, "value": value })
            }
            (Want::Confirm { .. }, ..) => {
                return Err(invalid("expected confirmed: true or false, and no value"));
            }
            _ => return Err(invalid("expected value, and not confirmed")),
        };
        match self.reason {
            Some(reason) if self.confirmed == Some(false) => act["rejection_reason"] = reason.into(),
            Some(reason) => cardan["reason"] = reason.into(),
            None => {}
        }
        act["entity"] = entity.into();
        act["metadata"] = json!({ "cardan": cardan });
        if let Some(speaker) = self.speaker {
            act["speaker"] = speaker.into();
        }
        match act {
            Value::Object(members) => Ok(members),
            _ => Err(Problem::new(Code::Internal)),
        }
    }
}

/// The act, with the id that comes from the caller's key.
fn act(gate: &Gate, asked: &Asked, mut members: Map<String, Value>) -> Result<Accepted<act::Act>, Problem> {
    let id = match &asked.ticket {
        Some(ticket) => {
            let hash = digest(["cardan answer 1", &asked.principal.tenant, ticket.name()]);
            hash[..16].iter().fold("act_".to_owned(), |id, byte| id + &format!("{byte:02x}"))
        }
        None => format!("act_{:016x}{:016x}", gate.entropy.bits(), gate.entropy.bits()),
    };
    members.insert("id".to_owned(), id.into());
    members.insert("timestamp".to_owned(), gate.clock.now().to_string().into());
    members.entry("speaker").or_insert_with(|| (&*asked.principal.subject).into());
    match act::check(DocumentKind::Act, Value::Object(members), gate.conversations.rules()) {
        Ok(Accepted { value: Checked::Act(value), warnings, mended }) => {
            Ok(Accepted { value: *value, warnings, mended })
        }
        Ok(_) => Err(Problem::new(Code::Internal)),
        Err(issues) => Err(Problem::invalid(Code::ActInvalid, issues)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdrawing {
    reason: String,
}

async fn withdraw(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let Withdrawing { reason } = asked.document()?;
    fits(&reason)?;
    if reason.trim().is_empty() {
        return Err(Problem::because(Code::BodyInvalid, "reason: expected why"));
    }
    let (id, done) = (asked.param("id"), asked.ticket.as_ref().map(Ticket::done));
    let request = asked.request(gate);
    let (shown, position) = gate.conversations.withdraw(&request, (id, &reason), done).await?;
    tracing::info!(
        correlation_id = &*asked.correlation,
        question = id,
        principal = &*asked.principal.subject,
        "question withdrawn"
    );
    Ok(Answer::ok(&shown).at(position))
}

fn fits(reason: &str) -> Result<(), Problem> {
    match reason.chars().count() > REASON {
        true => Err(Problem::because(Code::BodyInvalid, format!("reason: at most {REASON} characters"))),
        false => Ok(()),
    }
}
