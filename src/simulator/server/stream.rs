//! The response side of one stream: a queue that the hub fills and the connection empties.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::Stream;
use tokio::sync::{mpsc, oneshot};
use tonic::Status;

use super::{
    frame::Frame,
    hub::{Hub, LOW_WATER},
};

/// How many frames wait in a queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Depth(Arc<AtomicUsize>);

impl Depth {
    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn grow(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the connection sends: dropping it closes the stream on the server.
pub(super) struct FrameStream {
    pub(super) id: u64,
    pub(super) subscriber: String,
    pub(super) frames: mpsc::UnboundedReceiver<Result<Frame, Status>>,
    pub(super) depth: Depth,
    pub(super) hub: Arc<Hub>,
    /// Dropped with the stream: tells the reader of requests to stop.
    pub(super) _alive: oneshot::Sender<()>,
}

impl Stream for FrameStream {
    type Item = Result<Frame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.frames.poll_recv(context);
        if matches!(polled, Poll::Ready(Some(Ok(_)))) && self.depth.0.fetch_sub(1, Ordering::Relaxed) == LOW_WATER {
            self.hub.wake_conductor();
        }
        polled
    }
}

impl Drop for FrameStream {
    fn drop(&mut self) {
        self.hub.gone(self.id, &self.subscriber);
    }
}
