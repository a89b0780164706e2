//! Which headers an operation sends beside those of the system.

use std::collections::BTreeMap;

use http::HeaderName;
use port::Repeat;

use super::config::Config;
use super::operation::templates;
use super::template::Template;
use crate::http::{Auth, Judge, Place, check_content_type, check_fixed, header_name, warn_of_credential};

/// One header cannot be set in two ways.
pub(super) fn check_collisions(config: &Config, judge: &mut Judge<'_>) {
    let key = match &config.http.auth {
        Some(Auth::ApiKey(key)) if matches!(key.place, Place::Header) => {
            HeaderName::from_bytes(key.name.as_bytes()).ok()
        }
        _ => None,
    };
    let deadline = config.http.deadline_header.as_ref().map(|header| &header.name);
    let shared: Vec<_> = key.iter().chain(deadline).collect();
    for name in config.http.headers.keys().filter(|name| shared.contains(name)) {
        refuse_collision(name, &["headers"], judge);
    }
    for (operation, plan) in &config.operations {
        let own = (plan.repeat == Repeat::Keyed).then_some(&plan.key_header);
        let set = plan.headers.iter().map(|(name, _)| name);
        for name in set.filter(|name| shared.contains(name) || own == Some(name)) {
            refuse_collision(name, &["operations", operation, "headers"], judge);
        }
    }
}

fn refuse_collision(name: &HeaderName, path: &[&str], judge: &mut Judge<'_>) {
    let says = format!("the header {name} is set in two ways");
    judge.refuse::<()>(
        "REST005",
        path,
        says,
        "`auth`, `deadline_header` and keyed operations set it already",
    );
}

/// The headers of one operation, as templates. Bytes may be called what they are; `json` may not.
pub(super) fn header_templates(
    name: &str,
    written: &BTreeMap<String, String>,
    json: bool,
    judge: &mut Judge<'_>,
) -> Option<Vec<(HeaderName, Template)>> {
    let place = ["operations", name, "headers"];
    let mut named = Vec::new();
    for (header, template) in templates(written, &place, judge)? {
        let known = header_name(&header, &place, judge)?;
        let path = [place[0], name, place[2], &header];
        if json {
            check_content_type(&known, &written[&header], &path, judge);
        }
        if template.members().next().is_none() {
            warn_of_credential(&known, &path, judge);
            check_fixed(&written[&header], &path, judge);
        }
        named.push((known, template));
    }
    Some(named)
}

/// The headers of an answer that an operation keeps. What is kept is in the journal for as long as the run is.
pub(super) fn kept(name: &str, written: &[String], judge: &mut Judge<'_>) -> Option<Vec<HeaderName>> {
    const MOST: usize = 16;
    let place = ["operations", name, "response_headers"];
    if written.len() > MOST {
        let says = format!("{} headers cannot be kept", written.len());
        return judge.refuse("REST005", &place, says, "name at most 16");
    }
    let mut names = Vec::new();
    for header in written {
        let known = HeaderName::from_bytes(header.as_bytes()).ok();
        match known.filter(|known| known != http::header::SET_COOKIE) {
            Some(known) => names.push(known),
            None => {
                let says = format!("the header {header:?} cannot be kept");
                return judge.refuse("REST005", &place, says, "name headers of answers, but no cookies");
            }
        }
    }
    Some(names)
}
