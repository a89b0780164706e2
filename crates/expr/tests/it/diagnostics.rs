//! The texts people see.

use super::{compile, failure, names, order, show};
use diag::{Span, parse};
use expect_test::{Expect, expect};
use expr::{Names, Program, Scope, Ty};

fn typed() -> Names {
    let item = Ty::closed([("sku", Ty::Text), ("price", Ty::Number)]);
    let entity = Ty::closed([("total_amount", Ty::Number), ("id", Ty::Text), ("items", Ty::list(item))]);
    Names::new().root("entity", entity).root("steps", Ty::closed([("reserve", Ty::Any)]))
}

fn refused(source: &str, expected: Expect) {
    expected.assert_eq(&compile(source, &typed()).unwrap_err());
}

fn fails(source: &str, expected: Expect) {
    let order = order();
    let error = compile(source, &names()).unwrap().eval(&Scope::new().bind("entity", &order)).unwrap_err();
    expected.assert_eq(&failure(&error));
}

#[test]
fn unknown_names_name_the_nearest() {
    refused(
        "entty.id == 'x'",
        expect![[r#"
        EXPR003 0:0: there is no `entty` here
          entty.id == 'x'
          ^^^^^
          did you mean `entity`?
    "#]],
    );
    refused(
        "foo",
        expect![[r#"
        EXPR003 0:0: there is no `foo` here
          foo
          ^^^
          known here: entity, steps
    "#]],
    );
    refused(
        "entity.total_amout > 0",
        expect![[r#"
        EXPR004 0:0: there is no field `total_amout`
          entity.total_amout > 0
                 ^^^^^^^^^^^
          did you mean `total_amount`?
    "#]],
    );
    refused(
        "steps.charge.id",
        expect![[r#"
        EXPR004 0:0: there is no field `charge`
          steps.charge.id
                ^^^^^^
          one of `reserve`
    "#]],
    );
    refused(
        "entity.items.map(i, i.prise)",
        expect![[r#"
        EXPR004 0:0: there is no field `prise`
          entity.items.map(i, i.prise)
                                ^^^^^
          did you mean `price`?
    "#]],
    );
    refused(
        "entity.id.startswith('o')",
        expect![[r#"
        EXPR005 0:0: there is no function `startswith`
          entity.id.startswith('o')
                    ^^^^^^^^^^
          did you mean `startsWith`?
    "#]],
    );
    refused(
        "now()",
        expect![[r#"
        EXPR005 0:0: there is no function `now`
          now()
          ^^^
    "#]],
    );
}

#[test]
fn every_mismatch_is_reported() {
    refused(
        "entity.id > 5 && entity.total_amount == '5' || entity.id",
        expect![[r#"
        EXPR008 0:0: text cannot be compared with a number
          entity.id > 5 && entity.total_amount == '5' || entity.id
                    ^
          convert one of them: `decimal(text)` or `string(number)`
        EXPR008 0:0: a number cannot be compared with text
          entity.id > 5 && entity.total_amount == '5' || entity.id
                                               ^^
          convert one of them: `decimal(text)` or `string(number)`
        EXPR009 0:0: a condition must be true or false, this is text
          entity.id > 5 && entity.total_amount == '5' || entity.id
                                                                ^^
    "#]],
    );
    refused(
        "entity.id + 1",
        expect![[r#"
        EXPR007 0:0: adding does not fit text and a number
          entity.id + 1
                    ^
          convert first: `string(number)` or `decimal(text)`
    "#]],
    );
    refused(
        "round(entity.id, 2, 3)",
        expect![[r#"
        EXPR006 0:0: `round` takes 1 to 2 arguments
          round(entity.id, 2, 3)
          ^^^^^
    "#]],
    );
    refused(
        "sum(entity.id)",
        expect![[r#"
        EXPR007 0:0: `sum` takes a list, this is text
          sum(entity.id)
                     ^^
    "#]],
    );
}

#[test]
fn syntax() {
    refused(
        "entity.id ==",
        expect![[r#"
        EXPR001 0:0: the expression ends too early
          entity.id ==
                      ^
    "#]],
    );
    refused(
        "entity.id = 'x'",
        expect![[r#"
        EXPR001 0:0: unexpected `=`
          entity.id = 'x'
                    ^
          compare with `==`
    "#]],
    );
    refused(
        "entity.id and true",
        expect![[r#"
            EXPR001 0:0: unexpected `and`
              entity.id and true
                        ^^^
              write `&&`
        "#]],
    );
    refused(
        "entity.id == 'x",
        expect![[r#"
            EXPR001 0:0: the text is not closed
              entity.id == 'x
                           ^
              close the text with the same quote
        "#]],
    );
    refused(
        "(entity.id",
        expect![[r#"
        EXPR001 0:0: the expression ends too early
          (entity.id
                    ^
    "#]],
    );
    refused(
        "",
        expect![[r#"
            EXPR001 0:0: the expression is empty
        "#]],
    );
    refused(
        "${ entity.id }",
        expect![[r#"
        EXPR001 0:0: unexpected `$`
          ${ entity.id }
          ^
          an expression stands inside `${ … }`; write names in it without `$`
    "#]],
    );
    refused(
        "1 +\n  entity..id",
        expect![[r#"
            EXPR001 0:0: unexpected `.`
                entity..id
                       ^
        "#]],
    );
    refused(
        "b'x'",
        expect![[r#"
            EXPR010 0:0: there are no bytes in JSON
              b'x'
              ^^^^
        "#]],
    );
    refused(
        "Order{id: 1}",
        expect![[r#"
            EXPR010 0:0: there are no messages
              Order{id: 1}
                   ^
        "#]],
    );
}

#[test]
fn constants() {
    refused(
        "1 / 0 > entity.total_amount",
        expect![[r#"
        EXPR013 0:0: this always fails: dividing by zero
          1 / 0 > entity.total_amount
            ^
    "#]],
    );
    let program = compile("1 == 1 && entity.total_amount > 0 || !true", &typed()).unwrap();
    expect![[r#"
        EXPR017 0:0: this is always true
          1 == 1 && entity.total_amount > 0 || !true
            ^^
          it reads nothing; compare with a name or leave it out
        EXPR017 0:0: this is always false
          1 == 1 && entity.total_amount > 0 || !true
                                               ^
          it reads nothing; compare with a name or leave it out
    "#]]
    .assert_eq(&show(program.warnings()));
}

#[test]
fn a_failed_evaluation_shows_the_place() {
    fails(
        "entity.total > 5 && entity.customer.phone == ''",
        expect![[r#"
        EXPR101 there is no field `phone`
        entity.total > 5 && entity.customer.phone == ''
                                            ^^^^^
          ask with `has(….phone)` or give a default: `coalesce(….phone, default)`
    "#]],
    );
    fails(
        "entity.text_number + 1",
        expect![[r#"
        EXPR103 adding does not fit text and a number: "10" and 1
        entity.text_number + 1
                           ^
          convert first: `string(number)` or `decimal(text)`
    "#]],
    );
    fails(
        "entity.items.map(i, i.price > entity.id)",
        expect![[r#"
        EXPR104 a number cannot be compared with text: 10.1 and "o-1"
        entity.items.map(i, i.price > entity.id)
                                    ^
          convert one of them: `decimal(text)` or `string(number)`
    "#]],
    );
    fails(
        "1 +\n  entity.note",
        expect![[r#"
        EXPR103 adding does not fit a number and null: 1 and null
        1 +
          ^
          give it a default: `coalesce(value, default)`
    "#]],
    );
    fails(
        "entity.items[5]",
        expect![[r#"
        EXPR112 the list has 2 items, counted from 0: 5
        entity.items[5]
                    ^
    "#]],
    );
    fails(
        "int(entity.id)",
        expect![[r#"
        EXPR109 the text is not a whole number: "o-1"
        int(entity.id)
        ^^^
    "#]],
    );
}

#[test]
fn places_are_exact_in_the_file() {
    let yaml = "ensure:\n  - rule: entity.total > 'x'\n  - rule: \"'é' == entity.gone\"\n";
    let file = parse("shop.yaml", yaml).unwrap();
    let order = order();
    let mut places = String::new();
    for pointer in ["/ensure/0/rule", "/ensure/1/rule"] {
        let node = file.at(pointer).unwrap();
        let program = Program::compile(node.text().unwrap(), &node.span, &names()).unwrap();
        let error = program.eval(&Scope::new().bind("entity", &order)).unwrap_err();
        let Span { file, line, column, start, end } = &error.span;
        places.push_str(&format!("{file}:{line}:{column} {:?} {error}\n", &yaml[*start..*end]));
    }
    expect![[r#"
        shop.yaml:2:24 ">" a number cannot be compared with text: 120.5 and "x"
        shop.yaml:3:26 "gone" there is no field `gone`
    "#]]
    .assert_eq(&places);
}
