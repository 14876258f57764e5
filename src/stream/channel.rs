//! Socket to stream: the Yellowstone client's endpoint with our own settings, and the Subscribe call with our codec.

use std::{error::Error, time::Duration};

use bytes::Bytes;
use http::uri::PathAndQuery;
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Request, Status, Streaming,
    client::Grpc,
    codec::CompressionEncoding,
    metadata::AsciiMetadataValue,
    transport::{Channel, ClientTlsConfig},
};
use yellowstone_grpc_client::GeyserGrpcBuilder;
use yellowstone_grpc_proto::geyser::{SubscribeReplayInfoRequest, geyser_client::GeyserClient};

use super::{StreamSettings, codec::RawCodec, machine::Network};
use crate::chain::proto::SubscribeRequest;

/// Full name of the call.
const SUBSCRIBE: PathAndQuery = PathAndQuery::from_static("/geyser.Geyser/Subscribe");
/// Requests that may wait to be written.
const REQUESTS: usize = 8;

/// Why there is no stream.
#[derive(Debug)]
pub(super) enum OpenError {
    /// The server's answer, or tonic's.
    Status(Status),
    /// Our own finding, with the code that fits it.
    Other(Code, String),
}

impl OpenError {
    /// Whether the server gave this answer: what tonic makes up itself has a cause.
    pub(super) fn is_servers(&self) -> bool {
        matches!(self, Self::Status(status) if std::error::Error::source(status).is_none())
    }
}

/// Connects: TCP, TLS where the URL says so, HTTP/2.
pub(super) async fn connect(
    settings: &StreamSettings,
    network: &Network,
    keepalive: Duration,
) -> Result<Channel, OpenError> {
    let refuse = |message: String| OpenError::Other(Code::Unavailable, message);
    let builder = GeyserGrpcBuilder::from_shared(settings.endpoint.url.clone())
        .map_err(|error| refuse(format!("the endpoint is not usable: {error}")))?;
    // The builder turns the adaptive window on, which would set both windows back to 65,535 bytes.
    let mut endpoint = builder
        .endpoint
        .http2_adaptive_window(false)
        .initial_stream_window_size(settings.window_bytes)
        .initial_connection_window_size(settings.window_bytes)
        .http2_keep_alive_interval(keepalive)
        .keep_alive_timeout(settings.keepalive_timeout)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .connect_timeout(settings.connect_timeout);
    if settings.endpoint.url.starts_with("https") {
        endpoint = endpoint
            .tls_config(ClientTlsConfig::new().with_native_roots())
            .map_err(|error| refuse(format!("TLS: {}", chain_of(&error))))?;
    }
    let connected = async {
        match network {
            Network::Tcp => endpoint.connect().await,
            Network::Own(dial) => endpoint.connect_with_connector(dial.clone()).await,
        }
    };
    match tokio::time::timeout(settings.connect_timeout, connected).await {
        Ok(connected) => connected.map_err(|error| refuse(chain_of(&error))),
        Err(_) => Err(refuse(format!("not connected after {:?}", settings.connect_timeout))),
    }
}

/// Subscribes; the sender writes further requests on the stream.
pub(super) async fn subscribe(
    settings: &StreamSettings,
    channel: Channel,
    first: SubscribeRequest,
    zstd: bool,
    max_message_bytes: usize,
) -> Result<(mpsc::Sender<SubscribeRequest>, Streaming<Bytes>), OpenError> {
    let mut grpc = Grpc::new(channel).max_decoding_message_size(max_message_bytes);
    if zstd {
        grpc = grpc.accept_compressed(CompressionEncoding::Zstd);
    }
    let (requests, queue) = mpsc::channel(REQUESTS);
    if requests.try_send(first).is_err() {
        return Err(OpenError::Other(Code::Internal, "the request queue is closed".to_owned()));
    }
    let mut request = Request::new(ReceiverStream::new(queue));
    authorize(settings, &mut request)?;
    let call = async {
        grpc.ready().await.map_err(|error| OpenError::Other(Code::Unavailable, chain_of(&error)))?;
        grpc.streaming(request, SUBSCRIBE, RawCodec).await.map_err(OpenError::Status)
    };
    match tokio::time::timeout(settings.subscribe_timeout, call).await {
        Ok(answer) => Ok((requests, answer?.into_inner())),
        Err(_) => {
            Err(OpenError::Other(Code::DeadlineExceeded, format!("no answer after {:?}", settings.subscribe_timeout)))
        }
    }
}

/// The oldest slot that can be replayed, by the server's own word; `None` when it has no replay.
pub(super) async fn replay_info(settings: &StreamSettings, channel: Channel) -> Result<Option<u64>, OpenError> {
    let mut request = Request::new(SubscribeReplayInfoRequest {});
    authorize(settings, &mut request)?;
    let mut client = GeyserClient::new(channel);
    match tokio::time::timeout(settings.subscribe_timeout, client.subscribe_replay_info(request)).await {
        Ok(answer) => Ok(answer.map_err(OpenError::Status)?.into_inner().first_available),
        Err(_) => {
            Err(OpenError::Other(Code::DeadlineExceeded, format!("no answer after {:?}", settings.subscribe_timeout)))
        }
    }
}

/// Adds the token, marked as secret.
fn authorize<T>(settings: &StreamSettings, request: &mut Request<T>) -> Result<(), OpenError> {
    if let Some(token) = &settings.endpoint.x_token {
        let mut value = AsciiMetadataValue::try_from(token.expose_secret()).map_err(|_| {
            OpenError::Other(Code::Unauthenticated, "the token has characters no header may have".into())
        })?;
        value.set_sensitive(true);
        request.metadata_mut().insert("x-token", value);
    }
    Ok(())
}

/// An error with its sources: the outermost one alone rarely says what happened.
fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}
