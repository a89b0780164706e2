//! The hazard table: what other engines answer silently is refused here, when compiling if the types are known and
//! when evaluating otherwise.

use super::{compile, names, order, value};
use expr::{Scope, Ty};
use serde_json::{Value, json};

/// The code with which an expression over untyped data is refused.
fn refused(source: &str) -> String {
    let text = value(source).unwrap_err();
    text.split(' ').next().unwrap().to_owned()
}

#[test]
fn text_is_not_compared_with_a_number() {
    assert_eq!(refused(r#""10" > 5"#), "EXPR008");
    assert_eq!(refused("entity.text_number > 5"), "EXPR104");
    assert_eq!(refused(r#""10" == 10"#), "EXPR008");
    assert_eq!(refused("entity.text_number == 10"), "EXPR104");
    assert_eq!(refused("entity.text_number != 10"), "EXPR104");
    assert_eq!(refused("entity.text_number in [1, 10]"), "EXPR104");
    assert_eq!(refused("entity.paid == 0"), "EXPR104");
    assert_eq!(refused("[1] == ['1']"), "EXPR008");
    assert_eq!(refused("entity.tags == [1, 2]"), "EXPR104");
}

#[test]
fn null_may_be_compared_with_anything_for_equality_only() {
    assert_eq!(value("entity.note == null").unwrap(), json!(true));
    assert_eq!(value("entity.total != null").unwrap(), json!(true));
    assert_eq!(value("entity.note == 'x'").unwrap(), json!(false));
    assert_eq!(value("null in [null, 1]").unwrap(), json!(true));
    assert_eq!(refused("entity.note > 5"), "EXPR104");
    assert_eq!(refused("entity.note < entity.note"), "EXPR104");
    assert_eq!(refused("null > 5"), "EXPR007");
}

#[test]
fn a_missing_field_is_not_a_value() {
    assert_eq!(refused("entity.amount > 5"), "EXPR101");
    assert_eq!(refused("!entity.gone"), "EXPR101");
    assert_eq!(refused("entity['gone']"), "EXPR101");
    assert_eq!(refused("entity.items[7]"), "EXPR112");
    assert_eq!(refused("entity.items[-1]"), "EXPR112");
}

#[test]
fn null_has_no_fields_and_no_items() {
    assert_eq!(refused("entity.note.foo"), "EXPR102");
    assert_eq!(refused("entity.note.map(x, x)"), "EXPR102");
    assert_eq!(refused("entity.note[0]"), "EXPR102");
    assert_eq!(refused("null.foo"), "EXPR007");
    assert_eq!(refused("has(entity.note.foo)"), "EXPR102");
}

#[test]
fn a_loop_over_a_missing_key_fails() {
    assert_eq!(refused("entity.items.map(i, i.colour)"), "EXPR101");
    assert_eq!(refused("entity.items.filter(i, i.colour == 'red')"), "EXPR101");
    assert_eq!(refused("entity.items.exists(i, i.colour == 'red')"), "EXPR101");
}

#[test]
fn json_numbers_are_numbers() {
    assert_eq!(value("3 + 1 == 4").unwrap(), json!(true));
    assert_eq!(value("entity.quantity + 1 == 4").unwrap(), json!(true));
    assert_eq!(value("entity.quantity * 1.5 == 4.5").unwrap(), json!(true));
    assert_eq!(value("entity.http_status == 200").unwrap(), json!(true));
    assert_eq!(value("entity.http_status == 200u").unwrap(), json!(true));
    assert_eq!(value("entity.http_status >= 200 && entity.http_status < 300").unwrap(), json!(true));
    assert_eq!(value("entity.total * 2").unwrap(), json!(241));
    assert_eq!(value("entity.quantity * 2").unwrap(), json!(6));
    assert_eq!(value("entity.big > 9223372036854775807").unwrap(), json!(true));
}

/// B15: money as float.
#[test]
fn b15_money_is_exact() {
    assert_eq!(value("0.1 + 0.2 == 0.3").unwrap(), json!(true));
    assert_eq!(value("sum(entity.items.map(i, i.price * i.quantity))").unwrap(), json!(20.4));
    assert_eq!(value("decimal('19.99') * 3").unwrap(), json!(59.97));
    assert_eq!(value("string(round(entity.total, 2))").unwrap(), json!("120.50"));
    assert_eq!(value("round(2.675, 2)").unwrap(), json!(2.68));
    assert_eq!(value("4.35 * 100 == 435").unwrap(), json!(true));
}

#[test]
fn arithmetic_that_has_no_result_fails() {
    assert_eq!(refused("1 / 0"), "EXPR013");
    assert_eq!(refused("1 / entity.zero"), "EXPR106");
    assert_eq!(refused("1 % entity.zero"), "EXPR106");
    assert_eq!(refused("1.5 / entity.zero"), "EXPR106");
    assert_eq!(refused("entity.quantity + 9223372036854775807"), "EXPR105");
    assert_eq!(refused("-9223372036854775807 - entity.quantity"), "EXPR105");
    assert_eq!(refused("entity.quantity * 9223372036854775807"), "EXPR105");
    assert_eq!(refused("entity.total * 7922816251426433759354395033.0"), "EXPR105");
    assert_eq!(refused("entity.quantity + '1'"), "EXPR103");
    assert_eq!(refused("entity.quantity + entity.id"), "EXPR103");
    assert_eq!(refused("entity.note + 1"), "EXPR103");
}

#[test]
fn a_condition_is_true_or_false() {
    let order = order();
    for source in ["entity.quantity", "entity.note", "entity.id", "entity.items"] {
        let scope = Scope::new().bind("entity", &order);
        let error = compile(source, &names()).unwrap().test(&scope).unwrap_err();
        assert_eq!(error.code, "EXPR110", "{source}");
    }
    assert_eq!(refused("entity.quantity && true"), "EXPR110");
    assert_eq!(refused("entity.id ? 1 : 2"), "EXPR110");
    assert_eq!(refused("1 && true"), "EXPR009");
}

#[test]
fn known_types_are_checked_before_anything_runs() {
    let names = names().root("entity", Ty::closed([("quantity", Ty::Int), ("id", Ty::Text)]));
    for (source, code) in [
        ("entity.quantity == '3'", "EXPR008"),
        ("entity.id > 5", "EXPR008"),
        ("entity.id in [1, 2]", "EXPR008"),
        ("entity.id * 2", "EXPR007"),
        ("entity.quantty", "EXPR004"),
        ("entity.id.length", "EXPR007"),
        ("entity.quantity.map(x, x)", "EXPR007"),
        ("entity.quantity ? 1 : 2", "EXPR009"),
        ("size(entity.quantity)", "EXPR007"),
    ] {
        let found = compile(source, &names).unwrap_err();
        assert!(found.starts_with(code), "{source}: {found}");
    }
}

#[test]
fn an_unbound_root_is_never_swallowed() {
    let program = compile("coalesce(entity.x, 1) == 1 || true == entity.y", &names()).unwrap();
    assert_eq!(program.eval(&Scope::new()).unwrap_err().code, "EXPR111");
}

#[test]
fn data_is_never_evaluated() {
    let hostile = json!({ "name": "${ entity.secret }", "secret": "s3cret" });
    let mapping = expr::Mapping::text("hello ${ entity.name }", &names()).unwrap();
    let scope = Scope::new().bind("entity", &hostile);
    assert_eq!(mapping.eval(&scope).unwrap(), Value::from("hello ${ entity.secret }"));
}
