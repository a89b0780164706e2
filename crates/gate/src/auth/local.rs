//! A loopback server without authentication, and the web pages that would like to speak to it.
//!
//! A page can make a browser send requests to 127.0.0.1, and can make its own name resolve to it (DNS rebinding).
//! So the `Host` must be a name of loopback, and an `Origin`, when there is one, a loopback origin too.

use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use http::HeaderMap;
use http::header::{HOST, ORIGIN};

use super::Principal;
use crate::{Code, Problem};

pub(super) fn principal() -> Arc<Principal> {
    static LOCAL: LazyLock<Arc<Principal>> = LazyLock::new(|| Arc::new(Principal::local()));
    LOCAL.clone()
}

pub(super) fn admit(headers: &HeaderMap, authority: Option<&str>) -> Result<(), Problem> {
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
        Some(origin) if origin.to_str().is_ok_and(is_local_origin) => Ok(()),
        Some(_) => {
            let detail = "without authentication requests from pages of other origins are refused";
            Err(Problem::because(Code::AuthOrigin, detail))
        }
    }
}

fn is_local_origin(origin: &str) -> bool {
    let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    host.is_some_and(|host| is_loopback(without_port(host)))
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
