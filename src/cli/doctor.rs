//! `doctor`: what an endpoint says of itself, without spending a subscription.

use super::{failure::Failure, process};
use crate::{
    config::{Config, Source},
    stream::probe::{Finding, Verdict, probe},
};

/// Asks and prints.
pub(super) fn run(config: &Config) -> Result<(), Failure> {
    let Some(endpoint) = config.endpoints().into_iter().next() else {
        return Err(Failure::usage(
            "no endpoint is configured, so there is nothing to check: give --endpoint URL, set SMART_STREAM_ENDPOINT, or \
             put it into the file that `smart-stream-tui config path` names",
        ));
    };
    let settings = config.streams(Source::Live, endpoint);
    let findings = process::runtime()?.block_on(probe(&settings));
    let (mut refused, mut bad) = (None, None);
    for Finding { about, verdict, text } in &findings {
        let mark = match verdict {
            Verdict::Good => "ok",
            Verdict::Note => "note",
            Verdict::Bad | Verdict::TokenRefused => "fail",
        };
        println!("{mark:<4} {about:<14} {text}");
        match verdict {
            Verdict::TokenRefused => refused = Some(text.clone()),
            Verdict::Bad => bad = Some(format!("{about}: {text}")),
            Verdict::Good | Verdict::Note => {}
        }
    }
    match (refused, bad) {
        (Some(why), _) => Err(Failure::Token(why)),
        (None, Some(why)) => Err(Failure::runtime(format!(
            "{} does not answer as it should: {why}; check the URL and the network",
            settings.endpoint.host
        ))),
        (None, None) => Ok(()),
    }
}
