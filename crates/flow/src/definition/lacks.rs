//! What a pinned definition names and the configuration no longer has.

use super::task::Block;
use super::{Body, Call, Definition, Known, Task};

/// A name in a definition that stands for nothing any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) step: String,
    pub(crate) of: LackOf,
    /// `system.operation`, or a flow.
    pub(crate) missing: String,
}

/// What a step needs it for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LackOf {
    Call,
    Compensate,
    Verify,
    Run,
}

impl LackOf {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Compensate => "compensate",
            Self::Verify => "verify",
            Self::Run => "run",
        }
    }
}

impl Definition {
    /// Everything that it names and is not known.
    pub(crate) fn lacks(&self, known: &Known) -> Vec<Lack> {
        let mut found = Vec::new();
        every(&self.tasks, &mut |task| of_task(task, known, &mut found));
        found
    }
}

fn of_task(task: &Task, known: &Known, found: &mut Vec<Lack>) {
    let mut lack = |of, missing| found.push(Lack { step: task.name.to_string(), of, missing });
    let calls = [
        (LackOf::Call, task.body.call()),
        (LackOf::Compensate, task.compensate.as_ref().map(|undo| &undo.call)),
        (LackOf::Verify, task.verify.as_ref().map(|verify| &verify.call)),
    ];
    for (of, call) in calls {
        if let Some(Call { system, operation, .. }) = call.filter(|call| !call.known) {
            lack(of, format!("{system}.{operation}"));
        }
    }
    if let Body::Run { flow, .. } = &task.body
        && !known.flows.contains(&**flow)
    {
        lack(LackOf::Run, format!("flow {flow}"));
    }
}

/// Every task, those within others too.
pub(super) fn every(block: &Block, see: &mut impl FnMut(&Task)) {
    for task in block.iter() {
        see(task);
        match &task.body {
            Body::Do { block, otherwise } => {
                every(block, see);
                otherwise.iter().for_each(|block| every(block, see));
            }
            Body::Switch(cases) => cases.iter().for_each(|(_, block)| every(block, see)),
            Body::Fork { branches, .. } => branches.iter().for_each(|(_, block)| every(block, see)),
            Body::Try(attempt) => {
                every(&attempt.block, see);
                attempt.catch.iter().for_each(|catch| every(&catch.block, see));
            }
            Body::Require(_) | Body::Set(_) | Body::Raise { .. } | Body::Call(_) | Body::Tell(_) => {}
            Body::Publish { .. } | Body::Emit(_) | Body::Ask(_) | Body::Confirm(_) => {}
            Body::Wait(_) | Body::Listen(_) | Body::Run { .. } => {}
        }
    }
}
