//! Asks an endpoint about itself with unary calls alone: no subscription is spent.

use std::time::{Duration, Instant, SystemTime};

use secrecy::ExposeSecret;
use tonic::{
    Code, Request, Response, Status,
    metadata::{AsciiMetadataValue, MetadataMap},
};
use yellowstone_grpc_proto::geyser::{
    GetSlotRequest, GetVersionRequest, PingRequest, SubscribeReplayInfoRequest, geyser_client::GeyserClient,
};

use super::{
    StreamSettings,
    channel::{self, OpenError},
    machine::Network,
};
use crate::chain::text::Shown;

/// Clocks that differ by more than this make latencies wrong. The server's clock is told in whole seconds.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was asked.
    pub about: &'static str,
    /// How that is.
    pub verdict: Verdict,
    /// In words.
    pub text: String,
}

/// How a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Not known, or not as good as it could be; streaming works all the same.
    Note,
    /// Streaming will not work.
    Bad,
    /// The token is refused.
    TokenRefused,
}

/// Asks everything there is to ask; stops where the rest would be pointless.
pub async fn probe(settings: &StreamSettings) -> Vec<Finding> {
    let mut probe = Probe { findings: Vec::new() };
    // The findings tell whether it went to the end.
    let _ = probe.run(settings).await;
    probe.findings
}

struct Probe {
    findings: Vec<Finding>,
}

impl Probe {
    /// `None` when there is no point in going on.
    async fn run(&mut self, settings: &StreamSettings) -> Option<()> {
        let started = Instant::now();
        let channel = match channel::connect(settings, &Network::Tcp, settings.keepalive_interval).await {
            Ok(channel) => channel,
            Err(OpenError::Status(status)) => return self.stop("connection", Verdict::Bad, said(&status)),
            Err(OpenError::Other(_, why)) => return self.stop("connection", Verdict::Bad, why),
        };
        let kind = if settings.endpoint.url.starts_with("https") { "TLS" } else { "plain text" };
        let took = started.elapsed().as_millis();
        self.note("connection", Verdict::Good, format!("{} in {took} ms, {kind}", settings.endpoint.host));

        let mut client = GeyserClient::new(channel).max_decoding_message_size(settings.max_message_bytes);
        let version = ask(settings, GetVersionRequest {}, |request| client.get_version(request)).await;
        if let Some(status) = version.as_ref().err().filter(|status| status.code() == Code::Unauthenticated) {
            return self.stop("token", Verdict::TokenRefused, said(status));
        }
        let token = if settings.endpoint.x_token.is_some() { "accepted" } else { "none set, none asked for" };
        if version.is_ok() {
            self.note("token", Verdict::Good, token.to_owned());
        }
        match &version {
            Ok(answer) => {
                self.note("version", Verdict::Good, Shown::from_message(&answer.get_ref().version).to_string());
                self.clock(answer.metadata());
            }
            Err(status) => self.unanswered("version", status)?,
        }

        let started = Instant::now();
        match ask(settings, PingRequest { count: 1 }, |request| client.ping(request)).await {
            Ok(_) => self.note("round trip", Verdict::Good, format!("{} ms", started.elapsed().as_millis())),
            Err(status) => self.unanswered("round trip", &status)?,
        }
        let request = GetSlotRequest { commitment: Some(settings.commitment) };
        let slot = match ask(settings, request, |request| client.get_slot(request)).await {
            Ok(answer) => {
                let slot = answer.get_ref().slot;
                self.note("slot", Verdict::Good, slot.to_string());
                Some(slot)
            }
            Err(status) => {
                self.unanswered("slot", &status)?;
                None
            }
        };
        match ask(settings, SubscribeReplayInfoRequest {}, |request| client.subscribe_replay_info(request)).await {
            Ok(answer) => match (answer.get_ref().first_available, slot) {
                (Some(first), Some(slot)) => {
                    let text = format!("{} slots, from {first}", slot.saturating_sub(first));
                    self.note("replay window", Verdict::Good, text);
                }
                (Some(first), None) => self.note("replay window", Verdict::Good, format!("from {first}")),
                (None, _) => {
                    let text = "off: what is missed in an outage is lost, and will be declared".to_owned();
                    self.note("replay window", Verdict::Note, text);
                }
            },
            Err(status) => self.unanswered("replay window", &status)?,
        }
        Some(())
    }

    fn note(&mut self, about: &'static str, verdict: Verdict, text: String) {
        self.findings.push(Finding { about, verdict, text });
    }

    fn stop(&mut self, about: &'static str, verdict: Verdict, text: String) -> Option<()> {
        self.note(about, verdict, text);
        None
    }

    /// A call that failed; `None` when the next one would too.
    fn unanswered(&mut self, about: &'static str, status: &Status) -> Option<()> {
        match status.code() {
            // A server may have its unary calls disabled and stream all the same.
            Code::Unimplemented | Code::Internal => {
                self.note(about, Verdict::Note, said(status));
                Some(())
            }
            Code::Unauthenticated => self.stop(about, Verdict::TokenRefused, said(status)),
            _ => self.stop(about, Verdict::Bad, said(status)),
        }
    }

    fn clock(&mut self, answer: &MetadataMap) {
        let date = answer.get("date").and_then(|date| date.to_str().ok());
        let Some(server) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
            return self.note("clock", Verdict::Note, "the server does not tell its time".to_owned());
        };
        let now = SystemTime::now();
        let apart = now.duration_since(server).or_else(|_| server.duration_since(now)).unwrap_or_default();
        let (verdict, text) = if apart > CLOCK_TOLERANCE {
            (Verdict::Note, format!("differs from the server's by {} s: latencies will be wrong", apart.as_secs()))
        } else {
            (Verdict::Good, "agrees with the server's within 2 s".to_owned())
        };
        self.note("clock", verdict, text);
    }
}

/// A call with token and deadline.
async fn ask<Q, A, F: Future<Output = Result<Response<A>, Status>>>(
    settings: &StreamSettings,
    question: Q,
    call: impl FnOnce(Request<Q>) -> F,
) -> Result<Response<A>, Status> {
    let mut request = Request::new(question);
    if let Some(token) = &settings.endpoint.x_token {
        let mut value = AsciiMetadataValue::try_from(token.expose_secret())
            .map_err(|_| Status::unauthenticated("the token has characters no header may have"))?;
        value.set_sensitive(true);
        request.metadata_mut().insert("x-token", value);
    }
    let timed_out = |_| Status::deadline_exceeded(format!("no answer after {:?}", settings.subscribe_timeout));
    tokio::time::timeout(settings.subscribe_timeout, call(request)).await.map_err(timed_out)?
}

/// A status in words, what the server wrote made safe.
fn said(status: &Status) -> String {
    let text = Shown::from_message(status.message());
    if text.as_str().is_empty() { format!("{:?}", status.code()) } else { format!("{:?}: {text}", status.code()) }
}
