//! Credentials, resolved and ready to be attached. They never show: not in `Debug`, not in a fault.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::auth::{Auth, Place};
use super::scrub::Scrubber;
use crate::Secrets;

/// How a request says who sends it.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// In a header, marked sensitive.
    Header(HeaderName, HeaderValue),
    /// In the query.
    Query(String, SecretString),
}

/// Credentials, and what takes them out of everything that comes back.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) credentials: Credentials,
    scrubber: Scrubber,
}

impl Resolved {
    /// Looks the secrets up. The error names the secret, not its value.
    pub(crate) fn resolve(auth: &Auth, secrets: &dyn Secrets) -> Result<Self, String> {
        match auth {
            Auth::Bearer(name) => {
                let secret = name.resolve(secrets)?;
                let value = format!("Bearer {}", secret.expose_secret());
                let scrubber = Scrubber::of(&[secret.expose_secret()]);
                Ok(Self { credentials: in_header(header::AUTHORIZATION, &value)?, scrubber })
            }
            Auth::Basic(basic) => {
                let secret = basic.password.resolve(secrets)?;
                let plain = format!("{}:{}", basic.user, secret.expose_secret());
                let pair = BASE64_STANDARD.encode(&plain);
                let scrubber = Scrubber::of(&[secret.expose_secret(), &plain]);
                Ok(Self {
                    credentials: in_header(header::AUTHORIZATION, &format!("Basic {pair}"))?,
                    scrubber,
                })
            }
            Auth::ApiKey(key) => {
                let secret = key.value.resolve(secrets)?;
                let value = format!("{}{}", key.prefix, secret.expose_secret());
                let credentials = match key.place {
                    Place::Query => Credentials::Query(key.name.clone(), value.clone().into()),
                    Place::Header => {
                        let name = HeaderName::from_bytes(key.name.as_bytes());
                        in_header(
                            name.map_err(|_| "auth.api_key.name is not a header name".to_owned())?,
                            &value,
                        )?
                    }
                };
                Ok(Self { credentials, scrubber: Scrubber::of(&[secret.expose_secret(), &value]) })
            }
        }
    }

    /// Attaches the credentials.
    pub(crate) fn attach(&self, url: &mut Url, headers: &mut HeaderMap) {
        match &self.credentials {
            Credentials::Header(name, value) => _ = headers.insert(name.clone(), value.clone()),
            Credentials::Query(name, value) => {
                _ = url.query_pairs_mut().append_pair(name, value.expose_secret());
            }
        }
    }

    /// Takes the credentials out of what the system may have echoed.
    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.scrubber
    }
}

fn in_header(name: HeaderName, value: &str) -> Result<Credentials, String> {
    if value.ends_with([' ', '\t']) {
        return Err("the secret ends with white space, which a header does not carry".to_owned());
    }
    let mut value =
        HeaderValue::from_str(value).map_err(|_| "the secret cannot be sent in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(Credentials::Header(name, value))
}
