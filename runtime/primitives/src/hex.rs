//! Bytes as people copy them: two hex digits each.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// Lowercase hex.
pub fn encode(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

/// Bytes of lowercase or uppercase hex; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_in_either_case_and_nothing_else_is() {
        assert_eq!(encode(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(decode("00ABff"), Some(vec![0, 0xab, 0xff]));
        assert_eq!(decode(""), Some(vec![]));
        for text in ["0", "0g", "+1", "0x00", " 00", "é"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
