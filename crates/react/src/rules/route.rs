//! Which flows take which commits.

use act::Action;

/// A flow that takes commits. Every route that fits a commit starts its flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The system a commit must name, normalised (see [`crate::Rules::system`]); any, also none, without.
    pub system: Option<String>,
    /// The action a commit must want; any without.
    pub action: Option<Action>,
    /// The flow's name.
    pub flow: String,
}

impl Route {
    pub(crate) fn takes(&self, system: Option<&str>, action: Action) -> bool {
        let named = self.system.as_deref().is_none_or(|wanted| system == Some(wanted));
        named && self.action.is_none_or(|wanted| wanted == action)
    }
}
