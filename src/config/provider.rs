//! What is known of each provider. Source: provider documentation as of November 2026; a figure that could not be found
//! there is `None`, or a conservative default, and no figure is a promise of the provider.

/// One provider's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The name used in `source.provider`.
    pub name: &'static str,
    /// Ends of its host names. Without any, the profile is chosen by name alone.
    pub hosts: &'static [&'static str],
    /// Most subscribe operations in any window of [`window_s`](Self::window_s).
    pub limit: u32,
    /// The window in seconds.
    pub window_s: u32,
    /// Whether the limit is documented, and not our assumption.
    pub limit_is_documented: bool,
    /// What a filter update on an open stream costs; 1 until it is proven to be free.
    pub cost_update: u32,
    /// Streams at a time on the smallest plan that has any.
    pub max_streams: Option<u32>,
    /// How far back a replay can start, in slots. The server's own answer counts for more.
    pub replay_slots: Option<u64>,
    /// Whether it is worth asking for zstd.
    pub zstd: bool,
}

/// What is assumed of a provider nobody knows.
const UNKNOWN: Profile = Profile {
    name: "unknown",
    hosts: &[],
    limit: 20,
    window_s: 60,
    limit_is_documented: false,
    cost_update: 1,
    max_streams: None,
    replay_slots: None,
    zstd: true,
};

/// The loopback server of this program, for the demo and recordings: the limit that it answers with.
pub const LOCAL: Profile = Profile {
    name: "local",
    limit: 100,
    limit_is_documented: true,
    max_streams: None,
    replay_slots: Some(150),
    zstd: false,
    ..UNKNOWN
};

/// Every profile that `source.provider` can name; the last is for hosts nobody knows.
pub const PROFILES: [Profile; 16] = [
    // A rate of 100 per minute and token comes from its users, not from its documentation.
    Profile {
        name: "shyft",
        hosts: &["shyft.to"],
        limit: 100,
        max_streams: Some(2),
        replay_slots: Some(150),
        zstd: false,
        ..UNKNOWN
    },
    Profile {
        name: "helius",
        hosts: &["helius-rpc.com"],
        max_streams: Some(100),
        replay_slots: Some(216_000),
        ..UNKNOWN
    },
    // Limited by address in a rolling window of 10 s; the figure is not published.
    Profile { name: "triton", hosts: &["rpcpool.com"], replay_slots: Some(150), ..UNKNOWN },
    Profile { name: "quicknode", hosts: &["quiknode.pro"], replay_slots: Some(3_000), ..UNKNOWN },
    Profile {
        name: "chainstack",
        hosts: &["chainstack.com"],
        max_streams: Some(2),
        replay_slots: Some(100),
        ..UNKNOWN
    },
    Profile { name: "alchemy", hosts: &["alchemy.com"], replay_slots: Some(6_000), ..UNKNOWN },
    Profile {
        name: "supanode",
        limit: 10,
        window_s: 1,
        limit_is_documented: true,
        max_streams: Some(1),
        replay_slots: Some(0),
        ..UNKNOWN
    },
    Profile { name: "subglow", max_streams: Some(1), ..UNKNOWN },
    Profile { name: "htw", max_streams: Some(5), ..UNKNOWN },
    // Six in all, two of them for transactions.
    Profile { name: "thor", max_streams: Some(2), ..UNKNOWN },
    Profile { name: "nolimitnodes", hosts: &["nln.clr3.org"], ..UNKNOWN },
    Profile { name: "erpc", ..UNKNOWN },
    Profile { name: "solanatracker", ..UNKNOWN },
    Profile { name: "publicnode", hosts: &["publicnode.com"], ..UNKNOWN },
    // The plugin's own limit, 1,000 per 10 s, is off by default; never guessed, because a tunnel looks the same.
    Profile { name: "self-hosted", limit: 100, max_streams: Some(1_000), replay_slots: Some(150), ..UNKNOWN },
    UNKNOWN,
];

/// The profile of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Profile> {
    PROFILES.iter().find(|profile| profile.name == name)
}

/// The profile of the provider that a host (without the port) belongs to.
#[must_use]
pub fn of_host(host: &str) -> &'static Profile {
    let host = host.strip_suffix('.').unwrap_or(host);
    let belongs = |end: &&str| host.strip_suffix(*end).is_some_and(|front| front.is_empty() || front.ends_with('.'));
    PROFILES.iter().find(|profile| profile.hosts.iter().any(belongs)).unwrap_or(&UNKNOWN)
}

/// Every name.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|profile| profile.name)
}
