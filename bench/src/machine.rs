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
