//! Why a step of an evaluation has no value, before the text, the place and the redaction are put together.

use crate::code::Code;
use crate::tree::At;

/// What a step of an evaluation yields.
pub(crate) type Outcome<T> = Result<T, Box<Fail>>;

/// A failed step. `message` never carries data; `value` is the data at fault and may have to be redacted.
#[derive(Clone, Debug)]
pub(crate) struct Fail {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) value: Option<String>,
    pub(crate) help: Option<String>,
    pub(crate) at: Option<At>,
}

impl Fail {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { code, message: message.into(), value: None, help: None, at: None })
    }

    /// The value at fault; shown unless the expression reads something sensitive.
    pub(crate) fn value(mut self: Box<Self>, value: impl ToString) -> Box<Self> {
        self.value = Some(shorten(value.to_string()));
        self
    }

    pub(crate) fn help(mut self: Box<Self>, help: impl Into<String>) -> Box<Self> {
        self.help = Some(help.into());
        self
    }

    /// The place, unless a step further in knew it better.
    pub(crate) fn at(mut self: Box<Self>, at: At) -> Box<Self> {
        self.at.get_or_insert(at);
        self
    }

    /// The message with the value, or with its redaction.
    pub(crate) fn text(&self, sensitive: bool) -> String {
        match &self.value {
            Some(_) if sensitive => format!("{}: [redacted]", self.message),
            Some(value) => format!("{}: {value}", self.message),
            None => self.message.clone(),
        }
    }
}

fn shorten(mut text: String) -> String {
    if let Some((cut, _)) = text.char_indices().nth(60) {
        text.truncate(cut);
        text.push('…');
    }
    text
}
