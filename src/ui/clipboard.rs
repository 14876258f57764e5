//! Copying by OSC 52: the terminal puts the text into the clipboard, over any number of remote shells.
//!
//! Nothing but addresses and signatures is ever copied: what stands on the screen may come from strangers, and a clipboard
//! is pasted into shells.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::chain::ids::{Mint, Signature};

/// The sequence that asks the terminal to copy this; `None` when it is no address (32 bytes) or signature (64 bytes) in
/// base58.
#[must_use]
pub fn sequence(base58: &str) -> Option<Vec<u8>> {
    let known = base58.parse::<Mint>().is_ok() || base58.parse::<Signature>().is_ok();
    known.then(|| format!("\x1b]52;c;{}\x07", STANDARD.encode(base58)).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_and_signatures_are_copied() {
        let mint = Mint::new([7; 32]).to_string();
        let copied = sequence(&mint).unwrap_or_default();
        assert_eq!(copied, format!("\x1b]52;c;{}\x07", STANDARD.encode(&mint)).into_bytes());
        assert!(sequence(&Signature::from([9; 64]).to_string()).is_some());
    }

    proptest! {
        #[test]
        fn nothing_else_is(text: String) {
            prop_assert_eq!(sequence(&text), None);
        }

        #[test]
        fn not_even_part_of_an_address(cut in 1usize..20, more in "[ ;\\x07\\x1b0OIl]{1,3}") {
            let mint = Mint::new([7; 32]).to_string();
            prop_assert_eq!(sequence(&mint[..mint.len() - cut]), None);
            let longer = format!("{mint}{more}");
            prop_assert_eq!(sequence(&longer), None);
        }
    }
}
