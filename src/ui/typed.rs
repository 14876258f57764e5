//! A line of text as it is typed: bounded, and nothing but what can be seen.

use unicode_segmentation::UnicodeSegmentation;
/// Longest line in characters: three mints fit.
pub const MAX_CHARS: usize = 140;

/// Text typed or pasted by the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed(String);

impl Typed {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Whether nothing is typed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Replaces the text. Characters that are not visible are left out, as are those that would join the one before into a
    /// sign of which terminals do not agree how wide it is, and what is too long is cut.
    pub fn set(&mut self, text: &str) {
        let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
        // Behind a blank, as it will stand on the screen.
        let typable: String = [' '].into_iter().chain(spaced.filter(|c| is_typable(*c))).collect();
        self.0 = typable.graphemes(true).filter_map(|sign| sign.chars().next()).skip(1).take(MAX_CHARS).collect();
    }

    /// Adds typed or pasted characters.
    pub fn push(&mut self, more: &str) {
        let text = format!("{}{}", self.0, more.get(..more.floor_char_boundary(4 * MAX_CHARS)).unwrap_or(""));
        self.set(&text);
    }

    /// Takes the last character away.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// The end of the text that fits into this many cells: what is being typed matters more than how it began.
    #[must_use]
    pub fn tail(&self, cells: u16) -> &str {
        let mut tail = self.text();
        while super::widgets::width(tail) > cells {
            let mut rest = tail.chars();
            rest.next();
            tail = rest.as_str();
        }
        tail
    }

    /// Whether each word of the line is somewhere in one of these texts, in any case of letters.
    #[must_use]
    pub fn matches(&self, texts: &[&str]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        self.0.to_lowercase().split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
    }
}

/// Whether a typed character is text: neither control nor invisible nor a change of direction.
fn is_typable(c: char) -> bool {
    !crate::chain::text::is_denied(c) && unicode_width::UnicodeWidthChar::width(c).is_some_and(|width| width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_is_cut_and_cleaned() {
        let mut typed = Typed::default();
        typed.push(&format!("a\u{1b}]52;c\u{202e}\u{200b}\n{}", "é".repeat(20_000)));
        assert_eq!(typed.text().chars().count(), MAX_CHARS);
        assert!(typed.text().starts_with("a]52;c é"));
        while !typed.is_empty() {
            typed.pop();
        }
    }

    #[test]
    fn the_tail_fits() {
        let mut typed = Typed::default();
        typed.set("ab漢字");
        assert_eq!(typed.tail(9), "ab漢字");
        assert_eq!(typed.tail(3), "字");
        assert_eq!(typed.tail(0), "");
    }

    #[test]
    fn all_words_are_needed() {
        let mut typed = Typed::default();
        typed.set("Freeze disp");
        assert!(typed.matches(&["Space", "freeze the display"]));
        assert!(!typed.matches(&["freeze"]));
    }
}
