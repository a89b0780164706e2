//! What `react` would not take, as a refusal of ours.

use crate::{Code, Error, Refusal};

/// What `react` would not take, as a refusal of ours.
pub(crate) fn refused(refusal: react::Refusal) -> Error {
    let code = match refusal.code {
        "conversation.closed" => Code::ConversationEnded,
        "conversation.exists" => Code::ConversationExists,
        "conversation.unknown" => Code::ConversationUnknown,
        "conversation.not_participant" => Code::ConversationDenied,
        "question.closed" => Code::QuestionClosed,
        "question.not_participant" | "question.not_allowed" => Code::QuestionDenied,
        _ => Code::ActRefused,
    };
    let issue = act::Issue {
        pointer: refusal.pointer.to_owned(),
        code: refusal.code,
        message: refusal.message.clone(),
    };
    Refusal { issues: vec![issue], ..Refusal::because(code, refusal.message) }.into()
}
