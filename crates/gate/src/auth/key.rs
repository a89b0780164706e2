//! Keys, each bound to the algorithms it may be used with.

use jsonwebtoken::DecodingKey;
use secrecy::{ExposeSecret, SecretString};

pub use jsonwebtoken::Algorithm;

use super::token::Error;

/// The shortest shared secret: as long as the digest of HS256 (RFC 7518 §3.2).
const SHORTEST_SECRET: usize = 32;

/// One key that tokens may be signed with.
pub struct Key {
    /// The `kid` it goes by; without one it serves tokens that name no key.
    pub id: Option<String>,
    /// The algorithms it may be used with; all of one family.
    pub algorithms: Vec<Algorithm>,
    /// The key itself.
    pub material: Material,
}

/// What a key is made of.
pub enum Material {
    /// A shared secret for HS256, HS384, HS512; 32 bytes or more.
    Secret(SecretString),
    /// A public key in PEM, for RS, PS, ES and EdDSA.
    Pem(String),
}

/// A key that is ready to verify with.
pub(super) struct Ready {
    pub(super) id: Option<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

impl Key {
    pub(super) fn ready(self) -> Result<Ready, Error> {
        let decoding = self.decoding()?;
        if self.algorithms.is_empty() {
            return Err(Error::NoAlgorithm);
        }
        let family = decoding.family();
        if let Some(other) = self.algorithms.iter().find(|algorithm| algorithm.family() != family) {
            return Err(Error::Confused(format!("{other:?}")));
        }
        Ok(Ready { id: self.id, algorithms: self.algorithms, decoding })
    }

    fn decoding(&self) -> Result<DecodingKey, Error> {
        match &self.material {
            Material::Secret(secret) => {
                let bytes = secret.expose_secret().as_bytes();
                if bytes.len() < SHORTEST_SECRET {
                    return Err(Error::ShortSecret { bytes: bytes.len() });
                }
                Ok(DecodingKey::from_secret(bytes))
            }
            Material::Pem(pem) => public(pem.as_bytes()).ok_or(Error::Pem),
        }
    }
}

fn public(pem: &[u8]) -> Option<DecodingKey> {
    let tries = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    tries.into_iter().find_map(|read| read(pem).ok())
}
