//! The breaker's suite of `crates/guard/tests/it/suite.rs`, put to other breakers too.
//! `cargo bench -p bench --bench breaker_suite`
//!
//! Ends with 1 when our own breaker fails a case.
#![expect(clippy::unwrap_used, reason = "a suite that cannot run should say so and stop")]

mod peers;
#[path = "../../../crates/guard/tests/it/suite.rs"]
mod suite;
#[expect(unused_imports, reason = "its tests are run by guard's own")]
#[path = "../../../crates/guard/tests/it/suited.rs"]
mod suited;

use peers::{Failsafe, Held, Reclosing, TowerResilience, Wraps};
use suite::Candidate;

/// What a breaker did with a case.
#[derive(PartialEq)]
enum Mark {
    Passed,
    NotOffered,
    Failed(String),
}

/// A breaker's name and its marks, in the order of the cases.
struct Column(&'static str, Vec<Mark>);

fn main() {
    bench::machine::print("what every circuit breaker must do");
    println!("# breakers that read the machine's clock are told a second in {:?}", peers::SECOND);
    let columns = [
        column::<suited::Ours>("guard", &[]),
        wrapped::<TowerResilience>(),
        wrapped::<Reclosing>(),
        wrapped::<Failsafe>(),
    ];
    print(&columns);
    if columns[0].1.iter().any(|mark| *mark != Mark::Passed) {
        std::process::exit(1);
    }
}

fn wrapped<W: Wraps>() -> Column {
    column::<Held<W>>(W::NAME, W::LACKS)
}

fn column<C: Candidate>(name: &'static str, lacks: &[&str]) -> Column {
    let marks = suite::cases::<C>().into_iter().map(|(case, run)| {
        if lacks.iter().any(|word| case.contains(word)) {
            return Mark::NotOffered;
        }
        run().map_or_else(Mark::Failed, |()| Mark::Passed)
    });
    Column(name, marks.collect())
}

fn print(columns: &[Column]) {
    let cases: Vec<_> = suite::cases::<suited::Ours>().into_iter().map(|(case, _)| case).collect();
    print!("{:<68}", "");
    columns.iter().for_each(|Column(name, _)| print!("{name:>18}"));
    println!();
    for (at, case) in cases.iter().enumerate() {
        print!("{case:<68}");
        for Column(_, marks) in columns {
            let mark = match &marks[at] {
                Mark::Passed => "pass",
                Mark::NotOffered => "not offered",
                Mark::Failed(_) => "FAIL",
            };
            print!("{mark:>18}");
        }
        println!();
    }
    for Column(name, marks) in columns {
        let passed = marks.iter().filter(|mark| **mark == Mark::Passed).count();
        println!("\n{name}: {passed} of {} passed", marks.len());
        for (case, mark) in cases.iter().zip(marks) {
            if let Mark::Failed(why) = mark {
                println!("  {case}: {why}");
            }
        }
    }
}
