//! What every external system looks like from inside: a spec and one verb.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::{Call, Ctx, Fault, Outlook, Reply, Spec};

/// An external system, as its author writes it: a description and a plain `async fn`.
///
/// An adapter translates and nothing else: no retry, no sleep, no loop, no counter, no spawn. Dropping the
/// future of [`Adapter::call`] must be safe at any await point; a call dropped after its request was sent has
/// landed for all the caller knows.
pub trait Adapter: Send + Sync + 'static {
    /// What this system can do. Must not change between calls.
    fn spec(&self) -> &Spec;

    /// Performs one operation, once.
    ///
    /// # Errors
    /// A [`Fault`] that says whether the effect landed.
    fn call(&self, ctx: &Ctx, call: Call) -> impl Future<Output = Result<Reply, Fault>> + Send;

    /// Asks the system whether it is well, once and at its cheapest: nothing changes there. Asked where
    /// [`Spec::probe_every`] says so; no guard stands before it.
    ///
    /// # Errors
    /// What keeps the system from being well, or from being asked.
    fn probe(&self, ctx: &Ctx) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Lets go of what is held between calls: channels, sessions, tasks. Nothing is called or probed after it.
    fn close(&self) -> impl Future<Output = ()> + Send;
}

/// The object-safe twin of [`Adapter`]: what guards wrap and what callers hold.
///
/// No method has a default: what stands before another link must say of each whether it passes the question on.
pub trait Link: Send + Sync + 'static {
    /// What this system can do.
    fn spec(&self) -> &Spec;

    /// Performs one operation; see [`Adapter::call`].
    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>>;

    /// Asks the system whether it is well; see [`Adapter::probe`]. What stands before it neither counts nor keeps in.
    fn probe<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>>;

    /// Lets go of what this link and those behind it hold; see [`Adapter::close`].
    fn close(&self) -> BoxFuture<'_, ()>;

    /// How a call of this operation for this tenant would fare now, as far as guards can tell.
    fn outlook(&self, operation: &str, tenant: &str) -> Outlook;

    /// The longest a call of this operation may take, waits and retries included; `None` when nothing but its caller's
    /// deadline bounds it.
    fn limit(&self, operation: &str) -> Option<Duration>;

    /// The member that the next call of this operation would ask first, of a group of several of which only one may act
    /// for it. `None` from any other system. Each answer is a member's turn: whoever asks makes the call, with a
    /// [`crate::Witness`] that says so.
    fn first_asked(&self, operation: &str) -> Option<Arc<str>>;
}

/// An adapter by itself keeps nothing in, bounds nothing and is no group.
impl<A: Adapter> Link for A {
    fn spec(&self) -> &Spec {
        Adapter::spec(self)
    }

    fn call<'a>(&'a self, ctx: &'a Ctx, call: Call) -> BoxFuture<'a, Result<Reply, Fault>> {
        Box::pin(Adapter::call(self, ctx, call))
    }

    fn probe<'a>(&'a self, ctx: &'a Ctx) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(Adapter::probe(self, ctx))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(Adapter::close(self))
    }

    fn outlook(&self, _operation: &str, _tenant: &str) -> Outlook {
        Outlook::Open
    }

    fn limit(&self, _operation: &str) -> Option<Duration> {
        None
    }

    fn first_asked(&self, _operation: &str) -> Option<Arc<str>> {
        None
    }
}
