//! Sums of amounts as written, whatever their currency, as ISO 20022 defines its control sums: exact, no rounding.

use std::fmt;

use super::super::error::{DocumentError, Excerpt, Field};

/// Decimals kept. ISO 20022 allows 17 in a control sum and 18 digits in all.
const PLACES: usize = 18;

/// A number in units of 10^-18.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimal(i128);

impl Decimal {
    /// Reads a plain decimal.
    ///
    /// # Errors
    /// `InvalidAmount` for another form, or more than 18 digits on a side of the point.
    pub fn read(field: &'static str, written: &str) -> Result<Self, DocumentError> {
        let field = Field::Named(field);
        let invalid = || DocumentError::InvalidAmount { field, value: Excerpt::of(written) };
        let (sign, digits) = match written.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, written.strip_prefix('+').unwrap_or(written)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = whole.trim_start_matches('0');
        let all_digits = digits.bytes().filter(|byte| *byte != b'.').all(|byte| byte.is_ascii_digit());
        let some_digit = digits.bytes().any(|byte| byte.is_ascii_digit());
        let fraction = fraction.trim_end_matches('0');
        if !all_digits || !some_digit || fraction.contains('.') || whole.len() > PLACES || fraction.len() > PLACES {
            return Err(invalid());
        }
        let units: i128 = format!("{whole}{fraction:0<PLACES$}").parse().map_err(|_| invalid())?;
        Ok(Self(sign * units))
    }

    /// The sum.
    ///
    /// # Errors
    /// `AmountOverflow`.
    pub fn add(self, other: Self) -> Result<Self, DocumentError> {
        let sum = self.0.checked_add(other.0);
        sum.map(Self).ok_or(DocumentError::AmountOverflow { field: Field::Named("control sum") })
    }

    /// With the sign turned.
    pub fn negated(self) -> Self {
        Self(-self.0)
    }

    /// Without its sign.
    pub fn absolute(self) -> Self {
        Self(self.0.abs())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.0.unsigned_abs(), width = PLACES + 1);
        let (whole, fraction) = digits.split_at(digits.len() - PLACES);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.0 < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_and_forms_of_one_number_are_one() {
        let read = |written: &str| Decimal::read("sum", written).expect("a decimal");
        assert_eq!(read("5.0400"), read("5.04"));
        assert_eq!(read("0.1").add(read("0.2")).expect("sum"), read("0.3"));
        assert_eq!(read("-0.00000000000000001").add(read("1")).expect("sum").to_string(), "0.99999999999999999");
        assert_eq!(read("000999999999999999999").to_string(), "999999999999999999");
        assert_eq!(read(".5").to_string(), "0.5");
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        for written in ["", ".", "-", "1,5", "1e3", "1.2.3", "+-1", "1 000", "1000000000000000000", "NaN"] {
            let error = Decimal::read("sum", written).map_err(|error| error.code());
            assert_eq!(error, Err("invalid_amount"), "{written}");
        }
    }
}
