//! What a principal may do. Unknown permissions in a token are ignored.

/// Whose work something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Those who hold conversations.
    Callers,
    /// Those who keep it all going, and must be heard when the others are too many.
    Operators,
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)+) => {
        /// One thing that may be allowed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Permission { $($(#[$doc])* $name,)+ }

        impl Permission {
            /// Every permission.
            pub const ALL: &'static [Permission] = &[$(Permission::$name),+];

            /// The word in the token's `permissions`.
            pub fn as_str(self) -> &'static str {
                match self { $(Permission::$name => $word),+ }
            }
        }
    };
}

permissions! {
    /// Read conversations and their entities.
    ConversationRead = "conversation.read";
    /// Say acts; create and end conversations.
    ConversationWrite = "conversation.write";
    /// Say acts in another's name, as a service that carries a whole conversation does.
    SpeakForOthers = "conversation.speak_for_others";
    /// Subscribe to live events.
    EventsRead = "events.read";
    /// See open questions: of conversations that one takes part in, with `flow.read` of all. `conversation.read` and
    /// `flow.read` include it.
    QuestionsRead = "questions.read";
    /// See runs.
    FlowRead = "flow.read";
    /// Cancel, pause, resume and restart runs.
    FlowManage = "flow.manage";
    /// Send signals to runs.
    FlowSignal = "flow.signal";
    /// Decide what a run does next: cancel, pause, resume, restart, undo. `flow.manage` includes it.
    RunsDecide = "runs.decide";
    /// Say what became of a step whose outcome nobody knows.
    RunsAttest = "runs.attest";
    /// See dead letters.
    DeadRead = "dead.read";
    /// Edit, replay and discard dead letters.
    DeadManage = "dead.manage";
    /// See systems.
    SystemRead = "system.read";
    /// Reset a system's breaker, and tell it what to do.
    SystemManage = "system.manage";
}

impl Permission {
    /// Whose work it is for.
    pub(crate) fn whose(self) -> Whose {
        use Permission::QuestionsRead;
        use Permission::{ConversationRead, ConversationWrite, EventsRead, FlowSignal, SpeakForOthers};
        use Permission::{DeadManage, DeadRead, FlowManage, FlowRead};
        use Permission::{RunsAttest, RunsDecide, SystemManage, SystemRead};
        match self {
            ConversationRead | ConversationWrite | SpeakForOthers | EventsRead | FlowSignal => Whose::Callers,
            QuestionsRead => Whose::Callers,
            FlowRead | FlowManage | RunsDecide | RunsAttest => Whose::Operators,
            DeadRead | DeadManage | SystemRead | SystemManage => Whose::Operators,
        }
    }
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions(u32);

impl Permissions {
    /// All of them.
    pub fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether `permission` is in the set.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & bit(permission) != 0
    }

    /// The set named by these words.
    pub fn named<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let known =
            |word: &str| Permission::ALL.iter().copied().find(|permission| permission.as_str() == word);
        words.into_iter().filter_map(known).collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |set, permission| set | bit(permission) | implied(permission)))
    }
}

fn bit(permission: Permission) -> u32 {
    1 << permission as u32
}

/// What a permission includes.
fn implied(permission: Permission) -> u32 {
    match permission {
        Permission::FlowManage => bit(Permission::RunsDecide),
        Permission::ConversationRead | Permission::FlowRead => bit(Permission::QuestionsRead),
        _ => 0,
    }
}
