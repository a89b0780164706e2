//! A defect of ours ends one request, not the server: a handler that panics answers as a problem.

use std::panic::AssertUnwindSafe;

use axum::response::Response;
use futures_util::FutureExt;
use http::Uri;

use crate::{Code, Problem};

/// The answer, or a problem when making it panics. What the panic says goes to the process's panic hook only.
pub(crate) async fn caught(uri: Uri, answer: impl Future<Output = Response>) -> Response {
    // Nothing half done is seen again: what a handler changes in memory it takes out first, and a batch is whole.
    if let Ok(response) = AssertUnwindSafe(answer).catch_unwind().await {
        return response;
    }
    tracing::error!(path = uri.path(), "a handler panicked");
    Problem::new(Code::Internal).into_response_at(Some(uri.path()))
}
