//! Codes that are checked by form and check digits: IBAN (ISO 13616), BIC (ISO 9362), LEI (ISO 17442).

/// A check of a code's form.
pub struct Check {
    /// Code of the warning.
    pub code: &'static str,
    /// What the code is.
    pub field: &'static str,
    /// Whether a text has the form.
    pub holds: fn(&str) -> bool,
}

static IBAN: Check = Check { code: "invalid_iban", field: "IBAN", holds: is_iban };
static BIC: Check = Check { code: "invalid_bic", field: "BIC", holds: is_bic };
static LEI: Check = Check { code: "invalid_lei", field: "LEI", holds: is_lei };

/// The check for the element of that name.
pub fn check_of(element: &str) -> Option<&'static Check> {
    match element {
        "IBAN" => Some(&IBAN),
        "BIC" | "BICFI" | "AnyBIC" | "BICOrBEI" => Some(&BIC),
        "LEI" => Some(&LEI),
        _ => None,
    }
}

/// Two letters, two check digits and 11 to 30 letters and digits, with 1 as the remainder of 97.
pub fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && remainder(bytes[4..].iter().chain(&bytes[..4])) == Some(1)
}

/// Four letters or digits, a country, two letters or digits, and three more for a branch.
pub fn is_bic(text: &str) -> bool {
    let bytes = text.as_bytes();
    let letter_or_digit = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    matches!(bytes.len(), 8 | 11) && bytes.iter().all(letter_or_digit) && bytes[4..6].iter().all(u8::is_ascii_uppercase)
}

/// Eighteen letters or digits and two check digits, with 1 as the remainder of 97.
pub fn is_lei(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 20 && bytes[18..].iter().all(u8::is_ascii_digit) && remainder(bytes.iter()) == Some(1)
}

/// The remainder of 97 (ISO 7064), letters counting from 10; nothing for other characters.
fn remainder<'a>(mut characters: impl Iterator<Item = &'a u8>) -> Option<u32> {
    characters.try_fold(0, |rest, character| match character {
        b'0'..=b'9' => Some((rest * 10 + u32::from(character - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(character - b'A') + 10) % 97),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_what_only_looks_like_one() {
        for iban in ["GB82WEST12345698765432", "DE89370400440532013000", "NO9386011117947"] {
            assert!(is_iban(iban), "{iban}");
        }
        for text in ["GB82WEST12345698765433", "GB82 WEST 1234 5698 7654 32", "gb82west12345698765432", "GB82", ""] {
            assert!(!is_iban(text), "{text}");
        }
        for bic in ["DEUTDEFF", "DEUTDEFF500", "TKZHCHZ0"] {
            assert!(is_bic(bic), "{bic}");
        }
        for text in ["DEUTDE", "DEUTDEFF50", "deutdeff", "DEUT12FF", "JOHNDOE99", ""] {
            assert!(!is_bic(text), "{text}");
        }
        assert!(is_lei("5493001KJTIIGC8Y1R12"));
        for text in ["5493001KJTIIGC8Y1R13", "5493001KJTIIGC8Y1R1", ""] {
            assert!(!is_lei(text), "{text}");
        }
    }
}
