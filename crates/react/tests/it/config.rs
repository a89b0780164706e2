//! Mistakes in rules are told where they were written.

use diag::{Diagnostic, Node, parse};
use react::{DeriveRule, EntityRules, entity_shape};

fn node(text: &str) -> Node {
    parse("cardan.yaml", text).expect("yaml")
}

fn told(found: Result<impl Sized, Vec<Diagnostic>>) -> Vec<(String, u32)> {
    let Err(found) = found else { return Vec::new() };
    found.into_iter().map(|diagnostic| (diagnostic.code.to_owned(), diagnostic.span.line)).collect()
}

#[test]
fn every_mistake_of_an_entity_is_told() {
    let text = concat!(
        "ensure:\n",
        "  - rule: entity.total >\n",
        "  - rule: order.total > 0\n",
        "fields:\n",
        "  zip:\n",
        "    constraints:\n",
        "      - { type: pattern, value: '(?=x)' }\n",
    );
    let lines: Vec<u32> = told(EntityRules::compile(&node(text))).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, [2, 3, 7]);
    assert_eq!(told(EntityRules::compile(&node("ensures: []\n"))).len(), 1);
    assert_eq!(told(EntityRules::compile(&node("ensure:\n  - rule: \"'x'\"\n"))).len(), 1, "no condition");
}

#[test]
fn every_mistake_of_a_derive_rule_is_told() {
    assert_eq!(told(DeriveRule::compile(&node("topic: t\n"))).len(), 1);
    let text = "on: fact\nwhen: nobody.knows\ntopic: '${act.}'\npayload: '${entity.f}'\n";
    let lines: Vec<u32> = told(DeriveRule::compile(&node(text))).into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, [2, 3]);
}

#[test]
fn the_shapes_take_the_words_of_the_guide() {
    let text = "ensure:\n  - rule: entity.total_amount > 0\n    say: the total must be positive\n";
    assert!(entity_shape().check(&node(text)).is_empty());
    assert!(EntityRules::compile(&node(text)).is_ok());
}
