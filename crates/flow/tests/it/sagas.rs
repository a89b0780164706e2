//! The same four for every built-in saga: repeated actions, failure at each step, undo twice, crash at each write.

use port::{Fault, Kind, Landed};
use store::RunStatus;

use crate::world::{PATIENCE, World, order};

/// Which operation undoes which.
const UNDOES: [(&str, &str); 6] = [
    ("inventory.reserve", "inventory.release"),
    ("payments.charge", "payments.refund"),
    ("orders.create", "orders.cancel"),
    ("crm.update", "crm.revert"),
    ("email.send", "email.send"),
    ("orders.validate", ""),
];

fn template(name: &str) -> String {
    format!("template: {name}")
}

/// Checks that what was done was undone in reverse, each once.
fn exactly_reversed(effects: &[String]) {
    let mut open = Vec::new();
    for effect in effects {
        let undoes = open
            .last()
            .is_some_and(|last: &&String| UNDOES.iter().any(|(done, undo)| done == *last && *undo == effect));
        if undoes {
            open.pop();
        } else if effect != "orders.validate" && effect != "orders.update" {
            open.push(effect);
        }
    }
    assert!(open.is_empty(), "left behind {open:?} of {effects:?}");
}

fn refused() -> Fault {
    Fault::new(Kind::Refused, Landed::No, "declined")
}

const TEMPLATES: [(&str, &[&str]); 3] = [
    ("order-create", &["inventory.reserve", "orders.create", "payments.charge", "orders.update"]),
    (
        "order-saga",
        &[
            "orders.validate",
            "inventory.reserve",
            "payments.charge",
            "orders.create",
            "crm.update",
            "email.send",
        ],
    ),
    ("purchase-saga", &["inventory.reserve", "payments.charge", "orders.create"]),
];

#[tokio::test(start_paused = true)]
async fn each_saga_succeeds() {
    for (name, steps) in TEMPLATES {
        let world = World::of(&template(name)).await;
        let view = world.runs(order()).await;
        assert_eq!(view.status, RunStatus::Succeeded, "{name}: {view:#?}");
        for step in steps {
            assert!(world.ledger.count(step) >= 1, "{name}: {step}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeated_commit_is_one_run() {
    for (name, _) in TEMPLATES {
        let world = World::of(&template(name)).await;
        world.runs(order()).await;
        let before = world.ledger.effects();
        let (_, batch) = world.begin("act_1", order());
        assert!(matches!(world.store.commit(batch).await, Err(store::Error::Version { .. })), "{name}");
        assert_eq!(world.ledger.effects(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn failure_at_each_step_undoes_everything_in_reverse() {
    for (name, steps) in TEMPLATES {
        for step in steps {
            let world = World::of(&template(name)).await;
            world.ledger.fails_once(step, refused());
            let view = world.runs(order()).await;
            assert!(
                matches!(view.status, RunStatus::Failed | RunStatus::Compensated),
                "{name} {step}: {view:#?}"
            );
            assert!(view.error.is_some());
            exactly_reversed(&world.ledger.effects());
        }
    }
}

/// The failing step has acted and its answer was lost: it is undone too.
#[tokio::test(start_paused = true)]
async fn an_unknown_step_is_undone_too() {
    for (name, steps) in TEMPLATES {
        for step in steps.iter().filter(|step| !step.starts_with("email")) {
            let world = World::of(&template(name)).await;
            world.ledger.fails_once(step, Fault::new(Kind::Timeout, Landed::Unknown, "no answer"));
            let view = world.runs(order()).await;
            assert!(view.error.is_some(), "{name} {step}: {view:#?}");
            exactly_reversed(&world.ledger.effects());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn crash_after_each_journal_write() {
    for (name, steps) in TEMPLATES {
        let last = steps.last().unwrap();
        for entries in 1.. {
            let mut world = World::of(&template(name)).await;
            world.ledger.fails_once(last, refused());
            world.crash.after(entries);
            let run = world.start("act_1", order()).await;
            let died = outlives(&world, &run).await;
            world.dies_and_restarts().await;
            let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
            assert!(view.status.is_ended(), "{name} {entries}: {view:#?}");
            // Dying after the refusal was scripted away lets the last step pass: then nothing is undone.
            if view.error.is_some() {
                exactly_reversed(&world.ledger.effects());
            }
            if !died {
                break;
            }
        }
    }
}

/// The effect is there and its outcome was not written: it is done again under the same key, and acts once.
#[tokio::test(start_paused = true)]
async fn crash_after_each_effect_acts_once() {
    for (name, steps) in TEMPLATES {
        for calls in 1.. {
            let mut world = World::of(&template(name)).await;
            world.ledger.dies_at_call(Some(calls));
            let run = world.start("act_1", order()).await;
            let died = outlives(&world, &run).await;
            world.dies_and_restarts().await;
            let view = world.engine.wait(run.as_str(), PATIENCE).await.unwrap();
            assert_eq!(view.status, RunStatus::Succeeded, "{name} {calls}: {view:#?}");
            let reserved = if name == "order-create" { 2 } else { 1 };
            for step in steps {
                let wanted = if *step == "inventory.reserve" { reserved } else { 1 };
                assert_eq!(world.ledger.count(step), wanted, "{name} {calls}: {step}");
            }
            if !died {
                break;
            }
        }
    }
}

/// Compensation that dies half way is done again under the same key.
#[tokio::test(start_paused = true)]
async fn undo_twice_undoes_once() {
    for (name, steps) in TEMPLATES {
        let world = World::of(&template(name)).await;
        world.ledger.fails_once(steps.last().unwrap(), refused());
        for undo in ["payments.refund", "inventory.release", "orders.cancel"] {
            world.ledger.fails_once(undo, Fault::new(Kind::Timeout, Landed::Unknown, "no answer"));
        }
        let view = world.runs(order()).await;
        assert_eq!(view.status, RunStatus::Compensated, "{name}: {view:#?}");
        exactly_reversed(&world.ledger.effects());
        let keys = world.ledger.keys("inventory.release");
        let items = if name == "order-create" { 2 } else { 1 };
        assert_eq!(keys.iter().collect::<std::collections::BTreeSet<_>>().len(), items, "{keys:?}");
    }
}

/// Waits until the run has ended or its task has died. Whether it died.
async fn outlives(world: &World, run: &flow::RunId) -> bool {
    let mut last = 0;
    loop {
        let view = world.engine.wait(run.as_str(), std::time::Duration::from_millis(150)).await.unwrap();
        if view.status.is_ended() {
            return false;
        }
        let now = world.crash.events.lock().len();
        if now == last {
            return true;
        }
        last = now;
    }
}
