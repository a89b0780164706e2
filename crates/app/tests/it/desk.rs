//! What people at the desk see: what waits for them, what settles it, and who has settled what.

use serde_json::{Value, json};

use crate::scene::Scene;

/// A charge that nobody can repeat has landed, and its answer is lost; the run that waits.
async fn lost() -> (Scene, String) {
    let keyed = "/charges, repeat: keyed";
    let scene = Scene::with(|text| text.replace(keyed, &keyed.replace("keyed", "never"))).await;
    scene.fill().await;
    scene.behave("payments", &json!({ "operation": "charge", "drop": "after" })).await;
    let run = scene.ordered("order_1").await;
    scene.run_waits_for(&run, "outcome_unknown").await;
    (scene, run)
}

/// The words of a printed command, without `cardan`; `…` first stands for the output, then for the reason.
fn words(command: &str, output: &str, reason: &str) -> Vec<String> {
    let filled = command.replacen("'…'", output, 1).replacen("'…'", reason, 1);
    filled.split(' ').skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn an_unknown_outcome_is_in_the_inbox_until_its_command_has_settled_it() {
    let (scene, run) = lost().await;
    let page = scene.json(&["inbox", "--json"]).await;
    let [entry] = &page["inbox"].as_array().unwrap()[..] else { panic!("{page}") };
    let place: Vec<&Value> = ["what", "run", "step", "system", "operation"].map(|name| &entry[name]).into();
    assert_eq!(place, ["unknown", &run, "charge", "payments", "charge"]);
    let printed = scene.cardan(&["inbox"]).await;
    let command = format!("cardan flow settle {run} charge --landed '…' --reason '…'");
    assert!(printed.done().contains(&format!("  settle   {command}\n")), "{}", printed.out);

    let words = words(&command, r#"{"id":"ch_1"}"#, "seen-in-the-ledger");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    scene.cardan(&words).await.done();
    scene.run_is(&run, "succeeded").await;
    assert_eq!(scene.cardan(&["inbox"]).await.done(), "nothing waits for a person\n");
    assert_eq!(scene.effects("payments").await["effects"]["charge"], 1, "it is not sent again");
    let shown = scene.cardan(&["flow", "show", &run]).await;
    let settled = "settled by local: seen-in-the-ledger\n";
    assert!(shown.done().contains(settled), "{}", shown.out);
}
