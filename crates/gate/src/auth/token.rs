//! Bearer tokens: signature by a key that is bound to its algorithms, then the claims, by our own clock.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Validation, decode, decode_header};
use port::Clock;
use serde::Deserialize;

use super::key::Ready;
use super::{Key, Permissions, Principal};

/// The longest token that is looked at.
const LONGEST: usize = 8 * 1024;

/// Why tokens cannot be verified with this configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// A secret that can be guessed.
    #[error("shared secret has {bytes} bytes, expected 32 or more")]
    ShortSecret {
        /// How long it is.
        bytes: usize,
    },
    /// Neither an RSA, an EC nor an Ed25519 public key.
    #[error("key is not a public key in PEM (RSA, P-256, P-384 or Ed25519)")]
    Pem,
    /// Nothing says what the key is for.
    #[error("key has no algorithms, expected at least one of HS256 … EdDSA")]
    NoAlgorithm,
    /// A key of one kind with an algorithm of another.
    #[error("algorithm {0} does not go with this kind of key")]
    Confused(String),
    /// No key at all.
    #[error("no key to verify tokens with")]
    NoKey,
}

/// Verifies bearer tokens.
pub struct Tokens {
    keys: Vec<Ready>,
    issuers: HashSet<String>,
    audiences: HashSet<String>,
    leeway: i64,
    clock: Arc<dyn Clock>,
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iss: Option<String>,
    aud: Option<OneOrMany>,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    organization: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl Tokens {
    /// Keys are checked here, so that a server with a weak or confused key does not start.
    ///
    /// # Errors
    /// When there is no key, or one cannot be used.
    pub fn new(keys: Vec<Key>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let keys: Vec<Ready> = keys.into_iter().map(Key::ready).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(Error::NoKey);
        }
        Ok(Self { keys, issuers: HashSet::new(), audiences: HashSet::new(), leeway: 30, clock })
    }

    /// Requires one of these issuers.
    #[must_use]
    pub fn issuers(mut self, issuers: impl IntoIterator<Item = String>) -> Self {
        self.issuers = issuers.into_iter().collect();
        self
    }

    /// Requires one of these audiences. Without any, a token that names an audience is meant for somebody else.
    #[must_use]
    pub fn audiences(mut self, audiences: impl IntoIterator<Item = String>) -> Self {
        self.audiences = audiences.into_iter().collect();
        self
    }

    /// How far clocks may differ; 30 s unless said.
    #[must_use]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = i64::try_from(leeway.as_secs()).unwrap_or(i64::MAX);
        self
    }

    /// Who the token speaks for. The reason of a refusal is for the log, never for the caller.
    pub(super) fn verify(&self, token: &str) -> Result<Principal, &'static str> {
        if token.len() > LONGEST {
            return Err("token is too long");
        }
        understood(token)?;
        let header = decode_header(token).map_err(|_| "token is malformed or its algorithm unknown")?;
        let fits = |key: &&Ready| key.id == header.kid && key.algorithms.contains(&header.alg);
        let mut validation = Validation::new(header.alg);
        validation.required_spec_claims.clear();
        (validation.validate_exp, validation.validate_aud) = (false, false);
        let mut refused = "no key goes with this kid and algorithm";
        // Of keys without a name, or of one name, each may be the one: a key is added before the old one goes.
        for key in self.keys.iter().filter(fits) {
            match decode::<Claims>(token, &key.decoding, &validation) {
                Ok(signed) => return self.checked(signed.claims),
                Err(_) => refused = "signature or claims",
            }
        }
        Err(refused)
    }

    fn checked(&self, claims: Claims) -> Result<Principal, &'static str> {
        self.check(&claims)?;
        principal(claims)
    }

    fn check(&self, claims: &Claims) -> Result<(), &'static str> {
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double exactly")]
        let (now, leeway) = (self.clock.now().as_second() as f64, self.leeway as f64);
        let exp = claims.exp.ok_or("exp is missing")?;
        if exp + leeway <= now {
            return Err("expired");
        }
        if claims.nbf.is_some_and(|nbf| nbf - leeway > now) {
            return Err("not valid yet");
        }
        if !self.issuers.is_empty() && claims.iss.as_ref().is_none_or(|iss| !self.issuers.contains(iss)) {
            return Err("another issuer");
        }
        let audiences = claims.aud.as_ref().map_or(&[][..], OneOrMany::as_slice);
        let named = audiences.iter().any(|audience| self.audiences.contains(audience));
        let nobody = audiences.is_empty() && self.audiences.is_empty();
        if named || nobody { Ok(()) } else { Err("another audience") }
    }
}

/// A header that names something critical asks for an extension, and none is known here (RFC 7515, 4.1.11); one that
/// names a member twice can be read in two ways.
fn understood(token: &str) -> Result<(), &'static str> {
    let encoded = token.split('.').next().unwrap_or_default();
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).map_err(|_| "token is malformed")?;
    let header = act::parse_json(&bytes).map_err(|_| "header of the token is not understood")?;
    match header.get("crit") {
        None => Ok(()),
        Some(_) => Err("token asks for an extension that is not understood"),
    }
}

fn principal(claims: Claims) -> Result<Principal, &'static str> {
    let subject = claims.sub.filter(|sub| !sub.is_empty()).ok_or("sub is missing")?;
    let tenant = match claims.organization {
        Some(organization) if organization.is_empty() => return Err("organization is empty"),
        Some(organization) => organization.into(),
        None => "default".into(),
    };
    let permissions = Permissions::named(claims.permissions.iter().map(String::as_str));
    let (grants, roles) = (claims.permissions.into(), claims.roles.into());
    Ok(Principal { subject: subject.into(), tenant, permissions, grants, roles, known: true })
}
