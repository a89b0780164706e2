//! Which headers a configuration may set, and with which values: what is written is sent, or refused.

use std::collections::BTreeMap;

use diag::Diagnostic;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::judge::Judge;

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
pub(crate) fn of_system(written: &BTreeMap<String, String>, judge: &mut Judge<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in written {
        let path = ["headers", name.as_str()];
        let Some(known) = header_name(name, &path, judge) else { continue };
        warn_of_credential(&known, &path, judge);
        check_content_type(&known, value, &path, judge);
        match header_value(value) {
            Some(value) => _ = headers.insert(known, value),
            None => {
                _ = judge.refuse::<()>(
                    judge.codes.header,
                    &path,
                    "the value cannot be sent in a header",
                    VALUE,
                )
            }
        }
    }
    headers
}

/// A header the configuration may set.
pub(crate) fn header_name(name: &str, path: &[&str], judge: &mut Judge<'_>) -> Option<HeaderName> {
    let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
        let says = format!("{name:?} is not a header name");
        return judge.refuse(judge.codes.header, path, says, "use letters, digits and -");
    };
    if OWNED.contains(&known.as_str()) {
        let says = format!("the header {known} is set by Cardan itself");
        let help = "use auth for credentials; the others follow from the call";
        return judge.refuse(judge.codes.header, path, says, help);
    }
    Some(known)
}

/// A fixed value in a header whose name ends like that of a credential stands in the open.
pub(crate) fn warn_of_credential(name: &HeaderName, path: &[&str], judge: &mut Judge<'_>) {
    const WORDS: [&str; 7] = ["key", "apikey", "token", "secret", "password", "auth", "authorization"];
    if name.as_str().rsplit(['-', '_']).next().is_some_and(|last| WORDS.contains(&last)) {
        let place = judge.place(path);
        let says = format!("the header {name} seems to carry a credential");
        let warning = Diagnostic::warning(judge.codes.credential, place, says).hiding(place);
        judge.found.push(warning.help("write `auth: { api_key: { name: …, value: { secret: NAME } } }`"));
    }
}

/// A value of an operation's header that has no hole to fill is judged here, once.
pub(crate) fn check_fixed(value: &str, path: &[&str], judge: &mut Judge<'_>) {
    if header_value(value).is_none() {
        judge.refuse::<()>(judge.codes.header, path, "the value cannot be sent in a header", VALUE);
    }
}

/// The body is JSON; a name for anything else would be untrue.
pub(crate) fn check_content_type(name: &HeaderName, value: &str, path: &[&str], judge: &mut Judge<'_>) {
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if name == header::CONTENT_TYPE && essence != "application/json" && !essence.ends_with("+json") {
        let says = format!("Content-Type cannot be {value:?}: the body is sent as JSON");
        let help = "leave it out, or write application/json or a type that ends with +json";
        judge.refuse::<()>(judge.codes.header, path, says, help);
    }
}

/// The value as a header carries it; none when it may arrive as another: HTTP takes white space off its ends, and
/// what is not ASCII is read differently by different servers.
pub(crate) fn header_value(text: &str) -> Option<HeaderValue> {
    let ends = text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']);
    HeaderValue::from_str(text).ok().filter(|_| text.is_ascii() && !ends)
}
