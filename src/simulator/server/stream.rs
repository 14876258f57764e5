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
use tokio::{
    sync::{mpsc, oneshot},
    time::{Sleep, sleep_until},
};
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
    /// The number of its connection, where a fault plan has them counted.
    pub(super) connection: Option<usize>,
    /// The end of a stall.
    pub(super) stall: Option<Pin<Box<Sleep>>>,
    pub(super) frames: mpsc::UnboundedReceiver<Result<Frame, Status>>,
    pub(super) depth: Depth,
    pub(super) hub: Arc<Hub>,
    /// Dropped with the stream: tells the reader of requests to stop.
    pub(super) _alive: oneshot::Sender<()>,
}

impl FrameStream {
    /// Whether the fault plan has it keep silent; it is woken when that ends.
    fn is_stalled(&mut self, context: &mut Context<'_>) -> bool {
        let Some(faults) = &self.hub.faults else { return false };
        while let Some(until) = faults.stalled(self.connection) {
            let stall = self.stall.insert(Box::pin(sleep_until(until)));
            if stall.as_mut().poll(context).is_pending() {
                return true;
            }
        }
        self.stall = None;
        false
    }
}

impl Stream for FrameStream {
    type Item = Result<Frame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_stalled(context) {
            return Poll::Pending;
        }
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
