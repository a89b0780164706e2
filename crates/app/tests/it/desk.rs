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

    let ledger = scene.json(&["effects", "--json", "--run", &run]).await;
    let effects = ledger["effects"].as_array().unwrap();
    let charge =
        effects.iter().find(|effect| effect["step"] == "charge").unwrap_or_else(|| panic!("{ledger}"));
    assert_eq!(
        (&charge["outcome"], &charge["known_by"], &charge["undo"]),
        (&json!("landed"), &json!("person"), &Value::Null)
    );
    assert_eq!(charge["settled"], json!({ "by": "local", "reason": "seen-in-the-ledger" }));
    // The first thing that was asked filled the shelves.
    let keys = scene.ledger("inventory").await;
    let reserved = effects.iter().find(|effect| effect["step"] == "reserve[0]");
    let reserved = reserved.unwrap_or_else(|| panic!("{ledger}"));
    assert_eq!((&reserved["key"], &reserved["known_by"]), (&keys[1]["key"], &json!("answer")));
    let rows = scene.rows(&["effects", "--entity", "order_1", "--system", "payments"]).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let told = [&rows[0][0], &rows[0][1], &rows[0][3], &rows[0][4]];
    assert_eq!(told, [&format!("{run}/charge"), "payments.charge", "landed", "local: seen-in-the-ledger"]);
    assert_eq!(scene.cardan(&["effects", "--entity", "order_2"]).await.done(), "no effects\n");
}

/// What was undone keeps the key that it was sent under.
#[tokio::test]
async fn an_undone_effect_is_in_the_ledger_with_both_of_its_keys() {
    let scene = Scene::open().await;
    scene.fill().await;
    scene.behave("payments", &json!({ "operation": "charge", "refuse": "no money" })).await;
    let run = scene.ordered("order_1").await;
    scene.run_is(&run, "compensated").await;
    let effects = scene.json(&["effects", "--json", "--run", &run]).await["effects"].clone();
    let of = |step: &str| effects.as_array().unwrap().iter().find(|effect| effect["step"] == step).cloned();
    let (charge, reserved) = (of("charge").unwrap(), of("reserve[0]").unwrap());
    assert_eq!((&charge["outcome"], &charge["undo"]), (&json!("did_not_land"), &Value::Null), "{charge}");
    assert_eq!((&reserved["outcome"], &reserved["undo"]["state"]), (&json!("landed"), &json!("undone")));
    let keys: Vec<Value> = scene.ledger("inventory").await.iter().map(|asked| asked["key"].clone()).collect();
    assert_eq!(reserved["key"], keys[1], "{reserved} {keys:?}");
}

/// The run is undone, the refund lands and its answer is lost: nobody says that it could not be undone, and it is not sent twice.
#[tokio::test]
async fn an_undoing_of_which_nobody_knows_is_in_the_inbox_until_its_command_has_settled_it() {
    let keyed = "/refunds, repeat: keyed";
    let scene = Scene::with(|text| {
        assert!(text.contains(keyed), "{text}");
        text.replace(keyed, &keyed.replace("keyed", "never"))
    })
    .await;
    scene.fill().await;
    let run = scene.ordered("order_1").await;
    scene.run_is(&run, "succeeded").await;
    scene.behave("payments", &json!({ "operation": "refund", "drop": "after" })).await;
    scene.cardan(&["flow", "undo", &run]).await.done();
    scene.run_is(&run, "parked").await;
    let page = scene.json(&["inbox", "--json"]).await;
    let [entry] = &page["inbox"].as_array().unwrap()[..] else { panic!("{page}") };
    let place: Vec<&Value> = ["what", "run", "step", "operation"].map(|name| &entry[name]).into();
    assert_eq!(place, ["unknown", &run, "charge/undo", "refund"], "{entry}");
    let commands: Vec<&str> =
        entry["commands"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let [landed, not, again] = commands[..] else { panic!("{entry}") };
    assert!(
        landed.contains(" charge/undo --landed ") && not.contains(" charge/undo --did-not-land "),
        "{entry}"
    );
    let replay = again.strip_suffix(" --send-again --reason '…'").unwrap();
    let refused = scene.cardan(&words(replay, "", "").iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert!(refused.err.contains("nobody knows whether `charge/undo` landed"), "{}", refused.err);
    let shown = scene.cardan(&["flow", "show", &run]).await;
    assert!(shown.done().contains("nobody knows whether charge/undo landed"), "{}", shown.out);

    let words = words(landed, "{}", "seen-in-the-ledger");
    scene.cardan(&words.iter().map(String::as_str).collect::<Vec<_>>()).await.done();
    scene.run_is(&run, "compensated").await;
    assert_eq!(scene.effects("payments").await["effects"]["refund"], 1, "it is not sent again");
    assert_eq!(scene.cardan(&["inbox"]).await.done(), "nothing waits for a person\n");
}
