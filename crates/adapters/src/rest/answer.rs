//! From an answer to a reply. Never holds more of a body than it was allowed.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use port::{Fault, Kind, Landed, Reply};
use reqwest::Response;
use serde_json::Value;

use super::body::Body;
use super::fault;
use super::operation::{Output, Plan};

/// How much of a failure's body is read for its words.
const PROBLEM: usize = 16 * 1024;
/// How many objects and arrays may stand inside one another in an answer.
const DEPTH: usize = 128;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a success: 2xx, or a status that the operation declares one.
pub(super) async fn success(response: Response, plan: &Plan, most: usize) -> Result<Reply, Fault> {
    let status = response.status();
    let media = Media::of(response.headers());
    if is_coded(response.headers()) {
        return Err(unreadable("the answer is in a coding that was not asked for").status(status.as_u16()));
    }
    let body = whole(response, most).await.map_err(|fault| fault.status(status.as_u16()))?;
    let output = if status.is_success() {
        output(&body, media, &plan.output).map_err(|fault| fault.status(status.as_u16()))?
    } else {
        let answer = read(&body).map_or_else(|mistake| absent(&mistake), Ok);
        fitting(answer.map_err(|fault| fault.status(status.as_u16()))?, &plan.output)
    };
    Ok(Reply { output, status: Some(status.as_u16()), ..Reply::default() })
}

/// Reads the words of a failure. What cannot be read is left out: the status says enough.
pub(super) async fn failure(mut response: Response) -> Option<String> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > PROBLEM {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    fault::detail(&body)
}

/// Whether the operation takes this status as success.
pub(super) fn is_success(status: StatusCode, plan: &Plan) -> bool {
    status.is_success() || plan.ok.contains(&status.as_u16())
}

/// Whether the body is compressed or otherwise coded, although only `identity` was welcome.
fn is_coded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter();
    codings
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .any(|coding| !coding.trim().is_empty() && !coding.trim().eq_ignore_ascii_case("identity"))
}

async fn whole(mut response: Response, most: usize) -> Result<Bytes, Fault> {
    let said = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if said > most {
        return Err(too_large(most));
    }
    let mut body = Body::default();
    while let Some(piece) = response.chunk().await.map_err(|error| fault::of_body(&error))? {
        if !body.take(piece, most) {
            return Err(too_large(most));
        }
    }
    Ok(body.whole())
}

#[derive(Clone, Copy, PartialEq)]
enum Media {
    Json,
    Other,
    Unsaid,
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Media::Unsaid };
        let text = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let text = text.to_ascii_lowercase();
        let json = text == "application/json" || text.ends_with("+json");
        if json { Media::Json } else { Media::Other }
    }
}

fn output(body: &[u8], media: Media, wanted: &Output) -> Result<Value, Fault> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    match (wanted, media) {
        (Output::Text, _) | (Output::Either, Media::Other | Media::Unsaid) => text(body),
        (Output::Json(_), Media::Other) => Err(unreadable("the answer is not JSON by its content type")),
        (Output::Json(_), Media::Json | Media::Unsaid) | (Output::Either, Media::Json) => {
            read(body).map_err(|mistake| misread(&mistake))
        }
    }
}

/// Reads JSON so that nothing in it becomes another value; a byte order mark before it is passed over, as RFC 8259 allows.
fn read(body: &[u8]) -> Result<Value, json::Mistake> {
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

fn text(body: &[u8]) -> Result<Value, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| unreadable("the answer is not UTF-8 text"))?;
    Ok(Value::String(text.to_owned()))
}

fn too_large(most: usize) -> Fault {
    unreadable("the answer is larger than allowed").with("max_response", most.to_string())
}

/// The status said that the effect is there; only the answer is of no use.
fn unreadable(says: &'static str) -> Fault {
    Fault::new(Kind::Protocol, Landed::Yes, says)
}
