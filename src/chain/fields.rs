//! The protobuf wire format: one message as a sequence of fields, read in place.

use std::ops::Range;

use super::wire::WireError;

/// The longest varint: 64 bits in groups of seven.
const MAX_VARINT_BYTES: usize = 10;
/// The highest field number protobuf allows.
const MAX_FIELD: u64 = (1 << 29) - 1;

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// Its number.
    pub(crate) number: u32,
    value: Value<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Varint(u64),
    Fixed64,
    /// Content and its offset in the buffer that [`Fields`] was made from.
    Bytes(&'a [u8], usize),
    Fixed32,
}

impl<'a> Field<'a> {
    /// The value of an integer, enum or bool field.
    #[inline]
    pub(crate) const fn varint(&self) -> Result<u64, WireError> {
        match self.value {
            Value::Varint(value) => Ok(value),
            _ => Err(self.wrong_type()),
        }
    }

    /// The value of an `int32` or enum field: protobuf keeps the low 32 bits.
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "what protobuf prescribes")]
    #[inline]
    pub(crate) fn int32(&self) -> Result<i32, WireError> {
        self.varint().map(|value| value as i32)
    }

    /// The value of an `int64` field: two's complement.
    #[allow(clippy::cast_possible_wrap, reason = "what protobuf prescribes")]
    #[inline]
    pub(crate) fn int64(&self) -> Result<i64, WireError> {
        self.varint().map(|value| value as i64)
    }

    /// The value of a `uint32` field: protobuf keeps the low 32 bits.
    #[allow(clippy::cast_possible_truncation, reason = "what protobuf prescribes")]
    #[inline]
    pub(crate) fn uint32(&self) -> Result<u32, WireError> {
        self.varint().map(|value| value as u32)
    }

    /// The content of a bytes, string or message field.
    #[inline]
    pub(crate) const fn bytes(&self) -> Result<&'a [u8], WireError> {
        match self.value {
            Value::Bytes(bytes, _) => Ok(bytes),
            _ => Err(self.wrong_type()),
        }
    }

    /// Where [`bytes`](Self::bytes) lies in the buffer that the field was read from.
    #[inline]
    pub(crate) const fn range(&self) -> Result<Range<usize>, WireError> {
        match self.value {
            Value::Bytes(bytes, start) => Ok(start..start + bytes.len()),
            _ => Err(self.wrong_type()),
        }
    }

    /// The content of a bytes field that must have exactly `N` bytes.
    #[inline]
    pub(crate) fn array<const N: usize>(&self) -> Result<&'a [u8; N], WireError> {
        self.bytes()?.try_into().map_err(|_| WireError::Content { field: self.number })
    }

    /// The content of a string field.
    #[inline]
    pub(crate) fn text(&self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::Content { field: self.number })
    }

    /// The values of a repeated integer field, packed or not; ends at what is none.
    pub(crate) fn varints(&self) -> impl Iterator<Item = u64> + use<'a> {
        let (single, packed) = match self.value {
            Value::Varint(value) => (Some(value), [].as_slice()),
            Value::Bytes(bytes, _) => (None, bytes),
            Value::Fixed64 | Value::Fixed32 => (None, [].as_slice()),
        };
        let mut rest = Fields::new(packed);
        single.into_iter().chain(std::iter::from_fn(move || rest.varint().ok()))
    }

    const fn wrong_type(&self) -> WireError {
        let wire_type = match self.value {
            Value::Varint(_) => 0,
            Value::Fixed64 => 1,
            Value::Bytes(..) => 2,
            Value::Fixed32 => 5,
        };
        WireError::WireType { field: self.number, wire_type }
    }
}

/// The fields of one message, in wire order. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    /// The buffer up to the message's end: offsets are those of the buffer.
    buffer: &'a [u8],
    at: usize,
}

// Everything on the way of a short field is inlined: a message has hundreds.
#[allow(clippy::inline_always, reason = "measured: the walk takes half the time")]
impl<'a> Fields<'a> {
    /// The fields of the message that fills `buffer`.
    pub(crate) const fn new(buffer: &'a [u8]) -> Self {
        Self { buffer, at: 0 }
    }

