//! A second stream beside the live one, for what a server replays at the beginning of a stream only.

use std::{
    future::{pending, poll_fn},
    pin::Pin,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream as _, future::BoxFuture};
use tokio::sync::mpsc;
use tonic::{Streaming, transport::Channel};

use super::{
    StreamSettings, channel,
    connection::{Call, clean_end, failed, failure_of},
    gate::Permit,
    policy::{Failure, Phase},
};
use crate::chain::proto::SubscribeRequest;

type Opened = (mpsc::Sender<SubscribeRequest>, Streaming<Bytes>);

/// The stream; dropped, it ends.
pub(super) enum SecondStream {
    /// The call is on its way.
    Opening(BoxFuture<'static, Result<Opened, Failure>>),
    /// Its frames come, while the request side stays open.
    Open { stream: Pin<Box<Streaming<Bytes>>>, _requests: mpsc::Sender<SubscribeRequest> },
}

impl SecondStream {
    /// Calls the server, on the connection of the live stream. The permit is that of a new stream.
    pub(super) fn open(
        settings: Arc<StreamSettings>,
        channel: Channel,
        request: SubscribeRequest,
        call: Call,
        permit: Option<Permit>,
    ) -> Self {
        Self::Opening(Box::pin(async move {
            let permit = permit.map(Permit::sent);
            let opened = channel::subscribe(&settings, channel, request, call.zstd, call.max_message).await;
            if let Some(permit) = permit
                && opened.as_ref().err().is_none_or(channel::OpenError::is_servers)
            {
                permit.complete();
            }
            opened.map_err(|error| failed(Phase::Headers, error))
        }))
    }

    async fn frame(&mut self) -> Result<Bytes, Failure> {
        loop {
            match self {
                Self::Opening(call) => {
                    let (requests, stream) = call.await?;
                    *self = Self::Open { stream: Box::pin(stream), _requests: requests };
                }
                Self::Open { stream, .. } => {
                    return match poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
                        Some(Ok(frame)) => Ok(frame),
                        Some(Err(status)) => Err(failure_of(Phase::Stream, &status)),
                        None => Err(clean_end()),
                    };
                }
            }
        }
    }
}

/// The next frame of a second stream, if there is one.
pub(super) async fn next(second: &mut Option<SecondStream>) -> Result<Bytes, Failure> {
    match second {
        Some(second) => second.frame().await,
        None => pending().await,
    }
}
