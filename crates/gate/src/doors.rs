//! Where the gate can be entered: by everybody, and by operators at an address and on a thread of their own.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::any;
use tokio::net::TcpListener;

use crate::auth::Whose;
use crate::page::{self, Page};
use crate::route::{Route, whose};
use crate::serve::{start, start_apart};
use crate::{Auth, Code, Deps, Gate, Handle, Limits, Problem, defect, door, front, openapi, routes};

/// Connections at once to the operators' door: people, probes and a scraper, not crowds.
const OPERATORS: usize = 256;

/// What is served.
pub struct Doors {
    /// Everybody's.
    pub main: Handle,
    /// The operators' own. It can be drained last, so that a drain can be watched.
    pub operators: Option<Handle>,
}

/// A path and what can be asked there.
type Path = (&'static str, &'static [&'static Route]);

/// The router, for tests and for whoever brings their own server.
pub fn router(deps: Deps) -> Router {
    let (gate, pages) = Gate::new(deps);
    routed(&gate, routes::by_path(), pages)
}

/// Serves on `listener` until its handle is told to drain. With `operators` the pages, and what operators ask, are
/// served there too, by a thread that does nothing else; the pages then only there.
///
/// # Errors
/// When the listener is not loopback and there is no authentication, or an address cannot be read, or there is no thread.
pub fn serve(listener: TcpListener, operators: Option<StdListener>, deps: Deps) -> io::Result<Doors> {
    let address = listener.local_addr()?;
    deps.auth.may_serve(address).map_err(|why| io::Error::new(io::ErrorKind::PermissionDenied, why))?;
    if matches!(deps.auth, Auth::Loopback) {
        tracing::warn!(%address, "serving loopback without authentication: everyone on this machine may do everything");
    }
    let (gate, mut pages) = Gate::new(deps);
    let operators = match operators {
        Some(listener) => Some(serve_operators(listener, &gate, std::mem::take(&mut pages))?),
        None => None,
    };
    let router = routed(&gate, routes::by_path(), pages);
    let main = start(listener, router, &gate.limits, gate.stop.clone())?;
    Ok(Doors { main, operators })
}

fn serve_operators(listener: StdListener, gate: &Gate, pages: Vec<Page>) -> io::Result<Handle> {
    let address = listener.local_addr()?;
    let gate = gate.beside(gate.limits.operators);
    let limits = Limits { connections: gate.limits.connections.min(OPERATORS), ..gate.limits.clone() };
    let served = start_apart(listener, apart(&gate, address, pages), &limits, gate.stop.clone())?;
    tracing::info!(%address, "serving operators");
    Ok(served)
}

/// The pages, and the operators' routes where somebody can be asked who they are.
fn apart(gate: &Gate, address: SocketAddr, pages: Vec<Page>) -> Router {
    let theirs = |(_, routes): &Path| whose(routes) == Whose::Operators;
    match gate.auth.may_serve(address) {
        Ok(()) => routed(gate, routes::by_path().filter(theirs), pages),
        Err(_) => {
            tracing::warn!(%address, "showing operators only pages: others can reach the address, and there is no `auth`");
            front::before(page::mount(Router::new(), pages).fallback(unknown))
        }
    }
}

fn routed(gate: &Gate, paths: impl Iterator<Item = Path>, pages: Vec<Page>) -> Router {
    let (mut router, mut all) = (Router::new(), Vec::new());
    for (path, routes) in paths {
        let gate = gate.clone();
        router = router.route(
            path,
            any(move |request: Request| {
                defect::caught(request.uri().clone(), door::enter(gate.clone(), routes, request))
            }),
        );
        all.extend_from_slice(routes);
    }
    let document: Arc<str> = openapi::document(&all, &pages).to_string().into();
    let described = any(move || async move { openapi::answer(&document) });
    let router = front::before(page::mount(router.route(openapi::PATH, described), pages).fallback(unknown));
    let gate = gate.clone();
    router.layer(from_fn(move |request: Request, next: Next| known_host(gate.clone(), request, next)))
}

/// Behind one door one rule holds for who may reach it: for pages, unknown paths and the description as for the API.
async fn known_host(gate: Gate, request: Request, next: Next) -> Response {
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    match gate.auth.may_see(request.headers(), authority.as_deref()) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            gate.observer.refused(problem.code.as_str());
            problem.into_response_at(Some(request.uri().path()))
        }
    }
}

async fn unknown(request: Request) -> Response {
    Problem::new(Code::RouteUnknown).into_response_at(Some(request.uri().path()))
}
