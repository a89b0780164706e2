//! The server under test: the release binary, as a user runs it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

use crate::machine;

/// A running `cardan` command on a loopback port. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// From start to the first successful connection.
    pub ready_after: Duration,
}

/// The release binary, built when it is not there.
///
/// # Errors
/// When it cannot be built.
pub fn binary() -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["build", "--release", "--quiet", "--package", "app", "--bin", "cardan"])
        .current_dir(&root)
        .status()?;
    if !built.success() {
        return Err(io::Error::other("building cardan"));
    }
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/cardan"))
}

/// A loopback address that was free a moment ago.
///
/// # Errors
/// When loopback has no free port.
pub fn free() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

impl Server {
    /// Starts `cardan` with `arguments` and waits until `address` answers.
    ///
    /// # Errors
    /// When it does not start within ten seconds.
    pub fn start(binary: &Path, arguments: &[&str], address: SocketAddr) -> io::Result<Self> {
        let start = Instant::now();
        let mut child =
            Command::new(binary).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > Duration::from_secs(10) || child.try_wait()?.is_some() {
                return Err(io::Error::other(format!("cardan {arguments:?} did not start")));
            }
            thread::sleep(Duration::from_millis(2));
        }
        Ok(Self { child, address, ready_after: start.elapsed() })
    }

    /// CPU seconds used so far, user and system.
    pub fn cpu_seconds(&self) -> f64 {
        machine::cpu_seconds(self.child.id())
    }

    /// Resident memory in MiB.
    pub fn resident_mib(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or(f64::NAN) / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to kill.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
