//! What each system does when nobody interferes.

use serde_json::{Value, json};

use crate::town::Town;

#[tokio::test]
async fn stock_is_promised_and_given_back() {
    let town = Town::start().await;
    town.call("PUT", "/inventory/products/pizza", json!({ "on_hand": 5 })).await;
    let order = json!({ "product": "pizza", "quantity": 3, "order": "o-1" });
    let (status, made) = town.call("POST", "/inventory/reservations", order.clone()).await;
    assert_eq!((status, &made["status"]), (201, &json!("reserved")));
    let (status, refused) = town.call("POST", "/inventory/reservations", order).await;
    assert_eq!((status, &refused["title"]), (409, &json!("insufficient stock")));
    let path = format!("/inventory/reservations/{}", made["id"].as_str().unwrap());
    assert_eq!(town.call("DELETE", &path, Value::Null).await, (204, Value::Null));
    assert_eq!(town.call("DELETE", &path, Value::Null).await, (204, Value::Null));
    assert_eq!(town.effects("inventory", "release"), 1);
    let (_, seen) = town.call("GET", "/inventory/products/pizza/availability?quantity=5", Value::Null).await;
    let expected =
        json!({ "id": "pizza", "on_hand": 5, "reserved": 0, "available": 5, "is_available": true });
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn money_keeps_its_digits_and_is_given_back_once() {
    let town = Town::start().await;
    let pay = json!({ "amount": "34.50", "currency": "EUR", "method": "card", "order": "o-1" });
    let (status, charge) = town.call("POST", "/payments/charges", pay).await;
    assert_eq!((status, &charge["amount"], &charge["status"]), (201, &json!("34.50"), &json!("captured")));
    let refund = json!({ "charge": charge["id"] });
    let (status, made) = town.call("POST", "/payments/refunds", refund.clone()).await;
    assert_eq!((status, &made["amount"]), (201, &json!("34.50")));
    assert_eq!(town.call("POST", "/payments/refunds", refund).await.0, 409);
    let path = format!("/payments/charges/{}", charge["id"].as_str().unwrap());
    assert_eq!(town.call("GET", &path, Value::Null).await.1["status"], "refunded");
}

#[tokio::test]
async fn orders_are_made_once_changed_and_cancelled() {
    let town = Town::start().await;
    let (status, made) = town.call("POST", "/orders/orders", json!({ "id": "o-1", "items": [1] })).await;
    assert_eq!((status, made), (201, json!({ "id": "o-1", "items": [1], "status": "confirmed" })));
    assert_eq!(town.call("POST", "/orders/orders", json!({ "id": "o-1" })).await.0, 409);
    assert_eq!(
        town.call("PATCH", "/orders/orders/o-1", json!({ "status": "paid" })).await.1["status"],
        "paid"
    );
    assert_eq!(town.call("POST", "/orders/orders/o-1/cancel", Value::Null).await.1["status"], "cancelled");
    assert_eq!(town.call("DELETE", "/orders/orders/o-1", Value::Null).await, (204, Value::Null));
    assert_eq!((town.effects("orders", "cancel"), town.effects("orders", "delete")), (1, 0));
    assert_eq!(town.call("DELETE", "/orders/orders/o-2", Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_contact_goes_back_to_what_it_was() {
    let town = Town::start().await;
    let path = "/crm/contacts/c-1";
    assert_eq!(town.call("PATCH", path, json!({ "phone": "1" })).await.0, 404);
    assert_eq!(town.call("PUT", path, json!({ "email": "a@example.org" })).await.0, 201);
    assert_eq!(town.call("PATCH", path, json!({ "phone": "1" })).await.0, 200);
    let both = json!({ "id": "c-1", "email": "a@example.org", "phone": "1" });
    assert_eq!(town.call("GET", path, Value::Null).await, (200, both));
    let first = json!({ "id": "c-1", "email": "a@example.org" });
    assert_eq!(town.call("POST", "/crm/contacts/c-1/revert", Value::Null).await, (200, first));
    assert_eq!(town.call("POST", "/crm/contacts/c-1/revert", Value::Null).await.0, 204);
    assert_eq!(town.call("GET", path, Value::Null).await.0, 404);
}

#[tokio::test]
async fn mail_is_handed_over() {
    let town = Town::start().await;
    let mail = json!({ "to": "a@example.org", "template": "order-confirmed", "data": { "order": "o-1" } });
    let (status, queued) = town.call("POST", "/email/messages", mail).await;
    assert_eq!((status, &queued["status"]), (202, &json!("queued")));
    assert_eq!(town.call("POST", "/email/messages", json!({ "to": "nobody", "template": "x" })).await.0, 422);
}

#[tokio::test]
async fn nonsense_gets_an_exact_answer_and_changes_nothing() {
    let town = Town::start().await;
    let before = town.sim.state();
    let cases = [
        ("GET", "/", Value::Null, 404),
        ("GET", "/warehouse/products", Value::Null, 404),
        ("GET", "/payments/charges/ch_none", Value::Null, 404),
        ("DELETE", "/payments/charges/ch_none", Value::Null, 405),
        ("POST", "/payments/charges", json!({ "amount": -1, "currency": "EUR", "method": "card" }), 422),
        ("POST", "/payments/charges", json!({ "amount": 1, "currency": "euro", "method": "card" }), 422),
        ("POST", "/payments/charges", Value::Null, 400),
        ("POST", "/inventory/reservations", json!({ "product": "pizza", "quantity": 0 }), 422),
        ("POST", "/_sim/payments/behave", json!({ "slwo": 1 }), 422),
        ("POST", "/_sim/payments/behave", json!({}), 422),
        ("POST", "/_sim/nobody/behave", json!({ "slow": 1 }), 422),
    ];
    for (verb, path, body, status) in cases {
        assert_eq!(town.call(verb, path, body.clone()).await.0, status, "{verb} {path} {body}");
    }
    let large = json!({ "to": "a@example.org", "template": "x".repeat(300_000) });
    assert_eq!(town.call("POST", "/email/messages", large).await.0, 413);
    assert_eq!(town.sim.state(), before);
}
