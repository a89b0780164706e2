//! `cardan question list|show|answer|withdraw`

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::page::{Listing, more};
use super::{Done, Failure, Remote, table};
use crate::play::waits;
use crate::terminal::stdout;

#[derive(Debug, Subcommand)]
pub(super) enum Question {
    /// List open questions
    List(List),
    /// Show one: what is asked, of whom, until when; how it ended
    Show(Target),
    /// Answer one, as whoever the token names
    Answer(Answer),
    /// Close one without an answer; its run goes on as its flow says
    Withdraw {
        /// Why; the run is told
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only of this conversation
    #[arg(long)]
    conversation: Option<String>,
    /// Only about this entity
    #[arg(long)]
    entity: Option<String>,
    /// Only of this run
    #[arg(long)]
    run: Option<String>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, Args)]
pub(super) struct Target {
    /// The question
    id: String,
    /// Print the question as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
pub(super) struct Answer {
    #[command(flatten)]
    given: Given,
    /// Why
    #[arg(long)]
    reason: Option<String>,
    /// In whose name, when the token may speak for others
    #[arg(long = "as")]
    speaker: Option<String>,
    /// Of which entity, when the question is about any
    #[arg(long)]
    entity: Option<String>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Given {
    /// Yes, to a confirmation
    #[arg(long)]
    yes: bool,
    /// No, to a confirmation
    #[arg(long)]
    no: bool,
    /// The value that an ask wants, as JSON
    #[arg(long)]
    value: Option<String>,
}

impl Question {
    pub(super) async fn run(self) -> Done {
        match self {
            Question::List(list) => return list.print().await,
            Question::Show(target) => target.print(&target.remote.get(&target.path("")).await?)?,
            Question::Answer(answer) => return answer.give().await,
            Question::Withdraw { reason, target } => {
                target.post("/withdraw", &json!({ "reason": reason })).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    async fn print(self) -> Done {
        let given = [("conversation", self.conversation), ("entity", self.entity), ("run", self.run)];
        self.listing.run("/v1/questions", given, print).await
    }
}

fn print(page: &Value) -> io::Result<()> {
    let headings = ["question", "conversation", "entity", "wants", "age", "expires", "text"];
    let rows: Vec<Vec<String>> = page["questions"].as_array().into_iter().flatten().map(row).collect();
    table::print(&headings, &rows, "nothing is asked")?;
    more(page)
}

fn row(question: &Value) -> Vec<String> {
    let cell = |member: &str| table::cell(&question[member]);
    let wants = if question["type"] == "confirm" { "yes or no".to_owned() } else { cell("field") };
    vec![
        cell("id"),
        cell("conversation"),
        cell("entity"),
        wants,
        waits::age(&question["asked"], waits::now()),
        cell("expires"),
        cell("text"),
    ]
}

impl Target {
    fn path(&self, tail: &str) -> String {
        format!("/v1/questions/{}{tail}", super::encoded(&self.id))
    }

    async fn post(&self, tail: &str, body: &Value) -> Result<Value, Failure> {
        let question = self.remote.post(&self.path(tail), body).await?;
        match self.json {
            true => self.print(&question)?,
            false => writeln!(stdout(), "{}: {}", self.id, table::cell(&question["status"]))?,
        }
        Ok(question)
    }

    /// The members that say something, one a line; or all as JSON.
    fn print(&self, question: &Value) -> Result<(), Failure> {
        if self.json {
            return Ok(table::json(question)?);
        }
        let members = question.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        for (name, value) in members {
            writeln!(stdout(), "{:15} {}", name.replace('_', " "), table::cell(value))?;
        }
        Ok(())
    }
}

impl Answer {
    async fn give(self) -> Done {
        let mut body = match &self.given.value {
            Some(text) => json!({ "value": value(text)? }),
            None => json!({ "confirmed": self.given.yes }),
        };
        for (name, said) in [("reason", self.reason), ("speaker", self.speaker), ("entity", self.entity)] {
            if let Some(said) = said {
                body[name] = said.into();
            }
        }
        let question = self.target.post("/answer", &body).await?;
        if question["status"] != "open" {
            return Ok(ExitCode::SUCCESS);
        }
        for warning in question["warnings"].as_array().into_iter().flatten() {
            eprintln!("cardan: {}", crate::terminal::plain(&table::cell(&warning["message"])));
        }
        Ok(ExitCode::from(1))
    }
}

fn value(text: &str) -> Result<Value, Failure> {
    let value = act::parse_json(text.as_bytes());
    value.map_err(|issue| {
        Failure::new(format!("{text:?} is not JSON: {}; text is written as '\"text\"'", issue.message))
    })
}
