//! An amount of one currency in minor units. Must never round and never convert.

use alloc::string::String;
use core::fmt::{self, Write};

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{Currency, TermsError};

/// An amount: integer minor units of a currency, such as fen or cents.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Money {
    /// Minor units (10^-exponent of the currency).
    pub minor: i128,
    /// ISO 4217 code.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i128, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in that currency.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// Is it above zero?
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`TermsError::CurrencyMismatch`], [`TermsError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, TermsError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(TermsError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// The difference, which may be negative.
    ///
    /// # Errors
    /// [`TermsError::CurrencyMismatch`], [`TermsError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, TermsError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(TermsError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// Whole `units` times the amount, as in 10,000 pieces at 36.50.
    ///
    /// # Errors
    /// [`TermsError::Overflow`].
    pub fn checked_mul(self, units: i128) -> Result<Self, TermsError> {
        let minor = self.minor.checked_mul(units).ok_or(TermsError::Overflow)?;
        Ok(Self::new(minor, self.currency))
    }

    /// Passes when both are of one currency.
    ///
    /// # Errors
    /// [`TermsError::CurrencyMismatch`] that names both.
    pub fn same_currency(self, other: Self) -> Result<(), TermsError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(TermsError::CurrencyMismatch { expected: self.currency, found: other.currency })
    }

    /// Reads a plain decimal such as `1200.5` or `-3`. Extra decimals are accepted when they are zeros.
    ///
    /// # Errors
    /// [`TermsError::MalformedAmount`], [`TermsError::TooManyDecimals`], [`TermsError::UnknownCurrency`], [`TermsError::Overflow`].
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, TermsError> {
        let exponent = usize::from(currency.exponent()?);
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
            return Err(TermsError::MalformedAmount);
        }
        let (kept, extra) = fraction.split_at(fraction.len().min(exponent));
        if extra.bytes().any(|digit| digit != b'0') {
            return Err(TermsError::TooManyDecimals(currency));
        }
        let padding = core::iter::repeat_n(b'0', exponent - kept.len());
        let mut minor: i128 = 0;
        for digit in whole.bytes().chain(kept.bytes()).chain(padding) {
            minor = minor
                .checked_mul(10)
                .and_then(|shifted| shifted.checked_add(i128::from(digit - b'0')))
                .ok_or(TermsError::Overflow)?;
        }
        Ok(Self::new(if negative { -minor } else { minor }, currency))
    }

    /// The decimal without grouping, as in JSON: `120000.00`. A code that is not in use shows minor units.
    pub fn to_decimal(self) -> String {
        self.write_decimal(false)
    }

    fn write_decimal(self, grouped: bool) -> String {
        let exponent = self.currency.exponent().map_or(0, usize::from);
        let mut digits = String::new();
        // Writing to a String cannot fail.
        let _ = write!(digits, "{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let mut text = String::new();
        if self.minor < 0 {
            text.push('-');
        }
        for (position, digit) in whole.chars().enumerate() {
            if grouped && position > 0 && (whole.len() - position) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        if exponent > 0 {
            text.push('.');
            text.push_str(fraction);
        }
        text
    }
}

impl fmt::Display for Money {
    /// For people: `120,000.00 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.write_decimal(true), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn cny(minor: i128) -> Money {
        Money::new(minor, Currency::CNY)
    }

    #[test]
    fn people_see_groups_and_programs_do_not() {
        assert_eq!(cny(12_000_000).to_string(), "120,000.00 CNY");
        assert_eq!(cny(12_000_000).to_decimal(), "120000.00");
        assert_eq!(cny(-5).to_string(), "-0.05 CNY");
        assert_eq!(cny(99_999).to_string(), "999.99 CNY");
        assert_eq!(Money::new(1_000_001, Currency::JPY).to_string(), "1,000,001 JPY");
        assert_eq!(Money::new(39_063, Currency::BHD).to_string(), "39.063 BHD");
    }

    #[test]
    fn a_decimal_is_read_in_the_currencys_own_units() {
        let read = |text, currency| Money::from_decimal(text, currency).map(|money| money.minor);
        assert_eq!(read("1200.5", Currency::CNY), Ok(120_050));
        assert_eq!(read(".05", Currency::CNY), Ok(5));
        assert_eq!(read("7.", Currency::CNY), Ok(700));
        assert_eq!(read("-3", Currency::BHD), Ok(-3_000));
        assert_eq!(read("1274.000", Currency::JPY), Ok(1_274));
        assert_eq!(read("1.10000", Currency::CNY), Ok(110));
    }

    #[test]
    fn a_unit_smaller_than_the_minor_unit_is_refused() {
        assert_eq!(Money::from_decimal("1.005", Currency::CNY), Err(TermsError::TooManyDecimals(Currency::CNY)));
        assert_eq!(Money::from_decimal("1.5", Currency::JPY), Err(TermsError::TooManyDecimals(Currency::JPY)));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ".", "-", "1,000", "1.2.3", "1e3", "--1", " 1", "１"] {
            assert_eq!(Money::from_decimal(text, Currency::CNY), Err(TermsError::MalformedAmount), "{text:?}");
        }
        assert_eq!(Money::from_decimal(&"9".repeat(40), Currency::CNY), Err(TermsError::Overflow));
    }

    #[test]
    fn currencies_never_mix_and_sums_never_wrap() {
        let dollars = Money::new(1, Currency::USD);
        assert_eq!(
            cny(1).checked_add(dollars),
            Err(TermsError::CurrencyMismatch { expected: Currency::CNY, found: Currency::USD })
        );
        assert_eq!(cny(i128::MAX).checked_add(cny(1)), Err(TermsError::Overflow));
        assert_eq!(cny(i128::MIN).checked_sub(cny(1)), Err(TermsError::Overflow));
        assert_eq!(cny(i128::MAX).checked_mul(2), Err(TermsError::Overflow));
    }
}
