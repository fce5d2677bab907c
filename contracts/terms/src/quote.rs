//! Conversion at a quoted price. Rounds down for what is paid out; must never invert a pair.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{
    Currency, Money, Ppm, TermsError,
    exact::{mul_div, non_negative, to_minor},
};

/// One unit of `from` costs `units × 10^-decimals` of `to`, and the dealer keeps `spread` of the proceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Quote {
    /// Sold currency.
    pub from: Currency,
    /// Bought currency.
    pub to: Currency,
    /// Digits of the price: 71,234 for 7.1234.
    pub units: u64,
    /// Decimals of the price, at most 12.
    pub decimals: u8,
    /// Of the proceeds, at most one whole.
    pub spread: Ppm,
}

/// What a conversion yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversion {
    /// At the quoted price.
    pub gross: Money,
    /// After the dealer's spread; the fee, if any, comes off this.
    pub net: Money,
}

impl Conversion {
    /// What is credited once the dealer's fee is taken off.
    ///
    /// # Errors
    /// [`TermsError::CurrencyMismatch`], [`TermsError::Negative`] fee, [`TermsError::FeeAboveProceeds`].
    pub fn after_fee(self, fee: Money) -> Result<Money, TermsError> {
        let credited = self.net.checked_sub(fee)?;
        if fee.minor < 0 {
            return Err(TermsError::Negative);
        }
        if credited.minor < 0 {
            return Err(TermsError::FeeAboveProceeds);
        }
        Ok(credited)
    }
}

/// Most decimals of a quoted price.
const MAX_DECIMALS: u8 = 12;

impl Quote {
    /// Is the price above zero, with at most 12 decimals, and the spread at most one whole?
    pub const fn is_possible(self) -> bool {
        self.units > 0 && self.decimals <= MAX_DECIMALS && self.spread.0 <= 1_000_000
    }

    /// Proceeds of selling `amount`, rounded down in the bought currency.
    ///
    /// # Errors
    /// [`TermsError::CurrencyMismatch`] for any currency but the sold one, [`TermsError::UnknownCurrency`], [`TermsError::Negative`],
    /// [`TermsError::Overflow`] also for what [is no quote](Self::is_possible).
    pub fn convert(self, amount: Money) -> Result<Conversion, TermsError> {
        amount
            .same_currency(Money::zero(self.from))
            .map_err(|_| TermsError::CurrencyMismatch { expected: self.from, found: amount.currency })?;
        if !self.is_possible() {
            return Err(TermsError::Overflow);
        }
        let target_scale = 10u128.pow(u32::from(self.to.exponent()?));
        let source_scale = 10u128.pow(u32::from(self.from.exponent()?) + u32::from(self.decimals));
        let (gross, _) = mul_div(non_negative(amount.minor)?, u128::from(self.units) * target_scale, source_scale)?;
        let (net, _) = mul_div(gross, u128::from(1_000_000 - self.spread.0), 1_000_000)?;
        Ok(Conversion { gross: Money::new(to_minor(gross)?, self.to), net: Money::new(to_minor(net)?, self.to) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(minor: i128) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn w09_dollars_to_renminbi_with_spread_and_fee() {
        let quote = Quote { from: Currency::USD, to: Currency::CNY, units: 71_234, decimals: 4, spread: Ppm(2_000) };
        let sold = quote.convert(dollars(25_000_000)).unwrap();
        assert_eq!(sold.gross.minor, 178_085_000);
        assert_eq!(sold.net.minor, 177_728_830);
        assert_eq!(sold.after_fee(Money::new(8_000, Currency::CNY)).unwrap().minor, 177_720_830);
    }

    #[test]
    fn a_fee_is_of_the_bought_currency_and_no_more_than_the_proceeds() {
        let quote = Quote { from: Currency::USD, to: Currency::CNY, units: 7, decimals: 0, spread: Ppm(0) };
        let sold = quote.convert(dollars(100)).unwrap();
        assert_eq!(sold.after_fee(Money::new(700, Currency::CNY)), Ok(Money::zero(Currency::CNY)));
        assert_eq!(sold.after_fee(Money::new(701, Currency::CNY)), Err(TermsError::FeeAboveProceeds));
        assert_eq!(sold.after_fee(Money::new(-1, Currency::CNY)), Err(TermsError::Negative));
        let mismatch = TermsError::CurrencyMismatch { expected: Currency::CNY, found: Currency::USD };
        assert_eq!(sold.after_fee(dollars(1)), Err(mismatch));
    }

    #[test]
    fn w10_dollars_to_yen() {
        let quote = Quote { from: Currency::USD, to: Currency::JPY, units: 1_553, decimals: 1, spread: Ppm(0) };
        assert_eq!(quote.convert(dollars(25_000_000)).unwrap().gross, Money::new(38_825_000, Currency::JPY));
    }

    #[test]
    fn what_is_paid_out_rounds_down() {
        let quote = Quote { from: Currency::USD, to: Currency::JPY, units: 1_559, decimals: 1, spread: Ppm(0) };
        // 0.01 dollars are 1.559 yen.
        assert_eq!(quote.convert(dollars(1)).unwrap().gross.minor, 1);
    }

    #[test]
    fn the_inverse_pair_and_impossible_quotes_are_refused() {
        let quote = Quote { from: Currency::USD, to: Currency::CNY, units: 71_234, decimals: 4, spread: Ppm(0) };
        let inverse = quote.convert(Money::new(1, Currency::CNY));
        assert_eq!(inverse, Err(TermsError::CurrencyMismatch { expected: Currency::USD, found: Currency::CNY }));
        assert_eq!(quote.convert(dollars(-1)), Err(TermsError::Negative));
        assert_eq!(Quote { units: 0, ..quote }.convert(dollars(1)), Err(TermsError::Overflow));
        assert_eq!(Quote { decimals: 13, ..quote }.convert(dollars(1)), Err(TermsError::Overflow));
        assert_eq!(Quote { spread: Ppm(1_000_001), ..quote }.convert(dollars(1)), Err(TermsError::Overflow));
    }
}
