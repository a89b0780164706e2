//! Logs: one JSON object per line, flat, with the correlation id of whatever it was said about.
//!
//! A line's members are its own fields and those of the spans around it, the inner ones first. A span opened with
//! `correlation_id`, `conversation_id`, `trace_id` therefore marks every line below it. Values of members whose
//! names promise a secret are not written; payloads are not logged anywhere.

mod fields;
mod layer;

use std::io::{self, IsTerminal};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

pub use layer::Json;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// For people: coloured when the output is a terminal.
    Text,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The level is neither a level nor a filter.
    #[error(
        "log level {0:?}: expected one of error, warn, info, debug, trace, or a filter as `info,flow=debug`"
    )]
    Level(String),
    /// Something set up logging before.
    #[error("logging is set up already")]
    Again,
}

/// Sets up logging for the process, once, on standard error. `level` is `LOG_LEVEL`: `info`, or `info,flow=debug`.
///
/// # Errors
/// When the level cannot be read, or logging is set up already.
pub fn init(level: &str, format: Format) -> Result<(), Error> {
    let filter = filter(level)?;
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match format {
        Format::Json => Box::new(Json::new(io::stderr)),
        Format::Text => text(io::stderr, io::stderr().is_terminal()),
    };
    tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().map_err(|_| Error::Again)
}

/// Lines for people. The spans around a line stand before it with their fields.
fn text<W>(writer: W, terminal: bool) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    Box::new(tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(terminal).with_target(false))
}

fn filter(level: &str) -> Result<EnvFilter, Error> {
    let known = |text: &str| text.parse::<tracing::level_filters::LevelFilter>().is_ok();
    let directive = |part: &str| part.split_once('=').map_or_else(|| known(part), |(_, level)| known(level));
    if !level.split(',').all(|part| directive(part.trim())) {
        return Err(Error::Level(level.to_owned()));
    }
    EnvFilter::try_new(level).map_err(|_| Error::Level(level.to_owned()))
}

#[cfg(test)]
mod tests;
