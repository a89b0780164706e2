//! `gate` is the one way in: it finds out who asks, lets them do what they may, takes acts, and answers.
//!
//! Read in this order: `routes` (everything that can be asked), `door` (the way of every request),
//! [`Conversations`] (how acts become one durable batch), `live` (following the log), `serve` (connections).
//!
//! It decides nothing about what an act means (that is `react`), runs no step (`flow`), and knows no external system.

mod auth;
mod body;
mod conversations;
mod defect;
mod door;
mod exchange;
mod idempotency;
mod insist;
mod limits;
mod live;
mod observer;
mod openapi;
mod page;
mod problem;
mod rate;
mod route;
mod routes;
mod serve;
mod systems;
mod turn;
mod upload;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use jiff::Timestamp;
use port::{Clock, Entropy};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

pub use auth::{
    Algorithm, Auth, Error as AuthError, Key, Material, Permission, Permissions, Principal, Tokens,
};
pub use conversations::{
    Conversations, Deciding, Heard, NewConversation, Started, Taken, Utterance, Verdict,
};
pub use limits::{Limits, Rate};
pub use observer::{Nobody, Observer};
pub use page::{Page, Show, Shown};
pub use problem::{Code, Problem};
pub use serve::Handle;
pub use systems::{Control, Mode, Which};

/// What the gate is made of.
pub struct Deps {
    /// The conversations; the flow engine's voice too.
    pub conversations: Arc<Conversations>,
    /// The log and the rows beside it.
    pub store: store::Store,
    /// The runs.
    pub engine: flow::Engine,
    /// The systems, for showing them.
    pub systems: port::Systems,
    /// Their guards.
    pub control: Arc<dyn Control>,
    /// Who may do what.
    pub auth: Auth,
    /// How much of everything.
    pub limits: Limits,
    /// Metrics and health, as made elsewhere.
    pub pages: Vec<Page>,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// The dice.
    pub entropy: Arc<dyn Entropy>,
}

/// What handlers see. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inside>);

impl std::ops::Deref for Gate {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

pub(crate) struct Inside {
    conversations: Arc<Conversations>,
    store: store::Store,
    engine: flow::Engine,
    systems: port::Systems,
    control: Arc<dyn Control>,
    auth: Auth,
    limits: Limits,
    turns: turn::Turns,
    buckets: rate::Buckets,
    subscriptions: Arc<Semaphore>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Differs each time the server starts, so that what an earlier run left unfinished is known as such.
    incarnation: Arc<str>,
    stop: watch::Sender<bool>,
}

impl Gate {
    fn new(deps: Deps) -> (Self, Vec<Page>) {
        let inside = Inside {
            conversations: deps.conversations,
            store: deps.store,
            engine: deps.engine,
            systems: deps.systems,
            control: deps.control,
            auth: deps.auth,
            turns: turn::Turns::new(&deps.limits, deps.observer.clone()),
            buckets: rate::Buckets::new(&deps.limits),
            subscriptions: Arc::new(Semaphore::new(deps.limits.subscriptions)),
            limits: deps.limits,
            observer: deps.observer,
            clock: deps.clock,
            incarnation: format!("{:016x}", deps.entropy.bits()).into(),
            entropy: deps.entropy,
            stop: watch::Sender::new(false),
        };
        (Self(Arc::new(inside)), deps.pages)
    }
}

impl Inside {
    /// Until when what happened now is remembered.
    fn remembered(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.limits.keys).unwrap_or(Timestamp::MAX)
    }
}

/// The router, for tests and for whoever brings their own server.
pub fn router(deps: Deps) -> Router {
    let (gate, pages) = Gate::new(deps);
    routed(gate, pages)
}

/// Serves on `listener` until the handle is told to drain.
///
/// # Errors
/// When the listener is not loopback and there is no authentication, or its address cannot be read.
pub fn serve(listener: TcpListener, deps: Deps) -> io::Result<Handle> {
    let address = listener.local_addr()?;
    deps.auth.may_serve(address).map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why))?;
    if matches!(deps.auth, Auth::Loopback) {
        tracing::warn!(%address, "serving loopback without authentication: everyone on this machine may do everything");
    }
    let (gate, pages) = Gate::new(deps);
    let (limits, stop) = (gate.limits.clone(), gate.stop.clone());
    serve::start(listener, routed(gate, pages), &limits, stop)
}

/// Serves only the operators' pages, on a port of their own.
///
/// # Errors
/// When the listener's address cannot be read.
pub fn serve_pages(listener: TcpListener, pages: Vec<Page>, limits: &Limits) -> io::Result<Handle> {
    let router = page::mount(Router::new(), pages).fallback(unknown);
    serve::start(listener, router, limits, watch::Sender::new(false))
}

fn routed(gate: Gate, pages: Vec<Page>) -> Router {
    let document: Arc<str> = openapi::document(&routes::all(), &pages).to_string().into();
    let mut router = Router::new();
    for (path, routes) in routes::by_path() {
        let gate = gate.clone();
        router = router.route(
            path,
            any(move |request: Request| {
                defect::caught(request.uri().clone(), door::enter(gate.clone(), routes, request))
            }),
        );
    }
    let described = any(move || async move { openapi::answer(&document) });
    page::mount(router.route(openapi::PATH, described), pages).fallback(unknown)
}

async fn unknown(request: Request) -> axum::response::Response {
    Problem::new(Code::RouteUnknown).into_response_at(Some(request.uri().path()))
}
