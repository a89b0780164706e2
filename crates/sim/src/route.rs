//! Which operation a request asks for.

/// A method, a path with at most one `{id}`, and the operation's name.
pub(crate) type Route = (&'static str, &'static str, &'static str);

/// What a request turned out to be.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) operation: &'static str,
    /// The path's `{id}`, decoded; empty when the path has none.
    pub(crate) id: String,
}

/// Finds the operation. `Err(true)` when the path exists under another method.
pub(crate) fn find(routes: &[Route], method: &str, path: &str) -> Result<Asked, bool> {
    let mut elsewhere = false;
    for (verb, pattern, operation) in routes {
        let Some(id) = capture(pattern, path) else { continue };
        if *verb == method {
            return Ok(Asked { operation, id });
        }
        elsewhere = true;
    }
    Err(elsewhere)
}

fn capture(pattern: &str, path: &str) -> Option<String> {
    let (mut wanted, mut given) = (pattern.split('/'), path.split('/'));
    let mut id = String::new();
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return Some(id),
            (Some("{id}"), Some(text)) if !text.is_empty() => id = decode(text)?,
            (Some(one), Some(other)) if one == other => {}
            _ => return None,
        }
    }
}

/// Undoes percent-encoding. `None` when it is broken or not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            other => other,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{Asked, find};

    const ROUTES: &[super::Route] = &[("GET", "/things/{id}", "show"), ("POST", "/things", "make")];

    #[test]
    fn finds_by_method_and_path() {
        let show = Asked { operation: "show", id: "a/b".to_owned() };
        assert_eq!(find(ROUTES, "GET", "/things/a%2Fb"), Ok(show));
        assert_eq!(find(ROUTES, "DELETE", "/things/1"), Err(true));
        for stranger in ["/things/", "/things/1/2", "/thing", "", "/things/%zz", "/things/%ff"] {
            assert_eq!(find(ROUTES, "GET", stranger), Err(false), "{stranger}");
        }
    }
}
