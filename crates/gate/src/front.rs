//! What holds for every request, whatever its path: it names one host and one origin, and a connection that will be
//! closed after the answer is announced.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, HOST, ORIGIN};
use http::{HeaderValue, Version};
use http_body::{Body as _, Frame, SizeHint};

use crate::{Code, Problem};

/// Puts the front before everything that the router serves.
pub(crate) fn before(router: Router) -> Router {
    router.layer(from_fn(pass))
}

async fn pass(request: Request, next: Next) -> Response {
    // HTTP/2 has no connection of its own for a request.
    let announces = request.version() <= Version::HTTP_11 && !request.body().is_end_stream();
    if !announces {
        return passed(request, next).await;
    }
    let left = Arc::new(AtomicBool::new(false));
    let watched = left.clone();
    let request = request.map(|body| Body::new(Watched { body, ended: false, left: watched }));
    let mut response = passed(request, next).await;
    if left.load(Ordering::Relaxed) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn passed(request: Request, next: Next) -> Response {
    match one_place(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Refuses what a proxy before us may read the other way (RFC 9112 §3.2, RFC 9113 §8.3.1).
fn one_place(request: &Request) -> Result<(), Problem> {
    let headers = request.headers();
    for name in [HOST, ORIGIN] {
        if headers.get_all(&name).iter().nth(1).is_some() {
            return Err(Problem::because(Code::HeaderInvalid, format!("{name}: expected one line of it")));
        }
    }
    match (request.uri().authority(), headers.get(HOST)) {
        (Some(named), Some(host)) if !host.as_bytes().eq_ignore_ascii_case(named.as_str().as_bytes()) => {
            Err(Problem::because(Code::HeaderInvalid, "host: expected the host of the request line"))
        }
        _ => Ok(()),
    }
}

/// A body that says when it is dropped before its end: then the connection cannot be used again.
struct Watched {
    body: Body,
    ended: bool,
    left: Arc<AtomicBool>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.ended = frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.left.store(true, Ordering::Relaxed);
        }
    }
}
