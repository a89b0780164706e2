//! Equality and order. Values of different types are never silently unequal.

use std::cmp::Ordering;

use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::limits::Fuel;
use crate::value::{List, Map, Val};

/// Whether two values are equal. `null` may be compared with anything; other different types may not.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>, fuel: &mut Fuel) -> Outcome<bool> {
    fuel.spend(1)?;
    match (left, right) {
        (Val::Null, Val::Null) => Ok(true),
        (Val::Null, _) | (_, Val::Null) => Ok(false),
        (Val::Bool(left), Val::Bool(right)) => Ok(left == right),
        (Val::Number(left), Val::Number(right)) => Ok(left.compare(*right).is_eq()),
        (Val::Text(left), Val::Text(right)) => {
            fuel.spend_text(left.len().min(right.len()))?;
            Ok(**left == **right)
        }
        (Val::List(left), Val::List(right)) => lists(left, right, fuel),
        (Val::Map(left), Val::Map(right)) => maps(left, right, fuel),
        _ => Err(different(left, right)),
    }
}

fn lists(left: &List<'_>, right: &List<'_>, fuel: &mut Fuel) -> Outcome<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    for (left, right) in left.iter().zip(right.iter()) {
        if !equal(&left, &right, fuel)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn maps(left: &Map<'_>, right: &Map<'_>, fuel: &mut Fuel) -> Outcome<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    fuel.spend(left.len())?;
    for key in left.keys() {
        let Val::Text(key) = key else { continue };
        let (Some(left), Some(right)) = (left.get(&key), right.get(&key)) else { return Ok(false) };
        if !equal(&left, &right, fuel)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two numbers or of two texts.
pub(crate) fn order(left: &Val<'_>, right: &Val<'_>, fuel: &mut Fuel) -> Outcome<Ordering> {
    match (left, right) {
        (Val::Number(left), Val::Number(right)) => Ok(left.compare(*right)),
        (Val::Text(left), Val::Text(right)) => {
            fuel.spend_text(left.len().min(right.len()))?;
            Ok((**left).cmp(&**right))
        }
        _ => Err(different(left, right)),
    }
}

fn different(left: &Val<'_>, right: &Val<'_>) -> Box<Fail> {
    let message = format!("{} cannot be compared with {}", left.kind(), right.kind());
    let fail = Fail::new(Code::DifferentTypes, message).value(format!("{left} and {right}"));
    match (left, right) {
        (Val::Text(_), Val::Number(_)) | (Val::Number(_), Val::Text(_)) => {
            fail.help("convert one of them: `decimal(text)` or `string(number)`")
        }
        (Val::Null, _) | (_, Val::Null) => fail.help("give it a default: `coalesce(value, default)`"),
        _ => fail,
    }
}
