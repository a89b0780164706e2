//! A YAML tree whose scalars may hold `${ … }`.

use diag::{Diagnostic, Entry, Node, Span, Tree};
use serde_json::Value;

use crate::code::Code;
use crate::left_as_text;
use crate::limits::TEXT_BYTES;
use crate::source::Source;
use crate::template::{Part, Unclosed, split};
use crate::tree::At;
use crate::{Error, Names, Program, Reference, Scope, Ty};

/// A compiled tree: its shape comes from YAML, its values from `${ … }`.
///
/// A scalar that is one `${ … }` keeps the value's type; a scalar that mixes text and `${ … }` becomes text;
/// `$${` writes a plain `${`. Data is never evaluated again.
#[derive(Clone, Debug)]
pub struct Mapping {
    plan: Plan,
    /// Texts that read like expressions.
    doubtful: Vec<Diagnostic>,
}

#[derive(Clone, Debug)]
enum Plan {
    Literal(Value),
    Whole(Program),
    Text(Vec<Piece>),
    List(Vec<Plan>),
    Map(Vec<(String, Plan)>),
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Value(Program),
}

impl Mapping {
    /// Compiles every scalar of the tree. Every mistake is reported.
    pub fn compile(node: &Node, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        let mut compile = Compile { names, found: Vec::new(), doubtful: Vec::new() };
        let plan = compile.node(node);
        if compile.found.is_empty() {
            Ok(Self { plan, doubtful: compile.doubtful })
        } else {
            Err(compile.found)
        }
    }

    /// Compiles one built-in text that no file holds.
    pub fn text(text: &str, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        Self::compile(&Node::from_json(&Value::from(text)), names)
    }

    /// A fixed value: `${` in it means nothing.
    pub fn literal(value: Value) -> Self {
        Self { plan: Plan::Literal(value), doubtful: Vec::new() }
    }

    /// The tree with every `${ … }` replaced by its value.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        self.plan.eval(scope)
    }

    /// Whether it holds no `${ … }`, so that it has the same value in every scope.
    pub fn is_literal(&self) -> bool {
        matches!(self.plan, Plan::Literal(_))
    }

    /// Its value, when it is the same in every scope.
    pub fn as_literal(&self) -> Option<&Value> {
        match &self.plan {
            Plan::Literal(value) => Some(value),
            Plan::Whole(_) | Plan::Text(_) | Plan::List(_) | Plan::Map(_) => None,
        }
    }

    /// The text before the first `${ … }` of a scalar that mixes both: what confines an address to its host.
    pub fn literal_prefix(&self) -> Option<&str> {
        match &self.plan {
            Plan::Literal(Value::String(text)) => Some(text),
            Plan::Text(pieces) => match pieces.first() {
                Some(Piece::Text(text)) => Some(text),
                Some(Piece::Value(_)) | None => None,
            },
            Plan::Literal(_) | Plan::Whole(_) | Plan::List(_) | Plan::Map(_) => None,
        }
    }

    /// The paths it reads.
    pub fn references(&self) -> Vec<&Reference> {
        self.programs().into_iter().flat_map(Program::references).collect()
    }

    /// What deserves a look although it compiles.
    pub fn warnings(&self) -> Vec<&Diagnostic> {
        self.programs().into_iter().flat_map(Program::warnings).chain(&self.doubtful).collect()
    }

    /// What it is known to yield.
    pub fn ty(&self) -> Ty {
        self.plan.ty()
    }

    fn programs(&self) -> Vec<&Program> {
        let mut programs = Vec::new();
        self.plan.collect(&mut programs);
        programs
    }
}

impl Plan {
    fn eval(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Whole(program) => program.eval(scope),
            Self::Text(pieces) => interpolate(pieces, scope),
            Self::List(items) => items.iter().map(|item| item.eval(scope)).collect(),
            Self::Map(entries) => {
                entries.iter().map(|(key, plan)| Ok((key.clone(), plan.eval(scope)?))).collect()
            }
        }
    }

    fn ty(&self) -> Ty {
        match self {
            Self::Literal(value) => Ty::of(value),
            Self::Whole(program) => program.ty().clone(),
            Self::Text(_) => Ty::Text,
            Self::List(_) => Ty::list(Ty::Any),
            Self::Map(entries) => Ty::closed(entries.iter().map(|(key, plan)| (key, plan.ty()))),
        }
    }

    fn collect<'p>(&'p self, programs: &mut Vec<&'p Program>) {
        match self {
            Self::Literal(_) => {}
            Self::Whole(program) => programs.push(program),
            Self::Text(pieces) => programs.extend(pieces.iter().filter_map(Piece::program)),
            Self::List(items) => items.iter().for_each(|item| item.collect(programs)),
            Self::Map(entries) => entries.iter().for_each(|(_, plan)| plan.collect(programs)),
        }
    }
}

