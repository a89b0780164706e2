//! On what and with what a figure was taken.

use std::fs;
use std::process::Command;

/// Prints the machine, the kernel and the versions; a figure without them is no figure.
pub fn print(what: &str) {
    println!("# {what}");
    println!(
        "# machine: {} × {}, {} of memory, kernel {}",
        cores(),
        cpu(),
        memory(),
        first("/proc/sys/kernel/osrelease")
    );
    println!("# versions: cardan {}, {}", env!("CARGO_PKG_VERSION"), rustc());
    println!("# load before: {}", first("/proc/loadavg"));
}

/// CPU seconds that a process has used so far, user and system.
pub fn cpu_seconds(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn cpu() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned())
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    kib.map_or_else(|| "unknown amount".to_owned(), |kib| format!("{} GiB", kib / (1024 * 1024)))
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first(file: &str) -> String {
    fs::read_to_string(file).ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
}

fn rustc() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
