//! What an act writes is bounded by what it says (R13), and what is read is all that was said.

use gate::{Auth, Limits};
use serde_json::{Map, Value, json};
use store::Store;

use crate::fixture::House;

const ACTS: &str = "/v1/conversations/conv_1/acts";

fn operate(number: usize, entity: &str, field: &str, operation: &str, value: &Value) -> Value {
    json!({
        "id": format!("act_{number}"), "timestamp": "2026-01-01T00:00:00Z", "speaker": "ada", "type": "fact",
        "entity": entity, "field": field, "operation": operation, "value": value,
    })
}

/// Bytes of everything that the store holds of a conversation.
async fn bytes(store: &Store) -> usize {
    let log = store.log(0, 0).await.unwrap();
    let rows = store.states("entity", "", None, 0).await.unwrap();
    let own = store.states("conversation", "", None, 0).await.unwrap();
    let rows = rows.iter().chain(&own).map(|row| row.data.len());
    log.iter().map(|event| event.data.len()).chain(rows).sum()
}

#[tokio::test]
async fn two_hundred_bytes_for_a_megabyte_write_no_megabytes() {
    let house = House::open().await;
    let long = Value::from("x".repeat(1_000_000));
    assert_eq!(house.post(ACTS, &operate(0, "order_1", "text", "set", &long)).await.status, 200);
    let before = bytes(&house.store).await;
    for number in 1..=200 {
        let answer = house.post(ACTS, &operate(number, "order_1", "text", "append", &"y".into())).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let grown = bytes(&house.store).await - before;
    assert!(grown < 200_000, "{grown} bytes for 200 of them");
    let row = &house.store.states("entity", "", None, 0).await.unwrap()[0];
    assert!(row.data.len() < 1_000_200, "the row was written again");
    assert_eq!(house.entity("conv_1", "order_1").await["text"].as_str().unwrap().len(), 1_000_200);
}

/// Whatever was written last, the rows or only events: who reads, and who opens the store again, sees the same.
#[tokio::test]
async fn rows_and_what_came_after_them_are_all_that_was_said() {
    let store = Store::temporary().unwrap();
    let mut dice = fastrand::Rng::with_seed(7);
    let mut model: Map<String, Value> = Map::new();
    for round in 0..12 {
        let house = House::over(store.clone(), Auth::Loopback, Limits::default()).await;
        for number in 0..40 {
            let entity = format!("order_{}", dice.usize(..5));
            let (field, operation, value) = match dice.u8(..5) {
                0 => ("text", "set", Value::from("x".repeat(dice.usize(..3000)))),
                1 => ("list", "append", json!({ "n": number })),
                2 => ("total", "increment", json!(dice.u8(..))),
                3 => ("object", "merge", json!({ (number % 7).to_string(): number })),
                _ => ("list", "delete", Value::Null),
            };
            let act = operate(round * 100 + number, &entity, field, operation, &value);
            let answer = house.post(ACTS, &act).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            let known = model.entry(entity).or_insert_with(|| json!({})).as_object_mut().unwrap();
            let operation = act::Word::parse(operation).unwrap();
            match act::apply(known.get(field), operation, &value).unwrap() {
                Some(value) => drop(known.insert(field.to_owned(), value)),
                None => drop(known.remove(field)),
            }
        }
        for (entity, fields) in &model {
            assert_eq!(&house.entity("conv_1", entity).await, fields, "{entity} in round {round}");
        }
        let all = house.get("/v1/conversations/conv_1/entities").await.json;
        let listed: Vec<_> =
            all["entities"].as_array().unwrap().iter().map(|one| one["fields"].clone()).collect();
        assert_eq!(listed, model.values().cloned().collect::<Vec<_>>());
        let header = house.get("/v1/conversations/conv_1").await.json;
        assert_eq!(header["metadata"]["act_count"], (round + 1) * 40);
    }
}

/// Acts that belong together and are more than a batch holds are refused together; those that stand alone are taken in
/// as many batches as they need.
#[tokio::test]
async fn more_than_a_batch_holds_is_refused_or_taken_in_parts() {
    let house = House::with(|limits| limits.body = 64 << 20).await;
    let long = Value::from("x".repeat(100_000));
    let act = |number: usize| operate(number, &format!("order_{number}"), "text", "set", &long);
    let acts: Vec<Value> = (0..200).map(act).collect();
    let lines: String = acts.iter().map(|act| format!("{act}\n")).collect();
    let answer = house.post(ACTS, &acts.into()).await;
    assert_eq!((answer.status, &answer.json["code"]), (413, &json!("body.too_large")), "{}", answer.text);
    assert_eq!(house.lines(ACTS, &lines).await.len(), 200);
    assert_eq!(house.get("/v1/conversations/conv_1").await.json["metadata"]["act_count"], 200);
}

#[tokio::test]
async fn a_field_that_is_too_large_is_refused_with_its_place() {
    let house = House::open().await;
    let most = "x".repeat((1 << 20) - 1000);
    house.post(ACTS, &operate(1, "order_1", "text", "set", &most.as_str().into())).await;
    let answer = house.post(ACTS, &operate(2, "order_1", "text", "append", &"y".repeat(1000).into())).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    let error = &answer.json["errors"][0];
    assert_eq!((&error["code"], &error["pointer"]), (&json!("field.too_large"), &json!("/value")));
}
