//! How requests are authenticated, as it is written.

use diag::{Field, Shape};
use http::HeaderName;
use serde::Deserialize;

use super::judge::Judge;
use super::secret::Name;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Auth {
    ApiKey(ApiKey),
    Bearer(Name),
    Basic(Basic),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKey {
    #[serde(default, rename = "in")]
    pub(crate) place: Place,
    #[serde(default = "api_key_header")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) prefix: String,
    pub(crate) value: Name,
}

fn api_key_header() -> String {
    "X-API-Key".to_owned()
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    #[default]
    Header,
    Query,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Basic {
    pub(crate) user: String,
    pub(crate) password: Name,
}

/// Judges names that cannot be sent.
pub(crate) fn check(auth: &Auth, judge: &mut Judge<'_>) {
    let code = judge.codes.header;
    match auth {
        Auth::ApiKey(key) => {
            if matches!(key.place, Place::Header) && HeaderName::from_bytes(key.name.as_bytes()).is_err() {
                let says = format!("{:?} is not a header name", key.name);
                judge.refuse::<()>(code, &["auth", "api_key", "name"], says, "use letters, digits and -");
            }
        }
        Auth::Basic(basic) if basic.user.contains(':') => {
            let help = "RFC 7617 has no way to send one";
            judge.refuse::<()>(code, &["auth", "basic", "user"], "the user name holds a colon", help);
        }
        Auth::Basic(_) | Auth::Bearer(_) => {}
    }
}

/// What `auth` may hold.
pub(crate) fn shape() -> Shape {
    let api_key = Shape::object([
        Field::new("in", Shape::choice(["header", "query"])).default("header").doc("where the key travels"),
        Field::new("name", Shape::text()).default("X-API-Key").doc("the header's or parameter's name"),
        Field::new("prefix", Shape::text()).default("").doc("put before the key"),
        Field::new("value", Shape::secret()).required().doc("the key"),
    ]);
    let basic = Shape::object([
        Field::new("user", Shape::text()).required().doc("the user's name"),
        Field::new("password", Shape::secret()).required().doc("the user's password"),
    ]);
    Shape::object([
        Field::new("api_key", api_key).doc("a key in a header or in the query"),
        Field::new("bearer", Shape::secret()).doc("a token, sent as `Authorization: Bearer`"),
        Field::new("basic", basic).doc("a name and a password (RFC 7617)"),
    ])
    .exactly_one_of(["api_key", "bearer", "basic"])
}
