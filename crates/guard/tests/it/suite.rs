//! What every circuit breaker must do, told to any breaker through one small face.
//!
//! Needs nothing but `std`, so that the benchmarks can hold other breakers against it (`#[path]`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, Mutex};
use std::time::Duration;

/// How a call went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Good,
    Bad,
    /// Good, after ten seconds; a call is slow after two.
    Slow,
    /// Wrong input: it says nothing about the system.
    Neutral,
}

/// Which calls the breaker looks back on. Both open at 50 %; no judgement on fewer than 100 calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    LastHundred,
    LastTenSeconds,
}

/// Open for 60 s; 5 half-open permits; closes after 5 successes; 50 % slow calls open it; probes are out for 60 s at
/// most.
pub(crate) trait Candidate: Sync {
    /// A call that is out. Dropping it is the caller going away.
    type Call<'a>: Send
    where
        Self: 'a;

    fn new(window: Window) -> Self;
    /// Lets a call out, or does not.
    fn begin(&self) -> Option<Self::Call<'_>>;
    fn end(&self, call: Self::Call<'_>, outcome: Outcome);
    /// Time passes.
    fn pass(&self, time: Duration);
}

/// Says what is wrong.
type Case = fn() -> Result<(), String>;

/// All cases by name.
pub(crate) fn cases<C: Candidate>() -> Vec<(&'static str, Case)> {
    vec![
        ("a million successes do not outweigh a window of failures (calls)", million::<C, 0>),
        ("a million successes do not outweigh a window of failures (time)", million::<C, 1>),
        ("what left the window is forgotten (calls)", forgets_calls::<C>),
        ("what left the window is forgotten (time)", forgets_time::<C>),
        ("64 callers, 5 permits, exactly 5", exactly_five::<C>),
        ("a late failure of an earlier era is ignored", late_failure::<C>),
        ("a late success of an earlier era is ignored", late_success::<C>),
        ("a caller that goes away gives its permit back", gone::<C>),
        ("a caller that panics gives its permit back", panics::<C>),
        ("probes that learn nothing give their permits back", neutral_probes::<C>),
        ("probes that never come back do not keep it half open", hanging::<C>),
        ("slow probes open it again", slow_probes::<C>),
        ("slow calls open it", slow_calls::<C>),
        ("wrong input never opens it", neutral::<C>),
        ("five good probes close it", closes::<C>),
        ("a bad probe opens it again", bad_probe::<C>),
    ]
}

fn ensure(right: bool, what: impl Into<String>) -> Result<(), String> {
    if right { Ok(()) } else { Err(what.into()) }
}

fn make<C: Candidate>(candidate: &C, outcome: Outcome) -> bool {
    candidate.begin().map(|call| candidate.end(call, outcome)).is_some()
}

/// How many calls of that kind it takes until one is kept in.
fn until_open<C: Candidate>(candidate: &C, outcome: Outcome, most: usize) -> usize {
    (0..most).take_while(|_| make(candidate, outcome)).count()
}

fn opened<C: Candidate>() -> Result<C, String> {
    let candidate = C::new(Window::LastHundred);
    until_open(&candidate, Outcome::Bad, 1_000);
    ensure(candidate.begin().is_none(), "1,000 failures did not open it")?;
    Ok(candidate)
}

fn half_open<C: Candidate>() -> Result<C, String> {
    let candidate = opened::<C>()?;
    // Twice the open time: jitter may make it longer.
    candidate.pass(Duration::from_secs(120));
    Ok(candidate)
}

fn million<C: Candidate, const TIME: usize>() -> Result<(), String> {
    let window = [Window::LastHundred, Window::LastTenSeconds][TIME];
    let candidate = C::new(window);
    for _ in 0..1_000_000 {
        ensure(make(&candidate, Outcome::Good), "a success was kept in")?;
    }
    if window == Window::LastTenSeconds {
        candidate.pass(Duration::from_secs(11));
    }
    let failures = until_open(&candidate, Outcome::Bad, 10_000);
    let most = if window == Window::LastHundred { 50 } else { 100 };
    ensure(failures == most, format!("opened after {failures} failures, not {most}"))
}

fn forgets_calls<C: Candidate>() -> Result<(), String> {
    let candidate = C::new(Window::LastHundred);
    for _ in 0..1_000 {
        for outcome in [[Outcome::Bad; 49].as_slice(), &[Outcome::Good; 51]].concat() {
            ensure(make(&candidate, outcome), "49 % opened it")?;
        }
    }
    Ok(())
}

fn forgets_time<C: Candidate>() -> Result<(), String> {
    let candidate = C::new(Window::LastTenSeconds);
    for _ in 0..50 {
        for _ in 0..99 {
            ensure(make(&candidate, Outcome::Bad), "fewer than 100 calls in ten seconds opened it")?;
        }
        candidate.pass(Duration::from_secs(11));
    }
    Ok(())
}

fn exactly_five<C: Candidate>() -> Result<(), String> {
    for _ in 0..20 {
        let candidate = half_open::<C>()?;
        let start = Barrier::new(64);
        let out = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| {
                    start.wait();
                    let call = candidate.begin();
                    out.lock().unwrap().extend(call);
                });
            }
        });
        let out = out.into_inner().unwrap().len();
        ensure(out == 5, format!("{out} calls were let out"))?;
    }
    Ok(())
}

