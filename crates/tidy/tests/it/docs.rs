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
