//! What keeps a server from starting, beside its store: told in exact words, and nothing is left behind.

use std::net::TcpListener;
use std::path::Path;

use expect_test::{Expect, expect};

use crate::cardan::{Cardan, Ended};
use crate::scene::pizza;

/// Serves `text` from an empty folder, where nothing else may be found afterwards.
async fn serve(text: &str, environment: &[(&str, &str)]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardan.yaml"), text).unwrap();
    let mut command = Cardan::new(folder.path(), &["serve"]);
    for (variable, value) in environment {
        command = command.env(variable, value);
    }
    let ended = command.end().await;
    assert_eq!(names(folder.path()), ["cardan.yaml"], "something was left behind");
    ended
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_busy_port_is_refused() {
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    let ended = serve(&pizza(port, 1), &[]).await;
    ended.refused_where(
        |text| text.replace(&port.to_string(), "PORT"),
        &expect![[r#"
        cardan: listening on 127.0.0.1:PORT: Address already in use (os error 98)
          another program listens there: stop it, or change `listen` in cardan.yaml
    "#]],
    );
}

#[tokio::test]
async fn a_missing_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Cardan::new(folder.path(), &["serve", "nowhere.yaml"]).end().await.refused(&expect![[r#"
        cardan: nowhere.yaml: error[CFG114]: reading it: No such file or directory (os error 2)
    "#]]);
    assert!(names(folder.path()).is_empty());
}

#[tokio::test]
async fn a_configuration_that_is_no_text_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardan.yaml"), b"cardan: 1\nstore: \xff\xfe\n").unwrap();
    Cardan::new(folder.path(), &["serve"]).end().await.refused(&expect![[r#"
        cardan: cardan.yaml: error[CFG114]: reading it: it is not valid UTF-8 text
    "#]]);
}

#[tokio::test]
async fn a_folder_without_configuration_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Cardan::new(folder.path(), &["serve", "."]).end().await.refused(&expect![[r#"
        cardan: .: error[CFG114]: no file in this directory starts with `cardan: 1`
          help: make a cardan.yaml
    "#]]);
}

/// Two mistakes, each with its place: file, line, column, excerpt, nearest right name.
const WRONG: [(&str, &str); 2] =
    [("call: payments.charge", "call: payment.charge"), ("entities:", "entitys:")];

fn wrong() -> String {
    WRONG.iter().fold(pizza(0, 1), |text, (right, wrong)| text.replace(right, wrong))
}

#[tokio::test]
async fn an_invalid_configuration_is_refused_with_every_mistake() {
    serve(&wrong(), &[]).await.refused(&expect![[r#"
        cardan: cardan.yaml:42:1: error[CFG010]: unknown key `entitys`
           |
        42 | entitys:
           | ^^^^^^^
          help: did you mean `entities`?
          help: allowed here: `cardan`, `store`, `listen`, `auth`, `limits`, `validation`, `operators`, `metrics`, `telemetry`, `secrets`, `limit_stores`, `profiles`, `systems`, `entities`, `derive`, `aliases` or `flows`

        cardan.yaml:70:17: error[FLOW004]: unknown system `payment`
           |
        70 |           call: payment.charge
           |                 ^^^^^^^^^^^^^^
          help: did you mean `payments`?
    "#]]);
}

#[tokio::test]
async fn checking_tells_the_same_and_answers_no() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardan.yaml"), wrong()).unwrap();
    let ended = Cardan::new(folder.path(), &["check"]).end().await;
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    expect![[r#"
        cardan.yaml:42:1: error[CFG010]: unknown key `entitys`
           |
        42 | entitys:
           | ^^^^^^^
          help: did you mean `entities`?
          help: allowed here: `cardan`, `store`, `listen`, `auth`, `limits`, `validation`, `operators`, `metrics`, `telemetry`, `secrets`, `limit_stores`, `profiles`, `systems`, `entities`, `derive`, `aliases` or `flows`

        cardan.yaml:70:17: error[FLOW004]: unknown system `payment`
           |
        70 |           call: payment.charge
           |                 ^^^^^^^^^^^^^^
          help: did you mean `payments`?

        cardan.yaml: 2 errors, 0 warnings
    "#]].assert_eq(&ended.out);
    let ended = Cardan::new(folder.path(), &["check", "--json"]).end().await;
    let report: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (ended.code, &report["valid"], report["diagnostics"].as_array().unwrap().len()),
        (1, &false.into(), 2)
    );
}

/// A key that a flow does not have does not hide what is wrong with its expressions.
#[tokio::test]
async fn checking_tells_every_mistake_of_a_flow_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let text = pizza(0, 1)
        .replace("    sla: 3s\n", "    slo: 3s\n")
        .replace("amount: \"${ entity.total_amount }\"", "amount: \"${ entity.total_amount + }\"")
        .replace("${ steps.charge.id }", "${ steps.chrage.id }");
    std::fs::write(folder.path().join("cardan.yaml"), text).unwrap();
    let ended = Cardan::new(folder.path(), &["check"]).end().await;
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    expect![[r#"
        cardan.yaml:52:5: error[CFG010]: unknown key `slo`
           |
        52 |     slo: 3s
           |     ^^^
          help: did you mean `sla`?
          help: allowed here: `do`, `on`, `key`, `once`, `busy`, `sla`, `result`, `on_exhausted`, `on_fault`, `recursion`, `template` or `doc`

        cardan.yaml:71:53: error[EXPR001]: the expression ends too early
           |
        71 |           with: { amount: "${ entity.total_amount + }", currency: EUR, method: "${ entity.payment_method }", order: "${ entity.id }" }
           |                                                     ^

        cardan.yaml:77:32: error[EXPR004]: there is no field `chrage`
           |
        77 |       transaction_id: ${ steps.chrage.id }
           |                                ^^^^^^
          help: did you mean `charge`?

        cardan.yaml: 3 errors, 0 warnings
    "#]].assert_eq(&ended.out);
}

#[tokio::test]
async fn checking_what_is_right_answers_yes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("cardan.yaml"), pizza(0, 1)).unwrap();
    let ended = Cardan::new(folder.path(), &["check"]).end().await;
    expect![[r#"
        cardan.yaml: valid: 5 systems, 1 flow and 0 warnings
    "#]]
    .assert_eq(ended.done());
    assert_eq!(names(folder.path()), ["cardan.yaml"]);
}

#[tokio::test]
async fn checking_what_is_not_there_answers_no() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Cardan::new(folder.path(), &["check", "nowhere.yaml"]).end().await;
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    expect![[r#"
        nowhere.yaml: error[CFG114]: reading it: No such file or directory (os error 2)

        nowhere.yaml: 1 error, 0 warnings
    "#]]
    .assert_eq(&ended.out);
}

/// The example with bearer tokens, signed with a secret from the environment.
fn signed(listen: &str) -> String {
    let auth = "secrets: { signing: { env: CARDAN_TEST_SIGNING } }\n\
                auth: { jwt: { secret: { secret: signing }, algorithms: [HS256] } }\n";
    pizza(0, 1).replace("127.0.0.1:0", listen) + auth
}

async fn refused(text: &str, environment: &[(&str, &str)], expected: Expect) {
    serve(text, environment).await.refused(&expected);
}

#[tokio::test]
async fn a_missing_secret_is_refused_by_its_name() {
    refused(
        &signed("127.0.0.1:0"),
        &[],
        expect![[r#"
        cardan: error[CFG115]: the secret `signing` cannot be had: the variable CARDAN_TEST_SIGNING is not set
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_empty_secret_is_refused() {
    refused(
        &signed("127.0.0.1:0"),
        &[("CARDAN_TEST_SIGNING", "")],
        expect![[r#"
        cardan: error[CFG115]: the secret `signing` cannot be had: the variable CARDAN_TEST_SIGNING is empty
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_signing_secret_that_is_too_short_is_refused_and_not_shown() {
    let ended = serve(&signed("127.0.0.1:0"), &[("CARDAN_TEST_SIGNING", "hunter2-hunter2")]).await;
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    ended.refused(&expect![[r#"
        cardan: reading auth.jwt: shared secret has 15 bytes, expected 32 or more
    "#]]);
}

#[tokio::test]
async fn a_secret_that_is_no_address_of_a_limit_store_is_refused_and_not_shown() {
    let stores = "secrets: { there: { env: CARDAN_TEST_REDIS } }\n\
                  limit_stores: { common: { redis: { url: { secret: there } } } }\n";
    let limit = "limit: { shared: { store: common, fallback: open } }";
    let text =
        pizza(0, 1).replace("profile: erpSystem", &format!("profile: erpSystem\n    guard: {{ {limit} }}"));
    let ended = serve(&(text + stores), &[("CARDAN_TEST_REDIS", "http://:hunter2@127.0.0.1")]).await;
    ended.refused(&expect![[r#"
        cardan: opening the limit store common: reading a Redis URL: it should look like redis://host:6379/0
    "#]]);
}

#[tokio::test]
async fn listening_to_others_without_asking_who_they_are_is_refused() {
    refused(&pizza(0, 1).replace("listen: 127.0.0.1:0", "listen: 0.0.0.0:8080"), &[], expect![[r#"
        cardan: cardan.yaml:4:9: error[CFG103]: 0.0.0.0:8080 can be reached by others, and nobody is asked who they are
          |
        4 | listen: 0.0.0.0:8080
          |         ^^^^^^^^^^^^
          help: add an `auth:` section
          help: or listen at 127.0.0.1:8080
    "#]]).await;
}

#[tokio::test]
async fn simulated_systems_listen_on_loopback_only() {
    let ended = Cardan::new(Path::new("/"), &["simulate", "--listen", "0.0.0.0:7101"]).end().await;
    ended.refused(&expect![[r#"
        cardan: 0.0.0.0:7101 is no loopback address: simulated systems ask nobody who they are
    "#]]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_by_its_address() {
    let ended = Cardan::new(Path::new("/"), &["flow", "list", "--url", "http://127.0.0.1:1"]).end().await;
    ended.refused(&expect![[r#"
        cardan: talking to http://127.0.0.1:1: nothing listens there
          start one with `cardan serve`, or name another with --url
    "#]]);
}
