//! Who is told what became of spans.

/// Why spans were not exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// Too many waited.
    Full,
    /// The collector was away or too busy, and was tried often enough.
    Away,
    /// The collector does not want them.
    Refused,
    /// The process ended before.
    Closed,
}

impl Loss {
    /// `full`, `away`, `refused`, `closed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Loss::Full => "full",
            Loss::Away => "away",
            Loss::Refused => "refused",
            Loss::Closed => "closed",
        }
    }
}

/// Is told what became of spans. Called on the path of calls: must return at once.
pub trait Told: Send + Sync + 'static {
    /// A collector has taken so many.
    fn exported(&self, spans: u64);
    /// So many are lost.
    fn dropped(&self, spans: u64, why: Loss);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unheard;

impl Told for Unheard {
    fn exported(&self, _spans: u64) {}
    fn dropped(&self, _spans: u64, _why: Loss) {}
}
