//! A body that is sent piece by piece.

use axum::body::Body;
use hyper::body::{Bytes, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::Receiver;

struct Stream(Receiver<Bytes>);

/// Ends when nobody sends any more. Dropped with its connection: sending then fails.
pub(crate) fn stream(pieces: Receiver<Bytes>) -> Body {
    Body::new(Stream(pieces))
}

impl hyper::body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
