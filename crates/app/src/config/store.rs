//! `store`: where everything is kept.

use std::path::PathBuf;

use diag::{Diagnostic, Shape};

use super::code;
use super::judge::Judge;

/// Beside the working directory.
pub(super) const DEFAULT: &str = "sqlite:data/cardan.db";

/// Where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In an SQLite file; its directory is made when it is not there.
    Sqlite(PathBuf),
}

pub(super) fn shape() -> Shape {
    Shape::text().example(DEFAULT)
}

pub(super) fn read(judge: &mut Judge<'_>) -> Option<Place> {
    let Some(node) = judge.section("store") else { return place(DEFAULT) };
    let text = node.text()?;
    let read = place(text);
    if read.is_none() {
        let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
        let message = match scheme {
            "sqlite" => "the path of the store is missing".to_owned(),
            "" => "the kind of store is missing".to_owned(),
            scheme => format!("there is no store of the kind `{scheme}` in this build"),
        };
        let mut found = Diagnostic::error(code::NO_SUCH_STORE, &node.span, message);
        // An address may carry a password.
        if text.contains('@') {
            found = found.hiding(&node.span);
        }
        judge.push(found.help(format!("write {DEFAULT}")));
    }
    read
}

fn place(text: &str) -> Option<Place> {
    let path = text.strip_prefix("sqlite:").filter(|path| !path.trim().is_empty())?;
    Some(Place::Sqlite(path.into()))
}
