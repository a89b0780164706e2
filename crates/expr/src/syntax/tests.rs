//! The `cel` crate's parser and ours accept the same texts and see the same trees.

use std::fmt::Write;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use proptest::prelude::*;

use super::{Binary, Form, Syntax, parse};
use crate::code::Code;
use crate::number::Number;
use crate::tree::{Operator, Order};

/// The tree the `cel` crate sees, if it accepts the text.
fn theirs(text: &str) -> Option<String> {
    let run = || {
        let parser =
            cel::Env::default().with_optional_support(false).parser().enable_ident_escape_syntax(true);
        parser.parse(text).ok().map(|tree| show_theirs(&tree))
    };
    // Its parser takes much stack, and some texts make it panic.
    let thread = std::thread::Builder::new().stack_size(64 << 20);
    std::thread::scope(|scope| thread.spawn_scoped(scope, run).unwrap().join().unwrap_or_default())
}

fn ours(text: &str) -> Result<String, Code> {
    parse(text).map(|tree| show_ours(&tree)).map_err(|fail| fail.code)
}

fn disagreement(text: &str) -> Option<String> {
    match (ours(text), theirs(text)) {
        (Ok(ours), Some(theirs)) if ours == theirs => None,
        (Ok(ours), Some(theirs)) => Some(format!("{text:?}: we see {ours}, they see {theirs}")),
        (Ok(ours), None) => Some(format!("only we accept {text:?} as {ours}")),
        (Err(Code::Syntax), Some(theirs)) => Some(format!("only they accept {text:?} as {theirs}")),
        // Our own limits, and what we do not support.
        (Err(_), _) => None,
    }
}

/// A call in a common form: chains of `&&` and `||` are flat (their tree is balanced), and a row of signs is reduced.
fn call(name: &str, args: Vec<String>) -> String {
    let chained = matches!(name, "_&&_" | "_||_");
    let open = format!("({name}");
    let mut text = open.clone();
    for arg in args {
        match arg.strip_prefix(&open).and_then(|rest| rest.strip_suffix(')')) {
            Some(inner) if chained => text.push_str(inner),
            _ => write!(text, " {arg}").unwrap(),
        }
    }
    text.push(')');
    text
}

fn sign(name: &str, of: String) -> String {
    let twice = format!("({name} ");
    if let Some(rest) = of.strip_prefix(&twice).and_then(|rest| rest.strip_suffix(')')) {
        return rest.to_owned();
    }
    match of.strip_prefix("n-") {
        Some(rest) if name == "-_" => format!("n{rest}"),
        None if name == "-_" && of.starts_with('n') => format!("n-{}", &of[1..]),
        _ => call(name, vec![of]),
    }
}

fn number(number: Number) -> String {
    match number.to_int() {
        Some(int) => format!("n{int}"),
        None => format!("n{:?}", number.to_float()),
    }
}

fn show_theirs(tree: &IdedExpr) -> String {
    let all = |trees: &[IdedExpr]| trees.iter().map(show_theirs).collect::<Vec<_>>();
    match &tree.expr {
        Expr::Literal(LiteralValue::Null) => "null".to_owned(),
        Expr::Literal(LiteralValue::Boolean(flag)) => flag.inner().to_string(),
        Expr::Literal(LiteralValue::Int(int)) => number(Number::Int(*int.inner())),
        Expr::Literal(LiteralValue::UInt(uint)) => number(Number::from_json(&(*uint.inner()).into())),
        Expr::Literal(LiteralValue::Double(double)) => number(
            json::from_float(*double.inner()).as_ref().map_or(Number::Float(f64::NAN), Number::from_json),
        ),
        Expr::Literal(LiteralValue::String(text)) => format!("{:?}", text.inner()),
        Expr::Literal(LiteralValue::Bytes(_)) => "bytes".to_owned(),
        Expr::Ident(name) => name.trim_start_matches('.').to_owned(),
        Expr::Select(select) => format!("{}.{:?}", show_theirs(&select.operand), select.field),
        Expr::List(list) => call("list", all(&list.elements)),
        Expr::Map(map) => call("map", map.entries.iter().flat_map(|entry| entry_of(&entry.expr)).collect()),
        Expr::Call(of) if matches!(of.func_name.as_str(), "!_" | "-_") && of.args.len() == 1 => {
            sign(&of.func_name, show_theirs(&of.args[0]))
        }
        Expr::Call(of) => {
            let target = of.target.iter().map(|target| format!("on:{}", show_theirs(target)));
            call(of.func_name.trim_start_matches('.'), target.chain(all(&of.args)).collect())
        }
        Expr::Struct(_) | Expr::Comprehension(_) | Expr::Unspecified => "unsupported".to_owned(),
    }
}

