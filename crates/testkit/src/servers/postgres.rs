//! A PostgreSQL with one database, `cardan`, that trusts whoever comes over loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use super::authority::Identity;
use super::daemon::{Daemon, User, find};
use super::{Authority, Server, skip};

/// A running `postgres`. It does not wait for the disk.
pub struct Postgres {
    daemon: Daemon,
    programs: PathBuf,
}

impl Server for Postgres {
    fn start(test: &str) -> Option<Self> {
        Self::start_with(test, None)
    }

    fn url(&self) -> String {
        format!("postgres://cardan@127.0.0.1:{}/cardan", self.daemon.port)
    }

    fn stop(&mut self) {
        self.daemon.stop(Signal::QUIT);
    }

    fn start_again(&mut self) {
        self.daemon.start_again(is_ready(self.programs.clone()));
    }

    fn pause(&self) {
        self.daemon.signal(Signal::STOP);
    }

    fn resume(&self) {
        self.daemon.signal(Signal::CONT);
    }

    fn wipe(&self) {
        self.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public", "cardan");
    }

    fn clock(&self) -> Duration {
        let micros = self.sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", "cardan");
        Duration::from_micros(micros.trim().parse().expect("a time"))
    }
}

impl Postgres {
    /// Starts one that speaks TLS to those who want it, as `localhost`, for which `authority` vouches.
    pub fn sealed(test: &str, authority: &Authority) -> Option<Self> {
        Self::start_with(test, Some(authority))
    }

    /// Where it is, under that name for this machine, and how much of it is verified; trusting `authority`.
    pub fn sealed_url(&self, host: &str, mode: &str, authority: &Authority) -> String {
        let (port, trusted) = (self.daemon.port, authority.certificate());
        format!("postgres://cardan@{host}:{port}/cardan?sslmode={mode}&sslrootcert={}", trusted.display())
    }

    fn start_with(test: &str, authority: Option<&Authority>) -> Option<Self> {
        let Some(initdb) = find("initdb", &packaged()) else {
            skip(test, "postgresql");
            return None;
        };
        // A link may be all that is on the path; the other programs lie beside the real one.
        let initdb = initdb.canonicalize().expect("following a link");
        let programs = initdb.parent().map(Path::to_owned).unwrap_or_default();
        // PostgreSQL refuses to be run by root.
        let daemon = Daemon::new(programs.join("postgres"), User::unless_root(&["postgres", "nobody"]));
        let mut server = Self { daemon, programs };
        server.run(
            "initdb",
            &["--pgdata=data", "--username=cardan", "--auth=trust", "--no-sync", "--encoding=UTF8"],
        );
        let settings = server.settings(authority);
        let ready = is_ready(server.programs.clone());
        server.daemon.start(settings, ready);
        server.sql("CREATE DATABASE cardan", "postgres");
        Some(server)
    }

    fn settings(&self, authority: Option<&Authority>) -> Vec<String> {
        let port = self.daemon.port.to_string();
        let place = ["-D", "data", "-p", &port, "-h", "127.0.0.1", "-k", "", "-F"];
        let mut settings = place.map(str::to_owned).to_vec();
        let mut set = |setting: String| settings.extend(["-c".to_owned(), setting]);
        set("autovacuum=off".to_owned());
        set("shared_buffers=16MB".to_owned());
        if let Some(Identity { certificate, key }) = authority.map(Authority::vouch) {
            set("ssl=on".to_owned());
            set(format!("ssl_cert_file={}", self.daemon.keep("certificate", &certificate)));
            set(format!("ssl_key_file={}", self.daemon.keep("key", &key)));
        }
        settings
    }

    /// Runs statements with `psql` over a connection of its own; what they print.
    ///
    /// # Panics
    /// When one of them fails.
    pub fn sql(&self, statements: &str, database: &str) -> String {
        let port = self.daemon.port.to_string();
        let place = ["-h", "127.0.0.1", "-p", &port, "-U", "cardan", "-d", database];
        let manner = ["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statements];
        self.run("psql", &[place.as_slice(), manner.as_slice()].concat())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = self.daemon.command(&self.programs.join(program));
        let output = command.args(arguments).output().expect("running a program of PostgreSQL");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Postgres {
    /// Lets it take its shared memory away with it.
    fn drop(&mut self) {
        self.resume();
        self.stop();
    }
}

fn is_ready(programs: PathBuf) -> impl Fn(&Daemon) -> bool {
    move |daemon| {
        let port = daemon.port.to_string();
        let place = ["-q", "-h", "127.0.0.1", "-p", &port, "-d", "postgres", "-U", "cardan"];
        let mut ask = daemon.command(&programs.join("pg_isready"));
        ask.args(place).status().expect("running pg_isready").success()
    }
}

/// Where Debian keeps the programs, newest version first.
fn packaged() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    folders
}
