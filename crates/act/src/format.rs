//! Text formats. Each is a bounded, linear look at the bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A mailbox as RFC 5321 §4.1.2 has it, without the obsolete forms: for members of the model.
pub(crate) fn is_mailbox(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    text.len() <= 320 && (is_quoted(local) || is_dot_atom(local)) && is_mail_host(host)
}

fn is_dot_atom(text: &str) -> bool {
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b);
    text.split('.').all(|part| !part.is_empty() && part.bytes().all(atom))
}

fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.next().is_some_and(|next| (b' '..=b'~').contains(&next)) => {}
            b'\\' | b'"' => return false,
            b' '..=b'~' => {}
            _ => return false,
        }
    }
    !inner.is_empty()
}

fn is_mail_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => match literal.strip_prefix("IPv6:") {
            Some(v6) => v6.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        },
        None => host.len() <= 255 && host.split('.').all(is_label),
    }
}

fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The address the reference validator asks of answers:
/// `^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$`.
pub(crate) fn is_answered_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let Some((domain, top)) = host.rsplit_once('.') else { return false };
    let word = |text: &str, more: &[u8]| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(&b))
    };
    word(local, b"._%+-")
        && word(domain, b".-")
        && top.len() >= 2
        && top.bytes().all(|b| b.is_ascii_alphabetic())
}

/// The number the reference validator asks of answers: `^\+?[\d\s\-\(\)]{10,}$`, ASCII.
pub(crate) fn is_phone(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    rest.len() >= 10
        && rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'(' | b')' | b' ' | b'\t'))
        && rest.bytes().any(|b| b.is_ascii_digit())
}

/// An absolute URI (RFC 3986 §3): a scheme, a colon, and only what a URI may hold.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash)),
        None => ("", rest),
    };
    is_scheme(scheme)
        && is_authority(authority)
        && is_spelled(path, b"/:@")
        && is_spelled(query, b"/:@?")
        && is_spelled(fragment, b"/:@?")
}

/// A URI that names a host.
pub(crate) fn is_url(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or_default());
    is_uri(text) && host.is_some_and(|host| !host.is_empty())
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((literal, port)) = rest.split_once(']') else { return false };
            if literal.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            ("", port.strip_prefix(':').unwrap_or(port))
        }
        None => host.rsplit_once(':').unwrap_or((host, "")),
    };
    is_spelled(user, b":") && is_spelled(host, b"") && port.bytes().all(|b| b.is_ascii_digit())
}

/// Unreserved characters, sub-delimiters, percent escapes and `more`.
fn is_spelled(text: &str, more: &[u8]) -> bool {
    let b = text.as_bytes();
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte) || more.contains(&byte);
    let escape = |i: usize| b.get(i + 1..i + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    (0..b.len()).all(|i| if b[i] == b'%' { escape(i) } else { plain(b[i]) })
}

/// `8-4-4-4-12` hex digits (RFC 9562 §4).
pub(crate) fn is_uuid(text: &str) -> bool {
    let dash = |i: usize| matches!(i, 8 | 13 | 18 | 23);
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| if dash(i) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// `ll` or `ll-CC`.
pub(crate) fn is_language(text: &str) -> bool {
    let b = text.as_bytes();
    let lower = |part: &[u8]| part.len() == 2 && part.iter().all(u8::is_ascii_lowercase);
    let upper =
        |part: &[u8]| part.len() == 3 && part[0] == b'-' && part[1..].iter().all(u8::is_ascii_uppercase);
    b.len() >= 2 && lower(&b[..2]) && (b.len() == 2 || upper(&b[2..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is: fn(&str) -> bool, good: &[&str], bad: &[&str]) {
        good.iter().for_each(|text| assert!(is(text), "{text:?} should pass"));
        bad.iter().for_each(|text| assert!(!is(text), "{text:?} should not pass"));
    }

    #[test]
    fn mailboxes() {
        check(
            is_mailbox,
            &[
                "a@b",
                "ann@example.com",
                "te~st@example.com",
                "\"joe b\"@x.org",
                "j@[127.0.0.1]",
                "j@[IPv6:::1]",
            ],
            &[
                "",
                "a",
                "@b",
                "a@",
                ".a@b",
                "a.@b",
                "a..b@c",
                "a@b c",
                "a@-b",
                "a@b=c",
                "j@[127.0.0.300]",
                "a@b\n",
            ],
        );
    }

    #[test]
    fn answers() {
        check(
            is_answered_email,
            &["a@b.co", "a.b%c+d-e@x-y.example"],
            &["a@b", "a@b.c", "a b@c.de", "a@b.co\n"],
        );
        check(
            is_phone,
            &["+1 555 010 0100", "(030) 1234567"],
            &["555", "+1 555 010 x100", "----------", "+"],
        );
    }

    #[test]
    fn uris() {
        check(
            is_uri,
            &[
                "https://example.com/a?b=c#d",
                "urn:cardan:schema:act",
                "mailto:a@b",
                "http://u:p@[::1]:80/%20",
                "a:",
                "file:///etc/x",
                "http://example.com:8080",
            ],
            &[
                "",
                "schemas/order.json",
                "//example.com/a",
                "http://a b",
                "http://[::1",
                "http://a:x",
                "1a:b",
                "a:%2",
                "http://exa<mple",
                "https://é.org",
                "a:b#c#d",
                "http://a/\n",
            ],
        );
        check(is_url, &["https://example.com"], &["urn:a:b", "http:///a", "mailto:a@b"]);
    }

    #[test]
    fn small_ones() {
        check(
            is_uuid,
            &["0190a6e0-0000-7000-8000-00000000000A"],
            &["0190a6e0000070008000000000000000", "0190a6e0-0000-7000-8000-00000000000g", ""],
        );
        check(
            is_language,
            &["en", "pt-BR"],
            &["", "e", "eng", "EN", "en-us", "en-USA", "en\n", "en_US", "é"],
        );
    }
}
