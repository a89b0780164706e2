//! Everything that waits for a person.

use flow::{ForPerson, Remedy};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use store::DeadState;

use super::{page_size, since};
use crate::answer::Answer;
use crate::auth::Permission;
use crate::desk::{Candidate, Candidates, Entry, of_letter, of_run, unreadable};
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, LIMIT, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const QUERY: &[Parameter] = &[AFTER, LIMIT];

/// At most so many runs and letters are read back for one page.
const LOOKS: usize = 200;

pub(super) const ROUTES: &[Route] = &[Route {
    verb: Verb::Get,
    path: "/v1/inbox",
    name: "listInbox",
    summary: "Lists everything that waits for a person, the oldest first, with the commands that settle it. Needs \
              `dead.read` too. A page may be short while there is a `next`.",
    permission: Permission::FlowRead,
    query: QUERY,
    headers: &[],
    takes: Takes::Nothing,
    gives: Gives { status: 200, schema: Schema::Inbox },
    problems: &[Code::QueryInvalid],
    handler: |gate, asked| Box::pin(list(gate, asked)),
    shows: None,
}];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    if !asked.principal.permissions.has(Permission::DeadRead) {
        return Err(Problem::because(Code::AuthPermission, "needs dead.read"));
    }
    let query: Query = asked.query()?;
    let limit = page_size(query.limit);
    let after = query.after.map(|after| since(&after)).transpose()?;
    let found = Candidates::of(gate, &asked.principal.tenant).await?;
    let begin = after.map_or(0, |after| found.all.partition_point(|candidate| candidate.place() <= after));
    let (mut inbox, mut next) = (Vec::new(), None);
    for (at, candidate) in found.all.iter().enumerate().skip(begin) {
        inbox.extend(entries(gate, candidate, &found.all).await?);
        let full = inbox.len() >= limit || at + 1 - begin == LOOKS;
        if full && at + 1 < found.all.len() {
            let (since, name) = candidate.place();
            next = Some(format!("{since}/{name}"));
            break;
        }
    }
    Ok(Answer::ok(&json!({"inbox": inbox, "next": next, "complete": !found.more})))
}

async fn entries(gate: &Gate, candidate: &Candidate, all: &[Candidate]) -> Result<Vec<Entry>, Problem> {
    match candidate {
        Candidate::Run(waits) => told(gate, waits, gate.clock.now()).await,
        Candidate::Letter { id, .. } => letter(gate, id, all).await,
    }
}

async fn told(gate: &Gate, waits: &ForPerson, now: Timestamp) -> Result<Vec<Entry>, Problem> {
    match gate.engine.view(&waits.row.id).await {
        Ok(view) => Ok(of_run(waits, &view, now)),
        Err(flow::Error::UnknownRun(_)) => Ok(Vec::new()),
        Err(error @ (flow::Error::Journal { .. } | flow::Error::NoDefinition { .. })) => {
            Ok(vec![unreadable(waits, &error)])
        }
        Err(error) => Err(error.into()),
    }
}

/// A letter about what its run waits for stands with its run.
async fn letter(gate: &Gate, id: &str, all: &[Candidate]) -> Result<Vec<Entry>, Problem> {
    let found = gate.store.dead_one(id).await?.filter(|letter| letter.state == DeadState::Open);
    let Some(letter) = found else { return Ok(Vec::new()) };
    let run = letter.source.split('/').next().unwrap_or_default();
    let waits = all.iter().find_map(|candidate| match candidate {
        Candidate::Run(waits) if waits.row.id == run => Some(waits),
        Candidate::Run(_) | Candidate::Letter { .. } => None,
    });
    let (row, of_run) = match waits {
        Some(waits) => (Some(waits.row.clone()), told(gate, waits, gate.clock.now()).await?),
        None => (gate.store.run(run).await?, Vec::new()),
    };
    let remedy = gate.engine.remedy(&letter).await.unwrap_or(Remedy::Replay);
    Ok(of_letter(letter, row.as_ref(), &of_run, remedy).into_iter().collect())
}
