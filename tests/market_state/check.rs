//! What a market says is compared with what is true.

use std::collections::HashSet;

use smart_stream_tui::market::{
    detail::TokenDetail,
    view::{PoolView, Stage},
};

use crate::{
    reader::Reader,
    world::{Account, Price, Wanted, WantedPool, World, progress},
};

pub(crate) fn close(got: f64, want: f64) -> bool {
    (got - want).abs() <= 1e-9 * want.abs().max(1.0)
}

pub(crate) fn assert_is_truth(reader: &mut Reader, world: &World) {
    let seed = world.seed;
    // Of very many tokens those without activity for longest are forgotten, and nothing else is.
    let forgotten = world.tokens.len() - reader.market.tokens_known();
    assert_eq!(reader.market.evicted(), forgotten as u64, "seed {seed}");
    assert_eq!(reader.market.pools_known(), world.pools.len(), "seed {seed}");
    let mut last: Vec<u64> = world.tokens.values().map(|token| token.last).collect();
    last.sort_unstable();
    let oldest = last[forgotten];
    let (mut venues, mut gone) = (0, 0);
    for (mint, want) in &world.tokens {
        let what = format!("seed {seed}, token {mint}");
        let Some(page) = reader.page(*mint) else {
            // Connections may be two slots apart, which count double here.
            assert!(want.last <= oldest + 4, "{what}: forgotten before others");
            gone += want.pools.len();
            continue;
        };
        let got = &page.token;
        assert_eq!(Some(got.stage), want.stage, "{what}");
        assert_eq!(got.flags.iter().copied().collect::<HashSet<_>>(), want.flags, "{what}");
        let on_curve = got.stage <= Stage::Completing;
        assert_eq!(got.progress_pct, on_curve.then_some(progress(want.left)), "{what}");
        let reserves = want.reserves.unwrap();
        let ratio = reserves.quote as f64 / reserves.base as f64;
        assert!(close(got.price_sol.unwrap() * 1e9, ratio * 1e6), "{what}: {:?} {ratio}", got.price_sol);
        if !want.burned {
            assert!(close(got.market_cap_sol.unwrap(), ratio * 1e6), "{what}");
        }
        let (bought, sold) = (want.bought as f64 / 1e9, want.sold as f64 / 1e9);
        assert_eq!((got.buys, got.sells, got.traders), (want.buys, want.sells, want.traders.len() as u64), "{what}");
        // The whole run lies within the hour.
        let hour = got.windows[2];
        assert_eq!((hour.buys, hour.sells, hour.traders), (got.buys, got.sells, got.traders), "{what}");
        assert!(close(hour.volume_sol, bought + sold) && close(hour.net_inflow_sol, bought - sold), "{what}");
        let vwap = (want.base > 0).then(|| (bought + sold) / want.base as f64 * 1e6);
        assert!(hour.vwap_sol.zip(vwap).is_none_or(|(got, want)| close(got * 1e9, want * 1e9)), "{what}");
        assert_eq!(hour.vwap_sol.is_some(), vwap.is_some(), "{what}");
        assert_detail_is_truth(&page, want, &what);
        for venue in &page.venues {
            let pool = &world.pools[&venue.pool];
            assert_pool_is_truth(venue, pool, &what);
            // Of a token on its curve or in its pool that is the place where its price is made.
            if !venue.closed {
                let apart = (pool.reserves.unwrap().price() / want.reserves.unwrap().price() - 1.0) * 100.0;
                assert!((venue.divergence_pct.unwrap() - apart).abs() < 1e-6, "{what}: {apart}");
            }
            venues += 1;
        }
    }
    assert_eq!(venues + gone, world.pools.len(), "every pool is on its token's page");
}

