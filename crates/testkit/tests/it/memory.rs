//! F7, the row about memory: what 500 bodies that never end cost the process that calls.
//!
//! The caller is a process of its own (this test, started again), so that its resident memory is its own.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use guard::{Bulkhead, Policy};
use port::Kind;
use testkit::fault_proxy::{Behaviour, FaultProxy};

use crate::remote::Remote;
use crate::rested::Rested;

/// Tells the second process where the endless bodies are.
const UPSTREAM: &str = "CARDAN_F7_UPSTREAM";
const CALLS: usize = 500;
/// How much the caller should grow at most, in KiB.
const AIM: u64 = 8 * 1024;
/// More than this is a defect, whatever the allocator makes of the machine's load: the adapter once took 26 MiB, when
/// it copied every body out of the buffers it was read into.
const MOST_GROWTH: u64 = 2 * AIM;
/// Far above what it takes: this is a test of memory.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn f7_five_hundred_endless_bodies_cost_little_memory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match std::env::var(UPSTREAM) {
        Ok(upstream) => runtime.block_on(call(upstream.parse().unwrap())),
        Err(_) => runtime.block_on(serve()),
    }
}

/// The upstream's process: serves endless bodies until the caller is done.
async fn serve() {
    let remote = Remote::well().await;
    let proxy = FaultProxy::start(remote.addr).await.unwrap();
    proxy.set(Behaviour::EndlessBody);
    let mut caller = Command::new(std::env::current_exe().unwrap());
    caller.args(["--exact", "memory::f7_five_hundred_endless_bodies_cost_little_memory", "--nocapture"]);
    caller.env(UPSTREAM, proxy.addr().to_string()).stdin(Stdio::null()).stdout(Stdio::piped());
    let ended = tokio::task::spawn_blocking(move || caller.output()).await.unwrap().unwrap();
    let told = String::from_utf8_lossy(&ended.stdout);
    told.lines().filter(|line| line.starts_with("F7")).for_each(|line| println!("{line}"));
    assert!(ended.status.success(), "{told}{}", String::from_utf8_lossy(&ended.stderr));
    // Closed by the end of the process, if not before: the proxy needs a moment to see it.
    let closed = async {
        while proxy.counts().open > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, closed).await.is_ok(), "{:?}", proxy.counts());
}

/// The caller's process.
async fn call(upstream: SocketAddr) {
    endless(upstream, 4, 4).await;
    let growth = endless(upstream, CALLS, 50).await;
    println!("F7, aim 8 MiB behind a bulkhead: {}", if growth <= AIM { "reached" } else { "missed" });
    assert!(growth <= MOST_GROWTH, "grew by {growth} KiB");
    // No bulkhead: each may hold its 64 KiB, 31 MiB in all.
    endless(upstream, CALLS, CALLS).await;
}

/// Calls so many at once, and tells by how many KiB the process grew at most.
async fn endless(upstream: SocketAddr, calls: usize, at_once: usize) -> u64 {
    let bulkhead = Bulkhead {
        max_in_flight: u32::try_from(at_once).unwrap(),
        queue: u32::try_from(calls).unwrap(),
        max_wait: PATIENCE,
        ..Bulkhead::default()
    };
    let system = Rested::at(upstream, Policy { bulkhead: Some(bulkhead), ..Policy::default() });
    let before = memory("VmRSS:");
    forget_the_peak();
    let faults = futures_util::future::join_all((0..calls).map(|_| system.call("post", PATIENCE))).await;
    let (growth, kept) = (memory("VmHWM:").saturating_sub(before), memory("VmRSS:").saturating_sub(before));
    assert!(faults.into_iter().all(|fault| fault.unwrap_err().kind == Kind::Protocol));
    println!(
        "F7, {calls} endless bodies, {at_once} at once: resident {before} KiB before, +{growth} KiB at most, \
         +{kept} KiB afterwards"
    );
    growth
}

/// Lets `VmHWM` begin again at `VmRSS`; proc(5), `clear_refs`.
fn forget_the_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

/// A line of this process's status, in KiB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|found| found.strip_prefix(line)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
