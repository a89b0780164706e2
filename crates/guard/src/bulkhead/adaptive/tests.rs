//! A system in virtual time, and a limit that learns what it can take.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use port::{Entropy, SeededEntropy};

use super::*;

/// So many calls are served at once; the others queue at the system. Calls come by chance, whatever became of those
/// before; who finds no place is shed.
struct Simulation {
    gradient: Gradient,
    limit: u32,
    dice: SeededEntropy,
    now: f64,
    /// When each server is free.
    servers: BinaryHeap<Reverse<Tick>>,
    /// When each call that is out comes back, and when it went out.
    out: BinaryHeap<Reverse<(Tick, Tick)>>,
    /// Milliseconds that serving takes at least; by chance up to twice as long, and one in fifty ten times.
    service: f64,
}

/// What became of the calls of some seconds.
#[derive(Debug)]
struct Told {
    served: u32,
    shed: u32,
}

impl Simulation {
    fn new(servers: usize, service: f64) -> Self {
        println!("seed 4; replay: cargo test -p guard --lib adaptive");
        let mut new = Self {
            gradient: Gradient::new(&policy::Adaptive::default(), 200),
            limit: 16,
            dice: SeededEntropy::new(4),
            now: 0.0,
            servers: BinaryHeap::new(),
            out: BinaryHeap::new(),
            service,
        };
        new.has(servers);
        new
    }

    fn has(&mut self, servers: usize) {
        self.servers = (0..servers).map(|_| Reverse(at(self.now))).collect();
    }

    /// So many calls a second for so long.
    fn runs(&mut self, seconds: f64, rate: f64) -> Told {
        let (end, mut told) = (self.now + seconds, Told { served: 0, shed: 0 });
        while self.now < end {
            self.now -= (1.0 - self.dice.unit()).ln() / rate;
            while let Some(Reverse((back, _))) = self.out.peek().filter(|next| next.0.0 <= at(self.now)) {
                let back = *back;
                self.comes_back(back);
                told.served += 1;
            }
            match self.out.len() < self.limit as usize {
                true => self.goes_out(),
                false => told.shed += 1,
            }
        }
        told
    }

    fn goes_out(&mut self) {
        let odd = if self.dice.unit() < 0.02 { 10.0 } else { 1.0 };
        let served = Duration::from_secs_f64(self.service * odd * (1.0 + self.dice.unit()) / 1_000.0);
        let now = at(self.now);
        let free = self.servers.pop().map_or(now, |Reverse(free)| free.max(now));
        self.servers.push(Reverse(free + served));
        self.out.push(Reverse((free + served, now)));
    }

    fn comes_back(&mut self, now: Tick) {
        let out = u32::try_from(self.out.len()).unwrap();
        let Some(Reverse((_, went))) = self.out.pop() else { return };
        let answer = Answer { good: true, took: now.since(went), out, now };
        self.limit = self.gradient.learn(&answer, || self.dice.unit());
    }
}

fn at(seconds: f64) -> Tick {
    Tick::default() + Duration::from_secs_f64(seconds)
}

#[test]
fn a_steady_load_at_half_the_limit_is_never_shed() {
    // 60 ms on average, 100 out on average, 200 allowed; the system could take more.
    let mut system = Simulation::new(1_000, 34.0);
    let start = system.runs(5.0, 1_667.0);
    let later = system.runs(30.0, 1_667.0);
    assert_eq!(later.shed, 0, "{later:?}, and while it found out {start:?}");
}

#[test]
fn a_load_near_the_limit_is_not_shed_for_a_measurement() {
    let mut system = Simulation::new(1_000, 34.0);
    system.runs(5.0, 2_200.0);
    let later = system.runs(30.0, 2_200.0);
    assert_eq!(later.shed, 0, "about 132 of 200 out: {later:?}");
}

/// Eight servers of 17.7 ms serve 452 a second.
#[test]
fn what_an_overloaded_system_can_take_is_found_and_kept_to() {
    let mut system = Simulation::new(8, 10.0);
    system.runs(30.0, 1_500.0);
    let (mut served, mut limits) = (0, Vec::new());
    for _ in 0..1_200 {
        served += system.runs(0.1, 1_500.0).served;
        limits.push(system.limit);
    }
    limits.sort_unstable();
    let (middle, most) = (limits[600], limits[1_199]);
    assert!(
        (8..=24).contains(&middle) && most <= 40,
        "{middle} out, at most {most}, at a system that takes 8"
    );
    assert!(served > 452 * 120 * 9 / 10, "its servers idle: {served} served");
}

#[test]
fn the_limit_recovers_when_the_system_does() {
    let mut system = Simulation::new(100, 10.0);
    system.runs(10.0, 2_000.0);
    system.has(4);
    let overloaded = system.runs(30.0, 2_000.0);
    assert!(overloaded.shed > overloaded.served && system.limit < 20, "{overloaded:?}, {}", system.limit);
    system.has(100);
    system.runs(5.0, 2_000.0);
    let after = system.runs(60.0, 2_000.0);
    assert_eq!(after.shed, 0, "{after:?}, {}", system.limit);
}

#[test]
fn a_system_that_is_slower_from_now_on_is_not_taken_for_an_overloaded_one() {
    let mut system = Simulation::new(1_000, 10.0);
    system.runs(10.0, 2_000.0);
    system.service = 40.0;
    system.runs(90.0, 2_000.0);
    let after = system.runs(60.0, 2_000.0);
    assert_eq!(after.shed, 0, "{after:?}, {}", system.limit);
}

#[test]
fn a_second_of_quick_answers_does_not_collapse_the_limit() {
    let mut system = Simulation::new(1_000, 30.0);
    system.runs(10.0, 2_000.0);
    system.service = 1.0;
    system.runs(1.0, 2_000.0);
    system.service = 30.0;
    let after = system.runs(30.0, 2_000.0);
    assert_eq!(after.shed, 0, "{after:?}, {}", system.limit);
}
