//! What can be wrong with an amount or a date. Must never name a party.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{BusinessDate, Currency};

/// Why an amount or a date cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, thiserror::Error)]
pub enum TermsError {
    /// The result does not fit 128 bits.
    #[codec(index = 0)]
    #[error("the amount is too large")]
    Overflow,
    /// Two amounts of different currencies met.
    #[codec(index = 1)]
    #[error("the amount is in {found}, expected {expected}")]
    CurrencyMismatch {
        /// The currency that the rule works in.
        expected: Currency,
        /// The currency that came.
        found: Currency,
    },
    /// The code is not an ISO 4217 currency with minor units.
    #[codec(index = 2)]
    #[error("{0} is not a currency of ISO 4217 with minor units")]
    UnknownCurrency(Currency),
    /// Not a decimal number.
    #[codec(index = 3)]
    #[error("not a decimal amount: write digits with at most one point, such as 1200.50")]
    MalformedAmount,
    /// More decimals than the currency has, and not zeros.
    #[codec(index = 4)]
    #[error("{0} has no unit that small: leave out the extra decimals")]
    TooManyDecimals(Currency),
    /// Where only a zero or positive amount makes sense.
    #[codec(index = 5)]
    #[error("the amount must not be negative")]
    Negative,
    /// The end of the period lies before its start.
    #[codec(index = 6)]
    #[error("the period ends on {to}, before it starts on {from}")]
    ReversedPeriod {
        /// First day.
        from: BusinessDate,
        /// Last day, exclusive.
        to: BusinessDate,
    },
    /// The calendar says nothing about the day.
    #[codec(index = 7)]
    #[error("the calendar does not cover {0}")]
    NotCovered(BusinessDate),
    /// No open day within reach in the direction of the convention.
    #[codec(index = 8)]
    #[error("no business day within 60 days of {0}")]
    NoBusinessDay(BusinessDate),
    /// Outside the years 1900 to 2199, or no day of the calendar.
    #[codec(index = 9)]
    #[error("not a date between 1900-01-01 and 2199-12-31, written YYYY-MM-DD")]
    MalformedDate,
    /// An amount to spread, and nobody to give it to.
    #[codec(index = 10)]
    #[error("there is nothing to spread the amount over")]
    NothingToSpreadOver,
    /// A code that is not three capital letters.
    #[codec(index = 11)]
    #[error("a currency is written with three capital letters, such as CNY")]
    MalformedCurrency,
    /// A fee that is more than what it comes off.
    #[codec(index = 12)]
    #[error("the fee is more than the proceeds: exchange a larger amount")]
    FeeAboveProceeds,
}
