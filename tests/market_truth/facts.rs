//! What a reader finds and what happened, each as lines of facts.

use smart_stream_tui::{
    chain::ids::WRAPPED_SOL,
    decode::{
        Event, EventKind,
        event::{FeeKind, Flow, LimitKind, LiquidityAction, Side},
    },
    simulator::market::truth::{Reserves, Share, Truth, Venue, What},
};

/// An event as one line of facts.
pub(crate) fn facts_read(event: &Event) -> String {
    let inner = event.path.inner.map_or_else(String::new, |inner| format!(".{inner}"));
    let head = format!("{} {} {}{inner} {:?}", event.slot, event.tx_index, event.path.outer, event.timestamp);
    let head = format!("{head} {} {}", event.signature, event.payer);
    match &event.kind {
        EventKind::Trade(trade) => {
            let reserves = |reserves: Option<smart_stream_tui::decode::event::Reserves>| {
                reserves.map(|reserves| (reserves.base, u64::try_from(reserves.quote).unwrap())).unwrap()
            };
            assert_eq!(trade.quote_mint, WRAPPED_SOL);
            assert_eq!(trade.base_decimals, Some(6));
            let fees = trade.fees.iter().flatten().map(|fee| (fee.kind, fee.amount, fee.bps)).collect::<Vec<_>>();
            if trade.flow == Flow::PostCompletion {
                assert_eq!((trade.limit, trade.reserves_before, event.event_index), (None, None, 1));
                return format!(
                    "{head} beyond {} {} {} {} {} {} {fees:?} {:?} {:?}",
                    trade.instruction,
                    trade.pool,
                    trade.mint,
                    trade.user,
                    trade.base_amount,
                    trade.quote_amount,
                    reserves(trade.reserves_after),
                    trade.outer_program.map(|program| solana_sdk::pubkey::Pubkey::from(program).to_string()),
                );
            }
            let boost = trade.instruction == "boost_buy_and_burn";
            assert_eq!(trade.flow, if boost { Flow::Boost } else { Flow::User });
            let limit = trade.limit.unwrap();
            let exact_out = match trade.venue.name() {
                "pump" | "pump_swap" => trade.side == Side::Buy && !boost && !trade.instruction.contains("exact"),
                _ => trade.instruction.contains("out"),
            };
            let kind = match (trade.side, exact_out) {
                (Side::Buy, true) => LimitKind::MaxQuoteIn,
                (Side::Buy, false) => LimitKind::MinBaseOut,
                (Side::Sell, true) => LimitKind::MaxBaseIn,
                (Side::Sell, false) => LimitKind::MinQuoteOut,
            };
            assert_eq!(limit.kind, kind);
            format!(
                "{head} trade {} {} {} {} {} {} {} {} {:?} {:?} {:?} {:?} {} {:?}",
                trade.venue.name(),
                trade.instruction,
                trade.pool,
                trade.mint,
                trade.user,
                trade.side == Side::Buy,
                trade.base_amount,
                trade.quote_amount,
                fees,
                reserves(trade.reserves_before),
                // What a swap of the last of them leaves no event says.
                trade.reserves_after.map(|after| reserves(Some(after))),
                trade.curve_tokens_left.zip(trade.curve_real_quote),
                limit.amount,
                trade.outer_program.map(|program| solana_sdk::pubkey::Pubkey::from(program).to_string()),
            )
        }
        EventKind::TokenCreated(created) => {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let initial = created.initial.unwrap();
            assert_eq!(created.creator, event.payer);
            format!(
                "{head} created {} {} {:?} {:?} {:?} {} {} {}",
                created.mint,
                created.curve,
                text(&created.name),
                text(&created.symbol),
                text(&created.uri),
                initial.base,
                initial.quote,
                created.mayhem,
            )
        }
        EventKind::CurveCompleted { mint, curve, .. } => format!("{head} completed {mint} {curve}"),
        EventKind::Graduated { mint, curve, pool, quote_amount, base_amount, .. } => {
            format!("{head} graduated {mint} {curve} {pool} {base_amount} {quote_amount}")
        }
        EventKind::PoolCreated(created) => {
            assert_eq!((created.base_decimals, created.quote_decimals), (Some(6), Some(9)));
            format!(
                "{head} pool {} {} {} {} {} {} {} {}",
                created.venue.name(),
                created.mint,
                created.quote_mint,
                created.pool,
                created.base_amount,
                created.quote_amount,
                created.lp_amount.unwrap(),
                created.user
            )
        }
        EventKind::BoostInitialized { mint, pool, virtual_quote, real_quote } => {
            format!("{head} boost {mint} {pool} {virtual_quote} {real_quote}")
        }
        EventKind::Liquidity(moved) => format!(
            "{head} liquidity {} {} {} {} {} {} {} {:?}",
            moved.venue.name(),
            moved.mint,
            moved.pool,
            moved.action == LiquidityAction::Deposit,
            moved.base_amount,
            moved.quote_amount,
            moved.lp_amount.unwrap(),
            moved.raw_reserves_before.unwrap()
        ),
        EventKind::CurveAdjusted { .. } => panic!("no mayhem here"),
    }
}

