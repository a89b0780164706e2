//! Whether the system is well, asked now and then.

use std::time::Duration;

use port::{Call, Ctx, Fault};
use serde_json::Value;

use super::client::Client;
use super::config::PATIENCE;
use super::operation::{self, Plan};
use super::section;
use super::{fault, request};
use crate::http::Judge;

/// How often a system is asked when nothing else is said.
const EVERY: Duration = Duration::from_secs(30);
/// More often would be load, more seldom no news.
const SPAN: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// A judged `probe`.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) every: Duration,
    plan: Plan,
}

/// Judges what is written.
pub(super) fn judged(written: &section::Probe, judge: &mut Judge<'_>) -> Option<Probe> {
    let plan = operation::asking(&written.path, &["probe", "path"], PATIENCE, judge)?;
    if plan.path.members().next().is_some() {
        let says = "a probe has no input to fill the path from";
        return judge.refuse("REST003", &["probe", "path"], says, "write a path without {member}");
    }
    let every = judge.duration(&["probe", "every"]).unwrap_or(EVERY);
    if !SPAN.contains(&every) {
        let says = "a system cannot be asked so often, or so seldom";
        return judge.refuse("REST014", &["probe", "every"], says, "write a time from 1s to 1h");
    }
    Some(Probe { every, plan })
}

impl Probe {
    /// Asks once. A 2xx is well, whatever it says.
    pub(super) async fn ask(&self, ctx: &Ctx, client: &Client) -> Result<(), Fault> {
        let call = Call { operation: "probe".into(), input: Value::Null.into(), key: None };
        let request = request::build(client.http.base(), &self.plan, &call)?;
        let answer = client.http.send(ctx, request, self.plan.limit).await?;
        if answer.status().is_success() {
            // Read to its end, so that the connection can be used again; what it says does not matter.
            _ = answer.whole().await;
            return Ok(());
        }
        let wait = answer.retry_after(ctx.clock.now());
        let fault = fault::of_status(answer.status().as_u16(), wait, &self.plan);
        Err(client.http.explained(fault, answer).await)
    }
}
