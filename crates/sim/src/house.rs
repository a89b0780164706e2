//! All systems under one roof, and what can be asked about them from outside their own doors.

use std::collections::BTreeMap;
use std::io;

use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Answer, parse};
use crate::desk::Desk;
use crate::knob::Knob;
use crate::ledger::{Effects, Entry};
use crate::options::Options;
use crate::systems;

/// The most entries one page of a ledger holds.
pub(crate) const PAGE: usize = 10_000;

/// All systems by name.
pub(crate) struct House {
    pub(crate) desks: BTreeMap<&'static str, Mutex<Desk>>,
}

/// A knob, or the wish to have none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Behave {
    Reset(Reset),
    Set(Box<Knob>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    reset: bool,
}

impl House {
    /// Opens every system.
    pub(crate) fn open(options: &Options) -> io::Result<Self> {
        if let Some(folder) = &options.records {
            std::fs::create_dir_all(folder)?;
        }
        let mut desks = BTreeMap::new();
        for system in systems::all(options.seed, options.stock) {
            let name = system.name();
            let desk = Desk::open(system, options.honour_keys, options.records.as_deref())?;
            desks.insert(name, Mutex::new(desk));
        }
        Ok(Self { desks })
    }

    /// Sets a knob on a system.
    pub(crate) fn behave(&self, system: &str, knob: Knob) -> Result<(), String> {
        self.desk(system)?.lock().knobs.set(knob)
    }

    /// Forgets a system's knobs.
    pub(crate) fn reset(&self, system: &str) -> Result<(), String> {
        self.desk(system)?.lock().knobs.reset();
        Ok(())
    }

    /// Up to `limit` entries of a system's ledger after `seq`.
    pub(crate) fn ledger(&self, system: &str, seq: u64, limit: usize) -> Result<Vec<Entry>, String> {
        Ok(self.desk(system)?.lock().ledger.after(seq, limit))
    }

    /// A system's sums.
    pub(crate) fn effects(&self, system: &str) -> Result<Effects, String> {
        Ok(self.desk(system)?.lock().ledger.sums().clone())
    }

    /// What every system holds.
    pub(crate) fn state(&self) -> Value {
        self.desks.iter().map(|(name, desk)| ((*name).to_owned(), desk.lock().system.state())).collect()
    }

    fn desk(&self, system: &str) -> Result<&Mutex<Desk>, String> {
        let known = || self.desks.keys().copied().collect::<Vec<_>>().join(", ");
        self.desks.get(system).ok_or_else(|| format!("there is no system {system:?}; there are {}", known()))
    }

    /// Answers below `/_sim`.
    pub(crate) fn control(&self, method: &str, path: &[&str], query: &str, body: &[u8]) -> Answer {
        let answered = match (method, path) {
            ("GET", []) => Ok(self.directory()),
            ("GET", ["state"]) => Ok(self.state()),
            ("GET", [system, "ledger"]) => {
                let number = |name: &str| {
                    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
                };
                let limit = number("limit").map_or(1000, |limit: u64| limit.min(PAGE as u64));
                let limit = usize::try_from(limit).unwrap_or(PAGE);
                self.ledger(system, number("after").unwrap_or(0), limit).map(|entries| json!(entries))
            }
            ("GET", [system, "effects"]) => self.effects(system).map(|effects| json!(effects)),
            ("POST", [system, "behave"]) => match parse::<Behave>(body) {
                Ok(Behave::Reset(Reset { reset: true })) => self.reset(system).map(|()| Value::Null),
                Ok(Behave::Reset(Reset { reset: false })) => Err("reset is true or absent".to_owned()),
                Ok(Behave::Set(knob)) => self.behave(system, *knob).map(|()| Value::Null),
                Err(answer) => return answer,
            },
            _ => return Answer::problem(404, "not found", "see GET /_sim for what there is"),
        };
        match answered {
            Ok(Value::Null) => Answer { status: 204, ..Answer::read(Value::Null) },
            Ok(body) => Answer::read(body),
            Err(says) => Answer::problem(422, "invalid", says),
        }
    }

    /// What can be asked of whom.
    fn directory(&self) -> Value {
        let routes = |desk: &Mutex<Desk>| -> Value {
            let routes = desk.lock().system.routes();
            routes
                .iter()
                .map(|(verb, path, name)| ((*name).to_owned(), json!(format!("{verb} {path}"))))
                .collect()
        };
        self.desks.iter().map(|(name, desk)| ((*name).to_owned(), routes(desk))).collect()
    }
}
