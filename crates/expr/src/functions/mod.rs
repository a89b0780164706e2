//! The functions an expression may call: none reads a clock, the environment or anything outside its arguments.
//!
//! Each may be written as `f(x, …)` or as `x.f(…)`.

mod list;
mod number;
mod text;

use crate::Ty;
use crate::code::Code;
use crate::fail::{Fail, Outcome};
use crate::limits::Fuel;
use crate::number::Number;
use crate::value::{List, Map, Val};

/// What [`ALL`] does not hold because it is not a plain function of its values.
pub(crate) const SPECIAL: [&str; 9] =
    ["has", "coalesce", "matches", "all", "exists", "exists_one", "map", "filter", "existsOne"];

/// A function of its arguments.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// What it takes; the last may repeat when `more` is set.
    pub(crate) takes: &'static [Want],
    /// How many arguments it needs at least.
    least: usize,
    more: bool,
    returns: Returns,
    pub(crate) run: for<'a> fn(&mut Args<'_, 'a>) -> Outcome<Val<'a>>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What an argument may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Any,
    Number,
    Text,
    List,
    Map,
    /// A number or a list of numbers.
    Numbers,
    /// A boolean, a number or a text.
    Scalar,
    /// Text, a list or a map.
    Sized,
}

#[derive(Clone, Copy, Debug)]
enum Returns {
    Bool,
    Int,
    Number,
    Text,
    Texts,
}

/// Every function, by name.
pub(crate) const ALL: &[Function] = &[
    Function::new("abs", &[Want::Number], Returns::Number, number::abs),
    Function::new("ceil", &[Want::Number], Returns::Int, number::ceil),
    Function::new("contains", &[Want::Text, Want::Text], Returns::Bool, text::contains),
    Function::new("decimal", &[Want::Scalar], Returns::Number, number::decimal),
    Function::new("double", &[Want::Scalar], Returns::Number, number::double),
    Function::new("endsWith", &[Want::Text, Want::Text], Returns::Bool, text::ends_with),
    Function::new("floor", &[Want::Number], Returns::Int, number::floor),
    Function::new("int", &[Want::Scalar], Returns::Int, number::int),
    Function::new("join", &[Want::List, Want::Text], Returns::Text, text::join).least(1),
    Function::new("keys", &[Want::Map], Returns::Texts, list::keys),
    Function::new("lowerAscii", &[Want::Text], Returns::Text, text::lower_ascii),
    Function::new("max", &[Want::Numbers], Returns::Number, list::max).more(),
    Function::new("min", &[Want::Numbers], Returns::Number, list::min).more(),
    Function::new("replace", &[Want::Text, Want::Text, Want::Text], Returns::Text, text::replace),
    Function::new("round", &[Want::Number, Want::Number], Returns::Number, number::round).least(1),
    Function::new("size", &[Want::Sized], Returns::Int, list::size),
    Function::new("split", &[Want::Text, Want::Text], Returns::Texts, text::split),
    Function::new("startsWith", &[Want::Text, Want::Text], Returns::Bool, text::starts_with),
    Function::new("string", &[Want::Scalar], Returns::Text, text::string),
    Function::new("sum", &[Want::List], Returns::Number, list::sum),
    Function::new("toJson", &[Want::Any], Returns::Text, text::to_json),
    Function::new("trim", &[Want::Text], Returns::Text, text::trim),
    Function::new("upperAscii", &[Want::Text], Returns::Text, text::upper_ascii),
];

/// The function of that name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    ALL.iter().find(|function| function.name == name)
}

impl Function {
    const fn new(
        name: &'static str,
        takes: &'static [Want],
        returns: Returns,
        run: for<'a> fn(&mut Args<'_, 'a>) -> Outcome<Val<'a>>,
    ) -> Self {
        Self { name, takes, least: takes.len(), more: false, returns, run }
    }

    const fn least(self, least: usize) -> Self {
        Self { least, ..self }
    }

