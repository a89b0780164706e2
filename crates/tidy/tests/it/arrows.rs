//! Who may know whom: ARCHITECTURE.md's `deps` block equals what cargo builds.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn dependency_arrows_are_those_of_the_architecture() {
    assert_eq!(built(), drawn(), "left: cargo metadata; right: the `deps` block of ARCHITECTURE.md");
}

/// Every door hands acts to the same room, so it speaks no door's language.
#[test]
fn conversations_speak_no_protocol() {
    let packages = metadata();
    let room = packages.iter().find(|package| text(&package["name"]) == "conversation").unwrap();
    for dependency in room["dependencies"].as_array().unwrap() {
        let name = text(&dependency["name"]);
        let protocols = ["axum", "http", "hyper", "tower", "reqwest", "tonic", "tungstenite"];
        assert!(!protocols.iter().any(|protocol| name.starts_with(protocol)), "conversation knows {name}");
    }
}

fn drawn() -> Arrows {
    let text = tidy::read("ARCHITECTURE.md").unwrap();
    let arrows: Arrows = tidy::fenced(&text, "deps").into_iter().map(arrow).collect();
    assert!(!arrows.is_empty(), "ARCHITECTURE.md has no `deps` block");
    arrows
}

fn arrow(line: &str) -> (String, BTreeSet<String>) {
    let (from, to) = line.split_once("->").unwrap_or_else(|| panic!("no arrow in {line:?}"));
    let to = to.split(',').map(str::trim).filter(|name| !name.is_empty());
    (from.trim().to_owned(), to.map(str::to_owned).collect())
}

fn built() -> Arrows {
    let ours: BTreeSet<String> = tidy::folders("crates").unwrap().into_iter().collect();
    let packages = metadata();
    let known = packages.iter().filter(|package| ours.contains(text(&package["name"])));
    known.map(|package| (text(&package["name"]).to_owned(), dependencies(package, &ours))).collect()
}

/// Dependencies that ship: what a crate's tests use is the tests' own affair.
fn dependencies(package: &Value, ours: &BTreeSet<String>) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().unwrap().iter();
    let shipped = all.filter(|dependency| dependency["kind"].is_null());
    shipped
        .map(|dependency| text(&dependency["name"]).to_owned())
        .filter(|name| ours.contains(name))
        .collect()
}

fn metadata() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let args = ["metadata", "--no-deps", "--format-version=1", "--offline"];
    let output = Command::new(cargo).args(args).current_dir(tidy::root()).output().unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    json["packages"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
