//! Who must know which member of a group is asked, before it is.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::Fault;

/// Writes down which member of a group is asked, so that whoever finds a call without an outcome knows where to look.
///
/// For an operation that only one member may act for, a group asks nobody before that is written down.
pub trait Witness: Send + Sync + 'static {
    /// The member that is written down already: the one to begin with; see [`crate::Link::first_asked`].
    fn first(&self) -> &str;

    /// Writes another one down, because those before it certainly did not act.
    ///
    /// # Errors
    /// Why it is not written down: then it must not be asked.
    fn next<'a>(&'a self, member: &'a Arc<str>) -> BoxFuture<'a, Result<(), Fault>>;
}
