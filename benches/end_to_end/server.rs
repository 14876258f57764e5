//! A server that costs next to nothing: one HTTP/2 stream of messages that were encoded beforehand, on a thread of its own.
//!
//! Only what the client under test needs: settings, pings and flow control are answered, a second call is refused.

use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice},
    net::SocketAddr,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::{cpu_ns, feed::Feed};

const PREFACE: usize = 24;
const HEAD: usize = 9;
/// Most bytes of a frame, by the protocol's default.
const FRAME: usize = 16_384;
/// Bytes written in one go.
const BATCH: usize = 256 * 1024;
/// `:status: 200`, `content-type: application/grpc`.
const ANSWER: &[u8] = b"\x88\x0f\x10\x10application/grpc";
/// The same and `grpc-status: 12`.
const REFUSAL: &[u8] = b"\x88\x0f\x10\x10application/grpc\x00\x0bgrpc-status\x0212";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// How messages are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as the client takes them.
    Full,
    /// One every so often.
    Every(Duration),
}

/// A running server for one connection.
pub(crate) struct Server {
    pub(crate) url: String,
    thread: JoinHandle<f64>,
}

impl Server {
    /// Will send this many messages of the feed, then nothing until the client goes.
    pub(crate) fn start(feed: Arc<Feed>, count: u64, pace: Pace, tls: bool) -> Self {
        let listener = std::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        listener.set_nonblocking(true).unwrap();
        let scheme = if tls { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let (client, _) = TcpListener::from_std(listener).unwrap().accept().await.unwrap();
                client.set_nodelay(true).unwrap();
                let job = Job { feed: &feed, count, pace };
                // Whatever ends the connection ends the server: the client is what is looked at.
                let _ = if tls {
                    let stream = acceptor().accept(client).await.unwrap();
                    job.run(stream).await
                } else {
                    job.run(client).await
                };
                cpu_ns()
            })
        };
        let thread = std::thread::Builder::new().name("server".into()).spawn(serve).unwrap();
        Self { url, thread }
    }

    /// The processor time it took, in nanoseconds. To be called when the client is gone.
    pub(crate) fn join(self) -> f64 {
        self.thread.join().unwrap()
    }
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("key.pem")).unwrap();
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

struct Job<'a> {
    feed: &'a Feed,
    count: u64,
    pace: Pace,
}

/// What the reading half tells the writing one.
#[derive(Default)]
struct Talk {
    /// Bytes that may be sent on the connection, and on the stream.
    connection: Cell<i64>,
    stream: Cell<i64>,
    /// What a stream may send from its beginning.
    initial: Cell<i64>,
    /// The subscription.
    id: Cell<u32>,
    control: RefCell<Vec<u8>>,
    news: Notify,
}

impl Job<'_> {
    async fn run<S: AsyncRead + AsyncWrite>(&self, socket: S) -> io::Result<()> {
        let (reader, writer) = tokio::io::split(socket);
        let talk = Talk::default();
        talk.connection.set(65_535);
        talk.initial.set(65_535);
        // The client's end of the connection ends both.
        tokio::select! {
            done = read(reader, &talk) => done,
            done = self.write(writer, &talk) => done,
        }
    }

    async fn write<W: AsyncWrite + Unpin>(&self, mut socket: W, talk: &Talk) -> io::Result<()> {
        socket.write_all(&frame_head(0, SETTINGS, 0, 0)).await?;
        while talk.id.get() == 0 {
            wait(&mut socket, talk).await?;
        }
        let mut answer = frame_head(ANSWER.len(), HEADERS, 4, talk.id.get()).to_vec();
        answer.extend(ANSWER);
        socket.write_all(&answer).await?;
        let mut batch = Vec::with_capacity(BATCH * 2);
        let (mut sent, mut next) = (0, Instant::now());
        while sent < self.count {
            batch.clear();
            let least = if let Pace::Every(spacing) = self.pace {
                // The runtime's timer counts in milliseconds. Nothing else waits for this thread.
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
                next += spacing;
                1
            } else {
                BATCH
            };
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            while batch.len() < least && sent < self.count {
                self.feed.append(sent, now, &mut batch);
                sent += 1;
            }
            send(&mut socket, talk, &batch).await?;
        }
        loop {
            wait(&mut socket, talk).await?;
        }
    }
}

