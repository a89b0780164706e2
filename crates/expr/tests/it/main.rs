//! `expr` through its public face.
#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a failed expectation is a failed test"))]

mod bounds;
mod diagnostics;
mod hazards;
mod mapping;
mod oracle;
mod random;
mod readme;
mod redaction;
mod values;

use diag::Span;
use expr::{Error, Names, Program, Scope, Ty};
use serde_json::{Value, json};

/// The document most tests read.
fn order() -> Value {
    json!({
        "id": "o-1", "status": "open", "total": 120.5, "quantity": 3, "paid": false, "note": null,
        "text_number": "10", "zero": 0, "http_status": 200, "big": 18_446_744_073_709_551_615_u64,
        "customer": { "name": "Ann", "email": "ann@example.com" },
        "items": [
            { "sku": "a", "price": 10.1, "quantity": 2 },
            { "sku": "b", "price": 0.2, "quantity": 1 },
        ],
        "tags": ["new", "vip"],
    })
}

/// Nothing is known of the document but its name.
fn names() -> Names {
    Names::new().root("entity", Ty::Any)
}

fn compile(source: &str, names: &Names) -> Result<Program, String> {
    Program::compile(source, &Span::default(), names).map_err(|found| show(&found))
}

/// Each diagnostic as its code, place and text.
fn show(found: &[diag::Diagnostic]) -> String {
    let line = |one: &diag::Diagnostic| {
        let help: String = one.help.iter().map(|line| format!("\n  {line}")).collect();
        format!("{} {}:{}: {}{help}\n", one.code, one.span.line, one.span.column, one.message)
    };
    found.iter().map(line).collect()
}

/// An evaluation's failure as its code and text.
fn failure(error: &Error) -> String {
    let help: String = error.help.iter().map(|line| format!("  {line}\n")).collect();
    format!("{} {}\n{}\n{help}", error.code, error.message, error.excerpt)
}

/// The value of an expression over the order, or what is wrong.
fn value(source: &str) -> Result<Value, String> {
    let order = order();
    let program = compile(source, &names())?;
    program.eval(&Scope::new().bind("entity", &order)).map_err(|error| failure(&error))
}
