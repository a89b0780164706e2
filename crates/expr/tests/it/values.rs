//! What expressions come to.

use super::value;
use serde_json::{Value, json};

fn check(cases: &[(&str, Value)]) {
    for (source, expected) in cases {
        assert_eq!(value(source).as_ref(), Ok(expected), "{source}");
    }
}

fn number(text: &str) -> Value {
    serde_json::from_str(text).expect("a number")
}

#[test]
fn digits_are_kept_or_the_result_is_refused() {
    check(&[
        ("31415926535897932.38", number("31415926535897932.38")),
        ("31415926535897932.38 + 0.23", number("31415926535897932.61")),
        ("31415926535897932.38 * 2", number("62831853071795864.76")),
        ("sum([31415926535897932.38, 0.23])", number("31415926535897932.61")),
        ("string(31415926535897932.38)", json!("31415926535897932.38")),
        ("decimal('1234567890123456789012345678')", number("1234567890123456789012345678")),
        ("entity.big + 1", number("18446744073709551616")),
        ("31415926535897932.38 > 31415926535897932.37", json!(true)),
        ("31415926535897932.38 == 31415926535897932.380", json!(true)),
    ]);
    for beyond in [
        "9999999999999999999999999999.0 + 2",
        "1000000000000000000000000000.0 + 0.01",
        "1.00000000000001 * 1.000000000000001",
        "1e300 + 1",
        "1e300 * 2",
        "0.12345678901234567890123456789",
        "double('12345678901234567890123456789')",
    ] {
        assert!(value(beyond).is_err(), "{beyond}");
    }
}

#[test]
fn literals() {
    check(&[
        ("1", json!(1)),
        ("-7", json!(-7)),
        ("0x1F", json!(31)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("1u", json!(1)),
        ("2.50", json!(2.5)),
        ("1e3", json!(1000)),
        (".5", json!(0.5)),
        ("'a'", json!("a")),
        (r#""a\n\"""#, json!("a\n\"")),
        (r"r'\d'", json!("\\d")),
        ("'''it's'''", json!("it's")),
        ("'é' + '→'", json!("é→")),
        ("true", json!(true)),
        ("null", json!(null)),
        ("[1, 'a', [null]]", json!([1, "a", [null]])),
        ("{'a': 1, 'b': {'c': []}}", json!({ "a": 1, "b": { "c": [] } })),
    ]);
}

#[test]
fn arithmetic() {
    check(&[
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3)),
        ("int(7 / 2)", json!(3)),
        ("-7 % 3", json!(-1)),
        ("7.5 % 2", json!(1.5)),
        ("1.1 + 2.2", json!(3.3)),
        ("1.10 - 0.1", json!(1)),
        ("0.1 * 3", json!(0.3)),
        ("1 / 3.0", number("0.3333333333333333333333333333")),
        ("- entity.quantity", json!(-3)),
        ("entity.big", json!(u64::MAX)),
        ("entity.big - 1", json!(u64::MAX - 1)),
        ("entity.total", json!(120.5)),
        ("'a' + 'b'", json!("ab")),
        ("[1] + [2]", json!([1, 2])),
    ]);
}

#[test]
fn comparison() {
    check(&[
        ("entity.quantity == 3.0", json!(true)),
        ("entity.total > 120", json!(true)),
        ("entity.total <= 120.5", json!(true)),
        ("'a' < 'b'", json!(true)),
        ("entity.id != 'o-2'", json!(true)),
        ("entity.tags == ['new', 'vip']", json!(true)),
        ("entity.customer == {'name': 'Ann', 'email': 'ann@example.com'}", json!(true)),
        ("entity.customer == {'name': 'Ann'}", json!(false)),
        ("'vip' in entity.tags", json!(true)),
        ("'old' in entity.tags", json!(false)),
        ("'name' in entity.customer", json!(true)),
        ("3 in [1, 2, 3.0]", json!(true)),
    ]);
}

#[test]
fn logic() {
    check(&[
        ("entity.paid || entity.total > 100", json!(true)),
        ("!entity.paid && entity.quantity == 3", json!(true)),
        ("entity.paid ? 'paid' : 'open'", json!("open")),
        // As CEL has it: a side that decides wins over a side that fails, in either order.
        ("entity.gone || entity.quantity == 3", json!(true)),
        ("entity.quantity == 3 || entity.gone", json!(true)),
        ("entity.gone && entity.paid", json!(false)),
        ("has(entity.gone) && entity.gone > 5", json!(false)),
    ]);
}

#[test]
fn absence() {
    check(&[
        ("has(entity.note)", json!(true)),
        ("has(entity.gone)", json!(false)),
        ("has(entity.customer.email)", json!(true)),
        ("coalesce(entity.gone, 'x')", json!("x")),
        ("coalesce(entity.note, entity.gone.deeper, 7)", json!(7)),
        ("coalesce(entity.quantity, 7)", json!(3)),
        ("coalesce(entity.note, null)", json!(null)),
        ("entity.gone.coalesce('x')", json!("x")),
    ]);
}

#[test]
fn loops() {
    check(&[
        ("entity.items.map(i, i.sku)", json!(["a", "b"])),
        ("entity.items.map(i, i.quantity > 1, i.sku)", json!(["a"])),
        ("entity.items.filter(i, i.price < 1).map(i, i.sku)", json!(["b"])),
        ("entity.items.all(i, i.quantity > 0)", json!(true)),
        ("entity.items.exists(i, i.sku == 'b')", json!(true)),
        ("entity.items.exists_one(i, i.quantity == 2)", json!(true)),
        ("entity.customer.map(k, k)", json!(["email", "name"])),
        ("[1, 2].map(x, [10, 20].map(y, x * y))", json!([[10, 20], [20, 40]])),
        ("[[1], [2]].map(x, x.map(x, x + 1))", json!([[2], [3]])),
        ("[].all(x, false)", json!(true)),
        ("[].exists(x, true)", json!(false)),
        ("entity.items[1].sku", json!("b")),
        ("entity['customer']['name']", json!("Ann")),
        ("entity.items[entity.quantity - 2].sku", json!("b")),
    ]);
}

#[test]
fn comments_and_odd_names() {
    check(&[
        ("entity.id // the order's id", json!("o-1")),
        ("{'a-b': 1}.`a-b`", json!(1)),
        (" \n entity\n.id ", json!("o-1")),
    ]);
}
