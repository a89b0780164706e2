//! What `react` would not take, as a problem.

use crate::{Code, Problem};

/// What `react` would not take, as a problem.
pub(super) fn refused(refusal: react::Refusal) -> Problem {
    let code = match refusal.code {
        "conversation.closed" => Code::ConversationEnded,
        "conversation.exists" => Code::ConversationExists,
        "conversation.unknown" => Code::ConversationUnknown,
        "conversation.not_participant" => Code::AuthConversation,
        "question.closed" => Code::QuestionClosed,
        "question.not_participant" | "question.not_allowed" => Code::QuestionDenied,
        _ => Code::ActRefused,
    };
    let issue = act::Issue {
        pointer: refusal.pointer.to_owned(),
        code: refusal.code,
        message: refusal.message.clone(),
    };
    Problem { errors: vec![issue], ..Problem::because(code, refusal.message) }
}
