//! Numbers: whole ones, exact decimals, and floats only where a decimal cannot hold them.
//!
//! JSON has one kind of number, so `5` and `5.0` must behave alike: division is exact (`7 / 2` is `3.5`), and
//! operations that leave the range fail. A decimal has 28 digits; a float comes only from a document that holds
//! something like `1e300`.

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
        match number.as_u64() {
            Some(uint) => Self::Decimal(Decimal::from(uint)),
            None => Self::from_float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// The decimal that is written like the float, when a decimal can hold it.
    pub(crate) fn from_float(float: f64) -> Self {
        if let Some(decimal) = short(float) {
            return Self::Decimal(decimal);
        }
        let fits = float == 0.0 || (1e-28..1e28).contains(&float.abs());
        match fits.then(|| Decimal::from_str_exact(&float.to_string())) {
            Some(Ok(decimal)) => Self::Decimal(decimal),
            _ => Self::Float(float),
        }
    }

    /// Reads a whole or decimal number as it is written, keeping its digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(int) = text.parse() {
            return Some(Self::Int(int));
        }
        if let Ok(decimal) = Decimal::from_str_exact(text) {
            return Some(Self::Decimal(decimal));
        }
        let float = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        text.parse().ok().filter(|number: &f64| float && number.is_finite()).map(Self::from_float)
    }

    /// The nearest JSON number; whole values become JSON integers.
    pub(crate) fn to_json(self) -> Option<Json> {
        match self {
            Self::Int(int) => Some(Json::from(int)),
            Self::Float(float) => Json::from_f64(float),
            Self::Decimal(decimal) if decimal.is_integer() => match decimal.to_i64() {
                Some(int) => Some(Json::from(int)),
                None => decimal.to_u64().map(Json::from).or_else(|| Json::from_f64(self.to_float())),
            },
            Self::Decimal(_) => Json::from_f64(self.to_float()),
        }
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
            Self::Decimal(decimal) => Ok(Self::Decimal(-decimal)),
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
            _ => float(self.to_float(), operator, other.to_float()),
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

/// The way of prices and rates: up to four places and 15 digits. A quotient of two exact floats is rounded
/// correctly, so the decimal that yields the float is the one it was written as.
fn short(float: f64) -> Option<Decimal> {
    [1.0, 10.0, 100.0, 1000.0, 10_000.0].into_iter().zip(0..).find_map(|(power, places)| {
        let digits = (float * power).round();
        let exact = digits.abs() < 1e15 && digits / power == float;
        exact.then(|| Decimal::new(digits as i64, places))
    })
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
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide => left.checked_div(right),
        Operator::Remainder => left.checked_rem(right),
    }
}

fn float(left: f64, operator: Operator, right: f64) -> Outcome<Number> {
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
    };
    if result.is_finite() { Ok(Number::from_float(result)) } else { Err(overflow()) }
}

pub(crate) fn overflow() -> Box<Fail> {
    Fail::new(Code::Overflow, "the result is beyond the range of numbers")
        .help("whole numbers have 64 bits, decimals 28 digits")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rust_decimal::Decimal;

    use super::{Number, short};

    proptest! {
        /// The quick way to a decimal and the way over its text come to the same.
        #[test]
        fn a_float_becomes_the_decimal_it_was_written_as(digits in -1_000_000_000_i64..1_000_000_000, places in 0..8_u32) {
            let written = Decimal::new(digits, places).to_string();
            let float: f64 = written.parse().unwrap();
            let found = short(float).or_else(|| Number::from_float(float).to_decimal());
            prop_assert_eq!(found, written.parse().ok());
            prop_assert_eq!(found, float.to_string().parse().ok());
        }
    }
}
