//! From the syntax tree of `cel` to our own: names, functions and loops are resolved, what we do not support is
//! refused.

use cel::common::ast::{
    CallExpr, EntryExpr, Expr as Cel, IdedExpr, LiteralValue, MapExpr, SelectExpr, SourceInfo,
};
use diag::{Diagnostic, nearest};

use crate::code::Code;
use crate::functions::{self, SPECIAL};
use crate::limits::{LOOP_NESTING, PATTERN_BYTES};
use crate::number::Number;
use crate::source::Source;
use crate::tree::{At, Expr, Kind, Literal, Loop, LoopKind, Operator, Order};
use crate::{Names, Reference};

/// What lowering found.
pub(crate) struct Lowered {
    pub(crate) expr: Expr,
    pub(crate) references: Vec<Reference>,
    pub(crate) found: Vec<Diagnostic>,
}

/// Resolves a syntax tree against the known names.
pub(crate) fn lower(tree: IdedExpr, info: &SourceInfo, source: &Source, names: &Names) -> Lowered {
    let mut lower =
        Lower { info, source, names, locals: Vec::new(), references: Vec::new(), found: Vec::new() };
    let expr = lower.expr(tree);
    Lowered { expr, references: lower.references, found: lower.found }
}

struct Lower<'s> {
    info: &'s SourceInfo,
    source: &'s Source,
    names: &'s Names,
    locals: Vec<String>,
    references: Vec<Reference>,
    found: Vec<Diagnostic>,
}

