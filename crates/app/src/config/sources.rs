//! Reads the files. The only part of the configuration, beside secrets, that touches the disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use diag::{Diagnostic, MAX_BYTES, Source, Span};

use super::{code, shape};

/// The most files of one directory that are read.
const MOST: usize = 1_000;

/// What `cardan play` tells has these keys, and often lies beside what it is told to.
const STORY: [&str; 2] = ["conversation", "acts"];

/// Reads a file, or of a directory all `*.yaml` and `*.yml` files that have a section of ours, by name. Others may lie
/// beside them: stories go without saying, every other one is named in a warning.
///
/// # Errors
/// Every file that cannot be read; or that there is none.
pub fn sources(path: &Path) -> Result<(Vec<Source>, Vec<Diagnostic>), Vec<Diagnostic>> {
    let (files, whole) = match path.is_dir() {
        true => (listed(path).map_err(|error| vec![unreadable(path, &error)])?, false),
        false => (vec![path.to_owned()], true),
    };
    let (mut sources, mut skipped, mut found) = (Vec::new(), Vec::new(), Vec::new());
    let sections = shape::names();
    for file in &files {
        match read(file) {
            Ok(source) if whole || has_key(&source.text, &sections) => sources.push(source),
            Ok(source) if has_key(&source.text, &STORY) => {}
            Ok(_) => skipped.push(not_ours(file)),
            Err(error) => found.push(unreadable(file, &error)),
        }
    }
    if sources.is_empty() && found.is_empty() {
        let message = "no file in this directory starts with `cardan: 1`";
        found.push(Diagnostic::error(code::UNREADABLE, &place(path), message).help("make a cardan.yaml"));
    }
    if found.is_empty() { Ok((sources, skipped)) } else { Err(found) }
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

/// Whether one of these keys stands at the left edge of a text, which need not be right YAML.
fn has_key(text: &str, keys: &[impl AsRef<str>]) -> bool {
    let is_key = |line: &str, key: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
    text.lines().any(|line| keys.iter().any(|key| is_key(line, key.as_ref())))
}

fn not_ours(file: &Path) -> Diagnostic {
    let message = "this file is not read: it has no section of the configuration";
    let found = Diagnostic::warning(code::NOT_OURS, &place(file), message);
    found.help("start it with `cardan: 1`, or keep it in another directory")
}

fn read(file: &Path) -> io::Result<Source> {
    let text = crate::bounded::text(file, MAX_BYTES as u64)?;
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
