//! Where a system answers.

use diag::Diagnostic;
use url::{Host, Url};

use super::judge::Judge;

/// The address below which a system answers: scheme, host, port and path, without a slash at its end.
pub(super) fn base(text: &str, judge: &mut Judge<'_>) -> Option<Url> {
    let code = judge.codes.address;
    let help = "write an absolute address such as https://stock.example/api";
    let mut url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(url) => {
            let says = format!("the address has the scheme {:?}", url.scheme());
            return judge.refuse(code, &["url"], says, help);
        }
        Err(error) => return judge.refuse(code, &["url"], format!("not an address: {error}"), help),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return judge.refuse(
            code,
            &["url"],
            "the address carries credentials",
            "use auth.basic with a secret",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return judge.refuse(code, &["url"], "the base address carries a query or a fragment", help);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

/// Without TLS, credentials are for this machine only.
pub(super) fn warn_of_clear_text(base: Option<&Url>, judge: &mut Judge<'_>) {
    let Some(url) = base.filter(|url| url.scheme() == "http") else { return };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !loopback {
        let place = judge.place(&["url"]);
        let warning =
            Diagnostic::warning(judge.codes.clear_text, place, "credentials would travel in clear text");
        judge.found.push(warning.help("use https"));
    }
}

/// Writes `text` so that it stays within one path segment: all but RFC 3986's unreserved characters are escaped.
pub(crate) fn segment(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.extend([byte >> 4, byte & 15].map(hex));
        }
    }
}

fn hex(nibble: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(nibble)])
}
