//! Whom a system must prove to be, and who we prove to be: TLS where the machine's own settings are not enough.

use std::path::{Path, PathBuf};

use diag::{Field, Shape};
use reqwest::{Certificate, ClientBuilder, Identity};
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::judge::Judge;
use super::secret::Name;
use crate::Secrets;

/// `tls` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    ca: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<Name>,
}

/// Judges what can be judged without reading a file.
pub(super) fn check(tls: &Tls, base: Option<&Url>, judge: &mut Judge<'_>) {
    let code = judge.codes.tls;
    if base.is_some_and(|base| base.scheme() != "https") {
        judge.refuse::<()>(code, &["tls"], "there is no TLS at this url", "write `url: https://…`");
    }
    if tls.certificate.is_some() != tls.key.is_some() {
        let says = "`certificate` and `key` go together";
        judge.refuse::<()>(code, &["tls"], says, "write both, or neither");
    }
}

impl Tls {
    /// Reads the files and sets what they say. The error names the file or the secret, never what is in it.
    pub(super) fn set(
        &self,
        mut builder: ClientBuilder,
        secrets: &dyn Secrets,
    ) -> Result<ClientBuilder, String> {
        if let Some(path) = &self.ca {
            let known = Certificate::from_pem_bundle(&read(path)?);
            let known = known.ok().filter(|known| !known.is_empty());
            let known = known.ok_or_else(|| format!("{} holds no certificate in PEM", path.display()))?;
            builder = builder.tls_certs_only(known);
        }
        if let (Some(path), Some(key)) = (&self.certificate, &self.key) {
            let mut pem = read(path)?;
            pem.push(b'\n');
            pem.extend_from_slice(key.resolve(secrets)?.expose_secret().as_bytes());
            let identity = Identity::from_pem(&pem);
            let says =
                || format!("{} and the secret {key} are no certificate and key in PEM", path.display());
            builder = builder.identity(identity.map_err(|_| says())?);
        }
        Ok(builder)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("reading {}: {error}", path.display()))
}

/// What `tls` may hold.
pub(super) fn shape() -> Shape {
    Shape::object([
        Field::new("ca", Shape::text())
            .doc("a file of certificates in PEM: only who is certified by one of them is trusted; by default whom this machine trusts"),
        Field::new("certificate", Shape::text())
            .doc("a file with our certificate, and those between it and its authority, in PEM; with `key`"),
        Field::new("key", Shape::secret()).doc("the private key of `certificate`, in PEM"),
    ])
}