/// The same of what happened: the events a reader should find, in order.
pub(crate) fn facts_told(truth: &Truth) -> Vec<String> {
    let at = |(outer, inner): (u16, Option<u16>)| {
        let inner = inner.map_or_else(String::new, |inner| format!(".{inner}"));
        let Truth { slot, transaction, signature, payer, .. } = truth;
        // Raydium's events carry no time.
        let time = Some(truth.time).filter(|_| !matches!(venue(&truth.what), "raydium_amm_v4" | "raydium_cpmm"));
        format!("{slot} {transaction} {outer}{inner} {time:?} {signature} {payer}")
    };
    let head = at((truth.outer, truth.inner));
    let pair = |reserves: &Reserves| (reserves.base, reserves.quote);
    match &truth.what {
        What::Trade(trade) => {
            let share = match trade.share {
                Share::Creator => FeeKind::Creator,
                Share::Cashback => FeeKind::Cashback,
                Share::HolderRewards => FeeKind::HolderRewards,
            };
            let fees = [
                (FeeKind::Lp, trade.lp_fee),
                (FeeKind::Protocol, trade.protocol_fee),
                (share, trade.creator_fee),
                (FeeKind::Buyback, trade.buyback_fee),
            ];
            // The line of the older of Raydium's programs has no fees, the event of the newer one no rates.
            let stated = trade.venue != Venue::RaydiumAmmV4;
            let fees = fees.into_iter().filter(|(_, (amount, bps))| stated && (*amount > 0 || *bps > 0));
            let bps = |bps: u64| (trade.venue != Venue::RaydiumCpmm).then_some(bps);
            vec![format!(
                "{head} trade {} {} {} {} {} {} {} {} {:?} {:?} {:?} {:?} {} {:?}",
                venue(&truth.what),
                trade.instruction,
                trade.pool,
                trade.mint,
                trade.user,
                trade.buy,
                trade.base_amount,
                trade.quote_amount,
                fees.map(|(kind, (amount, of))| (kind, amount, bps(of))).collect::<Vec<_>>(),
                pair(&trade.reserves_before),
                (trade.venue != Venue::RaydiumCpmm).then(|| pair(&trade.reserves_after)),
                trade.curve_after,
                trade.limit,
                trade.router,
            )]
        }
        What::Created { mint, curve, name, symbol, uri, reserves, mayhem } => vec![format!(
            "{head} created {mint} {curve} {name:?} {symbol:?} {uri:?} {} {} {mayhem}",
            reserves.base, reserves.quote
        )],
        What::Beyond {
            mint,
            curve,
            user,
            instruction,
            base_amount,
            quote_amount,
            fees,
            buyback_fee,
            reserves_after,
            router,
            ..
        } => {
            let [protocol, creator] = fees.map(|(amount, bps)| (amount, Some(bps)));
            let fees =
                [(FeeKind::Protocol, protocol), (FeeKind::Creator, creator), (FeeKind::Buyback, (*buyback_fee, None))];
            let fees: Vec<_> = fees.into_iter().map(|(kind, (amount, bps))| (kind, amount, bps)).collect();
            let after = pair(reserves_after);
            vec![format!(
                "{head} beyond {instruction} {curve} {mint} {user} {base_amount} {quote_amount} {fees:?} {after:?} {router:?}"
            )]
        }
        What::Completed { mint, curve } => vec![format!("{head} completed {mint} {curve}")],
        What::Migrated {
            mint,
            curve,
            pool,
            base_amount,
            quote_amount,
            lp_amount,
            opener,
            creation,
            boost,
            virtual_quote,
            reserves,
        } => {
            let real = quote_amount - virtual_quote;
            assert_eq!((reserves.base, reserves.quote), (*base_amount, *quote_amount));
            vec![
                format!("{head} graduated {mint} {curve} {pool} {base_amount} {quote_amount}"),
                format!(
                    "{} pool pump_swap {mint} {WRAPPED_SOL} {pool} {base_amount} {quote_amount} {lp_amount} {opener}",
                    at(*creation)
                ),
                format!("{} boost {mint} {pool} {virtual_quote} {real}", at(*boost)),
            ]
        }
        What::Opened { mint, pool, user, base_amount, quote_amount, lp_amount, .. } => {
            let venue = venue(&truth.what);
            vec![format!(
                "{head} pool {venue} {mint} {WRAPPED_SOL} {pool} {base_amount} {quote_amount} {lp_amount} {user}"
            )]
        }
        What::Liquidity { mint, pool, deposit, base_amount, quote_amount, lp_amount, vaults_before, .. } => {
            let venue = venue(&truth.what);
            vec![format!(
                "{head} liquidity {venue} {mint} {pool} {deposit} {base_amount} {quote_amount} {lp_amount} {vaults_before:?}"
            )]
        }
    }
}

/// Where it happened, by the name used in formats.
fn venue(what: &What) -> &'static str {
    let venue = match what {
        What::Trade(trade) => trade.venue,
        What::Opened { venue, .. } | What::Liquidity { venue, .. } => *venue,
        What::Created { .. } | What::Completed { .. } | What::Beyond { .. } => Venue::Pump,
        What::Migrated { .. } => Venue::PumpSwap,
    };
    match venue {
        Venue::Pump => "pump",
        Venue::PumpSwap => "pump_swap",
        Venue::RaydiumAmmV4 => "raydium_amm_v4",
        Venue::RaydiumCpmm => "raydium_cpmm",
    }
}
