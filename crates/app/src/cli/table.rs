//! Rows of text under headings, aligned; readable without colour.

use std::io::{self, Write};

use crate::terminal::stdout;

use serde_json::Value;

/// Prints `rows` under `headings`; `nothing` when there are none.
pub(super) fn print(headings: &[&str], rows: &[Vec<String>], nothing: &str) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(stdout(), "{nothing}");
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> =
        headings.iter().enumerate().map(|(at, name)| width(at).max(name.len())).collect();
    line(&headings.iter().map(|name| name.to_uppercase()).collect::<Vec<_>>(), &widths)?;
    rows.iter().try_for_each(|row| line(row, &widths))
}

fn line(cells: &[String], widths: &[usize]) -> io::Result<()> {
    let padded: Vec<String> =
        cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    writeln!(stdout(), "{}", padded.join("  ").trim_end())
}

/// The rows of the JSON array `items`, one cell per member named.
pub(super) fn rows(items: &Value, members: &[&str]) -> Vec<Vec<String>> {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| members.iter().map(|member| cell(&item[*member])).collect()).collect()
}

/// A JSON value as one cell.
pub(super) fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Prints a JSON document for a person or a pipe.
pub(super) fn json(value: &Value) -> io::Result<()> {
    writeln!(stdout(), "{value:#}")
}