pub(crate) fn assert_pool_is_truth(got: &PoolView, want: &WantedPool, token: &str) {
    let what = format!("{token}, pool {}", got.pool);
    assert_eq!(
        (got.deposits, got.withdrawals, got.trades, got.open_gaps),
        (want.deposits, want.withdrawals, want.trades, 0),
        "{what}"
    );
    assert_eq!(got.closed, want.closed, "{what}");
    if got.closed {
        let held = (got.reserves, got.tvl_sol, got.price_sol, got.divergence_pct, got.depth_up_sol, got.depth_down_sol);
        assert_eq!(held, (None, None, None, None, None, None), "{what}: what it held has gone to the pool");
        return;
    }
    let reserves = got.reserves.map(|reserves| (reserves.base, reserves.quote));
    assert_eq!(reserves, want.reserves.map(|reserves| (reserves.base, reserves.quote.into())), "{what}");
    let quote = want.reserves.unwrap().quote as f64 / 1e9;
    // Spending that much on a constant product makes the price 2 % higher.
    let up = got.depth_up_sol.map(|up| ((quote + up) / quote).powi(2));
    assert!(if want.sold_out { up.is_none() } else { close(up.unwrap(), 1.02) }, "{what}: {up:?}");
    let tvl = match want.raised {
        Some(raised) => raised as f64 / 1e9,
        None => 2.0 * quote - got.virtual_quote.unwrap_or(0).max(0) as f64 / 1e9,
    };
    assert!(close(got.tvl_sol.unwrap(), tvl), "{what}");
    // Fees that stay in the vault lower the virtual quote; nothing raises it.
    assert!(got.virtual_quote.unwrap_or(0) <= want.hidden.into(), "{what}");
}

/// The page of a token: its series and apps add up to what was traded, its traders did what they did, it trades where it does.
pub(crate) fn assert_detail_is_truth(detail: &TokenDetail, want: &Wanted, what: &str) {
    let (bought, sold) = (want.bought as f64 / 1e9, want.sold as f64 / 1e9);
    for series in &detail.series[1..] {
        let (mut counts, mut sums) = ((0, 0), (0.0, 0.0));
        for candle in &series.candles {
            assert!(candle.low <= candle.open.min(candle.close) && candle.high >= candle.open.max(candle.close));
            counts = (counts.0 + u64::from(candle.buys), counts.1 + u64::from(candle.sells));
            sums = (sums.0 + candle.bought_sol, sums.1 + candle.sold_sol);
        }
        assert_eq!(counts, (want.buys, want.sells), "{what}");
        assert!(close(sums.0, bought) && close(sums.1, sold), "{what}");
    }
    let apps = detail.apps.iter().fold((0, 0, 0.0), |(buys, sells, volume), app| {
        (buys + u64::from(app.buys), sells + u64::from(app.sells), volume + app.volume_sol)
    });
    assert_eq!((apps.0, apps.1), (want.buys, want.sells), "{what}");
    assert!(close(apps.2, bought + sold), "{what}");
    let venues: HashSet<_> = detail.venues.iter().map(|venue| venue.pool).collect();
    assert_eq!(venues, want.pools, "{what}");
    let mut turnovers: Vec<_> = want.traders.values().map(Account::turnover).collect();
    turnovers.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(detail.top_traders.len(), turnovers.len().min(20), "{what}");
    for (got, turnover) in detail.top_traders.iter().zip(turnovers) {
        let account = &want.traders[&got.wallet];
        assert_eq!((got.buys, got.sells, account.turnover()), (account.buys, account.sells, turnover), "{what}");
        assert!(close(got.spent_sol * 1e9, account.spent as f64), "{what}");
        assert!(close(got.received_sol * 1e9, account.received as f64), "{what}");
        let net = account.bought as f64 - account.sold as f64;
        assert!(close(got.net.unwrap() * 1e6, net), "{what}");
        // All he ever had he was seen to buy.
        let cost = account.spent as f64 * account.sold as f64 / account.bought as f64;
        let realised = (account.sold > 0 && account.bought >= account.sold).then_some(account.received as f64 - cost);
        if let Some(realised) = realised {
            // A difference of like amounts is as exact as they are.
            let off = (got.realised_sol.unwrap() * 1e9 - realised).abs();
            assert!(off <= 1e-9 * (account.received + account.spent) as f64, "{what}");
        }
        assert_eq!(got.realised_sol.is_some(), account.sold > 0 && account.bought > 0, "{what}");
    }
    assert_eq!(detail.traders_over, 0, "{what}");
    let sizes: Vec<u32> = detail.sizes.bands.iter().map(|band| band.trades).collect();
    assert_eq!(sizes, want.sizes, "{what}");
    // A bound of nothing is none; the others are kept.
    assert!(u64::from(detail.sizes.bounded) <= want.buys + want.sells, "{what}");
    assert!(detail.sizes.mean_room_pct.is_none_or(|room| room >= 0.0), "{what}");
}
