//! `gate` is the one way in: it finds out who asks, lets them do what they may, takes acts, and answers.
//!
//! It decides nothing about what an act means (that is `react`), runs no step (`flow`), and knows no external system.

mod auth;
mod limits;
mod observer;
mod page;
mod problem;
mod serve;
mod systems;

use std::io;

use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use auth::{
    Algorithm, Auth, Error as AuthError, Key, Material, Permission, Permissions, Principal, Tokens,
};
pub use limits::{Limits, Rate};
pub use observer::{Nobody, Observer};
pub use page::{Page, Shown};
pub use problem::{Code, Problem};
pub use serve::Handle;
pub use systems::Control;

/// Serves only the operators' pages, on a port of their own.
///
/// # Errors
/// When the listener's address cannot be read.
pub fn serve_pages(listener: TcpListener, pages: Vec<Page>, limits: &Limits) -> io::Result<Handle> {
    let router = page::mount(Router::new(), pages).fallback(unknown);
    serve::start(listener, router, limits, watch::Sender::new(false))
}

async fn unknown(request: Request) -> axum::response::Response {
    Problem::new(Code::RouteUnknown).into_response_at(Some(request.uri().path()))
}
