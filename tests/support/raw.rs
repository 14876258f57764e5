//! What no well-behaved server does: a proxy that ends within a message, and an HTTP/2 server that answers in any way.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "shared by tests, none of which uses all")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use h2::{Reason, server};
use http::{Response, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Stops what it runs when it is dropped.
pub(crate) struct Running {
    address: SocketAddr,
    calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests that arrived.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A proxy that ends its first connection properly (FIN) after so many bytes to the client, wherever they end.
pub(crate) async fn cutter(service: SocketAddr, bytes: u64) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let task = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let limit = if counted.fetch_add(1, Ordering::Relaxed) == 0 { bytes } else { u64::MAX };
            let mut server = TcpStream::connect(service).await.unwrap();
            tokio::spawn(async move {
                let (mut from_client, mut to_client) = client.split();
                let (from_server, mut to_server) = server.split();
                let mut limited = from_server.take(limit);
                tokio::select! {
                    // What fails here is a connection that was broken off: the test sees it at the client.
                    _ = copy(&mut limited, &mut to_client) => {}
                    _ = copy(&mut from_client, &mut to_server) => {}
                }
                let _ = to_client.shutdown().await;
            });
        }
    });
    Running { address, calls, task }
}

/// How the HTTP/2 server answers every call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// With this HTTP status and no gRPC at all.
    Http(u16),
    /// `RST_STREAM` instead of headers.
    Reset(Reason),
    /// `RST_STREAM` after proper headers.
    ResetLater(Reason),
    /// It lets nobody open a stream.
    NoStreams,
    /// A small zstd message that would be this many bytes.
    Bomb(u64),
}

pub(crate) async fn answers(answer: Answer) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let task = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut builder = server::Builder::new();
                if matches!(answer, Answer::NoStreams) {
                    builder.max_concurrent_streams(0);
                }
                let Ok(mut connection) = builder.handshake::<_, bytes::Bytes>(socket).await else { return };
                while let Some(Ok((_request, mut respond))) = connection.accept().await {
                    counted.fetch_add(1, Ordering::Relaxed);
                    match answer {
                        Answer::Http(status) => {
                            let status = StatusCode::from_u16(status).unwrap();
                            let response = Response::builder().status(status).header("content-type", "text/html");
                            // The client may have given up.
                            let _ = respond.send_response(response.body(()).unwrap(), true);
                        }
                        Answer::Reset(reason) => respond.send_reset(reason),
                        Answer::ResetLater(reason) => {
                            let response = Response::builder().header("content-type", "application/grpc");
                            if let Ok(mut body) = respond.send_response(response.body(()).unwrap(), false) {
                                body.send_reset(reason);
                            }
                        }
                        Answer::NoStreams => {}
                        Answer::Bomb(bytes) => {
                            let packed = zstd::encode_all(std::io::Read::take(std::io::repeat(0), bytes), 1).unwrap();
                            let mut message = vec![1];
                            message.extend(u32::try_from(packed.len()).unwrap().to_be_bytes());
                            message.extend(packed);
                            let response = Response::builder()
                                .header("content-type", "application/grpc")
                                .header("grpc-encoding", "zstd");
                            if let Ok(mut body) = respond.send_response(response.body(()).unwrap(), false) {
                                // The client may have given up.
                                let _ = body.send_data(message.into(), false);
                                // Open until the client has enough of it.
                                tokio::spawn(async move { std::future::poll_fn(|cx| body.poll_reset(cx)).await });
                            }
                        }
                    }
                }
            });
        }
    });
    Running { address, calls, task }
}
