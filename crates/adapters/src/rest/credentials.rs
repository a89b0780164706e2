//! Credentials, resolved and ready to be attached. They never show: not in `Debug`, not in a fault.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::section::{Auth, Place};
use crate::Secrets;

/// How a request says who sends it.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    /// In a header, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// In the query.
    Query(String, SecretString),
}

/// Credentials and the secrets they were made of, which no message may repeat.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) credentials: Credentials,
    secret: SecretString,
}

impl Resolved {
    /// Looks the secrets up. The error names the secret, not its value.
    pub(super) fn resolve(auth: &Auth, secrets: &dyn Secrets) -> Result<Self, String> {
        match auth {
            Auth::Bearer(name) => {
                let secret = name.resolve(secrets)?;
                let value = format!("Bearer {}", secret.expose_secret());
                Ok(Self { credentials: in_header(header::AUTHORIZATION, &value)?, secret })
            }
            Auth::Basic(basic) => {
                let secret = basic.password.resolve(secrets)?;
                let pair = BASE64_STANDARD.encode(format!("{}:{}", basic.user, secret.expose_secret()));
                Ok(Self { credentials: in_header(header::AUTHORIZATION, &format!("Basic {pair}"))?, secret })
            }
            Auth::ApiKey(key) => {
                let secret = key.value.resolve(secrets)?;
                let value = format!("{}{}", key.prefix, secret.expose_secret());
                let credentials = match key.place {
                    Place::Query => Credentials::Query(key.name.clone(), value.into()),
                    Place::Header => {
                        let name = HeaderName::from_bytes(key.name.as_bytes());
                        in_header(
                            name.map_err(|_| "auth.api_key.name is not a header name".to_owned())?,
                            &value,
                        )?
                    }
                };
                Ok(Self { credentials, secret })
            }
        }
    }

    /// Attaches the credentials.
    pub(super) fn attach(&self, url: &mut Url, headers: &mut HeaderMap) {
        match &self.credentials {
            Credentials::Header(name, value) => _ = headers.insert(name.clone(), value.clone()),
            Credentials::Query(name, value) => {
                _ = url.query_pairs_mut().append_pair(name, value.expose_secret());
            }
        }
    }

    /// Takes the secret out of a text that the system may have echoed.
    pub(super) fn scrub(&self, text: String) -> String {
        text.replace(self.secret.expose_secret(), "[secret]")
    }
}

fn in_header(name: HeaderName, value: &str) -> Result<Credentials, String> {
    let mut value =
        HeaderValue::from_str(value).map_err(|_| "the secret cannot be sent in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(Credentials::Header(name, value))
}
