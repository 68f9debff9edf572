//! Bodies that come slowly.

use super::clock;
use axum::body::Body;
use futures::StreamExt;
use std::{io, time::Duration};

/// The body, which breaks off where its next piece does not come within `patience`. However long the whole takes: a slow
/// phone sends slowly, but it sends.
pub fn patient(body: Body, patience: Duration) -> Body {
    let pieces = futures::stream::unfold(body.into_data_stream(), move |mut pieces| async move {
        let piece = match clock::within(patience, pieces.next()).await {
            Some(piece) => piece?.map_err(io::Error::other),
            None => Err(io::ErrorKind::TimedOut.into()),
        };
        Some((piece, pieces))
    });
    Body::from_stream(pieces)
}
