//! From an answer to a reply.

use ::http::StatusCode;
use port::{Blob, Fault, Reply, Status};
use serde_json::Value;

use super::content::Output;
use super::operation::Plan;
use super::pieces;
use crate::http::{self, Answer, Media, unreadable};

/// How many objects and arrays may stand inside one another in an answer.
const DEPTH: usize = 128;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a success: 2xx, or a status that the operation declares one.
pub(super) async fn success(answer: Answer, plan: &Plan, http: &http::Client) -> Result<Reply, Fault> {
    let (status, media, media_type) = (answer.status(), answer.media(), answer.media_type());
    let metadata = answer.metadata(&plan.response_headers);
    let body = answer.whole().await?;
    let output = match (status.is_success(), &plan.output) {
        (true, Output::Bytes) if !body.is_empty() => {
            http.bytes(body).map(|bytes| Blob { media_type, bytes }.document())
        }
        (true, wanted) => output(&body, media, wanted),
        (false, _) => read(&body)
            .map_or_else(|mistake| absent(&mistake), Ok)
            .map(|answer| fitting(answer, &plan.output)),
    };
    let output = output.map_err(|fault| fault.status(status.as_u16()))?;
    Ok(Reply { output, status: Some(Status::http(status.as_u16())), metadata, ..Reply::default() })
}

/// Whether the operation takes this status as success.
pub(super) fn is_success(status: StatusCode, plan: &Plan) -> bool {
    status.is_success() || plan.ok.contains(&status.as_u16())
}

fn output(body: &[u8], media: Media, wanted: &Output) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    match (wanted, media) {
        (Output::Lines, _) => lines(body),
        (Output::Events, _) => Ok(pieces::events(utf8(body)?).into()),
        (Output::Text | Output::Bytes, _) | (Output::Either, Media::Other | Media::Unsaid) => text(body),
        (Output::Json(_), Media::Other) => Err(unreadable("the answer is not JSON by its content type")),
        (Output::Json(_), Media::Json | Media::Unsaid) | (Output::Either, Media::Json) => {
            read(body).map_err(|mistake| misread(&mistake))
        }
    }
}

/// Reads JSON so that nothing in it becomes another value; a byte order mark before it is passed over, as RFC 8259 allows.
pub(super) fn read(body: &[u8]) -> Result<Value, json::Mistake> {
    json::parse(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body), DEPTH)
}

/// What stands for an answer under an `ok` status that is not JSON; JSON that would be altered is no answer.
fn absent(mistake: &json::Mistake) -> Result<Value, Fault> {
    if mistake.code == json::code::SYNTAX { Ok(Value::Null) } else { Err(misread(mistake)) }
}

/// What stands for an answer under an `ok` status that is not of the operation's shape: it describes something else.
fn fitting(answer: Value, wanted: &Output) -> Value {
    match wanted {
        Output::Json(schema) if schema.check(&answer).is_err() => Value::Null,
        Output::Text if !answer.is_string() => Value::Null,
        // It describes something else, whatever it is.
        Output::Bytes | Output::Lines | Output::Events => Value::Null,
        Output::Json(_) | Output::Text | Output::Either => answer,
    }
}

fn misread(mistake: &json::Mistake) -> Fault {
    let says = match mistake.code {
        json::code::NUMBER => "the answer holds a number that cannot be kept exactly",
        json::code::REPEATED => "the answer names a member twice",
        json::code::DEPTH => "the answer is nested too deeply",
        json::code::RESERVED => "the answer names a member that nothing may be called",
        _ => return unreadable("the answer is not valid JSON"),
    };
    unreadable(says).with("at", &mistake.pointer)
}

fn lines(body: &[u8]) -> Result<Value, Fault> {
    let read = pieces::lines(utf8(body)?);
    read.map(Value::from).map_err(|(line, mistake)| misread(&mistake).with("line", line.to_string()))
}

fn text(body: &[u8]) -> Result<Value, Fault> {
    Ok(Value::String(utf8(body)?.to_owned()))
}

fn utf8(body: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(body).map_err(|_| unreadable("the answer is not UTF-8 text"))
}
