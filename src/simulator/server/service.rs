//! The gRPC service: token check, the subscribe call with its own codec, everything else through the generated server.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, Stream, StreamExt, future::BoxFuture, stream};
use prost_types::Timestamp;
use tokio::{
    select,
    sync::oneshot,
    time::{Instant, MissedTickBehavior, interval_at},
};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    codec::{CompressionEncoding, EnabledCompressionEncodings},
    server::{Grpc, NamedService, StreamingService},
};
use yellowstone_grpc_proto::geyser::{
    GetBlockHeightRequest, GetBlockHeightResponse, GetLatestBlockhashRequest, GetLatestBlockhashResponse,
    GetSlotRequest, GetSlotResponse, GetVersionRequest, GetVersionResponse, IsBlockhashValidRequest,
    IsBlockhashValidResponse, PingRequest, PongResponse, SubscribeDeshredRequest, SubscribeGossipRequest,
    SubscribeReplayInfoRequest, SubscribeReplayInfoResponse, SubscribeRequest, SubscribeUpdate, SubscribeUpdateDeshred,
    SubscribeUpdateGossip, SubscribeUpdatePing, SubscribeUpdatePong,
    geyser_server::{Geyser, GeyserServer},
    subscribe_update::UpdateOneof,
};

use super::{
    frame::{Frame, FrameCodec},
    hub::Hub,
    stream::FrameStream,
    unary,
};

/// Largest request read, as the open-source server has it.
const MAX_REQUEST_BYTES: usize = 4 << 20;

/// The service, mounted on the server's router.
#[derive(Clone)]
pub(super) struct Endpoint {
    service: Service,
    generated: GeyserServer<Service>,
}

impl Endpoint {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        let service = Service { hub };
        let generated = GeyserServer::new(service.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .send_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Zstd)
            .max_decoding_message_size(MAX_REQUEST_BYTES);
        Self { service, generated }
    }

    fn refuses(&self, request: &http::Request<Body>) -> Option<Status> {
        let token = self.service.hub.settings.x_token.as_ref()?;
        let given = request.headers().get("x-token");
        if given.is_some_and(|given| given.as_bytes() == token.as_bytes()) {
            return None;
        }
        let status = Status::unauthenticated("No valid auth token");
        self.service.hub.refused(&status);
        Some(status)
    }
}

impl NamedService for Endpoint {
    const NAME: &'static str = GeyserServer::<Service>::NAME;
}

impl tonic::codegen::Service<http::Request<Body>> for Endpoint {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        if let Some(status) = self.refuses(&request) {
            return Box::pin(async move { Ok(status.into_http()) });
        }
        if request.uri().path() != "/geyser.Geyser/Subscribe" {
            return self.generated.call(request);
        }
        let service = self.service.clone();
        Box::pin(async move {
            let mut encodings = EnabledCompressionEncodings::default();
            encodings.enable(CompressionEncoding::Gzip);
            encodings.enable(CompressionEncoding::Zstd);
            let mut grpc = Grpc::new(FrameCodec)
                .apply_compression_config(encodings, encodings)
                .apply_max_message_size_config(Some(MAX_REQUEST_BYTES), None);
            Ok(grpc.streaming(service, request).await)
        })
    }
}

/// What the calls do.
#[derive(Clone)]
pub(super) struct Service {
    hub: Arc<Hub>,
}

impl Service {
    fn open(&self, request: Request<Streaming<SubscribeRequest>>) -> Result<FrameStream, Status> {
        let subscriber = subscriber(&request);
        let hub = &self.hub;
        let (stream, gone) =
            hub.open(subscriber, request.remote_addr(), ping(hub.now())).inspect_err(|status| hub.refused(status))?;
        let reader = read(Arc::clone(hub), stream.id, request.into_inner(), gone, hub.settings.ping_interval);
        tokio::spawn(reader);
        Ok(stream)
    }
}

impl StreamingService<SubscribeRequest> for Service {
    type Response = Frame;
    type ResponseStream = FrameStream;
    type Future = BoxFuture<'static, Result<Response<FrameStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<SubscribeRequest>>) -> Self::Future {
        let opened = self.open(request);
        Box::pin(async move { opened.map(Response::new) })
    }
}

