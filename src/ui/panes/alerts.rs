//! MEV alerts as they stand now, the newest first.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    chain::ids::WRAPPED_SOL,
    engine::view::AlertView,
    mev::{State, alert::Band},
    ui::{
        draw::Draw,
        format::{count, share, sol},
        model::Pane,
        panes::tokens::symbol,
        widgets::{
            after, line,
            pane::{self, Title},
            text, text_right, words,
        },
    },
};

/// Widths of age, class and confidence, and of each amount behind the symbol.
const AGE: u16 = 3;
const CLASS: u16 = 19;
const SURE: u16 = 6;
const AMOUNT: u16 = 9;
/// Least width of the symbol.
const SYMBOL: u16 = 8;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let view = &draw.model.view;
    let right = match view.alerts_muted {
        0 => String::new(),
        muted => format!("{} muted", count(muted)),
    };
    let title = Title { name: "MEV alerts", right: &right, focused: draw.focused(Pane::Alerts) };
    let inner = pane::frame(buffer, area, title, draw);
    if view.alerts.entries.is_empty() {
        return pane::sentence(buffer, inner, "No alert yet.", draw);
    }
    let fixed = 1 + AGE + 1 + CLASS + 1 + SURE + 1;
    let amounts = inner.width.saturating_sub(fixed + SYMBOL) >= 2 * (AMOUNT + 1);
    let tail = if amounts { 2 * (AMOUNT + 1) } else { 0 };
    let name = inner.width.saturating_sub(fixed + tail + 1);
    let (head, rows) = if amounts && inner.height > 1 { (1, inner.height - 1) } else { (0, inner.height) };
    let losses = fixed + name + 1;
    if head > 0 {
        let place = |from| Rect { width: AMOUNT, ..after(line(inner, 0), from) };
        text_right(buffer, place(losses), "lost SOL", draw.theme.dim);
        text_right(buffer, place(losses + AMOUNT + 1), "profit", draw.theme.dim);
    }
    for (row, entry) in (head..head + rows).zip(view.latest_alerts()) {
        let whole = line(inner, row);
        let alert = &entry.alert;
        let style = style(entry, draw);
        let cell = |from, width| Rect { width, ..after(whole, from) };
        text_right(buffer, cell(1, AGE), &draw.clock.age(Some(alert.recv_us.div_euclid(1_000))), draw.theme.dim);
        text(buffer, cell(AGE + 2, CLASS), &class(entry), style);
        text_right(buffer, cell(AGE + CLASS + 3, SURE), &share(Some(alert.confidence)), style);
        words(buffer, cell(fixed, name), symbol(entry.symbol.as_str()), draw.theme.strong, &draw.glyphs);
        if amounts {
            for (from, amount) in [(losses, alert.victim_loss), (losses + AMOUNT + 1, alert.profit)] {
                text_right(buffer, cell(from, AMOUNT), &lamports(entry, amount, draw), draw.theme.text);
            }
        }
    }
}

/// The class in words; what was taken back says so.
fn class(entry: &AlertView) -> String {
    match entry.alert.state {
        State::Retracted => format!("retracted {}", entry.alert.class.name().replace('_', " ")),
        State::Provisional | State::Confirmed => entry.alert.class.name().replace('_', " "),
    }
}

/// Attacks stand out by how sure they are.
fn style(entry: &AlertView, draw: &Draw<'_>) -> Style {
    let (alert, theme) = (&entry.alert, draw.theme);
    match (alert.state, alert.class.is_attack(), alert.band()) {
        (State::Retracted, ..) => theme.dim,
        (_, true, Band::Likely | Band::Confirmed) => theme.bad,
        (_, true, Band::Low | Band::Suspected) => theme.warn,
        (_, false, _) => theme.accent,
    }
}

/// An amount of the pool's quote in SOL, where that is its quote.
fn lamports(entry: &AlertView, amount: Option<i64>, draw: &Draw<'_>) -> String {
    #[allow(clippy::cast_precision_loss, reason = "shown, not computed with")]
    let in_sol = amount.filter(|_| entry.alert.quote_mint == WRAPPED_SOL).map(|lamports| lamports as f64 / 1e9);
    sol(in_sol, draw.glyphs.ascii)
}
