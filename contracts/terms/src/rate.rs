//! Interest as an exact fraction, rounded once. Must never compound and never round in between.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{
    BusinessDate, Money, TermsError,
    date::is_leap,
    exact::{mul_div, non_negative, to_minor},
};

/// Parts per million, of an amount or of an amount per year: 43,500 is 4.35 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Ppm(pub u32);

/// One whole.
const MILLION: u128 = 1_000_000;

/// How the days of a period count as a part of a year. The first day counts, the last does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum DayCount {
    /// Actual days over 360.
    #[codec(index = 0)]
    Act360,
    /// Actual days over 365, in leap years too.
    #[codec(index = 1)]
    Act365Fixed,
    /// Days in leap years over 366 and the others over 365 (ISDA).
    #[codec(index = 2)]
    ActActIsda,
    /// Twelve months of 30 days, with the United States' rules for month ends.
    #[codec(index = 3)]
    Thirty360Us,
}

/// A part of a year as an exact fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearFraction {
    /// Weighted days.
    pub numerator: u64,
    /// Days of the year, weighted alike.
    pub denominator: u64,
}

impl DayCount {
    /// The part of a year from `from` to `to`.
    ///
    /// # Errors
    /// [`TermsError::ReversedPeriod`], [`TermsError::MalformedDate`] outside 1900–2199.
    pub fn fraction(self, from: BusinessDate, to: BusinessDate) -> Result<YearFraction, TermsError> {
        let (from, to) = (from.checked()?, to.checked()?);
        let days = u64::try_from(from.days_until(to)).map_err(|_| TermsError::ReversedPeriod { from, to })?;
        let (numerator, denominator) = match self {
            Self::Act360 => (days, 360),
            Self::Act365Fixed => (days, 365),
            Self::ActActIsda => {
                let leap = leap_days(from, to)?;
                (leap * 365 + (days - leap) * 366, 365 * 366)
            }
            Self::Thirty360Us => (days_30_360(from, to), 360),
        };
        Ok(YearFraction { numerator, denominator })
    }
}

/// Days of the period that lie in leap years.
fn leap_days(from: BusinessDate, to: BusinessDate) -> Result<u64, TermsError> {
    let mut days = 0;
    for year in (from.to_civil().0..=to.to_civil().0).filter(|year| is_leap(*year)) {
        let start = from.max(BusinessDate::from_civil(year, 1, 1)?);
        // The day after 31 December, which may lie outside the range that `from_civil` accepts.
        let end = to.min(BusinessDate(BusinessDate::from_civil(year, 12, 31)?.0 + 1));
        days += u64::try_from(start.days_until(end)).unwrap_or(0);
    }
    Ok(days)
}

/// Days by 30/360 (US): a 31st counts as the 30th at the start, and at the end when the start is a 30th; the last of February counts as a 30th
/// at the start, and at both ends when both are.
fn days_30_360(from: BusinessDate, to: BusinessDate) -> u64 {
    let (from_year, from_month, from_day) = from.to_civil();
    let (to_year, to_month, to_day) = to.to_civil();
    let ends_february = |date: BusinessDate| date.to_civil().1 == 2 && BusinessDate(date.0 + 1).to_civil().1 == 3;
    let (mut start, mut end) = (i32::from(from_day), i32::from(to_day));
    if ends_february(from) && ends_february(to) {
        end = 30;
    }
    if ends_february(from) || start == 31 {
        start = 30;
    }
    if end == 31 && start == 30 {
        end = 30;
    }
    let days = (to_year - from_year) * 360 + (i32::from(to_month) - i32::from(from_month)) * 30 + end - start;
    // A start on the last of February may count later than an end in the same month.
    u64::try_from(days).unwrap_or(0)
}

/// Simple interest on a principal over a period, not yet rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    principal: Money,
    rate: Ppm,
    time: YearFraction,
}

impl Interest {
    /// Interest on `principal` at `rate` a year from `from` (counted) to `to` (not counted).
    ///
    /// # Errors
    /// [`TermsError::Negative`] principal, and those of [`DayCount::fraction`].
    pub fn new(
        principal: Money,
        rate: Ppm,
        day_count: DayCount,
        from: BusinessDate,
        to: BusinessDate,
    ) -> Result<Self, TermsError> {
        non_negative(principal.minor)?;
        Ok(Self { principal, rate, time: day_count.fraction(from, to)? })
    }

    /// The amount in minor units, rounded half up, once.
    ///
    /// # Errors
    /// [`TermsError::Overflow`].
    pub fn amount(self) -> Result<Money, TermsError> {
        let weight = u128::from(self.rate.0) * u128::from(self.time.numerator);
        half_up(self.principal, weight, MILLION * u128::from(self.time.denominator))
    }
}

