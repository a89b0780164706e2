//! From a call's input to the request's parts. Pure: nothing is sent here, and what is wrong is said here.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use port::{Blob, Call, Fault, Kind, Landed, Repeat};
use serde_json::{Map, Value};
use url::Url;

use super::content::{Body, Output};
use super::key_form::KeyForm;
use super::operation::Plan;
use super::template::{self, Gap, Template};
use crate::http::{Request, header_value, segment};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The longest address that is sent.
const LONGEST_URL: usize = 8 * 1024;

/// Builds the request of `call`. Every fault is [`Landed::No`].
pub(super) fn build(base: &Url, plan: &Plan, call: &Call) -> Result<Request, Fault> {
    let empty = Map::new();
    let input = match &*call.input {
        Value::Object(input) => input,
        Value::Null => &empty,
        _ => return Err(invalid("the input must be an object")),
    };
    let mut url = join(base, &plan.path, input)?;
    add_query(&mut url, &plan.query, input)?;
    if url.as_str().len() > LONGEST_URL {
        return Err(invalid("the address would be longer than 8 KiB"));
    }
    let mut headers = filled_headers(&plan.headers, input)?;
    if plan.repeat == Repeat::Keyed {
        headers.insert(plan.key_header.clone(), key(call, plan.key_form.as_ref())?);
    }
    let body = body(plan, input)?.map(|(body, content_type)| {
        headers.entry(header::CONTENT_TYPE).or_insert(content_type);
        body
    });
    Ok(Request { method: plan.method.clone(), url, headers, accept: accept(&plan.output), body })
}

/// What is welcome unless a header says.
fn accept(wanted: &Output) -> HeaderValue {
    HeaderValue::from_static(match wanted {
        Output::Json(_) | Output::Text | Output::Either => "application/json, */*;q=0.5",
        Output::Bytes => "*/*",
        Output::Lines => "application/x-ndjson, */*;q=0.5",
        Output::Events => "text/event-stream, */*;q=0.5",
    })
}

/// Appends the filled path to the base. The result keeps the base's scheme, host, port and path, whatever the input.
fn join(base: &Url, path: &Template, input: &Map<String, Value>) -> Result<Url, Fault> {
    let filled = path.fill(input, segment).map_err(gap)?;
    if filled.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(invalid("a path member must not be . or .."));
    }
    let whole = format!("{}{filled}", base.path().trim_end_matches('/'));
    let mut url = base.clone();
    url.set_path(&whole);
    let stays = url.path() == whole && url.origin() == base.origin();
    stays.then_some(url).ok_or_else(|| invalid("the path would leave the system's address"))
}

/// Adds the filled parameters. One whose member the input lacks is left out.
fn add_query(url: &mut Url, query: &[(String, Template)], input: &Map<String, Value>) -> Result<(), Fault> {
    for (name, template) in query {
        match template.fill(input, template::plain) {
            Ok(value) => _ = url.query_pairs_mut().append_pair(name, &value),
            Err(Gap::Absent(_)) => {}
            Err(unfit) => return Err(gap(unfit)),
        }
    }
    Ok(())
}

/// Fills the operation's own headers. One whose member the input lacks is left out.
fn filled_headers(
    written: &[(HeaderName, Template)],
    input: &Map<String, Value>,
) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, template) in written {
        match template.fill(input, template::plain) {
            Ok(value) => {
                let sent = header_value(&value).ok_or_else(|| {
                    let says = "a header value must be visible ASCII text, without white space at its ends";
                    invalid(says).with("header", name.as_str())
                })?;
                headers.insert(name.clone(), sent);
            }
            Err(Gap::Absent(_)) => {}
            Err(unfit) => return Err(gap(unfit)),
        }
    }
    Ok(headers)
}

fn key(call: &Call, form: Option<&KeyForm>) -> Result<HeaderValue, Fault> {
    let missing =
        || Fault::new(Kind::Internal, Landed::No, "the operation is keyed and the call carries no key");
    let key = call.key.as_ref().ok_or_else(missing)?.as_str();
    let key = form.map_or_else(|| key.to_owned(), |form| form.of(key));
    HeaderValue::from_str(&key).map_err(|_| missing())
}

/// The body, and what it is unless a header says.
fn body(plan: &Plan, input: &Map<String, Value>) -> Result<Option<(Bytes, HeaderValue)>, Fault> {
    let taken = plan.taken();
    match &plan.body {
        Body::None => refuse_unused(input, &taken).map(|()| None),
        Body::All => json(input),
        Body::Rest => json(&Others { input, taken: &taken }),
        Body::Member(name) => json(sole(name, input, taken)?),
        Body::Bytes(name) => {
            let blob = Blob::read(sole(name, input, taken)?);
            let Blob { media_type, bytes } = blob.map_err(|says| invalid(says).with("member", name))?;
            let named = media_type.as_deref().unwrap_or("application/octet-stream");
            let sent = header_value(named)
                .ok_or_else(|| invalid("a media type must be visible ASCII text").with("member", name))?;
            Ok(Some((bytes, sent)))
        }
    }
}

/// The one member that is the body, when every other one has its place.
fn sole<'a>(
    name: &'a str,
    input: &'a Map<String, Value>,
    taken: BTreeSet<&'a str>,
) -> Result<&'a Value, Fault> {
    let member = input.get(name).ok_or_else(|| gap(Gap::Absent(name)))?;
    refuse_unused(input, &taken.into_iter().chain([name]).collect())?;
    Ok(member)
}

/// The input without the members that have their place elsewhere, written without a copy of it.
struct Others<'a> {
    input: &'a Map<String, Value>,
    taken: &'a BTreeSet<&'a str>,
}

impl serde::Serialize for Others<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.input.iter().filter(|(name, _)| !self.taken.contains(name.as_str())))
    }
}

/// A member that would silently go nowhere is a mistake in the caller's mapping.
fn refuse_unused(input: &Map<String, Value>, used: &BTreeSet<&str>) -> Result<(), Fault> {
    match input.keys().find(|name| !used.contains(name.as_str())) {
        None => Ok(()),
        Some(name) => {
            Err(invalid("the operation has no place for a member of the input").with("member", name))
        }
    }
}

fn json(value: &impl serde::Serialize) -> Result<Option<(Bytes, HeaderValue)>, Fault> {
    let text = serde_json::to_vec(value).map_err(|_| invalid("the input cannot be written as JSON"))?;
    Ok(Some((text.into(), JSON)))
}

fn gap(gap: Gap<'_>) -> Fault {
    match gap {
        Gap::Absent(member) => invalid("the input lacks a member").with("member", member),
        Gap::Unfit(member, says) => invalid(says).with("member", member),
    }
}

fn invalid(says: &'static str) -> Fault {
    Fault::new(Kind::Invalid, Landed::No, says)
}
