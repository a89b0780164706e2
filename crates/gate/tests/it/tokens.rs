//! Who may do what.

use std::sync::Arc;

use gate::{Algorithm, Auth, Key, Limits, Material, Tokens};
use jsonwebtoken::{EncodingKey, Header, encode};
use port::Clock;
use serde_json::{Value, json};
use store::Store;

use crate::fixture::{House, compiled, deps_with, fact};

const SECRET: &str = "an example of a secret that is long enough";
const ACTS: &str = "/v1/conversations/conv_1/acts";

async fn house() -> House {
    House::over(Store::temporary().unwrap(), auth(), Limits::default()).await
}

/// The same with a flow.
pub(crate) async fn house_with(flow: &Value) -> House {
    let store = Store::temporary().unwrap();
    let deps = deps_with(store.clone(), auth(), Limits::default(), vec![compiled(flow)]).await;
    House { router: gate::router(deps), store, token: None }
}

fn auth() -> Auth {
    let material = Material::Secret(SECRET.to_owned().into());
    let key = Key { id: None, algorithms: vec![Algorithm::HS256], material };
    Auth::Tokens(Tokens::new(vec![key], Arc::new(port::SystemClock)).unwrap())
}

pub(crate) fn token(subject: &str, organization: &str, permissions: &[&str], lasts: i64) -> String {
    let exp = port::SystemClock.now().as_second() + lasts;
    let claims =
        json!({"sub": subject, "organization": organization, "permissions": permissions, "exp": exp});
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

pub(crate) const ALL: &[&str] = &["conversation.read", "conversation.write"];

fn said_by(speaker: &str, id: &str) -> Value {
    let mut act = fact(id, "a", json!(1));
    act["speaker"] = json!(speaker);
    act
}

#[tokio::test]
async fn without_a_valid_token_there_is_nothing() {
    let house = house().await;
    let expired = token("ada", "acme", ALL, -60);
    let forged = token("ada", "acme", ALL, 60).replace('.', ".A");
    for bearer in ["", "nonsense", &expired, &forged] {
        let answer = house.bearing(bearer).post(ACTS, &said_by("ada", "act_1")).await;
        assert_eq!((answer.status, answer.code()), (401, "auth.token"));
        assert_eq!(answer.json["title"], "Invalid token");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert!(answer.json.get("detail").is_none(), "a stranger is not told why: {}", answer.text);
    }
    assert_eq!(house.post(ACTS, &said_by("ada", "act_1")).await.status, 401);
    assert_eq!(house.head(), 0);
}

#[tokio::test]
async fn every_permission_that_is_needed_is_asked_for() {
    let house = house().await;
    let reader = house.bearing(&token("ada", "acme", &["conversation.read"], 60));
    let refused = reader.post(ACTS, &said_by("ada", "act_1")).await;
    assert_eq!((refused.status, refused.code()), (403, "auth.permission"));
    assert_eq!(refused.json["title"], "Insufficient permissions");
    for path in ["/v1/runs", "/v1/dead", "/v1/systems", "/v1/events"] {
        assert_eq!(reader.get(path).await.code(), "auth.permission", "{path}");
    }
    for path in ["/v1/runs/run_1/signals/go", "/v1/signals/go?key=k"] {
        assert_eq!(reader.post(path, &json!(1)).await.code(), "auth.permission", "{path}");
    }
    assert_eq!(house.head(), 0);
}

#[tokio::test]
async fn b21_nobody_speaks_in_anothers_name() {
    let house = house().await;
    let ada = house.bearing(&token("ada", "acme", ALL, 60));
    let refused = ada.post(ACTS, &said_by("bob", "act_1")).await;
    assert_eq!((refused.status, refused.code()), (403, "act.speaker_mismatch"));
    assert_eq!(refused.json["errors"][0]["pointer"], "/speaker");
    assert_eq!(house.head(), 0);
    let mut everything = ALL.to_vec();
    everything.push("conversation.speak_for_others");
    let service = house.bearing(&token("service", "acme", &everything, 60));
    assert_eq!(service.post(ACTS, &said_by("bob", "act_1")).await.status, 200);
}

#[tokio::test]
async fn b21_an_act_is_about_the_conversation_of_the_path() {
    let house = house().await;
    let ada = house.bearing(&token("ada", "acme", ALL, 60));
    let mut act = said_by("ada", "act_1");
    act["metadata"] = json!({"conversation_id": "conv_2"});
    let refused = ada.post(ACTS, &act).await;
    assert_eq!((refused.status, refused.code()), (403, "act.conversation_mismatch"));
    assert_eq!(house.head(), 0);
    act["metadata"]["conversation_id"] = json!("conv_1");
    assert_eq!(ada.post(ACTS, &act).await.status, 200);
}

#[tokio::test]
async fn another_organisations_conversation_is_closed() {
    let house = house().await;
    let ada = house.bearing(&token("ada", "acme", ALL, 60));
    assert_eq!(ada.post(ACTS, &said_by("ada", "act_1")).await.status, 200);
    let head = house.head();
    let eve = house.bearing(&token("eve", "evil", ALL, 60));
    let paths = [
        "/v1/conversations/conv_1",
        "/conversation/conv_1",
        "/v1/conversations/conv_1/entities/order_1",
        "/v1/conversations/conv_1/events",
    ];
    for path in paths {
        let answer = eve.get(path).await;
        assert_eq!((answer.status, answer.code()), (403, "auth.conversation"), "{path}");
        assert_eq!(answer.json["title"], "Access denied to conversation");
    }
    let writes = [(ACTS, said_by("eve", "act_2")), ("/v1/conversations/conv_1/end", json!({}))];
    for (path, body) in writes {
        assert_eq!(eve.post(path, &body).await.code(), "auth.conversation", "{path}");
    }
    assert_eq!(eve.get("/v1/conversations").await.json["conversations"], json!([]));
    assert_eq!(house.head(), head);
    assert_eq!(ada.post(ACTS, &said_by("ada", "act_3")).await.status, 200, "the refusals harmed nobody");
}

#[tokio::test]
async fn organisations_whose_names_resemble_see_nothing_of_each_other() {
    let house = house().await;
    let nested = house.bearing(&token("ada", "acme/eu", ALL, 60));
    assert_eq!(nested.post(ACTS, &said_by("ada", "act_1")).await.status, 200);
    let outer = house.bearing(&token("bob", "acme", ALL, 60));
    assert_eq!(outer.get("/v1/conversations").await.json["conversations"], json!([]));
    assert_eq!(nested.get("/v1/conversations").await.json["conversations"][0]["id"], "conv_1");
}
