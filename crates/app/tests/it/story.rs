//! The example's two stories, played against the real server and the real simulator.

use serde_json::{Value, json};

use crate::scene::{Scene, example, values};

const PIZZAS: [&str; 2] = ["diavola", "margherita"];

#[tokio::test]
async fn a_paid_order_is_done_in_every_system() {
    let scene = Scene::open().await;
    let told = scene.play(&example("paid.yaml")).await;
    assert!(told.done().contains("order_1001 in order_management"), "{}", told.out);

    let state = scene.state().await;
    let mut reserved: Vec<Value> = values(&state["inventory"]["reservations"]).into_iter().cloned().collect();
    reserved.sort_by_key(|reservation| reservation["product"].to_string());
    let reservation =
        |product| json!({ "order": "order_1001", "product": product, "quantity": 1, "status": "reserved" });
    assert_eq!(reserved, PIZZAS.map(reservation));
    let charges = values(&state["payments"]["charges"]);
    let [charge] = charges[..] else { panic!("{charges:?}") };
    assert_eq!((&charge["status"], &charge["amount"]), (&json!("captured"), &json!("23.5")));
    assert_eq!(state["orders"]["orders"]["order_1001"]["status"], "confirmed");
    let contact = json!({ "last_order": "order_1001", "billing_address": "Via Roma 12, Torino" });
    assert_eq!(state["crm"]["contacts"]["cust_ada"], contact);
    let mails = scene.mails().await;
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert_eq!((&mail["to"], &mail["template"]), (&json!("ada@example.com"), &json!("order-confirmed")));
    shown_as_done(&scene).await;
}

/// Every list of the command line knows the order.
async fn shown_as_done(scene: &Scene) {
    let runs = scene.rows(&["flow", "list"]).await;
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!(run[1..], ["create-order", "succeeded", "conv_ada", "order_1001", "-"]);
    let view = scene.json(&["flow", "show", "--json", &run[0]]).await;
    assert_eq!((&view["status"], &view["conversation"]), (&json!("succeeded"), &json!("conv_ada")));
    assert_eq!(view["result"]["reservations"].as_array().unwrap().len(), 2);
    assert_eq!(calls(&view["steps"]), ["reserve[0]", "reserve[1]", "record", "contact", "charge"]);
    let charged = view["steps"].as_array().unwrap().iter().find(|step| step["path"] == "charge").unwrap();
    assert_eq!(charged["answered"], json!({ "protocol": "http", "status": 201 }));
    let text = scene.cardan(&["flow", "show", &run[0]]).await;
    assert!(text.done().starts_with(&format!("{}  create-order  succeeded\n", run[0])), "{}", text.out);
    assert_eq!(scene.cardan(&["dead", "list"]).await.done(), "nothing is dead\n");
    let conversations = scene.rows(&["conversation", "list"]).await;
    let [conversation] = &conversations[..] else { panic!("{conversations:?}") };
    assert_eq!(conversation[..2], ["conv_ada", "active"]);
    let systems = scene.rows(&["system", "list"]).await;
    let names: Vec<&str> = systems.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["crm", "email", "inventory", "orders", "payments"]);
    let well = ["rest", "-", "-", "closed", "automatic", "0", "0"];
    assert!(systems.iter().all(|row| row[1..8] == well), "{systems:?}");
}

/// The paths of the steps that called a system.
fn calls(steps: &Value) -> Vec<&str> {
    let steps = steps.as_array().unwrap().iter();
    steps
        .filter(|step| step["attempts"] != 0 && step["task"] != "tell")
        .map(|step| step["path"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_refused_card_undoes_everything_in_reverse_order() {
    let scene = Scene::open().await;
    let told = scene.play(&example("refused.yaml")).await;
    assert!(told.done().contains("compensated"), "{}", told.out);

    let state = scene.state().await;
    let reservations = values(&state["inventory"]["reservations"]);
    assert_eq!(reservations.len(), 2);
    assert!(reservations.iter().all(|reservation| reservation["status"] == "released"), "{reservations:?}");
    let stock = values(&state["inventory"]["products"]);
    assert!(stock.iter().all(|product| product["reserved"] == 0), "{stock:?}");
    assert_eq!(state["orders"]["orders"]["order_1002"]["status"], "cancelled");
    let empty = [&state["payments"]["charges"], &state["crm"]["contacts"], &state["email"]["messages"]];
    assert_eq!(empty, [&json!({}); 3]);

    let runs = scene.rows(&["flow", "list", "--status", "compensated"]).await;
    let [run] = &runs[..] else { panic!("{runs:?}") };
    let view = scene.json(&["flow", "show", "--json", &run[0]]).await;
    assert_eq!((&view["error"]["step"], &view["error"]["status"]), (&json!("charge"), &json!(402)));
    let undone = calls(&view["compensation"]);
    assert_eq!(undone, ["contact/undo", "record/undo", "reserve[1]/undo", "reserve[0]/undo"]);
    assert_eq!(scene.cardan(&["dead", "list"]).await.done(), "nothing is dead\n");
}

#[tokio::test]
async fn a_story_that_was_played_says_how_to_play_it_again() {
    let scene = Scene::open().await;
    scene.play(&example("refused.yaml")).await.done();
    let again = scene.play(&example("refused.yaml")).await;
    assert!(again.code != 0 && again.err.contains("--conversation conv_"), "{} {}", again.out, again.err);
    let story = example("refused.yaml");
    let other = ["play", story.to_str().unwrap(), "--pace", "0", "--conversation", "conv_other"];
    let other = scene.cardan(&[&other[..], &["--systems", &scene.systems_url]].concat()).await;
    assert!(other.out.contains("reports"), "its order is there already: {} {}", other.out, other.err);
}
