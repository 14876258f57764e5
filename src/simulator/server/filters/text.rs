//! Base58 and base64 as `memcmp` conditions write them.

/// Decodes base58 in the Bitcoin alphabet.
pub(super) fn base58(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut little_endian: Vec<u8> = Vec::new();
    for letter in text.bytes() {
        let mut carry = u32::try_from(ALPHABET.iter().position(|&known| known == letter)?).ok()?;
        for byte in &mut little_endian {
            carry += u32::from(*byte) * 58;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry > 0 {
            little_endian.push(carry.to_le_bytes()[0]);
        }
    }
    let zeros = text.bytes().take_while(|&letter| letter == b'1').count();
    let mut bytes = vec![0; zeros];
    bytes.extend(little_endian.iter().rev());
    Some(bytes)
}

/// Decodes base64 in the standard alphabet; padding may be left out.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut pending, mut bits) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        pending = (pending << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((pending >> bits).to_le_bytes()[0]);
            pending &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use solana_sdk::pubkey::Pubkey;

    use super::*;

    #[test]
    fn base58_agrees_with_the_sdk() {
        for seed in 0..64_u8 {
            let mut key = [0; 32];
            key[usize::from(seed % 32)..].fill(seed.wrapping_mul(37));
            assert_eq!(base58(&Pubkey::new_from_array(key).to_string()).unwrap(), key);
        }
        assert_eq!(base58("1").unwrap(), [0]);
        assert_eq!(base58("0OIl"), None);
    }

    #[test]
    fn base64_known_answers() {
        // RFC 4648, section 10.
        for (text, plain) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(base64(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(base64("Zm9v!"), None);
    }
}
