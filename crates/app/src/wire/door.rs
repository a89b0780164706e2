//! The gate's part of the configuration, in the gate's words.

use std::sync::Arc;

use adapters::Secrets;
use gate::{Algorithm, Auth, Key, Tokens};
use port::Clock;

use crate::cli::Failure;
use crate::config::{Config, Jwt, JwtKey, Material, Vault};

/// The largest file that can be a public key, in bytes.
const LARGEST_KEY: u64 = 64 * 1024;

/// Who may do what.
pub(super) fn auth(config: &Config, vault: &Vault, clock: Arc<dyn Clock>) -> Result<Auth, Failure> {
    match &config.auth {
        None => Ok(Auth::Loopback),
        Some(jwt) => tokens(jwt, vault, clock).map(Auth::Tokens),
    }
}

fn tokens(jwt: &Jwt, vault: &Vault, clock: Arc<dyn Clock>) -> Result<Tokens, Failure> {
    let keys = jwt.keys.iter().map(|written| key(written, vault)).collect::<Result<_, _>>()?;
    let tokens =
        Tokens::new(keys, clock).map_err(|error| Failure::new(format!("reading auth.jwt: {error}")))?;
    Ok(tokens.issuers(jwt.issuers.clone()).audiences(jwt.audiences.clone()).leeway(jwt.leeway))
}

fn key(written: &JwtKey, vault: &Vault) -> Result<Key, Failure> {
    let algorithms = written.algorithms.iter().map(|name| algorithm(name)).collect::<Result<_, _>>()?;
    Ok(Key { id: written.id.clone(), algorithms, material: material(&written.material, vault)? })
}

fn algorithm(name: &str) -> Result<Algorithm, Failure> {
    name.parse().map_err(|_| Failure::new(format!("reading auth.jwt: algorithm {name:?} is unknown")))
}

fn material(written: &Material, vault: &Vault) -> Result<gate::Material, Failure> {
    use secrecy::ExposeSecret;
    let secret =
        |name: &str| vault.get(name).ok_or_else(|| Failure::new(format!("secret {name:?} is not declared")));
    Ok(match written {
        Material::Secret(name) => gate::Material::Secret(secret(name)?),
        Material::PublicSecret(name) => gate::Material::Pem(secret(name)?.expose_secret().to_owned()),
        Material::PublicFile(path) => gate::Material::Pem(
            crate::bounded::text(path, LARGEST_KEY)
                .map_err(|error| Failure::new(format!("reading {}: {error}", path.display())))?,
        ),
    })
}