/// Who is counted by the limits: the token, else the subscription id it gives itself, else its address.
fn subscriber<T>(request: &Request<T>) -> String {
    let header = |name| request.metadata().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let address = || request.remote_addr().map(|address| address.ip().to_string());
    header("x-token").or_else(|| header("x-subscription-id")).or_else(address).unwrap_or_default()
}

fn ping(created_at: Timestamp) -> Frame {
    Frame::bare(UpdateOneof::Ping(SubscribeUpdatePing {}), created_at)
}

/// Reads a stream's requests and sends its pings until the stream is gone.
async fn read(
    hub: Arc<Hub>,
    id: u64,
    mut requests: Streaming<SubscribeRequest>,
    mut gone: oneshot::Receiver<()>,
    ping_interval: Duration,
) {
    let mut pings = interval_at(Instant::now() + ping_interval, ping_interval);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut half_closed = false;
    loop {
        let mut received = select! {
            biased;
            _ = &mut gone => return,
            _ = pings.tick() => {
                hub.send(id, ping(hub.now()));
                continue;
            }
            received = requests.message(), if !half_closed => received,
        };
        // Of the requests that wait already, only the last takes effect.
        let mut last = None;
        loop {
            match received {
                Ok(Some(SubscribeRequest { ping: Some(ping), .. })) => {
                    let pong = UpdateOneof::Pong(SubscribeUpdatePong { id: ping.id });
                    hub.send(id, Frame::bare(pong, hub.now()));
                }
                Ok(Some(request)) => last = Some(request),
                Ok(None) => {
                    half_closed = true;
                    break;
                }
                // Too large a request or a broken connection: the stream ends without a word.
                Err(_) => return hub.end_stream(id, None),
            }
            match requests.message().now_or_never() {
                Some(next) => received = next,
                None => break,
            }
        }
        if let Some(request) = last {
            hub.apply(id, request);
        }
    }
}

#[tonic::async_trait]
impl Geyser for Service {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<SubscribeUpdate, Status>> + Send>>;

    /// For whoever mounts the generated server; [`Endpoint`] answers this call without building the messages again.
    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let frames = self.open(request)?;
        Ok(Response::new(Box::pin(frames.map(|frame| frame.and_then(|frame| frame.decode())))))
    }

    type SubscribeDeshredStream = stream::Empty<Result<SubscribeUpdateDeshred, Status>>;

    async fn subscribe_deshred(
        &self,
        _: Request<Streaming<SubscribeDeshredRequest>>,
    ) -> Result<Response<Self::SubscribeDeshredStream>, Status> {
        Err(Status::unimplemented(""))
    }

    type SubscribeGossipStream = stream::Empty<Result<SubscribeUpdateGossip, Status>>;

    async fn subscribe_gossip(
        &self,
        _: Request<SubscribeGossipRequest>,
    ) -> Result<Response<Self::SubscribeGossipStream>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn subscribe_replay_info(
        &self,
        _: Request<SubscribeReplayInfoRequest>,
    ) -> Result<Response<SubscribeReplayInfoResponse>, Status> {
        Ok(unary::replay_info(&self.hub))
    }

    async fn ping(&self, request: Request<PingRequest>) -> Result<Response<PongResponse>, Status> {
        Ok(Response::new(PongResponse { count: request.get_ref().count }))
    }

    async fn get_latest_blockhash(
        &self,
        request: Request<GetLatestBlockhashRequest>,
    ) -> Result<Response<GetLatestBlockhashResponse>, Status> {
        unary::latest_blockhash(&self.hub, request.get_ref().commitment)
    }

    async fn get_block_height(
        &self,
        request: Request<GetBlockHeightRequest>,
    ) -> Result<Response<GetBlockHeightResponse>, Status> {
        unary::block_height(&self.hub, request.get_ref().commitment)
    }

    async fn get_slot(&self, request: Request<GetSlotRequest>) -> Result<Response<GetSlotResponse>, Status> {
        unary::slot(&self.hub, request.get_ref().commitment)
    }

    async fn is_blockhash_valid(
        &self,
        request: Request<IsBlockhashValidRequest>,
    ) -> Result<Response<IsBlockhashValidResponse>, Status> {
        unary::is_blockhash_valid(&self.hub, &request)
    }

    async fn get_version(&self, _: Request<GetVersionRequest>) -> Result<Response<GetVersionResponse>, Status> {
        Ok(Response::new(GetVersionResponse { version: self.hub.settings.version.clone() }))
    }
}
