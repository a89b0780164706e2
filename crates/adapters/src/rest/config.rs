//! The section as it will be used: every part judged once, nothing left to go wrong at a call.

use std::collections::BTreeMap;
use std::time::Duration;

use diag::{Diagnostic, Node};

use super::headers;
use super::operation::{self, Plan};
use super::probe::{self, Probe};
use super::section::Section;
use crate::http::{self, Codes, Judge, Written};

/// How long the system may take to say that it is well.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// What the reference page calls the mistakes of the keys that every HTTP adapter has.
pub(super) const CODES: Codes = Codes {
    address: "REST002",
    header: "REST005",
    clear_text: "REST007",
    size: "REST008",
    credential: "REST012",
    secret: "REST011",
    reach: "REST015",
    tls: "REST016",
};

/// A judged section.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) http: http::Config,
    pub(super) operations: BTreeMap<String, Plan>,
    pub(super) probe: Option<Probe>,
}

/// Judges a section. The configuration is there exactly when no finding is an error.
pub(super) fn read(system: &str, node: &Node) -> (Option<Config>, Vec<Diagnostic>) {
    let mut judge = Judge::new(node, &CODES);
    let mut section = node.to_json();
    let written = Written::take(&mut section);
    let written = written.and_then(|http| Ok((http, serde_json::from_value::<Section>(section)?)));
    let config = match written {
        Ok((http, own)) => config(http, own, &mut judge),
        Err(error) => {
            let says = format!("system {system:?}: {error}");
            judge.refuse("REST001", &[], says, "see the rest adapter's reference page")
        }
    };
    (config.filter(|_| judge.is_sound()), judge.found)
}

fn config(http: Written, section: Section, judge: &mut Judge<'_>) -> Option<Config> {
    let http = http::Config::judged(http, judge);
    let mut operations = operation::plans(&section.operations, judge);
    if let Some(path) = &section.health {
        let health = operation::asking(path, &["health"], PATIENCE, judge)?;
        if operations.insert("health".to_owned(), health).is_some() {
            let says = "there are two operations named health";
            let help = "the key `health` makes an operation of that name; remove one of the two";
            judge.refuse::<()>("REST006", &["operations", "health"], says, help);
        }
    }
    let probe = section.probe.map(|written| probe::judged(&written, judge));
    let config = Config { http: http?, operations, probe: probe.flatten() };
    headers::check_collisions(&config, judge);
    Some(config)
}
