//! One operation as it will be performed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use diag::{Diagnostic, Node};
use http::{HeaderName, Method};
use port::{Cost, Repeat};
use schema::{Mistake, Schema};
use serde_json::{Value, json};

use super::content::{Body, Output, body, output};
use super::cost;
use super::headers::{header_templates, kept};
use super::key_form::KeyForm;
use super::section::{Body as WrittenBody, Operation};
use super::template::Template;
use crate::http::{Judge, header_name};

/// A judged operation.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) summary: String,
    pub(super) method: Method,
    pub(super) path: Template,
    pub(super) query: Vec<(String, Template)>,
    pub(super) headers: Vec<(HeaderName, Template)>,
    pub(super) body: Body,
    pub(super) repeat: Repeat,
    pub(super) undo: Option<String>,
    pub(super) input: Schema,
    pub(super) output: Output,
    pub(super) key_header: HeaderName,
    /// Headers of an answer that are kept with it.
    pub(super) response_headers: Vec<HeaderName>,
    /// Statuses outside 2xx that mean success.
    pub(super) ok: Vec<u16>,
    /// How long after a call of unknown outcome its effect may still appear.
    pub(super) settles_within: Duration,
    pub(super) in_progress: InProgress,
    pub(super) verify: Option<Value>,
    pub(super) key_form: Option<KeyForm>,
    /// Where the input names the model or endpoint.
    pub(super) partition: Arc<str>,
    pub(super) cost: Cost,
    /// A bound of its own, beside the call's deadline.
    pub(super) limit: Option<Duration>,
}

/// When a keyed operation is still at an earlier request with the same key.
#[derive(Clone, Debug)]
pub(super) struct InProgress {
    /// Statuses that say so, beside 409 with `Retry-After`.
    pub(super) statuses: Vec<u16>,
    pub(super) until: Duration,
}

impl Default for InProgress {
    fn default() -> Self {
        Self { statuses: Vec::new(), until: port::IN_PROGRESS_UNTIL }
    }
}

impl Plan {
    /// The members that the path, the query and the headers take.
    pub(super) fn taken(&self) -> BTreeSet<&str> {
        let query = self.query.iter().flat_map(|(_, template)| template.members());
        let headers = self.headers.iter().flat_map(|(_, template)| template.members());
        self.path.members().chain(query).chain(headers).collect()
    }

    /// Whether nothing is an answer too: of a text that is empty, and under a status outside 2xx that means success.
    pub(super) fn may_be_silent(&self) -> bool {
        let silent = matches!(self.output, Output::Text | Output::Bytes | Output::Lines | Output::Events);
        !self.ok.is_empty() || silent
    }

    /// What the input must look like when nobody said: the path's members, and nothing unused.
    fn implied_input(&self) -> Value {
        let mut known = self.taken();
        if let Body::Member(name) | Body::Bytes(name) = &self.body {
            known.insert(name);
        }
        let properties: serde_json::Map<_, _> =
            known.iter().map(|name| ((*name).to_owned(), json!(true))).collect();
        let required: BTreeSet<_> = self.path.members().collect();
        let open = matches!(self.body, Body::Rest | Body::All);
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": open })
    }
}

/// The schema that somebody wrote, with the members that the path cannot do without.
fn requiring(mut schema: Value, path: &Template) -> Value {
    let Value::Object(keywords) = &mut schema else { return schema };
    if let Value::Array(required) = keywords.entry("required").or_insert_with(|| json!([])) {
        for member in path.members().map(Value::from) {
            if !required.contains(&member) {
                required.push(member);
            }
        }
    }
    schema
}

/// Judges all operations and what they say about each other.
pub(super) fn plans(written: &BTreeMap<String, Operation>, judge: &mut Judge<'_>) -> BTreeMap<String, Plan> {
    for (name, operation) in written {
        if let Some(undo) = operation.undo.as_deref().filter(|undo| !written.contains_key(*undo)) {
            let known = written.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let says = format!("{name} is undone by {undo:?}, which is no operation of this system");
            judge.refuse::<()>(
                "REST006",
                &["operations", name, "undo"],
                says,
                &format!("there are: {known}"),
            );
        }
    }
    let mut plans = BTreeMap::new();
    for (name, operation) in written {
        plans.extend(plan(name, operation, judge).map(|plan| (name.clone(), plan)));
    }
    plans
}

/// How a system is asked whether it is well, at the path that is written at `place`: the operation that the key `health`
/// makes, and what a probe sends.
pub(super) fn asking(path: &str, place: &[&str], limit: Duration, judge: &mut Judge<'_>) -> Option<Plan> {
    let path = path_template(path, place, judge)?;
    let plan = Plan {
        summary: "answers when the system is well".to_owned(),
        method: Method::GET,
        path,
        query: Vec::new(),
        headers: Vec::new(),
        body: Body::None,
        repeat: Repeat::Safe,
        undo: None,
        input: Schema::any(),
        output: Output::Either,
        key_header: HeaderName::from_static("idempotency-key"),
        response_headers: Vec::new(),
        ok: Vec::new(),
        settles_within: port::SETTLES_WITHIN,
        in_progress: InProgress::default(),
        verify: None,
        key_form: None,
        partition: cost::MODEL.into(),
        cost: Cost::One,
        limit: Some(limit),
    };
    Some(Plan { input: Schema::compile(&plan.implied_input()).ok()?, ..plan })
}

