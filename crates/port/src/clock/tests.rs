use std::cell::{Cell, RefCell};
use std::thread;

use super::pace::{LONGEST, Pace, QUICK, SHORTEST, Source, read};
use super::*;

struct Held(Duration);

impl Clock for Held {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
    fn instant(&self) -> Instant {
        *ORIGIN + self.0
    }
}

#[test]
fn nanoseconds_move_as_instants_do() {
    let start = Held(Duration::ZERO).nanos();
    for (secs, nanos) in [(0, 1), (3, 999_999_999), (86_400 * 365, 0)] {
        let later = Held(Duration::new(secs, nanos));
        assert_eq!(later.nanos() - start, secs * 1_000_000_000 + u64::from(nanos));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_threads_first_reading_is_the_clocks_own() {
    let first = || (monotonic(), SystemClock.nanos(), monotonic());
    let (before, reading, after) = thread::spawn(first).join().unwrap();
    assert!((before..=after).contains(&reading), "{before} {reading} {after}");
}

/// A machine whose clock goes on by itself and whose counter does what a test wants. Reading either takes time, and
/// now and then the thread is put aside in between.
struct Sim {
    dice: RefCell<fastrand::Rng>,
    nanos: Cell<u64>,
    /// Ticks, with what is left of one.
    ticks: Cell<f64>,
    /// Ticks a nanosecond.
    hertz: Cell<f64>,
    /// How often the clock was read.
    looks: Cell<u32>,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (hertz, ticks) = (0.5 + dice.f64() * 5.5, dice.f64() * 1e15);
        let nanos = Cell::new(dice.u64(..1 << 50));
        Self {
            dice: RefCell::new(dice),
            nanos,
            ticks: Cell::new(ticks),
            hertz: Cell::new(hertz),
            looks: Cell::new(0),
        }
    }

    fn up_to(&self, most: u64) -> u64 {
        self.dice.borrow_mut().u64(..most)
    }

    fn pass(&self, nanos: u64) {
        self.nanos.set(self.nanos.get() + nanos);
        self.ticks.set(self.ticks.get() + nanos as f64 * self.hertz.get());
    }

    /// What a single reading takes: some nanoseconds, now and then a slice of somebody else's.
    fn hesitate(&self) {
        self.pass(if self.up_to(100) == 0 { self.up_to(5_000_000) } else { self.up_to(40) });
    }

    /// A pause between two readings: mostly busy, sometimes asleep for long.
    fn pause(&self) {
        let most = [2_000, 2_000, 200_000, 20_000_000, 5_000_000_000][self.up_to(5) as usize];
        self.pass(self.up_to(most));
    }

    /// Reads once; how far ahead of the clock and how far behind it that was.
    fn error(&self, pace: &Cell<Pace>) -> (u64, u64) {
        let before = self.nanos.get();
        let reading = read(pace, self);
        (reading.saturating_sub(self.nanos.get()), before.saturating_sub(reading))
    }

    /// Reads without a pause for so long.
    fn busy_for(&self, pace: &Cell<Pace>, nanos: u64) {
        let end = self.nanos.get() + nanos;
        while self.nanos.get() < end {
            read(pace, self);
            self.pass(self.up_to(500_000));
        }
    }

    /// Four times the uncertainty of a look, and the look's own: five halves of what a quick one may take.
    fn bound(&self) -> u64 {
        (2.5 * QUICK as f64 / self.hertz.get()) as u64 + 2
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of ticks is positive")]
impl Source for Sim {
    fn counts(&self) -> bool {
        true
    }
    fn ticks(&self) -> u64 {
        self.hesitate();
        self.ticks.get() as u64
    }
    fn nanos(&self) -> u64 {
        self.looks.set(self.looks.get() + 1);
        self.hesitate();
        self.nanos.get()
    }
}

/// Runs a story with many seeds. To replay one: put its seed in the range.
fn seeds(story: impl Fn(u64, &Sim, &Cell<Pace>)) {
    (0..50).for_each(|seed| story(seed, &Sim::new(seed), &Cell::new(Pace::UNKNOWN)));
}

#[test]
fn a_steady_counter_is_some_microseconds_off_at_most_and_never_more() {
    seeds(|seed, sim, pace| {
        for reading in 0..2_000 {
            let (ahead, behind) = sim.error(pace);
            assert!(ahead.max(behind) <= sim.bound(), "seed {seed}, reading {reading}: {ahead} {behind}");
            sim.pause();
        }
    });
}

#[test]
fn a_counter_is_really_used() {
    seeds(|seed, sim, pace| {
        sim.busy_for(pace, 500_000_000);
        let before = sim.looks.get();
        for _ in 0..1_000 {
            read(pace, sim);
            sim.pass(sim.up_to(10_000));
        }
        let looks = sim.looks.get() - before;
        assert!(looks <= 10, "seed {seed}: the clock was read {looks} times for 1,000 readings");
    });
}

#[test]
fn a_clock_that_is_slewed_stays_within_a_tenth_of_a_millisecond() {
    seeds(|seed, sim, pace| {
        let honest = sim.hertz.get();
        for reading in 0..2_000 {
            if sim.up_to(50) == 0 {
                let slew = (sim.up_to(1_001) as f64 - 500.0) / 1e6;
                sim.hertz.set(honest * (1.0 + slew));
            }
            let (ahead, behind) = sim.error(pace);
            let bound = 100_000 + sim.bound();
            assert!(ahead.max(behind) <= bound, "seed {seed}, reading {reading}: {ahead} {behind}");
            sim.pause();
        }
    });
}

/// What may happen to a counter while a thread runs: another pace (a virtual machine that moved), set back or ahead (a
/// machine that slept).
fn disturb(sim: &Sim) {
    match sim.up_to(4) {
        0 => sim.hertz.set((sim.hertz.get() * (0.5 + sim.up_to(150) as f64 / 100.0)).clamp(0.5, 6.0)),
        1 => sim.ticks.set(sim.up_to(1_000_000) as f64),
        2 => sim.ticks.set(sim.ticks.get() + sim.up_to(1 << 40) as f64),
        _ => sim.ticks.set((sim.ticks.get() - sim.up_to(1 << 20) as f64).max(0.0)),
    }
}

#[test]
fn a_disturbed_counter_leads_astray_by_a_tenth_of_a_second_at_most_and_is_found_out() {
    seeds(|seed, sim, pace| {
        for disturbance in 0..10 {
            sim.busy_for(pace, 300_000_000);
            disturb(sim);
            let end = sim.nanos.get() + 5 * LONGEST;
            while sim.nanos.get() < end {
                let (ahead, behind) = sim.error(pace);
                assert!(
                    ahead <= LONGEST && behind <= 2 * LONGEST,
                    "seed {seed}, {disturbance}: {ahead} {behind}"
                );
                sim.pass(sim.up_to(500_000));
            }
            let (ahead, behind) = sim.error(pace);
            assert!(
                ahead.max(behind) <= sim.bound(),
                "seed {seed}, {disturbance}: {ahead} {behind} for good"
            );
        }
    });
}

#[test]
fn after_a_long_sleep_the_first_reading_is_the_clocks_own() {
    seeds(|seed, sim, pace| {
        sim.busy_for(pace, 300_000_000);
        let ticks = sim.ticks.get();
        sim.pass(3_600_000_000_000);
        // The counter may have slept for most of it.
        if seed % 2 == 0 {
            sim.ticks.set(ticks + (LONGEST + SHORTEST) as f64 * 1.01 * sim.hertz.get());
        }
        assert_eq!(sim.error(pace), (0, 0), "seed {seed}");
    });
}

/// A machine whose counter nobody vouches for.
struct Untrusted;

impl Source for Untrusted {
    fn counts(&self) -> bool {
        false
    }
    fn ticks(&self) -> u64 {
        panic!("the counter was read")
    }
    fn nanos(&self) -> u64 {
        42_000_000
    }
}

#[test]
fn a_counter_that_the_kernel_does_not_trust_is_never_read() {
    let pace = Cell::new(Pace::UNKNOWN);
    assert!((0..100).all(|_| read(&pace, &Untrusted) == 42_000_000));
}
