//! `${ … }` in YAML trees.

use super::{names, order, show};
use diag::{Node, parse};
use expect_test::{Expect, expect};
use expr::{Mapping, Names, Scope, Ty};
use serde_json::{Value, json};

fn node(yaml: &str) -> Node {
    parse("flow.yaml", yaml).unwrap()
}

fn eval(yaml: &str) -> Value {
    let order = order();
    let mapping = Mapping::compile(&node(yaml), &names()).unwrap();
    mapping.eval(&Scope::new().bind("entity", &order)).unwrap()
}

fn refused(yaml: &str, names: &Names, expected: Expect) {
    expected.assert_eq(&show(&Mapping::compile(&node(yaml), names).unwrap_err()));
}

#[test]
fn the_shape_comes_from_yaml_and_the_values_from_expressions() {
    let yaml = "
id: ${ entity.id }
total: ${ entity.total }
items: ${ entity.items.map(i, i.sku) }
nothing: ${ entity.note }
text: order ${ entity.id } for ${ entity.customer.name }, ${ entity.quantity } pieces
fixed: { a: 1, b: [true, null, x] }
list: [ '${ entity.paid }', 'paid: ${ entity.paid }' ]
";
    let expected = json!({
        "id": "o-1", "total": 120.5, "items": ["a", "b"], "nothing": null,
        "text": "order o-1 for Ann, 3 pieces",
        "fixed": { "a": 1, "b": [true, null, "x"] },
        "list": [false, "paid: false"],
    });
    assert_eq!(eval(yaml), expected);
}

#[test]
fn dollars_and_braces_that_are_no_expression_stay() {
    assert_eq!(eval("'$${ entity.id }'"), json!("${ entity.id }"));
    assert_eq!(eval("'$5 {x} $'"), json!("$5 {x} $"));
    assert_eq!(eval("'a $${b} ${ entity.id } $$'"), json!("a ${b} o-1 $$"));
    assert_eq!(eval(r#"'${ {"a": "}"}.a }'"#), json!("}"));
}

#[test]
fn what_is_fixed_is_known_to_be() {
    let literal = |yaml: &str| Mapping::compile(&node(yaml), &names()).unwrap().is_literal();
    assert!(literal("{ a: [1, x], b: null }"));
    assert!(literal("'$${x}'"));
    assert!(!literal("{ a: [1, '${ entity.id }'] }"));
    let prefix = |text: &str| Mapping::text(text, &names()).unwrap().literal_prefix().map(str::to_owned);
    assert_eq!(prefix("https://a.example/${ entity.id }").as_deref(), Some("https://a.example/"));
    assert_eq!(prefix("${ entity.id }/x"), None);
}

#[test]
fn it_tells_what_it_reads() {
    let yaml = "{ a: '${ entity.items[0].sku }', b: '${ entity[\"customer\"].name + entity.id } ${ size(entity.items.map(i, i.sku)) }' }";
    let mapping = Mapping::compile(&node(yaml), &names()).unwrap();
    let paths: Vec<String> =
        mapping.references().iter().map(|used| format!("{}.{}", used.root, used.path.join("."))).collect();
    assert_eq!(paths, ["entity.items", "entity.customer.name", "entity.id", "entity.items"]);
    assert_eq!(mapping.references()[0].span.column, 10);
}

#[test]
fn it_tells_what_it_yields() {
    let names = names().root("entity", Ty::closed([("n", Ty::Int), ("t", Ty::Text)]));
    let mapping =
        Mapping::compile(&node("{ n: '${ entity.n }', t: 'x${ entity.n }', f: 1.5 }"), &names).unwrap();
    assert_eq!(mapping.ty(), Ty::closed([("n", Ty::Int), ("t", Ty::Text), ("f", Ty::Number)]));
}

#[test]
fn every_mistake_is_reported_where_it_stands() {
    let yaml = "
plain: ${ entty.id }
quoted: \"to ${ entity.id } and ${ entity.id + }\"
single: 'é ${ sice(entity.id) }'
escaped: \"\\t${ entty.id }\"
block: |
  first
  ${ entty.id }
${ x }: 1
open: ${ entity.id
";
    refused(
        yaml,
        &names(),
        expect![[r#"
        EXPR003 2:11: there is no `entty` here
          did you mean `entity`?
        EXPR001 3:47: the expression ends too early
        EXPR005 4:15: there is no function `sice`
          did you mean `size`?
        EXPR003 5:10: there is no `entty` here
           entty.id 
           ^^^^^
          did you mean `entity`?
        EXPR003 7:3: there is no `entty` here
           entty.id 
           ^^^^^
          did you mean `entity`?
        EXPR015 9:1: a key cannot be computed
          keys are fixed; put `${ … }` into values
        EXPR014 10:7: this `${` is not closed
          close it with `}`, or write `$${` for a plain `${`
    "#]],
    );
}

#[test]
fn text_takes_only_what_reads_as_text() {
    let names = names()
        .root("entity", Ty::open([("items", Ty::list(Ty::Any)), ("customer", Ty::open([("a", Ty::Any)]))]));
    refused(
        "'x ${ entity.items }'",
        &names,
        expect![[r#"
        EXPR007 1:14: a list cannot be written into text
    "#]],
    );
    let order = order();
    let scope = Scope::new().bind("entity", &order);
    let fails = |text: &str| Mapping::text(text, &super::names()).unwrap().eval(&scope).unwrap_err();
    assert_eq!(fails("x ${ entity.note }").code, "EXPR103");
    assert_eq!(fails("x ${ entity.items }").code, "EXPR103");
}

#[test]
fn numbers_keep_their_digits_in_text() {
    assert_eq!(eval("'${ round(entity.total, 2) } EUR'"), json!("120.50 EUR"));
    assert_eq!(eval("'${ entity.quantity }/${ entity.big }'"), json!("3/18446744073709551615"));
}
