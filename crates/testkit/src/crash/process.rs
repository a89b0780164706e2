//! A process of ours: started, awaited, killed, started again.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::reserved::Port;

/// Ports that were given to servers, bound until this process ends.
static OURS: Mutex<Vec<Port>> = Mutex::new(Vec::new());

/// A loopback port for a server. Nobody else is given it as long as this process lives, also while the server is
/// stopped: it may listen there because both allow the address to be reused.
///
/// # Errors
/// When loopback has no free port.
pub fn free_port() -> io::Result<u16> {
    let port = Port::reserve()?;
    let number = port.addr().port();
    OURS.lock().unwrap_or_else(PoisonError::into_inner).push(port);
    Ok(number)
}

/// A server process. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Describes a process; nothing runs yet. Its output is appended to `log`.
    pub fn new(program: impl Into<PathBuf>, arguments: &[&str], log: &Path) -> Self {
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        Self { program: program.into(), arguments, log: log.to_owned(), child: None }
    }

    /// Starts it with extra environment variables.
    ///
    /// # Errors
    /// When the program or its log cannot be opened.
    pub fn start(&mut self, environment: &[(&str, &str)]) -> io::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(environment.iter().copied()).stdin(Stdio::null());
        self.child = Some(command.stdout(log.try_clone()?).stderr(log).spawn()?);
        Ok(())
    }

    /// Waits until `url` answers with success. False when the process ended first or `patience` ran out.
    pub async fn ready(&mut self, url: &str, patience: Duration) -> bool {
        let client = super::client();
        let asked = async {
            while self.running() {
                match client.get(url).send().await {
                    Ok(response) if response.status().is_success() => return true,
                    _ => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
            false
        };
        tokio::time::timeout(patience, asked).await.unwrap_or(false)
    }

    /// Whether it runs.
    pub fn running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Kills it with SIGKILL and waits for its end.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself (at a failpoint); then there is nothing to kill.
            let _ended = child.kill();
            let _status = child.wait();
        }
    }

    /// The last lines it printed.
    pub fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
