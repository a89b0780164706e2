//! Participants.

use serde_json::Value;

use super::members::Members;
use super::open::{Form, OpenMember};
use super::scalar::{email, text, word};
use crate::issue::{At, Findings};
use crate::{Participant, Rules};

/// What is known of a participant's preferences.
pub(crate) const PREFERENCES: &[OpenMember] =
    &[("language", Form::Language), ("timezone", Form::Text), ("communication_channels", Form::Texts)];

pub(crate) fn participant(
    value: Value,
    at: At<'_>,
    rules: &Rules,
    found: &mut Findings,
) -> Option<Participant> {
    let mut members = Members::open(value, at, rules, found)?;
    let id = members.filled("id");
    let type_ = members.required("type", word);
    let role = members.optional("role", text);
    let name = members.optional("name", text);
    let email = members.optional("email", email);
    let phone = members.optional("phone", text);
    let external_id = members.optional("external_id", text);
    let system = members.optional("system", text);
    let capabilities = members.texts("capabilities");
    let permissions = members.texts("permissions");
    let preferences = members.open_object("preferences", PREFERENCES);
    let metadata = members.open_object("metadata", &[]);
    members.close();
    Some(Participant {
        id: id?,
        type_: type_?,
        role,
        name,
        email,
        phone,
        external_id,
        system,
        capabilities,
        permissions,
        preferences,
        metadata,
    })
}
