//! An authority that vouches for a server called `localhost`, and for nobody else. Made by `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::daemon::find;
use super::skip;

/// A certificate authority in a folder of its own.
pub struct Authority {
    folder: TempDir,
    openssl: PathBuf,
}

/// What a server shows, and the key that proves that it is its own.
pub(super) struct Identity {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

const RULES: &str = "\
[req]
distinguished_name = nobody
[nobody]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = DNS:localhost
extendedKeyUsage = serverAuth
";

impl Authority {
    /// An authority with a name. `None` when `openssl` is not installed, which is said as [`super::Server::start`] does.
    ///
    /// # Panics
    /// When `openssl` is there but makes no certificate.
    pub fn new(test: &str, name: &str) -> Option<Self> {
        let Some(openssl) = find("openssl", &[]) else {
            skip(test, "openssl");
            return None;
        };
        let folder = tempfile::tempdir().expect("making a folder for an authority");
        let authority = Self { folder, openssl };
        fs::write(authority.at("rules"), RULES).expect("writing the rules of an authority");
        authority.certify("authority", name, &[]);
        Some(authority)
    }

    /// Its certificate, in PEM.
    pub fn certificate(&self) -> PathBuf {
        self.at("authority.pem")
    }

    pub(super) fn vouch(&self) -> Identity {
        let own = ["authority.pem", "authority.key"].map(|file| self.at(file));
        self.certify("server", "a server", &[Path::new("-CA"), &own[0], Path::new("-CAkey"), &own[1]]);
        let read = |file| fs::read(self.at(file)).expect("reading a certificate");
        Identity { certificate: read("server.pem"), key: read("server.key") }
    }

    fn certify(&self, as_a: &str, name: &str, by: &[&Path]) {
        let mut command = Command::new(&self.openssl);
        command.args(["req", "-x509", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
        command.args(["-days", "2", "-extensions", as_a, "-subj", &format!("/CN={name}"), "-config"]);
        command.arg(self.at("rules")).args(by);
        command.arg("-keyout").arg(self.at(&format!("{as_a}.key")));
        command.arg("-out").arg(self.at(&format!("{as_a}.pem")));
        let output = command.output().expect("running openssl");
        assert!(output.status.success(), "openssl: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}
