//! What happened in tokens' lives: launches, milestones, completions, graduations.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    engine::view::LifecycleStep,
    ui::{
        draw::Draw,
        format::{scaled, short},
        model::Pane,
        panes::tokens::symbol,
        widgets::{
            after, line,
            pane::{self, Title},
            table::mark,
            text, text_right,
        },
    },
};

/// Draws the newest entries, newest first.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let (model, theme, glyphs) = (draw.model, draw.theme, &draw.glyphs);
    let entries = &model.view.lifecycle.entries;
    let focused = draw.focused(Pane::Lifecycle);
    let inner = pane::frame(buffer, area, Title { name: "Lifecycle", right: "", focused }, draw);
    if entries.is_empty() {
        return pane::sentence(buffer, inner, "No launch, milestone or graduation yet.", draw);
    }
    let selected = model.step_row();
    let rows = model.scroll(Pane::Lifecycle).window(selected, entries.len(), usize::from(inner.height));
    for (index, row) in rows.enumerate() {
        let Some(entry) = entries.len().checked_sub(row + 1).and_then(|at| entries.get(at)) else { break };
        let whole = line(inner, u16::try_from(index).unwrap_or(u16::MAX));
        let place = Rect { width: whole.width.saturating_sub(2), ..after(whole, 1) };
        text_right(
            buffer,
            Rect { width: place.width.min(3), ..place },
            &draw.clock.age(Some(entry.recv_ms)),
            theme.dim,
        );
        let percent;
        let (sign, words, style) = match entry.step {
            LifecycleStep::Created => (glyphs.star, "launched", theme.accent),
            LifecycleStep::Progress(reached) => {
                percent = format!("{reached}% sold");
                (glyphs.up, percent.as_str(), if reached >= 90 { theme.warn } else { theme.text })
            }
            LifecycleStep::MarketCapSol(reached) => {
                percent = format!("{} SOL", scaled(reached));
                (glyphs.up, percent.as_str(), theme.text)
            }
            LifecycleStep::MarketCapUsd(reached) => {
                percent = format!("${}", scaled(reached));
                (glyphs.up, percent.as_str(), theme.text)
            }
            LifecycleStep::Completed => (glyphs.done, "sold out", theme.warn),
            LifecycleStep::Graduated(_) => (glyphs.arrow, "graduated", theme.good),
            LifecycleStep::LiquidityRemoved { share_pct, .. } => {
                percent = format!("-{share_pct:.0}% LP");
                (glyphs.down, percent.as_str(), theme.warn)
            }
            LifecycleStep::Parted { apart_pct, .. } => {
                percent = format!("{apart_pct:+.0}% apart");
                (glyphs.down, percent.as_str(), theme.warn)
            }
        };
        let what = after(place, 4);
        text(buffer, what, sign, style);
        let said = after(Rect { width: what.width.min(12), ..what }, 2);
        text(buffer, said, words, style);
        if entry.uncertain {
            // In the cell that is free between the sign and the words.
            text(buffer, Rect { x: said.x.saturating_sub(1), width: said.width.min(1), ..said }, "~", theme.warn);
        }
        let who = after(what, 13);
        let mint_width = if who.width >= 22 { 10 } else { 0 };
        let name = Rect { width: who.width.saturating_sub(mint_width).min(16), ..who };
        crate::ui::widgets::words(buffer, name, symbol(entry.symbol.as_str()), theme.strong, glyphs);
        if mint_width > 0 {
            text(buffer, after(who, name.width + 1), &short(&entry.mint.to_string(), glyphs.ascii), theme.dim);
        }
        if focused && selected == Some(row) {
            mark(buffer, whole, draw);
        }
    }
}