fn plan(name: &str, written: &Operation, judge: &mut Judge<'_>) -> Option<Plan> {
    let place = ["operations", name];
    let (method, key, path) = verb(name, written, judge)?;
    let path = path_template(path, &[place[0], name, key], judge);
    let query = templates(&written.query, &[place[0], name, "query"], judge);
    let json = !matches!(written.body, Some(WrittenBody::Bytes { .. }));
    let headers = header_templates(name, &written.headers, json, judge);
    let body = body(name, &method, written.body.as_ref(), judge);
    let output = output(name, written.output.as_ref(), judge);
    let input = match (&written.input, &path) {
        (Some(schema), Some(path)) => {
            compiled(&requiring(schema.clone(), path), &[place[0], name, "input"], judge).map(Some)
        }
        _ => Some(None),
    };
    let key_header = written.idempotency_header.as_deref().unwrap_or("Idempotency-Key");
    let key_header = header_name(key_header, &[place[0], name, "idempotency_header"], judge);
    let response_headers = kept(name, &written.response_headers, judge);
    let (partition, cost) = (cost::partition(name, written, judge), cost::tokens(name, written, judge));
    check_statuses(name, &written.ok, judge);
    if let Some(says) = written.key.as_ref().and_then(KeyForm::fault) {
        judge.refuse::<()>("REST013", &[place[0], name, "key"], says, "see `key` in the adapter's page");
    }
    let plan = Plan {
        summary: written.summary.clone(),
        repeat: written.repeat.unwrap_or_else(|| default_repeat(&method)),
        method,
        path: path?,
        query: query?,
        headers: headers?,
        body: body?,
        undo: written.undo.clone(),
        input: Schema::any(),
        output: output?,
        key_header: key_header?,
        response_headers: response_headers?,
        ok: written.ok.clone(),
        settles_within: judge.duration(&[place[0], name, "settles_within"]).unwrap_or(port::SETTLES_WITHIN),
        in_progress: in_progress(name, judge),
        verify: written.verify.clone(),
        key_form: written.key.clone(),
        partition: partition?,
        cost: cost?,
        limit: None,
    };
    let input = match input? {
        Some(input) => input,
        None => compiled(&plan.implied_input(), &[place[0], name, "input"], judge)?,
    };
    Some(Plan { input, ..plan })
}

fn in_progress(name: &str, judge: &Judge<'_>) -> InProgress {
    let place = ["operations", name, "in_progress"];
    let statuses = judge.node(&[place[0], name, place[2], "statuses"]).map(Node::items).unwrap_or_default();
    let statuses = statuses.iter().filter_map(Node::u64).filter_map(|status| u16::try_from(status).ok());
    InProgress {
        statuses: statuses.collect(),
        until: judge.duration(&[place[0], name, place[2], "until"]).unwrap_or(port::IN_PROGRESS_UNTIL),
    }
}

/// Reads, replacements and removals by id change nothing when repeated; creations and changes may act twice.
fn default_repeat(method: &Method) -> Repeat {
    if [Method::GET, Method::PUT, Method::DELETE].contains(method) { Repeat::Safe } else { Repeat::Never }
}

fn verb<'a>(
    name: &str,
    written: &'a Operation,
    judge: &mut Judge<'_>,
) -> Option<(Method, &'static str, &'a str)> {
    let verbs = [
        (Method::GET, "get", &written.get),
        (Method::POST, "post", &written.post),
        (Method::PUT, "put", &written.put),
        (Method::PATCH, "patch", &written.patch),
        (Method::DELETE, "delete", &written.delete),
    ];
    let said: Vec<_> =
        verbs.into_iter().filter_map(|(m, key, path)| Some((m, key, path.as_deref()?))).collect();
    let help = "say one of get, post, put, patch, delete, with the path: `post: /orders`";
    match <[_; 1]>::try_from(said) {
        Ok([one]) => Some(one),
        Err(said) if said.is_empty() => {
            judge.refuse("REST004", &["operations", name], format!("{name} has no method"), help)
        }
        Err(_) => judge.refuse("REST004", &["operations", name], format!("{name} has several methods"), help),
    }
}

fn path_template(text: &str, place: &[&str], judge: &mut Judge<'_>) -> Option<Template> {
    let help = "write a path below the system's url, such as /orders/{id}";
    let stays = text.starts_with('/')
        && !text.contains("//")
        && !text.split('/').any(|segment| matches!(segment, "." | ".."))
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\%\"<>^`|".contains(&byte));
    if !stays {
        return judge.refuse("REST003", place, format!("{text:?} is not a plain path"), help);
    }
    Template::parse(text).map_err(|says| judge.refuse::<()>("REST003", place, says, help)).ok()
}

pub(super) fn templates(
    written: &BTreeMap<String, String>,
    place: &[&str],
    judge: &mut Judge<'_>,
) -> Option<Vec<(String, Template)>> {
    let mut read = Vec::new();
    for (name, text) in written {
        match Template::parse(text) {
            Ok(template) => read.push((name.clone(), template)),
            Err(says) => return judge.refuse("REST003", place, says, "write text, or {member} of the input"),
        }
    }
    Some(read)
}

/// The schema that is written at `path`, or what is wrong with it, each mistake at its place.
pub(super) fn compiled(written: &Value, path: &[&str], judge: &mut Judge<'_>) -> Option<Schema> {
    let mistakes = match Schema::compile(written) {
        Ok(schema) => return Some(schema),
        Err(mistakes) => mistakes,
    };
    for Mistake { pointer, says, help } in mistakes {
        let place = judge.within(path, &pointer);
        judge.found.push(Diagnostic::error("REST009", place, says).help(help));
    }
    None
}

fn check_statuses(name: &str, ok: &[u16], judge: &mut Judge<'_>) {
    if let Some(status) = ok.iter().find(|status| !(300..500).contains(*status)) {
        let says = format!("the status {status} cannot be declared a success");
        let help = "2xx always is; 300 to 499 can be";
        judge.refuse::<()>("REST010", &["operations", name, "ok"], says, help);
    }
}
