//! Numbers: whole ones, exact decimals, and floats only where a decimal cannot hold them.
//!
//! JSON has one kind of number, so `5` and `5.0` must behave alike: `7 / 2` is `3.5`. A decimal has 28 digits, and
//! operations whose result would need more fail; only a quotient is rounded, at its 28th digit. A float comes only from
//! a document that holds something like `1e300`; it is compared and passed on, never computed with.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Number as Json;

use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::tree::Operator;

/// A number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Decimal(Decimal),
    Float(f64),
}

impl Number {
    pub(crate) fn from_json(number: &Json) -> Self {
        if let Some(int) = number.as_i64() {
            return Self::Int(int);
        }
        match json::decimal(number) {
            Some(decimal) => Self::Decimal(decimal),
            None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// Reads a whole or decimal number as it is written; none when it cannot be kept exactly.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.parse() {
            Ok(int) => Some(Self::Int(int)),
            Err(_) => json::exact(text).as_ref().map(Self::from_json),
        }
    }

    /// The JSON number of the same value; whole values become JSON integers.
    pub(crate) fn to_json(self) -> Outcome<Json> {
        let number = match self {
            Self::Int(int) => Some(Json::from(int)),
            Self::Decimal(decimal) => json::from_decimal(decimal),
            Self::Float(float) => json::from_float(float),
        };
        number.ok_or_else(overflow)
    }

    pub(crate) fn to_float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            // The text is the shortest way to the nearest float; `Decimal::to_f64` rounds twice.
            Self::Decimal(decimal) => decimal.to_string().parse().unwrap_or(f64::NAN),
            Self::Float(float) => float,
        }
    }

    /// The exact decimal; a float has none.
    pub(crate) fn to_decimal(self) -> Option<Decimal> {
        match self {
            Self::Int(int) => Some(Decimal::from(int)),
            Self::Decimal(decimal) => Some(decimal),
            Self::Float(_) => None,
        }
    }

    /// The whole number of the same value, if there is one.
    pub(crate) fn to_int(self) -> Option<i64> {
        match self {
            Self::Int(int) => Some(int),
            Self::Decimal(decimal) => decimal.is_integer().then(|| decimal.to_i64()).flatten(),
            Self::Float(_) => None,
        }
    }

    pub(crate) fn negate(self) -> Outcome<Self> {
        match self {
            Self::Int(int) => int.checked_neg().map(Self::Int).ok_or_else(overflow),
            Self::Decimal(decimal) => Ok(Self::Decimal(if decimal.is_zero() { decimal } else { -decimal })),
            Self::Float(float) => Ok(Self::Float(-float)),
        }
    }

    pub(crate) fn apply(self, operator: Operator, other: Self) -> Outcome<Self> {
        if matches!(operator, Operator::Divide | Operator::Remainder) && other.is_zero() {
            return Err(Fail::new(Code::DivisionByZero, format!("{} by zero", operator.doing())));
        }
        if let (Self::Int(left), Self::Int(right)) = (self, other)
            && let Some(whole) = whole(left, operator, right)
        {
            return whole;
        }
        match (self.to_decimal(), other.to_decimal()) {
            (Some(left), Some(right)) => {
                decimal(left, operator, right).map(Self::Decimal).ok_or_else(overflow)
            }
            _ => Err(overflow()),
        }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => left.cmp(&right),
            _ => match (self.to_decimal(), other.to_decimal()) {
                (Some(left), Some(right)) => left.cmp(&right),
                // Only finite floats exist here: JSON has no others and arithmetic refuses them.
                _ => self.to_float().total_cmp(&other.to_float()),
            },
        }
    }

    fn is_zero(self) -> bool {
        match self {
            Self::Int(int) => int == 0,
            Self::Decimal(decimal) => decimal.is_zero(),
            Self::Float(float) => float == 0.0,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(int) => int.fmt(f),
            Self::Decimal(decimal) => decimal.fmt(f),
            Self::Float(float) => write!(f, "{float:e}"),
        }
    }
}

/// The result in whole numbers; none when a division does not come out even.
fn whole(left: i64, operator: Operator, right: i64) -> Option<Outcome<Number>> {
    let result = match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide if left.wrapping_rem(right) != 0 => return None,
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
    };
    Some(result.map(Number::Int).ok_or_else(overflow))
}

fn decimal(left: Decimal, operator: Operator, right: Decimal) -> Option<Decimal> {
    match operator {
        Operator::Add => json::add(left, right),
        Operator::Subtract => json::subtract(left, right),
        Operator::Multiply => json::multiply(left, right),
        Operator::Divide => json::divide(left, right),
        Operator::Remainder => json::remainder(left, right),
    }
}

pub(crate) fn overflow() -> Box<Fail> {
    Fail::new(Code::Overflow, "the result is beyond the range of exact numbers")
        .help("whole numbers have 64 bits, decimals 28 significant digits")
}
