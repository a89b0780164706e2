//! A call that exhausted its attempts: its run waits, visibly; a person mends it and tries again, or lets it go.

use std::path::PathBuf;

use expect_test::expect;
use serde_json::{Value, json};

use crate::scene::{Scene, example, values};

/// The example with a payment guard that gives up soon.
async fn impatient() -> Scene {
    let guard = "guard: { retry: { max_attempts: 2, initial: 10ms }, breaker: off }";
    let profile = "  payments:\n    profile: salesSystem\n";
    let scene = Scene::with(|text| text.replace(profile, &format!("{profile}    {guard}\n"))).await;
    scene.behave("payments", &json!({ "operation": "charge", "fail": { "status": 503 } })).await;
    scene
}

/// Plays the paid order while payments are down; the run that waits, and its dead letter.
async fn stuck(scene: &Scene) -> (String, String) {
    let told = scene.play(&example("paid.yaml")).await;
    assert_eq!((told.code, told.err.as_str()), (1, ""), "{}", told.out);
    assert!(told.out.contains("gives up at"), "{}", told.out);
    let unlike = "\n  its run is paused; the story expects it to be succeeded\n";
    assert!(told.out.ends_with(unlike), "{}", told.out);
    let runs = scene.rows(&["flow", "list", "--status", "paused"]).await;
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!(run[5], "payments: nobody knows whether it landed at charge");
    let letters = scene.rows(&["dead", "list"]).await;
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter[1..4], ["payments", "charge", "call.unavailable"]);
    assert_eq!(letter[5], format!("{}/charge", run[0]));
    (run[0].clone(), letter[0].clone())
}

/// What was asked of the payments under each key.
async fn charges(scene: &Scene) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ledger = scene.ledger("payments").await;
    ledger.iter().map(|entry| (text(&entry["key"]), text(&entry["outcome"]))).collect()
}

