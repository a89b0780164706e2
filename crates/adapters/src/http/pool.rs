//! The connections to systems: one pool for all, and one of its own for a system that is reached in a way of its own.

use std::time::Duration;

use super::config::Config;
use super::resolve::{Addresses, PublicOnly};
use crate::Secrets;

/// How long making a TCP and TLS connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept. Shorter than the 60 s after which common servers and balancers close it.
const IDLE: Duration = Duration::from_secs(50);
/// How many idle connections are kept for one host.
const IDLE_PER_HOST: usize = 64;

/// The pool that systems share.
pub(crate) fn pool() -> Result<reqwest::Client, reqwest::Error> {
    builder().build()
}

/// A pool of its own, when the system is reached in a way of its own; else none. The error reads after a colon.
pub(super) fn own(config: &Config, secrets: &dyn Secrets) -> Result<Option<reqwest::Client>, String> {
    let mut builder = builder();
    if let Some(tls) = &config.tls {
        builder = tls.set(builder, secrets)?;
    }
    match (config.addresses, &config.tls) {
        (Addresses::Any, None) => return Ok(None),
        (Addresses::Any, Some(_)) => {}
        (Addresses::Public, _) => builder = builder.dns_resolver(PublicOnly),
    }
    builder.build().map(Some).map_err(|error| super::fault::root_cause(&error))
}

/// No redirects, no cookies, no proxy from the environment: a call goes where its configuration says or nowhere.
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("cardan/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .tcp_nodelay(true)
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
}
