//! One expression, compiled once.

use std::sync::Arc;

use diag::{Diagnostic, Span};
use serde_json::Value;

use crate::check::check;
use crate::constant::{constants, split};
use crate::eval::Eval;
use crate::fail::Fail;
use crate::limits::TEXT_BYTES;
use crate::lower::lower;
use crate::source::Source;
use crate::syntax::parse;
use crate::tree::Expr;
use crate::value::Val;
use crate::{Error, Names, Reference, Scope, Ty, code::Code};

/// A compiled expression. Cloning it shares everything.
#[derive(Clone, Debug)]
pub struct Program {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    expr: Expr,
    source: Source,
    ty: Ty,
    references: Vec<Reference>,
    warnings: Vec<Diagnostic>,
    secret: bool,
}

impl Program {
    /// Compiles `src`, which is the whole scalar written at `span`, against the known names. Every mistake is
    /// reported.
    pub fn compile(src: &str, span: &Span, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        Self::from_source(Source::new(src, span), names)
    }

    /// Compiles a condition (`if:`, `ensure.rule`): an expression that cannot be a boolean is refused too.
    pub fn condition(src: &str, span: &Span, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        let program = Self::compile(src, span, names)?;
        match program.ty() {
            Ty::Bool | Ty::Any => Ok(program),
            other => {
                let message = format!("a condition must be true or false, this is {}", other.word());
                Err(vec![program.inner.source.error(Code::Condition, program.inner.expr.at, message)])
            }
        }
    }

    pub(crate) fn from_source(source: Source, names: &Names) -> Result<Self, Vec<Diagnostic>> {
        let tree = parse(&source.text).map_err(|fail| vec![source.refusal(&fail)])?;
        let lowered = lower(tree, &source, names);
        if !lowered.found.is_empty() {
            return Err(lowered.found);
        }
        let (ty, found) = check(&lowered.expr, &source, names);
        if !found.is_empty() {
            return Err(found);
        }
        let (errors, warnings) = split(constants(&lowered.expr, &source));
        if !errors.is_empty() {
            return Err(errors);
        }
        let references = lowered.references;
        let secret = references.iter().any(|used| names.get(&used.root).is_some_and(Ty::holds_secret));
        let inner = Inner { expr: lowered.expr, source, ty, references, warnings, secret };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The value of the expression.
    pub fn eval(&self, scope: &Scope<'_>) -> Result<Value, Error> {
        let value = Eval::new(scope).value(&self.inner.expr).and_then(|value| value.to_json());
        value.map_err(|fail| self.failure(fail, scope))
    }

    /// The truth of the expression; a value that is not a boolean is an error.
    pub fn test(&self, scope: &Scope<'_>) -> Result<bool, Error> {
        Eval::new(scope).truth(&self.inner.expr).map_err(|fail| self.failure(fail, scope))
    }

    /// The text of the value, as it is written into other text.
    pub(crate) fn text(&self, scope: &Scope<'_>) -> Result<String, Error> {
        let text = Eval::new(scope).value(&self.inner.expr).and_then(|value| match value {
            Val::Text(text) => Ok(text.to_string()),
            Val::Number(number) => Ok(number.to_string()),
            Val::Bool(flag) => Ok(flag.to_string()),
            other => Err(not_text(&other)),
        });
        text.map_err(|fail| self.failure(fail, scope))
    }

    /// The text that this value was written into has become too long.
    pub(crate) fn too_long(&self, scope: &Scope<'_>) -> Error {
        self.failure(Fail::new(Code::TooLarge, format!("a text may have {TEXT_BYTES} bytes")), scope)
    }

    fn failure(&self, fail: Box<Fail>, scope: &Scope<'_>) -> Error {
        let sensitive = self.inner.secret || scope.hides_any(&self.inner.references);
        self.inner.source.failure(&fail.at(self.inner.expr.at), sensitive)
    }

    /// The paths it reads.
    pub fn references(&self) -> &[Reference] {
        &self.inner.references
    }

    /// What it is known to yield.
    pub fn ty(&self) -> &Ty {
        &self.inner.ty
    }

    /// What deserves a look although it compiles: conditions that are always true or always false.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.inner.warnings
    }

    /// The text it was compiled from.
    pub fn source(&self) -> &str {
        &self.inner.source.text
    }

    pub(crate) fn refuse(&self, code: Code, message: &str) -> Diagnostic {
        self.inner.source.error(code, self.inner.expr.at, message)
    }
}

fn not_text(value: &Val<'_>) -> Box<Fail> {
    let fail = Fail::new(Code::WrongType, format!("{} cannot be written into text", value.kind()));
    match value {
        Val::Null => fail.help("give it a default: `coalesce(value, \"\")`"),
        _ => fail.help("choose a field, or write it with `join(…)` or `toJson(…)`"),
    }
}
