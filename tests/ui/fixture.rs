//! A busy minute: three connections, one of them unwell, and forty tokens.

#![allow(
    clippy::cast_precision_loss,
    clippy::wildcard_imports,
    clippy::cast_possible_truncation,
    clippy::manual_is_multiple_of,
    clippy::unnecessary_lazy_evaluations,
    dead_code,
    reason = "made-up figures, shared by several tests"
)]

use std::sync::Arc;

use smart_stream_tui::{
    chain::{
        group::{Group, GroupSet, Groups},
        ids::{Mint, Pool, Signature, WRAPPED_SOL, Wallet},
        program::Program,
        text::Shown,
    },
    decode::{
        event::{Flow, Side, Venue},
        tally::UndecodedReason,
    },
    engine::view::*,
    stream::{completeness::ProofCounts, status::*},
};

pub(crate) const NOW_MS: i64 = 1_790_000_000_000;

/// Small numbers that look random and are the same everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }

    pub(crate) fn unit(&mut self) -> f64 {
        self.roll(1_000_000) as f64 / 1e6
    }
}

pub(crate) fn key(seed: u64) -> [u8; 32] {
    let mut dice = Dice(seed.wrapping_mul(77).wrapping_add(5));
    std::array::from_fn(|_| u8::try_from(dice.roll(256)).unwrap())
}

pub(crate) fn signature(seed: u64) -> Signature {
    let (a, b) = (key(seed), key(seed + 1_000_000));
    Signature::from(<[u8; 64]>::try_from([a, b].concat()).unwrap())
}

const SYMBOLS: [(&str, &str); 20] = [
    ("WIFE", "dogwifewife"),
    ("PNUTZ", "Peanut the Second"),
    ("GIGA", "Gigachad"),
    ("MOODENG", "Moo Deng"),
    ("漢字", "Kanji coin"),
    ("FWOG", "Fwog"),
    ("CHILLGUY", "Just a chill guy"),
    ("ZEREBRO", "Zerebro"),
    ("POPCAT", "Popcat"),
    ("MICHI", "michi"),
    ("BILLY", "Billy"),
    ("RETARDIO", "Retardio Cousins"),
    ("AI16", "Marc AIndreessen"),
    ("GOAT", "Goatseus Maximus"),
    ("LOCKIN", "LOCK IN"),
    ("USDUC", "unstable coin"),
    ("HOUSE", "Housecoin"),
    ("TITCOIN", "titcoin"),
    ("", ""),
    ("LABUBU", "Labubu"),
];

pub(crate) fn token(index: u64) -> TokenView {
    let mut dice = Dice(index + 31);
    let (symbol, name) = SYMBOLS[usize::try_from(index).unwrap() % SYMBOLS.len()];
    let stage = match index % 7 {
        3 => Stage::Amm,
        5 => Stage::Completing,
        _ => Stage::Trading,
    };
    let on_curve = stage != Stage::Amm;
    let cap = if on_curve { 28.0 + dice.unit() * 380.0 } else { 400.0 + dice.unit() * 9_000.0 };
    let mut price = cap as f32 / 1e9;
    let prices: Vec<f32> = (0..240)
        .map(|_| {
            price *= 1.0 + (dice.unit() as f32 - 0.48) * 0.06;
            price
        })
        .collect();
    TokenView {
        mint: Mint::new(key(index)),
        symbol: Shown::from_untrusted(symbol.as_bytes()),
        name: Shown::from_untrusted(name.as_bytes()),
        venue: if on_curve { Venue::Pump } else { Venue::PumpSwap },
        stage,
        progress_pct: match stage {
            Stage::Amm => None,
            Stage::Completing => Some(100.0),
            _ => Some((dice.unit() * 9_990.0).floor() / 100.0),
        },
        quote_mint: WRAPPED_SOL,
        price_sol: Some(f64::from(*prices.last().unwrap())),
        market_cap_sol: Some(cap),
        price_usd: None,
        market_cap_usd: None,
        eta: None,
        momentum: None,
        leader: index == 2,
        windows: Default::default(),
        change_5m_pct: (index % 9 != 4).then(|| dice.unit() * 160.0 - 60.0),
        volume_sol_5m: dice.unit().powi(3) * 900.0,
        buys: dice.roll(2_000),
        sells: dice.roll(1_500),
        traders: dice.roll(900),
        created_slot: (index % 5 != 2).then(|| 389_112_000 - dice.roll(100_000)),
        created_ms: (index % 5 != 2).then(|| NOW_MS - i64::try_from(dice.roll(9_000_000)).unwrap()),
        last_trade_ms: Some(NOW_MS - i64::try_from(dice.roll(90_000)).unwrap()),
        creator: (index % 5 != 2).then(|| Wallet::new(key(index + 500))),
        pool: Some(Pool::new(key(index + 600))),
        flags: match index % 6 {
            1 => vec!["mayhem"],
            3 if !on_curve => vec!["graduated"],
            4 => vec!["cashback"],
            _ => vec![],
        },
        prices: prices.into(),
    }
}

