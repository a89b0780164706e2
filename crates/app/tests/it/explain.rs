//! `cardan explain`: what a call of the example costs at worst.

use std::path::Path;

use expect_test::{Expect, expect, expect_file};

use crate::cardan::{Cardan, Ended};
use crate::scene::example;

async fn explain(call: &str) -> Ended {
    let config = example("cardan.yaml");
    Cardan::new(config.parent().unwrap(), &["explain", call]).end().await
}

async fn refused(call: &str, expected: Expect) {
    explain(call).await.refused(&expected);
}

#[tokio::test]
async fn a_call_is_explained_number_by_number() {
    let ended = explain("inventory.reserve").await;
    let text: Vec<&str> = ended.done().lines().map(str::trim_end).collect();
    expect_file!["../data/explain/inventory.reserve.txt"].assert_eq(&(text.join("\n") + "\n"));
}

/// Explains a call of one of the configurations in `tests/data/explain`, whose golden text lies beside it.
async fn explains(config: &str, call: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/explain");
    let config = folder.join(config);
    let ended = Cardan::new(&folder, &["explain", call, "--config", config.to_str().unwrap()]).end().await;
    let text: Vec<&str> = ended.done().lines().map(str::trim_end).collect();
    expect_file![folder.join(format!("{call}.txt"))].assert_eq(&(text.join("\n") + "\n"));
}

#[tokio::test]
async fn a_shared_limit_is_explained_with_its_store_and_fallback() {
    explains("shared.yaml", "crm.read").await;
}

#[tokio::test]
async fn a_group_is_explained_with_its_order_and_each_member() {
    explains("group.yaml", "payments.charge").await;
}

#[tokio::test]
async fn a_collected_call_is_explained_with_the_one_it_is_sent_as() {
    explains("batch.yaml", "crm.upsert").await;
}

#[tokio::test]
async fn an_unknown_operation_is_refused_with_the_nearest() {
    refused(
        "inventory.reserv",
        expect![[r#"
        cardan: explaining inventory.reserv: inventory has no operation `reserv`
          did you mean `reserve`?
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_operation_like_none_is_refused_with_all_there_are() {
    refused(
        "inventory.teleport",
        expect![[r#"
        cardan: explaining inventory.teleport: inventory has no operation `teleport`
          there is `release` and `reserve`
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_system_is_refused_with_the_nearest() {
    refused(
        "inventroy.reserve",
        expect![[r#"
        cardan: explaining inventroy.reserve: there is no system `inventroy`
          did you mean `inventory`?
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_name_without_operation_is_refused() {
    refused(
        "inventory",
        expect![[r#"
        cardan: explaining inventory: write it as SYSTEM.OPERATION
    "#]],
    )
    .await;
}

#[tokio::test]
async fn without_a_configuration_nothing_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let ended = Cardan::new(folder.path(), &["explain", "inventory.reserve"]).end().await;
    ended.refused(&expect![[r#"
        cardan: cardan.yaml: error[CFG114]: reading it: No such file or directory (os error 2)
    "#]]);
}