fn entry_of(entry: &EntryExpr) -> Vec<String> {
    match entry {
        EntryExpr::MapEntry(entry) => vec![show_theirs(&entry.key), show_theirs(&entry.value)],
        EntryExpr::StructField(_) => Vec::new(),
    }
}

fn show_ours(tree: &Syntax) -> String {
    let all = |trees: &[Syntax]| trees.iter().map(show_ours).collect::<Vec<_>>();
    match &tree.form {
        Form::Null => "null".to_owned(),
        Form::Bool(flag) => flag.to_string(),
        Form::Number(of) => number(*of),
        Form::Text(text) => format!("{text:?}"),
        Form::Bytes => "bytes".to_owned(),
        Form::Name(name) => name.clone(),
        Form::Select(of, name) => format!("{}.{name:?}", show_ours(of)),
        Form::Index(of, index) => call("_[_]", vec![show_ours(of), show_ours(index)]),
        Form::Call { target, name, args } => {
            let target = target.iter().map(|target| format!("on:{}", show_ours(target)));
            call(name, target.chain(all(args)).collect())
        }
        Form::List(items) => call("list", all(items)),
        Form::Map(entries) => {
            call("map", entries.iter().flat_map(|(key, value)| [show_ours(key), show_ours(value)]).collect())
        }
        Form::Not(of) => sign("!_", show_ours(of)),
        Form::Negate(of) => sign("-_", show_ours(of)),
        Form::Binary(operator, left, right) => {
            call(spelled(*operator), vec![show_ours(left), show_ours(right)])
        }
        Form::If(condition, yes, no) => {
            call("_?_:_", vec![show_ours(condition), show_ours(yes), show_ours(no)])
        }
    }
}

fn spelled(operator: Binary) -> &'static str {
    match operator {
        Binary::Or => "_||_",
        Binary::And => "_&&_",
        Binary::Equal => "_==_",
        Binary::NotEqual => "_!=_",
        Binary::In => "@in",
        Binary::Order(Order::Less) => "_<_",
        Binary::Order(Order::LessOrEqual) => "_<=_",
        Binary::Order(Order::Greater) => "_>_",
        Binary::Order(Order::GreaterOrEqual) => "_>=_",
        Binary::Arithmetic(Operator::Add) => "_+_",
        Binary::Arithmetic(Operator::Subtract) => "_-_",
        Binary::Arithmetic(Operator::Multiply) => "_*_",
        Binary::Arithmetic(Operator::Divide) => "_/_",
        Binary::Arithmetic(Operator::Remainder) => "_%_",
    }
}

