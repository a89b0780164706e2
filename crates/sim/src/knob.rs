//! How a system is told to misbehave.

use serde::{Deserialize, Serialize};

/// How many knobs may be set on one system.
const MOST: usize = 64;
/// The longest wait, in milliseconds.
const LONGEST: u64 = 600_000;

/// One way to misbehave. Set members combine: slow **and** failing is one knob.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knob {
    /// The operation it is about; every operation when absent.
    pub operation: Option<String>,
    /// For how many calls; until reset when absent.
    pub times: Option<u32>,
    /// Waits so many milliseconds before acting. A caller who leaves meanwhile leaves nothing behind.
    pub slow: Option<u64>,
    /// Answers with a status instead of acting.
    pub fail: Option<Fail>,
    /// Drops the connection without a byte of answer.
    pub drop: Option<Drop>,
    /// Acts at once and answers so many milliseconds later.
    pub late: Option<u64>,
    /// Says no for a business reason (HTTP 402).
    pub refuse: Option<String>,
}

/// A failure's status.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// The status, 300 to 599.
    pub status: u16,
    /// Seconds for a `Retry-After` header.
    #[serde(default)]
    pub retry_after: Option<u32>,
}

/// When a connection is dropped.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Drop {
    /// Before anything is done.
    Before,
    /// After everything is done.
    After,
}

impl Knob {
    fn check(&self) -> Result<(), String> {
        let says = self.slow.is_some()
            || self.fail.is_some()
            || self.drop.is_some()
            || self.late.is_some()
            || self.refuse.is_some();
        if !says {
            return Err("say what to do: slow, fail, drop, late, refuse, or reset".to_owned());
        }
        if self.slow.max(self.late) > Some(LONGEST) {
            return Err(format!("a wait is at most {LONGEST} ms"));
        }
        match &self.fail {
            Some(fail) if !(300..600).contains(&fail.status) => {
                Err("a failure's status is 300 to 599".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The knobs of one system, in the order in which they were set.
#[derive(Debug, Default)]
pub(crate) struct Knobs(Vec<Knob>);

impl Knobs {
    /// Sets one more.
    pub(crate) fn set(&mut self, knob: Knob) -> Result<(), String> {
        knob.check()?;
        if self.0.len() == MOST {
            return Err(format!("a system has at most {MOST} knobs; reset first"));
        }
        self.0.push(knob);
        Ok(())
    }

    /// Forgets all.
    pub(crate) fn reset(&mut self) {
        self.0.clear();
    }

    /// The first knob about `operation`, used once.
    pub(crate) fn take(&mut self, operation: &str) -> Knob {
        let about = |knob: &Knob| knob.operation.as_deref().is_none_or(|name| name == operation);
        let Some(at) = self.0.iter().position(|knob| about(knob) && knob.times != Some(0)) else {
            return Knob::default();
        };
        let taken = self.0[at].clone();
        if let Some(times) = &mut self.0[at].times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(at);
            }
        }
        taken
    }
}
