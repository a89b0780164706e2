//! The nearest right name.

/// The one of `names` that `written` was most likely meant to be: at most one change in up to three letters, two in
/// up to seven, three in more, where a change is a letter added, dropped, replaced or swapped with its
/// neighbour. Upper and lower case, `-` and `_` count as the same.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(written);
    let allowed = match folded.len() {
        0..4 => 1,
        4..8 => 2,
        _ => 3,
    };
    let distances = names.into_iter().map(|name| (distance(&folded, &fold(name)), name));
    distances
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|best| best.1)
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
        ];
        for (written, meant) in cases {
            assert_eq!(nearest(written, names), meant, "{written}");
        }
    }
}
