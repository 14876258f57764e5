//! A transaction as it goes over the network: legacy, v0 and v1 (SIMD-0385), without any result.

use thiserror::Error;

/// The first byte of a v1 transaction.
const V1: u8 = 0x81;
/// Set in the first byte of a versioned message.
const VERSIONED: u8 = 0x80;
/// Bits of v1's mask that stand for a priority fee together, and those of one four-byte number each.
const PRIORITY_FEE: u32 = 0b11;
const NUMBERS: [u32; 3] = [0b100, 0b1000, 0b1_0000];

/// Why bytes are no transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// It ends too early.
    #[error("the transaction ends inside a field")]
    Truncated,
    /// There are bytes behind its end.
    #[error("{0} bytes follow the transaction")]
    TrailingBytes(usize),
    /// Its version is none that is known.
    #[error("unknown transaction version {0}")]
    Version(u8),
    /// A number takes more than 16 bits.
    #[error("a length is out of range")]
    Length,
}

/// A transaction without its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// `None` for legacy transactions.
    pub version: Option<u8>,
    /// Its signatures.
    pub signatures: Vec<[u8; 64]>,
    /// The keys it names itself; those of lookup tables are known only with its result.
    pub keys: Vec<[u8; 32]>,
    /// Its top-level instructions.
    pub instructions: Vec<EnvelopeInstruction>,
}

/// See [`Envelope::instructions`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeInstruction {
    /// Index of its program among the keys.
    pub program: u8,
    /// Indices of its accounts.
    pub accounts: Vec<u8>,
    /// Its data.
    pub data: Vec<u8>,
}

impl Envelope {
    /// Reads a transaction.
    ///
    /// # Errors
    /// When the bytes are no transaction, or more than one.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut rest = Rest(bytes);
        let envelope = if bytes.first() == Some(&V1) { v1(&mut rest)? } else { older(&mut rest)? };
        if rest.0.is_empty() { Ok(envelope) } else { Err(EnvelopeError::TrailingBytes(rest.0.len())) }
    }
}

fn older(rest: &mut Rest<'_>) -> Result<Envelope, EnvelopeError> {
    let signatures = (0..rest.length()?).map(|_| rest.array()).collect::<Result<_, _>>()?;
    let first = rest.byte()?;
    let version = match first {
        VERSIONED => {
            rest.byte()?;
            Some(0)
        }
        other if other & VERSIONED != 0 => return Err(EnvelopeError::Version(other & !VERSIONED)),
        _ => None,
    };
    rest.take(2)?; // the rest of the header
    let keys = (0..rest.length()?).map(|_| rest.array()).collect::<Result<_, _>>()?;
    rest.take(32)?; // blockhash
    let instruction = |rest: &mut Rest<'_>| {
        let program = rest.byte()?;
        let accounts = rest.length()?;
        let accounts = rest.take(accounts)?.to_vec();
        let data = rest.length()?;
        Ok(EnvelopeInstruction { program, accounts, data: rest.take(data)?.to_vec() })
    };
    let instructions = (0..rest.length()?).map(|_| instruction(rest)).collect::<Result<_, _>>()?;
    if version.is_some() {
        for _ in 0..rest.length()? {
            rest.take(32)?; // lookup table
            for _ in 0..2 {
                let indices = rest.length()?;
                rest.take(indices)?;
            }
        }
    }
    Ok(Envelope { version, signatures, keys, instructions })
}

