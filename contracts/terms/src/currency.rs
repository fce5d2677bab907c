//! ISO 4217 codes and their exponents. Must never hold a rate or a name.

use core::{fmt, str::FromStr};

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::TermsError;

/// Codes with two decimals that are in use (ISO 4217 list one).
const TWO_DECIMALS: &[u8] = b"AEDAFNALLAMDAOAARSAUDAWGAZNBAMBBDBDTBMDBNDBOBBOVBRLBSDBTNBWPBYNBZDCADCDFCHECHFCHWCNYCOPCOUCRCCUPCVECZKDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYDHKDHNLHTGHUFIDRILSINRIRRJMDKESKGSKHRKPWKYDKZTLAKLBPLKRLRDLSLMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMXVMYRMZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARRONRSDRUBSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUSNUYUUZSVEDVESWSTXADXCDXCGYERZARZMWZWG";
/// Codes without decimals.
const NO_DECIMALS: &[u8] = b"BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXUYIVNDVUVXAFXOFXPF";
/// Codes with three decimals.
const THREE_DECIMALS: &[u8] = b"BHDIQDJODKWDLYDOMRTND";
/// Codes with four decimals.
const FOUR_DECIMALS: &[u8] = b"CLFUYW";

/// An ISO 4217 alphabetic code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// Renminbi.
    pub const CNY: Self = Self(*b"CNY");
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// Yen, which has no decimals.
    pub const JPY: Self = Self(*b"JPY");
    /// Bahraini dinar, which has three.
    pub const BHD: Self = Self(*b"BHD");

    /// Number of decimals of the minor unit: 0, 2, 3 or 4.
    ///
    /// # Errors
    /// [`TermsError::UnknownCurrency`] for codes that are not in use or have no minor unit (metals, test codes).
    pub fn exponent(self) -> Result<u8, TermsError> {
        [(2, TWO_DECIMALS), (0, NO_DECIMALS), (3, THREE_DECIMALS), (4, FOUR_DECIMALS)]
            .into_iter()
            .find(|(_, codes)| codes.chunks_exact(3).any(|code| code == self.0))
            .map(|(exponent, _)| exponent)
            .ok_or(TermsError::UnknownCurrency(self))
    }

    /// The three letters; bytes that are no letters show as `?`.
    fn letters(self) -> [char; 3] {
        self.0.map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte) } else { '?' })
    }
}

impl From<Currency> for [u8; 3] {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c] = self.letters();
        write!(f, "{a}{b}{c}")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Currency {
    type Err = TermsError;

    /// # Errors
    /// [`TermsError::MalformedCurrency`], or [`TermsError::UnknownCurrency`] for a code without minor units.
    fn from_str(text: &str) -> Result<Self, TermsError> {
        let letters: [u8; 3] = text.as_bytes().try_into().map_err(|_| TermsError::MalformedCurrency)?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return Err(TermsError::MalformedCurrency);
        }
        let currency = Self(letters);
        currency.exponent().map(|_| currency)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        let exponent = |code: &str| code.parse::<Currency>().and_then(Currency::exponent);
        assert_eq!(exponent("CNY"), Ok(2));
        assert_eq!(exponent("JPY"), Ok(0));
        assert_eq!(exponent("KWD"), Ok(3));
        assert_eq!(exponent("CLF"), Ok(4));
        assert_eq!(exponent("ZWG"), Ok(2));
    }

    #[test]
    fn codes_are_compared_whole_and_not_across_a_boundary_of_the_table() {
        // "EDA" stands in the table only as the end of AED and the start of AFN.
        assert_eq!("EDA".parse::<Currency>(), Err(TermsError::UnknownCurrency(Currency(*b"EDA"))));
    }

    #[test]
    fn gold_and_test_codes_have_no_minor_unit() {
        for code in ["XAU", "XXX", "XTS"] {
            assert!(matches!(code.parse::<Currency>(), Err(TermsError::UnknownCurrency(_))), "{code}");
        }
    }

    #[test]
    fn a_code_is_three_capital_letters() {
        for text in ["", "cny", "CN", "CNYX", "C1Y", "元"] {
            assert_eq!(text.parse::<Currency>(), Err(TermsError::MalformedCurrency), "{text}");
        }
        assert_eq!(Currency([0, b'A', 255]).to_string(), "?A?");
    }
}
