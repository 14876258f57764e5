//! The subscription budget: what is held, what is kept back, when permits free, who spent them.

use ratatui::{buffer::Buffer, layout::Rect};

use crate::{
    stream::status::BudgetStatus,
    ui::{
        draw::Draw,
        format::wait,
        model::Pane,
        widgets::{
            after, bar, line,
            pane::{self, Title},
            pieces, text, width, words,
        },
    },
};

/// Draws the budget.
pub fn draw(buffer: &mut Buffer, area: Rect, draw: &Draw<'_>) {
    let theme = draw.theme;
    let budget = &*draw.model.view.budget;
    let right = if budget.window_s > 0 { format!("{} s window", budget.window_s) } else { String::new() };
    let title = Title { name: "Subscription budget", right: &right, focused: draw.focused(Pane::Budget) };
    let inner = pane::frame(buffer, area, title, draw);
    let inner = Rect { width: inner.width.saturating_sub(2), ..after(inner, 1) };
    if budget.limit == 0 {
        return pane::sentence(buffer, inner, "No limit is known for this source.", draw);
    }

    let first = line(inner, 0);
    let ratio = f64::from(budget.used) / f64::from(budget.limit);
    let figures = format!(" {}/{}", budget.used, budget.limit);
    let reserve = format!("  {} reserved", budget.reserved);
    let aside = width(&figures) + width(&reserve);
    let free = budget.limit.saturating_sub(budget.used);
    let tight = free <= budget.reserved;
    let figure_style = if tight { theme.bad } else { theme.strong };
    let bar_width = first.width.saturating_sub(aside).min(48);
    bar::draw(
        buffer,
        Rect { width: bar_width, ..first },
        Some(ratio),
        (if tight { theme.bad } else { theme.bar }, theme.bar_rest),
        draw.glyphs.ascii,
    );
    pieces(buffer, after(first, bar_width), &[(&figures, figure_style), (&reserve, theme.dim)]);

    let second = line(inner, 1);
    let next = format!("in {}", wait(budget.next_free_ms));
    let (full, full_style) = match budget.exhausted_in_ms {
        Some(ms) => (format!("used up in {}", wait(Some(ms))), theme.bad),
        None => ("the rate can go on".to_owned(), theme.dim),
    };
    if let Some(frozen) = budget.frozen_ms {
        let until = wait(Some(frozen));
        pieces(buffer, second, &[("provider's limit hit: frozen ", theme.bad), (&until, theme.bad)]);
    } else {
        let first = if budget.used == 0 { ("all free", theme.text) } else { ("next frees ", theme.dim) };
        let next = if budget.used == 0 { "" } else { next.as_str() };
        let taken = pieces(buffer, second, &[first, (next, theme.text), ("  ", theme.dim)]);
        words(buffer, after(second, taken), &full, full_style, &draw.glyphs);
    }
    strip(buffer, line(inner, 2), budget, draw);
    let axis = line(inner, 3);
    if axis.height > 0 {
        let columns = inner.width.min(STRIP_S);
        let note = "by connection";
        text(buffer, axis, "-60s", theme.dim);
        let room = Rect { width: columns, ..axis };
        if columns > 26 {
            let at = (columns - width(note)) / 2;
            text(buffer, after(room, at), note, theme.dim);
        }
        text(buffer, after(room, columns.saturating_sub(3)), "now", theme.dim);
    }
    // What it was spent on: on a line of its own, or beside the strip where that is wide enough.
    let causes = causes(budget);
    let own = line(inner, 4);
    let beside = after(axis, STRIP_S + 2);
    if own.height > 0 {
        text(buffer, own, &causes, theme.dim);
    } else if beside.width >= width(&causes) {
        text(buffer, beside, &causes, theme.dim);
    }
}

/// What the permits held were spent on, in words.
fn causes(budget: &BudgetStatus) -> String {
    let own = budget.causes().map(|(purpose, permits)| format!("{} {permits}", purpose.name()));
    let others = (budget.others > 0).then(|| match budget.processes() {
        0 => format!("unknown {}", budget.others),
        1 => format!("another process {}", budget.others),
        count => format!("{count} other processes {}", budget.others),
    });
    own.chain(others).collect::<Vec<_>>().join("  ")
}

/// Seconds of the strip.
const STRIP_S: u16 = 60;

/// When permits were spent in the last minute: the number of the connection that spent them, `+` for several.
fn strip(buffer: &mut Buffer, area: Rect, budget: &BudgetStatus, draw: &Draw<'_>) {
    let columns = area.width.min(STRIP_S);
    if columns == 0 || area.height == 0 {
        return;
    }
    let step_ms = i64::from(STRIP_S) * 1000 / i64::from(columns);
    let none = if draw.glyphs.ascii { '.' } else { '·' };
    let mut signs = vec![none; usize::from(columns)];
    for spent in &budget.spent {
        let age = draw.clock.now_ms.saturating_sub(spent.at_ms).max(0);
        let Some(sign) = usize::try_from(age / step_ms)
            .ok()
            .and_then(|back| usize::from(columns).checked_sub(back + 1))
            .and_then(|at| signs.get_mut(at))
        else {
            continue;
        };
        draw.clock.expect(u64::try_from(step_ms - age % step_ms).unwrap_or(1000));
        let id = spent.connection.and_then(|id| u32::try_from(id).ok());
        let own = id.and_then(|id| char::from_digit(id, 36)).unwrap_or('*');
        *sign = if *sign == none || *sign == own { own } else { '+' };
    }
    for (index, sign) in signs.into_iter().enumerate() {
        let style = if sign == none { draw.theme.border } else { draw.theme.accent };
        let place = after(area, u16::try_from(index).unwrap_or(u16::MAX));
        text(buffer, place, sign.encode_utf8(&mut [0; 4]), style);
    }
}
