//! "Once, or undone" in a world that does its worst: random flows, systems, people and crashes, held still by a seed.
//!
//! A case is made from a seed ([`case`]) and played ([`play`]) on time that is held, over a store without threads. The
//! world keeps a book of its own ([`ledger`]); at the end the [`oracle`] compares that with what the runs say.
#![expect(clippy::unwrap_used, reason = "a failed test should panic")]

mod answers;
mod case;
mod cells;
mod deed;
mod diary;
mod dice;
mod flows;
mod ledger;
mod life;
mod mutants;
mod oracle;
mod people;
mod play;
mod shrink;
mod switches;
mod tally;
mod world;

use case::Case;
use play::play;
use tally::Tally;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn seeds() -> std::ops::Range<u64> {
    match number("SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("SIM_FIRST").unwrap_or(0);
            first..first + number("SIM_SEEDS").unwrap_or(300)
        }
    }
}

#[test]
fn every_effect_is_once_or_undone() {
    let (mut tally, mut broken) = (Tally::default(), 0);
    for seed in seeds() {
        let case = Case::of(seed);
        let played = play(&case);
        tally.add(&played.tally);
        if !played.violations.is_empty() {
            broken += 1;
            if std::env::var("SIM_STOP").is_ok() {
                println!("seed {seed}: {:?}", played.violations);
                break;
            }
            let shown = shrink::shrunk(&case, &played.violations);
            println!(
                "seed {seed}: {:#?}\nreplay: SIM_SEED={seed} cargo test -p flow --test sim",
                played.violations
            );
            if number("SIM_SEED").is_some() {
                let played = play(&shown);
                let (story, book) = (played.found.story(), played.book);
                println!("{}{}\n{story}\n{book}{:#?}", shown.flows.shown(), shown.told(), played.violations);
            }
        }
    }
    println!("{tally:?}");
    assert_eq!(broken, 0, "seeds that break a rule");
}

#[test]
fn a_seed_replays_to_the_same_trace() {
    for seed in 0..40 {
        let case = Case::of(seed);
        assert_eq!(play(&case).trace, play(&case).trace, "seed {seed}");
    }
}
