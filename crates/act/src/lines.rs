//! `cardan validate`: JSON lines in, one verdict a line out.

use std::io::{self, BufRead, Read as _, Write};

use serde::Serialize;
use serde_json::Value;

use crate::check::check_shallow;
use crate::issue::Issue;
use crate::json::{MAX_DEPTH, parse_within};
use crate::{DocumentKind, Rules, Word as _};

/// How long one line may be, in bytes.
pub const MAX_LINE: usize = 16 << 20;

/// One line of the answer.
#[derive(Serialize)]
struct Verdict {
    valid: bool,
    errors: Vec<Issue>,
}

/// Reads lines `{"kind":"act|conversation|constraint|entity|participant","value":…}` and writes one line
/// `{"valid":…,"errors":[{"pointer","code","message"}]}` for each; other members of a line are not looked at, and
/// blank lines are skipped. A line that is no such thing is answered with an error at the pointer `""`.
///
/// True when every line was valid.
pub fn validate_lines(mut reader: impl BufRead, mut writer: impl Write, rules: &Rules) -> io::Result<bool> {
    let mut all_valid = true;
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(all_valid);
        }
        let errors = if line.len() > MAX_LINE && !line.ends_with(b"\n") {
            reader.skip_until(b'\n')?;
            vec![refused("line.too_long", format!("expected a line of at most {MAX_LINE} bytes"))]
        } else if line.trim_ascii().is_empty() {
            continue;
        } else {
            judge(&line, rules)
        };
        all_valid &= errors.is_empty();
        serde_json::to_writer(&mut writer, &Verdict { valid: errors.is_empty(), errors })?;
        writer.write_all(b"\n")?;
    }
}

fn judge(line: &[u8], rules: &Rules) -> Vec<Issue> {
    match document(line) {
        Ok((kind, value)) => check_shallow(kind, value, rules).err().unwrap_or_default(),
        Err(issue) => vec![issue],
    }
}

/// Takes a line apart. Faults inside the document point into the document.
fn document(line: &[u8]) -> Result<(DocumentKind, Value), Issue> {
    let inside = |issue: Issue| Issue {
        pointer: issue.pointer.strip_prefix("/value").map(str::to_owned).unwrap_or_default(),
        ..issue
    };
    let value = parse_within(line, MAX_DEPTH + 1).map_err(inside)?;
    let Value::Object(mut members) = value else {
        return Err(refused("line.shape", "expected an object with kind and value".to_owned()));
    };
    let kind = members.get("kind").and_then(Value::as_str).and_then(DocumentKind::parse);
    match (kind, members.remove("value")) {
        (Some(kind), Some(value)) => Ok((kind, value)),
        (None, _) => Err(refused("line.kind", format!("expected a kind: one of {}", DocumentKind::names()))),
        (Some(_), None) => Err(refused("line.value", "expected a value".to_owned())),
    }
}

fn refused(code: &'static str, message: String) -> Issue {
    Issue { pointer: String::new(), code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Told = (bool, Vec<(String, String)>);

    fn run(input: &[u8]) -> (bool, Vec<Told>) {
        let mut out = Vec::new();
        let all = validate_lines(input, &mut out, &Rules::strict()).unwrap();
        let verdict = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |issue: &Value, name: &str| issue[name].as_str().unwrap().to_owned();
            let issues = line["errors"].as_array().unwrap();
            let issues = issues.iter().map(|issue| (text(issue, "pointer"), text(issue, "code"))).collect();
            (line["valid"].as_bool().unwrap(), issues)
        };
        (all, String::from_utf8(out).unwrap().lines().map(verdict).collect())
    }

    fn wrong(pointer: &str, code: &str) -> Told {
        (false, vec![(pointer.to_owned(), code.to_owned())])
    }

    #[test]
    fn one_verdict_for_each_line() {
        let input = concat!(
            r#"{"kind":"entity","value":{"id":"a","type":"b"},"name":"ignored"}"#,
            "\n\n",
            r#"{"kind":"entity","value":{"id":"a"}}"#,
            "\r\n",
            "nonsense\n",
            "[]\n",
            r#"{"kind":"thing","value":1}"#,
            "\n",
            r#"{"kind":"entity"}"#,
            "\n",
            r#"{"kind":"entity","value":{"id":"a","type":"b","type":"c"}}"#,
        );
        let (all, verdicts) = run(input.as_bytes());
        let expected = vec![
            (true, vec![]),
            wrong("/type", "act.missing"),
            wrong("", "json.syntax"),
            wrong("", "line.shape"),
            wrong("", "line.kind"),
            wrong("", "line.value"),
            wrong("/type", "json.repeated_member"),
        ];
        assert!(!all);
        assert_eq!(verdicts, expected);
        assert_eq!(run(b""), (true, vec![]));
    }

    #[test]
    fn a_line_has_a_length_and_a_depth() {
        let mut input = vec![b'x'; MAX_LINE + 1];
        input.extend_from_slice(b"xx\n{\"kind\":\"entity\",\"value\":{\"id\":\"a\",\"type\":\"b\"}}\n");
        assert_eq!(run(&input).1, [wrong("", "line.too_long"), (true, vec![])]);
        let nested =
            |n: usize| format!(r#"{{"kind":"constraint","value":{}{}}}"#, "[".repeat(n), "]".repeat(n));
        assert_eq!(run(nested(MAX_DEPTH).as_bytes()).1, [wrong("", "act.type")]);
        let (_, deep) = run(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!(deep, [wrong(&"/0".repeat(MAX_DEPTH), "json.depth")]);
    }
}
