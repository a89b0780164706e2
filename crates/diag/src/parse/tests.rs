use expect_test::{Expect, expect};

use super::parse_partial;
use crate::{Colour, Node, Source, Tree, render};

/// Prints each value as `line:col value`, keys as `line:col key:`.
fn outline(node: &Node, indent: usize, out: &mut String) {
    let place = |span: &crate::Span| format!("{}:{}", span.line, span.column);
    let pad = " ".repeat(indent);
    match &node.tree {
        Tree::List(items) => {
            out.push_str(&format!("{pad}{} list\n", place(&node.span)));
            items.iter().for_each(|item| outline(item, indent + 2, out));
        }
        Tree::Map(entries) => {
            out.push_str(&format!("{pad}{} map\n", place(&node.span)));
            for entry in entries {
                out.push_str(&format!("{pad}  {} {}:\n", place(&entry.key_span), entry.key));
                outline(&entry.value, indent + 4, out);
            }
        }
        _ => out.push_str(&format!("{pad}{} {}\n", place(&node.span), node.to_json())),
    }
}

fn check(text: &str, expected: Expect) {
    let (node, found) = parse_partial("t.yaml", text);
    let mut out = String::new();
    if let Some(node) = node {
        outline(&node, 0, &mut out);
    }
    let source = Source { file: "t.yaml".into(), text: text.into() };
    out.push_str(&render(&found, &[source], Colour::Plain));
    expected.assert_eq(&out);
}

#[test]
fn every_key_and_value_has_its_place() {
    check("a: 1\nb:\n  - x\n  - { c: 'é', d: \"2\" }\nf:\n", expect![[""]]);
}

#[test]
fn scalars_follow_the_core_schema() {
    check(
        "[yes, no, on, true, False, ~, null, 7, -7, +7, 0o17, 0x1F, 1.5, 1e3, .5, 1., '7', !!str 7, 1_000, 0b1, 2026-11-20, 1:30, .inf]",
        expect![[""]],
    );
}

#[test]
fn repeated_keys_do_not_hide_what_follows() {
    check("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n", expect![[""]]);
}

#[test]
fn what_is_not_read_is_refused_where_it_stands() {
    check("a: !thing 1\nb: { <<: { c: 1 } }\nc: 99999999999999999999\n", expect![[""]]);
    check("a: 1\n---\nb: 2\n", expect![[""]]);
    check("? [a, b]\n: 1\n", expect![[""]]);
    check("a: &x { b: *x }\n", expect![[""]]);
}

#[test]
fn syntax_errors_point_at_the_place() {
    check("a: [1, 2\nb: 3\n", expect![[""]]);
    check("a:\n\tb: 1\n", expect![[""]]);
    check("a: \"open\n", expect![[""]]);
    check("a: *nobody\n", expect![[""]]);
}

#[test]
fn aliases_repeat_what_they_name() {
    check("a: &x [1]\nb: *x\n", expect![[""]]);
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", ")));
    }
    let (node, found) = parse_partial("bomb.yaml", &text);
    assert!(node.is_none());
    assert_eq!(found[0].code, crate::code::LIMIT);
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = "[".repeat(super::MAX_DEPTH + 1);
    assert_eq!(parse_partial("deep.yaml", &deep).1[0].code, crate::code::LIMIT);
    let long = "x".repeat(super::MAX_BYTES + 1);
    assert_eq!(parse_partial("long.yaml", &long).1[0].code, crate::code::LIMIT);
}

proptest::proptest! {
    #[test]
    fn json_is_read_as_it_is(value in json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let node = super::parse("t.json", &text).unwrap();
        proptest::prop_assert_eq!(node.to_json(), value);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[\\[\\]{}:,&*!|>'\"%@` \\n\\ta-c0-9#.é-]{0,60}") {
        let (_, found) = parse_partial("t.yaml", &text);
        let source = Source { file: "t.yaml".into(), text: text.as_str().into() };
        render(&found, &[source], Colour::Plain);
    }
}

fn json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        "[ -~é]{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map("[a-z~/ -]{1,8}", inner, 0..5)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}
