//! Reading back what was taken before. Stored documents were judged when they came in, perhaps under other rules,
//! so nothing that was kept then is refused now.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use crate::issue::{At, Findings};
use crate::{Act, Constraint, Conversation, Entity, EntityRef, Participant, Rules, read};

macro_rules! stored {
    ($($name:ident: $read:path),+ $(,)?) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let mut found = Findings::default();
                let value = Value::deserialize(deserializer)?;
                let read = $read(value, At::ROOT, &Rules::compat(), &mut found);
                read.filter(|_| found.shape.is_empty()).ok_or_else(|| D::Error::custom(told(found)))
            }
        }
    )+};
}

stored! {
    Act: read::act,
    Constraint: read::constraint,
    Conversation: read::conversation,
    Entity: read::entity,
    EntityRef: read::entity_ref,
    Participant: read::participant,
}

fn told(found: Findings) -> String {
    let issue = found.into_issues().into_iter().next();
    issue.map_or_else(String::new, |issue| format!("{}: {}", issue.pointer, issue.message))
}
