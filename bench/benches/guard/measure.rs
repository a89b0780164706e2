//! What one call costs: the thread's own CPU time, and how often it asks for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Barrier;
use std::thread;

use bench::stats::Runs;
use rustix::time::{ClockId, clock_gettime};

/// Samples per figure.
pub(crate) const SAMPLES: usize = 7;
/// About how long one sample takes, in nanoseconds of CPU.
pub(crate) const SAMPLE_NANOS: f64 = 40e6;

/// What one call costs.
pub(crate) struct Cost {
    /// Nanoseconds of CPU.
    pub(crate) nanos: Runs,
    /// Allocations.
    pub(crate) allocations: f64,
}

/// Calls what `make` makes over and over, on so many threads at once, each in a runtime of its own.
pub(crate) fn cost<M, F>(threads: usize, make: M) -> Cost
where
    M: Fn() -> F + Sync,
    F: AsyncFnMut(),
{
    let (nanos, _) = sample(1, 20_000, &make);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of calls")]
    let calls = (SAMPLE_NANOS / nanos.max(0.1)) as u64;
    let samples: Vec<_> = (0..SAMPLES).map(|_| sample(threads, calls.max(1_000), &make)).collect();
    let nanos = Runs::new(samples.iter().map(|(nanos, _)| *nanos).collect());
    let allocations = Runs::new(samples.iter().map(|(_, allocations)| *allocations).collect()).median();
    Cost { nanos, allocations }
}

/// Nanoseconds and allocations per call, the mean over the threads.
fn sample<M, F>(threads: usize, calls: u64, make: &M) -> (f64, f64)
where
    M: Fn() -> F + Sync,
    F: AsyncFnMut(),
{
    let start = Barrier::new(threads);
    let seen: Vec<_> = thread::scope(|scope| {
        let hands: Vec<_> = (0..threads).map(|_| scope.spawn(|| hand(calls, &start, make))).collect();
        hands.into_iter().map(|hand| hand.join().unwrap()).collect()
    });
    #[expect(clippy::cast_precision_loss, reason = "a handful of threads")]
    let threads = threads as f64;
    (seen.iter().map(|(nanos, _)| nanos / threads).sum(), seen.iter().map(|(_, many)| many / threads).sum())
}

/// One thread's part of a sample, after a tenth of it to warm up.
fn hand<M, F>(calls: u64, start: &Barrier, make: &M) -> (f64, f64)
where
    M: Fn() -> F,
    F: AsyncFnMut(),
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let mut once = make();
        for _ in 0..calls / 10 {
            once().await;
        }
        start.wait();
        let (cpu, allocations) = (cpu_nanos(), heap().allocations);
        for _ in 0..calls {
            once().await;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
        let per_call = |count: i64| count as f64 / calls as f64;
        (per_call(cpu_nanos() - cpu), per_call(heap().allocations - allocations))
    })
}

/// This thread's CPU time.
fn cpu_nanos() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// What this thread has taken from the heap.
#[derive(Clone, Copy)]
pub(crate) struct Heap {
    /// How often.
    pub(crate) allocations: i64,
    /// Bytes that it has not given back.
    pub(crate) live: i64,
}

thread_local! {
    static HEAP: Cell<Heap> = const { Cell::new(Heap { allocations: 0, live: 0 }) };
}

/// What this thread has taken from the heap so far.
pub(crate) fn heap() -> Heap {
    HEAP.get()
}

/// The system's allocator, counted per thread.
pub(crate) struct Counting;

#[expect(unsafe_code, reason = "an allocator cannot be written without; it only counts and passes on")]
// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Heap { allocations, live } = HEAP.get();
        HEAP.set(Heap { allocations: allocations + 1, live: live + size(layout) });
        // SAFETY: the caller's promises are passed on with the call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Heap { allocations, live } = HEAP.get();
        HEAP.set(Heap { allocations, live: live - size(layout) });
        // SAFETY: the caller's promises are passed on with the call.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn size(layout: Layout) -> i64 {
    i64::try_from(layout.size()).unwrap_or(i64::MAX)
}
