//! Base64 (RFC 4648) in either alphabet, with or without padding: signed contents and salts are written in it.

/// The bytes that `text` writes; nothing if it writes none.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let digits = match text.strip_suffix("==").or_else(|| text.strip_suffix('=')) {
        Some(digits) if text.len() % 4 == 0 => digits,
        Some(_) => return None,
        None => text,
    };
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.as_bytes().chunks(4) {
        if group.len() == 1 {
            return None;
        }
        let mut bits = 0u32;
        for place in 0..4 {
            bits = bits << 6 | u32::from(group.get(place).map_or(Some(0), |byte| digit(*byte))?);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(bytes)
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_whole_or_not_at_all() {
        for (text, bytes) in
            [("", &b""[..]), ("Zg", b"f"), ("Zg==", b"f"), ("Zm8=", b"fo"), ("Zm9v", b"foo"), ("-_8", &[0xfb, 0xff]), ("+/8=", &[0xfb, 0xff])]
        {
            assert_eq!(decode(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["Z", "Zm9vZ", "Zg=", "Z=g=", "Zm 9", "Zmä", "====", "="] {
            assert_eq!(decode(text), None, "{text}");
        }
        assert_eq!(hex(&[0, 0x7f, 0xa0]), "007fa0");
    }
}
