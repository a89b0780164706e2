//! The connections to all systems.

use std::time::Duration;

/// How long making a TCP and TLS connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept. Shorter than the 60 s after which common servers and balancers close it.
const IDLE: Duration = Duration::from_secs(50);
/// How many idle connections are kept for one host.
const IDLE_PER_HOST: usize = 64;

/// No redirects, no cookies, no proxy from the environment: a call goes where its configuration says or nowhere.
pub(crate) fn pool() -> Result<reqwest::Client, reqwest::Error> {
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
