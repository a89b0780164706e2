//! Whatever is written, compiling and evaluating it end without a panic. A failing case prints its seed and is kept
//! in `proptest-regressions`; `PROPTEST_CASES=100000 cargo test -p expr random` looks further.

use super::{names, order};
use diag::Span;
use expr::{Mapping, Program, Scope};
use proptest::prelude::*;

/// Pieces of which expressions are made, and some of which they are not.
const PIECES: &[&str] = &[
    "entity",
    ".",
    "items",
    "total",
    "customer",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "0",
    "1",
    "2.5",
    "'a'",
    "\"b\"",
    "'",
    "\"",
    "+",
    "-",
    "*",
    "/",
    "%",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "||",
    "!",
    "?",
    ":",
    ",",
    " in ",
    "has",
    "map",
    "x",
    "coalesce",
    "size",
    "round",
    "matches",
    "null",
    "true",
    "1u",
    "b'x'",
    "r'\\'",
    "`",
    "\\",
    "$",
    "//",
    "\n",
    " ",
    "é",
    "🦀",
    "\u{0}",
    "9223372036854775807",
    "1e308",
    "@",
    "#",
    "=",
    "|",
    "&",
    ";",
    "'''",
    "0x",
    "1e",
    "..",
];

fn run(source: &str) {
    let order = order();
    let scope = Scope::new().bind("entity", &order);
    match Program::compile(source, &Span::default(), &names()) {
        Ok(program) => drop(program.eval(&scope)),
        Err(found) => assert!(!found.is_empty(), "refused without a reason: {source:?}"),
    }
    if let Ok(mapping) = Mapping::text(source, &names()) {
        drop(mapping.eval(&scope));
    }
}

/// Expressions that parse, so that evaluation is reached.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "1",
        "0",
        "2.5",
        "'a'",
        "true",
        "null",
        "[]",
        "[1, 2]",
        "entity",
        "entity.total",
        "entity.items",
        "entity.note",
        "entity.tags",
        "entity.gone",
        "entity.big",
        "9223372036854775807",
        "1e300",
        "x",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        let operator =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "==", "!=", "<", ">", "&&", "||", "in"]);
        let function = prop::sample::select(vec![
            "size", "sum", "min", "string", "int", "double", "decimal", "round", "keys", "toJson", "trim",
            "abs",
        ]);
        let looped = prop::sample::select(vec!["map", "filter", "all", "exists", "exists_one"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(l, op, r)| format!("({l} {op} {r})")),
            (function, inner.clone()).prop_map(|(name, of)| format!("{name}({of})")),
            (inner.clone(), looped, inner.clone())
                .prop_map(|(of, name, body)| format!("{of}.{name}(x, {body})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(c, y, n)| format!("({c} ? {y} : {n})")),
            (inner.clone(), inner.clone()).prop_map(|(of, at)| format!("{of}[{at}]")),
            (inner.clone(), inner).prop_map(|(of, or)| format!("coalesce({of}, {or})")),
        ]
    })
}

proptest! {
    #[test]
    fn pieces_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        run(&pieces.concat());
    }

    #[test]
    fn characters_never_panic(text in "\\PC{0,60}") {
        run(&text);
    }

    #[test]
    fn expressions_never_panic_and_are_deterministic(source in expression()) {
        run(&source);
        let order = order();
        let scope = Scope::new().bind("entity", &order);
        if let Ok(program) = Program::compile(&source, &Span::default(), &names()) {
            prop_assert_eq!(program.eval(&scope), program.eval(&scope));
        }
    }

    #[test]
    fn whole_numbers_agree_with_wider_ones(a in any::<i64>(), b in any::<i64>()) {
        let document = serde_json::json!({ "a": a, "b": b });
        let scope = Scope::new().bind("entity", &document);
        let wide = [("+", i128::from(a) + i128::from(b)), ("-", i128::from(a) - i128::from(b)),
                    ("*", i128::from(a) * i128::from(b))];
        for (operator, expected) in wide {
            let source = format!("entity.a {operator} entity.b");
            let found = Program::compile(&source, &Span::default(), &names()).unwrap().eval(&scope);
            match i64::try_from(expected) {
                Ok(expected) => prop_assert_eq!(found.unwrap(), serde_json::json!(expected)),
                Err(_) => prop_assert_eq!(found.unwrap_err().code, "EXPR105"),
            }
        }
    }

    #[test]
    fn cents_add_up(cents in prop::collection::vec(-1_000_000_i64..1_000_000, 1..40)) {
        let amounts: Vec<f64> = cents.iter().map(|cents| format!("{}e-2", cents).parse().unwrap()).collect();
        let document = serde_json::json!(amounts);
        let scope = Scope::new().bind("entity", &document);
        let program = Program::compile("sum(entity) * 100", &Span::default(), &names()).unwrap();
        prop_assert_eq!(program.eval(&scope).unwrap(), serde_json::json!(cents.iter().sum::<i64>()));
    }
}
