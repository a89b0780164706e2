//! What the wiring lends to adapters: secrets by name and one HTTP client with one pool for all of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

/// How long making a TCP and TLS connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept. Shorter than the 60 s after which common servers and balancers close it.
const IDLE: Duration = Duration::from_secs(50);
/// How many idle connections are kept for one host.
const IDLE_PER_HOST: usize = 64;

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
    pub http: reqwest::Client,
}

impl Env {
    /// Lends `secrets` and a new HTTP client. A rustls provider must be installed before.
    ///
    /// # Errors
    /// When the TLS set-up of the machine is unusable.
    pub fn new(secrets: Arc<dyn Secrets>) -> Result<Self, reqwest::Error> {
        Ok(Self { secrets, http: http()? })
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Env { .. }")
    }
}

/// No redirects, no cookies, no proxy from the environment: a call goes where its configuration says or nowhere.
fn http() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("cardan/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .build()
}
