//! Values while an expression is evaluated: views into the documents, copied only where something new is made.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::limits::RESULT_WEIGHT;
use crate::number::Number;

/// A value; cloning it never copies text, lists or maps.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    List(List<'a>),
    Map(Map<'a>),
}

/// Text of a document or of the expression, or made by it.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Made(Rc<str>),
}

/// A list of a document, or made by the expression.
#[derive(Clone, Debug)]
pub(crate) enum List<'a> {
    Json(&'a [Json]),
    Made(Rc<Vec<Val<'a>>>),
}

/// A map of a document, or made by the expression.
#[derive(Clone, Debug)]
pub(crate) enum Map<'a> {
    Json(&'a serde_json::Map<String, Json>),
    Made(Rc<BTreeMap<String, Val<'a>>>),
}

impl<'a> From<&'a Json> for Val<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Bool(*flag),
            Json::Number(number) => Self::Number(Number::from_json(number)),
            Json::String(text) => Self::Text(Text::Borrowed(text)),
            Json::Array(items) => Self::List(List::Json(items)),
            Json::Object(map) => Self::Map(Map::Json(map)),
        }
    }
}

impl<'a> Val<'a> {
    pub(crate) fn text(text: impl Into<Rc<str>>) -> Self {
        Self::Text(Text::Made(text.into()))
    }

    pub(crate) fn list(items: Vec<Val<'a>>) -> Self {
        Self::List(List::Made(Rc::new(items)))
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The JSON of the value, while it stays within the weight of a result.
    pub(crate) fn to_json(&self) -> Outcome<Json> {
        self.to_json_within(&mut { RESULT_WEIGHT })
    }

    /// The JSON of the value, while there is room for it.
    pub(crate) fn to_json_within(&self, room: &mut usize) -> Outcome<Json> {
        take(room, 16)?;
        Ok(match self {
            Self::Null => Json::Null,
            Self::Bool(flag) => Json::Bool(*flag),
            Self::Number(number) => Json::Number(number.to_json()?),
            Self::Text(text) => {
                take(room, text.len())?;
                Json::String(text.to_string())
            }
            Self::List(List::Json(items)) => {
                items.iter().try_for_each(|item| weigh(item, room))?;
                Json::Array(items.to_vec())
            }
            Self::List(List::Made(items)) => {
                Json::Array(items.iter().map(|item| item.to_json_within(room)).collect::<Outcome<_>>()?)
            }
            Self::Map(Map::Json(map)) => {
                map.values().try_for_each(|value| weigh(value, room))?;
                Json::Object((*map).clone())
            }
            Self::Map(Map::Made(map)) => {
                map.iter().map(|entry| weigh_entry(entry, room)).collect::<Outcome<_>>()?
            }
        })
    }
}

fn weigh_entry((key, value): (&String, &Val<'_>), room: &mut usize) -> Outcome<(String, Json)> {
    take(room, key.len())?;
    if json::is_reserved(key) {
        return Err(Fail::new(
            Code::Conversion,
            "a member must not be named like something of the JSON library",
        ));
    }
    Ok((key.clone(), value.to_json_within(room)?))
}

/// Weighs a part of a document before it is copied.
fn weigh(json: &Json, room: &mut usize) -> Outcome<()> {
    take(room, 16)?;
    match json {
        Json::String(text) => take(room, text.len()),
        Json::Array(items) => items.iter().try_for_each(|item| weigh(item, room)),
        Json::Object(map) => map.iter().try_for_each(|(key, value)| {
            take(room, key.len())?;
            weigh(value, room)
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

fn take(room: &mut usize, weight: usize) -> Outcome<()> {
    *room = room.checked_sub(weight).ok_or_else(|| Fail::new(Code::TooLarge, "the result is too large"))?;
    Ok(())
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Json(items) => items.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, index: usize) -> Option<Val<'a>> {
        match self {
            Self::Json(items) => items.get(index).map(Val::from),
            Self::Made(items) => items.get(index).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Val<'a>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Json(map) => map.len(),
            Self::Made(map) => map.len(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, key: &str) -> Option<Val<'a>> {
        match self {
            Self::Json(map) => map.get(key).map(Val::from),
            Self::Made(map) => map.get(key).cloned(),
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        match self {
            Self::Json(map) => map.contains_key(key),
            Self::Made(map) => map.contains_key(key),
        }
    }

    pub(crate) fn keys(&self) -> Vec<Val<'a>> {
        match self {
            Self::Json(map) => map.keys().map(|key| Val::Text(Text::Borrowed(key))).collect(),
            Self::Made(map) => map.keys().map(|key| Val::text(key.as_str())).collect(),
        }
    }
}

/// A scalar as an error shows it; lists and maps only by their size.
impl fmt::Display for Val<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{:?}", &**text),
            Self::List(list) => write!(f, "a list of {}", list.len()),
            Self::Map(map) => write!(f, "a map of {}", map.len()),
        }
    }
}
