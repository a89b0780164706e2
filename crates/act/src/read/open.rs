//! Open objects: anything may stand in them, and a few known members have their form.

use serde_json::Value;

use super::scalar;
use crate::issue::{At, Findings, code};
use crate::{Map, Rules};

/// A known member of an open object.
pub(crate) type OpenMember = (&'static str, Form);

/// The form of a known member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Texts,
    Language,
    Count,
    Amount,
    Unit,
}

/// Judges the known members in place. Compat mode drops those that are null.
pub(crate) fn open(map: &mut Map, known: &[OpenMember], at: &At<'_>, rules: &Rules, found: &mut Findings) {
    for (name, form) in known {
        match map.get(*name) {
            None => {}
            Some(Value::Null) if rules.is_compat() => {
                map.remove(*name);
                found.mended.nulls_dropped += 1;
            }
            Some(value) => judge(value, *form, &at.member(name), found),
        }
    }
}

fn judge(value: &Value, form: Form, at: &At<'_>, found: &mut Findings) {
    let copy = || value.clone();
    let verdict = match form {
        // The usual case is decided without a copy.
        Form::Text if value.is_string() => return,
        Form::Texts if value.is_array() => return texts(value, at, found),
        Form::Text => scalar::text(copy()).map(drop),
        Form::Texts => scalar::array(copy()).map(drop),
        Form::Language => scalar::language(copy()).map(drop),
        Form::Count => scalar::count(copy()).map(drop),
        Form::Amount => scalar::amount(copy()).map(drop),
        Form::Unit => scalar::unit(copy()).map(drop),
    };
    if let Err(wrong) = verdict {
        found.shape(at, wrong.code, wrong.message);
    }
}

fn texts(value: &Value, at: &At<'_>, found: &mut Findings) {
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        if !item.is_string() {
            let message = format!("expected a string, found {}", scalar::name(item));
            found.shape(&at.item(index), code::TYPE, message);
        }
    }
}