pub(crate) fn trade(index: u64) -> TradeView {
    let mut dice = Dice(index + 7_000);
    let token = token(dice.roll(40));
    TradeView {
        recv_ms: NOW_MS - i64::try_from((200 - index.min(200)) * 160).unwrap(),
        slot: 389_112_093 - (200 - index.min(200)) / 3,
        signature: signature(index),
        venue: token.venue,
        flow: if index % 23 == 0 { Flow::MayhemAgent } else { Flow::User },
        mint: token.mint,
        symbol: token.symbol,
        user: Wallet::new(key(dice.roll(90) + 9_000)),
        side: if dice.roll(5) < 3 { Side::Buy } else { Side::Sell },
        base: Some(dice.unit() * 9e6),
        sol: Some(dice.unit().powi(4) * 12.0),
        price_sol: token.price_sol,
        market_cap_sol: token.market_cap_sol,
        room_pct: None,
        whale: false,
        basis: match index % 17 {
            3 => Basis::Gap,
            9 => Basis::Instruction,
            _ => Basis::Event,
        },
    }
}

/// The same figures since the start and lately.
fn parsed(all: ParseView) -> ParsedView {
    ParsedView { all, last_10s: all, last_5min: all }
}

fn connection(id: usize, state: ConnectionState, groups: &[Group]) -> ConnectionView {
    let live = state == ConnectionState::Live;
    ConnectionView {
        status: ConnectionStatus {
            id,
            endpoint: Arc::from(["grpc.ny.shyft.to", "grpc.ams.shyft.to", "grpc.fra.example.net"][id % 3]),
            state,
            since_ms: NOW_MS - 640_000,
            cause: (!live).then(|| Arc::from("silent stream: no message for 12 s")),
            groups: groups.iter().copied().collect::<GroupSet>(),
            throttle: if id == 2 { Throttle::WithoutLow } else { Throttle::Full },
            filter_version: 3,
            active_version: 3,
            reconnects: u64::from(!live) * 2,
            last_message_ms: Some(NOW_MS - if live { 120 } else { 12_400 }),
            last_data_ms: Some(NOW_MS - if live { 120 } else { 12_400 }),
            permits_in_window: 1 + u32::try_from(id).unwrap(),
            narrowed: false,
            standby: false,
        },
        tps: Some(if live { 412.3 / (id + 1) as f64 } else { 0.0 }),
        bytes_per_s: Some(if live { 3_412_000.0 / (id + 1) as f64 } else { 0.0 }),
        latency: live.then(|| LatencyView { p50_ms: 86.0 + id as f64 * 9.0, p99_ms: 214.0 }),
        slot_lag: Some(id as u64),
        queue_fill: 0.03 + id as f64 * 0.05,
        parsed: parsed(ParseView {
            decoded: 120_000,
            expected: 120_000,
            known: 130_000,
            invocations: 131_000,
            unknown_tails: 0,
            fallbacks: 0,
        }),
    }
}

