//! Notices text that was meant to be an expression: `entity.account` without `${ … }`, or in the braces of another tool.

use diag::{Diagnostic, Span};

use crate::code::Code;
use crate::{Names, Program};

/// How other tools mark an expression.
const MARKS: [(&str, &str); 3] = [("{{", "}}"), ("$(", ")"), ("{", "}")];
/// Longer texts are prose.
const LONGEST: usize = 1000;

/// A warning, when the text, as a `whole` or between such marks, reads a field of a name that is known here.
pub(crate) fn noticed(text: &str, whole: bool, span: &Span, names: &Names) -> Option<Diagnostic> {
    if text.len() > LONGEST
        || text.contains("${")
        || !names.iter().any(|name| text.contains(&format!("{name}.")))
    {
        return None;
    }
    let candidates = marked(text).chain(whole.then_some(text));
    let meant = candidates.map(str::trim).find(|meant| reads(meant, span, names))?;
    let message = format!("this is text, and reads like the expression `{meant}`");
    let help =
        format!("write `${{ {meant} }}` for its value, or `$${{` somewhere in a text that is meant so");
    Some(Diagnostic::warning(Code::LeftAsText.text(), span, message).help(help))
}

/// What stands between marks.
fn marked(text: &str) -> impl Iterator<Item = &str> {
    MARKS.into_iter().filter_map(move |(open, close)| {
        let inside = text.split_once(open)?.1;
        Some(inside.split_once(close)?.0)
    })
}

fn reads(meant: &str, span: &Span, names: &Names) -> bool {
    let compiled = Program::compile(meant, span, names);
    compiled.is_ok_and(|program| program.references().iter().any(|reference| !reference.path.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mapping, Ty};

    fn noticed(text: &str) -> Option<String> {
        let names = Names::new().root("entity", Ty::Any).root("steps", Ty::Any);
        let mapping = Mapping::text(text, &names).expect("a text");
        mapping.warnings().first().map(|found| found.message.clone())
    }

    #[test]
    fn what_was_meant_to_be_an_expression_is_noticed() {
        for (text, meant) in [
            ("entity.account", "entity.account"),
            ("size(entity.dates) - 1", "size(entity.dates) - 1"),
            ("{{ entity.email }}", "entity.email"),
            ("Dear {{entity.name}}, your ${ entity.order }", "entity.name"),
            ("$(steps.pay.id)", "steps.pay.id"),
            ("{entity.email}", "entity.email"),
        ] {
            assert!(noticed(text).is_some_and(|found| found.contains(&format!("`{meant}`"))), "{text}");
        }
    }

    #[test]
    fn text_is_left_alone() {
        for text in [
            "entity",
            "The entity. It is new.",
            "see steps.md",
            "{id}",
            "{{ name }}",
            "$${ entity.a }",
            "a.b.c",
        ] {
            assert!(noticed(text).is_none(), "{text}");
        }
    }
}
