//! One command of the real binary, run to its end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use expect_test::Expect;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// How long a command may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a command ended with.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A command that is about to run.
pub(crate) struct Cardan {
    command: Command,
    input: Vec<u8>,
}

impl Cardan {
    /// `cardan ARGUMENTS`, with `folder` as its working directory and nothing of ours in its environment.
    pub(crate) fn new(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardan"));
        command.args(arguments).current_dir(folder).kill_on_drop(true);
        for variable in ["CARDAN_URL", "CARDAN_TOKEN", "LOG_LEVEL"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, input: Vec::new() }
    }

    pub(crate) fn env(mut self, variable: &str, value: &str) -> Self {
        self.command.env(variable, value);
        self
    }

    /// What it reads from standard input; nothing unless said.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = text.into();
        self
    }

    pub(crate) async fn end(mut self) -> Ended {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = self.input;
        // Beside the reading: a command that answers line by line would otherwise block both.
        let fed = tokio::spawn(async move { stdin.write_all(&input).await });
        let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let ended = ended.expect("the command did not end").unwrap();
        // One that ends without reading everything closes the pipe: no concern of the test.
        let _closed = fed.await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ended { code: ended.status.code().unwrap_or(-1), out: text(ended.stdout), err: text(ended.stderr) }
    }
}

impl Ended {
    /// It could not be done, and says why, in these words.
    pub(crate) fn refused(&self, expected: &Expect) {
        self.refused_where(|text| text.to_owned(), expected);
    }

    /// The same where the words hold something that differs from run to run.
    pub(crate) fn refused_where(&self, replace: impl Fn(&str) -> String, expected: &Expect) {
        expected.assert_eq(&replace(&self.err));
        assert_eq!((self.code, self.out.as_str()), (2, ""));
    }

    /// It was done; what it printed.
    pub(crate) fn done(&self) -> &str {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        &self.out
    }
}
