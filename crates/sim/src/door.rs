//! One HTTP request: read it, find whom it is for, wait or drop where told to, answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Request, Response, StatusCode};
use parking_lot::Mutex;
use serde_json::Value;

use crate::answer::Answer;
use crate::desk::{Call, Desk};
use crate::house::House;
use crate::route::{self, Asked};

/// The largest body that is read.
const LARGEST: usize = 256 * 1024;
/// Both spellings of the header.
const KEYS: [&str; 2] = ["idempotency-key", "x-idempotency-key"];

/// Answers one request. `None` drops the connection.
pub(crate) async fn answer(house: Arc<House>, request: Request<Incoming>) -> Option<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return Some(written(&Answer::problem(413, "too large", "a body is at most 256 KiB")));
    };
    match addressed(&house, &head, body.to_bytes()) {
        Ok((desk, call)) => serve(desk, call).await,
        Err(answer) => Some(written(&answer)),
    }
}

/// Finds whom a request is for; what needs no system is answered at once.
fn addressed<'a>(house: &'a House, head: &Parts, body: Bytes) -> Result<(&'a Mutex<Desk>, Call), Answer> {
    let (method, query) = (head.method.as_str(), head.uri.query().unwrap_or_default());
    let path = head.uri.path().strip_prefix('/').unwrap_or_default();
    let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
    if first == "_sim" {
        let segments: Vec<_> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
        return Err(house.control(method, &segments, query, &body));
    }
    let Some(desk) = house.desks.get(first) else {
        return Err(Answer::problem(404, "not found", "see GET /_sim for what there is"));
    };
    let routes = desk.lock().system.routes();
    let asked = asked(routes, method, rest)?;
    let key = KEYS.iter().find_map(|name| text(&head.headers, name));
    let [correlation, traceparent] =
        ["x-correlation-id", "traceparent"].map(|name| text(&head.headers, name));
    let (read, query) = (method == "GET", query.to_owned());
    Ok((desk, Call { read, asked, key, correlation, traceparent, query, body }))
}

fn asked(routes: &[route::Route], method: &str, path: &str) -> Result<Asked, Answer> {
    if (method, path) == ("GET", "/health") {
        return Ok(Asked { operation: "health", id: String::new() });
    }
    route::find(routes, method, path).map_err(|elsewhere| match elsewhere {
        true => Answer::problem(405, "method not allowed", "the path takes another method; see GET /_sim"),
        false => Answer::problem(404, "not found", "see GET /_sim for what there is"),
    })
}

async fn serve(desk: &Mutex<Desk>, call: Call) -> Option<Response<Full<Bytes>>> {
    let knob = desk.lock().knobs.take(call.asked.operation);
    wait(knob.slow).await;
    let answer = desk.lock().perform(&call, &knob);
    wait(knob.late).await;
    knob.drop.is_none().then(|| written(&answer))
}

async fn wait(milliseconds: Option<u64>) {
    if let Some(milliseconds) = milliseconds {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn written(answer: &Answer) -> Response<Full<Bytes>> {
    let body = match &answer.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    let media = if answer.status < 300 { "application/json" } else { "application/problem+json" };
    let empty = body.is_empty();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !empty {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    }
    if let Some(seconds) = answer.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
