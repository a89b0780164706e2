//! Evaluates a tree over a scope. Every node visited costs a step, so evaluation always ends soon.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::Scope;
use crate::code::Code;
use crate::compare::{equal, order};
use crate::fail::{Fail, Outcome};
use crate::functions::{Args, Function};
use crate::limits::Fuel;
use crate::number::Number;
use crate::tree::{Expr, Kind, Literal, Operator};
use crate::value::{List, Map, Text, Val};

/// One evaluation: what it reads, the items of the loops it is in, and the steps it has left.
pub(crate) struct Eval<'a, 's> {
    pub(crate) scope: &'s Scope<'a>,
    pub(crate) locals: Vec<Val<'a>>,
    pub(crate) fuel: Fuel,
}

impl<'a, 's> Eval<'a, 's> {
    pub(crate) fn new(scope: &'s Scope<'a>) -> Self {
        Self { scope, locals: Vec::new(), fuel: Fuel::default() }
    }

    /// The value of a node; a failure knows the innermost node it happened in.
    pub(crate) fn value(&mut self, expr: &'a Expr) -> Outcome<Val<'a>> {
        self.fuel.spend(1).and_then(|()| self.kind(&expr.kind)).map_err(|fail| fail.at(expr.at))
    }

    fn kind(&mut self, kind: &'a Kind) -> Outcome<Val<'a>> {
        match kind {
            Kind::Literal(literal) => Ok(constant(literal)),
            Kind::Root(name) => self.root(name),
            Kind::Local(depth) => Ok(self.locals.get(*depth).cloned().unwrap_or(Val::Null)),
            Kind::Field(of, name) => field(&self.value(of)?, name),
            Kind::Index(of, index) => self.index(of, index),
            Kind::Has(of, name) => self.has(of, name),
            Kind::List(items) => self.all(items).map(Val::list),
            Kind::Map(entries) => self.map(entries),
            Kind::Not(of) => Ok(Val::Bool(!self.truth(of)?)),
            Kind::Negate(of) => self.negate(of),
            Kind::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right),
            Kind::Order(wanted, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(Val::Bool(wanted.holds(order(&left, &right, &mut self.fuel)?)))
            }
            Kind::Equal(wanted, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(Val::Bool(equal(&left, &right, &mut self.fuel)? == *wanted))
            }
            Kind::In(item, of) => self.contained(item, of),
            Kind::And(left, right) => self.decide(false, left, right),
            Kind::Or(left, right) => self.decide(true, left, right),
            Kind::If(condition, yes, no) => {
                let chosen = if self.truth(condition)? { yes } else { no };
                self.value(chosen)
            }
            Kind::Coalesce(items) => self.coalesce(items),
            Kind::Matches(text, pattern) => self.matches(text, pattern),
            Kind::Loop(body) => self.run_loop(body),
            Kind::Call(function, args) => self.call(function, args),
        }
    }

    fn root(&self, name: &str) -> Outcome<Val<'a>> {
        let unbound = || Fail::new(Code::Unbound, format!("`{name}` has no value here yet"));
        self.scope.get(name).map(Val::from).ok_or_else(unbound)
    }

    pub(crate) fn all(&mut self, items: &'a [Expr]) -> Outcome<Vec<Val<'a>>> {
        items.iter().map(|item| self.value(item)).collect()
    }

    /// The truth of a node that must be a boolean.
    pub(crate) fn truth(&mut self, expr: &'a Expr) -> Outcome<bool> {
        match self.value(expr)? {
            Val::Bool(flag) => Ok(flag),
            other => Err(not_boolean(&other).at(expr.at)),
        }
    }

    fn index(&mut self, of: &'a Expr, index: &'a Expr) -> Outcome<Val<'a>> {
        match (self.value(of)?, self.value(index)?) {
            (Val::List(list), Val::Number(number)) => item(&list, number),
            (Val::Map(map), Val::Text(key)) => map.get(&key).ok_or_else(|| {
                Fail::new(Code::Missing, "there is no such key").value(format!("{:?}", &*key))
            }),
            (Val::Null, _) => Err(Fail::new(Code::Null, "null has no items")),
            (Val::List(_), other) => Err(wrong("the index of a list must be a number", &other)),
            (Val::Map(_), other) => Err(wrong("the key of a map must be text", &other)),
            (other, _) => Err(wrong("only lists and maps have items", &other)),
        }
    }

