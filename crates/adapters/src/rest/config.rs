//! The section as it will be used: every part judged once, nothing left to go wrong at a call.

use std::collections::BTreeMap;
use std::time::Duration;

use diag::{Diagnostic, Node, Span};
use http::{HeaderMap, HeaderName};
use url::{Host, Url};

use super::deadline::{self, Format};
use super::headers::{self, header_name};
use super::operation::{self, Plan};
use super::section::{Auth, DeadlineHeader, Place, Section};

/// How long the health probe may take.
const PROBE: Duration = Duration::from_secs(5);
/// The largest answer that is read when nothing else is said.
const MAX_RESPONSE: usize = 1024 * 1024;
/// The largest answer that may be allowed.
const MOST_RESPONSE: usize = 64 * 1024 * 1024;

/// A judged section.
#[derive(Debug)]
pub(super) struct Config {
    /// Scheme, host, port and base path; no credentials, query or fragment; the path has no slash at its end.
    pub(super) base: Url,
    pub(super) headers: HeaderMap,
    pub(super) auth: Option<Auth>,
    pub(super) max_response: usize,
    pub(super) deadline_header: Option<deadline::Header>,
    pub(super) operations: BTreeMap<String, Plan>,
}

/// Collects what is wrong, each at its place.
pub(super) struct Judge<'a> {
    pub(super) found: Vec<Diagnostic>,
    section: &'a Node,
}

impl<'a> Judge<'a> {
    /// The place of the value at `path`, or of its nearest written parent.
    pub(super) fn place(&self, path: &[&str]) -> &'a Span {
        let step = |node: &'a Node, key: &&str| node.get(key).ok_or(node);
        match path.iter().try_fold(self.section, step) {
            Ok(node) | Err(node) => &node.span,
        }
    }

    /// The place of what a pointer leads to below `path`, or of its nearest written parent.
    pub(super) fn within(&self, path: &[&str], pointer: &str) -> &'a Span {
        let mut pointer = pointer;
        let Some(node) = self.node(path) else { return self.place(path) };
        loop {
            match (node.at(pointer), pointer.rfind('/')) {
                (Some(node), _) => return &node.span,
                (None, Some(end)) => pointer = &pointer[..end],
                (None, None) => return &node.span,
            }
        }
    }

    /// What is written at `path`.
    pub(super) fn node(&self, path: &[&str]) -> Option<&'a Node> {
        path.iter().try_fold(self.section, |node, key| node.get(key))
    }

    /// The duration that is written at `path`.
    pub(super) fn duration(&self, path: &[&str]) -> Option<Duration> {
        self.node(path)?.duration()
    }

    /// Records a mistake; `None`, so that a caller can end with it.
    pub(super) fn refuse<T>(
        &mut self,
        code: &'static str,
        path: &[&str],
        says: impl Into<String>,
        help: &str,
    ) -> Option<T> {
        let mut found = Diagnostic::error(code, self.place(path), says).help(help);
        // What stands in a header or an address may be a credential.
        let url = self.section.get("url").and_then(Node::text).unwrap_or_default();
        if path.first() == Some(&"headers") || (path == ["url"] && url.contains('@')) {
            found = found.hiding(self.place(path));
        }
        self.found.push(found);
        None
    }
}

/// Judges a section. The configuration is there exactly when no finding is an error.
pub(super) fn read(system: &str, node: &Node) -> (Option<Config>, Vec<Diagnostic>) {
    let mut judge = Judge { found: Vec::new(), section: node };
    let section = match serde_json::from_value::<Section>(node.to_json()) {
        Ok(section) => section,
        Err(error) => {
            judge.refuse::<()>(
                "REST001",
                &[],
                format!("system {system:?}: {error}"),
                "see the rest adapter's reference page",
            );
            return (None, judge.found);
        }
    };
    let config = config(section, &mut judge);
    let sound = judge.found.iter().all(|finding| finding.severity < diag::Severity::Error);
    (config.filter(|_| sound), judge.found)
}

