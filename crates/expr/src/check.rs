//! What can be said of an expression before it is evaluated: its type, and what must go wrong.

use diag::{Diagnostic, nearest, quoted};

use crate::code::Code;
use crate::functions::Function;
use crate::source::Source;
use crate::tree::{At, Expr, Kind, Literal, Loop, LoopKind, Operator};
use crate::{Names, Ty};

/// The type of an expression, and every mismatch in it.
pub(crate) fn check(expr: &Expr, source: &Source, names: &Names) -> (Ty, Vec<Diagnostic>) {
    let mut check = Check { source, names, locals: Vec::new(), found: Vec::new() };
    let ty = check.ty(expr);
    (ty, check.found)
}

struct Check<'s> {
    source: &'s Source,
    names: &'s Names,
    locals: Vec<Ty>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    /// The type of a node that is passed on whole: the only use a secret has.
    fn ty(&mut self, expr: &Expr) -> Ty {
        match &expr.kind {
            Kind::Literal(literal) => literal_type(literal),
            Kind::Root(name) => self.names.get(name).cloned().unwrap_or(Ty::Any),
            Kind::Local(depth) => self.locals.get(*depth).cloned().unwrap_or(Ty::Any),
            Kind::Field(of, name) => self.field(of, name, expr.at),
            Kind::Index(of, index) => self.index(of, index),
            Kind::Has(of, name) => {
                self.field(of, name, expr.at);
                Ty::Bool
            }
            Kind::List(items) => Ty::list(self.joined(items)),
            Kind::Map(entries) => self.map(entries),
            Kind::Not(of) => self.condition(of),
            Kind::And(left, right) | Kind::Or(left, right) => {
                self.condition(left);
                self.condition(right)
            }
            Kind::Negate(of) => self.negate(of),
            Kind::Arithmetic(operator, left, right) => self.arithmetic(*operator, left, right, expr.at),
            Kind::Order(_, left, right) => self.order(left, right, expr.at),
            Kind::Equal(_, left, right) => {
                let (left, right) = (self.operand(left), self.operand(right));
                self.comparable(&left, &right, expr.at)
            }
            Kind::In(item, of) => self.contained(item, of, expr.at),
            Kind::If(condition, yes, no) => {
                self.condition(condition);
                self.ty(yes).join(self.ty(no))
            }
            Kind::Coalesce(items) => {
                items.iter().map(|item| self.ty(item)).reduce(Ty::join).unwrap_or(Ty::Any)
            }
            Kind::Matches(text, _) => {
                self.wanted(text, &Ty::Text, "only text can match a pattern");
                Ty::Bool
            }
            Kind::Loop(of) => self.looped(of),
            Kind::Call(function, args) => self.call(function, args),
        }
    }

    fn report(&mut self, code: Code, at: At, message: impl Into<String>) {
        let diagnostic = self.source.error(code, at, message);
        self.found.push(diagnostic);
    }

    /// The type of a node whose value is used. A secret may not be used.
    fn operand(&mut self, expr: &Expr) -> Ty {
        let ty = self.ty(expr);
        if ty.holds_secret() { self.refuse_secret(expr) } else { ty }
    }

    fn refuse_secret(&mut self, expr: &Expr) -> Ty {
        let message = "a secret can only be passed on whole";
        let diagnostic = self.source.error(Code::Secret, expr.at, message);
        self.found.push(diagnostic.help("write it alone: `key: ${ secret.name }`"));
        Ty::Any
    }

    fn wanted(&mut self, expr: &Expr, wanted: &Ty, message: &str) {
        let ty = self.operand(expr);
        if !ty.fits(wanted) {
            self.report(Code::Mismatch, expr.at, format!("{message}, this is {}", ty.word()));
        }
    }

    fn condition(&mut self, expr: &Expr) -> Ty {
        let ty = self.operand(expr);
        if !ty.fits(&Ty::Bool) {
            let message = format!("a condition must be true or false, this is {}", ty.word());
            self.report(Code::Condition, expr.at, message);
        }
        Ty::Bool
    }

    fn field(&mut self, of: &Expr, name: &str, at: At) -> Ty {
        match self.ty(of) {
            Ty::Any => Ty::Any,
            Ty::Secret => Ty::Secret,
            Ty::Map { fields, open } => match fields.get(name) {
                Some(ty) => ty.clone(),
                None if open => Ty::Any,
                None => self.unknown_field(name, fields.keys().map(String::as_str).collect(), at),
            },
            other => {
                self.report(
                    Code::Mismatch,
                    at,
                    format!("only a map has a field `{name}`, this is {}", other.word()),
                );
                Ty::Any
            }
        }
    }

    fn unknown_field(&mut self, name: &str, known: Vec<&str>, at: At) -> Ty {
        let diagnostic = self.source.error(Code::UnknownField, at, format!("there is no field `{name}`"));
        let help = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", quoted(&known)),
        };
        self.found.push(diagnostic.help(help));
        Ty::Any
    }

    fn index(&mut self, of: &Expr, index: &Expr) -> Ty {
        let key = self.operand(index);
        if let (Kind::Literal(Literal::Text(name)), Ty::Text) = (&index.kind, &key) {
            return match self.ty(of) {
                Ty::List(_) => self.mismatch(index.at, "the index of a list must be a number, this is text"),
                _ => self.field(of, name, index.at),
            };
        }
        match (self.operand(of), key) {
            (Ty::List(item), key) if key.fits(&Ty::Number) => *item,
            (Ty::List(_), key) => self
                .mismatch(index.at, &format!("the index of a list must be a number, this is {}", key.word())),
            (Ty::Map { .. }, key) if !key.fits(&Ty::Text) => {
                self.mismatch(index.at, &format!("the key of a map must be text, this is {}", key.word()))
            }
            (Ty::Map { .. } | Ty::Any, _) => Ty::Any,
            (other, _) => {
                self.mismatch(of.at, &format!("only lists and maps have items, this is {}", other.word()))
            }
        }
    }

    fn mismatch(&mut self, at: At, message: &str) -> Ty {
        self.report(Code::Mismatch, at, message);
        Ty::Any
    }

    fn joined(&mut self, items: &[Expr]) -> Ty {
        items.iter().map(|item| self.operand(item)).reduce(Ty::join).unwrap_or(Ty::Any)
    }

    fn map(&mut self, entries: &[(Expr, Expr)]) -> Ty {
        let mut fields = Vec::new();
        let mut open = false;
        for (key, value) in entries {
            self.wanted(key, &Ty::Text, "the key of a map must be text");
            let ty = self.operand(value);
            match &key.kind {
                Kind::Literal(Literal::Text(name)) => fields.push((name.clone(), ty)),
                _ => open = true,
            }
        }
        if open { Ty::open(fields) } else { Ty::closed(fields) }
    }

    fn negate(&mut self, of: &Expr) -> Ty {
        match self.operand(of) {
            Ty::Int => Ty::Int,
            Ty::Any | Ty::Number => Ty::Number,
            other => self.mismatch(of.at, &format!("only a number can be negated, this is {}", other.word())),
        }
    }

    fn arithmetic(&mut self, operator: Operator, left: &Expr, right: &Expr, at: At) -> Ty {
        let (left, right) = (self.operand(left), self.operand(right));
        match (operator, &left, &right) {
            (Operator::Divide, Ty::Int, Ty::Int) => Ty::Number,
            (_, Ty::Int, Ty::Int) => Ty::Int,
            (_, Ty::Int | Ty::Number, Ty::Int | Ty::Number) => Ty::Number,
            (Operator::Add, Ty::Text, Ty::Text) => Ty::Text,
            (Operator::Add, Ty::List(_), Ty::List(_)) => left.join(right),
            (Operator::Add, Ty::Any, other) | (Operator::Add, other, Ty::Any) if other.addable() => Ty::Any,
            (_, Ty::Any, other) | (_, other, Ty::Any) if other.fits(&Ty::Number) => Ty::Number,
            _ => self.unfit(operator, &left, &right, at),
        }
    }

    fn unfit(&mut self, operator: Operator, left: &Ty, right: &Ty, at: At) -> Ty {
        let message = format!("{} does not fit {} and {}", operator.doing(), left.word(), right.word());
        let diagnostic = self.source.error(Code::Mismatch, at, message);
        let text = matches!(left, Ty::Text) || matches!(right, Ty::Text);
        let help = "convert first: `string(number)` or `decimal(text)`";
        self.found.push(if text { diagnostic.help(help) } else { diagnostic });
        Ty::Any
    }

    fn order(&mut self, left: &Expr, right: &Expr, at: At) -> Ty {
        let (left, right) = (self.operand(left), self.operand(right));
        for ty in [&left, &right] {
            if !ty.fits(&Ty::Number) && !ty.fits(&Ty::Text) || *ty == Ty::Null {
                self.report(
                    Code::Mismatch,
                    at,
                    format!("only numbers and texts have an order, not {}", ty.word()),
                );
                return Ty::Bool;
            }
        }
        self.comparable(&left, &right, at)
    }

    fn comparable(&mut self, left: &Ty, right: &Ty, at: At) -> Ty {
        if !left.comparable(right) {
            let message = format!("{} cannot be compared with {}", left.word(), right.word());
            let diagnostic = self.source.error(Code::CrossType, at, message);
            self.found.push(diagnostic.help("convert one of them: `decimal(text)` or `string(number)`"));
        }
        Ty::Bool
    }

    fn contained(&mut self, item: &Expr, of: &Expr, at: At) -> Ty {
        let (item, of) = (self.operand(item), self.operand(of));
        match of {
            Ty::List(of) => self.comparable(&item, &of, at),
            Ty::Map { .. } => self.comparable(&item, &Ty::Text, at),
            Ty::Any => Ty::Bool,
            other => {
                self.mismatch(at, &format!("`in` looks into a list or a map, this is {}", other.word()));
                Ty::Bool
            }
        }
    }

    fn looped(&mut self, of: &Loop) -> Ty {
        let range = self.ty(&of.range);
        let item = match &range {
            Ty::List(item) => (**item).clone(),
            Ty::Map { .. } => Ty::Text,
            Ty::Any => Ty::Any,
            Ty::Secret => self.refuse_secret(&of.range),
            other => self
                .mismatch(of.range.at, &format!("only lists and maps have items, this is {}", other.word())),
        };
        self.locals.push(item.clone());
        if let Some(filter) = &of.filter {
            self.condition(filter);
        }
        let ty = match of.kind {
            LoopKind::All | LoopKind::Exists | LoopKind::ExistsOne => self.condition(&of.body),
            LoopKind::Map => Ty::list(self.operand(&of.body)),
            LoopKind::Filter => {
                self.condition(&of.body);
                Ty::list(item)
            }
        };
        self.locals.pop();
        ty
    }

    fn call(&mut self, function: &Function, args: &[Expr]) -> Ty {
        for (index, arg) in args.iter().enumerate() {
            let (want, ty) = (function.want(index), self.operand(arg));
            if !want.allows(&ty) {
                let message = format!("`{}` takes {}, this is {}", function.name, want.word(), ty.word());
                self.report(Code::Mismatch, arg.at, message);
            }
        }
        function.returns()
    }
}

fn literal_type(literal: &Literal) -> Ty {
    match literal {
        Literal::Null => Ty::Null,
        Literal::Bool(_) => Ty::Bool,
        Literal::Number(crate::number::Number::Int(_)) => Ty::Int,
        Literal::Number(_) => Ty::Number,
        Literal::Text(_) => Ty::Text,
    }
}
