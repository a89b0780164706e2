use std::collections::HashSet;

use super::{Code, Problem};

#[test]
fn codes_are_unique_and_have_an_error_status() {
    let words: HashSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(words.len(), Code::ALL.len());
    for code in Code::ALL {
        assert!((400..600).contains(&code.status()), "{}", code.as_str());
        assert!(matches!(code.status(), 429 | 503) == code.retry_after().is_some() || code.status() == 409);
    }
}

#[test]
fn an_invalid_act_speaks_both_tongues() {
    let issue = act::parse_act(b"{}", &act::Rules::strict()).unwrap_err();
    let body = Problem::invalid(Code::ActInvalid, issue.clone()).body(Some("/v1/x"));
    assert_eq!(body["type"], "urn:cardan:problem:act.invalid");
    assert_eq!(
        (body["title"].as_str(), body["error"].as_str()),
        (Some("Invalid act structure"), Some("Invalid act"))
    );
    assert_eq!(body["errors"], serde_json::json!(issue));
    assert_eq!(body["details"], body["errors"]);
    assert_eq!(body["instance"], "/v1/x");
}
