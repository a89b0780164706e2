//! A running simulation and a client for it.

use reqwest::Method;
use serde_json::Value;
use sim::{Handle, Options};

pub(crate) struct Town {
    pub(crate) sim: Handle,
    pub(crate) http: reqwest::Client,
}

impl Town {
    pub(crate) async fn start() -> Self {
        Self::with(Options::free_port()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self { sim: sim::serve(options).await.unwrap(), http: reqwest::Client::new() }
    }

    /// Sends and takes status and body; `null` for none.
    pub(crate) async fn call(&self, verb: &str, path: &str, body: Value) -> (u16, Value) {
        self.keyed(verb, path, body, None).await.unwrap()
    }

    pub(crate) async fn keyed(
        &self,
        verb: &str,
        path: &str,
        body: Value,
        key: Option<&str>,
    ) -> reqwest::Result<(u16, Value)> {
        let url = format!("http://{}{path}", self.sim.addr());
        let mut request = self.http.request(Method::from_bytes(verb.as_bytes()).unwrap(), url);
        if !body.is_null() {
            request = request.json(&body);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = response.bytes().await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
    }

    pub(crate) async fn behave(&self, system: &str, knob: Value) {
        let (status, said) = self.call("POST", &format!("/_sim/{system}/behave"), knob).await;
        assert_eq!(status, 204, "{said}");
    }

    pub(crate) fn effects(&self, system: &str, operation: &str) -> u64 {
        self.sim.effects(system).unwrap().effects.get(operation).copied().unwrap_or(0)
    }
}
