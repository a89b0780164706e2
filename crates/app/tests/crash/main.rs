//! F1, F2: the real binary is killed at random times and at every named point, under load, and loses nothing.
//!
//! `make crash N=1000` runs the long form. A failure prints the seed; `CARDAN_CRASH_SEED=… make crash` replays it.

#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod campaign;
mod providers;

use campaign::{Campaign, Kill};
use testkit::crash::Finding;

/// Kills at random times in the short form.
const KILLS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_times_nothing_acknowledged_is_lost() {
    Campaign::new("random").run(at_random()).await;
}

/// Whoever was asked is asked again, and nobody else: neither provider knows the other's keys.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_calls_to_a_group_nothing_is_charged_twice_or_not_at_all() {
    Campaign::new("group").with_two_providers().run(at_random()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_named_point_nothing_acknowledged_is_lost() {
    let points = store::failpoints().iter().chain(flow::failpoints()).chain(relay::failpoints());
    let plan = points.map(|&point| Kill::At(point)).collect();
    Campaign::new("points").run(plan).await;
}

/// The harness can fail: a store that acknowledges early is caught.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_acknowledges_early_is_caught() {
    let plan = vec![Kill::After(120); 30];
    let findings = Campaign::new("mutant").with_mutant("ack-early").findings(plan).await;
    assert!(!findings.is_empty(), "acknowledging before the commit went unnoticed");
}

/// The harness can fail: a driver that does not write down whom it asks charges at both providers.
#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_does_not_write_down_whom_it_asks_is_caught() {
    let plan = vec![Kill::After(250); 20];
    let campaign = Campaign::new("mutant").with_two_providers().with_mutant("skip-intent");
    let findings = campaign.findings(plan).await;
    let twice = |finding: &Finding| matches!(finding, Finding::Half { .. });
    assert!(findings.iter().any(twice), "asking another provider after a crash went unnoticed");
}

/// As many kills as are asked for, each at a time that the seed says.
fn at_random() -> Vec<Kill> {
    let kills = number("CARDAN_CRASH_KILLS").map_or(KILLS, |n| usize::try_from(n).unwrap());
    let seed = number("CARDAN_CRASH_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("seed {seed}: replay with CARDAN_CRASH_SEED={seed} make crash N={kills}");
    let mut dice = fastrand::Rng::with_seed(seed);
    (0..kills).map(|_| Kill::After(dice.u64(20..400))).collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
