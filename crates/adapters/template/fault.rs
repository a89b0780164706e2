//! What went wrong, and whether the effect is there.

use port::{Fault, Kind, Landed};

pub(super) use crate::http::fault::of_status;

/// An operation that the system does not have.
pub(super) fn unknown(operation: &str) -> Fault {
    Fault::new(Kind::Invalid, Landed::No, "the system has no such operation").with("operation", operation)
}

/// A probe, where none is declared.
pub(super) fn unasked() -> Fault {
    Fault::new(Kind::Invalid, Landed::No, "the system declares no probe")
}
