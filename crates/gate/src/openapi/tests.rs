use std::collections::HashSet;

use serde_json::Value;

use crate::{openapi, routes};

#[test]
fn the_document_and_the_router_are_the_same_routes() {
    let document = openapi::document(&routes::all(), &[]);
    let mut described = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            described.insert((path.clone(), method.to_ascii_uppercase()));
        }
    }
    let served: HashSet<_> = routes::by_path()
        .flat_map(|(path, routes)| {
            routes.iter().map(move |route| (path.to_owned(), route.verb.as_str().to_owned()))
        })
        .collect();
    assert_eq!(described, served);
    assert_eq!(routes::all().len(), served.len(), "no method twice on a path");
}

#[test]
fn every_reference_leads_somewhere_and_names_are_unique() {
    let document = openapi::document(&routes::all(), &[]);
    let mut references = Vec::new();
    collect(&document["paths"], &mut references);
    collect(&document["components"]["schemas"], &mut references);
    for reference in references.iter().filter(|reference| reference.starts_with("#/components")) {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
    let names: HashSet<_> = routes::all().iter().map(|route| route.name).collect();
    assert_eq!(names.len(), routes::all().len());
}

#[test]
fn what_only_reads_takes_no_body() {
    for route in routes::all() {
        assert!(route.verb.writes() || route.takes == crate::route::Takes::Nothing, "{}", route.name);
    }
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            into.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}
