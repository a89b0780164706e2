//! Functions of numbers, and the conversions to them.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Args, Want, wrong};
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::number::{Number, overflow};
use crate::value::Val;

/// Money rounds half away from zero; `round(x, 2)` keeps two places also when they are zeros.
pub(super) fn round<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let places = if args.values.len() > 1 { args.number(1)?.to_int() } else { Some(0) };
    let Some(places) = places.and_then(|places| u32::try_from(places).ok()).filter(|places| *places <= 28)
    else {
        return Err(Fail::new(Code::OutOfRange, "`round` takes 0 to 28 places").value(args.get(1)));
    };
    let number = exact(args.number(0)?)?;
    let mut rounded = number.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(places);
    Ok(Val::Number(Number::Decimal(rounded)))
}

pub(super) fn floor<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    Ok(Val::Number(Number::Decimal(exact(args.number(0)?)?.floor())))
}

pub(super) fn ceil<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    Ok(Val::Number(Number::Decimal(exact(args.number(0)?)?.ceil())))
}

pub(super) fn abs<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let number = args.number(0)?;
    let negative = number.compare(Number::Int(0)).is_lt();
    Ok(Val::Number(if negative { number.negate()? } else { number }))
}

/// Cuts the places off a number; reads a text that is a whole number.
pub(super) fn int<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let int = match args.get(0) {
        Val::Number(number) => Number::Decimal(exact(*number)?.trunc()).to_int().ok_or_else(overflow)?,
        Val::Text(text) => text.parse().map_err(|_| unreadable("a whole number", args.get(0)))?,
        other => return Err(wrong(Want::Scalar, other)),
    };
    Ok(Val::Number(Number::Int(int)))
}

pub(super) fn double<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    match args.get(0) {
        Val::Number(number) => Ok(Val::Number(*number)),
        Val::Text(text) => {
            Number::parse(text).map(Val::Number).ok_or_else(|| unreadable("a number", args.get(0)))
        }
        other => Err(wrong(Want::Scalar, other)),
    }
}

pub(super) fn decimal<'a>(args: &mut Args<'_, 'a>) -> Outcome<Val<'a>> {
    let Val::Number(number) = double(args)? else { return Err(wrong(Want::Number, args.get(0))) };
    Ok(Val::Number(Number::Decimal(exact(number)?)))
}

fn exact(number: Number) -> Outcome<Decimal> {
    number.to_decimal().ok_or_else(overflow)
}

fn unreadable(what: &str, value: &Val<'_>) -> Box<Fail> {
    Fail::new(Code::Conversion, format!("the text is not {what}")).value(value)
}