fn v1(rest: &mut Rest<'_>) -> Result<Envelope, EnvelopeError> {
    rest.byte()?;
    let [signers, _, _] = rest.array()?;
    let mask = u32::from_le_bytes(rest.array()?);
    rest.take(32)?; // blockhash
    let (instructions, keys) = (rest.byte()?, rest.byte()?);
    let keys = (0..keys).map(|_| rest.array()).collect::<Result<_, _>>()?;
    let numbers = NUMBERS.into_iter().filter(|bit| mask & bit != 0).count();
    rest.take(if mask & PRIORITY_FEE != 0 { 8 } else { 0 } + 4 * numbers)?;
    let header = |rest: &mut Rest<'_>| {
        let (program, accounts) = (rest.byte()?, rest.byte()?);
        Ok((program, usize::from(accounts), usize::from(u16::from_le_bytes(rest.array()?))))
    };
    let headers = (0..instructions).map(|_| header(rest)).collect::<Result<Vec<_>, EnvelopeError>>()?;
    let payload = |(program, accounts, data)| {
        Ok(EnvelopeInstruction { program, accounts: rest.take(accounts)?.to_vec(), data: rest.take(data)?.to_vec() })
    };
    let instructions = headers.into_iter().map(payload).collect::<Result<_, EnvelopeError>>()?;
    let signatures = (0..signers).map(|_| rest.array()).collect::<Result<_, _>>()?;
    Ok(Envelope { version: Some(1), signatures, keys, instructions })
}

/// What is not read yet. No length is trusted before that many bytes are there.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], EnvelopeError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(EnvelopeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EnvelopeError> {
        self.take(N)?.try_into().map_err(|_| EnvelopeError::Truncated)
    }

    fn byte(&mut self) -> Result<u8, EnvelopeError> {
        self.array().map(|[byte]| byte)
    }

    /// A length in groups of seven bits.
    fn length(&mut self) -> Result<usize, EnvelopeError> {
        let mut length = 0_u32;
        for shift in [0, 7, 14] {
            let byte = self.byte()?;
            length |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u16::try_from(length).map(usize::from).map_err(|_| EnvelopeError::Length);
            }
        }
        Err(EnvelopeError::Length)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn expected(version: Option<u8>) -> Envelope {
        let instruction = EnvelopeInstruction { program: 1, accounts: vec![0, 1], data: vec![7; 130] };
        let instructions = vec![instruction.clone(), EnvelopeInstruction { data: Vec::new(), ..instruction }];
        Envelope { version, signatures: vec![[5; 64]], keys: vec![[1; 32], [2; 32]], instructions }
    }

    fn older(version: Option<u8>) -> Vec<u8> {
        let mut bytes = vec![1];
        bytes.extend([5; 64]);
        bytes.extend(version.map(|version| VERSIONED | version));
        bytes.extend([1, 0, 1, 2]);
        bytes.extend([[1; 32], [2; 32], [9; 32]].concat());
        bytes.extend([2, 1, 2, 0, 1, 0x82, 1]);
        bytes.extend([7; 130]);
        bytes.extend([1, 2, 0, 1, 0]);
        if version.is_some() {
            bytes.push(1);
            bytes.extend([3; 32]);
            bytes.extend([1, 0, 2, 4, 5]);
        }
        bytes
    }

    fn newest() -> Vec<u8> {
        let mut bytes = vec![V1, 1, 0, 1, 0b111, 0, 0, 0];
        bytes.extend([9; 32]);
        bytes.extend([2, 2]);
        bytes.extend([[1; 32], [2; 32]].concat());
        bytes.extend([0; 12]);
        bytes.extend([1, 2, 130, 0, 1, 2, 0, 0]);
        bytes.extend([0, 1]);
        bytes.extend([7; 130]);
        bytes.extend([0, 1]);
        bytes.extend([5; 64]);
        bytes
    }

    #[test]
    fn every_version_is_read_whole_and_cut_ones_are_refused() {
        for (bytes, version) in [(older(None), None), (older(Some(0)), Some(0)), (newest(), Some(1))] {
            assert_eq!(Envelope::parse(&bytes), Ok(expected(version)));
            for length in 0..bytes.len() {
                assert!(Envelope::parse(&bytes[..length]).is_err(), "{version:?} cut at {length}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert_eq!(Envelope::parse(&longer), Err(EnvelopeError::TrailingBytes(1)));
        }
        assert_eq!(Envelope::parse(&older(Some(3))), Err(EnvelopeError::Version(3)));
        assert_eq!(Envelope::parse(&[0xff, 0xff, 0xff]), Err(EnvelopeError::Length));
    }
}
