//! What an endpoint may look like. A URL that is refused is never repeated: it may hold a token.

use std::{fmt, net::IpAddr, sync::Arc};

use http::Uri;

/// Longest URL looked at, in bytes.
const MAX_URL: usize = 512;

/// A checked endpoint: no path, no query, no user, a port that can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    tls: bool,
    /// In lower case; an IPv6 address in brackets.
    host: String,
    port: u16,
}

/// Why an endpoint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadEndpoint {
    /// What is wrong.
    pub(super) why: &'static str,
    /// What to do.
    pub(super) mend: &'static str,
}

impl BadEndpoint {
    /// The same endpoint again.
    pub(super) const TWICE: Self = bad("it is in the list twice", "name it once");
    /// Clear text to another machine.
    pub(super) const CLEAR_TEXT: Self = bad(
        "http:// to another machine sends everything, the token too, in clear text",
        "use https://, or --insecure if that is meant",
    );
}

const fn bad(why: &'static str, mend: &'static str) -> BadEndpoint {
    BadEndpoint { why, mend }
}

const SHAPE: &str = "write it as https://host or https://host:port";

/// Reads an endpoint.
pub(super) fn parse(text: &str) -> Result<Url, BadEndpoint> {
    if text.len() > MAX_URL {
        return Err(bad("the URL is too long", SHAPE));
    }
    let (_, rest) = text.split_once("://").ok_or(bad("it is not a URL", SHAPE))?;
    // Before anything else: whatever stands behind the first of these is no part of a host.
    let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if rest.contains('@') {
        return Err(bad(
            "a user name or token stands in the URL",
            "take it out and name a token with --x-token-file or SMART_STREAM_X_TOKEN",
        ));
    }
    if !matches!(tail, "" | "/") {
        return Err(bad("a path or query stands in the URL, and gRPC has none", SHAPE));
    }
    let uri: Uri = text.parse().map_err(|_| bad("it is not a URL", SHAPE))?;
    let tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(bad("it is neither https:// nor http://", SHAPE)),
    };
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    if !is_host(&host) {
        return Err(bad("the host is neither a name nor an address", SHAPE));
    }
    let port = match authority.get(host.len()..) {
        Some("") => {
            if tls {
                443
            } else {
                80
            }
        }
        // Not the parser's word for it: it takes a bad port for none.
        Some(port) => port
            .strip_prefix(':')
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|port| *port != 0)
            .ok_or(bad("the port is not one of 1 to 65535", SHAPE))?,
        None => return Err(bad("it is not a URL", SHAPE)),
    };
    Ok(Url { tls, host, port })
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

impl Url {
    /// Whether it cannot be read on the way: TLS, or not leaving the machine.
    pub(super) fn is_private(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.tls
            || self.host == "localhost"
            || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// The host, for guessing the provider.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Host and port, for the screen.
    pub(super) fn authority(&self) -> Arc<str> {
        format!("{}:{}", self.host, self.port).into()
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}:{}", if self.tls { "s" } else { "" }, self.host, self.port)
    }
}
