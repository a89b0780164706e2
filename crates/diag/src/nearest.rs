//! The nearest right name.

/// The one of `names` that `written` was most likely meant to be: at most one change in up to three letters, two in
/// up to seven, three in more, where a change is a letter added, dropped, replaced or swapped with its
/// neighbour. Upper and lower case, `-` and `_` count as the same. Failing that, the only name of which it is the
/// beginning or the end, cut at a `_` (`per_second` for `refill_per_second`).
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(written);
    let allowed = match folded.len() {
        0..4 => 1,
        4..8 => 2,
        _ => 3,
    };
    let names: Vec<&str> = names.into_iter().collect();
    let distances = names.iter().map(|name| (distance(&folded, &fold(name)), *name));
    let close = distances.filter(|(distance, _)| *distance <= allowed).min_by_key(|(distance, _)| *distance);
    close.map(|best| best.1).or_else(|| only_whole_of(&folded, &names))
}

/// The only name that has these words at its beginning or end; three letters or fewer are in too many.
fn only_whole_of<'a>(words: &[char], names: &[&'a str]) -> Option<&'a str> {
    let at_end = |name: &[char]| name.strip_suffix(words).is_some_and(|rest| rest.ends_with(&['_']));
    let at_start = |name: &[char]| name.strip_prefix(words).is_some_and(|rest| rest.starts_with(&['_']));
    let has = |name: &&&str| Some(fold(name)).is_some_and(|name| at_end(&name) || at_start(&name));
    let mut whole = names.iter().filter(has);
    match (whole.next(), whole.next()) {
        (Some(only), None) if words.len() > 3 => Some(only),
        _ => None,
    }
}

/// Names for an error: `` `a`, `b` or `c` ``.
pub fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Alternatives for an error: `` one of `a` or `b` ``, or just the one.
pub(crate) fn one_of<S: AsRef<str>>(names: &[S]) -> String {
    let one_of = if names.len() > 1 { "one of " } else { "" };
    format!("{one_of}{}", quoted(names))
}

fn fold(name: &str) -> Vec<char> {
    name.chars().take(64).flat_map(char::to_lowercase).map(|c| if c == '-' { '_' } else { c }).collect()
}

/// Damerau–Levenshtein in its restricted form (optimal string alignment), over three rows.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let names = ["timeout", "url", "operations", "max_attempts"];
        let cases = [
            ("timout", Some("timeout")),
            ("tiemout", Some("timeout")),
            ("operation", Some("operations")),
            ("ulr", Some("url")),
            ("maxAttempts", Some("max_attempts")),
            ("max-attempts", Some("max_attempts")),
            ("colour", None),
            ("ur", Some("url")),
            ("x", None),
            ("max", None),
            ("attempts", Some("max_attempts")),
        ];
        for (written, meant) in cases {
            assert_eq!(nearest(written, names), meant, "{written}");
        }
    }
}
