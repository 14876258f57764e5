//! The completeness strip: what is proven of each of the newest slots, and of all since the start.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use crate::{
    engine::view::{CompletenessView, Proof, floor_percent},
    ui::{
        draw::Draw,
        format::count,
        model::Pane,
        widgets::{
            after, line,
            pane::{self, Title},
            pieces, text,
        },
    },
};

/// Share of the settled slots of which nothing is missing, in percent, floored: 100 only if nothing is. `None` until one is
/// settled.
#[must_use]
pub fn complete_percent(view: &CompletenessView) -> Option<f64> {
    let counts = &view.counts;
    let whole = counts.proven.saturating_add(counts.repaired).saturating_add(counts.skipped);
    floor_percent(whole, whole.saturating_add(counts.lost))
}

/// Draws the strip.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let view = &*draw.model.view.completeness;
    let mut right = match (view.strip.first(), view.strip.last()) {
        (Some(first), Some(last)) => format!("slots {} to {}", count(first.slot), count(last.slot)),
        _ => String::new(),
    };
    if let Some(checkpoint) = &view.checkpoint {
        right = match (&checkpoint.trouble, checkpoint.slot) {
            (Some(trouble), _) => trouble.to_string(),
            (None, Some(slot)) => {
                let age = draw.clock.age(checkpoint.written_ms);
                format!("checkpoint {}, {age} ago · {right}", count(slot))
            }
            (None, None) => format!("no checkpoint yet · {right}"),
        };
    }
    let title = Title { name: "Completeness", right: &right, focused: draw.focused(Pane::Completeness) };
    let inner = pane::frame(buffer, area, title, draw);
    let inner = Rect { width: inner.width.saturating_sub(2), ..after(inner, 1) };
    if view.strip.is_empty() {
        return pane::sentence(buffer, inner, "No slot has been judged yet.", draw);
    }
    // The newest slot stands at the right; what does not fit is the oldest.
    let first = line(inner, 0);
    let fits = view.strip.len().saturating_sub(usize::from(first.width));
    for (index, slot) in view.strip.iter().skip(fits).enumerate() {
        let (sign, style) = sign(slot.proof, draw);
        text(buffer, after(first, u16::try_from(index).unwrap_or(u16::MAX)), sign, style);
    }
    let counts = &view.counts;
    let figures = [
        (Proof::Proven, counts.proven),
        (Proof::Repaired, counts.repaired),
        (Proof::Pending, counts.pending),
        (Proof::Skipped, counts.skipped),
        (Proof::Lost, counts.lost),
    ];
    let second = line(inner, 1);
    let mut x = 0;
    for (proof, number) in figures {
        let (sign, style) = sign(proof, draw);
        let loud = proof == Proof::Lost && number > 0;
        let words = [
            (sign, style),
            (" ", theme.dim),
            (proof.name(), theme.dim),
            (" ", theme.dim),
            (&count(number), if loud { theme.bad } else { theme.text }),
        ];
        x += pieces(buffer, after(second, x), &words) + 2;
    }
    if view.lost_transactions > 0 {
        let words = format!("{} transactions missing", count(view.lost_transactions));
        x += text(buffer, after(second, x), &words, theme.bad) + 2;
    }
    if view.narrowed > 0 {
        let words = format!("of {} slots only some tokens were asked for", count(view.narrowed));
        text(buffer, after(second, x), &words, theme.warn);
    }
}

/// Sign and look of a proof: the sign alone says it too.
fn sign(proof: Proof, draw: &Draw<'_>) -> (&'static str, Style) {
    let (theme, glyphs) = (draw.theme, &draw.glyphs);
    match proof {
        Proof::Proven => (glyphs.done, theme.good),
        Proof::Repaired => ("+", theme.accent),
        Proof::Pending => (if glyphs.ascii { "." } else { "·" }, theme.dim),
        Proof::Skipped => ("_", theme.dim),
        Proof::Lost => (glyphs.cross, theme.bad),
    }
}
