//! The command line: one command, one file.

mod act;
mod against;
mod check;
mod client;
mod conversation;
mod dead;
mod effects;
mod explain;
mod flow;
mod inbox;
mod outbox;
mod page;
mod play;
mod question;
mod schema;
mod serve;
mod signal;
mod simulate;
mod system;
mod table;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use client::Remote;

/// Conversations become durable effects in business systems: once, or undone, and visible.
#[derive(Debug, Parser)]
#[command(name = "cardan", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Find every mistake in a configuration, without touching anything
    Check(check::Check),
    /// Show what a call can cost at worst, and where each number comes from
    Explain(explain::Explain),
    /// Print the JSON Schema of cardan.yaml, for editors
    Schema(schema::Schema),
    /// Check acts, conversations, constraints, entities and participants, one JSON line each
    Validate(validate::Validate),
    /// Run simulated business systems (CRM, inventory, payments, orders, e-mail) on loopback
    Simulate(simulate::Simulate),
    /// Play a scripted conversation against a running server and print what happens
    Play(play::Play),
    /// Send one act
    Act(act::Send),
    /// Look at conversations
    #[command(subcommand)]
    Conversation(conversation::Conversation),
    /// List, show, cancel, pause, resume and restart flow runs
    #[command(subcommand)]
    Flow(flow::Flow),
    /// List, show, answer and withdraw what flows ask people
    #[command(subcommand)]
    Question(question::Question),
    /// Send a signal to the live runs of a key
    Signal(signal::ToKey),
    /// List, show, edit, replay and discard what exhausted its attempts
    #[command(subcommand)]
    Dead(dead::Dead),
    /// List everything that waits for a person, the oldest first, with the commands that settle it
    Inbox(inbox::Inbox),
    /// List what runs did in other systems: each effect with its key, its outcome, its undoing, and who decided
    Effects(effects::Effects),
    /// List what was told to systems and is not delivered yet
    #[command(subcommand)]
    Outbox(outbox::Outbox),
    /// Look at the connected systems and their guards
    #[command(subcommand)]
    System(system::System),
}

impl Cli {
    /// Runs the command. Exit code 0: done; 1: done, and the answer is no; 2: it could not be done.
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Serve(command) => block_on(command.run()),
            Command::Check(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Schema(command) => command.run(),
            Command::Validate(command) => command.run(),
            Command::Simulate(command) => block_on(command.run()),
            Command::Play(command) => block_on(command.run()),
            Command::Act(command) => block_on(command.run()),
            Command::Conversation(command) => block_on(command.run()),
            Command::Flow(command) => block_on(command.run()),
            Command::Question(command) => block_on(command.run()),
            Command::Signal(command) => block_on(command.run()),
            Command::Dead(command) => block_on(command.run()),
            Command::Inbox(command) => block_on(command.run()),
            Command::Effects(command) => block_on(command.run()),
            Command::Outbox(command) => block_on(command.run()),
            Command::System(command) => block_on(command.run()),
        };
        match done {
            Ok(code) => code,
            Err(Failure::Unheard) => ExitCode::from(UNHEARD),
            Err(Failure::Told(why)) => {
                eprintln!("cardan: {}", crate::terminal::plain(&why.to_string()));
                ExitCode::from(2)
            }
        }
    }
}

/// What a shell shows of a program that SIGPIPE ended: 128 + 13.
const UNHEARD: u8 = 141;

/// What a command ends with.
type Done = Result<ExitCode, Failure>;

/// Why a command could not be done.
#[derive(Debug)]
pub enum Failure {
    /// In words that read after `cardan: `.
    Told(String),
    /// Whoever read what it prints has gone, as `head` does; nothing is wrong.
    Unheard,
}

impl Failure {
    /// What checking found, one per line.
    pub fn found(found: &[diag::Diagnostic]) -> Self {
        Self::new(diag::render(found, &[], diag::Colour::Plain))
    }

    /// Says what happened and, on further lines, what can be done.
    pub fn new(text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        text.truncate(text.trim_end().len());
        Self::Told(text)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Unheard,
            _ => Self::new(error.to_string()),
        }
    }
}

fn block_on(command: impl Future<Output = Done>) -> Done {
    install_crypto();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// TLS needs one crypto library, chosen once, before the first connection.
fn install_crypto() {
    // A second call in the same process changes nothing and is no mistake.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// A part of a path, with everything in it that would end it written as bytes.
fn encoded(part: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    part.bytes().fold(String::new(), |done, byte| match plain(byte) {
        true => done + &char::from(byte).to_string(),
        false => done + &format!("%{byte:02X}"),
    })
}
