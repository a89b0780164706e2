//! What the wiring lends to adapters: secrets by name and one HTTP client with one pool for all of them.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

/// Secrets by the name under which the configuration declares them.
pub trait Secrets: Send + Sync + 'static {
    /// The secret's value; `None` when no secret has that name.
    fn get(&self, name: &str) -> Option<SecretString>;
}

/// What adapters are built with. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Where secrets come from.
    pub secrets: Arc<dyn Secrets>,
    /// The client that every HTTP adapter shares.
    #[cfg(feature = "http")]
    pub http: reqwest::Client,
}

impl Env {
    /// Lends `secrets` and a new HTTP client. A rustls provider must be installed before.
    ///
    /// # Errors
    /// When the TLS set-up of the machine is unusable; reads after a colon.
    pub fn new(secrets: Arc<dyn Secrets>) -> Result<Self, String> {
        Ok(Self {
            secrets,
            #[cfg(feature = "http")]
            http: crate::http::pool().map_err(|error| format!("making the HTTP client: {error}"))?,
        })
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env { .. }")
    }
}
