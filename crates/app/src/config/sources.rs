//! Reads the files. The only part of the configuration, beside secrets, that touches the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use diag::{Diagnostic, MAX_BYTES, Source, Span};

use super::code;

/// The most files of one directory that are read.
const MOST: usize = 1_000;

/// Reads a file, or of a directory all `*.yaml` and `*.yml` files that have the key `cardan`, by name. Other files
/// may lie beside them.
///
/// # Errors
/// Every file that cannot be read; or that there is none.
pub fn sources(path: &Path) -> Result<Vec<Source>, Vec<Diagnostic>> {
    let (files, whole) = match path.is_dir() {
        true => (listed(path).map_err(|error| vec![unreadable(path, &error)])?, false),
        false => (vec![path.to_owned()], true),
    };
    let (mut sources, mut found) = (Vec::new(), Vec::new());
    for file in &files {
        match read(file) {
            Ok(source) if whole || is_ours(&source.text) => sources.push(source),
            Ok(_) => {}
            Err(error) => found.push(unreadable(file, &error)),
        }
    }
    if sources.is_empty() && found.is_empty() {
        let message = "no file in this directory starts with `cardan: 1`";
        found.push(Diagnostic::error(code::UNREADABLE, &place(path), message).help("make a cardan.yaml"));
    }
    if found.is_empty() { Ok(sources) } else { Err(found) }
}

fn listed(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let file = entry?.path();
        let yaml = file.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
        if yaml && file.is_file() {
            files.push(file);
        }
    }
    if files.len() > MOST {
        return Err(io::Error::other(format!("{} files are too many, at most {MOST}", files.len())));
    }
    files.sort();
    Ok(files)
}

/// Whether a file of a directory is configuration: it has a section of ours at its left edge.
fn is_ours(text: &str) -> bool {
    const SECTIONS: [&str; 5] = ["cardan:", "systems:", "flows:", "entities:", "secrets:"];
    text.lines().any(|line| SECTIONS.iter().any(|section| line.starts_with(section)))
}

fn read(file: &Path) -> io::Result<Source> {
    let size = fs::metadata(file)?.len();
    if size > MAX_BYTES as u64 {
        return Err(io::Error::other(format!("{size} bytes are too many, at most {MAX_BYTES}")));
    }
    let text = fs::read_to_string(file)?;
    Ok(Source { file: name(file), text: text.into() })
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(code::UNREADABLE, &place(path), format!("reading it: {error}"))
}

/// A whole file: no line.
fn place(path: &Path) -> Span {
    Span { file: name(path), ..Span::default() }
}

fn name(path: &Path) -> Arc<str> {
    path.display().to_string().into()
}
