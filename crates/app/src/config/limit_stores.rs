//! `limit_stores`: where limits are counted over several nodes. Limits name them; their addresses stand here alone.

use std::collections::BTreeMap;
use std::time::Duration;

use diag::{Diagnostic, Entry, Field, Node, Shape};
use guard::shared::Store;

use super::code;
use super::judge::{Judge, unknown};
use super::shape::named;

/// A store in which several nodes count together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitStore {
    /// What kind of server it is.
    pub server: Server,
    /// Where it is.
    pub url: Url,
    /// The longest a call waits for it.
    pub patience: Duration,
}

/// A kind of server that can count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// Redis 5 or later, or Valkey.
    Redis,
    /// PostgreSQL 14 or later.
    Postgres,
}

/// The address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// As it was written; it holds no password.
    Open(String),
    /// A secret, by name.
    Secret(String),
}

const SERVERS: [Server; 2] = [Server::Redis, Server::Postgres];

impl Server {
    /// The key of its section.
    pub fn key(self) -> &'static str {
        match self {
            Server::Redis => "redis",
            Server::Postgres => "postgres",
        }
    }

    fn schemes(self) -> [&'static str; 2] {
        match self {
            Server::Redis => ["redis", "rediss"],
            Server::Postgres => ["postgres", "postgresql"],
        }
    }

    fn example(self) -> &'static str {
        match self {
            Server::Redis => "redis://127.0.0.1:6379/0",
            Server::Postgres => "postgres://127.0.0.1:5432/cardan",
        }
    }

    fn doc(self) -> &'static str {
        match self {
            Server::Redis => {
                "count in Redis 5 or later, or Valkey; `rediss://` is over TLS, with a certificate that the machine trusts"
            }
            Server::Postgres => {
                "count in PostgreSQL 14 or later, in a table of its own; `?sslmode=verify-full` is over TLS, with a \
                 certificate that a public authority or `&sslrootcert=FILE` vouches for, and without it nobody looks \
                 at the certificate"
            }
        }
    }

    fn field(self) -> Field {
        let url = Shape::one_of([Shape::text().example(self.example()), Shape::secret()]);
        let doc = "where it is; an address with a password is a secret";
        Field::new(self.key(), Shape::object([Field::new("url", url).required().doc(doc)])).doc(self.doc())
    }
}

pub(super) fn shape() -> Shape {
    let patience = Field::new("patience", Shape::duration())
        .default(diag::units::show_duration(Store::PATIENCE))
        .doc("the longest a call waits for it; then the limit's fallback applies");
    let store = Shape::object(SERVERS.map(Server::field)).with([patience]);
    named("limit store", store.exactly_one_of(SERVERS.map(Server::key)))
}

/// Reads the stores; says which are named without being there, and the other way round.
pub(super) fn read(judge: &mut Judge<'_>) -> BTreeMap<String, LimitStore> {
    let entries = judge.names("limit_stores");
    let wanted = wanted(judge);
    for place in &wanted {
        let name = place.text().unwrap_or_default();
        if !entries.iter().any(|entry| entry.key == name) {
            let known = entries.iter().map(|entry| entry.key.as_str());
            let found = unknown(code::NO_SUCH_LIMIT_STORE, &place.span, "limit store", name, known);
            judge.push(found.help(format!("declare it: `limit_stores: {{ {name}: {{ redis: … }} }}`")));
        }
    }
    for entry in entries.iter().filter(|entry| !wanted.iter().any(|place| place.text() == Some(&entry.key))) {
        let message = format!("no limit is counted in `{}`", entry.key);
        judge.push(
            Diagnostic::warning(code::UNUSED_LIMIT_STORE, &entry.key_span, message).help("take it out"),
        );
    }
    entries.iter().filter_map(|entry| Some((entry.key.clone(), store(judge, entry)?))).collect()
}

/// Every place at which a limit names its store.
fn wanted<'a>(judge: &Judge<'a>) -> Vec<&'a Node> {
    let guards = judge.names("systems").iter().filter_map(|system| system.value.get("guard"));
    let operations = guards.clone().filter_map(|guard| guard.get("operations")).flat_map(Node::entries);
    let profiles = judge.names("profiles").iter().chain(operations).map(|entry| &entry.value);
    let stores = guards.chain(profiles).filter_map(|numbers| numbers.at("/limit/shared/store"));
    stores.filter(|store| store.text().is_some()).collect()
}

fn store(judge: &mut Judge<'_>, entry: &Entry) -> Option<LimitStore> {
    let node = &entry.value;
    let server = SERVERS.into_iter().find(|server| node.get(server.key()).is_some())?;
    let written = node.get(server.key())?.get("url")?;
    let url = match written.text() {
        Some(text) => {
            if let Some(found) = unfit(server, written, text) {
                judge.push(found.hiding(&written.span));
            }
            Url::Open(text.to_owned())
        }
        None => Url::Secret(written.secret()?.0.to_owned()),
    };
    let patience = node.get("patience").and_then(Node::duration).unwrap_or(Store::PATIENCE);
    Some(LimitStore { server, url, patience })
}

/// Why this is no address for that server, or one that must not stand in the open. Not shown: where a mistake is, a
/// password may be.
fn unfit(server: Server, node: &Node, text: &str) -> Option<Diagnostic> {
    let url = reqwest::Url::parse(text).ok().filter(|url| server.schemes().contains(&url.scheme()));
    let Some(url) = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty())) else {
        let message = format!("this is no address for {}", server.key());
        let found = Diagnostic::error(code::BAD_LIMIT_STORE, &node.span, message);
        return Some(found.help(format!("write {}", server.example())));
    };
    let open = url.password().is_some() || url.query_pairs().any(|(key, _)| key.contains("password"));
    open.then(|| {
        Diagnostic::error(diag::code::OPEN_SECRET, &node.span, "the address holds a password")
            .help("name it under `secrets:` and write `{ secret: NAME }` here")
    })
}
