//! Civil dates as day numbers. Must never read a clock or know a holiday.

use core::{fmt, str::FromStr};

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::TermsError;

/// Days since 1970-01-01 in the zone that the calendar names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct BusinessDate(pub i32);

/// First day that a contract may name: 1900-01-01.
const FIRST: BusinessDate = BusinessDate(-25_567);
/// Last day that a contract may name: 2199-12-31.
const LAST: BusinessDate = BusinessDate(84_005);

impl BusinessDate {
    /// The date of a civil year, month (1–12) and day (1–31).
    ///
    /// # Errors
    /// [`TermsError::MalformedDate`] for a day that does not exist or lies outside 1900–2199.
    pub fn from_civil(year: i32, month: u8, day: u8) -> Result<Self, TermsError> {
        let exists =
            (1900..=2199).contains(&year) && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        if !exists {
            return Err(TermsError::MalformedDate);
        }
        // Years that start in March put the leap day last, so that month lengths follow one line.
        let march_year = if month <= 2 { year - 1 } else { year };
        let march_month = (i32::from(month) + 9) % 12;
        let day_of_year = (153 * march_month + 2) / 5 + i32::from(day) - 1;
        let leap_days = march_year.div_euclid(4) - march_year.div_euclid(100) + march_year.div_euclid(400);
        Ok(Self(march_year * 365 + leap_days + day_of_year - 719_468))
    }

    /// Year, month, day.
    pub fn to_civil(self) -> (i32, u8, u8) {
        let shifted = i64::from(self.0) + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year as i32, month as u8, day as u8)
    }

    /// Passes when the day lies between 1900-01-01 and 2199-12-31.
    ///
    /// # Errors
    /// [`TermsError::MalformedDate`].
    pub fn checked(self) -> Result<Self, TermsError> {
        if (FIRST..=LAST).contains(&self) { Ok(self) } else { Err(TermsError::MalformedDate) }
    }

    /// `days` later (earlier when negative).
    ///
    /// # Errors
    /// [`TermsError::MalformedDate`] outside 1900–2199.
    pub fn add_days(self, days: i32) -> Result<Self, TermsError> {
        self.0.checked_add(days).map(Self).ok_or(TermsError::MalformedDate)?.checked()
    }

    /// `months` later; a day that the month lacks becomes its last day (2026-08-31 and six months: 2027-02-28).
    ///
    /// # Errors
    /// [`TermsError::MalformedDate`] outside 1900–2199.
    pub fn add_months(self, months: i32) -> Result<Self, TermsError> {
        let (year, month, day) = self.checked()?.to_civil();
        let target = (year * 12 + i32::from(month) - 1).checked_add(months).ok_or(TermsError::MalformedDate)?;
        let (year, month) = (target.div_euclid(12), target.rem_euclid(12) as u8 + 1);
        Self::from_civil(year, month, day.min(days_in_month(year, month)))
    }

    /// Days from here to `other`, negative when it lies before.
    pub fn days_until(self, other: Self) -> i64 {
        i64::from(other.0) - i64::from(self.0)
    }

    /// Is `maturity` after this day and at most one year (12 months, clipped) later?
    ///
    /// # Errors
    /// [`TermsError::MalformedDate`] outside 1900–2199.
    pub fn tenor_within_a_year(self, maturity: Self) -> Result<bool, TermsError> {
        Ok(self < maturity && maturity.checked()? <= self.add_months(12)?)
    }
}

/// Is it a leap year of the Gregorian calendar?
pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Length of a month, 0 for a month that does not exist.
pub fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 => 28 + u8::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.to_civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Debug for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BusinessDate {
    type Err = TermsError;

    /// # Errors
    /// [`TermsError::MalformedDate`] for anything but `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, TermsError> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return Err(TermsError::MalformedDate);
        }
        let number = |digits: &[u8]| {
            digits.iter().try_fold(0i32, |value, digit| {
                digit.is_ascii_digit().then(|| value * 10 + i32::from(digit - b'0')).ok_or(TermsError::MalformedDate)
            })
        };
        let (year, month, day) = (number(&bytes[..4])?, number(&bytes[5..7])?, number(&bytes[8..])?);
        // Two digits are at most 99, so the casts keep the value.
        Self::from_civil(year, month as u8, day as u8)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    #[test]
    fn known_days_have_known_numbers() {
        assert_eq!(date("1970-01-01"), BusinessDate(0));
        assert_eq!(date("2000-02-29"), BusinessDate(11_016));
        assert_eq!(date("2026-11-24"), BusinessDate(20_781));
        assert_eq!(date("1900-01-01"), FIRST);
        assert_eq!(date("2199-12-31"), LAST);
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in [
            "2025-02-29",
            "2026-04-31",
            "2026-00-10",
            "2026-13-01",
            "1899-12-31",
            "2200-01-01",
            "2026-1-01",
            "20260101",
            "2026-01-0x",
            "",
        ] {
            assert_eq!(text.parse::<BusinessDate>(), Err(TermsError::MalformedDate), "{text}");
        }
        assert_eq!(BusinessDate(i32::MAX).checked(), Err(TermsError::MalformedDate));
        assert_eq!(BusinessDate(i32::MAX).add_days(1), Err(TermsError::MalformedDate));
        assert_eq!(BusinessDate(i32::MIN).add_months(1), Err(TermsError::MalformedDate));
        assert_eq!(date("2026-01-01").add_months(i32::MAX), Err(TermsError::MalformedDate));
    }

    #[test]
    fn showing_any_number_never_fails() {
        assert_eq!(BusinessDate(i32::MIN).to_string(), "-5877641-06-23");
        assert_eq!(BusinessDate(i32::MAX).to_string(), "5881580-07-11");
    }

    #[test]
    fn w15_months_clip_to_the_end_of_the_month() {
        assert_eq!(date("2026-08-31").add_months(6), Ok(date("2027-02-28")));
        assert_eq!(date("2025-11-30").add_months(3), Ok(date("2026-02-28")));
        assert_eq!(date("2024-02-29").add_months(12), Ok(date("2025-02-28")));
        assert_eq!(date("2026-03-31").add_months(-1), Ok(date("2026-02-28")));
    }

    #[test]
    fn a_tenor_is_at_least_a_day_and_at_most_a_year() {
        let issue = date("2024-02-29");
        assert_eq!(issue.tenor_within_a_year(date("2025-02-28")), Ok(true));
        assert_eq!(issue.tenor_within_a_year(date("2025-03-01")), Ok(false));
        assert_eq!(issue.tenor_within_a_year(issue), Ok(false));
    }

    proptest! {
        #[test]
        fn numbers_and_civil_dates_agree(number in FIRST.0..=LAST.0) {
            let (year, month, day) = BusinessDate(number).to_civil();
            prop_assert_eq!(BusinessDate::from_civil(year, month, day), Ok(BusinessDate(number)));
            prop_assert_eq!(BusinessDate(number).to_string().parse::<BusinessDate>(), Ok(BusinessDate(number)));
        }

        #[test]
        fn more_months_never_end_earlier(number in FIRST.0..=LAST.0 - 9_000, months in 0i32..240) {
            let date = BusinessDate(number);
            prop_assert!(date.add_months(months).unwrap() <= date.add_months(months + 1).unwrap());
        }
    }
}
