//! `auth`: how bearer tokens are verified. There is no default key and no default algorithm.

use std::path::PathBuf;
use std::time::Duration;

use diag::{Diagnostic, Field, Node, Shape, Span};

use super::code;
use super::judge::Judge;

const SHARED: [&str; 3] = ["HS256", "HS384", "HS512"];
const PUBLIC: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// How bearer tokens (JWT, RFC 7519) are verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Jwt {
    /// The keys, at least one.
    pub keys: Vec<JwtKey>,
    /// The accepted `iss`; empty accepts any.
    pub issuers: Vec<String>,
    /// The accepted `aud`; empty accepts tokens without one.
    pub audiences: Vec<String>,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// One key, bound to the algorithms it may be used with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtKey {
    /// The `kid` it goes by.
    pub id: Option<String>,
    /// JWS names (`RS256`), of one family.
    pub algorithms: Vec<String>,
    /// Where the key comes from.
    pub material: Material,
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// A shared secret, by name.
    Secret(String),
    /// A file with a public key in PEM.
    PublicFile(PathBuf),
    /// A public key in PEM, by the name of a secret.
    PublicSecret(String),
}

pub(super) fn shape() -> Shape {
    let key = Shape::object(key_fields()).exactly_one_of(["secret", "public_key"]);
    let one_or_many = || Shape::one_of([Shape::text(), Shape::list(Shape::text()).length(1..=16)]);
    let jwt = Shape::object(key_fields())
        .with([
            Field::new("keys", Shape::list(key).length(1..=16)).doc("several keys, for rotation"),
            Field::new("issuer", one_or_many()).doc("the accepted `iss`; without it any"),
            Field::new("audience", one_or_many()).doc("the accepted `aud`; without it tokens must name none"),
            Field::new("leeway", Shape::duration()).default("30s").doc("how far clocks may differ"),
        ])
        .exactly_one_of(["secret", "public_key", "keys"]);
    Shape::object([Field::new("jwt", jwt).required().doc("bearer tokens (JWT, RFC 7519)")])
}

fn key_fields() -> Vec<Field> {
    let public = Shape::one_of([Shape::text(), Shape::secret()]);
    vec![
        Field::new(
            "algorithms",
            Shape::list(Shape::choice([&SHARED[..], &PUBLIC[..]].concat())).length(1..=6),
        )
        .doc("the algorithms the key may be used with; all others are refused"),
        Field::new("secret", Shape::secret())
            .doc("a shared secret of 32 bytes or more, for HS256, HS384, HS512"),
        Field::new("public_key", public).doc("a public key in PEM: a file, or a secret's handle"),
        Field::new("id", Shape::text()).doc("the `kid` of tokens signed with this key"),
    ]
}

pub(super) fn read(judge: &mut Judge<'_>) -> Option<Jwt> {
    let jwt = judge.root.at("/auth/jwt")?;
    let here = judge.key("auth").unwrap_or(&jwt.span);
    let keys = match jwt.get("keys") {
        Some(keys) => keys.items().iter().filter_map(|node| key(judge, node, &node.span)).collect(),
        None => key(judge, jwt, here).into_iter().collect(),
    };
    let leeway = jwt.get("leeway").and_then(Node::duration).unwrap_or(Duration::from_secs(30));
    Some(Jwt { keys, issuers: texts(jwt.get("issuer")), audiences: texts(jwt.get("audience")), leeway })
}

fn key(judge: &mut Judge<'_>, node: &Node, here: &Span) -> Option<JwtKey> {
    let (material, fitting) = match (node.get("secret"), node.get("public_key")) {
        (Some(secret), _) => (Material::Secret(secret.secret()?.0.to_owned()), &SHARED[..]),
        (None, Some(public)) => (public_key(public)?, &PUBLIC[..]),
        (None, None) => return None,
    };
    let Some(list) = node.get("algorithms") else {
        let found = Diagnostic::error(code::KEY_MISMATCH, here, "the key has no algorithms");
        judge.push(found.help(format!("add `algorithms:` with some of {}", diag::quoted(fitting))));
        return None;
    };
    for item in list.items() {
        let Some(name) =
            item.text().filter(|name| judge.is_sound(&item.span, item) && !fitting.contains(name))
        else {
            continue;
        };
        let message = format!("{name} does not go with this kind of key");
        let found = Diagnostic::error(code::KEY_MISMATCH, &item.span, message);
        judge.push(found.help(format!("write {}", diag::quoted(fitting))));
    }
    let id = node.get("id").and_then(Node::text).map(str::to_owned);
    Some(JwtKey { id, algorithms: list.texts().map(str::to_owned).collect(), material })
}

fn public_key(node: &Node) -> Option<Material> {
    match node.text() {
        Some(path) => Some(Material::PublicFile(path.into())),
        None => Some(Material::PublicSecret(node.secret()?.0.to_owned())),
    }
}

fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else { return Vec::new() };
    node.text().into_iter().chain(node.texts()).map(str::to_owned).collect()
}
