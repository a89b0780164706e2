//! The README is the reference: its examples are run, and it names every code and every function.

use super::value;
use serde_json::Value;

const README: &str = include_str!("../../README.md");

/// The rows `| … | `expression` | `JSON or code` |` of every table.
fn examples() -> Vec<(String, String)> {
    let code = |cell: &str| Some(cell.trim().strip_prefix('`')?.strip_suffix('`')?.replace("\\|", "|"));
    let row = |line: &str| {
        let line = line.replace("\\|", "\u{1}");
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [.., source, result] = cells.as_slice() else { return None };
        Some((code(source)?.replace('\u{1}', "|"), code(result)?.replace('\u{1}', "|")))
    };
    README.lines().filter(|line| line.starts_with("| ")).filter_map(row).collect()
}

#[test]
fn every_example_is_true() {
    let examples = examples();
    assert!(examples.len() > 40, "only {} examples were found", examples.len());
    for (source, expected) in examples {
        match value(&source) {
            Ok(found) => assert_eq!(found, serde_json::from_str::<Value>(&expected).unwrap(), "{source}"),
            Err(found) => {
                assert!(expected.starts_with("EXPR") && found.starts_with(&expected), "{source}: {found}")
            }
        }
    }
}

#[test]
fn every_function_and_code_is_described() {
    for function in expr::functions() {
        assert!(README.contains(&format!("| `{function}")), "`{function}` is missing");
    }
    for code in expr::codes() {
        assert!(README.contains(&format!("| {code} |")), "{code} is missing");
    }
}