/// Writes what the reading half wants written, then waits for more of it.
async fn wait<W: AsyncWrite + Unpin>(socket: &mut W, talk: &Talk) -> io::Result<()> {
    flush(socket, talk).await?;
    talk.news.notified().await;
    flush(socket, talk).await
}

async fn flush<W: AsyncWrite + Unpin>(socket: &mut W, talk: &Talk) -> io::Result<()> {
    let control = std::mem::take(&mut *talk.control.borrow_mut());
    if control.is_empty() {
        return Ok(());
    }
    socket.write_all(&control).await?;
    socket.flush().await
}

/// Sends the bytes in frames, as the windows allow.
async fn send<W: AsyncWrite + Unpin>(socket: &mut W, talk: &Talk, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        flush(socket, talk).await?;
        let window = talk.connection.get().min(talk.stream.get());
        let length = bytes.len().min(usize::try_from(window).unwrap_or(0));
        if length == 0 {
            wait(socket, talk).await?;
            continue;
        }
        let (now, later) = bytes.split_at(length);
        let taken = i64::try_from(length).unwrap();
        talk.connection.set(talk.connection.get() - taken);
        talk.stream.set(talk.stream.get() - taken);
        let heads: Vec<_> = now.chunks(FRAME).map(|chunk| frame_head(chunk.len(), DATA, 0, talk.id.get())).collect();
        let parts = heads.iter().zip(now.chunks(FRAME)).flat_map(|(head, chunk)| [&head[..], chunk]);
        let mut slices: Vec<_> = parts.map(IoSlice::new).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let written = socket.write_vectored(rest).await?;
            IoSlice::advance_slices(&mut rest, written);
        }
        socket.flush().await?;
        bytes = later;
    }
    Ok(())
}

async fn read<R: AsyncRead + Unpin>(mut socket: R, talk: &Talk) -> io::Result<()> {
    let mut preface = [0; PREFACE];
    socket.read_exact(&mut preface).await?;
    let mut body = Vec::new();
    loop {
        let mut head = [0; HEAD];
        socket.read_exact(&mut head).await?;
        let [high, middle, low, kind, flags, id @ ..] = head;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        body.resize(length, 0);
        socket.read_exact(&mut body).await?;
        let id = u32::from_be_bytes(id) & 0x7fff_ffff;
        let mut control = talk.control.borrow_mut();
        match kind {
            SETTINGS if flags & 1 == 0 => {
                for setting in body.chunks_exact(6) {
                    if let [0, 4, value @ ..] = setting {
                        talk.initial.set(u32::from_be_bytes(value.try_into().unwrap()).into());
                    }
                }
                control.extend(frame_head(0, SETTINGS, 1, 0));
            }
            HEADERS if talk.id.get() == 0 => {
                talk.stream.set(talk.initial.get());
                talk.id.set(id);
            }
            HEADERS => {
                control.extend(frame_head(REFUSAL.len(), HEADERS, 5, id));
                control.extend(REFUSAL);
            }
            PING if flags & 1 == 0 => {
                control.extend(frame_head(8, PING, 1, 0));
                control.extend(&body);
            }
            WINDOW_UPDATE => {
                let more = i64::from(u32::from_be_bytes(body[..4].try_into().unwrap()));
                match id {
                    0 => talk.connection.set(talk.connection.get() + more),
                    id if id == talk.id.get() => talk.stream.set(talk.stream.get() + more),
                    _ => {}
                }
            }
            GOAWAY => return Ok(()),
            _ => {}
        }
        drop(control);
        talk.news.notify_one();
    }
}

fn frame_head(length: usize, kind: u8, flags: u8, id: u32) -> [u8; HEAD] {
    let [_, high, middle, low] = u32::try_from(length).unwrap().to_be_bytes();
    let [a, b, c, d] = id.to_be_bytes();
    [high, middle, low, kind, flags, a, b, c, d]
}
