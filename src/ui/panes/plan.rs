//! What a rebalance would do, before it is done.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    stream::status::RebalancePlan,
    ui::{
        draw::Draw,
        format::share,
        layout::middle,
        panes::overlay,
        widgets::{line, pieces, text},
    },
};

/// Draws the plan.
pub fn draw(buffer: &mut Buffer, area: Rect, plan: &RebalancePlan, draw: &Draw<'_>) {
    let theme = draw.theme;
    let moves = u16::try_from(plan.moves.len()).unwrap_or(u16::MAX);
    let inner =
        overlay(buffer, middle(area, 62, moves.saturating_add(if moves == 0 { 4 } else { 7 })), "Rebalance", "", draw);
    let busiest = [share(plan.busiest_before), share(plan.busiest_after)];
    let [before, after] = &busiest;
    if plan.moves.is_empty() {
        text(buffer, line(inner, 0), "The load is already even: nothing would move.", theme.text);
        pieces(buffer, line(inner, 1), &[("Busiest connection carries ", theme.dim), (before, theme.text)]);
        return;
    }
    for (index, step) in plan.moves.iter().enumerate() {
        let (from, to) = (step.from.to_string(), step.to.to_string());
        let name = draw.model.view.names.name(step.group);
        let words = [
            ("move ", theme.dim),
            (name, theme.strong),
            ("  connection ", theme.dim),
            (&from, theme.strong),
            (" ", theme.dim),
            (draw.glyphs.arrow, theme.accent),
            (" ", theme.dim),
            (&to, theme.strong),
        ];
        pieces(buffer, line(inner, u16::try_from(index).unwrap_or(u16::MAX)), &words);
    }
    let permits = plan.permits.to_string();
    let arrow = format!(" {} ", draw.glyphs.arrow);
    pieces(buffer, line(inner, moves.saturating_add(1)), &[("Permits     ", theme.dim), (&permits, theme.strong)]);
    let load =
        [("Busiest     ", theme.dim), (before.as_str(), theme.text), (&arrow, theme.accent), (after, theme.strong)];
    pieces(buffer, line(inner, moves.saturating_add(2)), &load);
    let budget = &draw.model.view.budget;
    let short = budget.limit > 0 && budget.limit.saturating_sub(budget.used) < plan.permits;
    let (words, style) = if short {
        ("The budget cannot pay for this now.", theme.bad)
    } else {
        ("Make before break: no group is ever without a stream.", theme.dim)
    };
    text(buffer, line(inner, moves.saturating_add(4)), words, style);
}
