//! A token's page: it shows the detail of its own token only, and its lists, its zoom and its time follow the keys.

use std::sync::Arc;

use smart_stream_tui::{
    chain::ids::Wallet,
    engine::view::{AppView, CandleView, SeriesView, SizesView, TokenDetail, TraderView, View},
    ui::{
        color::Depth,
        keys::Key,
        model::Model,
        page::{Range, Section},
        theme::Theme,
    },
};

use super::{fixture, frame, lines, model, press};

/// A minute of a token with a price that doubles, one trader and one app.
fn detail(index: u64) -> TokenDetail {
    let now_s = u32::try_from(fixture::NOW_MS / 1000).unwrap();
    let candles = |width_s: u32, count: u32| SeriesView {
        width_s,
        length: 60,
        candles: (0..count)
            .map(|back| {
                let price = f64::from(count - back) / f64::from(count) * 2e-7;
                let start_s = now_s - now_s % width_s - (count - 1 - back) * width_s;
                CandleView { start_s, close: price, bought_sol: 1.0, sold_sol: 0.5, ..CandleView::default() }
            })
            .collect(),
    };
    TokenDetail {
        mint: fixture::token(index).mint,
        token: Arc::new(fixture::token(index)),
        supply: Some(1e9),
        series: [candles(5, 12), candles(60, 2), candles(900, 1)],
        trades: Arc::from([]),
        curve: None,
        venues: Vec::new(),
        top_traders: vec![TraderView {
            wallet: Wallet::new(fixture::key(1)),
            buys: 2,
            sells: 1,
            spent_sol: 3.0,
            received_sol: 4.5,
            bought: Some(10.0),
            sold: Some(5.0),
            net: Some(5.0),
            realised_sol: Some(3.0),
            creator: true,
            last_s: now_s,
        }],
        traders: 321,
        traders_over: 0,
        creator: None,
        apps: vec![AppView { app: Some("Photon"), buys: 2, sells: 1, volume_sol: 7.5 }],
        sizes: SizesView::default(),
    }
}

/// The page of the first token, in a view with the detail of this one.
fn page(of: Option<u64>) -> Model {
    let detail = of.map(|index| Arc::new(detail(index)));
    let mut model = model(View { detail, ..fixture::view() });
    model.detail = Some(fixture::token(0).mint);
    model
}

fn shown(model: &mut Model, size: (u16, u16)) -> String {
    lines(&frame(model, size, &Theme::built_in("dark", Depth::True).unwrap())).join("\n")
}

#[test]
fn the_detail_of_another_token_is_not_shown() {
    for of in [None, Some(1)] {
        let text = shown(&mut page(of), (120, 40));
        assert!(!text.contains("of 321") && !text.contains("Photon"), "{text}");
        assert!(text.contains("Not in the view shown"), "{text}");
    }
    let text = shown(&mut page(Some(0)), (120, 40));
    assert!(text.contains("of 321") && text.contains("Photon") && text.contains("creator"), "{text}");
}

#[test]
fn where_lists_do_not_fit_beside_each_other_the_tab_key_walks_through_them() {
    let mut model = page(Some(0));
    for section in Section::ALL {
        let text = shown(&mut model, (80, 24));
        for other in Section::ALL {
            assert_eq!(text.contains(&format!("── {} ─", other.name())), other == section, "{section:?}: {text}");
        }
        press(&mut model, &[Key::Tab]);
    }
    assert_eq!(model.page.section, Section::Trades);
    press(&mut model, &[Key::ShiftTab, Key::Char('z')]);
    assert_eq!(model.page.section, Section::Alerts);
    let text = shown(&mut model, (120, 40));
    assert!(text.contains("MEV alerts") && !text.contains("Price in SOL"), "{text}");
    press(&mut model, &[Key::Esc]);
    assert!(shown(&mut model, (120, 40)).contains("Price in SOL"));
    assert!(model.detail.is_some());
    press(&mut model, &[Key::Esc]);
    assert!(model.detail.is_none());
}

#[test]
fn the_chart_shows_the_time_asked_for() {
    let mut model = page(Some(0));
    assert_eq!(model.page.range, Range::All);
    // A minute has passed since the first trade: the first and the last price are at the chart's ends.
    let text = shown(&mut model, (120, 40));
    assert!(text.contains("[all]") && text.contains("0.0₆200"), "{text}");
    press(&mut model, &[Key::Char('+'); 20]);
    assert_eq!(model.page.range, Range::Minute);
    press(&mut model, &[Key::Char('-')]);
    assert!(shown(&mut model, (120, 40)).contains("[5m]"));
    let begins = smart_stream_tui::ui::format::time_of_day(fixture::NOW_MS - fixture::NOW_MS % 5_000 - 295_000);
    assert!(shown(&mut model, (120, 40)).contains(&begins));
    model.detail = None;
    press(&mut model, &[Key::Char('-')]);
    assert_eq!(model.page.range, Range::Minutes5, "no page, no time");
}

#[test]
fn a_trade_is_shown_in_full_and_leads_to_its_token() {
    let mut model = model(fixture::view());
    press(&mut model, &[Key::Char('4'), Key::Char('j'), Key::Char('j'), Key::Enter]);
    let trade = model.view.trades.entries[197].clone();
    let theme = Theme::built_in("dark", smart_stream_tui::ui::color::Depth::True).unwrap();
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let text = lines(&frame(&mut model, size, &theme)).concat();
        for word in ["Trade", &trade.mint.to_string(), &trade.user.to_string()] {
            let whole = text.contains(word);
            assert!(whole || size.0 == 60, "{word} at {size:?}");
        }
    }
    let copied = press(&mut model, &[Key::Char('y'), Key::Char('Y')]);
    let wanted = [trade.mint.to_string(), trade.signature.to_string()].map(smart_stream_tui::ui::update::Effect::Copy);
    assert_eq!(copied, wanted);
    press(&mut model, &[Key::Esc]);
    assert!(model.overlay.is_none() && model.detail.is_none());
    press(&mut model, &[Key::Enter, Key::Enter]);
    assert_eq!(model.detail, Some(trade.mint));
}
