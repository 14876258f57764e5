//! Short untrusted text without a heap.

use std::{fmt, ops::Deref};

/// Bytes as the chain holds them, perhaps not UTF-8: up to `N` in place, more on the heap.
#[derive(Clone)]
pub struct Words<const N: usize>(Place<N>);

#[derive(Clone)]
enum Place<const N: usize> {
    Here { bytes: [u8; N], length: u8 },
    Heap(Box<[u8]>),
}

impl<const N: usize> From<&[u8]> for Words<N> {
    fn from(text: &[u8]) -> Self {
        let mut bytes = [0; N];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text);
                Self(Place::Here { bytes, length })
            }
            _ => Self(Place::Heap(text.into())),
        }
    }
}

impl<const N: usize> Deref for Words<N> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Place::Here { bytes, length } => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Place::Heap(bytes) => bytes,
        }
    }
}

impl<const N: usize> PartialEq for Words<N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<const N: usize> fmt::Debug for Words<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_every_length_is_kept() {
        for length in 0..600 {
            let text: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap_or(0)).collect();
            assert_eq!(*Words::<32>::from(&text[..]), text[..]);
            assert_eq!(*Words::<200>::from(&text[..]), text[..]);
            assert_eq!(*Words::<300>::from(&text[..]), text[..]);
        }
        assert!(Words::<4>::from(&b"abc"[..]) != Words::from(&b"abd"[..]));
    }
}
