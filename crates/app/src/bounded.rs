//! Reads files up to a bound. A size that the file system tells is a promise; what is read is counted.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The text of a file of at most `most` bytes.
pub(crate) fn text(path: &Path, most: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("more than {most} bytes are too many")));
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not valid UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_refused() {
        let refused = text(Path::new("/dev/zero"), 1000).unwrap_err();
        assert!(refused.to_string().contains("more than 1000 bytes"), "{refused}");
        assert_eq!(text(Path::new("/dev/null"), 0).unwrap(), "");
    }
}
