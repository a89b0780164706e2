//! Every way in which the gate says no.

use std::time::Duration;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal;)+) => {
        /// Why a request was refused. The word is stable; `docs/reference/http-problems.md` explains each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable word.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code),+ }
            }

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Code::$name => $status),+ }
            }

            /// One line for people, the same every time.
            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title),+ }
            }
        }
    };
}

codes! {
    /// The act is not one.
    ActInvalid = "act.invalid", 400, "Invalid act structure";
    /// The act's id was used for another act.
    ActIdReused = "act.id_reused", 409, "Act id was used for another act";
    /// The act is sound and the conversation's state does not allow it.
    ActRefused = "act.refused", 422, "Act cannot be taken now";
    /// Too many acts in one request.
    ActTooMany = "act.too_many", 413, "Too many acts in one request";
    /// `metadata.conversation_id` names another conversation than the path.
    ActConversation = "act.conversation_mismatch", 403, "Access denied to conversation";
    /// The act's speaker is not the token's subject.
    ActSpeaker = "act.speaker_mismatch", 403, "Speaker is not the authenticated subject";
    /// The commit's `idempotency_key` was used for another commit.
    CommitKeyReused = "commit.key_reused", 422, "Idempotency key was used for another commit";
    /// The commit's `idempotency_key` names a commit of which nothing more is kept.
    CommitKeyExpired = "commit.key_expired", 410, "Commit of this idempotency key is not kept any more";
    /// The organisation has as many commit keys as it may have.
    CommitKeysFull = "commit.keys_full", 507, "No room for another commit key";
    /// `metadata.cardan.new_try` is said of what did not come to nothing.
    CommitNewTry = "commit.new_try", 409, "Commit cannot be tried anew";
    /// The flow that the commit begins runs once ever per key, and has a run of this one.
    CommitOnce = "commit.once", 409, "The flow runs once per key, and has a run of this one";
    /// The body is not JSON.
    BodyJson = "body.json", 400, "Malformed JSON";
    /// The body is not UTF-8.
    BodyUtf8 = "body.utf8", 400, "Body is not UTF-8";
    /// The body is nested too deeply.
    BodyDepth = "body.depth", 400, "JSON is nested too deeply";
    /// The body is JSON and not what is expected here.
    BodyInvalid = "body.invalid", 400, "Body is not as described";
    /// The body is too large.
    BodyTooLarge = "body.too_large", 413, "Body is too large";
    /// The body has another content type.
    BodyType = "body.content_type", 415, "Content type is not supported";
    /// The body did not arrive in time.
    BodySlow = "body.timeout", 408, "Body did not arrive in time";
    /// No token, or not a valid one.
    AuthToken = "auth.token", 401, "Invalid token";
    /// The token lacks a permission.
    AuthPermission = "auth.permission", 403, "Insufficient permissions";
    /// The conversation belongs to another organisation.
    AuthConversation = "auth.conversation", 403, "Access denied to conversation";
    /// The request was not made from where it may be made.
    AuthOrigin = "auth.origin", 403, "Host or origin is not allowed";
    /// No such path.
    RouteUnknown = "route.unknown", 404, "No such path";
    /// No such method on this path.
    RouteMethod = "route.method", 405, "Method is not allowed here";
    /// A query parameter is wrong.
    QueryInvalid = "query.invalid", 400, "Query is not as described";
    /// A header is wrong.
    HeaderInvalid = "header.invalid", 400, "Header is not as described";
    /// No such conversation.
    ConversationUnknown = "conversation.unknown", 404, "No such conversation";
    /// The conversation's id is taken.
    ConversationExists = "conversation.exists", 409, "Conversation exists already";
    /// The conversation has ended.
    ConversationEnded = "conversation.ended", 409, "Conversation has ended";
    /// No such entity in this conversation.
    EntityUnknown = "entity.unknown", 404, "No such entity";
    /// The question is not the speaker's to answer.
    QuestionDenied = "question.denied", 403, "Question is not yours to answer";
    /// No such question.
    QuestionUnknown = "question.unknown", 404, "No such question";
    /// The question is not open any more.
    QuestionClosed = "question.closed", 409, "Question is closed";
    /// No such run.
    RunUnknown = "run.unknown", 404, "No such run";
    /// The run is not in a state for this.
    RunState = "run.state", 409, "Run is not in a state for this";
    /// As many signals as may wait for the run, and it hears none of them.
    SignalsFull = "signal.full", 409, "Run takes no further signal";
    /// No such dead letter.
    DeadUnknown = "dead.unknown", 404, "No such dead letter";
    /// The dead letter was resolved.
    DeadState = "dead.resolved", 409, "Dead letter was resolved already";
    /// No such system.
    SystemUnknown = "system.unknown", 404, "No such system";
    /// No such breaker.
    BreakerUnknown = "breaker.unknown", 404, "No such breaker";
    /// The first request with this key is still being handled.
    IdempotencyInProgress = "idempotency.in_progress", 409, "A request with this idempotency key is in progress";
    /// The key was used for another request.
    IdempotencyMismatch = "idempotency.mismatch", 422, "Idempotency key was used for another request";
    /// The key is not one.
    IdempotencyKey = "idempotency.key", 400, "Idempotency key is not one";
    /// Too many requests.
    RateLimited = "rate.limited", 429, "Too many requests";
    /// Too many live subscriptions.
    TooManyStreams = "live.too_many", 429, "Too many live subscriptions";
    /// The position asked for is not visible yet.
    PositionNotVisible = "position.not_visible", 503, "Position is not visible yet";
    /// The position is beyond the end of the log: it is of another history.
    PositionAhead = "position.ahead", 409, "Position is beyond the end of the log";
    /// Too many acts of this conversation at once.
    Contended = "conversation.contended", 503, "Conversation is contended";
    /// Too many requests are worked on.
    Overloaded = "overloaded", 503, "Too many requests at once";
    /// The write queue is full.
    Busy = "busy", 503, "Too much to do";
    /// No space left.
    StoreFull = "store.full", 503, "No space left to write";
    /// The store failed.
    StoreFailed = "store.failed", 503, "Store does not work";
    /// The server is stopping.
    Stopping = "stopping", 503, "Server is stopping";
    /// A defect on our side.
    Internal = "internal", 500, "Processing failed";
}

impl Code {
    /// The ASTRA guide's `error` member: the title, but for the act that is not one.
    pub fn error(self) -> &'static str {
        match self {
            Code::ActInvalid => "Invalid act",
            other => other.title(),
        }
    }

    /// How long to wait before trying again, when waiting may help.
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Code::Busy | Code::Contended | Code::PositionNotVisible | Code::IdempotencyInProgress => {
                Some(Duration::from_secs(1))
            }
            Code::RateLimited | Code::TooManyStreams | Code::Overloaded | Code::Stopping => {
                Some(Duration::from_secs(1))
            }
            Code::StoreFull | Code::StoreFailed => Some(Duration::from_secs(10)),
            _ => None,
        }
    }
}
