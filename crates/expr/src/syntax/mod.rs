//! The grammar of CEL: from text to a syntax tree, without knowing any name.
//!
//! Written here rather than taken from the `cel` crate, whose generated parser takes up to 170 KiB of stack for each
//! bracket and can panic. That crate is the oracle of the tests: both must accept the same texts and see the same tree.

mod literal;
mod parser;
mod token;

#[cfg(test)]
mod tests;

pub(crate) use parser::parse;

use crate::number::Number;
use crate::tree::{At, Operator, Order};

/// A node as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Syntax {
    pub(crate) form: Form,
    /// The name, literal or operator that makes the node what it is.
    pub(crate) at: At,
}

/// The forms of the grammar. Macros (`has`, `map`, …) are calls.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Bytes,
    Name(String),
    Select(Box<Syntax>, String),
    Index(Box<Syntax>, Box<Syntax>),
    Call { target: Option<Box<Syntax>>, name: String, args: Vec<Syntax> },
    List(Vec<Syntax>),
    Map(Vec<(Syntax, Syntax)>),
    Not(Box<Syntax>),
    Negate(Box<Syntax>),
    Binary(Binary, Box<Syntax>, Box<Syntax>),
    If(Box<Syntax>, Box<Syntax>, Box<Syntax>),
}

/// The operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Or,
    And,
    Equal,
    NotEqual,
    In,
    Order(Order),
    Arithmetic(Operator),
}

impl Binary {
    /// How tightly it binds; all bind to the left.
    fn level(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual | Self::In | Self::Order(_) => 3,
            Self::Arithmetic(Operator::Add | Operator::Subtract) => 4,
            Self::Arithmetic(Operator::Multiply | Operator::Divide | Operator::Remainder) => 5,
        }
    }

    fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "||" => Self::Or,
            "&&" => Self::And,
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "in" => Self::In,
            "<" => Self::Order(Order::Less),
            "<=" => Self::Order(Order::LessOrEqual),
            ">" => Self::Order(Order::Greater),
            ">=" => Self::Order(Order::GreaterOrEqual),
            "+" => Self::Arithmetic(Operator::Add),
            "-" => Self::Arithmetic(Operator::Subtract),
            "*" => Self::Arithmetic(Operator::Multiply),
            "/" => Self::Arithmetic(Operator::Divide),
            "%" => Self::Arithmetic(Operator::Remainder),
            _ => return None,
        })
    }
}
