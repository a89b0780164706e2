//! What acts set in motion: runs that begin with their batch, and waiting runs that hear in it.

use conversation::{Closing, Code, Error, Motion, Plan, Signal};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use store::Batch;

use super::{Engine, RunId};
use crate::core::{Lineage, QuestionEnd, Start};

impl Motion for Engine {
    fn plan(&self) -> Box<dyn Plan> {
        Box::new(Planned::new(self, None))
    }

    fn journal(&self, run: &str) -> String {
        super::begin::stream(run)
    }
}

/// The engine as a run sees it: what its acts begin stands below it.
pub(super) struct Below {
    pub(super) engine: Engine,
    pub(super) lineage: Lineage,
}

impl Motion for Below {
    fn plan(&self) -> Box<dyn Plan> {
        Box::new(Planned::new(&self.engine, Some(self.lineage.clone())))
    }

    fn journal(&self, run: &str) -> String {
        self.engine.journal(run)
    }
}

/// What a batch sets in motion once it is committed.
struct Planned {
    engine: Engine,
    lineage: Option<Lineage>,
    wake: Vec<RunId>,
    /// What may still be refused: its runs, and the rows that make them the only ones of their keys.
    proposed: (Vec<RunId>, Batch),
    /// The rows of that kind that are part of the plan.
    sole: Batch,
}

impl Planned {
    fn new(engine: &Engine, lineage: Option<Lineage>) -> Self {
        Self {
            engine: engine.with_records(Vec::new()),
            lineage,
            wake: Vec::new(),
            proposed: Default::default(),
            sole: Batch::new(),
        }
    }

    fn start(&self, start: conversation::Start) -> Start {
        let conversation::Start { flow, tenant, conversation, commit, .. } = start;
        Start {
            run: RunId::of_commit(&tenant, &conversation, &commit, &flow).to_string(),
            flow,
            tenant: tenant.to_string(),
            conversation: Some(conversation.to_string()),
            commit: Some(commit),
            correlation: start.correlation.to_string(),
            trace: start.trace.map(|trace| trace.to_string()),
            idempotency_key: start.idempotency_key,
            generation: start.generation,
            lineage: self.lineage.clone(),
            input: start.input,
            ..Start::default()
        }
    }
}

impl Plan for Planned {
    fn begin<'a>(
        &'a mut self,
        rows: &'a mut Batch,
        starts: Vec<conversation::Start>,
    ) -> BoxFuture<'a, Result<Vec<String>, Error>> {
        async move {
            let (mut begun, mut aside) = (Vec::with_capacity(starts.len()), Batch::new());
            for mut start in starts {
                let replaces = std::mem::take(&mut start.replaces);
                let mut run = self.engine.beginning(self.start(start), None).map_err(refused)?;
                let first = self.engine.must_be_first(&mut run, &[&aside, &self.sole], &replaces).await;
                first.map_err(refused)?;
                begun.push(self.engine.write_beginning(&mut aside, run));
            }
            let ids = begun.iter().map(RunId::to_string).collect();
            let keys = Batch { keys: aside.keys.clone(), ..Batch::default() };
            self.proposed = (begun, keys);
            rows.merge(aside);
            Ok(ids)
        }
        .boxed()
    }

    fn accept(&mut self) {
        let (runs, keys) = std::mem::take(&mut self.proposed);
        self.wake.extend(runs);
        self.sole.merge(keys);
    }

    fn tell(&mut self, rows: &mut Batch, signal: &Signal) {
        self.wake.push(signal.run.as_str().into());
        let Signal { run, step, question, id, payload, how } = signal;
        let how = match how {
            Closing::Answered => {
                return match question {
                    Some(question) => self.engine.answer(rows, run, question, id, payload),
                    None => self.engine.signal(rows, run, step, id, payload),
                };
            }
            Closing::Expired => QuestionEnd::Expired,
            Closing::Withdrawn => QuestionEnd::Withdrawn,
            Closing::Changed => QuestionEnd::Changed,
            Closing::Ended => QuestionEnd::Ended,
        };
        let text = |name: &str| payload.get(name).and_then(Value::as_str);
        self.engine.close(rows, (run, step), question.as_deref(), how, (text("by"), text("reason")));
    }

    fn committed(self: Box<Self>) {
        self.engine.committed(&self.wake);
    }
}

/// Why a run cannot begin. That of an unknown flow is a defect: what routes commits knows its flows.
fn refused(error: crate::Error) -> Error {
    match error {
        crate::Error::Key { .. } => Error::because(Code::ActRefused, error.to_string()),
        crate::Error::Once { .. } => Error::because(Code::CommitOnce, error.to_string()),
        crate::Error::Store(error) => error.into(),
        other => {
            tracing::error!(error = %other, "planning a run");
            Error::Internal
        }
    }
}
