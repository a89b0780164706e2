//! A server's process.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A program in a folder of its own, on a port of its own.
pub(super) struct Daemon {
    pub(super) folder: TempDir,
    pub(super) port: u16,
    program: PathBuf,
    arguments: Vec<String>,
    user: Option<User>,
    child: Option<Child>,
}

/// Who runs it, when that must not be us.
#[derive(Clone, Copy)]
pub(super) struct User {
    id: u32,
    group: u32,
}

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOKS: u32 = 3_000;

impl Daemon {
    /// A folder and a port; nothing runs yet.
    pub(super) fn new(program: PathBuf, user: Option<User>) -> Self {
        let folder = tempfile::tempdir().expect("making a folder for a server");
        if let Some(user) = user {
            chown(folder.path(), Some(user.id), Some(user.group))
                .expect("giving a folder to a server's user");
        }
        Self { folder, port: free_port(), program, arguments: Vec::new(), user, child: None }
    }

    /// Keeps a file for it that nobody else may read; where it is.
    pub(super) fn keep(&self, name: &str, contents: &[u8]) -> String {
        let file = self.folder.path().join(name);
        let mut only_its_own = File::options();
        let opened = only_its_own.create_new(true).write(true).mode(0o600).open(&file);
        opened.and_then(|mut file| file.write_all(contents)).expect("writing a file for a server");
        if let Some(user) = self.user {
            chown(&file, Some(user.id), Some(user.group)).expect("giving a file to a server's user");
        }
        file.to_str().expect("a folder with a plain name").to_owned()
    }

    /// Starts it and waits until it is `ready`.
    pub(super) fn start(&mut self, arguments: Vec<String>, ready: impl Fn(&Self) -> bool) {
        self.arguments = arguments;
        self.start_again(ready);
    }

    pub(super) fn start_again(&mut self, ready: impl Fn(&Self) -> bool) {
        let log = File::options().create(true).append(true).open(self.log()).expect("opening a server's log");
        let mut command = self.command(&self.program);
        command.args(&self.arguments).stdout(log.try_clone().expect("sharing a log")).stderr(log);
        self.child = Some(command.spawn().expect("starting a server"));
        for _ in 0..LOOKS {
            if ready(self) {
                return;
            }
            let ended = self.child.as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            assert!(!ended, "{} ended: {}", self.program.display(), self.last_words());
            sleep(LOOK_AGAIN);
        }
        panic!("{} does not get ready: {}", self.program.display(), self.last_words());
    }

    /// A command in its folder, as its user, that reads nothing.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some(User { id, group }) = self.user {
            command.uid(id).gid(group);
        }
        command
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// Sends a signal to it and to every process it started.
    pub(super) fn signal(&self, signal: Signal) {
        let Some(child) = &self.child else { return };
        let own = format!("/proc/{0}/task/{0}/children", child.id());
        let children = fs::read_to_string(own).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|id| id.parse().ok());
        for id in std::iter::once(child.id().cast_signed()).chain(children) {
            // One that has ended by itself needs no signal.
            let _gone = Pid::from_raw(id).map(|pid| kill_process(pid, signal));
        }
    }

    /// Ends it with `signal`, or, if that does not help, by force.
    pub(super) fn stop(&mut self, signal: Signal) {
        let Some(child) = &mut self.child else { return };
        let _gone = kill_process(Pid::from_child(child), signal);
        for _ in 0..LOOKS {
            if !matches!(child.try_wait(), Ok(None)) {
                self.child = None;
                return;
            }
            sleep(LOOK_AGAIN);
        }
        self.kill();
    }

    fn kill(&mut self) {
        self.signal(Signal::KILL);
        if let Some(mut child) = self.child.take() {
            let _status = child.wait();
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A loopback port for a server.
pub(super) fn free_port() -> u16 {
    crate::crash::free_port().expect("finding a free port")
}

impl User {
    /// Who may run a server that refuses to be run by root; `None` when we are not root.
    pub(super) fn unless_root(names: &[&str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        names.iter().find_map(|name| known.lines().find_map(|line| Self::read(line, name)))
    }

    fn read(line: &str, name: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let (id, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        found.then_some(Self { id, group })
    }
}

/// Finds a program on the path or in one of `folders`.
pub(super) fn find(program: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).chain(folders.iter().cloned());
    on_path.map(|folder| folder.join(program)).find(|file| file.is_file())
}
