//! Bodies that no handler read to their end. A client that sends one whole before it reads its answer would find the pipe broken
//! instead of the refusal, so what is left of the body is taken and thrown away beside the answer, within bounds.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header;
use futures::StreamExt;
use hyper::body::{Body as _, Frame, SizeHint};

use super::limits::{LEFTOVER_BYTES, LEFTOVER_TIMEOUT};

/// A request's body; what is not read of it by then is thrown away when it is dropped.
struct Leftover {
    body: Option<Body>,
    /// The client sends nothing before it is asked to, so there is nothing to take.
    waits: bool,
}

/// The request with a body whose rest is taken care of.
pub fn watched(request: Request) -> Request {
    let expects = request.headers().get(header::EXPECT);
    let waits = expects.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    request.map(|body| Body::new(Leftover { body: Some(body), waits }))
}

impl hyper::body::Body for Leftover {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        this.waits = false;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            this.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !self.waits && !body.is_end_stream()) else { return };
        // Outside the runtime the connection is gone as well.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LEFTOVER_TIMEOUT, thrown_away(body)));
        }
    }
}

/// Ends with the body, with its connection, or at the bound; then the connection is closed.
async fn thrown_away(body: Body) {
    let mut left = LEFTOVER_BYTES;
    let mut pieces = body.into_data_stream();
    while let Some(Ok(piece)) = pieces.next().await {
        match left.checked_sub(piece.len()) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
