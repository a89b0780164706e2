//! Acts: what every act has, then what its type has.

use serde_json::Value;

use super::body;
use super::members::Members;
use super::open::{Form, OpenMember};
use super::scalar::{act_id, text, time, unit, word};
use crate::issue::{At, Findings, code};
use crate::rules::is_custom_name;
use crate::{Act, ActId, Body, Custom, Kind, Map, Rules, Word as _};

/// What is known of an act's metadata.
pub(crate) const BASE_METADATA: &[OpenMember] = &[
    ("channel", Form::Text),
    ("language", Form::Language),
    ("original_text", Form::Text),
    ("processing_time_ms", Form::Amount),
];

pub(crate) fn act(value: Value, at: At<'_>, rules: &Rules, found: &mut Findings) -> Option<Act> {
    let mut members = Members::open(value, at, rules, found)?;
    if rules.is_compat() {
        members.mend(|found, map| found.mended.unwrap(map));
    }
    let id = members.required("id", act_id);
    members.bounded("id", id.as_ref().map(ActId::as_str), ActId::LONGEST);
    let timestamp = members.required("timestamp", time);
    let speaker = members.filled("speaker");
    let confidence = members.optional("confidence", unit);
    let source = members.optional("source", word);
    let metadata = members.open_object("metadata", BASE_METADATA);
    let type_ = members.required("type", text).and_then(|name| resolve(name, &mut members))?;
    let (body, extra) = said(type_, members);
    Some(Act {
        id: id?,
        timestamp: timestamp?,
        speaker: speaker?,
        confidence,
        source,
        metadata,
        body: body?,
        extra,
    })
}

enum Type {
    Known(Kind),
    Custom(String),
}

/// Which type of act a name means. Without a type nothing can be said about the other members.
fn resolve(name: String, members: &mut Members<'_>) -> Option<Type> {
    if let Some(kind) = Kind::parse(&name) {
        return Some(Type::Known(kind));
    }
    let stored = members.rules.is_compat() && is_custom_name(&name);
    if stored || members.rules.custom(&name).is_some() {
        return Some(Type::Custom(name));
    }
    let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.extend(members.rules.custom_names());
    let message = format!("expected one of {}", names.join(", "));
    members.found.shape(&members.at.member("type"), code::UNKNOWN_TYPE, message);
    None
}

fn said(type_: Type, mut members: Members<'_>) -> (Option<Body>, Map) {
    let kind = match type_ {
        Type::Known(kind) => kind,
        Type::Custom(name) => return (Some(custom(name, members)), Map::new()),
    };
    let body = match kind {
        Kind::Ask => body::ask(&mut members).map(Body::Ask),
        Kind::Fact => body::fact(&mut members).map(Body::Fact),
        Kind::Confirm => body::confirm(&mut members).map(Body::Confirm),
        Kind::Commit => body::commit(&mut members).map(Body::Commit),
        Kind::Error => body::failure(&mut members).map(Body::Error),
    };
    (body, members.close_or_keep())
}

fn custom(name: String, members: Members<'_>) -> Body {
    let (rules, base) = (members.rules, members.at.pointer());
    let judge = rules.custom(&name);
    // `rest` gives the members away, so the findings are written first.
    let issues = judge.map(|judge| judge(members.peek())).unwrap_or_default();
    for mut issue in issues {
        issue.pointer.insert_str(0, &base);
        members.found.shape.push(issue);
    }
    Body::Custom(Custom { name, members: members.rest() })
}
