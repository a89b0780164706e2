//! Numbers from the door through entity, expressions and the journal to the answer: exact, or refused.

use axum::body::Body;
use http::Method;
use serde_json::{Value, json};

use crate::fixture::{House, request};

const ACTS: &str = "/v1/conversations/conv_1/acts";

/// Numbers that are kept in the form in which they are written: no zero too many.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A number of so many digits, the point anywhere among them or nowhere.
    fn number(&mut self, digits: u64) -> String {
        let mut text: String = (0..digits).map(|_| char::from(b'1' + self.roll(9) as u8)).collect();
        let point = self.roll(digits + 1) as usize;
        if (1..text.len()).contains(&point) {
            text.insert(point, '.');
        }
        if self.roll(3) == 0 { format!("-{text}") } else { text }
    }
}

async fn said(house: &House, number: usize, value: &str) -> crate::fixture::Answer {
    let act = format!(
        r#"{{"id":"act_f{number}","timestamp":"2026-01-01T00:00:00Z","speaker":"local","type":"fact",
             "entity":"order_{number}","field":"v","value":[{value}]}}"#
    );
    house.send(request(Method::POST, ACTS, &[("content-type", "application/json")], Body::from(act))).await
}

#[tokio::test]
async fn a_number_is_answered_with_the_digits_it_came_with() {
    let house = House::running(&json!({
        "on": {"commit": {"system": "order_management", "action": "create"}},
        "do": [{"set": {"v": "${ entity.v[0] }", "sum": "${ sum(entity.v) - 0 }", "text": "${ entity.v[0] }/day"}}],
        "result": {"v": "${ vars.v }", "sum": "${ vars.sum }", "text": "${ vars.text }"},
    }))
    .await;
    let seed = std::env::var("NUMBERS_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20);
    println!("replay: NUMBERS_SEED={seed} cargo test -p gate numbers::");
    let mut dice = Dice(seed);
    for number in 0..60 {
        let digits = 1 + dice.roll(28);
        let value = dice.number(digits);
        assert_eq!(said(&house, number, &value).await.status, 200, "{value}");
        let commit = json!({
            "id": format!("act_c{number}"), "timestamp": "2026-01-01T00:00:01Z", "speaker": "local", "type": "commit",
            "entity": format!("order_{number}"), "action": "create", "system": "order-management",
        });
        let answer = house.post_with(ACTS, &[("prefer", "wait=20")], &commit).await;
        let result = &answer.json["integrations"][0]["result"];
        assert_eq!(result["v"].to_string(), value, "{}", answer.text);
        assert_eq!(result["sum"].to_string(), value, "{}", answer.text);
        assert_eq!(result["text"], format!("{value}/day"));
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_where_it_stands() {
    let house = House::open().await;
    let mut dice = Dice(7);
    let mut values: Vec<String> = (29..60).map(|digits| dice.number(digits)).collect();
    values.extend(["1e999".to_owned(), "-1e-999".to_owned()]);
    for value in values {
        let answer = said(&house, 1, &value).await;
        assert_eq!(
            (answer.status, &answer.json["errors"][0]["pointer"]),
            (400, &json!("/value/0")),
            "{}",
            answer.text
        );
        assert_eq!(answer.json["errors"][0]["code"], "json.number");
    }
    for body in [r#"{"input":{"a":1,"a":2}}"#, r#"{"$serde_json::private::Number":"1"}"#, r#"{"a":"\ud800"}"#]
    {
        let headers = [("content-type", "application/json")];
        let answer = house.send(request(Method::POST, "/v1/conversations", &headers, Body::from(body))).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    assert_eq!(house.entity("conv_1", "order_1").await, Value::Null);
}
