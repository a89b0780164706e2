//! A Redis that keeps nothing on disk.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::authority::Identity;
use super::daemon::{Daemon, find, free_port};
use super::{Authority, Server, skip};

/// A running `redis-server`.
pub struct Redis {
    daemon: Daemon,
    /// Where it speaks TLS, if it does.
    sealed: Option<u16>,
}

impl Server for Redis {
    fn start(test: &str) -> Option<Self> {
        Self::start_with(test, None)
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.daemon.port)
    }

    fn stop(&mut self) {
        self.daemon.stop(Signal::KILL);
    }

    fn start_again(&mut self) {
        self.daemon.start_again(is_ready);
    }

    fn pause(&self) {
        self.daemon.signal(Signal::STOP);
    }

    fn resume(&self) {
        self.daemon.signal(Signal::CONT);
    }

    fn wipe(&self) {
        for word in ["FLUSHALL", "SCRIPT FLUSH"] {
            assert_eq!(say(&self.daemon, word).as_deref(), Some("+OK\r\n"), "{word}");
        }
    }

    fn clock(&self) -> Duration {
        // *2 $10 seconds $6 microseconds
        let answer = say(&self.daemon, "TIME").expect("asking Redis for the time");
        let numbers: Vec<u64> = answer.lines().filter_map(|line| line.parse().ok()).collect();
        Duration::from_secs(numbers[0]) + Duration::from_micros(numbers[1])
    }
}

impl Redis {
    /// Ends every connection, as a restart would.
    ///
    /// # Panics
    /// When the server is not there.
    pub fn hang_up(&self) {
        let ended = say(&self.daemon, "CLIENT KILL TYPE normal").expect("asking Redis to hang up");
        assert!(ended.starts_with(':'), "{ended}");
    }

    /// Starts one that speaks TLS, too, as `localhost`, for which `authority` vouches.
    pub fn sealed(test: &str, authority: &Authority) -> Option<Self> {
        Self::start_with(test, Some(authority))
    }

    /// Where it speaks TLS, under that name for this machine.
    ///
    /// # Panics
    /// When it does not.
    pub fn sealed_url(&self, host: &str) -> String {
        format!("rediss://{host}:{}/0", self.sealed.expect("a server that speaks TLS"))
    }

    fn start_with(test: &str, authority: Option<&Authority>) -> Option<Self> {
        let folders: [PathBuf; 2] = ["/usr/sbin".into(), "/usr/local/bin".into()];
        let Some(program) = find("redis-server", &folders) else {
            skip(test, "redis-server");
            return None;
        };
        let mut daemon = Daemon::new(program, None);
        let port = daemon.port.to_string();
        let plain = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        let mut arguments = plain.map(str::to_owned).to_vec();
        let sealed = authority.map(|authority| {
            let (Identity { certificate, key }, port) = (authority.vouch(), free_port());
            let certificate = daemon.keep("certificate", &certificate);
            let key = daemon.keep("key", &key);
            arguments.extend([
                "--tls-port".to_owned(),
                port.to_string(),
                "--tls-auth-clients".into(),
                "no".into(),
            ]);
            arguments.extend([
                "--tls-cert-file".to_owned(),
                certificate.clone(),
                "--tls-key-file".into(),
                key,
            ]);
            // It wants to know somebody, also when it asks nobody who they are.
            arguments.extend(["--tls-ca-cert-file".to_owned(), certificate]);
            port
        });
        daemon.start(arguments, is_ready);
        Some(Self { daemon, sealed })
    }
}

fn is_ready(daemon: &Daemon) -> bool {
    say(daemon, "PING").as_deref() == Some("+PONG\r\n")
}

/// One command, one short answer.
fn say(daemon: &Daemon, word: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(format!("{word}\r\n").as_bytes()).ok()?;
    let mut answer = [0; 128];
    let length = stream.read(&mut answer).ok()?;
    String::from_utf8(answer[..length].to_vec()).ok()
}