#[test]
fn they_agree_on_the_corners() {
    let corners = [
        "1",
        "-1",
        "- 1",
        "--1",
        "---1",
        "-9223372036854775808",
        "9223372036854775808",
        "1u",
        "0x1f",
        "0xfU",
        "1.5",
        ".5",
        "1.",
        "1.e3",
        "1e3",
        "1e",
        "1E-3",
        "1.5e+10",
        "1abc",
        "0x",
        "00",
        "1..2",
        "-x",
        "--x",
        "-(1)",
        "-1.abs()",
        "!x",
        "!!x",
        "!-1",
        "!-x",
        "-!x",
        "! !x",
        "a.b.c",
        "a.`b-c`",
        "`a`",
        "a.`b`()",
        ".a",
        ".a.b",
        ".f()",
        "a.in",
        "a.for",
        "for",
        "for()",
        "a.true",
        "true",
        "null.x",
        "a[0][1]",
        "a[]",
        "[]",
        "[1,]",
        "[,]",
        "[1,,2]",
        "f()",
        "f(1,)",
        "f(,)",
        "a.f(1, 2)",
        "{}",
        "{1: 2}",
        "{1: 2,}",
        "{,}",
        "{'a': {'b': []}}",
        "a ? b : c",
        "a ? b : c ? d : e",
        "a ? b ? c : d : e",
        "(a ? b : c) ? d : e",
        "a || b && c || d",
        "a && b && c && d && e",
        "a == b == c",
        "a < b <= c",
        "a in b in c",
        "a + b - c * d / e % f",
        "a - -1",
        "a -1",
        "a--1",
        "1 - - x",
        "(((1)))",
        "()",
        "(1",
        "1)",
        "a b",
        "a .b",
        "a. b",
        "a\n.b",
        "// x",
        "a // b",
        "a // b\n + c",
        "'a",
        "'a'",
        "\"a'b\"",
        "'a\\'b'",
        "'\\x41\\u00e9\\U0001F600\\101'",
        "'\\q'",
        "'\\u12'",
        "'\\ud800'",
        "r'\\q'",
        "R\"\\\"",
        "b'a'",
        "br'\\q'",
        "rb'a'",
        "'''a\n'b'''",
        "\"\"\"a\"\"\"",
        "'a\nb'",
        "''",
        "''''''",
        "b'\\xff'",
        "x'a'",
        "a'b'",
        "@",
        "#",
        "a = b",
        "a | b",
        "a & b",
        "a ?b:c",
        "a?.b",
        "a[?0]",
        "[?a]",
        "A{}",
        "a.B{c: 1}",
        "é",
        "'é' + a",
        "a.é",
        "\u{a0}a",
        "a\t\r\n",
        "a\u{c}",
        "_x1",
        "1_000",
        "inx",
        "in",
        "a in",
        "truex",
        "a.map(x, x)",
        "has(a.b)",
        "a <> b",
        "a === b",
        "a => b",
        "'\\0'",
        "'\\400'",
        "'\\X41'",
        "'\\`'",
        "1u.a",
        "1.a",
        "a.1",
        "a.0x1",
        "0b1",
        "'a' 'b'",
        "\"\\\n\"",
    ];
    let found: Vec<String> = corners.into_iter().filter_map(disagreement).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// What expressions are made of, and some of what they are not.
const PIECES: &[&str] = &[
    "a", "b", ".", "in", " in ", "[", "]", "(", ")", "{", "}", "0", "1", "2.5", "1e3", "0x1", "7u", "'a'",
    "\"b\"", "'", "\"", "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "!", "?", ":", ",",
    "has(", "true", "null", "b'x'", "r'\\'", "`c`", "\\", "//", "\n", " ", "é", "for", "=", "|", "'''", "e",
    "_", "f()", "a.b", "a[0]", "(a)",
];

proptest! {
    #[test]
    fn they_agree_on_random_texts(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..10)) {
        prop_assert_eq!(disagreement(&pieces.concat()), None);
    }

    #[test]
    fn they_agree_on_random_rows(operands in prop::collection::vec(0..8_usize, 1..12), signs in prop::collection::vec(0..15_usize, 12)) {
        let operand = ["a", "a.b", "-1", "!a", "-a", "f(a)", "[1]", "(a)"];
        let sign = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", " in ", " ? 1 : "];
        let row = operands.iter().zip(&signs).map(|(o, s)| format!("{}{}", operand[*o], sign[*s])).collect::<String>();
        prop_assert_eq!(disagreement(&format!("{row}a")), None);
    }
}
