//! Writes to the terminal. What others have said is among it, so nothing in it may steer the terminal: control
//! characters and those that turn the direction of text are written as JSON writes them, `\\u001b`.

use std::fmt::Write as _;
use std::io::{self, Write};

/// The standard output.
pub(crate) fn stdout() -> Plain<io::Stdout> {
    Plain(io::stdout())
}

/// Writes text that steers nothing.
pub(crate) struct Plain<W>(W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(plain(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The text, with what would steer a terminal spelled out.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match steers(letter) {
            // Writing to a text cannot fail.
            true => {
                _ = letter.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
            }
            false => out.push(letter),
        }
    }
    out
}

fn steers(letter: char) -> bool {
    const TURNS: [std::ops::RangeInclusive<char>; 4] =
        ['\u{200e}'..='\u{200f}', '\u{202a}'..='\u{202e}', '\u{2066}'..='\u{2069}', '\u{61c}'..='\u{61c}'];
    let lines = matches!(letter, '\n' | '\t');
    (letter.is_control() && !lines) || TURNS.iter().any(|turn| turn.contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        let mut out = Plain(Vec::new());
        let (title, turned) = ("\u{1b}]0;title\u{7}\u{9b}2J", "a\u{202e}b\u{2066}é\r");
        writeln!(out, "{title}\t{turned}").unwrap();
        let text = String::from_utf8(out.0).unwrap();
        assert_eq!(text, "\\u001b]0;title\\u0007\\u009b2J\ta\\u202eb\\u2066é\\u000d\n");
    }
}
