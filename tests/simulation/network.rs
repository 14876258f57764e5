//! Simulated TCP for the server and for the streams.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, future::BoxFuture};
use smart_stream_tui::{
    simulator::server::Connection,
    stream::machine::{ByteStream, Dial},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use turmoil::net::{TcpListener, TcpStream};

/// One end of a simulated connection.
pub(crate) struct Simulated(TcpStream);

impl Connection for Simulated {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    // The simulated network resets a connection that is dropped with bytes unread, and closes it else.
    fn end_by_reset(&self) {}
}

impl AsyncRead for Simulated {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Simulated {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// The connections that clients open to this port.
pub(crate) async fn clients(port: u16) -> io::Result<impl Stream<Item = io::Result<Simulated>> + Send + Unpin> {
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    Ok(Box::pin(futures_util::stream::unfold(listener, |listener| async move {
        let accepted = listener.accept().await.map(|(stream, _)| Simulated(stream));
        Some((accepted, listener))
    })))
}

/// Opens connections in the simulation.
pub(crate) fn dial() -> Dial {
    Dial::new(|uri| -> BoxFuture<'static, io::Result<Box<dyn ByteStream>>> {
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().to_owned();
            let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(80))).await?;
            Ok(Box::new(Simulated(stream)) as Box<dyn ByteStream>)
        })
    })
}
