//! A loopback server without authentication, and the web pages that would like to speak to it.
//!
//! A page can make a browser send requests to 127.0.0.1, and can make its own name resolve to it (DNS rebinding).
//! So the `Host` must be a name of loopback, and an `Origin`, when there is one, a loopback origin too. A page of another
//! server on this machine is such an origin: what a browser sends for it without asking first changes nothing here.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::{HeaderMap, Method};

use super::Principal;
use crate::{Code, Problem};

pub(super) fn principal() -> Arc<Principal> {
    static LOCAL: LazyLock<Arc<Principal>> = LazyLock::new(|| Arc::new(Principal::local()));
    LOCAL.clone()
}

pub(super) fn admit(headers: &HeaderMap, authority: Option<&str>, method: &Method) -> Result<(), Problem> {
    let host = match headers.get(HOST) {
        Some(host) => host.to_str().ok(),
        None => authority,
    };
    if !host.is_some_and(|host| is_loopback(without_port(host))) {
        let detail = "without authentication the host must be localhost, 127.0.0.1 or [::1]";
        return Err(Problem::because(Code::AuthOrigin, detail));
    }
    match headers.get(ORIGIN) {
        None => Ok(()),
        Some(origin) if origin.to_str().is_ok_and(is_local_origin) => {
            let safe = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
            let own = origin.to_str().ok().and_then(authority_of) == host;
            if safe || own || asks_first(headers) { Ok(()) } else { Err(unasked()) }
        }
        Some(_) => {
            let detail = "without authentication requests from pages of other origins are refused";
            Err(Problem::because(Code::AuthOrigin, detail))
        }
    }
}

/// Whether a browser sends this for a page of another origin only when the server has agreed, which this one never does.
fn asks_first(headers: &HeaderMap) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ["application/json", "application/x-ndjson"].contains(&essence.as_str())
}

fn unasked() -> Problem {
    let detail = "without authentication a page of another origin changes nothing: \
                  send `Content-Type: application/json`, also without a body";
    Problem::because(Code::AuthOrigin, detail)
}

fn authority_of(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

fn is_local_origin(origin: &str) -> bool {
    authority_of(origin).is_some_and(|host| is_loopback(without_port(host)))
}

fn without_port(host: &str) -> &str {
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    match host.rsplit_once(':') {
        Some((name, port)) if digits(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    }
}

fn is_loopback(name: &str) -> bool {
    let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