impl Lower<'_> {
    fn expr(&mut self, tree: IdedExpr) -> Expr {
        let at = self.at(tree.id);
        match tree.expr {
            Cel::Literal(literal) => self.literal(literal, at),
            Cel::Ident(name) => self.name(name.trim_start_matches('.'), at),
            Cel::Select(select) => self.field(select, at),
            Cel::List(list) => Expr { kind: Kind::List(self.all(list.elements)), at },
            Cel::Map(map) => self.map(map, at),
            Cel::Call(call) => self.call(call, at),
            Cel::Struct(of) => {
                self.refuse(Code::Unsupported, at, format!("there is no message type `{}`", of.type_name))
            }
            Cel::Comprehension(_) | Cel::Unspecified => {
                self.refuse(Code::Unsupported, at, "this form is not supported".to_owned())
            }
        }
    }

    fn all(&mut self, trees: Vec<IdedExpr>) -> Vec<Expr> {
        trees.into_iter().map(|tree| self.expr(tree)).collect()
    }

    fn at(&self, id: u64) -> At {
        let length = self.source.text.len();
        let (start, stop) = self.info.offset_for(id).unwrap_or_default();
        At { start: (start as usize).min(length), end: (stop as usize).saturating_add(1).min(length) }
    }

    /// Where `name` is written: the parser points at the bracket of a call and at the dot of a field.
    fn at_name(&self, name: &str, at: At, before: bool) -> At {
        let text = &self.source.text;
        let found = if before {
            text.get(..at.start).and_then(|text| text.rfind(name))
        } else {
            text.get(at.start..).and_then(|text| text.find(name)).map(|offset| at.start + offset)
        };
        found.map_or(at, |start| At { start, end: start + name.len() })
    }

    fn refuse(&mut self, code: Code, at: At, message: String) -> Expr {
        let diagnostic = self.source.error(code, at, message);
        self.refuse_with(diagnostic, at)
    }

    fn refuse_with(&mut self, diagnostic: Diagnostic, at: At) -> Expr {
        self.found.push(diagnostic);
        Expr { kind: Kind::Literal(Literal::Null), at }
    }

    fn literal(&mut self, literal: LiteralValue, at: At) -> Expr {
        let literal = match literal {
            LiteralValue::Null => Literal::Null,
            LiteralValue::Boolean(flag) => Literal::Bool(flag.into_inner()),
            LiteralValue::Int(int) => Literal::Number(Number::Int(int.into_inner())),
            LiteralValue::UInt(uint) => Literal::Number(Number::from_json(&uint.into_inner().into())),
            LiteralValue::Double(double) => Literal::Number(self.written(double.into_inner(), at)),
            LiteralValue::String(text) => Literal::Text(text.into_inner()),
            LiteralValue::Bytes(_) => {
                return self.refuse(
                    Code::Unsupported,
                    at,
                    "bytes are not supported, JSON has none".to_owned(),
                );
            }
        };
        Expr { kind: Kind::Literal(literal), at }
    }

    /// The decimal as it is written; the parser has already turned it into a float.
    fn written(&self, double: f64, at: At) -> Number {
        let written = self.source.text.get(at.start..at.end).and_then(Number::parse);
        written.filter(|number| number.to_float() == double).unwrap_or_else(|| Number::from_float(double))
    }

    fn name(&mut self, name: &str, at: At) -> Expr {
        if let Some(local) = self.locals.iter().rposition(|local| local == name) {
            return Expr { kind: Kind::Local(local), at };
        }
        if self.names.get(name).is_none() {
            return self.unknown_name(name, at);
        }
        self.references.push(Reference {
            root: name.to_owned(),
            path: Vec::new(),
            span: self.source.span(at),
        });
        Expr { kind: Kind::Root(name.to_owned()), at }
    }

    fn unknown_name(&mut self, name: &str, at: At) -> Expr {
        let known: Vec<&str> = self.names.iter().chain(self.locals.iter().map(String::as_str)).collect();
        let diagnostic = self.source.error(Code::UnknownName, at, format!("there is no `{name}` here"));
        let diagnostic = match nearest(name, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => diagnostic.help("no names are known here"),
            None => diagnostic.help(format!("known here: {}", known.join(", "))),
        };
        self.refuse_with(diagnostic, at)
    }

    fn field(&mut self, select: SelectExpr, at: At) -> Expr {
        let at = self.at_name(&select.field, at, false);
        let before = self.references.len();
        let of = self.expr(*select.operand);
        self.extend_reference(&of, before, &select.field);
        Expr { kind: Kind::Field(Box::new(of), select.field), at }
    }

    /// Adds a field to the reference that `of` made, when `of` is a plain path.
    fn extend_reference(&mut self, of: &Expr, before: usize, field: &str) {
        if is_path(of)
            && let [reference] = &mut self.references[before..]
        {
            reference.path.push(field.to_owned());
        }
    }

    fn map(&mut self, map: MapExpr, at: At) -> Expr {
        let mut entries = Vec::with_capacity(map.entries.len());
        for entry in map.entries {
            if let EntryExpr::MapEntry(entry) = entry.expr {
                entries.push((self.expr(entry.key), self.expr(entry.value)));
            }
        }
        Expr { kind: Kind::Map(entries), at }
    }

    fn call(&mut self, call: CallExpr, at: At) -> Expr {
        let name = call.func_name.as_str();
        if call.target.is_none()
            && let Some(kind) = self.operator(name, &call.args)
        {
            let args = self.all(call.args);
            return Expr { kind: kind(args), at };
        }
        if name == "_[_]" {
            return self.index(call.args, at);
        }
        let at = self.at_name(name, at, true);
        let mut args = call.args;
        let method = call.target.is_some();
        args.splice(0..0, call.target.map(|target| *target));
        match (name, loop_kind(name)) {
            ("has", _) => self.has(args, at),
            ("coalesce", _) => self.coalesce(args, at),
            ("matches", _) => self.matches(args, at),
            (name, Some(kind)) if method => self.comprehension(name, kind, args, at),
            _ => self.function(name, args, at),
        }
    }

    /// The node an operator makes of its operands.
    fn operator(&self, name: &str, args: &[IdedExpr]) -> Option<fn(Vec<Expr>) -> Kind> {
        use Operator::{Add, Divide, Multiply, Remainder, Subtract};
        use Order::{Greater, GreaterOrEqual, Less, LessOrEqual};
        let kind: fn(Vec<Expr>) -> Kind = match (name, args.len()) {
            ("_+_", 2) => |args| pair(args, |l, r| Kind::Arithmetic(Add, l, r)),
            ("_-_", 2) => |args| pair(args, |l, r| Kind::Arithmetic(Subtract, l, r)),
            ("_*_", 2) => |args| pair(args, |l, r| Kind::Arithmetic(Multiply, l, r)),
            ("_/_", 2) => |args| pair(args, |l, r| Kind::Arithmetic(Divide, l, r)),
            ("_%_", 2) => |args| pair(args, |l, r| Kind::Arithmetic(Remainder, l, r)),
            ("_<_", 2) => |args| pair(args, |l, r| Kind::Order(Less, l, r)),
            ("_<=_", 2) => |args| pair(args, |l, r| Kind::Order(LessOrEqual, l, r)),
            ("_>_", 2) => |args| pair(args, |l, r| Kind::Order(Greater, l, r)),
            ("_>=_", 2) => |args| pair(args, |l, r| Kind::Order(GreaterOrEqual, l, r)),
            ("_==_", 2) => |args| pair(args, |l, r| Kind::Equal(true, l, r)),
            ("_!=_", 2) => |args| pair(args, |l, r| Kind::Equal(false, l, r)),
            ("@in", 2) => |args| pair(args, Kind::In),
            ("_&&_", 2) => |args| pair(args, Kind::And),
            ("_||_", 2) => |args| pair(args, Kind::Or),
            ("!_", 1) => |args| single(args, Kind::Not),
            ("-_", 1) => |args| single(args, Kind::Negate),
            ("_?_:_", 3) => choice,
            _ => return None,
        };
        Some(kind)
    }

    fn index(&mut self, args: Vec<IdedExpr>, at: At) -> Expr {
        let before = self.references.len();
        let mut args = args.into_iter();
        let (Some(of), Some(index)) = (args.next(), args.next()) else {
            return self.refuse(Code::Syntax, at, "an index is missing".to_owned());
        };
        let of = self.expr(of);
        if let Cel::Literal(LiteralValue::String(key)) = &index.expr {
            self.extend_reference(&of, before, key.inner());
        }
        let index = self.expr(index);
        Expr { kind: Kind::Index(Box::new(of), Box::new(index)), at }
    }

    fn has(&mut self, mut args: Vec<IdedExpr>, at: At) -> Expr {
        match args.pop().map(|arg| self.expr(arg)) {
            Some(Expr { kind: Kind::Field(of, field), at }) if args.is_empty() => {
                Expr { kind: Kind::Has(of, field), at }
            }
            _ => self.refuse(
                Code::Arguments,
                at,
                "`has` takes one field, as in `has(entity.email)`".to_owned(),
            ),
        }
    }

    fn coalesce(&mut self, args: Vec<IdedExpr>, at: At) -> Expr {
        if args.len() < 2 {
            let message = "`coalesce` takes a value and at least one default";
            return self.refuse(Code::Arguments, at, message.to_owned());
        }
        Expr { kind: Kind::Coalesce(self.all(args)), at }
    }

    /// Patterns are literals: they are compiled once, and data never becomes a pattern.
    fn matches(&mut self, args: Vec<IdedExpr>, at: At) -> Expr {
        let Ok([text, pattern]) = <[IdedExpr; 2]>::try_from(args) else {
            return self.refuse(Code::Arguments, at, "`matches` takes a text and a pattern".to_owned());
        };
        let pattern_at = self.at(pattern.id);
        let Cel::Literal(LiteralValue::String(pattern)) = pattern.expr else {
            let message = "the pattern of `matches` must be written out";
            return self.refuse(Code::Pattern, pattern_at, message.to_owned());
        };
        let text = Box::new(self.expr(text));
        match regex::RegexBuilder::new(pattern.inner()).size_limit(PATTERN_BYTES).nest_limit(32).build() {
            Ok(regex) => Expr { kind: Kind::Matches(text, regex), at },
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.refuse(Code::Pattern, pattern_at, format!("this is not a pattern: {reason}"))
            }
        }
    }

    fn comprehension(&mut self, name: &str, kind: LoopKind, args: Vec<IdedExpr>, at: At) -> Expr {
        let mut args = args.into_iter();
        let (Some(range), Some(item), Some(first)) = (args.next(), args.next(), args.next()) else {
            let message = format!("`{name}` takes a name and an expression, as in `list.{name}(item, …)`");
            return self.refuse(Code::Arguments, at, message);
        };
        let second = args.next();
        if args.next().is_some() || (second.is_some() && kind != LoopKind::Map) {
            return self.refuse(Code::Arguments, at, format!("`{name}` has too many arguments"));
        }
        let Cel::Ident(item_name) = item.expr else {
            let at = self.at(item.id);
            return self.refuse(
                Code::Arguments,
                at,
                format!("the first argument of `{name}` must be a new name"),
            );
        };
        let range = self.expr(range);
        self.looped(item_name, at, |lower| {
            let (filter, body) = match second {
                Some(body) => (Some(lower.expr(first)), lower.expr(body)),
                None => (None, lower.expr(first)),
            };
            Kind::Loop(Box::new(Loop { kind, range, filter, body }))
        })
    }

    fn looped(&mut self, item: String, at: At, body: impl FnOnce(&mut Self) -> Kind) -> Expr {
        if self.locals.len() >= LOOP_NESTING {
            let message = format!("loops may be nested {LOOP_NESTING} deep");
            return self.refuse(Code::LoopNesting, at, message);
        }
        self.locals.push(item);
        let kind = body(self);
        self.locals.pop();
        Expr { kind, at }
    }

    fn function(&mut self, name: &str, args: Vec<IdedExpr>, at: At) -> Expr {
        let Some(function) = functions::find(name) else {
            let diagnostic =
                self.source.error(Code::UnknownFunction, at, format!("there is no function `{name}`"));
            let known = functions::ALL.iter().map(|known| known.name).chain(SPECIAL);
            let diagnostic = match nearest(name, known) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            };
            return self.refuse_with(diagnostic, at);
        };
        if !function.accepts(args.len()) {
            return self.refuse(Code::Arguments, at, format!("`{name}` takes {}", function.arity()));
        }
        Expr { kind: Kind::Call(function, self.all(args)), at }
    }
}

