//! What acts set in motion, as their speakers are told: each run as pending, unknown, done or failed.

use std::time::Duration;

use conversation::{Integration, IntegrationState, Started, Taken};
use futures_util::future::join_all;

use crate::Gate;
use crate::turn::Turn;

/// One list for each act. Waits for the runs as long as the caller's `patience` is; of acts that were taken before it
/// tells how their runs stand now.
pub(crate) async fn of(
    gate: &Gate,
    turn: &Turn,
    taken: &[&Taken],
    patience: Option<Duration>,
) -> Vec<Vec<Integration>> {
    let asks = |taken: &Taken| !taken.runs.is_empty() && (patience.is_some() || taken.replayed);
    if !taken.iter().any(|taken| asks(taken)) {
        return taken.iter().map(|taken| taken.runs.iter().map(pending).collect()).collect();
    }
    // All at once: one deadline for the request, not one for each act.
    let each =
        taken.iter().map(|taken| {
            let asks = asks(taken);
            join_all(taken.runs.iter().map(move |run| async move {
                if asks { one(gate, run, patience).await } else { pending(run) }
            }))
        });
    turn.after(join_all(each)).await
}

fn pending(started: &Started) -> Integration {
    Integration::new(started, IntegrationState::Pending)
}

async fn one(gate: &Gate, started: &Started, patience: Option<Duration>) -> Integration {
    let view = match patience {
        Some(patience) => gate.engine.wait(&started.run, patience).await,
        None => gate.engine.view(&started.run).await,
    };
    view.map_or_else(|_| pending(started), |view| Integration::new(started, (&view).into()))
}
