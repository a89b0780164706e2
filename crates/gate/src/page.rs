//! Documents that other rooms of the house show through the gate: metrics, health. The gate knows only their names.

use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::any;
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode, Uri};

use crate::{Code, Problem, defect};

/// A document for operators, served without authentication.
pub struct Page {
    /// Where: `/metrics`.
    pub path: &'static str,
    /// What one sentence says it is, for the OpenAPI document.
    pub summary: &'static str,
    /// Makes it. It must answer quickly and may ask no external system.
    pub show: Box<Show>,
}

/// Makes a page, from the headers of the request for it.
pub type Show = dyn Fn(&HeaderMap) -> BoxFuture<'static, Shown> + Send + Sync;

/// A page as it looks now.
pub struct Shown {
    /// The HTTP status.
    pub status: u16,
    /// Its content type.
    pub content_type: &'static str,
    /// The document.
    pub body: String,
}

/// Adds the pages to a router. They answer GET and HEAD.
pub(crate) fn mount(router: Router, pages: Vec<Page>) -> Router {
    pages.into_iter().fold(router, |router, page| {
        let show = Arc::new(page.show);
        let handler = move |uri: Uri, method: Method, headers: HeaderMap| {
            let show = show.clone();
            let answer = async move {
                if method != Method::GET && method != Method::HEAD {
                    return Problem { allow: Some("GET, HEAD".into()), ..Problem::new(Code::RouteMethod) }
                        .into_response();
                }
                let shown = show(&headers).await;
                let status = StatusCode::from_u16(shown.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let headers = [(CONTENT_TYPE, shown.content_type), (CACHE_CONTROL, "no-store")];
                (status, headers, shown.body).into_response()
            };
            defect::caught(uri, answer)
        };
        router.route(page.path, any(handler))
    })
}
