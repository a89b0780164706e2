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
    check(
        "a: 1\nb:\n  - x\n  - { c: 'é', d: \"2\" }\nf:\n",
        expect![[r#"
        1:1 map
          1:1 a:
            1:4 1
          2:1 b:
            3:3 list
              3:5 "x"
              4:5 map
                4:7 c:
                  4:10 "é"
                4:15 d:
                  4:18 "2"
          5:1 f:
            5:1 null
    "#]],
    );
}

#[test]
fn scalars_follow_the_core_schema() {
    check(
        "[yes, no, on, true, False, ~, null, 7, -7, +7, 0o17, 0x1F, 1.5, 1e3, .5, 1., '7', !!str 7, 1_000, 0b1, 2026-11-20, 1:30, .inf]",
        expect![[r#"
            1:1 list
              1:2 "yes"
              1:7 "no"
              1:11 "on"
              1:15 true
              1:21 false
              1:28 null
              1:31 null
              1:37 7
              1:40 -7
              1:44 7
              1:48 15
              1:54 31
              1:60 1.5
              1:65 1000.0
              1:70 0.5
              1:74 1.0
              1:78 "7"
              1:89 "7"
              1:92 "1_000"
              1:99 "0b1"
              1:104 "2026-11-20"
              1:116 "1:30"
              1:122 ".inf"
        "#]],
    );
}

#[test]
fn repeated_keys_do_not_hide_what_follows() {
    check(
        "a: 1\na: 2\nb:\n  c: 1\n  c: 2\n",
        expect![[r#"
        1:1 map
          1:1 a:
            1:4 1
          3:1 b:
            4:3 map
              4:3 c:
                4:6 1
        t.yaml:2:1: error[CFG002]: the key `a` is written twice
          |
        2 | a: 2
          | ^
          help: the first stands at line 1; keep one

        t.yaml:5:3: error[CFG002]: the key `c` is written twice
          |
        5 |   c: 2
          |   ^
          help: the first stands at line 4; keep one

    "#]],
    );
}

#[test]
fn what_is_not_read_is_refused_where_it_stands() {
    check(
        "a: !thing 1\nb: { <<: { c: 1 } }\nc: 99999999999999999999999999999\n",
        expect![[r#"
            1:1 map
              1:1 a:
                1:11 1
              2:1 b:
                2:4 map
              3:1 c:
                3:4 "99999999999999999999999999999"
            t.yaml:1:4: error[CFG004]: the tag `!thing` is not understood
              |
            1 | a: !thing 1
              |    ^^^^^^
              help: leave it out; quote the value to keep it as text

            t.yaml:2:6: error[CFG004]: merge keys (`<<`) are not part of YAML 1.2
              |
            2 | b: { <<: { c: 1 } }
              |      ^^
              help: write the keys out, or name a profile

            t.yaml:3:4: error[CFG005]: the integer 99999999999999999999999999999 cannot be kept: it has more than 28 digits or 64 bits
              |
            3 | c: 99999999999999999999999999999
              |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              help: quote it to keep it as text

        "#]],
    );
    check(
        "a: 1\n---\nb: 2\n",
        expect![[r#"
        t.yaml:2:1: error[CFG004]: a second document starts here
          |
        2 | ---
          | ^^^
          help: one file holds one document; write the rest into another file

    "#]],
    );
    check(
        "? [a, b]\n: 1\n",
        expect![[r#"
        t.yaml:1:3: error[CFG004]: a key must be a word or a number
          |
        1 | ? [a, b]
          |   ^
          help: quote the key if it starts with `{` or `[`

    "#]],
    );
    check(
        "a: &x { b: *x }\n",
        expect![[r#"
        t.yaml:1:12: error[CFG004]: the alias stands inside what it names
          |
        1 | a: &x { b: *x }
          |            ^^

    "#]],
    );
}

#[test]
fn syntax_errors_point_at_the_place() {
    check(
        "a: [1, 2\nb: 3\n",
        expect![[r#"
            t.yaml:2:2: error[CFG001]: illegal placement of ':' indicator
              |
            2 | b: 3
              |  ^
              help: indented otherwise than its neighbours, or a quote or comma is missing above

        "#]],
    );
    check(
        "a:\n\tb: 1\n",
        expect![[r#"
        t.yaml:2:2: error[CFG001]: tabs disallowed within this context (block indentation)
          |
        2 |     b: 1
          |     ^
          help: indent with spaces; YAML does not allow tabs there

    "#]],
    );
    check(
        "a: \"open\n",
        expect![[r#"
        t.yaml:2:1: error[CFG001]: invalid indentation in multiline quoted scalar
          |
        2 |
          | ^

    "#]],
    );
    check(
        "a: *nobody\n",
        expect![[r#"
            t.yaml:1:4: error[CFG001]: while parsing node, found unknown anchor
              |
            1 | a: *nobody
              |    ^
              help: a value that starts with `*` must be quoted, unless it repeats an anchor (`&name`)

        "#]],
    );
}

#[test]
fn aliases_repeat_what_they_name() {
    check(
        "a: &x [1]\nb: *x\n",
        expect![[r#"
        1:1 map
          1:1 a:
            1:7 list
              1:8 1
          2:1 b:
            1:7 list
              1:8 1
    "#]],
    );
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
    for depth in [super::MAX_DEPTH + 1, 1_000] {
        let deep = "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(parse_partial("deep.yaml", &deep).1[0].code, crate::code::LIMIT, "{depth}");
    }
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

#[test]
fn what_aliases_repeat_is_counted_by_its_bytes() {
    let bomb = format!("x: &x \"{}\"\ny: [{}]\n", "A".repeat(300_000), ["*x"; 20_000].join(","));
    let found = super::parse("t.yaml", &bomb).unwrap_err();
    assert_eq!(found[0].code, crate::code::LIMIT, "{found:?}");
    let few = format!("x: &x \"{}\"\ny: [*x, *x]\n", "A".repeat(300_000));
    assert!(super::parse("t.yaml", &few).is_ok());
}