impl Piece {
    fn program(&self) -> Option<&Program> {
        match self {
            Self::Text(_) => None,
            Self::Value(program) => Some(program),
        }
    }
}

fn interpolate(pieces: &[Piece], scope: &Scope<'_>) -> Result<Value, Error> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Value(program) => {
                text.push_str(&program.text(scope)?);
                if text.len() > TEXT_BYTES {
                    return Err(program.too_long(scope));
                }
            }
        }
    }
    Ok(Value::String(text))
}

struct Compile<'n> {
    names: &'n Names,
    found: Vec<Diagnostic>,
    doubtful: Vec<Diagnostic>,
}

impl Compile<'_> {
    fn node(&mut self, node: &Node) -> Plan {
        match &node.tree {
            Tree::Text(text) => self.scalar(text, &node.span),
            Tree::List(items) => {
                let plans = items.iter().map(|item| self.node(item)).collect();
                folded(Plan::List(plans))
            }
            Tree::Map(entries) => {
                let plans = entries.iter().map(|entry| self.entry(entry)).collect();
                folded(Plan::Map(plans))
            }
            Tree::Null | Tree::Bool(_) | Tree::Number(_) => Plan::Literal(node.to_json()),
        }
    }

    fn entry(&mut self, entry: &Entry) -> (String, Plan) {
        if entry.key.contains("${") {
            let message = "a key cannot be computed";
            let diagnostic = Diagnostic::error(Code::TemplateKey.text(), &entry.key_span, message);
            self.found.push(diagnostic.help("keys are fixed; put `${ … }` into values"));
        }
        (entry.key.clone(), self.node(&entry.value))
    }

    fn scalar(&mut self, scalar: &str, span: &Span) -> Plan {
        let parts = match split(scalar) {
            Ok(parts) => parts,
            Err(Unclosed(open)) => return self.unclosed(scalar, span, open),
        };
        for part in &parts {
            if let Part::Text(text) = part {
                self.doubtful.extend(left_as_text::noticed(text, parts.len() == 1, span, self.names));
            }
        }
        match parts.as_slice() {
            [Part::Text(text)] => Plan::Literal(Value::String(text.clone())),
            [Part::Expr(range)] => self.program(scalar, range.clone(), span).map_or(nothing(), Plan::Whole),
            _ => Plan::Text(parts.into_iter().filter_map(|part| self.piece(scalar, part, span)).collect()),
        }
    }

    fn unclosed(&mut self, scalar: &str, span: &Span, open: usize) -> Plan {
        let at = At { start: open, end: open + 2 };
        let diagnostic = Source::new(scalar, span).error(Code::Template, at, "this `${` is not closed");
        self.found.push(diagnostic.help("close it with `}`, or write `$${` for a plain `${`"));
        nothing()
    }

    fn program(&mut self, scalar: &str, range: std::ops::Range<usize>, span: &Span) -> Option<Program> {
        let compiled = Program::from_source(Source::inside(scalar, range, span), self.names);
        compiled.map_err(|found| self.found.extend(found)).ok()
    }

    fn piece(&mut self, scalar: &str, part: Part, span: &Span) -> Option<Piece> {
        let range = match part {
            Part::Text(text) => return Some(Piece::Text(text)),
            Part::Expr(range) => range,
        };
        let program = self.program(scalar, range, span)?;
        match program.ty() {
            ty if ty.holds_secret() => {
                self.found.push(program.refuse(Code::Secret, "a secret cannot be written into text"));
            }
            ty @ (Ty::List(_) | Ty::Map { .. } | Ty::Null) => {
                let message = format!("{} cannot be written into text", ty.word());
                self.found.push(program.refuse(Code::Mismatch, &message));
            }
            Ty::Any | Ty::Bool | Ty::Int | Ty::Number | Ty::Text | Ty::Secret => {}
        }
        Some(Piece::Value(program))
    }
}

fn nothing() -> Plan {
    Plan::Literal(Value::Null)
}

/// A list or map whose parts are all fixed is fixed itself.
fn folded(plan: Plan) -> Plan {
    let fixed = |plan: &Plan| matches!(plan, Plan::Literal(_));
    let all = match &plan {
        Plan::List(items) => items.iter().all(fixed),
        Plan::Map(entries) => entries.iter().all(|(_, plan)| fixed(plan)),
        Plan::Literal(_) | Plan::Whole(_) | Plan::Text(_) => false,
    };
    if !all {
        return plan;
    }
    plan.eval(&Scope::new()).map_or(plan, Plan::Literal)
}
