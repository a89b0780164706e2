//! A system delays nobody but itself.

use std::time::Duration;

use port::{Clock, Fault, Kind, Landed, Outlook};
use store::{OutboxOp, OutboxRow};

use crate::world::{Does, World, message};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("run_{number:05}")).collect()
}

/// Printed, so that the figure can be read: `cargo test -p relay delays_a_healthy -- --nocapture`.
#[tokio::test(start_paused = true)]
async fn forty_messages_to_a_slow_system_delay_a_healthy_one_by_nothing() {
    let world = World::of(["slow", "well"]);
    world.system("slow").behaves(|_| Does::Answers(Duration::from_secs(5)));
    let runs = names(40);
    let slow: Vec<_> = runs.iter().map(|run| message("slow.keyed", run, "1")).collect();
    world.tells(&slow).await;
    world.passes(Duration::from_millis(500)).await;
    let told = world.clock.now();
    world.tells(&[message("well.keyed", "w", "1")]).await;
    world.passes(Duration::from_secs(1)).await;
    let arrived = world.system("well").records.lock().calls[0].0;
    let delay = arrived.duration_since(told);
    println!("40 slow tells delay a healthy one by {} ms", delay.as_millis());
    assert!(delay.as_millis() <= 50, "{delay}");
    assert_eq!(world.system("slow").records.lock().most_at_once, 32, "and have places of their own");
}

#[tokio::test(start_paused = true)]
async fn a_long_lane_and_rows_of_other_kinds_starve_nobody() {
    let world = World::of(["long", "well"]);
    *world.system("long").outlook.lock() = Outlook::Closed(Duration::from_secs(30));
    let runs = names(2000);
    let long: Vec<_> = runs.iter().map(|run| message("long.keyed", run, "1")).collect();
    world.tells(&long).await;
    let pigeons = (0..500).map(|number| {
        let id = format!("pigeon_{number}");
        let (kind, lane) = ("pigeon".to_owned(), "well".to_owned());
        OutboxOp::Put(OutboxRow { id, kind, lane, payload: b"{}".to_vec(), ..OutboxRow::default() })
    });
    world.does(pigeons.collect()).await.unwrap();
    world.tells(&[message("well.keyed", "w", "1")]).await;
    world.passes(Duration::from_millis(50)).await;
    assert_eq!(world.system("well").effects(), ["w/1"]);
    assert_eq!(world.system("long").calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_waited_goes_as_fast_as_the_system_takes_it() {
    let world = World::of(["crm"]);
    *world.system("crm").outlook.lock() = Outlook::Closed(Duration::from_secs(10));
    let runs = names(1000);
    let told: Vec<_> = runs.iter().map(|run| message("crm.keyed", run, "1")).collect();
    world.tells(&told).await;
    world.passes(Duration::from_secs(5)).await;
    assert_eq!(world.system("crm").calls(), 0);
    *world.system("crm").outlook.lock() = Outlook::Open;
    world.system("crm").behaves(|_| Does::Answers(Duration::from_millis(10)));
    // It is looked at again when its guard said so; 1000 at 32 at a time and 10 ms each take some 320 ms.
    world.passes(Duration::from_millis(5005 + 600)).await;
    assert_eq!(world.system("crm").effects().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_system_is_tried_by_no_more_than_its_guard_lets_out() {
    let world = World::of(["crm"]);
    *world.system("crm").outlook.lock() = Outlook::Probing(1);
    world.system("crm").behaves(|_| Does::Answers(Duration::from_secs(2)));
    let runs = names(10);
    let told: Vec<_> = runs.iter().map(|run| message("crm.keyed", run, "1")).collect();
    world.tells(&told).await;
    world.passes(Duration::from_secs(1)).await;
    assert_eq!(world.system("crm").calls(), 1);
    *world.system("crm").outlook.lock() = Outlook::Open;
    world.passes(Duration::from_secs(20)).await;
    assert_eq!(world.system("crm").effects().len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_system_in_trouble_is_tried_by_one_at_a_time() {
    let world = World::of(["crm"]);
    let down = Fault::new(Kind::Unavailable, Landed::No, "down");
    world.system("crm").behaves(move |_| Does::Fails(down.clone()));
    let runs = names(100);
    let told: Vec<_> = runs.iter().map(|run| message("crm.keyed", run, "1")).collect();
    world.tells(&told).await;
    world.passes(Duration::from_millis(1)).await;
    let lanes = world.relay.lanes();
    assert_eq!((lanes[0].lane.as_str(), lanes[0].window), ("crm", 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_held_first_goes_first() {
    let world = World::of(["crm"]);
    *world.system("crm").outlook.lock() = Outlook::Closed(Duration::from_secs(10));
    let runs = names(20);
    for run in &runs {
        world.tells(&[message("crm.keyed", run, "1")]).await;
        world.passes(Duration::from_millis(1)).await;
    }
    *world.system("crm").outlook.lock() = Outlook::Open;
    world.passes(Duration::from_secs(11)).await;
    let expected: Vec<_> = runs.iter().map(|run| format!("{run}/1")).collect();
    assert_eq!(world.system("crm").effects(), expected);
}
