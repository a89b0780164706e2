//! A Redis that keeps nothing on disk.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use rustix::process::Signal;

use super::daemon::{Daemon, find};
use super::{Server, skip};

/// A running `redis-server`.
pub struct Redis(Daemon);

impl Server for Redis {
    fn start(test: &str) -> Option<Self> {
        let Some(program) =
            find("redis-server", &["/usr/sbin".into(), "/usr/local/bin".into()] as &[PathBuf])
        else {
            skip(test, "redis-server");
            return None;
        };
        let mut daemon = Daemon::new(program, None);
        let port = daemon.port.to_string();
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
        daemon.start(arguments.map(str::to_owned).to_vec(), is_ready);
        Some(Self(daemon))
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.0.port)
    }

    fn stop(&mut self) {
        self.0.stop(Signal::KILL);
    }

    fn start_again(&mut self) {
        self.0.start_again(is_ready);
    }

    fn pause(&self) {
        self.0.signal(Signal::STOP);
    }

    fn resume(&self) {
        self.0.signal(Signal::CONT);
    }

    fn wipe(&self) {
        assert_eq!(say(&self.0, "FLUSHALL").as_deref(), Some("+OK\r\n"));
    }

    fn clock(&self) -> Duration {
        // *2 $10 seconds $6 microseconds
        let answer = say(&self.0, "TIME").expect("asking Redis for the time");
        let numbers: Vec<u64> = answer.lines().filter_map(|line| line.parse().ok()).collect();
        Duration::from_secs(numbers[0]) + Duration::from_micros(numbers[1])
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
