//! Values marked sensitive never appear in errors.

use super::{compile, failure, names, order};
use expr::{Mapping, Names, Scope, Ty};
use serde_json::json;

fn fails(source: &str, pointer: Option<&str>) -> String {
    let order = order();
    let scope = Scope::new().bind("entity", &order);
    let scope = match pointer {
        Some(pointer) => scope.sensitive("entity", pointer),
        None => scope,
    };
    failure(&compile(source, &names()).unwrap().eval(&scope).unwrap_err())
}

#[test]
fn a_value_at_fault_is_shown() {
    assert!(fails("entity.customer.email > 5", None).contains("ann@example.com"));
    assert!(fails("entity.customer.email > 5", Some("/customer/phone")).contains("ann@example.com"));
}

#[test]
fn a_sensitive_value_is_redacted() {
    for (source, pointer) in [
        ("entity.customer.email > 5", "/customer/email"),
        ("entity.customer.email > 5", "/customer"),
        ("entity.customer.email > 5", ""),
        ("entity.customer['email'] * 2", "/customer/email"),
        ("int(entity.customer.email)", "/customer/email"),
        ("entity.customer.map(k, entity.customer[k] * 2)", "/customer/email"),
        ("entity[entity.customer.email]", "/customer/email"),
        ("[entity].map(e, e.customer.email - 1)", "/customer/email"),
        ("entity.items.map(i, i.sku - 1)", "/items/0/sku"),
    ] {
        let text = fails(source, Some(pointer));
        assert!(text.contains("[redacted]"), "{source}: {text}");
        assert!(!text.contains("ann@"), "{source}: {text}");
    }
}

fn with_secret() -> Names {
    names().root("secret", Ty::Secret)
}

#[test]
fn a_secret_is_passed_on_whole_and_never_used() {
    let vault = json!({ "stripe": "handle-1" });
    let order = order();
    let scope = Scope::new().bind("secret", &vault).bind("entity", &order);
    let whole = Mapping::text("${ secret.stripe }", &with_secret()).unwrap();
    assert_eq!(whole.eval(&scope).unwrap(), json!("handle-1"));
    assert_eq!(whole.ty(), Ty::Secret);
    for source in [
        "secret.stripe + 'x'",
        "'x' + secret.stripe",
        "secret.stripe == 'a'",
        "secret.stripe in ['a']",
        "secret.stripe.startsWith('a')",
        "secret.stripe.matches('a')",
        "size(secret.stripe)",
        "toJson(secret)",
        "string(secret.stripe)",
        "[secret.stripe][0]",
        "{'k': secret.stripe}.k",
        "secret.map(k, k)",
        "[1].map(x, secret.stripe)",
        "(entity.paid ? secret.stripe : 'x') + 'y'",
        "coalesce(secret.stripe, 'x') + 'y'",
        "entity[secret.stripe]",
        "secret.stripe ? 1 : 2",
    ] {
        let found = compile(source, &with_secret()).unwrap_err();
        assert!(found.contains("EXPR016"), "{source}: {found}");
    }
    let mixed = Mapping::text("Bearer ${ secret.stripe }", &with_secret()).unwrap_err();
    assert_eq!(mixed[0].code, "EXPR016");
}
