//! The OpenAPI 3.1 document, made from the same tables as the router.

mod desk;
mod schema;
mod systems;

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::page::Page;
use crate::route::{Optional, Parameter, Route, Takes};
use crate::{Code, Permission};

pub(crate) use schema::Schema;

/// Where it is served.
pub(crate) const PATH: &str = "/openapi.json";

/// What every route may refuse with.
const ALWAYS: &[Code] = &[
    Code::AuthToken,
    Code::AuthPermission,
    Code::RateLimited,
    Code::RouteMethod,
    Code::Internal,
    Code::Overloaded,
];
/// What every route that reads a body may refuse with.
const READING: &[Code] =
    &[Code::BodyJson, Code::BodyUtf8, Code::BodyDepth, Code::BodyTooLarge, Code::BodyType, Code::BodySlow];
/// What every route that writes may refuse with.
const WRITING: &[Code] = &[
    Code::IdempotencyKey,
    Code::IdempotencyInProgress,
    Code::IdempotencyMismatch,
    Code::Busy,
    Code::StoreFull,
];

pub(crate) fn answer(document: &str) -> Response {
    let mut response = Response::new(Body::from(document.to_owned()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The whole document.
pub(crate) fn document(routes: &[&Route], pages: &[Page]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.verb.as_str().to_ascii_lowercase()] = operation(route);
    }
    for page in pages {
        let ok = json!({"description": "The document."});
        paths.insert(
            page.path.into(),
            json!({"get": {"summary": page.summary, "security": [], "responses": {"200": ok}}}),
        );
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Cardan", "version": env!("CARGO_PKG_VERSION"),
            "description": "Conversations become durable effects in business systems.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": permissions(),
            }},
            "schemas": schema::components(),
        },
    })
}

fn permissions() -> String {
    let words: Vec<&str> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
    format!("Claims: sub, exp, permissions (any of {}), organization.", words.join(", "))
}

fn operation(route: &Route) -> Value {
    let mut operation = json!({
        "operationId": route.name,
        "summary": route.summary,
        "description": format!("Needs `{}`.", route.permission.as_str()),
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if let Some(body) = request_body(route.takes) {
        operation["requestBody"] = body;
    }
    operation
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let path = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let other = |place: &'static str| {
        move |parameter: &Parameter| {
            json!({
                "name": parameter.name, "in": place, "required": false, "description": parameter.about,
                "schema": {"type": parameter.type_},
            })
        }
    };
    let mut all: Vec<Value> = path.collect();
    all.extend(route.query.iter().map(other("query")));
    all.extend(route.headers.iter().map(other("header")));
    if route.verb.writes() {
        let about =
            "Makes a repeat of this request give the first answer again. 1 to 255 visible ASCII characters.";
        all.push(other("header")(&Parameter { name: "Idempotency-Key", type_: "string", about }));
    }
    all
}

fn request_body(takes: Takes) -> Option<Value> {
    match takes {
        Takes::Nothing => None,
        Takes::Json(schema, optional) => Some(json!({
            "required": optional == Optional::No,
            "content": {"application/json": {"schema": schema.reference()}},
        })),
        Takes::Acts => Some(json!({
            "required": true,
            "content": {
                "application/json": {"schema": {"oneOf": [
                    Schema::Act.reference(), {"type": "array", "minItems": 1, "items": Schema::Act.reference()},
                ]}},
                "application/x-ndjson": {"schema": Schema::Act.reference()},
            },
        })),
    }
}

fn responses(route: &Route) -> Value {
    let media = route.gives.schema.media();
    let mut responses = Map::new();
    let given =
        json!({"description": "As asked.", "content": {media: {"schema": route.gives.schema.reference()}}});
    responses.insert(route.gives.status.to_string(), given);
    for code in refusals(route) {
        let response = responses.entry(code.status().to_string()).or_insert_with(|| {
            json!({"description": "", "content": {"application/problem+json": {"schema": Schema::Problem.reference()}}})
        });
        let described = response["description"].as_str().unwrap_or_default();
        let line = format!("`{}`: {}.", code.as_str(), code.title());
        response["description"] =
            if described.is_empty() { line } else { format!("{described} {line}") }.into();
    }
    responses.into()
}

fn refusals(route: &Route) -> impl Iterator<Item = Code> {
    let reading = if route.takes == Takes::Nothing { &[] } else { READING };
    let writing = if route.verb.writes() { WRITING } else { &[] };
    [ALWAYS, reading, writing, route.problems].into_iter().flatten().copied()
}

#[cfg(test)]
mod tests;