/// A fee or a reserve: `rate` of the amount, rounded half up.
///
/// # Errors
/// [`TermsError::Negative`], [`TermsError::Overflow`].
pub fn share_of(amount: Money, rate: Ppm) -> Result<Money, TermsError> {
    half_up(amount, u128::from(rate.0), MILLION)
}

/// A lending limit: `rate` of the value, rounded down.
///
/// # Errors
/// [`TermsError::Negative`], [`TermsError::Overflow`].
pub fn advance_limit(value: Money, rate: Ppm) -> Result<Money, TermsError> {
    let (floor, _) = mul_div(non_negative(value.minor)?, u128::from(rate.0), MILLION)?;
    Ok(Money::new(to_minor(floor)?, value.currency))
}

/// What a loan exceeds its lending limit by: to be repaid, or covered by more goods. Nothing while it is within the limit.
///
/// # Errors
/// [`TermsError::CurrencyMismatch`], [`TermsError::Overflow`].
pub fn margin_call(loan: Money, limit: Money) -> Result<Money, TermsError> {
    let excess = loan.checked_sub(limit)?;
    Ok(Money::new(excess.minor.max(0), loan.currency))
}

fn half_up(amount: Money, weight: u128, divisor: u128) -> Result<Money, TermsError> {
    let (floor, remainder) = mul_div(non_negative(amount.minor)?, weight, divisor)?;
    let up = remainder >= divisor - remainder;
    let rounded = floor.checked_add(u128::from(up)).ok_or(TermsError::Overflow)?;
    Ok(Money::new(to_minor(rounded)?, amount.currency))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Currency;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    fn interest(principal: &str, currency: Currency, rate: u32, day_count: DayCount, days: i32) -> Money {
        let principal = Money::from_decimal(principal, currency).unwrap();
        let from = date("2026-01-05");
        Interest::new(principal, Ppm(rate), day_count, from, from.add_days(days).unwrap()).unwrap().amount().unwrap()
    }

    #[test]
    fn w01_discount_of_a_part() {
        let discount = interest("400000.00", Currency::CNY, 43_500, DayCount::Act360, 90);
        assert_eq!(discount.minor, 435_000);
        let face = Money::new(40_000_000, Currency::CNY);
        assert_eq!(face.checked_sub(discount).unwrap().minor, 39_565_000);
    }

    #[test]
    fn w02_interest_in_cents() {
        assert_eq!(interest("123456.78", Currency::USD, 51_250, DayCount::Act365Fixed, 37).minor, 64_138);
    }

    #[test]
    fn w03_interest_in_a_currency_without_decimals() {
        assert_eq!(interest("1000001", Currency::JPY, 15_000, DayCount::Act365Fixed, 31).minor, 1_274);
    }

    #[test]
    fn w04_interest_in_a_currency_of_three_decimals() {
        assert_eq!(interest("5000.123", Currency::BHD, 62_500, DayCount::Act360, 45).minor, 39_063);
    }

    #[test]
    fn interest_in_a_currency_of_four_decimals() {
        // 1,234.5678 at 3 % over 30 days: 3.08641… units of account.
        assert_eq!(interest("1234.5678", Currency(*b"CLF"), 30_000, DayCount::Act360, 30).minor, 30_864);
    }

    #[test]
    fn w05_one_period_by_two_day_counts() {
        let principal = Money::new(25_000_000, Currency::CNY);
        let over = |day_count: DayCount| {
            let (from, to) = (date("2026-01-31"), date("2026-03-31"));
            let amount = Interest::new(principal, Ppm(48_000), day_count, from, to).unwrap().amount().unwrap();
            (day_count.fraction(from, to).unwrap().numerator, amount.minor)
        };
        assert_eq!(over(DayCount::Thirty360Us), (60, 200_000));
        assert_eq!(over(DayCount::Act360), (59, 196_667));
    }

    #[test]
    fn w12_early_payment_discount() {
        assert_eq!(interest("800000.00", Currency::CNY, 120_000, DayCount::Act360, 60).minor, 1_600_000);
    }

    #[test]
    fn w16_a_fee_is_a_share_of_the_amount() {
        assert_eq!(share_of(Money::new(123_456_789, Currency::CNY), Ppm(3_500)).unwrap().minor, 432_099);
    }

    #[test]
    fn w17_a_reserve_is_a_share_of_the_proceeds() {
        assert_eq!(share_of(Money::new(39_565_000, Currency::CNY), Ppm(15_000)).unwrap().minor, 593_475);
    }

    #[test]
    fn w18_margin_call_when_the_price_falls() {
        let cap = |price| {
            let value = Money::new(price, Currency::CNY).checked_mul(10_000).unwrap();
            advance_limit(value, Ppm(700_000)).unwrap()
        };
        assert_eq!(cap(3_650).minor, 25_550_000);
        assert_eq!(cap(3_120).minor, 21_840_000);
        let loan = Money::new(25_000_000, Currency::CNY);
        assert_eq!(margin_call(loan, cap(3_650)).unwrap().minor, 0);
        assert_eq!(margin_call(loan, cap(3_120)).unwrap().minor, 3_160_000);
        let dollars = Money::new(1, Currency::USD);
        let mismatch = TermsError::CurrencyMismatch { expected: Currency::CNY, found: Currency::USD };
        assert_eq!(margin_call(loan, dollars), Err(mismatch));
    }

    #[test]
    fn act_act_weighs_leap_years_by_366() {
        // 2023-12-31 to 2024-01-02: one day of 2023, one of 2024.
        let fraction = DayCount::ActActIsda.fraction(date("2023-12-31"), date("2024-01-02")).unwrap();
        assert_eq!(fraction, YearFraction { numerator: 366 + 365, denominator: 365 * 366 });
        let leap_year = DayCount::ActActIsda.fraction(date("2024-01-01"), date("2025-01-01")).unwrap();
        assert_eq!(leap_year.numerator, leap_year.denominator);
        assert!(DayCount::ActActIsda.fraction(date("1900-01-01"), date("2199-12-31")).is_ok());
    }

    #[test]
    fn thirty_360_treats_the_end_of_february_as_a_thirtieth() {
        let days = |from, to| DayCount::Thirty360Us.fraction(date(from), date(to)).unwrap().numerator;
        assert_eq!(days("2026-02-28", "2026-08-31"), 180);
        assert_eq!(days("2024-02-29", "2025-02-28"), 360);
        assert_eq!(days("2026-01-30", "2026-01-31"), 0);
        assert_eq!(days("2026-01-15", "2026-01-31"), 16);
    }

    #[test]
    fn a_half_rounds_up_and_less_does_not() {
        let round = |minor, rate| share_of(Money::new(minor, Currency::CNY), Ppm(rate)).unwrap().minor;
        assert_eq!(round(1, 500_000), 1);
        assert_eq!(round(1, 499_999), 0);
        assert_eq!(round(3, 500_000), 2);
    }

    #[test]
    fn a_period_that_ends_before_it_starts_is_refused() {
        let (from, to) = (date("2026-03-01"), date("2026-02-28"));
        let principal = Money::new(1, Currency::CNY);
        assert_eq!(
            Interest::new(principal, Ppm(1), DayCount::Act360, from, to),
            Err(TermsError::ReversedPeriod { from, to })
        );
        assert_eq!(
            Interest::new(Money::new(-1, Currency::CNY), Ppm(1), DayCount::Act360, to, from),
            Err(TermsError::Negative)
        );
    }

    #[test]
    fn an_amount_too_large_is_an_error_and_no_wrap() {
        let principal = Money::new(i128::MAX, Currency::CNY);
        assert_eq!(share_of(principal, Ppm(2_000_000)), Err(TermsError::Overflow));
        assert_eq!(share_of(principal, Ppm(1_000_000)), Ok(principal));
    }

    fn any_day_count() -> impl Strategy<Value = DayCount> {
        prop_oneof![
            Just(DayCount::Act360),
            Just(DayCount::Act365Fixed),
            Just(DayCount::ActActIsda),
            Just(DayCount::Thirty360Us)
        ]
    }

    proptest! {
        #[test]
        fn interest_grows_with_principal_rate_and_time(
            minor in 0i128..1 << 60, more in 0i128..1 << 40, rate in 0u32..2_000_000, days in 0i32..366, start in 0i32..30_000, day_count in any_day_count(),
        ) {
            let over = |minor, rate, days| {
                Interest::new(Money::new(minor, Currency::CNY), Ppm(rate), day_count, BusinessDate(start), BusinessDate(start + days)).unwrap().amount().unwrap().minor
            };
            let base = over(minor, rate, days);
            prop_assert!(base >= 0);
            prop_assert!(over(minor + more, rate, days) >= base);
            prop_assert!(over(minor, rate + 1, days) >= base);
            // 30/360 may count back by up to two days around the end of February, the others never.
            if day_count != DayCount::Thirty360Us {
                prop_assert!(over(minor, rate, days + 1) >= base);
            }
        }

        #[test]
        fn a_year_at_par_is_the_rate(minor in 0i128..1 << 60, rate in 0u32..2_000_000, year in 1970i32..2100) {
            let principal = Money::new(minor, Currency::CNY);
            let (from, to) = (BusinessDate::from_civil(year, 1, 1).unwrap(), BusinessDate::from_civil(year + 1, 1, 1).unwrap());
            let interest = Interest::new(principal, Ppm(rate), DayCount::ActActIsda, from, to).unwrap().amount().unwrap();
            prop_assert_eq!(interest, share_of(principal, Ppm(rate)).unwrap());
        }
    }
}
