//! The append-tolerant reader of event bodies.
//!
//! The programs only ever append fields. So a body that ends early is an older layout: what is not there reads as `None`,
//! and so does everything behind it. A body with bytes left over is a newer layout.

use crate::chain::ids::Key;

/// Reads little-endian fields one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let split = self.rest.split_at_checked(length);
        let (bytes, rest) = split.map_or((None, [].as_slice()), |(bytes, rest)| (Some(bytes), rest));
        self.rest = rest;
        bytes
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(super) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    pub(super) fn i128(&mut self) -> Option<i128> {
        self.array().map(i128::from_le_bytes)
    }

    pub(super) fn bool(&mut self) -> Option<bool> {
        self.u8().map(|byte| byte != 0)
    }

    pub(super) fn key<K>(&mut self) -> Option<Key<K>> {
        self.array().map(Key::new)
    }

    /// A borsh string, as bytes: its length is checked against what is there before anything is made of it.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.array().map(u32::from_le_bytes)?;
        self.bytes(usize::try_from(length).ok()?)
    }

    /// Skips a fixed number of bytes.
    pub(super) fn skip(&mut self, length: usize) {
        self.bytes(length);
    }

    /// Skips a borsh vector of items of `size` bytes.
    pub(super) fn skip_items(&mut self, size: usize) {
        let count = self.array().map_or(0, u32::from_le_bytes);
        self.bytes(usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size));
    }

    /// Bytes not read yet.
    pub(super) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether bytes are left over.
    pub(super) const fn has_tail(&self) -> bool {
        !self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_body_reads_as_absent_from_there_on() {
        let mut cursor = Cursor::new(&[1, 0, 0, 0, 0, 0, 0, 0, 9, 9]);
        assert_eq!(cursor.u64(), Some(1));
        assert_eq!(cursor.u64(), None);
        assert_eq!(cursor.u8(), None, "bytes of a cut field must not be read as the next field");
        assert!(!cursor.has_tail());
    }

    #[test]
    fn hostile_lengths_read_as_absent() {
        let mut cursor = Cursor::new(&[0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
        assert_eq!(cursor.text(), None);
        let mut cursor = Cursor::new(&[0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
        cursor.skip_items(34);
        assert_eq!(cursor.u8(), None);
    }

    #[test]
    fn what_is_left_over_is_a_tail() {
        let mut cursor = Cursor::new(&[1, 7]);
        assert_eq!(cursor.bool(), Some(true));
        assert!(cursor.has_tail());
    }
}
