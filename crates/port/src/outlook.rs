//! How a call would fare, told without making one.

use std::time::Duration;

/// Whether a system's guard would let a call out now. It may have changed by the time a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It would.
    Open,
    /// So many calls would be let out, to find out whether the system is back.
    Probing(u32),
    /// None before so long.
    Closed(Duration),
}

impl Outlook {
    /// That of a system made of two, each of which may take the call.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Open, _) | (_, Self::Open) => Self::Open,
            (Self::Probing(some), Self::Probing(more)) => Self::Probing(some.saturating_add(more)),
            (Self::Probing(some), Self::Closed(_)) | (Self::Closed(_), Self::Probing(some)) => {
                Self::Probing(some)
            }
            (Self::Closed(one), Self::Closed(other)) => Self::Closed(one.min(other)),
        }
    }
}