    fn has(&mut self, of: &'a Expr, name: &str) -> Outcome<Val<'a>> {
        match self.value(of)? {
            Val::Map(map) => Ok(Val::Bool(map.has(name))),
            other => no_fields(&other, name).map(|()| Val::Bool(false)),
        }
    }

    fn map(&mut self, entries: &'a [(Expr, Expr)]) -> Outcome<Val<'a>> {
        let mut map = BTreeMap::new();
        for (key, value) in entries {
            let Val::Text(name) = self.value(key)? else {
                return Err(Fail::new(Code::WrongType, "the key of a map must be text").at(key.at));
            };
            // A key is copied and put in its place: more work than a step.
            self.fuel.spend(8 + name.len() / 64)?;
            if map.insert(name.to_string(), self.value(value)?).is_some() {
                return Err(Fail::new(Code::WrongType, "the same key twice").at(key.at));
            }
        }
        Ok(Val::Map(Map::Made(Rc::new(map))))
    }

    fn negate(&mut self, of: &'a Expr) -> Outcome<Val<'a>> {
        match self.value(of)? {
            Val::Number(number) => number.negate().map(Val::Number),
            other => Err(wrong("only a number can be negated", &other)),
        }
    }

    fn arithmetic(&mut self, operator: Operator, left: &'a Expr, right: &'a Expr) -> Outcome<Val<'a>> {
        match (operator, self.value(left)?, self.value(right)?) {
            (_, Val::Number(left), Val::Number(right)) => left.apply(operator, right).map(Val::Number),
            (Operator::Add, Val::Text(left), Val::Text(right)) => self.concatenate(&left, &right),
            (Operator::Add, Val::List(left), Val::List(right)) => {
                self.fuel.spend(left.len() + right.len())?;
                Ok(Val::list(left.iter().chain(right.iter()).collect()))
            }
            (_, left, right) => Err(unfit(operator, &left, &right)),
        }
    }

    fn concatenate(&mut self, left: &str, right: &str) -> Outcome<Val<'a>> {
        self.fuel.make_text(left.len() + right.len())?;
        Ok(Val::text([left, right].concat()))
    }

    fn contained(&mut self, item: &'a Expr, of: &'a Expr) -> Outcome<Val<'a>> {
        match (self.value(item)?, self.value(of)?) {
            (item, Val::List(list)) => {
                for other in list.iter() {
                    if equal(&item, &other, &mut self.fuel)? {
                        return Ok(Val::Bool(true));
                    }
                }
                Ok(Val::Bool(false))
            }
            (Val::Text(key), Val::Map(map)) => Ok(Val::Bool(map.has(&key))),
            (other, Val::Map(_)) => Err(wrong("the key of a map must be text", &other)),
            (_, other) => Err(wrong("`in` looks into a list or a map", &other)),
        }
    }

    /// `||` (decided by true) and `&&` (decided by false): as CEL has it, a side that decides wins over a side
    /// that fails, so the order of the sides does not matter.
    fn decide(&mut self, decisive: bool, left: &'a Expr, right: &'a Expr) -> Outcome<Val<'a>> {
        let first = self.truth(left);
        match &first {
            Ok(flag) if *flag == decisive => return Ok(Val::Bool(decisive)),
            Err(fail) if fail.code.ends_evaluation() => return first.map(Val::Bool),
            Ok(_) | Err(_) => {}
        }
        match self.truth(right) {
            Ok(flag) if flag == decisive => Ok(Val::Bool(decisive)),
            Err(fail) if fail.code.ends_evaluation() => Err(fail),
            second => first.and(second).map(Val::Bool),
        }
    }

    fn coalesce(&mut self, items: &'a [Expr]) -> Outcome<Val<'a>> {
        for item in items {
            match self.value(item) {
                Ok(Val::Null) => {}
                Err(fail) if fail.code.says_absent() => {}
                found => return found,
            }
        }
        Ok(Val::Null)
    }

    fn matches(&mut self, text: &'a Expr, pattern: &'a regex::Regex) -> Outcome<Val<'a>> {
        match self.value(text)? {
            Val::Text(text) => {
                self.fuel.spend(1 + text.len() / 16)?;
                Ok(Val::Bool(pattern.is_match(&text)))
            }
            other => Err(wrong("only text can match a pattern", &other)),
        }
    }

    fn call(&mut self, function: &'static Function, args: &'a [Expr]) -> Outcome<Val<'a>> {
        let values = self.all(args)?;
        (function.run)(&mut Args { values, fuel: &mut self.fuel })
    }
}

fn constant(literal: &Literal) -> Val<'_> {
    match literal {
        Literal::Null => Val::Null,
        Literal::Bool(flag) => Val::Bool(*flag),
        Literal::Number(number) => Val::Number(*number),
        Literal::Text(text) => Val::Text(Text::Borrowed(text)),
    }
}

fn field<'a>(of: &Val<'a>, name: &str) -> Outcome<Val<'a>> {
    let Val::Map(map) = of else {
        return no_fields(of, name).map(|()| Val::Null);
    };
    let missing = || {
        Fail::new(Code::Missing, format!("there is no field `{name}`"))
            .help(format!("ask with `has(….{name})` or give a default: `coalesce(….{name}, default)`"))
    };
    map.get(name).ok_or_else(missing)
}

fn no_fields(of: &Val<'_>, name: &str) -> Outcome<()> {
    Err(match of {
        Val::Null => Fail::new(Code::Null, format!("null has no field `{name}`")),
        other => wrong(&format!("only a map has a field `{name}`"), other),
    })
}

fn item<'a>(list: &List<'a>, index: Number) -> Outcome<Val<'a>> {
    let found =
        index.to_int().and_then(|index| usize::try_from(index).ok()).and_then(|index| list.get(index));
    let message = || format!("the list has {} items, counted from 0", list.len());
    found.ok_or_else(|| Fail::new(Code::OutOfRange, message()).value(index))
}

fn not_boolean(value: &Val<'_>) -> Box<Fail> {
    let fail =
        Fail::new(Code::NotBoolean, format!("a condition must be true or false, this is {}", value.kind()));
    if matches!(value, Val::Null) { fail } else { fail.value(value) }
}

fn wrong(message: &str, value: &Val<'_>) -> Box<Fail> {
    Fail::new(Code::WrongType, format!("{message}, this is {}", value.kind())).value(value)
}

fn unfit(operator: Operator, left: &Val<'_>, right: &Val<'_>) -> Box<Fail> {
    let message = format!("{} does not fit {} and {}", operator.doing(), left.kind(), right.kind());
    let fail = Fail::new(Code::WrongType, message).value(format!("{left} and {right}"));
    match (left, right) {
        (Val::Null, _) | (_, Val::Null) => fail.help("give it a default: `coalesce(value, default)`"),
        (Val::Text(_), _) | (_, Val::Text(_)) => {
            fail.help("convert first: `string(number)` or `decimal(text)`")
        }
        _ => fail,
    }
}
