//! `tidy` keeps the laws of the repository, as tests: arrows between crates, adapter folders, what prose claims.
//!
//! It reads files and `cargo metadata`; it does not know what any crate does.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Reads a file of the repository.
///
/// # Errors
/// When it is not there or not text.
pub fn read(path: impl AsRef<Path>) -> io::Result<String> {
    fs::read_to_string(root().join(path))
}

/// The lines of the fenced block ```` ```NAME ```` of a Markdown text.
pub fn fenced<'a>(markdown: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!("```{name}");
    let inside = markdown.lines().skip_while(|line| line.trim() != opening).skip(1);
    inside.take_while(|line| line.trim() != "```").collect()
}

/// The names of the folders in `path`, sorted.
///
/// # Errors
/// When `path` cannot be listed.
pub fn folders(path: impl AsRef<Path>) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(root().join(path))?.collect::<io::Result<Vec<_>>>()?;
    let mut names: Vec<_> = entries
        .iter()
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

/// Every file below `path` whose name ends in `ending`, skipping `target`, `node_modules` and hidden folders.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files(path: impl AsRef<Path>, ending: &str) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(path)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let others = ["target", "node_modules"].contains(&&*name) || name.starts_with('.');
            if path.is_dir() && !others {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
