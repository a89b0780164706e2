//! The harness's own HTTP client.

/// A client of its own connection pool. The first one chooses the process's crypto library.
pub fn client() -> reqwest::Client {
    // Whoever came first has chosen; the choice is the same.
    let _chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::new()
}
