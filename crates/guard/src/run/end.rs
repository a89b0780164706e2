//! Says that a call is over, also when its caller went away.

use port::Fault;

use super::Run;
use super::pass::Refused;
use crate::event::Event;

/// The end of a call that is still to come.
pub(crate) struct End<'r, 'a>(Option<&'r Run<'a>>);

impl<'r, 'a> End<'r, 'a> {
    #[inline]
    pub(crate) fn of(run: &'r Run<'a>) -> Self {
        Self(Some(run))
    }

    /// The call is over, with this result.
    #[inline]
    pub(crate) fn with<T>(mut self, result: &Result<T, Fault>) {
        if let Some(run) = self.0.take() {
            let (outcome, duration) = (result.as_ref().map(|_| ()), run.duration());
            run.hear(&Event::CallFinished { place: &run.place, attempts: run.attempts(), outcome, duration });
        }
    }
}

impl End<'_, '_> {
    /// A guard kept the call in before its first attempt: there is nothing to try again.
    #[inline]
    pub(crate) fn refused<T>(self, refused: Refused) -> Result<T, Fault> {
        let result = Err(refused.into());
        self.with(&result);
        result
    }
}

impl Drop for End<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(run) = self.0 {
            abandoned(run);
        }
    }
}

#[cold]
fn abandoned(run: &Run<'_>) {
    run.look();
    let duration = run.duration();
    run.hear(&Event::CallAbandoned { place: &run.place, attempts: run.attempts(), duration });
}
