//! Which headers a configuration may set, and with which values: what is written is sent, or refused.

use std::collections::BTreeMap;

use diag::Diagnostic;
use http::{HeaderMap, HeaderName, header};
use port::Repeat;

use super::config::{Config, Judge};
use super::request::header_value;
use super::section::{Auth, Place};

/// Headers that HTTP, the call's context or `auth` owns.
const OWNED: [&str; 17] = [
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-correlation-id",
];
const VALUE: &str = "use visible ASCII characters, without white space at the ends, and auth for secrets";

/// The headers of every request.
pub(super) fn of_system(written: &BTreeMap<String, String>, judge: &mut Judge<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let path = ["headers", name.as_str()];
        let Some(known) = header_name(name, &path, judge) else { continue };
        warn_of_credential(&known, &path, judge);
        check_content_type(&known, value, &path, judge);
        match header_value(value) {
            Some(value) => _ = headers.insert(known, value),
            None => _ = judge.refuse::<()>("REST005", &path, "the value cannot be sent in a header", VALUE),
        }
    }
    headers
}

/// A header the configuration may set.
pub(super) fn header_name(name: &str, path: &[&str], judge: &mut Judge<'_>) -> Option<HeaderName> {
    let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
        let says = format!("{name:?} is not a header name");
        return judge.refuse("REST005", path, says, "use letters, digits and -");
    };
    if OWNED.contains(&known.as_str()) {
        let says = format!("the header {known} is set by Cardan itself");
        let help = "use auth for credentials; the others follow from the call";
        return judge.refuse("REST005", path, says, help);
    }
    Some(known)
}

/// A fixed value in a header whose name ends like that of a credential stands in the open.
pub(super) fn warn_of_credential(name: &HeaderName, path: &[&str], judge: &mut Judge<'_>) {
    const WORDS: [&str; 7] = ["key", "apikey", "token", "secret", "password", "auth", "authorization"];
    if name.as_str().rsplit(['-', '_']).next().is_some_and(|last| WORDS.contains(&last)) {
        let place = judge.place(path);
        let says = format!("the header {name} seems to carry a credential");
        let warning = Diagnostic::warning("REST012", place, says).hiding(place);
        judge.found.push(warning.help("write `auth: { api_key: { name: …, value: { secret: NAME } } }`"));
    }
}

/// A value of an operation's header that has no hole to fill is judged here, once.
pub(super) fn check_fixed(value: &str, path: &[&str], judge: &mut Judge<'_>) {
    if header_value(value).is_none() {
        judge.refuse::<()>("REST005", path, "the value cannot be sent in a header", VALUE);
    }
}

/// The body is JSON; a name for anything else would be untrue.
pub(super) fn check_content_type(name: &HeaderName, value: &str, path: &[&str], judge: &mut Judge<'_>) {
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if name == header::CONTENT_TYPE && essence != "application/json" && !essence.ends_with("+json") {
        let says = format!("Content-Type cannot be {value:?}: the body is sent as JSON");
        let help = "leave it out, or write application/json or a type that ends with +json";
        judge.refuse::<()>("REST005", path, says, help);
    }
}

/// One header cannot be set in two ways.
pub(super) fn check_collisions(config: &Config, judge: &mut Judge<'_>) {
    let key = match &config.auth {
        Some(Auth::ApiKey(key)) if matches!(key.place, Place::Header) => {
            HeaderName::from_bytes(key.name.as_bytes()).ok()
        }
        _ => None,
    };
    let deadline = config.deadline_header.as_ref().map(|header| &header.name);
    let shared: Vec<_> = key.iter().chain(deadline).collect();
    for name in config.headers.keys().filter(|name| shared.contains(name)) {
        refuse_collision(name, &["headers"], judge);
    }
    for (operation, plan) in &config.operations {
        let own = (plan.repeat == Repeat::Keyed).then_some(&plan.key_header);
        let set = plan.headers.iter().map(|(name, _)| name);
        for name in set.filter(|name| shared.contains(name) || own == Some(name)) {
            refuse_collision(name, &["operations", operation, "headers"], judge);
        }
    }
}

fn refuse_collision(name: &HeaderName, path: &[&str], judge: &mut Judge<'_>) {
    let says = format!("the header {name} is set in two ways");
    judge.refuse::<()>(
        "REST005",
        path,
        says,
        "`auth`, `deadline_header` and keyed operations set it already",
    );
}