/// 150 slots: one lost, some repaired and skipped, the newest pending.
pub(crate) fn completeness() -> CompletenessView {
    let first = 389_111_944;
    let proof = |index: u64| match index {
        40 => Proof::Lost,
        41 | 42 => Proof::Repaired,
        147.. => Proof::Pending,
        _ if index % 20 == 7 => Proof::Skipped,
        _ => Proof::Proven,
    };
    let strip = (0..150).map(|index| SlotProof {
        slot: first + index,
        parent: Some(first + index - 1),
        proof: proof(index),
        executed: Some(1_400),
        matched: 240,
        lost: (proof(index) == Proof::Lost).then_some(3),
    });
    CompletenessView {
        narrowed: 0,
        strip: strip.collect(),
        counts: ProofCounts { proven: 1_820, repaired: 2, pending: 3, skipped: 96, lost: 1 },
        lost_transactions: 3,
        open_gaps: 1,
        repaired_gaps: 1,
        filled_gaps: 0,
        ..CompletenessView::default()
    }
}

pub(crate) fn view() -> View {
    use Group::{AmmPool, BondingCurve, ExternalAmm};
    let mut dice = Dice(4);
    let tokens: Vec<Arc<TokenView>> = (0..40).map(|index| Arc::new(token(index))).collect();
    let groups: Vec<GroupView> = [BondingCurve, AmmPool, ExternalAmm]
        .into_iter()
        .enumerate()
        .map(|(index, group)| {
            let base = 300 / (index as u64 + 1);
            let missing = u64::from(index == 2) * 7;
            GroupView {
                group,
                connections: vec![index],
                tps: Some(base as f64 * 0.8 + dice.unit() * 20.0),
                peak_tps: Some(base as f64 * 1.4),
                per_second: (0..60).map(|_| u32::try_from(base / 2 + dice.roll(base)).unwrap()).collect(),
                latency: Some(LatencyView { p50_ms: 84.0, p99_ms: 231.0 }),
                slot_lag: Some(1),
                parsed: parsed(ParseView { decoded: 98_000 - missing, expected: 98_000, ..ParseView::ZERO }),
                undecoded: missing,
                failed: 1_204,
                bytes_per_s: Some(1_900_000.0 / (index + 1) as f64),
                forecast: (index < 2).then_some(ForecastView {
                    value: base as f64 * 0.9,
                    low: base as f64 * 0.7,
                    high: base as f64 * 1.1,
                    horizon_s: 30.0,
                    error: 12.0,
                    naive_error: 15.0,
                }),
            }
        })
        .collect();
    let steps = [
        LifecycleStep::Created,
        LifecycleStep::Created,
        LifecycleStep::Progress(50),
        LifecycleStep::Created,
        LifecycleStep::Progress(90),
        LifecycleStep::Completed,
        LifecycleStep::Graduated(Pool::new(key(3))),
        LifecycleStep::Created,
    ];
    View {
        names: Groups::default(),
        narrowed_to: Arc::default(),
        narrowing_cost: 2,
        seq: 900,
        now_ms: NOW_MS,
        uptime_s: 754.0,
        source: Arc::new(SourceView {
            kind: SourceKind::Demo,
            provider: "demo".into(),
            endpoints: vec!["127.0.0.1:10000".into()],
            commitment: "processed",
        }),
        totals: TotalsView {
            unwanted: 0,
            slot: Some(389_112_093),
            slots_behind: Some(1),
            slot_time_ms: Some(394.0),
            tps: Some(618.4),
            bytes_per_s: Some(6_214_000.0),
            transactions: 412_233,
            failed: 31_202,
            duplicates: 120,
            bad_frames: 0,
            parsed: parsed(ParseView {
                decoded: 293_993,
                expected: 294_000,
                known: 400_000,
                invocations: 400_100,
                unknown_tails: 3,
                fallbacks: 0,
            }),
            trades: 211_402,
        },
        connections: vec![
            connection(0, ConnectionState::Live, &[BondingCurve]),
            connection(1, ConnectionState::Live, &[AmmPool, ExternalAmm]),
            connection(2, ConnectionState::Degraded, &[AmmPool, ExternalAmm]),
        ]
        .into(),
        budget: Arc::new(BudgetStatus {
            used: 17,
            limit: 100,
            window_s: 60,
            reserved: 20,
            next_free_ms: Some(21_400),
            exhausted_in_ms: None,
            frozen_ms: None,
            spent: [(38, 0), (38, 1), (37, 2), (31, 2), (22, 2), (12, 1), (11, 1), (3, 0)]
                .into_iter()
                .map(|(s, connection)| Spent {
                    at_ms: NOW_MS - s * 1000 - 300,
                    connection: Some(connection),
                    process: None,
                    purpose: Purpose::Start,
                    cost: 1,
                })
                .collect(),
            ..BudgetStatus::default()
        }),
        endpoints: Arc::default(),
        proposal: Arc::new(RebalancePlan {
            moves: vec![Move { group: ExternalAmm, from: 1, to: 0 }],
            permits: 2,
            busiest_before: Some(0.71),
            busiest_after: Some(0.52),
        }),
        groups: groups.into(),
        tokens_known: 1_204,
        tokens: tokens.into(),
        trades: Feed { entries: (0..200).map(|index| Arc::new(trade(index))).collect(), first_seq: 211_202 },
        alerts: Feed::default(),
        pools: Arc::default(),
        pools_known: 0,
        sol_usd: SolUsdView::default(),
        detail: None,
        eta_score: EtaScoreView::default(),
        alerts_muted: 0,
        lifecycle: Feed {
            entries: (0..24u64)
                .map(|index| {
                    let token = token(index * 7 % 40);
                    Arc::new(LifecycleView {
                        recv_ms: NOW_MS - i64::try_from((24 - index) * 2_900).unwrap(),
                        slot: 389_112_000 + index,
                        mint: token.mint,
                        symbol: token.symbol,
                        step: steps[usize::try_from(index).unwrap() % steps.len()],
                        uncertain: index % 11 == 6,
                    })
                })
                .collect(),
            first_seq: 40,
        },
        pipeline: ["receive", "decode", "market", "publish"]
            .into_iter()
            .enumerate()
            .map(|(index, name)| StageView {
                name,
                rate: Some([640.0, 618.4, 2_140.0, 28.9][index]),
                queue_fill: (index == 2).then_some(0.04),
                busy: Some([0.06, 0.11, 0.19, 0.03][index]),
                dropped: 0,
            })
            .collect(),
        undecoded: vec![
            UndecodedView {
                program: Program::MeteoraDbc,
                discriminator: [0x21, 0x9a, 7, 8, 1, 2, 3, 4],
                reason: UndecodedReason::UnknownInstruction,
                count: 5,
                example: signature(1),
            },
            UndecodedView {
                program: Program::Pump,
                discriminator: [0xbd, 0xdb, 0x7f, 0xd3, 0x4e, 0xe6, 0x61, 0xee],
                reason: UndecodedReason::MissingEvent,
                count: 2,
                example: signature(2),
            },
        ]
        .into(),
        programs: [Program::Pump, Program::PumpSwap, Program::MeteoraDbc]
            .map(|program| ProgramView {
                program,
                parsed: parsed(ParseView {
                    decoded: 990,
                    expected: 1_000,
                    fallbacks: 3,
                    known: 1_400,
                    invocations: 1_500,
                    unknown_tails: 2,
                }),
            })
            .into(),
        notice: Some((1, Arc::from("connection 2: resubscribed after a silent stream"))),
        completeness: Arc::new(completeness()),
        finished: false,
        token_refused: None,
    }
}