fn config(section: Section, judge: &mut Judge<'_>) -> Option<Config> {
    let base = base(&section.url, judge);
    let headers = headers::of_system(&section.headers, judge);
    if let Some(auth) = &section.auth {
        check_auth(auth, judge);
        warn_of_clear_text(base.as_ref(), judge);
    }
    let max_response = max_response(judge);
    let deadline_header = section.deadline_header.and_then(|written| deadline_header(&written, judge));
    let mut operations = operation::plans(&section.operations, judge);
    if let Some(path) = &section.health {
        let probe = operation::probe(path, PROBE, judge)?;
        if operations.insert("health".to_owned(), probe).is_some() {
            let help = "the key `health` makes an operation of that name; remove one of the two";
            judge.refuse::<()>(
                "REST006",
                &["operations", "health"],
                "there are two operations named health",
                help,
            );
        }
    }
    let config =
        Config { base: base?, headers, auth: section.auth, max_response, deadline_header, operations };
    headers::check_collisions(&config, judge);
    Some(config)
}

fn base(text: &str, judge: &mut Judge<'_>) -> Option<Url> {
    let help = "write an absolute address such as https://stock.example/api";
    let mut url = match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(url) => {
            let says = format!("the address has the scheme {:?}", url.scheme());
            return judge.refuse("REST002", &["url"], says, help);
        }
        Err(error) => return judge.refuse("REST002", &["url"], format!("not an address: {error}"), help),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return judge.refuse(
            "REST002",
            &["url"],
            "the address carries credentials",
            "use auth.basic with a secret",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return judge.refuse("REST002", &["url"], "the base address carries a query or a fragment", help);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

/// Without TLS, credentials are for this machine only.
fn warn_of_clear_text(base: Option<&Url>, judge: &mut Judge<'_>) {
    let Some(url) = base.filter(|url| url.scheme() == "http") else { return };
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !loopback {
        let place = judge.place(&["url"]);
        let warning = Diagnostic::warning("REST007", place, "credentials would travel in clear text");
        judge.found.push(warning.help("use https"));
    }
}

fn deadline_header(written: &DeadlineHeader, judge: &mut Judge<'_>) -> Option<deadline::Header> {
    let (name, path, format): (_, &[&str], _) = match written {
        DeadlineHeader::Name(name) => (name, &["deadline_header"], None),
        DeadlineHeader::Formatted(header) => (&header.name, &["deadline_header", "name"], header.format),
    };
    let name = header_name(name, path, judge)?;
    let format = format.unwrap_or_else(|| Format::of(&name));
    Some(deadline::Header { name, format })
}

fn check_auth(auth: &Auth, judge: &mut Judge<'_>) {
    match auth {
        Auth::ApiKey(key) => {
            if matches!(key.place, Place::Header) && HeaderName::from_bytes(key.name.as_bytes()).is_err() {
                let says = format!("{:?} is not a header name", key.name);
                judge.refuse::<()>(
                    "REST005",
                    &["auth", "api_key", "name"],
                    says,
                    "use letters, digits and -",
                );
            }
        }
        Auth::Basic(basic) if basic.user.contains(':') => {
            let help = "RFC 7617 has no way to send one";
            judge.refuse::<()>("REST005", &["auth", "basic", "user"], "the user name holds a colon", help);
        }
        Auth::Basic(_) | Auth::Bearer(_) => {}
    }
}

fn max_response(judge: &mut Judge<'_>) -> usize {
    let Some(written) = judge.section.get("max_response") else { return MAX_RESPONSE };
    let bytes = written.size().or_else(|| written.u64()).and_then(|bytes| usize::try_from(bytes).ok());
    bytes
        .filter(|bytes| (1..=MOST_RESPONSE).contains(bytes))
        .or_else(|| {
            let help = "write 262144, 256KiB or 1MiB";
            judge.refuse("REST008", &["max_response"], "not a size between 1 byte and 64MiB", help)
        })
        .unwrap_or(MAX_RESPONSE)
}
