//! What a section says to every adapter that speaks HTTP: as it is written, as it may be written, and judged.

use std::collections::BTreeMap;

use diag::{Field, Shape};
use http::HeaderMap;
use serde::{Deserialize, de};
use serde_json::{Map, Value};
use url::Url;

use super::auth::{self, Auth};
use super::deadline::{self, DeadlineHeader};
use super::judge::Judge;
use super::resolve::{self, Addresses};
use super::tls::{self, Tls};
use super::{address, headers};

/// The largest answer that is read when nothing else is said.
const MAX_RESPONSE: usize = 1024 * 1024;
/// The largest answer that may be allowed.
const MOST_RESPONSE: usize = 64 * 1024 * 1024;
/// The keys that are read here.
const KEYS: [&str; 7] = ["addresses", "auth", "deadline_header", "headers", "max_response", "tls", "url"];

/// What an adapter calls the mistakes that are found here; its reference page explains them.
#[derive(Debug)]
pub(crate) struct Codes {
    /// `url` is no address that can be used.
    pub(crate) address: &'static str,
    /// A header or a user name cannot be sent, or is set by Cardan itself.
    pub(crate) header: &'static str,
    /// A warning: credentials would travel in clear text.
    pub(crate) clear_text: &'static str,
    /// `max_response` is no size.
    pub(crate) size: &'static str,
    /// A warning: a header seems to carry a credential.
    pub(crate) credential: &'static str,
    /// A secret does not exist, is empty, or cannot be sent.
    pub(crate) secret: &'static str,
    /// `addresses` refuses the address that `url` says.
    pub(crate) reach: &'static str,
    /// `tls` cannot be used.
    pub(crate) tls: &'static str,
}

/// The keys as they are written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    auth: Option<Auth>,
    #[expect(dead_code, reason = "read from the node, which knows units")]
    max_response: Option<de::IgnoredAny>,
    deadline_header: Option<DeadlineHeader>,
    tls: Option<Tls>,
    #[serde(default)]
    addresses: Addresses,
}

impl Written {
    /// Takes its keys out of a section; what is left is the adapter's own.
    pub(crate) fn take(section: &mut Value) -> serde_json::Result<Self> {
        let Value::Object(members) = section else { return serde_json::from_value(section.take()) };
        let taken: Map<_, _> = KEYS.iter().filter_map(|key| members.remove_entry(*key)).collect();
        serde_json::from_value(Value::Object(taken))
    }
}

/// A judged section, as far as it is about HTTP.
#[derive(Debug)]
pub(crate) struct Config {
    /// Scheme, host, port and base path; no credentials, query or fragment; the path has no slash at its end.
    pub(crate) base: Url,
    /// Sent with every request.
    pub(crate) headers: HeaderMap,
    /// How requests are authenticated.
    pub(crate) auth: Option<Auth>,
    /// The largest answer that is read, in bytes.
    pub(crate) max_response: usize,
    /// The header that carries the time left.
    pub(crate) deadline_header: Option<deadline::Header>,
    /// Whom to trust and who we are, beside what this machine knows.
    pub(crate) tls: Option<Tls>,
    /// Where the system may be.
    pub(crate) addresses: Addresses,
}

impl Config {
    /// Judges what is written.
    pub(crate) fn judged(written: Written, judge: &mut Judge<'_>) -> Option<Self> {
        let base = address::base(&written.url, judge);
        let headers = headers::of_system(&written.headers, judge);
        if let Some(auth) = &written.auth {
            auth::check(auth, judge);
            address::warn_of_clear_text(base.as_ref(), judge);
        }
        let max_response = max_response(judge);
        let deadline_header = written.deadline_header.as_ref();
        let deadline_header = deadline_header.and_then(|written| deadline::judged(written, judge));
        if let Some(tls) = &written.tls {
            tls::check(tls, base.as_ref(), judge);
        }
        let (base, Written { auth, tls, addresses, .. }) = (base?, written);
        resolve::check(addresses, &base, judge);
        Some(Self { base, headers, auth, max_response, deadline_header, tls, addresses })
    }
}

fn max_response(judge: &mut Judge<'_>) -> usize {
    let Some(written) = judge.node(&["max_response"]) else { return MAX_RESPONSE };
    let bytes = written.size().or_else(|| written.u64()).and_then(|bytes| usize::try_from(bytes).ok());
    bytes
        .filter(|bytes| (1..=MOST_RESPONSE).contains(bytes))
        .or_else(|| {
            let help = "write 262144, 256KiB or 1MiB";
            let says = "not a size between 1 byte and 64MiB";
            judge.refuse(judge.codes.size, &["max_response"], says, help)
        })
        .unwrap_or(MAX_RESPONSE)
}

/// The keys as they may be written.
pub(crate) fn fields() -> [Field; 7] {
    let bytes = Shape::one_of([Shape::size(), Shape::int(1..=64 << 20)]);
    [
        Field::new("url", Shape::text())
            .required()
            .doc("where the system answers; every operation stays below it"),
        Field::new("headers", Shape::map("header", Shape::text()))
            .doc("sent with every request; never credentials"),
        Field::new("auth", auth::shape()).doc("how requests are authenticated; without it they are not"),
        Field::new("max_response", bytes)
            .default("1MiB")
            .doc("the largest answer that is read, at most 64MiB"),
        Field::new("deadline_header", Shape::one_of([Shape::text(), deadline::shape()]))
            .doc("a header that carries the time left until the call's deadline; by name alone in milliseconds, `grpc-timeout` in gRPC's format"),
        Field::new("tls", tls::shape()).doc("whom to trust and who we are, where the machine's own settings are not enough"),
        Field::new("addresses", Shape::choice(["any", "public"]))
            .default("any")
            .doc("`public`: never connects to this machine, a private network or a cloud's metadata, whatever the name resolves to"),
    ]
}
