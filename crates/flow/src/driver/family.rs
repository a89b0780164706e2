//! How many runs may come of one: each run that another began is counted in the stream of its root.

use store::{Append, Batch, Expected, NewEvent};

use super::Engine;
use super::runner::{Runner, Stop};
use super::turn::Turn;
use crate::core::{Failure, Lineage, Speech, Start};

/// The stream in which the runs below a root are counted.
fn family(root: &str) -> String {
    format!("family-{root}")
}

impl Engine {
    /// Counts a run that another began.
    pub(super) fn count(&self, batch: &mut Batch, start: &Start) {
        let Some(Lineage { root, .. }) = &start.lineage else { return };
        let event = NewEvent {
            type_: "RunBegun".into(),
            data: serde_json::json!({ "run": start.run }).to_string().into_bytes(),
            at: self.0.clock.now(),
            tenant: start.tenant.as_str().into(),
            correlation: start.correlation.as_str().into(),
            causation: start.commit.as_deref().map(Into::into),
        };
        batch.appends.push(Append { stream: family(root), expected: Expected::Any, events: vec![event] });
    }

    /// Why a run of a flow may not stand there.
    pub(super) fn too_deep(&self, lineage: &Lineage, flow: &str) -> Option<Failure> {
        let again = self.flow(flow).and_then(|flow| flow.recursion);
        lineage.refuses(flow, self.0.limits.depth, again)
    }
}

impl Runner {
    /// Why no further run may come of this one: as many as may have come of its root.
    pub(super) async fn too_many(&mut self, turn: &mut Turn, path: &str) -> Result<Option<Failure>, Stop> {
        let Lineage { root, .. } = self.state.start.below();
        let stream = family(&root);
        let written = self.engine.0.store.version(&stream).await?;
        let mine = turn.batch.appends.iter().filter(|append| append.stream == stream).count() as u64;
        let most = self.engine.0.limits.runs_per_root;
        let said = format!("{} runs have come of {root}, allowed are {most}", written + mine);
        let full = written + mine >= most && !store::mutant("endless-runs");
        Ok(full.then(|| Failure::new(&path.into(), "flow.too_many_runs", said)))
    }

    /// Why an act that may begin runs cannot be said here.
    pub(super) async fn may_not_begin(
        &mut self,
        turn: &mut Turn,
        path: &str,
        speech: &Speech,
    ) -> Result<Option<Failure>, Stop> {
        let Speech::Emit(act) = speech else { return Ok(None) };
        if act.get("type").and_then(serde_json::Value::as_str) != Some("commit") {
            return Ok(None);
        }
        let deepest = self.engine.0.limits.depth;
        let deep = self.state.start.below().refuses("a commit", deepest, None);
        match deep {
            Some(error) => Ok(Some(Failure { step: path.into(), ..error })),
            None => self.too_many(turn, path).await,
        }
    }
}
