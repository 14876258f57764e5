//! What the engine proves and expects, as it is shown.

use std::sync::Arc;

use smart_stream_tui::{
    engine::view::{CompletenessView, Proof},
    ui::{color::Depth, model::Tab, panes::completeness::complete_percent, theme::Theme},
};

use super::{fixture, frame, lines, model};

fn dark() -> Theme {
    Theme::built_in("dark", Depth::True).unwrap()
}

#[test]
fn every_slot_of_the_strip_has_its_sign_newest_right() {
    for (tab, size) in [(Tab::Connections, (200, 60)), (Tab::Overview, (200, 60)), (Tab::Overview, (120, 40))] {
        let mut model = model(fixture::view());
        model.tab = tab;
        let screen = lines(&frame(&mut model, size, &dark()));
        let title = screen.iter().position(|line| line.contains("Completeness")).unwrap();
        let strip: String = screen[title + 1].chars().filter(|c| "■+·_✕".contains(*c)).collect();
        let wanted: String = fixture::completeness()
            .strip
            .iter()
            .map(|slot| match slot.proof {
                Proof::Proven => '■',
                Proof::Repaired => '+',
                Proof::Pending => '·',
                Proof::Skipped => '_',
                Proof::Lost => '✕',
            })
            .collect();
        assert!(wanted.ends_with(&strip) && strip.chars().count() >= 100, "{tab:?} at {size:?}: {strip}");
        let counts = &screen[title + 2];
        for words in ["proven 1,820", "repaired 2", "pending 3", "skipped 96", "lost 1", "3 transactions missing"] {
            assert!(counts.contains(words), "{words} in {counts}");
        }
    }
}

#[test]
fn the_header_says_a_hundred_percent_only_when_nothing_is_lost() {
    let mut view = fixture::view();
    let shares = |view: &smart_stream_tui::engine::View| {
        let screen = lines(&frame(&mut model(view.clone()), (200, 60), &dark()));
        screen[0].split("complete").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(shares(&view), "99.94%");
    let mut whole = fixture::completeness();
    whole.counts.lost = 0;
    view.completeness = Arc::new(whole);
    assert_eq!(shares(&view), "100.00%");
    view.completeness = Arc::default();
    assert_eq!(shares(&view), "–", "nothing is claimed before a slot is settled");
    assert_eq!(complete_percent(&CompletenessView::default()), None);
}

#[test]
fn how_everything_is_decoded_stands_beside_what_is_not() {
    let mut model = model(fixture::view());
    model.tab = Tab::Connections;
    model.connection = 1;
    let screen = lines(&frame(&mut model, (200, 60), &dark()));
    let row = |name: &str| {
        let rows = screen.iter().skip_while(|line| !line.contains("Decoding"));
        rows.into_iter().find(|line| line.contains(name)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(row("connection 1").contains("connection 1 100.00% 120,000/120,000 100.00% 100.00% 99.23% 0.00% 0"));
    assert!(
        row("pump_swap").contains("pump_swap 99.00% 990/1,000 99.00% 99.00% 93.33% 0.30% 2"),
        "{}",
        row("pump_swap")
    );
    assert!(row("whole stream").contains("99.99%") && row("external_amm").contains("97,993/98,000"));
}

#[test]
fn a_forecast_is_shown_with_its_interval_or_not_at_all() {
    let mut model = model(fixture::view());
    let screen = lines(&frame(&mut model, (200, 60), &dark()));
    let row = |name: &str| {
        let rows = screen.iter().skip_while(|line| !line.contains("in 30 s"));
        rows.into_iter().find(|line| line.contains(name)).unwrap().clone()
    };
    assert!(row("bonding_curve").contains("270 210-330"), "{}", row("bonding_curve"));
    assert!(!row("external_amm").contains("100 70.0-110"), "too early to say");
}
