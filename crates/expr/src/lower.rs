//! From the syntax tree to the tree that is evaluated: names, functions and loops are resolved.

use diag::{Diagnostic, nearest};

use crate::code::Code;
use crate::functions::{self, SPECIAL};
use crate::limits::{LOOP_NESTING, PATTERN_BYTES};
use crate::source::Source;
use crate::syntax::{Binary, Form, Syntax};
use crate::tree::{At, Expr, Kind, Literal, Loop, LoopKind};
use crate::{Names, Reference};

/// What lowering found.
pub(crate) struct Lowered {
    pub(crate) expr: Expr,
    pub(crate) references: Vec<Reference>,
    pub(crate) found: Vec<Diagnostic>,
}

/// Resolves a syntax tree against the known names.
pub(crate) fn lower(tree: Syntax, source: &Source, names: &Names) -> Lowered {
    let mut lower = Lower { source, names, locals: Vec::new(), references: Vec::new(), found: Vec::new() };
    let expr = lower.expr(tree);
    Lowered { expr, references: lower.references, found: lower.found }
}

struct Lower<'s> {
    source: &'s Source,
    names: &'s Names,
    locals: Vec<String>,
    references: Vec<Reference>,
    found: Vec<Diagnostic>,
}

impl Lower<'_> {
    fn expr(&mut self, tree: Syntax) -> Expr {
        let at = tree.at;
        let kind = match tree.form {
            Form::Null => Kind::Literal(Literal::Null),
            Form::Bool(flag) => Kind::Literal(Literal::Bool(flag)),
            Form::Number(number) => Kind::Literal(Literal::Number(number)),
            Form::Text(text) => Kind::Literal(Literal::Text(text)),
            Form::Bytes => {
                return self.refuse(Code::Unsupported, at, "there are no bytes in JSON".to_owned());
            }
            Form::Name(name) => return self.name(&name, at),
            Form::Select(of, name) => self.field(*of, name),
            Form::Index(of, index) => self.index(*of, *index),
            Form::Call { target, name, args } => return self.call(target, &name, args, at),
            Form::List(items) => Kind::List(self.all(items)),
            Form::Map(entries) => Kind::Map(
                entries.into_iter().map(|(key, value)| (self.expr(key), self.expr(value))).collect(),
            ),
            Form::Not(of) => Kind::Not(self.boxed(*of)),
            Form::Negate(of) => Kind::Negate(self.boxed(*of)),
            Form::Binary(operator, left, right) => binary(operator, self.boxed(*left), self.boxed(*right)),
            Form::If(condition, yes, no) => {
                Kind::If(self.boxed(*condition), self.boxed(*yes), self.boxed(*no))
            }
        };
        Expr { kind, at }
    }

    fn boxed(&mut self, tree: Syntax) -> Box<Expr> {
        Box::new(self.expr(tree))
    }

    fn all(&mut self, trees: Vec<Syntax>) -> Vec<Expr> {
        trees.into_iter().map(|tree| self.expr(tree)).collect()
    }

    fn refuse(&mut self, code: Code, at: At, message: String) -> Expr {
        let diagnostic = self.source.error(code, at, message);
        self.refuse_with(diagnostic, at)
    }

    fn refuse_with(&mut self, diagnostic: Diagnostic, at: At) -> Expr {
        self.found.push(diagnostic);
        Expr { kind: Kind::Literal(Literal::Null), at }
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

    fn field(&mut self, of: Syntax, name: String) -> Kind {
        let before = self.references.len();
        let of = self.boxed(of);
        self.extend_reference(&of, before, &name);
        Kind::Field(of, name)
    }

    /// Adds a field to the reference that `of` made, when `of` is a plain path.
    fn extend_reference(&mut self, of: &Expr, before: usize, field: &str) {
        if is_path(of)
            && let [reference] = &mut self.references[before..]
        {
            reference.path.push(field.to_owned());
        }
    }

    fn index(&mut self, of: Syntax, index: Syntax) -> Kind {
        let before = self.references.len();
        let of = self.boxed(of);
        if let Form::Text(key) = &index.form {
            self.extend_reference(&of, before, key);
        }
        Kind::Index(of, self.boxed(index))
    }

    fn call(&mut self, target: Option<Box<Syntax>>, name: &str, mut args: Vec<Syntax>, at: At) -> Expr {
        let method = target.is_some();
        args.splice(0..0, target.map(|target| *target));
        match (name, loop_kind(name)) {
            ("has", _) => self.has(args, at),
            ("coalesce", _) => self.coalesce(args, at),
            ("matches", _) => self.matches(args, at),
            (name, Some(kind)) if method => self.comprehension(name, kind, args, at),
            _ => self.function(name, args, at),
        }
    }

    fn has(&mut self, mut args: Vec<Syntax>, at: At) -> Expr {
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

    fn coalesce(&mut self, args: Vec<Syntax>, at: At) -> Expr {
        if args.len() < 2 {
            let message = "`coalesce` takes a value and at least one default";
            return self.refuse(Code::Arguments, at, message.to_owned());
        }
        Expr { kind: Kind::Coalesce(self.all(args)), at }
    }

    /// Patterns are literals: they are compiled once, and data never becomes a pattern.
    fn matches(&mut self, args: Vec<Syntax>, at: At) -> Expr {
        let Ok([text, pattern]) = <[Syntax; 2]>::try_from(args) else {
            return self.refuse(Code::Arguments, at, "`matches` takes a text and a pattern".to_owned());
        };
        let pattern_at = pattern.at;
        let Form::Text(pattern) = pattern.form else {
            let message = "the pattern of `matches` must be written out";
            return self.refuse(Code::Pattern, pattern_at, message.to_owned());
        };
        let text = Box::new(self.expr(text));
        match regex::RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES).nest_limit(32).build() {
            Ok(regex) => Expr { kind: Kind::Matches(text, regex), at },
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
                self.refuse(Code::Pattern, pattern_at, format!("this is not a pattern: {reason}"))
            }
        }
    }

    fn comprehension(&mut self, name: &str, kind: LoopKind, args: Vec<Syntax>, at: At) -> Expr {
        let mut args = args.into_iter();
        let (Some(range), Some(item), Some(first)) = (args.next(), args.next(), args.next()) else {
            let message = format!("`{name}` takes a name and an expression, as in `list.{name}(item, …)`");
            return self.refuse(Code::Arguments, at, message);
        };
        let second = args.next();
        if args.next().is_some() || (second.is_some() && kind != LoopKind::Map) {
            return self.refuse(Code::Arguments, at, format!("`{name}` has too many arguments"));
        }
        let Form::Name(item_name) = item.form else {
            let at = item.at;
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

    fn function(&mut self, name: &str, args: Vec<Syntax>, at: At) -> Expr {
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

fn binary(operator: Binary, left: Box<Expr>, right: Box<Expr>) -> Kind {
    match operator {
        Binary::Or => Kind::Or(left, right),
        Binary::And => Kind::And(left, right),
        Binary::Equal => Kind::Equal(true, left, right),
        Binary::NotEqual => Kind::Equal(false, left, right),
        Binary::In => Kind::In(left, right),
        Binary::Order(order) => Kind::Order(order, left, right),
        Binary::Arithmetic(operator) => Kind::Arithmetic(operator, left, right),
    }
}
