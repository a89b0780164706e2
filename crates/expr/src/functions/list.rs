//! Functions of lists and maps.

use std::cmp::Ordering;

use super::{Args, Want, number_of, wrong};
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::number::Number;
use crate::tree::Operator;
use crate::value::Val;

/// Characters of a text, items of a list, entries of a map.
pub(super) fn size<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let size = match args.get(0) {
        Val::Text(_) => args.text(0)?.chars().count(),
        Val::List(list) => list.len(),
        Val::Map(map) => map.len(),
        other => return Err(wrong(Want::Sized, other)),
    };
    Ok(Val::Number(Number::Int(i64::try_from(size).unwrap_or(i64::MAX))))
}

pub(super) fn keys<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    Ok(Val::list(args.map(0)?.keys()))
}

pub(super) fn sum<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let mut sum = Number::Int(0);
    for item in args.list(0)?.iter() {
        sum = sum.apply(Operator::Add, number_of(&item)?)?;
    }
    Ok(Val::Number(sum))
}

pub(super) fn min<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    extreme(args, Ordering::Less)
}

pub(super) fn max<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    extreme(args, Ordering::Greater)
}

fn extreme<'a>(args: &mut Args<'_, 'a>, wanted: Ordering) -> Outcome<Val<'a>> {
    let mut best: Option<Number> = None;
    for number in numbers(args)? {
        best = Some(best.filter(|best| number.compare(*best) != wanted).unwrap_or(number));
    }
    let empty = || Fail::new(Code::OutOfRange, "an empty list has no smallest or largest number");
    best.map(Val::Number).ok_or_else(empty)
}

/// The arguments, with lists among them spread out.
fn numbers(args: &mut Args<'_, '_>) -> Outcome<Vec<Number>> {
    let mut numbers = Vec::new();
    for index in 0..args.values.len() {
        match args.get(index) {
            Val::List(_) => {
                for item in args.list(index)?.iter() {
                    numbers.push(number_of(&item)?);
                }
            }
            other => numbers.push(number_of(other)?),
        }
    }
    Ok(numbers)
}
