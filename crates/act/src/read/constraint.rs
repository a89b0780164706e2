//! Constraints: the type says what the value must be.

use serde_json::Value;

use super::members::Members;
use super::scalar::{self, Wrong, flag, number, text, word};
use crate::issue::{At, Findings, code};
use crate::{Constraint, Range, Rule, Rules, pattern};

pub(crate) fn constraint(
    value: Value,
    at: At<'_>,
    rules: &Rules,
    found: &mut Findings,
) -> Option<Constraint> {
    let mut members = Members::open(value, at, rules, found)?;
    let message = members.optional("message", text);
    let code = members.optional("code", text);
    let type_ = members.required("type", type_name);
    let rule = match &type_ {
        Some(type_) => rule(type_, &mut members),
        // Without its type nothing can be said about the value.
        None => members.any("value").and(None),
    };
    members.close();
    Some(Constraint { rule: rule?, message, code })
}

fn type_name(value: Value) -> Result<String, Wrong> {
    let text = text(value)?;
    if Rule::NAMES.contains(&text.as_str()) {
        return Ok(text);
    }
    let message =
        format!("expected one of {}; a rule of the house goes under custom", Rule::NAMES.join(", "));
    Err(Wrong { code: code::CHOICE, message })
}

fn rule(type_: &str, members: &mut Members<'_>) -> Option<Rule> {
    match type_ {
        "required" => Some(Rule::Required(members.any("value"))),
        "optional" => Some(Rule::Optional(members.any("value"))),
        "custom" => Some(Rule::Custom(members.any("value"))),
        "min_length" => members.required("value", scalar::count).map(Rule::MinLength),
        "max_length" => members.required("value", scalar::count).map(Rule::MaxLength),
        "pattern" => {
            let text = members.required("value", regex)?;
            if matches!(pattern::compile(&text), Err(pattern::Fault::Large)) {
                members.found.meaning(&members.at.member("value"), code::PATTERN_SIZE, pattern::large());
            }
            Some(Rule::Pattern(text))
        }
        "format" => members.required("value", word).map(Rule::Format),
        "range" => members.nested("value", range).map(Rule::Range),
        _ => members.required("value", choices).map(Rule::OneOf),
    }
}

fn regex(value: Value) -> Result<String, Wrong> {
    let text = text(value)?;
    match pattern::compile(&text) {
        // How large one may be is no matter of its form: what was taken under other limits can still be read.
        Ok(_) | Err(pattern::Fault::Large) => Ok(text),
        Err(fault @ pattern::Fault::Form(_)) => Err(Wrong { code: code::REGEX, message: fault.told() }),
    }
}

fn choices(value: Value) -> Result<Vec<Value>, Wrong> {
    let items = scalar::array(value)?;
    if items.is_empty() {
        return Err(Wrong { code: code::BOUND, message: "expected at least one item".to_owned() });
    }
    Ok(items)
}

fn range(value: Value, at: At<'_>, rules: &Rules, found: &mut Findings) -> Option<Range> {
    let mut members = Members::open(value, at, rules, found)?;
    let min = members.optional("min", number);
    let max = members.optional("max", number);
    let inclusive = members.optional("inclusive", flag);
    members.close();
    Some(Range { min, max, inclusive })
}
