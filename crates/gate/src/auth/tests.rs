use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Method};
use jiff::Timestamp;
use jsonwebtoken::{EncodingKey, Header, encode};
use port::Clock;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_800_000_000;

struct Held;

impl Clock for Held {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(NOW).unwrap()
    }
    fn instant(&self) -> std::time::Instant {
        port::SystemClock.instant()
    }
}

fn key(id: Option<&str>, algorithms: &[Algorithm], material: Material) -> Key {
    Key { id: id.map(str::to_owned), algorithms: algorithms.to_vec(), material }
}

fn secret(secret: &str) -> Material {
    Material::Secret(SecretString::from(secret.to_owned()))
}

fn tokens() -> Tokens {
    Tokens::new(vec![key(None, &[Algorithm::HS256], secret(SECRET))], Arc::new(Held)).unwrap()
}

fn claims() -> Value {
    json!({"sub": "ada", "exp": NOW + 60, "permissions": ["conversation.read", "made.up"], "organization": "acme"})
}

fn with(member: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[member] = value;
    claims
}

fn signed(claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

/// A token made by hand, for what no library signs.
fn forged(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[test]
fn a_token_says_who_from_where_and_what_may_be_done() {
    let principal = tokens().verify(&signed(&claims())).unwrap();
    assert_eq!((&*principal.subject, &*principal.tenant), ("ada", "acme"));
    assert!(principal.permissions.has(Permission::ConversationRead));
    assert!(!principal.permissions.has(Permission::ConversationWrite));
}

#[test]
fn b21_time_and_subject_are_checked() {
    let cases = [
        (with("exp", json!(NOW - 31)), "expired"),
        (with("exp", Value::Null), "exp is missing"),
        (with("nbf", json!(NOW + 31)), "not valid yet"),
        (with("sub", json!("")), "sub is missing"),
        (with("sub", Value::Null), "sub is missing"),
        (with("aud", json!("somebody-else")), "another audience"),
        (with("organization", json!("")), "organization is empty"),
        (with("exp", json!("soon")), "signature or claims"),
    ];
    for (claims, reason) in cases {
        assert_eq!(tokens().verify(&signed(&claims)).unwrap_err(), reason, "{claims}");
    }
    assert!(tokens().verify(&signed(&with("exp", json!(NOW - 29)))).is_ok(), "within the leeway");
    let strict = tokens().leeway(Duration::ZERO);
    assert!(strict.verify(&signed(&with("exp", json!(NOW)))).is_err());
}

#[test]
fn b21_issuer_and_audience_are_required_when_configured() {
    let tokens = tokens().issuers(["https://id.example".to_owned()]).audiences(["cardan".to_owned()]);
    assert_eq!(tokens.verify(&signed(&claims())).unwrap_err(), "another issuer");
    let mut good = with("iss", json!("https://id.example"));
    assert_eq!(tokens.verify(&signed(&good)).unwrap_err(), "another audience");
    good["aud"] = json!(["other", "cardan"]);
    assert!(tokens.verify(&signed(&good)).is_ok());
}

#[test]
fn b21_forged_tokens_are_refused() {
    let none = forged(&json!({"alg": "none", "typ": "JWT"}), &claims(), "");
    assert!(tokens().verify(&none).is_err());
    let other =
        encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(&[7; 32])).unwrap();
    assert!(tokens().verify(&other).is_err());
    let unlisted =
        encode(&Header::new(Algorithm::HS512), &claims(), &EncodingKey::from_secret(SECRET.as_bytes()));
    assert!(tokens().verify(&unlisted.unwrap()).is_err(), "HS512 is not on this key's list");
    let good = signed(&claims());
    let tampered = good.replace('.', ".A");
    for token in ["", "a.b", "a.b.c", &tampered, &good[..good.len() - 2], &"x".repeat(9000)] {
        assert!(tokens().verify(token).is_err(), "{token}");
    }
}

/// SubjectPublicKeyInfo of Ed25519 (RFC 8410).
fn public_pem(raw: &[u8]) -> String {
    let mut der = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
    der.extend_from_slice(raw);
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
}

#[test]
fn b21_a_public_key_is_no_shared_secret() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let pem = public_pem(pair.public_key().as_ref());
    let tokens =
        Tokens::new(vec![key(None, &[Algorithm::EdDSA], Material::Pem(pem.clone()))], Arc::new(Held))
            .unwrap();
    let confused = EncodingKey::from_secret(pem.as_bytes());
    let token = encode(&Header::new(Algorithm::HS256), &claims(), &confused).unwrap();
    assert!(tokens.verify(&token).is_err());
    let private = EncodingKey::from_ed_der(pair.to_pkcs8().unwrap().as_ref());
    assert!(tokens.verify(&encode(&Header::new(Algorithm::EdDSA), &claims(), &private).unwrap()).is_ok());
}

#[test]
fn the_kid_chooses_the_key() {
    let keys = vec![
        key(Some("old"), &[Algorithm::HS256], secret(SECRET)),
        key(Some("new"), &[Algorithm::HS256], secret("fedcba9876543210fedcba9876543210")),
    ];
    let tokens = Tokens::new(keys, Arc::new(Held)).unwrap();
    let token = |kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims(), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    };
    assert!(tokens.verify(&token(Some("old"))).is_ok());
    assert!(tokens.verify(&token(Some("new"))).is_err());
    assert!(tokens.verify(&token(Some("unknown"))).is_err());
    assert!(tokens.verify(&token(None)).is_err());
}

