//! What operators tell the guards of systems.

use std::sync::Arc;

use gate::{Algorithm, Auth, Control, Key, Limits, Material, Mode, Modes, Tokens, Which};
use http::Method;
use jsonwebtoken::{EncodingKey, Header, encode};
use parking_lot::Mutex;
use port::{Adapter, Call, Clock, Ctx, Fault, Link, Reply, Spec, Systems};
use serde_json::{Value, json};
use store::Store;

use crate::fixture::{Answer, House, deps, request};

const SECRET: &str = "an example of a secret that is long enough";

/// Systems that are never called.
struct Idle(Spec);

impl Adapter for Idle {
    fn spec(&self) -> &Spec {
        &self.0
    }

    async fn call(&self, _ctx: &Ctx, _call: Call) -> Result<Reply, Fault> {
        Ok(Reply::default())
    }

    async fn probe(&self, _ctx: &Ctx) -> Result<(), Fault> {
        Ok(())
    }

    async fn close(&self) {}
}

/// `payments` has a breaker for everything, and `acme` has one of its own.
struct Breakers {
    all: Mutex<Mode>,
    acme: Mutex<Mode>,
}

impl Breakers {
    fn new() -> Self {
        Self { all: Mutex::new(Mode::Automatic), acme: Mutex::new(Mode::Automatic) }
    }

    fn named(&self, system: &str, which: &Which) -> Result<&Mutex<Mode>, String> {
        match (system, which.operation.as_deref(), which.key.as_deref()) {
            ("payments", None, None) => Ok(&self.all),
            ("payments", Some("charge"), Some("acme")) => Ok(&self.acme),
            (_, operation, key) => Err(format!("{operation:?} {key:?}: there is acme's")),
        }
    }
}

impl Control for Breakers {
    fn status(&self, system: &str) -> Value {
        match system {
            "payments" => json!({"mode": *self.all.lock(), "acme": *self.acme.lock()}),
            _ => json!({"mode": null}),
        }
    }
    fn reset(&self, system: &str, which: &Which) -> Result<(), String> {
        self.named(system, which).map(drop)
    }
    fn switch(&self, system: &str, which: &Which, mode: Mode) -> Result<Option<Mode>, String> {
        let was = std::mem::replace(&mut *self.named(system, which)?.lock(), mode);
        Ok(Some(was).filter(|was| *was != Mode::Disabled))
    }
}

async fn house() -> House {
    let material = Material::Secret(SECRET.to_owned().into());
    let key = Key { id: None, algorithms: vec![Algorithm::HS256], material };
    let tokens = Tokens::new(vec![key], Arc::new(port::SystemClock)).unwrap();
    let store = Store::temporary().unwrap();
    let mut deps = deps(store.clone(), Auth::Tokens(tokens), Limits::default()).await;
    let idle = |name: &str| {
        let spec = Spec {
            system: name.into(),
            adapter: "idle",
            version: "1.0.0",
            operations: Vec::new(),
            probe_every: None,
        };
        (name.to_owned(), Arc::new(Idle(spec)) as Arc<dyn Link>)
    };
    deps.systems = Systems::new(["payments", "email"].map(idle));
    deps.modes = Modes::new(store.clone(), Arc::new(Breakers::new()), Arc::new(port::SystemClock));
    House { router: gate::router(deps), store, token: Some(token(&["system.read", "system.manage"])) }
}

