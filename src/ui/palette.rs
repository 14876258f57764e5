//! The palette: any action by a few letters of its name or its help, with what it is to be done to.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{AtomKind, CaseMatching, Normalization, Pattern},
};

use super::{
    action::{Action, Argument, Binding, TABLE},
    model::{Model, Tab},
    panes,
    typed::Typed,
};
use crate::{chain::group::Group, stream::status::Throttle};

/// What can be chosen: an action, and what follows its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position of the action in the table.
    pub position: usize,
    /// What it is to be done to; empty for whatever is selected.
    pub argument: String,
}

impl Entry {
    /// The action's row of the table.
    #[must_use]
    pub fn row(&self) -> Option<&'static Binding> {
        TABLE.get(self.position)
    }

    /// As it is listed: `sort column volume`.
    #[must_use]
    pub fn label(&self) -> String {
        let name = self.row().map_or("", |row| row.name).replace('_', " ");
        if self.argument.is_empty() { name } else { format!("{name} {}", self.argument) }
    }

    /// What may follow the name, where nothing does yet.
    #[must_use]
    pub fn wants(&self) -> &'static str {
        let row = self.row().filter(|_| self.argument.is_empty());
        row.map_or("", |row| row.argument.name())
    }
}

/// The open palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Palette {
    /// What is typed.
    pub typed: Typed,
    /// Everything there was to choose when it was opened.
    all: Vec<Entry>,
    /// What matches, best first.
    pub entries: Vec<Entry>,
    /// The chosen one.
    pub choice: usize,
}

impl Palette {
    /// A palette of everything that can be done now.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let mut all = Vec::new();
        for (position, row) in TABLE.iter().enumerate() {
            all.push(Entry { position, argument: String::new() });
            let arguments: Vec<String> = match row.argument {
                Argument::None | Argument::Text | Argument::Path => Vec::new(),
                Argument::Tab => (1..=Tab::ALL.len()).map(|number| number.to_string()).collect(),
                Argument::Level => pairs(model, &LEVELS, |level, id| format!("{id} {}", level_name(*level))),
                Argument::Target => {
                    let groups: Vec<Group> = model.view.groups.iter().map(|group| group.group).collect();
                    pairs(model, &groups, |group, id| format!("{} {id}", model.view.names.name(*group)))
                }
                Argument::Theme => model.themes.names().map(str::to_owned).collect(),
                Argument::Order => panes::titles(model.pane()).iter().map(|title| (*title).to_owned()).collect(),
                Argument::Connection => {
                    model.view.connections.iter().map(|connection| connection.status.id.to_string()).collect()
                }
            };
            all.extend(arguments.into_iter().map(|argument| Entry { position, argument }));
        }
        let mut palette = Self { typed: Typed::default(), all, entries: Vec::new(), choice: 0 };
        palette.edit(|_| ());
        palette
    }

    /// Changes what is typed.
    pub fn edit(&mut self, change: impl FnOnce(&mut Typed)) {
        change(&mut self.typed);
        self.choice = 0;
        self.entries = ranked(&self.all, self.typed.text());
    }

    /// Moves the choice.
    pub fn by(&mut self, step: isize) {
        self.choice = super::movement::moved(self.choice, step, self.entries.len());
    }

    /// What is chosen: the action and what follows its name.
    #[must_use]
    pub fn chosen(&self) -> Option<(Action, &str)> {
        let entry = self.entries.get(self.choice)?;
        Some((entry.row()?.action, &entry.argument))
    }
}

/// Levels of throttling, in the order of the key.
const LEVELS: [Throttle; 4] = [Throttle::Full, Throttle::WithoutLow, Throttle::HighOnly, Throttle::Paused];

/// A throttle level as it is typed: `high-only`.
fn level_name(level: Throttle) -> String {
    level.name().replace([' ', '_'], "-")
}

/// The throttle level that is typed like this.
pub(super) fn level(name: &str) -> Option<Throttle> {
    LEVELS.into_iter().find(|level| level_name(*level) == name)
}

/// One of these with every connection.
fn pairs<T>(model: &Model, of: &[T], text: impl Fn(&T, usize) -> String) -> Vec<String> {
    let connections = model.view.connections.iter().map(|connection| connection.status.id);
    connections.flat_map(|id| of.iter().map(move |one| (one, id))).map(|(one, id)| text(one, id)).collect()
}

fn ranked(all: &[Entry], typed: &str) -> Vec<Entry> {
    if typed.trim().is_empty() {
        return all.iter().filter(|entry| entry.argument.is_empty()).cloned().collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut characters = Vec::new();
    let pattern = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let mut score = |text: &str| pattern.score(Utf32Str::new(text, &mut characters), &mut matcher);
    let mut found: Vec<(u32, &Entry)> = Vec::new();
    for entry in all {
        let label = entry.label();
        // A hit in the name is worth more than one in the help.
        let in_name = score(&label).map(|score| score.saturating_mul(2));
        let help = entry.row().map_or("", |row| row.help);
        let best = in_name.or_else(|| score(&format!("{label} {help}")));
        found.extend(best.map(|best| (best, entry)));
    }
    // Stable: of equals, the first of the table, and without an argument before with one.
    found.sort_by_key(|(score, entry)| (std::cmp::Reverse(*score), entry.label().len()));
    let free = all.iter().filter(|entry| entry.argument.is_empty()).filter_map(|entry| {
        let row = entry.row().filter(|row| matches!(row.argument, Argument::Text | Argument::Path))?;
        let argument = typed.trim_start().strip_prefix(row.name)?.strip_prefix(' ')?.trim();
        (!argument.is_empty()).then(|| Entry { position: entry.position, argument: argument.to_owned() })
    });
    free.chain(found.into_iter().map(|(_, entry)| entry.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Entry> {
        let plain = |position| Entry { position, argument: String::new() };
        let mut all: Vec<Entry> = (0..TABLE.len()).map(plain).collect();
        let sort = TABLE.iter().position(|row| row.argument == Argument::Order).unwrap_or(0);
        all.extend(panes::tokens::TITLES.map(|title| Entry { position: sort, argument: title.to_owned() }));
        all
    }

    fn first(typed: &str) -> String {
        ranked(&all(), typed).first().map(Entry::label).unwrap_or_default()
    }

    #[test]
    fn every_action_is_found_by_its_own_name() {
        for row in &TABLE {
            assert_eq!(first(&row.name.replace('_', " ")), row.name.replace('_', " "));
        }
    }

    #[test]
    fn letters_words_help_and_arguments_find() {
        assert_eq!(first("frz"), "freeze");
        assert_eq!(first("thr up"), "throttle up");
        assert_eq!(first("snapshot"), "export");
        assert_eq!(first("sort mcap"), "sort column mcap SOL");
        assert_eq!(first("filter mc>100 wif"), "filter mc>100 wif");
        assert_eq!(first("export ~/a b.json"), "export ~/a b.json");
        assert_eq!(first("zzzz"), "");
        assert_eq!(ranked(&all(), "").len(), TABLE.len());
    }
}
