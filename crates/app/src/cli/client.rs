//! Talks to a running server over its public HTTP API.

use clap::Args;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::Failure;

/// Which server, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Remote {
    /// The server's address
    #[arg(long, env = "CARDAN_URL", default_value = "http://127.0.0.1:8080", global = true)]
    url: String,
    /// A bearer token; needed when the server has an `auth` section
    #[arg(long, env = "CARDAN_TOKEN", hide_env_values = true, global = true)]
    token: Option<Token>,
}

/// A token that no debug output shows.
#[derive(Clone)]
struct Token(String);

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[token]")
    }
}

impl Remote {
    /// A request to `path` with the credentials, ready for more.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let request = reqwest::Client::new().request(method, url);
        match &self.token {
            Some(Token(token)) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// When the server cannot be reached or answers with a problem.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts a JSON body.
    ///
    /// # Errors
    /// When the server cannot be reached or answers with a problem.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a request and reads the JSON answer.
    ///
    /// # Errors
    /// When the server cannot be reached or answers with a problem.
    pub async fn send(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() { Ok(json) } else { Err(problem(status.as_u16(), &json)) }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let why = if error.is_connect() { "nothing listens there".to_owned() } else { error.to_string() };
        Failure::new(format!(
            "talking to {}: {why}\n  start one with `cardan serve`, or name another with --url",
            self.url
        ))
    }
}

/// An RFC 9457 problem as text.
fn problem(status: u16, body: &Value) -> Failure {
    let text = |member: &str| body[member].as_str().unwrap_or_default().to_owned();
    let what = if body["detail"].is_string() { text("detail") } else { text("title") };
    let mut lines = vec![format!("{status} {}: {what}", text("code"))];
    for error in body["errors"].as_array().into_iter().flatten() {
        let at = error["pointer"].as_str().unwrap_or_default();
        lines.push(format!("  at {at:?}: {}", error["message"].as_str().unwrap_or_default()));
    }
    Failure::new(lines.join("\n"))
}