fn token(permissions: &[&str]) -> String {
    let exp = port::SystemClock.now().as_second() + 60;
    let claims = json!({"sub": "ada", "organization": "acme", "permissions": permissions, "exp": exp});
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

async fn put(house: &House, system: &str, body: &Value) -> Answer {
    let path = format!("/v1/systems/{system}/guard");
    let body = axum::body::Body::from(body.to_string());
    house.send(request(Method::PUT, &path, &[("content-type", "application/json")], body)).await
}

#[tokio::test]
async fn a_guard_is_told_and_the_answer_says_what_it_was_and_that_it_lasts() {
    let house = house().await;
    let told = put(&house, "payments", &json!({"mode": "forced_open"})).await;
    let expected = json!({
        "name": "payments", "operation": null, "key": null, "mode": "forced_open", "was": "automatic",
        "by": "ada", "reason": "", "until": null, "survives_restart": true, "status": {"mode": "forced_open", "acme": "automatic"},
    });
    assert_eq!((told.status, &told.json), (200, &expected));
    assert_eq!(house.get("/v1/systems/payments").await.json["status"]["mode"], "forced_open");
    let back = put(&house, "payments", &json!({"mode": "automatic"})).await;
    assert_eq!((&back.json["mode"], &back.json["was"]), (&json!("automatic"), &json!("forced_open")));
}

#[tokio::test]
async fn only_who_may_manage_systems_tells_their_guards() {
    let house = house().await;
    let reader = house.bearing(&token(&["system.read", "flow.manage"]));
    let refused = put(&reader, "payments", &json!({"mode": "disabled"})).await;
    assert_eq!((refused.status, refused.code()), (403, "auth.permission"));
    assert_eq!(house.get("/v1/systems/payments").await.json["status"]["mode"], "automatic");
}

#[tokio::test]
async fn what_is_no_mode_and_what_has_no_breaker_are_refused() {
    let house = house().await;
    for body in [json!({"mode": "open"}), json!({}), json!({"mode": "disabled", "for": "1h"})] {
        let refused = put(&house, "payments", &body).await;
        assert_eq!((refused.status, refused.code()), (400, "body.invalid"), "{}", refused.text);
    }
    for (system, code) in [("email", "breaker.unknown"), ("nowhere", "system.unknown")] {
        let refused = put(&house, system, &json!({"mode": "disabled"})).await;
        assert_eq!((refused.status, refused.code()), (404, code), "{}", refused.text);
    }
    assert_eq!(house.get("/v1/systems/payments").await.json["status"]["mode"], "automatic");
}

#[tokio::test]
async fn one_breaker_is_told_by_its_names_and_an_unknown_name_is_answered_with_the_known() {
    let house = house().await;
    let told =
        put(&house, "payments", &json!({"mode": "disabled", "operation": "charge", "key": "acme"})).await;
    let expected = json!({
        "name": "payments", "operation": "charge", "key": "acme", "mode": "disabled", "was": "automatic",
        "by": "ada", "reason": "", "until": null, "survives_restart": true, "status": {"mode": "automatic", "acme": "disabled"},
    });
    assert_eq!((told.status, &told.json), (200, &expected));
    let mixed =
        put(&house, "payments", &json!({"mode": "automatic", "operation": "charge", "key": "acme"})).await;
    assert_eq!(mixed.json["was"], Value::Null, "they had not all been told the same");

    let reset = async |body: Value| {
        let body = axum::body::Body::from(body.to_string());
        let headers = [("content-type", "application/json")];
        house.send(request(Method::POST, "/v1/systems/payments/reset", &headers, body)).await
    };
    assert_eq!(reset(json!({"operation": "charge", "key": "acme"})).await.status, 200);
    for refused in [
        reset(json!({"key": "globex"})).await,
        put(&house, "payments", &json!({"mode": "disabled", "key": "globex"})).await,
    ] {
        assert_eq!((refused.status, refused.code()), (404, "breaker.unknown"), "{}", refused.text);
        assert_eq!(refused.json["detail"], r#"None Some("globex"): there is acme's"#);
    }
    assert_eq!(reset(json!({"tenant": "acme"})).await.code(), "body.invalid");
}

#[tokio::test]
async fn an_order_outlives_the_process_and_names_who_gave_it_and_why() {
    let house = house().await;
    put(&house, "payments", &json!({"mode": "forced_open", "reason": "charges twice"})).await;
    let told = json!({"mode": "disabled", "operation": "charge", "key": "acme", "for_ms": 60_000});
    put(&house, "payments", &told).await;
    let shown = &house.get("/v1/systems/payments").await.json["orders"];
    let told = |at: usize, name: &str| shown[at][name].clone();
    assert_eq!(
        (told(0, "mode"), told(0, "by"), told(0, "reason"), told(0, "until")),
        (json!("forced_open"), json!("ada"), json!("charges twice"), Value::Null)
    );
    assert_eq!((told(1, "mode"), told(1, "until").is_string()), (json!("disabled"), true));

    let next = Arc::new(Breakers::new());
    let modes = Modes::new(house.store.clone(), next.clone(), Arc::new(port::SystemClock));
    modes.restore().await.unwrap();
    assert_eq!((*next.all.lock(), *next.acme.lock()), (Mode::ForcedOpen, Mode::Disabled));
    assert_eq!(serde_json::to_value(modes.of("payments")).unwrap(), *shown);
}

#[tokio::test]
async fn a_wider_order_takes_the_place_of_a_narrower_one_and_automatic_of_all_leaves_none() {
    let house = house().await;
    put(&house, "payments", &json!({"mode": "disabled", "operation": "charge", "key": "acme"})).await;
    put(&house, "payments", &json!({"mode": "forced_open"})).await;
    assert_eq!(house.get("/v1/systems/payments").await.json["orders"].as_array().unwrap().len(), 1);
    put(&house, "payments", &json!({"mode": "automatic"})).await;
    assert_eq!(house.get("/v1/systems/payments").await.json["orders"], json!([]));
    assert_eq!(house.store.state("breaker-orders", "payments").await.unwrap(), None);
}

/// A clock that is told what time it is.
struct Told(Mutex<jiff::Timestamp>);

impl Clock for Told {
    fn now(&self) -> jiff::Timestamp {
        *self.0.lock()
    }

    fn instant(&self) -> std::time::Instant {
        port::SystemClock.instant()
    }
}

#[tokio::test]
async fn an_order_ends_at_its_time_and_what_was_said_before_holds_again() {
    let house = house().await;
    put(&house, "payments", &json!({"mode": "disabled"})).await;
    let narrow = json!({"mode": "forced_open", "operation": "charge", "key": "acme", "for_ms": 60_000});
    put(&house, "payments", &narrow).await;
    let next = Arc::new(Breakers::new());
    let clock = Arc::new(Told(Mutex::new(port::SystemClock.now())));
    let modes = Modes::new(house.store.clone(), next.clone(), clock.clone());
    modes.restore().await.unwrap();
    assert_eq!(modes.lapse().await, Vec::<String>::new());
    assert_eq!(*next.acme.lock(), Mode::ForcedOpen);
    *clock.0.lock() += std::time::Duration::from_secs(61);
    assert_eq!(modes.lapse().await, ["payments"]);
    assert_eq!((*next.all.lock(), *next.acme.lock()), (Mode::Disabled, Mode::Disabled));
    assert_eq!(modes.of("payments").len(), 1);
}

#[tokio::test]
async fn a_time_that_is_over_or_said_twice_is_refused() {
    let house = house().await;
    let until = "2001-01-01T00:00:00Z";
    for end in [json!({"until": until}), json!({"until": until, "for_ms": 1}), json!({"for_ms": 0})] {
        let mut body = json!({"mode": "disabled"});
        body.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
        assert_eq!(put(&house, "payments", &body).await.code(), "body.invalid", "{body}");
    }
    assert_eq!(house.get("/v1/systems/payments").await.json["status"]["mode"], "automatic");
}
