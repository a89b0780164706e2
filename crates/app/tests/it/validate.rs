//! `cardan validate` and `cardan schema`: documents judged line by line, and the schema for editors.

use std::path::{Path, PathBuf};

use expect_test::expect;
use serde_json::Value;

use crate::cardan::{Cardan, Ended};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../act/tests/data/astra-vectors.jsonl")
}

async fn validate(arguments: &[&str], input: &str) -> Ended {
    let arguments = [&["validate"], arguments].concat();
    Cardan::new(Path::new("/"), &arguments).input(input).end().await
}

/// Verdict and pointers of each printed line.
fn verdicts(ended: &Ended) -> Vec<(bool, Vec<String>)> {
    let pointer = |error: &Value| error["pointer"].as_str().unwrap().to_owned();
    let verdict = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["valid"].as_bool().unwrap(), line["errors"].as_array().unwrap().iter().map(pointer).collect())
    };
    ended.out.lines().map(verdict).collect()
}

#[tokio::test]
async fn every_vector_gets_its_verdict_and_its_pointer() {
    let path = vectors();
    let ended = validate(&[path.to_str().unwrap()], "").await;
    assert_eq!((ended.code, ended.err.as_str()), (1, ""));
    let text = std::fs::read_to_string(&path).unwrap();
    let expected = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let verdicts = verdicts(&ended);
    assert_eq!(verdicts.len(), text.lines().count());
    for (verdict, vector) in verdicts.into_iter().zip(expected) {
        let pointers = vector["error_at"].as_str().map(str::to_owned).into_iter().collect();
        assert_eq!(
            verdict,
            (vector["valid"].as_bool().unwrap(), pointers),
            "{}: {}",
            vector["name"],
            vector["why"]
        );
    }
}

#[tokio::test]
async fn when_all_are_valid_the_answer_is_yes() {
    let text = std::fs::read_to_string(vectors()).unwrap();
    let right: Vec<&str> = text.lines().filter(|line| line.contains(r#""valid": true"#)).collect();
    assert!(right.len() > 50, "{} valid vectors", right.len());
    for arguments in [&["-"][..], &[]] {
        let ended = validate(arguments, &right.join("\n")).await;
        assert_eq!(ended.done(), "{\"valid\":true,\"errors\":[]}\n".repeat(right.len()));
    }
}

const FACT: &str = r#"{"kind":"act","value":{"id":"act_1","timestamp":"2025-03-04T09:15:00Z","speaker":"ada","type":"fact","entity":"order_1","field":"total","value":1,"surprise":true,"metadata":null}}"#;

#[tokio::test]
async fn a_mistake_is_told_with_pointer_code_and_message() {
    let ended = validate(&["-"], FACT).await;
    assert_eq!(ended.code, 1);
    expect![[r#"
        {"valid":false,"errors":[{"pointer":"/metadata","code":"act.type","message":"expected an object, found null"},{"pointer":"/surprise","code":"act.unexpected","message":"expected no member of this name"}]}
    "#]].assert_eq(&ended.out);
}

#[tokio::test]
async fn compat_takes_what_older_libraries_emit() {
    assert_eq!(validate(&["--compat"], FACT).await.done(), "{\"valid\":true,\"errors\":[]}\n");
}

#[tokio::test]
async fn what_is_no_document_is_told_line_by_line() {
    let ended = validate(&["-"], "{\n[]\n\n{\"kind\":\"deed\",\"value\":{}}\n{\"kind\":\"act\"}\n").await;
    assert_eq!(ended.code, 1);
    expect![[r#"
        {"valid":false,"errors":[{"pointer":"","code":"json.syntax","message":"expected one JSON document: EOF while parsing an object at line 2 column 0"}]}
        {"valid":false,"errors":[{"pointer":"","code":"line.shape","message":"expected an object with kind and value"}]}
        {"valid":false,"errors":[{"pointer":"","code":"line.kind","message":"expected a kind: one of act, conversation, constraint, entity, participant"}]}
        {"valid":false,"errors":[{"pointer":"","code":"line.value","message":"expected a value"}]}
    "#]].assert_eq(&ended.out);
}

#[tokio::test]
async fn a_file_that_is_not_there_cannot_be_judged() {
    validate(&["/nowhere/acts.jsonl"], "").await.refused(&expect![[r#"
        cardan: opening /nowhere/acts.jsonl: No such file or directory (os error 2)
    "#]]);
}

#[tokio::test]
async fn the_schema_is_json_schema() {
    let ended = Cardan::new(Path::new("/"), &["schema"]).end().await;
    let schema: Value = serde_json::from_str(ended.done()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let sections = schema["properties"].as_object().unwrap();
    for section in ["cardan", "store", "systems", "entities", "flows"] {
        assert!(sections.contains_key(section), "no {section}");
    }
}
