//! `secrets`: names in the configuration, values in the environment or in files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use diag::{Diagnostic, Field, Node, Shape, Span};
use secrecy::SecretString;

use super::judge::{Judge, unknown};
use super::shape::named;
use super::{Config, code};

/// The largest file that can be a secret, in bytes.
const LARGEST: u64 = 64 * 1024;

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An environment variable.
    Env(String),
    /// A file; one newline at its end does not count.
    File(PathBuf),
}

/// The values, by name. Read once; never printed.
#[derive(Clone)]
pub struct Vault(BTreeMap<String, SecretString>);

impl adapters::Secrets for Vault {
    fn get(&self, name: &str) -> Option<SecretString> {
        self.0.get(name).cloned()
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Config {
    /// Reads every secret from where it is kept; `env` looks a variable up.
    ///
    /// # Errors
    /// Every secret that is missing, empty or unreadable; never a value.
    pub fn vault(&self, env: impl Fn(&str) -> Option<String>) -> Result<Vault, Vec<Diagnostic>> {
        let (mut values, mut found) = (BTreeMap::new(), Vec::new());
        for (name, origin) in &self.secrets {
            match origin.value(&env) {
                Ok(value) => _ = values.insert(name.clone(), value),
                Err(why) => {
                    let message = format!("the secret `{name}` cannot be had: {why}");
                    found.push(Diagnostic::error(code::NO_SECRET, &Span::default(), message));
                }
            }
        }
        if found.is_empty() { Ok(Vault(values)) } else { Err(found) }
    }
}

impl Origin {
    fn value(&self, env: impl Fn(&str) -> Option<String>) -> Result<SecretString, String> {
        let value = match self {
            Origin::Env(name) => env(name).ok_or_else(|| format!("the variable {name} is not set"))?,
            Origin::File(path) => {
                let place = path.display();
                let text =
                    crate::bounded::text(path, LARGEST).map_err(|error| format!("{place}: {error}"))?;
                let line = text.strip_suffix('\n').unwrap_or(&text);
                line.strip_suffix('\r').unwrap_or(line).to_owned()
            }
        };
        if value.is_empty() { Err(format!("{self} is empty")) } else { Ok(value.into()) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Env(name) => write!(f, "the variable {name}"),
            Origin::File(path) => path.display().fmt(f),
        }
    }
}

pub(super) fn shape() -> Shape {
    let origin = Shape::object([
        Field::new(
            "env",
            Shape::text().pattern("^[A-Za-z_][A-Za-z0-9_]*$", "the name of an environment variable"),
        )
        .doc("an environment variable"),
        Field::new("file", Shape::text()).doc("a file; one newline at its end does not count"),
    ]);
    named("secret", origin.exactly_one_of(["env", "file"]))
}

/// Reads where secrets come from; says which are named without being declared, and the other way round.
pub(super) fn read(judge: &mut Judge<'_>) -> BTreeMap<String, Origin> {
    let declared = judge.names("secrets");
    let mut used = BTreeSet::new();
    for section in ["auth", "telemetry", "limit_stores", "systems"] {
        let Some(node) = judge.section(section) else { continue };
        for (name, place) in handles(node) {
            used.insert(name);
            if !declared.iter().any(|entry| entry.key == name) {
                let known = declared.iter().map(|entry| entry.key.as_str());
                let found = unknown(code::NO_SUCH_SECRET, place, "secret", name, known);
                judge.push(found.help(format!("declare it: `secrets: {{ {name}: {{ env: VARIABLE }} }}`")));
            }
        }
    }
    for entry in declared.iter().filter(|entry| !used.contains(entry.key.as_str())) {
        let message = format!("nobody uses the secret `{}`", entry.key);
        judge.push(Diagnostic::warning(code::UNUSED_SECRET, &entry.key_span, message).help("take it out"));
    }
    declared.iter().filter_map(|entry| Some((entry.key.clone(), origin(&entry.value)?))).collect()
}

fn origin(node: &Node) -> Option<Origin> {
    match node.get("env") {
        Some(name) => name.text().map(|name| Origin::Env(name.to_owned())),
        None => node.get("file")?.text().map(|path| Origin::File(path.into())),
    }
}

/// Every `{ secret: NAME }` below a node.
fn handles(node: &Node) -> Vec<(&str, &Span)> {
    if let ([only], Some(handle)) = (node.entries(), node.secret())
        && only.key == "secret"
    {
        return vec![handle];
    }
    let below = node.entries().iter().map(|entry| &entry.value).chain(node.items());
    below.flat_map(handles).collect()
}