    /// The fields of the message in that range of `buffer`; offsets stay those of `buffer`.
    pub(crate) fn within(buffer: &'a [u8], range: Range<usize>) -> Self {
        Self { buffer: buffer.get(..range.end).unwrap_or(buffer), at: range.start }
    }

    /// Offset of the next field.
    pub(crate) const fn offset(&self) -> usize {
        self.at
    }

    /// Passes over the following fields that have that very key (number and wire type of a length-delimited field, in one
    /// byte) and lengths of one or two bytes; stops before any other.
    #[inline]
    pub(crate) fn pass_like(&mut self, key: u8) {
        while self.next_range(key).is_some() {}
    }

    /// The contents of the following fields that have that very key and exactly 32 bytes; stops before any other.
    #[inline]
    pub(crate) fn run_of(&mut self, key: u8) -> impl Iterator<Item = [u8; 32]> + use<'a> {
        let (fields, _) = self.buffer.get(self.at..).unwrap_or_default().as_chunks::<34>();
        let count = fields.iter().take_while(|[first, length, ..]| *first == key && *length == 32).count();
        self.at += count * 34;
        let content = |[_, _, content @ ..]: &[u8; 34]| *content;
        fields.get(..count).unwrap_or_default().iter().map(content)
    }

    /// The value of the next field, if it has that very key and a value below 128.
    #[inline]
    pub(crate) fn next_number(&mut self, key: u8) -> Option<u8> {
        match self.buffer.get(self.at..)? {
            [first, value @ 0..0x80, ..] if *first == key => {
                self.at += 2;
                Some(*value)
            }
            _ => None,
        }
    }

    /// Where the content of the next field lies, if that has that very key and a length of one or two bytes.
    #[inline]
    pub(crate) fn next_range(&mut self, key: u8) -> Option<Range<usize>> {
        let (head, length) = match self.buffer.get(self.at..)? {
            [first, length @ 0..0x80, ..] if *first == key => (2, usize::from(*length)),
            [first, low, high @ 0..0x80, ..] if *first == key => (3, usize::from(low & 0x7f) | usize::from(*high) << 7),
            _ => return None,
        };
        let start = self.at + head;
        let end = start + length;
        if end > self.buffer.len() {
            return None;
        }
        self.at = end;
        Some(start..end)
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, WireError> {
        match self.buffer.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            Some(&low) if let Some(&high @ 0..0x80) = self.buffer.get(self.at + 1) => {
                self.at += 2;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self) -> Result<u64, WireError> {
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let mut value = 0_u64;
        for (position, &byte) in rest.iter().take(MAX_VARINT_BYTES).enumerate() {
            // The tenth byte has room for one bit.
            if position == MAX_VARINT_BYTES - 1 && byte > 1 {
                return Err(WireError::Varint);
            }
            value |= u64::from(byte & 0x7f) << (7 * position);
            if byte < 0x80 {
                self.at += position + 1;
                return Ok(value);
            }
        }
        Err(WireError::Truncated)
    }

    #[inline(always)]
    fn skip(&mut self, length: u64) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(length).map_err(|_| WireError::Truncated)?;
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let bytes = rest.get(..length).ok_or(WireError::Truncated)?;
        self.at += length;
        Ok(bytes)
    }

    #[inline(always)]
    fn field(&mut self) -> Result<Field<'a>, WireError> {
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 || number > MAX_FIELD {
            return Err(WireError::Content { field: 0 });
        }
        #[allow(clippy::cast_possible_truncation, reason = "checked above")]
        let number = number as u32;
        let value = match key & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.skip(8).map(|_| Value::Fixed64)?,
            2 => {
                let length = self.varint()?;
                let start = self.at;
                Value::Bytes(self.skip(length)?, start)
            }
            5 => self.skip(4).map(|_| Value::Fixed32)?,
            #[allow(clippy::cast_possible_truncation, reason = "three bits")]
            other => return Err(WireError::WireType { field: number, wire_type: other as u8 }),
        };
        Ok(Field { number, value })
    }
}

#[allow(clippy::inline_always, reason = "as above")]
impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, WireError>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.buffer.len() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.at = self.buffer.len();
        }
        Some(field)
    }
}