#[test]
fn of_keys_without_a_name_each_is_tried() {
    let (old, new) = (SECRET, "fedcba9876543210fedcba9876543210");
    let keys = [old, new].map(|text| key(None, &[Algorithm::HS256], secret(text)));
    let tokens = Tokens::new(keys.into(), Arc::new(Held)).unwrap();
    let token = |secret: &str, claims: &Value| {
        encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    assert!(tokens.verify(&token(old, &claims())).is_ok());
    assert!(tokens.verify(&token(new, &claims())).is_ok(), "the key that was added");
    assert_eq!(tokens.verify(&token(new, &with("exp", json!(NOW - 60)))).unwrap_err(), "expired");
    let other = token("another secret, of thirty-two bytes", &claims());
    assert_eq!(tokens.verify(&other).unwrap_err(), "signature or claims");
}

#[test]
fn b21_weak_or_confused_keys_do_not_start() {
    let made = |key: Key| Tokens::new(vec![key], Arc::new(Held)).err();
    assert_eq!(
        made(key(None, &[Algorithm::HS256], secret("your-secret-key"))),
        Some(Error::ShortSecret { bytes: 15 })
    );
    assert_eq!(made(key(None, &[], secret(SECRET))), Some(Error::NoAlgorithm));
    assert_eq!(made(key(None, &[Algorithm::RS256], secret(SECRET))), Some(Error::Confused("RS256".into())));
    assert_eq!(made(key(None, &[Algorithm::ES256], Material::Pem("nonsense".into()))), Some(Error::Pem));
    assert_eq!(Tokens::new(vec![], Arc::new(Held)).err(), Some(Error::NoKey));
}

#[test]
fn without_a_bearer_token_nobody_is_let_in() {
    let auth = Auth::Tokens(tokens());
    let code = |headers: &HeaderMap| {
        auth.principal(headers, None, &Method::GET).map(|who| who.subject.to_string()).map_err(|p| p.code)
    };
    let header = |text: &str| HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(text).unwrap())]);
    assert_eq!(code(&HeaderMap::new()), Err(Code::AuthToken));
    let good = signed(&claims());
    assert_eq!(code(&header(&good)), Err(Code::AuthToken));
    assert_eq!(code(&header(&format!("Basic {good}"))), Err(Code::AuthToken));
    assert_eq!(code(&header(&format!("bearer {good}"))), Ok("ada".into()));
    let mut twice = header(&format!("Bearer {good}"));
    twice.append(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    assert_eq!(code(&twice), Err(Code::AuthToken));
}

#[test]
fn loopback_is_for_loopback() {
    let admitted = |host: &str, origin: Option<&str>| {
        let mut headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_str(host).unwrap())]);
        if let Some(origin) = origin {
            headers.insert(http::header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        Auth::Loopback.principal(&headers, None, &Method::GET).map_err(|problem| problem.code).is_ok()
    };
    for host in
        ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"]
    {
        assert!(admitted(host, None), "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1:8080", "127.0.0.1.evil.example", ""] {
        assert!(!admitted(host, None), "{host}");
    }
    assert!(admitted("localhost:8080", Some("http://localhost:3000")));
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example", "file://localhost"] {
        assert!(!admitted("localhost:8080", Some(origin)), "{origin}");
    }
    assert!(
        Auth::Loopback.principal(&HeaderMap::new(), Some("localhost"), &Method::GET).is_ok(),
        "HTTP/2 names it elsewhere"
    );
    assert!(Auth::Loopback.principal(&HeaderMap::new(), None, &Method::GET).is_err());
}

#[test]
fn a_page_of_another_local_server_changes_nothing_unasked() {
    let admitted = |method: Method, origin: &str, media: Option<&'static str>| {
        let mut headers = HeaderMap::from_iter([
            (http::header::HOST, HeaderValue::from_static("localhost:8080")),
            (http::header::ORIGIN, HeaderValue::from_str(origin).unwrap()),
        ]);
        headers.extend(media.map(|media| (http::header::CONTENT_TYPE, HeaderValue::from_static(media))));
        Auth::Loopback.principal(&headers, None, &method).is_ok()
    };
    let other = "http://localhost:3000";
    for media in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("")] {
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            assert!(!admitted(method, other, media), "{media:?}");
        }
        assert!(admitted(Method::GET, other, media));
    }
    assert!(
        admitted(Method::POST, other, Some("application/json; charset=utf-8")),
        "a browser asks before it sends this"
    );
    assert!(admitted(Method::POST, "http://localhost:8080", None), "its own pages");
}

#[test]
fn a_token_that_asks_for_what_is_not_understood_is_refused() {
    let told = |header: &str| {
        let text =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims().to_string()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let token = format!("{text}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes())));
        tokens().verify(&token).map(|_| ())
    };
    assert_eq!(told(r#"{"alg":"HS256","typ":"JWT","x-policy":1}"#), Ok(()));
    for crit in [r#"["x-policy"]"#, r#"["b64"]"#, "[]", "null", r#""exp""#] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit},"x-policy":1,"b64":true}}"#);
        assert!(told(&header).unwrap_err().contains("extension"), "{crit}");
    }
    assert!(told(r#"{"alg":"HS256","alg":"HS256"}"#).is_err());
}

#[test]
fn no_authentication_means_loopback_only() {
    let at = |address: &str| Auth::Loopback.may_serve(address.parse().unwrap());
    assert!(at("127.0.0.1:8080").is_ok() && at("[::1]:8080").is_ok());
    assert!(at("0.0.0.0:8080").unwrap_err().contains("without authentication"));
}
