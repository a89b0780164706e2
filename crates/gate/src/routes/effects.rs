//! The ledger of effects: what runs wanted in other systems, and what became of it.

use flow::EffectView;
use serde::Deserialize;
use serde_json::json;
use store::{RunFilter, RunRow};

use super::page_size;
use crate::answer::Answer;
use crate::auth::Permission;
use crate::exchange::Asked;
use crate::openapi::Schema;
use crate::route::{AFTER, Gives, LIMIT, Parameter, Route, Takes, Verb};
use crate::{Code, Gate, Problem};

const QUERY: &[Parameter] = &[
    Parameter { name: "run", type_: "string", about: "Only of this run." },
    Parameter {
        name: "entity",
        type_: "string",
        about: "Only of runs that are about this entity, and of those that they began.",
    },
    Parameter {
        name: "system",
        type_: "string",
        about: "Only in this system, or at this member of a group.",
    },
    Parameter { name: "conversation", type_: "string", about: "Only of runs of this conversation." },
    AFTER,
    LIMIT,
];

/// At most so many runs are read back for one page.
const RUNS: usize = 200;

pub(super) const ROUTES: &[Route] = &[Route {
    verb: Verb::Get,
    path: "/v1/effects",
    name: "listEffects",
    summary: "Lists what runs did in other systems, the newest run first, its effects in their order. One of `run`, \
              `entity`, `system` and `conversation` is needed. A page may be short while there is a `next`.",
    permission: Permission::FlowRead,
    query: QUERY,
    headers: &[],
    takes: Takes::Nothing,
    gives: Gives { status: 200, schema: Schema::Effects },
    problems: &[Code::QueryInvalid, Code::RunUnknown],
    handler: |gate, asked| Box::pin(list(gate, asked)),
    shows: None,
}];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    run: Option<String>,
    entity: Option<String>,
    system: Option<String>,
    conversation: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

impl Query {
    fn check(&self) -> Result<(), Problem> {
        let named = [&self.run, &self.entity, &self.system, &self.conversation];
        match named.iter().any(|name| name.is_some()) {
            true => Ok(()),
            false => {
                Err(Problem::because(Code::QueryInvalid, "expected run, entity, system or conversation"))
            }
        }
    }

    fn wants(&self, effect: &EffectView) -> bool {
        let is = |wanted: &Option<String>, own: Option<&str>| wanted.is_none() || wanted.as_deref() == own;
        let at = self.system.as_ref().is_none_or(|system| {
            *system == effect.system || effect.member.as_ref().is_some_and(|member| member == system)
        });
        at && (is(&self.entity, effect.entity.as_deref()) || is(&self.entity, effect.root_entity.as_deref()))
    }
}

/// Where a page begins: in the run of this position, after so many of its effects.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Place {
    run: Option<u64>,
    skip: usize,
}

impl Place {
    fn parse(after: &str) -> Result<Self, Problem> {
        let parts = after.split_once('.');
        let place = parts.and_then(|(run, skip)| Some((run.parse().ok()?, skip.parse().ok()?)));
        let (run, skip) = place.ok_or_else(super::no_page)?;
        Ok(Self { run: Some(run), skip })
    }
}

async fn list(gate: &Gate, asked: Asked) -> Result<Answer, Problem> {
    let query: Query = asked.query()?;
    query.check()?;
    let limit = page_size(query.limit);
    let place = query.after.as_deref().map(Place::parse).transpose()?.unwrap_or_default();
    let rows = rows(gate, &query, &asked.principal.tenant, place).await?;
    let (mut effects, mut next) = (Vec::new(), None);
    for row in &rows {
        let skip = if place.run == Some(row.position) { place.skip } else { 0 };
        let own = gate.engine.effects(&row.id).await?;
        for (at, effect) in own.into_iter().enumerate().skip(skip) {
            if effects.len() == limit {
                next = Some(format!("{}.{at}", row.position));
                break;
            }
            if query.wants(&effect) {
                effects.push(effect);
            }
        }
        if next.is_some() {
            break;
        }
    }
    let full = rows.last().filter(|_| rows.len() == RUNS && next.is_none());
    let next = next.or_else(|| full.map(|last| format!("{}.0", last.position.saturating_sub(1))));
    Ok(Answer::ok(&json!({"effects": effects, "next": next})))
}

async fn rows(gate: &Gate, query: &Query, tenant: &str, place: Place) -> Result<Vec<RunRow>, Problem> {
    if let Some(run) = &query.run {
        let row = gate.store.run(run).await?.filter(|row| row.tenant == tenant);
        return row.map(|row| vec![row]).ok_or(Problem::new(Code::RunUnknown));
    }
    let filter = RunFilter {
        tenant: Some(tenant.to_owned()),
        conversation: query.conversation.clone(),
        before: place.run.map(|run| run.saturating_add(1)),
        limit: RUNS,
        ..RunFilter::default()
    };
    Ok(gate.store.runs(&filter).await?)
}
