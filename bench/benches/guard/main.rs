//! What the guard costs per call, beside what others ask for the same. `cargo bench -p bench --bench guard`
//!
//! Nanoseconds of the calling thread's CPU time, not of the wall: other work on the machine blurs them, but is not in
//! them. Ends with 0 whether an aim is reached or not; each line says which.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run should say so and stop")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

mod measure;
mod node;
mod ours;
mod peers;

use measure::{Cost, Counting, SAMPLE_NANOS, SAMPLES};

#[global_allocator]
static HEAP: Counting = Counting;

/// What is measured on so many threads.
type Subject = fn(usize) -> Cost;

/// A line: its name, what it measures, the most it should cost on one thread and on two.
type Line = (&'static str, Subject, Option<f64>, Option<f64>);

const BREAKERS: [Line; 9] = [
    ("guard, reading the clock itself", ours::breaker_read, Some(60.0), Some(100.0)),
    ("guard, handed the time as in its pipeline", ours::breaker_handed, None, None),
    ("guard over the last 100 calls, handed the time", ours::breaker_of_calls, None, None),
    ("tower-resilience-circuitbreaker", peers::tower_resilience_closed, None, None),
    ("failsafe, 5 failures in a row", peers::failsafe_closed, None, None),
    ("failsafe, default", peers::failsafe_default, None, None),
    ("recloser", peers::recloser_closed, None, None),
    ("(reading the clock once)", peers::clock, None, None),
    ("(adding to one number that all threads share)", peers::shared_add, None, None),
];

const OPEN: [Line; 5] = [
    ("guard, handed the time as in its pipeline", ours::open_handed, Some(5.0), None),
    ("guard, reading the clock itself", ours::open_read, None, None),
    ("tower-resilience-circuitbreaker", peers::tower_resilience_open, None, None),
    ("failsafe", peers::failsafe_open, None, None),
    ("recloser", peers::recloser_open, None, None),
];

const PARTS: [Line; 8] = [
    ("guard, token bucket", ours::bucket, None, None),
    ("governor, one bucket", peers::governor_allowing, None, None),
    ("governor, 1,000 keys", peers::governor_keyed, None, None),
    ("guard, token bucket, rejecting", ours::bucket_empty, None, None),
    ("governor, denying", peers::governor_denying, None, None),
    ("guard, bulkhead", ours::bulkhead, None, None),
    ("tokio's semaphore", peers::semaphore, None, None),
    ("guard, retry budget on success", ours::budget, None, None),
];

const PIPELINES: [Line; 7] = [
    ("deadline, retry, attempt timeout", ours::retry_and_timeout, None, None),
    ("… and breaker", ours::with_breaker, None, None),
    ("… and bulkhead", ours::with_bulkhead, None, None),
    ("… and token bucket", ours::with_bucket, None, None),
    ("all five stages", ours::five_stages, Some(150.0), None),
    ("all five stages, 1,000 tenants with their own", ours::five_stages_keyed, Some(150.0), None),
    ("tower: shed, concurrency, rate, timeout", peers::tower_stack, None, None),
];

const REJECTIONS: [Line; 4] = [
    ("breaker open", ours::rejected_by_breaker, Some(50.0), None),
    ("bulkhead full", ours::rejected_by_bulkhead, Some(50.0), None),
    ("no token", ours::rejected_by_limit, Some(50.0), None),
    ("deadline passed", ours::rejected_by_deadline, Some(50.0), None),
];

fn main() {
    bench::machine::print("what the guard costs per call");
    println!(
        "# method: thread CPU time over {} ms of calls, median (lowest–highest of {SAMPLES} samples)",
        SAMPLE_NANOS / 1e6
    );
    println!("# two threads share one instance, except tower's stack, which cannot be shared");
    let floor = peers::nothing(1);
    println!("# an empty call: {} ns\n", floor.nanos);
    table("breaker, closed, success", &BREAKERS);
    table("breaker, open, rejecting", &OPEN);
    table("the other parts", &PARTS);
    table("pipeline, success at the first attempt", &PIPELINES);
    table("whole pipeline, rejecting", &REJECTIONS);
    bytes();
    node::print();
    published();
}

fn table(title: &str, lines: &[Line]) {
    println!("{title:<48} {:>28} {:>7} {:>28}", "ns, one thread", "allocs", "ns, two threads");
    for (name, subject, aim, aim_of_two) in lines {
        let (one, two) = (subject(1), subject(2));
        print!(
            "  {name:<46} {:>28} {:>7.2} {:>28}",
            one.nanos.to_string(),
            one.allocations,
            two.nanos.to_string()
        );
        if let Some(aim) = aim {
            print!("  aim ≤ {aim} ns: {}", verdict(one.nanos.median() <= *aim));
            print!("; aim 0 allocations: {}", verdict(one.allocations == 0.0));
        }
        if let Some(aim) = aim_of_two {
            print!("; two threads ≤ {aim} ns: {}", verdict(two.nanos.median() <= *aim));
        }
        println!();
    }
    println!();
}

fn bytes() {
    println!("bytes per key, inline and heap");
    for (window, bytes) in ours::breaker_bytes() {
        println!("  guard, breaker over {window:<24} {bytes:>6.0}  aim ≤ 256: {}", verdict(bytes <= 256.0));
    }
    println!("  guard, breaker, bulkhead, bucket, name, map  {:>6.0}\n", ours::lane_bytes());
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "missed" }
}

/// Not measured here: read, not run.
fn published() {
    println!("published by others, on their machines, not measured here (ns per call)");
    println!("  Kevlar 1 / Polly 8 (.NET, EPYC 7763; thomhurst/Kevlar docs/benchmarks.md of 2026-09-29):");
    println!(
        "    breaker closed 174 / 276, open 63.9 / 203, token bucket 153 / 164, rate limit rejecting 155 / 47,400"
    );
    println!("    five stages 523 / 1,010");
}
