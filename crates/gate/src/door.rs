//! The way of every request, in this order; what is refused at one step never reaches the next.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};
use parking_lot::Mutex;
use port::{OpenSpan, SpanKind, TraceContext};
use tracing::Instrument;

use crate::body::{self, Media};
use crate::exchange::{AT_LEAST, Asked, CORRELATION, Inlet, TRACERESPONSE};
use crate::route::{Optional, Route, Takes, whose};
use crate::turn::Turn;
use crate::{Code, Gate, Principal, Problem, idempotency};

/// Lets a request in, or refuses it.
pub(crate) async fn enter(gate: Gate, routes: &'static [&'static Route], request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let parent = parent(&parts);
    let trace = TraceContext::entered(parent, &*gate.recorder, &*gate.entropy);
    let span = OpenSpan::begin(&*gate.recorder, &*gate.clock, trace, parent.map(|parent| parent.span_id))
        .map(|span| described(span, &parts, routes));
    let correlation = correlation(&parts, trace);
    let known = (correlation.clone(), trace);
    let within = marked(&correlation, trace);
    let mut response = match serve(&gate, routes, &mut parts, body, known).instrument(within.clone()).await {
        Ok(response) => response,
        Err(problem) => {
            let code = problem.code;
            gate.observer.refused(code.as_str());
            // What is shed is counted: a flood of requests must not become one of lines.
            if code.status() >= 500 && code != Code::Overloaded {
                within.in_scope(|| {
                    tracing::warn!(code = code.as_str(), path = parts.uri.path(), "refused");
                });
            }
            problem.into_response_at(Some(parts.uri.path()))
        }
    };
    if let Some(span) = span {
        let status = response.status();
        let error = status.is_server_error().then(|| format!("answered {}", status.as_u16()));
        span.with("correlation.id", &*correlation)
            .with("http.response.status_code", status.as_u16())
            .end(error);
    }
    let traced = trace.to_string();
    for (name, id) in [(CORRELATION, &*correlation), (TRACERESPONSE, &*traced)] {
        if let Ok(value) = HeaderValue::from_str(id) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn serve(
    gate: &Gate,
    routes: &'static [&'static Route],
    parts: &mut Parts,
    body: Body,
    (correlation, trace): (Arc<str>, TraceContext),
) -> Result<Response, Problem> {
    // A turn comes first: in an overload nothing is spent on a request, not even on its token.
    let turn = gate.turns.take(whose(routes))?;
    // Then who asks: a stranger learns nothing about paths' methods, limits or bodies.
    let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
    let principal = gate.auth.principal(&parts.headers, authority.as_deref(), &parts.method)?;
    let route = chosen(routes, &parts.method)?;
    permit(&principal, route)?;
    // The rate is limited before the body is read, so that a flood costs little.
    gate.buckets
        .take(&principal, gate.clock.instant())
        .map_err(|wait| Problem { retry_after: Some(wait), ..Problem::new(Code::RateLimited) })?;
    let body = read(gate, &turn, route, parts, body).await?;
    let params = params(parts).await?;
    visible(gate, &turn, &parts.headers).await?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let headers = std::mem::take(&mut parts.headers);
    let asked = Asked { principal, correlation, trace, params, query, headers, body, turn, ticket: None };
    idempotency::once(gate, route, parts.uri.path(), asked).await
}

fn chosen(routes: &'static [&'static Route], method: &Method) -> Result<&'static Route, Problem> {
    let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
    if let Some(route) = routes.iter().find(|route| route.verb.as_str() == wanted) {
        return Ok(route);
    }
    let mut allowed: Vec<&str> = routes.iter().map(|route| route.verb.as_str()).collect();
    if allowed.contains(&"GET") {
        allowed.push("HEAD");
    }
    Err(Problem { allow: Some(allowed.join(", ")), ..Problem::new(Code::RouteMethod) })
}

fn permit(principal: &Principal, route: &Route) -> Result<(), Problem> {
    if principal.permissions.has(route.permission) {
        return Ok(());
    }
    Err(Problem::because(Code::AuthPermission, format!("needs {}", route.permission.as_str())))
}

async fn read(gate: &Gate, turn: &Turn, route: &Route, parts: &Parts, body: Body) -> Result<Inlet, Problem> {
    let optional = match route.takes {
        Takes::Nothing => return Ok(Inlet::Nothing),
        Takes::Json(_, Optional::Yes) => true,
        Takes::Json(_, Optional::No) | Takes::Acts => false,
    };
    if optional && http_body::Body::is_end_stream(&body) {
        return Ok(Inlet::Nothing);
    }
    match (Media::of(&parts.headers)?, route.takes) {
        (Media::Ndjson, Takes::Acts) => Ok(Inlet::Lines(Mutex::new(body))),
        (Media::Ndjson, _) => Err(Problem::because(Code::BodyType, "expected application/json")),
        (Media::Json, _) => {
            let read = body::read(body, &parts.headers, gate.limits.body, gate.limits.body_time);
            turn.before(read).await?.map(Inlet::Whole)
        }
    }
}

/// Waits until the position that the caller has seen elsewhere can be read here.
async fn visible(gate: &Gate, turn: &Turn, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get(&AT_LEAST) else { return Ok(()) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
    let problem = || Problem::because(Code::HeaderInvalid, "Cardan-At-Least: expected a position");
    let position = position.ok_or_else(problem)?;
    let mut head = gate.store.head();
    let reached = tokio::time::timeout(gate.limits.at_least, head.wait_for(|head| *head >= position));
    let reached = turn.before(reached).await?;
    reached
        .is_ok_and(|reached| reached.is_ok())
        .then_some(())
        .ok_or_else(|| Problem::new(Code::PositionNotVisible))
}

async fn params(parts: &mut Parts) -> Result<Vec<(Arc<str>, String)>, Problem> {
    let found = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| Problem::because(Code::RouteUnknown, "path is not UTF-8"))?;
    Ok(found.iter().map(|(name, value)| (name.into(), value.to_owned())).collect())
}

/// The caller's id when it is a sound one, else the trace's, else a new one of 128 random bits.
fn correlation(parts: &Parts, trace: TraceContext) -> Arc<str> {
    let sound = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    let given = parts.headers.get(&CORRELATION).and_then(|value| value.to_str().ok()).filter(sound);
    if let Some(id) = given {
        return id.into();
    }
    format!("{:032x}", trace.trace_id).into()
}

fn parent(parts: &Parts) -> Option<TraceContext> {
    let parent = parts.headers.get("traceparent").and_then(|value| value.to_str().ok());
    parent.and_then(TraceContext::parse)
}

/// Marks every line of the log that is written for a request.
fn marked(correlation: &str, trace: TraceContext) -> tracing::Span {
    // At the level of errors, so that it is there however little is logged.
    tracing::error_span!(
        "request",
        correlation_id = correlation,
        trace_id = %format_args!("{:032x}", trace.trace_id),
        span_id = %format_args!("{:016x}", trace.span_id)
    )
}

/// Names the path as it is routed: what stands in it is the caller's.
fn described<'a>(span: OpenSpan<'a>, parts: &Parts, routes: &[&Route]) -> OpenSpan<'a> {
    let path = routes.first().map_or("", |route| route.path);
    // A method may be any word, and names must be few.
    let method = match parts.method {
        Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH => parts.method.as_str(),
        _ => "_OTHER",
    };
    span.named(SpanKind::Server, format!("{method} {path}"))
        .with("http.request.method", method)
        .with("http.route", path)
}
