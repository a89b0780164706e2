//! Which member of a group a call goes to, in the journal before it is asked.
//!
//! The first is chosen with the turn that decides the call, so that its intent is written with everything else of that
//! turn. Only when it certainly did not act is another written down, by an entry of its own.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use port::{Fault, Kind, Landed, Witness};
use tokio::sync::{mpsc, oneshot};

use super::Engine;
use super::runner::{Runner, Stop};
use crate::core::{Effect, Event};

/// A member is about to be asked.
pub(super) struct Asking {
    path: Arc<str>,
    member: Arc<str>,
    /// Told when it may be.
    written: oneshot::Sender<()>,
}

/// The witness of one call.
pub(super) struct Scribe {
    first: Arc<str>,
    path: Arc<str>,
    journal: mpsc::Sender<Asking>,
}

impl Witness for Scribe {
    fn first(&self) -> &str {
        &self.first
    }

    fn next<'a>(&'a self, member: &'a Arc<str>) -> BoxFuture<'a, Result<(), Fault>> {
        let gone = || Fault::new(Kind::Internal, Landed::No, "the run is not here any more");
        async move {
            let (written, done) = oneshot::channel();
            let asking = Asking { path: self.path.clone(), member: member.clone(), written };
            self.journal.send(asking).await.map_err(|_| gone())?;
            done.await.map_err(|_| gone())
        }
        .boxed()
    }
}

impl Engine {
    /// The member that a call is for first, if it goes to a group of which only one may act.
    pub(super) fn first_asked(&self, effect: &Effect) -> Option<Arc<str>> {
        self.0.systems.get(&effect.system)?.first_asked(&effect.operation)
    }
}

impl Runner {
    /// Whoever must write down which members are asked for a call.
    pub(super) fn witness(&self, effect: &Effect) -> Option<Arc<dyn Witness>> {
        let first = effect.first.clone()?;
        Some(Arc::new(Scribe { first, path: effect.path.clone(), journal: self.announce.clone() }))
    }

    /// Writes down that another member is asked, unless the call was given up in the meantime.
    pub(super) async fn announced(&mut self, asking: Asking) -> Result<(), Stop> {
        if asking.written.is_closed() {
            return Ok(());
        }
        let Asking { path, member, written } = asking;
        let leaves_until = self.aloft.get(&path).map(|effect| self.engine.leaves_until(effect));
        let keyed_as = self.state.keyed_as(&path);
        let started = Event::StepStarted { path, member: Some(member), leaves_until, keyed_as };
        self.turn(vec![started], Vec::new()).await?;
        let _given_up = written.send(());
        Ok(())
    }
}
