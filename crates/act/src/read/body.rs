//! What each of the five acts has beside what every act has.

use serde_json::Value;

use super::constraint::constraint;
use super::entity::entity_ref;
use super::members::Members;
use super::scalar::{act_id, count, flag, text, word};
use crate::issue::{At, Findings, code};
use crate::{Ask, Commit, CommitError, Confirm, Constraint, Fact, Failure, Rule, Rules, pattern};

/// Bytes of the longest word for a system: it becomes part of a topic's name.
const LONGEST_SYSTEM: usize = 128;

pub(super) fn ask(members: &mut Members<'_>) -> Option<Ask> {
    let field = members.filled("field");
    let prompt = members.filled("prompt");
    let constraints = members.list("constraints", constraint);
    if constraints.as_deref().map(patterns).is_some_and(|size| size > pattern::LARGEST) {
        members.found.meaning(&members.at.member("constraints"), code::PATTERN_SIZE, pattern::large());
    }
    let required = members.optional("required", flag);
    let expected_type = members.optional("expected_type", word);
    let retry_count = members.optional("retry_count", count);
    let max_retries = members.optional("max_retries", count);
    Some(Ask {
        field: field?,
        prompt: prompt?,
        constraints,
        required,
        expected_type,
        retry_count,
        max_retries,
    })
}

/// How much the patterns take together. One that is too large by itself is told where it stands.
fn patterns(constraints: &[Constraint]) -> usize {
    let size = |constraint: &Constraint| match &constraint.rule {
        Rule::Pattern(text) => pattern::compile(text).map_or(0, |pattern| pattern.size),
        _ => 0,
    };
    constraints.iter().map(size).sum()
}

pub(super) fn fact(members: &mut Members<'_>) -> Option<Fact> {
    let entity = members.nested("entity", entity_ref);
    let field = members.filled("field");
    let value = members.any_required("value");
    let operation = members.optional("operation", word);
    let previous_value = members.any("previous_value");
    let validation_status = members.optional("validation_status", word);
    let validation_errors = members.texts("validation_errors");
    let (entity, field, value) = (entity?, field?, value?);
    Some(Fact { entity, field, value, operation, previous_value, validation_status, validation_errors })
}

pub(super) fn confirm(members: &mut Members<'_>) -> Option<Confirm> {
    let entity = members.nested("entity", entity_ref);
    let summary = members.filled("summary");
    let awaiting = members.optional("awaiting", flag);
    let confirmed = members.optional("confirmed", flag);
    let confirmation_method = members.optional("confirmation_method", word);
    let fields_confirmed = members.texts("fields_confirmed");
    let rejection_reason = members.optional("rejection_reason", text);
    let timeout_ms = members.optional("timeout_ms", count);
    Some(Confirm {
        entity: entity?,
        summary: summary?,
        awaiting,
        confirmed,
        confirmation_method,
        fields_confirmed,
        rejection_reason,
        timeout_ms,
    })
}

pub(super) fn commit(members: &mut Members<'_>) -> Option<Commit> {
    let entity = members.nested("entity", entity_ref);
    let action = members.required("action", word);
    let system = members.optional("system", text);
    members.bounded("system", system.as_deref(), LONGEST_SYSTEM);
    let transaction_id = members.optional("transaction_id", text);
    let status = members.optional("status", word);
    let error = members.nested_optional("error", commit_error);
    let retry_count = members.optional("retry_count", count);
    let max_retries = members.optional("max_retries", count);
    let idempotency_key = members.optional("idempotency_key", text);
    let rollback_info = members.open_object("rollback_info", &[]);
    Some(Commit {
        entity: entity?,
        action: action?,
        system,
        transaction_id,
        status,
        error,
        retry_count,
        max_retries,
        idempotency_key,
        rollback_info,
    })
}

fn commit_error(value: Value, at: At<'_>, rules: &Rules, found: &mut Findings) -> Option<CommitError> {
    let mut members = Members::open(value, at, rules, found)?;
    let code = members.filled("code");
    let message = members.filled("message");
    let details = members.open_object("details", &[]);
    let recoverable = members.optional("recoverable", flag);
    Some(CommitError { code: code?, message: message?, details, recoverable, extra: members.rest() })
}

pub(super) fn failure(members: &mut Members<'_>) -> Option<Failure> {
    if members.rules.is_compat() {
        members.mend(|found, mut map| {
            found.mended.rename(&mut map);
            map
        });
    }
    let code = members.filled("code");
    let message = members.filled("message");
    let recoverable = members.required("recoverable", flag);
    let severity = members.optional("severity", word);
    let category = members.optional("category", word);
    let details = members.open_object("details", &[]);
    let related_act_id = members.optional("related_act_id", act_id);
    let suggested_action = members.optional("suggested_action", word);
    let user_message = members.optional("user_message", text);
    let stack_trace = members.optional("stack_trace", text);
    Some(Failure {
        code: code?,
        message: message?,
        recoverable: recoverable?,
        severity,
        category,
        details,
        related_act_id,
        suggested_action,
        user_message,
        stack_trace,
    })
}