fn file(scene: &Scene, text: &str) -> PathBuf {
    let path = scene.folder().join("input.json");
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_dead_letter_is_mended_and_replayed_under_its_first_key() {
    let scene = impatient().await;
    let (run, letter) = stuck(&scene).await;
    let shown = scene.json(&["dead", "show", &letter]).await;
    let input = json!({ "amount": 23.5, "currency": "EUR", "method": "tok_visa", "order": "order_1001" });
    assert_eq!((&shown["originalMessage"], &shown["state"]), (&input, &json!("open")));
    let key = shown["idempotencyKey"].as_str().unwrap().to_owned();
    assert_eq!(key.len(), 32);

    scene.behave("payments", &json!({ "reset": true })).await;
    let mended = file(&scene, r#"{"amount":20,"currency":"EUR","method":"tok_visa","order":"order_1001"}"#);
    let edited = scene.cardan(&["dead", "edit", &letter, "--input", mended.to_str().unwrap()]).await;
    assert_eq!(edited.done(), format!("{letter}: edited\n"));
    let replayed = scene.cardan(&["dead", "replay", &letter]).await;
    assert_eq!(replayed.done(), format!("{letter}: replayed\n"));
    scene.run_is(&run, "succeeded").await;

    let outcomes = ["prevented", "prevented", "acted"].map(|outcome| (key.clone(), outcome.to_owned()));
    assert_eq!(charges(&scene).await, outcomes);
    let state = scene.state().await;
    assert_eq!(values(&state["payments"]["charges"])[0]["amount"], "20");
    assert_eq!(state["orders"]["orders"]["order_1001"]["status"], "confirmed");
    assert_eq!(scene.mails().await.len(), 1);

    assert_eq!(scene.cardan(&["dead", "list"]).await.done(), "nothing is dead\n");
    let again = scene.cardan(&["dead", "replay", &letter]).await;
    again.refused(&expect![[r#"
        cardan: 409 dead.resolved: Dead letter was resolved already
    "#]]);
    assert_eq!(charges(&scene).await.len(), 3, "a letter is replayed once");
}

#[tokio::test]
async fn a_letter_that_dies_again_is_open_again() {
    let scene = impatient().await;
    let (run, letter) = stuck(&scene).await;
    let first = scene.json(&["dead", "show", &letter]).await;
    scene.cardan(&["dead", "replay", &letter]).await.done();
    scene.letter_is(&letter, "open").await;
    let again = scene.json(&["dead", "show", &letter]).await;
    let sent = |letter: &Value| letter["metadata"]["attempts"].as_u64().unwrap();
    assert_eq!((sent(&first), sent(&again)), (2, 4), "{again}");
    assert_eq!(again["idempotencyKey"], first["idempotencyKey"]);
    scene.run_is(&run, "paused").await;

    scene.behave("payments", &json!({ "reset": true })).await;
    scene.cardan(&["dead", "replay", &letter]).await.done();
    scene.run_is(&run, "succeeded").await;
    let outcomes: Vec<String> = charges(&scene).await.into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["prevented", "prevented", "prevented", "prevented", "acted"]);
}

#[tokio::test]
async fn a_run_goes_on_from_a_step() {
    let scene = impatient().await;
    let (run, _) = stuck(&scene).await;
    scene.behave("payments", &json!({ "reset": true })).await;
    scene.cardan(&["flow", "restart", &run, "--from", "charge"]).await.done();
    scene.run_is(&run, "succeeded").await;
    assert_eq!(values(&scene.state().await["payments"]["charges"]).len(), 1);
    assert_eq!(scene.cardan(&["dead", "list"]).await.done(), "nothing is dead\n");
}

/// Whether the payment landed is unknown: it is sent again under its key to find out, and refunded.
#[tokio::test]
async fn a_discarded_letter_leaves_its_run_to_be_cancelled() {
    let scene = impatient().await;
    let (run, letter) = stuck(&scene).await;
    let discarded = scene.cardan(&["dead", "discard", &letter]).await;
    assert_eq!(discarded.done(), format!("{letter}: discarded\n"));
    assert_eq!(scene.cardan(&["dead", "list"]).await.done(), "nothing is dead\n");
    scene.run_is(&run, "paused").await;
    let hint = format!(
        "  to go on      its dead letter was discarded: `cardan flow resume {run}` tries the step again, \
         `cardan flow cancel {run}` undoes the run\n"
    );
    let shown = scene.cardan(&["flow", "show", &run]).await;
    assert!(shown.done().contains(&hint), "{}", shown.out);

    scene.behave("payments", &json!({ "reset": true })).await;
    assert_eq!(scene.cardan(&["flow", "cancel", &run]).await.done(), format!("{run}: compensating\n"));
    scene.run_is(&run, "cancelled").await;
    let state = scene.state().await;
    let reservations = values(&state["inventory"]["reservations"]);
    assert!(reservations.iter().all(|reservation| reservation["status"] == "released"), "{reservations:?}");
    assert_eq!(state["orders"]["orders"]["order_1001"]["status"], "cancelled");
    let charges = values(&state["payments"]["charges"]);
    assert_eq!(charges.iter().map(|charge| &charge["status"]).collect::<Vec<_>>(), ["refunded"]);
    assert_eq!(state["email"]["messages"], json!({}));
}

#[tokio::test]
async fn an_unknown_letter_and_an_unreadable_input_are_refused() {
    let scene = Scene::open().await;
    let unknown = expect![[r#"
        cardan: 404 dead.unknown: No such dead letter
    "#]];
    for verb in ["show", "replay", "discard"] {
        scene.cardan(&["dead", verb, "dead_0"]).await.refused(&unknown);
    }
    let input = file(&scene, "{");
    let ended = scene.cardan(&["dead", "edit", "dead_0", "--input", input.to_str().unwrap()]).await;
    ended.refused_where(
        |text| text.replace(input.to_str().unwrap(), "INPUT"),
        &expect![[r#"
            cardan: reading INPUT: at "": expected one JSON document: EOF while parsing an object at line 1 column 1
        "#]],
    );
}
