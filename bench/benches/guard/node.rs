//! opossum and cockatiel, run by Node where it is there; else what was noted of them.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use bench::stats::Runs;
use serde_json::Value;

/// Where the script is, and what `npm ci --prefix bench/node` installs beside it.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/node");

/// Prints what the two ask per call on this machine, or why that was not measured.
pub(crate) fn print() {
    match measured() {
        Ok((version, told)) => {
            println!(
                "on Node {version}, in this run: ns per call by process.cpuUsage, no second thread to share with"
            );
            for line in told.lines() {
                show(line);
            }
            println!();
        }
        Err(why) => noted(&why),
    }
}

/// Node's version, and what the script printed; or why not.
fn measured() -> Result<(String, String), String> {
    let version = node(&["--version"]).map_err(|error| format!("node: {error}"))?;
    if !Path::new(FOLDER).join("node_modules").is_dir() {
        return Err("not installed; `npm ci --prefix bench/node` does".to_owned());
    }
    let told = node(&["measure.js"]).map_err(|error| format!("bench/node/measure.js: {error}"))?;
    Ok((version.trim().to_owned(), told))
}

fn node(arguments: &[&str]) -> io::Result<String> {
    let ended = Command::new("node").args(arguments).current_dir(FOLDER).stderr(Stdio::inherit()).output()?;
    if !ended.status.success() {
        return Err(io::Error::other(format!("ended with {}", ended.status)));
    }
    String::from_utf8(ended.stdout).map_err(io::Error::other)
}

/// One line: `{"name", "samples"}`.
fn show(line: &str) {
    let told: Value = serde_json::from_str(line).unwrap();
    let samples: Vec<f64> = told["samples"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    println!("  {:<52} {:>34}", told["name"].as_str().unwrap(), Runs::new(samples).to_string());
}

fn noted(why: &str) {
    println!("opossum and cockatiel were not run here ({why})");
    println!(
        "  noted before this repository was begun, on another machine (Node, process.cpuUsage over 200,000 calls):"
    );
    println!(
        "    opossum 9.0.0 822, without its timeout 458; cockatiel 3.2.1 consecutive 137, sampling 173,"
    );
    println!(
        "    cockatiel wrap(retry, breaker, timeout, bulkhead) 11,700; both from an `await` that costs 61–81"
    );
}
