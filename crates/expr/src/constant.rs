//! Parts of an expression that read nothing: those that always fail are refused, conditions that are always true
//! or always false deserve a warning.

use diag::{Diagnostic, Severity};

use crate::Scope;
use crate::code::Code;
use crate::eval::Eval;
use crate::source::Source;
use crate::tree::{Expr, Kind};
use crate::value::Val;

/// What the constant parts come to.
pub(crate) fn constants(expr: &Expr, source: &Source) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    collect(expr, source, &mut found);
    found
}

fn collect(expr: &Expr, source: &Source, found: &mut Vec<Diagnostic>) {
    if matches!(expr.kind, Kind::Literal(_)) {
        return;
    }
    if is_constant(expr) {
        found.extend(outcome(expr, source));
        return;
    }
    expr.children().into_iter().for_each(|child| collect(child, source, found));
}

/// Loops are left out: they may be long.
fn is_constant(expr: &Expr) -> bool {
    !matches!(expr.kind, Kind::Root(_) | Kind::Local(_) | Kind::Loop(_))
        && expr.children().into_iter().all(is_constant)
}

fn outcome(expr: &Expr, source: &Source) -> Option<Diagnostic> {
    let scope = Scope::new();
    match Eval::new(&scope).value(expr) {
        Ok(Val::Bool(flag)) => {
            let diagnostic = source.warning(Code::Constant, expr.at, format!("this is always {flag}"));
            Some(diagnostic.help("it reads nothing; compare with a name or leave it out"))
        }
        Ok(_) => None,
        Err(fail) => {
            let at = fail.at.unwrap_or(expr.at);
            let diagnostic =
                source.error(Code::AlwaysFails, at, format!("this always fails: {}", fail.text(false)));
            Some(fail.help.iter().fold(diagnostic, |diagnostic, help| diagnostic.help(help)))
        }
    }
}

/// Separates what must be mended from what is worth knowing.
pub(crate) fn split(found: Vec<Diagnostic>) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    found.into_iter().partition(|diagnostic| diagnostic.severity == Severity::Error)
}
