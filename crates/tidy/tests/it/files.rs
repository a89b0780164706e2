//! How files look from outside.

/// Every crate says first what it does and what it refuses to know.
#[test]
fn crates_say_what_they_refuse_to_know() {
    for name in tidy::folders("crates").unwrap() {
        let front = tidy::read(format!("crates/{name}/src/lib.rs")).unwrap();
        let doc: Vec<&str> = front.lines().take_while(|line| line.starts_with("//!")).collect();
        let doc = doc.join(" ").to_lowercase();
        let refuses = ["does not know", "knows no", "knows neither", "know nothing", "knows nothing"];
        assert!(
            refuses.iter().any(|words| doc.contains(words)),
            "{name} does not say what it refuses to know"
        );
    }
}

/// Past 300 code lines look for the second idea. Waivers are named and may only shrink.
#[test]
fn files_hold_one_idea() {
    const WAIVERS: [&str; 0] = [];
    for path in tidy::files("crates", ".rs").unwrap() {
        let name = path.display().to_string();
        if name.contains("/tests/") || name.ends_with("tests.rs") || WAIVERS.iter().any(|w| name.ends_with(w))
        {
            continue;
        }
        let code = std::fs::read_to_string(&path).unwrap();
        let shipped = code.split("#[cfg(test)]").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        let lines = shipped.lines().filter(is_code).count();
        assert!(lines <= 300, "{name} has {lines} code lines");
    }
}

/// A module is named for what it is.
#[test]
fn no_module_is_named_for_nothing() {
    for path in tidy::files("crates", ".rs").unwrap() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let vague = ["utils", "util", "helpers", "helper", "common", "types", "manager", "misc"];
        assert!(!vague.contains(&stem.as_str()), "{} has a vague name", path.display());
    }
}
