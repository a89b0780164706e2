//! What prose claims is there.

use std::path::Path;

/// Every relative link of every page leads somewhere.
#[test]
fn links_lead_somewhere() {
    for page in tidy::files(".", ".md").unwrap() {
        let text = std::fs::read_to_string(&page).unwrap();
        for target in links(&text) {
            let there = page.parent().unwrap_or(Path::new(".")).join(target);
            assert!(there.exists(), "{}: link to {target} leads nowhere", page.display());
        }
    }
}

/// The targets of `[text](target)` that are files of this repository.
fn links(text: &str) -> Vec<&str> {
    let after = text.split("](").skip(1);
    let targets = after.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target);
    let paths = targets.map(|target| target.split('#').next().unwrap_or_default());
    let ours = |path: &&str| !path.is_empty() && !path.contains("://") && !path.contains(char::is_whitespace);
    paths.filter(ours).collect()
}

/// Decisions are numbered without gaps and say the four things.
#[test]
fn decisions_say_what_was_given_up() {
    let pages = tidy::files("docs/decisions", ".md").unwrap();
    for (at, page) in pages.iter().enumerate() {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.starts_with(&format!("{:04}-", at + 1)), "{name} should be number {:04}", at + 1);
        let text = std::fs::read_to_string(page).unwrap();
        for heading in ["## Context", "## Choice", "## What we gave up", "## How we would know it was wrong"]
        {
            assert!(text.contains(heading), "{name} lacks {heading:?}");
        }
    }
}

/// Every file that a front page names in backticks is there.
#[test]
fn paths_in_backticks_are_there() {
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = tidy::read(page).unwrap();
        let words = text.split('`').skip(1).step_by(2);
        for path in words.filter(|word| word.starts_with("crates/") && !word.contains(['*', ' ', '{'])) {
            assert!(tidy::root().join(path).exists(), "{page}: `{path}` is not there");
        }
    }
}

/// Every code that the gate refuses with is explained, with its status.
#[test]
fn problems_are_explained() {
    let code = tidy::read("crates/gate/src/problem/code.rs").unwrap();
    let known: Vec<_> = code.lines().filter_map(problem).collect();
    assert!(known.len() > 10, "code.rs is not read as it is written");
    let page = tidy::read("docs/reference/http-problems.md").unwrap();
    let table = page.split("\n## Runs").next().unwrap_or_default();
    let explained: Vec<_> = table.lines().filter_map(row).collect();
    assert_eq!(known, explained, "left: code.rs; right: http-problems.md");
}

/// `Name = "code", 400, "Title";` as its code and status.
fn problem(line: &str) -> Option<(&str, &str)> {
    let (code, rest) = line.split_once(" = \"")?.1.split_once("\", ")?;
    Some((code, rest.split_once(", \"")?.0))
}

/// A row that begins with `` | `code` | 400 | `` as its code and status.
fn row(line: &str) -> Option<(&str, &str)> {
    let (code, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
    Some((code, rest.split_once(" |")?.0))
}