/// Whether the node is a root with fields below it and nothing computed.
fn is_path(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Root(_) => true,
        Kind::Field(of, _) => is_path(of),
        Kind::Index(of, index) => matches!(index.kind, Kind::Literal(Literal::Text(_))) && is_path(of),
        _ => false,
    }
}

fn loop_kind(name: &str) -> Option<LoopKind> {
    Some(match name {
        "all" => LoopKind::All,
        "exists" => LoopKind::Exists,
        "exists_one" | "existsOne" => LoopKind::ExistsOne,
        "map" => LoopKind::Map,
        "filter" => LoopKind::Filter,
        _ => return None,
    })
}

fn single(mut args: Vec<Expr>, kind: fn(Box<Expr>) -> Kind) -> Kind {
    args.pop().map_or(Kind::Literal(Literal::Null), |arg| kind(Box::new(arg)))
}

fn pair(mut args: Vec<Expr>, kind: fn(Box<Expr>, Box<Expr>) -> Kind) -> Kind {
    match (args.pop(), args.pop()) {
        (Some(right), Some(left)) => kind(Box::new(left), Box::new(right)),
        _ => Kind::Literal(Literal::Null),
    }
}

fn choice(args: Vec<Expr>) -> Kind {
    match <[Expr; 3]>::try_from(args) {
        Ok([condition, yes, no]) => Kind::If(Box::new(condition), Box::new(yes), Box::new(no)),
        Err(_) => Kind::Literal(Literal::Null),
    }
}
