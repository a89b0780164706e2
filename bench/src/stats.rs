//! Medians, percentiles and spread.

use std::fmt;
use std::time::Duration;

/// Several runs of the same measurement.
#[derive(Clone, Debug)]
pub struct Runs(Vec<f64>);

impl Runs {
    /// Takes the figures of the runs; at least one.
    pub fn new(mut figures: Vec<f64>) -> Self {
        figures.sort_by(f64::total_cmp);
        Self(figures)
    }

    /// The middle one.
    pub fn median(&self) -> f64 {
        at(&self.0, 0.5)
    }
}

impl fmt::Display for Runs {
    /// `median (lowest–highest of n)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (at(&self.0, 0.0), at(&self.0, 1.0));
        let digits = if self.median() < 100.0 { 2 } else { 0 };
        write!(f, "{:.digits$} ({low:.digits$}–{high:.digits$} of {})", self.median(), self.0.len())
    }
}

/// Latencies of one run.
#[derive(Clone, Debug, Default)]
pub struct Latencies(Vec<f64>);

impl Latencies {
    /// Takes latencies as they were seen.
    pub fn new(seen: impl IntoIterator<Item = Duration>) -> Self {
        let mut millis: Vec<f64> = seen.into_iter().map(|latency| latency.as_secs_f64() * 1000.0).collect();
        millis.sort_by(f64::total_cmp);
        Self(millis)
    }

    /// The latency below which `share` (0–1) of all lie, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        at(&self.0, share)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

fn at(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of samples are far below 2^52")]
    let last = sorted.len().saturating_sub(1) as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index within the samples"
    )]
    let index = (last * share).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}
