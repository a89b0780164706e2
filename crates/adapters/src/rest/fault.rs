//! What a status outside those of success means to an operation.

use std::time::Duration;

use port::{Fault, Repeat};

use super::operation::Plan;
use crate::http::fault;

/// The fault of such a status. A keyed operation may be told that an earlier request with its key is still being handled.
pub(super) fn of_status(status: u16, wait: Option<Duration>, plan: &Plan) -> Fault {
    let said = (status == 409 && wait.is_some()) || plan.in_progress.statuses.contains(&status);
    match said && plan.repeat == Repeat::Keyed {
        true => fault::in_progress(status, wait),
        false => fault::of_status(status, wait),
    }
}
