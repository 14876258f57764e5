//! The curve's trading instructions: what each is called, how often it comes, and which accounts it takes.

/// The generations of instructions: each has its own accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V1,
    V2,
    V3,
}

/// One instruction.
#[derive(Debug)]
pub(super) struct CurveCall {
    pub(super) discriminator: u64,
    pub(super) name: &'static str,
    pub(super) logged: &'static str,
    pub(super) family: Family,
    pub(super) buy: bool,
    /// Says what to spend, not what to get.
    pub(super) exact_in: bool,
    /// The name inside the event, which is another.
    pub(super) event_name: &'static str,
}

const fn call(
    discriminator: u64,
    (name, logged): (&'static str, &'static str),
    family: Family,
    (buy, exact_in): (bool, bool),
    event_name: &'static str,
) -> CurveCall {
    CurveCall { discriminator, name, logged, family, buy, exact_in, event_name }
}

/// Buys, and how often each comes in a hundred.
pub(super) static BUYS: [(u8, CurveCall); 6] = [
    (12, call(0x6606_3d12_01da_ebea, ("buy", "Instruction: Buy"), Family::V1, (true, false), "buy")),
    (
        16,
        call(
            0x38fc_7408_9edf_cd5f,
            ("buy_exact_sol_in", "Instruction: BuyExactSolIn"),
            Family::V1,
            (true, true),
            "buy_exact_sol_in",
        ),
    ),
    (18, call(0xb817_ee61_67c5_d33d, ("buy_v2", "Instruction: BuyV2"), Family::V2, (true, false), "buy")),
    (
        20,
        call(
            0xc2ab_1c46_684d_5b2f,
            ("buy_exact_quote_in_v2", "Instruction: BuyExactQuoteInV2"),
            Family::V2,
            (true, true),
            "buy_exact_quote_in",
        ),
    ),
    (12, call(0x0705_1dc4_f517_6550, ("buy_v3", "Instruction: BuyV3"), Family::V3, (true, false), "buy")),
    (
        22,
        call(
            0xe1f7_501e_d5b3_8488,
            ("buy_exact_quote_in_v3", "Instruction: BuyExactQuoteInV3"),
            Family::V3,
            (true, true),
            "buy_exact_quote_in",
        ),
    ),
];

/// Sells, and how often each comes in a hundred.
pub(super) static SELLS: [(u8, CurveCall); 3] = [
    (30, call(0x33e6_85a4_017f_83ad, ("sell", "Instruction: Sell"), Family::V1, (false, true), "sell")),
    (38, call(0x5df6_823c_e7e9_40b2, ("sell_v2", "Instruction: SellV2"), Family::V2, (false, true), "sell")),
    (32, call(0x1c92_de77_26c4_69d5, ("sell_v3", "Instruction: SellV3"), Family::V3, (false, true), "sell")),
];

/// The call of this side and kind, of generation 1 to 3.
pub(super) fn find(buy: bool, exact_in: bool, generation: u8) -> Option<&'static CurveCall> {
    let family = match generation {
        1 => Family::V1,
        2 => Family::V2,
        _ => Family::V3,
    };
    let calls = if buy { &BUYS[..] } else { &SELLS[..] };
    calls.iter().map(|(_, call)| call).find(|call| call.family == family && call.exact_in == exact_in)
}