fn late_failure<C: Candidate>() -> Result<(), String> {
    let candidate = C::new(Window::LastHundred);
    let late = candidate.begin().ok_or("kept in while closed")?;
    until_open(&candidate, Outcome::Bad, 1_000);
    candidate.pass(Duration::from_secs(120));
    let probe = candidate.begin().ok_or("no probe was let out")?;
    candidate.end(late, Outcome::Bad);
    candidate.end(probe, Outcome::Good);
    ensure(make(&candidate, Outcome::Good), "a call from before opened it again")
}

fn late_success<C: Candidate>() -> Result<(), String> {
    let candidate = C::new(Window::LastHundred);
    let late: Vec<_> = (0..5).filter_map(|_| candidate.begin()).collect();
    until_open(&candidate, Outcome::Bad, 1_000);
    candidate.pass(Duration::from_secs(120));
    let _probe = candidate.begin().ok_or("no probe was let out")?;
    for call in late {
        candidate.end(call, Outcome::Good);
    }
    let out: Vec<_> = (0..64).filter_map(|_| candidate.begin()).collect();
    ensure(out.len() == 4, format!("{} more were let out, not 4: calls from before closed it", out.len()))
}

fn all_five<C: Candidate>(candidate: &C) -> Result<(), String> {
    let out: Vec<_> = (0..64).filter_map(|_| candidate.begin()).collect();
    ensure(out.len() == 5, format!("{} permits are left, not 5", out.len()))
}

fn gone<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    for _ in 0..100 {
        drop(candidate.begin().ok_or("a permit was lost")?);
    }
    all_five(&candidate)
}

fn panics<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    for _ in 0..10 {
        let call = candidate.begin().ok_or("a permit was lost")?;
        let panicked = catch_unwind(AssertUnwindSafe(move || {
            let _call = call;
            std::panic::resume_unwind(Box::new("scripted"));
        }));
        ensure(panicked.is_err(), "the call did not panic")?;
    }
    all_five(&candidate)
}

fn neutral_probes<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    for _ in 0..100 {
        ensure(make(&candidate, Outcome::Neutral), "a permit was lost")?;
    }
    all_five(&candidate)
}

fn hanging<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    let _hanging: Vec<_> = (0..5).filter_map(|_| candidate.begin()).collect();
    candidate.pass(Duration::from_secs(61));
    ensure(candidate.begin().is_none(), "it did not open when the probes did not come back")?;
    candidate.pass(Duration::from_secs(600));
    ensure(candidate.begin().is_some(), "it never recovers from probes that hang")
}

fn slow_probes<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    for _ in 0..5 {
        make(&candidate, Outcome::Slow);
    }
    ensure(candidate.begin().is_none(), "five slow probes closed it")
}

fn slow_calls<C: Candidate>() -> Result<(), String> {
    let candidate = C::new(Window::LastHundred);
    let calls = until_open(&candidate, Outcome::Slow, 1_000);
    ensure(calls == 100, format!("opened after {calls} slow calls, not 100"))
}

fn neutral<C: Candidate>() -> Result<(), String> {
    let candidate = C::new(Window::LastHundred);
    let calls = until_open(&candidate, Outcome::Neutral, 10_000);
    ensure(calls == 10_000, format!("opened after {calls}"))
}

fn closes<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    for _ in 0..5 {
        ensure(make(&candidate, Outcome::Good), "a probe was kept in")?;
    }
    let out: Vec<_> = (0..64).filter_map(|_| candidate.begin()).collect();
    ensure(out.len() == 64, format!("{} of 64 were let out: it did not close", out.len()))
}

fn bad_probe<C: Candidate>() -> Result<(), String> {
    let candidate = half_open::<C>()?;
    make(&candidate, Outcome::Bad);
    ensure(candidate.begin().is_none(), "it stayed half open")
}
