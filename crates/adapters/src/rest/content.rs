//! What is sent as the body, and how an answer is read.

use http::Method;
use schema::Schema;
use serde_json::Value;

use super::operation::compiled;
use super::section::Body as WrittenBody;
use super::template::Template;
use crate::http::Judge;

/// What is sent as the body.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// Nothing.
    None,
    /// The input without the members that the path, the query and the headers took.
    Rest,
    /// The whole input.
    All,
    /// One member of the input.
    Member(String),
    /// The bytes that one member of the input carries ([`port::Blob`]).
    Bytes(String),
}

/// How the answer is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Output {
    /// JSON, of this schema.
    Json(Schema),
    /// Text, as a JSON string.
    Text,
    /// Whatever it is, as a document that carries bytes ([`port::Blob`]).
    Bytes,
    /// A JSON document per line, as a list.
    Lines,
    /// Server-sent events, as a list.
    Events,
    /// JSON when the answer says so, else text.
    Either,
}

/// Judges `body`; without it, what the method makes of it.
pub(super) fn body(
    name: &str,
    method: &Method,
    written: Option<&WrittenBody>,
    judge: &mut Judge<'_>,
) -> Option<Body> {
    let written = match written {
        Some(WrittenBody::Bytes { bytes }) => return bytes_body(name, bytes, judge),
        Some(WrittenBody::Json(text)) => Some(text.as_str()),
        None => None,
    };
    let creates = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    let sole =
        |text: &str| Template::parse(text).ok().and_then(|template| template.sole().map(str::to_owned));
    match written {
        None if creates => Some(Body::Rest),
        None | Some("none") => Some(Body::None),
        Some("rest") => Some(Body::Rest),
        Some("all") => Some(Body::All),
        Some(text) => sole(text).map(Body::Member).or_else(|| {
            let says = format!("{text:?} does not say what the body is");
            judge.refuse("REST003", &["operations", name, "body"], says, "say none, rest, all or {member}")
        }),
    }
}

/// The member that carries the bytes of the body.
fn bytes_body(name: &str, written: &str, judge: &mut Judge<'_>) -> Option<Body> {
    let member = Template::parse(written).ok().and_then(|template| template.sole().map(str::to_owned));
    let says = || format!("{written:?} does not say which member carries the bytes");
    member
        .map(Body::Bytes)
        .or_else(|| judge.refuse("REST003", &["operations", name, "body", "bytes"], says(), "write {member}"))
}

/// Judges `output`.
pub(super) fn output(name: &str, written: Option<&Value>, judge: &mut Judge<'_>) -> Option<Output> {
    match written {
        None => Some(Output::Json(Schema::any())),
        Some(Value::String(text)) if text == "text" => Some(Output::Text),
        Some(Value::String(text)) if text == "bytes" => Some(Output::Bytes),
        Some(Value::String(text)) if text == "lines" => Some(Output::Lines),
        Some(Value::String(text)) if text == "events" => Some(Output::Events),
        Some(schema) => compiled(schema, &["operations", name, "output"], judge).map(Output::Json),
    }
}