    const fn more(self) -> Self {
        Self { more: true, ..self }
    }

    pub(crate) fn accepts(&self, count: usize) -> bool {
        count >= self.least && (self.more || count <= self.takes.len())
    }

    /// How many arguments it takes, in words.
    pub(crate) fn arity(&self) -> String {
        let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
        let most = self.takes.len();
        match (self.more, self.least == most) {
            (true, _) => format!("at least {} {}", self.least, plural(self.least)),
            (false, true) => format!("{most} {}", plural(most)),
            (false, false) => format!("{} to {most} arguments", self.least),
        }
    }

    /// What the argument at `index` may be.
    pub(crate) fn want(&self, index: usize) -> Want {
        self.takes[index.min(self.takes.len() - 1)]
    }

    pub(crate) fn returns(&self) -> Ty {
        match self.returns {
            Returns::Bool => Ty::Bool,
            Returns::Int => Ty::Int,
            Returns::Number => Ty::Number,
            Returns::Text => Ty::Text,
            Returns::Texts => Ty::list(Ty::Text),
        }
    }
}

impl Want {
    /// Whether a value of this type may be passed; what is not known is checked when it is evaluated.
    pub(crate) fn allows(self, ty: &Ty) -> bool {
        match ty {
            Ty::Any => true,
            Ty::Null | Ty::Secret => self == Self::Any,
            Ty::Bool => matches!(self, Self::Any | Self::Scalar),
            Ty::Int | Ty::Number => matches!(self, Self::Any | Self::Scalar | Self::Number | Self::Numbers),
            Ty::Text => matches!(self, Self::Any | Self::Scalar | Self::Text | Self::Sized),
            Ty::List(_) => matches!(self, Self::Any | Self::List | Self::Sized | Self::Numbers),
            Ty::Map { .. } => matches!(self, Self::Any | Self::Map | Self::Sized),
        }
    }

    /// The word for it in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Number => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Numbers => "numbers or a list of numbers",
            Self::Scalar => "a number, text or a boolean",
            Self::Sized => "text, a list or a map",
        }
    }
}

/// The evaluated arguments of a call. What is out of bounds reads as null.
pub(crate) struct Args<'e, 'a> {
    pub(crate) values: Vec<Val<'a>>,
    pub(crate) fuel: &'e mut Fuel,
}

impl<'a> Args<'_, 'a> {
    fn get(&self, index: usize) -> &Val<'a> {
        self.values.get(index).unwrap_or(&Val::Null)
    }

    /// The text at `index`, paid for as if it were read once.
    fn text(&mut self, index: usize) -> Outcome<&str> {
        if let Some(Val::Text(text)) = self.values.get(index) {
            self.fuel.spend_text(text.len())?;
        }
        match self.get(index) {
            Val::Text(text) => Ok(text),
            other => Err(wrong(Want::Text, other)),
        }
    }

    fn number(&self, index: usize) -> Outcome<Number> {
        number_of(self.get(index))
    }

    fn list(&mut self, index: usize) -> Outcome<List<'a>> {
        match self.get(index).clone() {
            Val::List(list) => {
                self.fuel.spend(list.len())?;
                Ok(list)
            }
            other => Err(wrong(Want::List, &other)),
        }
    }

    fn map(&mut self, index: usize) -> Outcome<Map<'a>> {
        match self.get(index).clone() {
            Val::Map(map) => {
                self.fuel.spend(map.len())?;
                Ok(map)
            }
            other => Err(wrong(Want::Map, &other)),
        }
    }
}

fn number_of(value: &Val<'_>) -> Outcome<Number> {
    match value {
        Val::Number(number) => Ok(*number),
        other => Err(wrong(Want::Number, other)),
    }
}

fn wrong(want: Want, value: &Val<'_>) -> Box<Fail> {
    let fail = Fail::new(Code::WrongType, format!("expected {}, found {}", want.word(), value.kind()));
    if matches!(value, Val::Null) { fail } else { fail.value(value) }
}
