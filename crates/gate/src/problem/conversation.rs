//! What the conversations refuse, as problems: the one table from their codes to ours.

use conversation::{Code as Told, Error};

use super::{Code, Problem};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => {
                let (detail, errors) = (refusal.detail, refusal.issues);
                Problem { detail, errors, ..Problem::new(code(refusal.code)) }
            }
            Error::Store(error) => error.into(),
            Error::Internal => Problem::new(Code::Internal),
        }
    }
}

fn code(told: Told) -> Code {
    match told {
        Told::ActIdReused => Code::ActIdReused,
        Told::ActRefused => Code::ActRefused,
        Told::ActConversation => Code::ActConversation,
        Told::ActSpeaker => Code::ActSpeaker,
        Told::CommitKeyReused => Code::CommitKeyReused,
        Told::CommitKeyExpired => Code::CommitKeyExpired,
        Told::CommitKeysFull => Code::CommitKeysFull,
        Told::CommitNewTry => Code::CommitNewTry,
        Told::CommitOnce => Code::CommitOnce,
        Told::BatchTooLarge => Code::BodyTooLarge,
        Told::ConversationDenied => Code::AuthConversation,
        Told::ConversationUnknown => Code::ConversationUnknown,
        Told::ConversationExists => Code::ConversationExists,
        Told::ConversationEnded => Code::ConversationEnded,
        Told::Contended => Code::Contended,
        Told::EntityUnknown => Code::EntityUnknown,
        Told::QuestionDenied => Code::QuestionDenied,
        Told::QuestionUnknown => Code::QuestionUnknown,
        Told::QuestionClosed => Code::QuestionClosed,
        Told::PositionAhead => Code::PositionAhead,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_word_in_both_rooms() {
        for told in Told::ALL {
            assert_eq!(code(*told).as_str(), told.as_str());
        }
    }
}
