//! Moving a date to a business day. Knows conventions, never holidays: those come from the named calendar through a closure.

use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

use crate::{BusinessDate, TermsError};

/// Longest run of closed days that is searched through.
const REACH: i32 = 60;

/// What a calendar says about a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayStatus {
    /// Business is done, make-up working days included.
    Open,
    /// Closed.
    Closed,
    /// The calendar says nothing about this day: never to be guessed.
    NotCovered,
}

/// Where a date goes that falls on a closed day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Convention {
    /// To the next open day.
    #[codec(index = 0)]
    Following,
    /// To the next open day, or back to the one before when that lies in another month.
    #[codec(index = 1)]
    ModifiedFollowing,
    /// Back to the open day before.
    #[codec(index = 2)]
    Preceding,
    /// It stays. The calendar must cover it none the less.
    #[codec(index = 3)]
    Unadjusted,
}

/// The business day for `date` under `convention`.
///
/// # Errors
/// [`TermsError::NotCovered`] for the first day asked about that the calendar lacks, [`TermsError::NoBusinessDay`] after 60 closed days,
/// [`TermsError::MalformedDate`] at the ends of time.
pub fn adjust(
    date: BusinessDate,
    convention: Convention,
    mut status: impl FnMut(BusinessDate) -> DayStatus,
) -> Result<BusinessDate, TermsError> {
    match convention {
        Convention::Following => seek(date, 1, &mut status),
        Convention::Preceding => seek(date, -1, &mut status),
        Convention::Unadjusted => covered(date, &mut status).map(|_| date),
        Convention::ModifiedFollowing => {
            let next = seek(date, 1, &mut status)?;
            let (_, month, _) = date.to_civil();
            if next.to_civil().1 == month { Ok(next) } else { seek(date, -1, &mut status) }
        }
    }
}

fn seek(
    from: BusinessDate,
    step: i32,
    status: &mut impl FnMut(BusinessDate) -> DayStatus,
) -> Result<BusinessDate, TermsError> {
    let mut day = from.checked()?;
    for _ in 0..=REACH {
        if covered(day, status)? {
            return Ok(day);
        }
        day = day.add_days(step)?;
    }
    Err(TermsError::NoBusinessDay(from))
}

/// Is the day open? An uncovered one is an error.
fn covered(day: BusinessDate, status: &mut impl FnMut(BusinessDate) -> DayStatus) -> Result<bool, TermsError> {
    match status(day) {
        DayStatus::Open => Ok(true),
        DayStatus::Closed => Ok(false),
        DayStatus::NotCovered => Err(TermsError::NotCovered(day)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    /// China 2026 as officially announced: what differs from "weekdays open, weekends closed".
    fn china_2026(day: BusinessDate) -> DayStatus {
        const MAKE_UP: [&str; 6] = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"];
        const CLOSED: [&str; 19] = [
            "2026-01-01",
            "2026-01-02",
            "2026-02-16",
            "2026-02-17",
            "2026-02-18",
            "2026-02-19",
            "2026-02-20",
            "2026-02-23",
            "2026-04-06",
            "2026-05-01",
            "2026-05-04",
            "2026-05-05",
            "2026-06-19",
            "2026-09-25",
            "2026-10-01",
            "2026-10-02",
            "2026-10-05",
            "2026-10-06",
            "2026-10-07",
        ];
        if day.to_civil().0 != 2026 {
            return DayStatus::NotCovered;
        }
        let is_in = |days: &[&str]| days.iter().any(|text| date(text) == day);
        // 1970-01-01 was a Thursday.
        let weekend = (day.0 + 3).rem_euclid(7) >= 5;
        if is_in(&MAKE_UP) || (!weekend && !is_in(&CLOSED)) { DayStatus::Open } else { DayStatus::Closed }
    }

    #[test]
    fn w13_china_2026_under_each_convention() {
        let days = ["2026-02-14", "2026-02-15", "2026-10-01", "2026-01-31", "2026-05-31"];
        let expected = [
            (Convention::Following, ["2026-02-14", "2026-02-24", "2026-10-08", "2026-02-02", "2026-06-01"]),
            (Convention::ModifiedFollowing, ["2026-02-14", "2026-02-24", "2026-10-08", "2026-01-30", "2026-05-29"]),
            (Convention::Preceding, ["2026-02-14", "2026-02-14", "2026-09-30", "2026-01-30", "2026-05-29"]),
            (Convention::Unadjusted, days),
        ];
        for (convention, results) in expected {
            for (day, result) in days.iter().zip(results) {
                assert_eq!(adjust(date(day), convention, china_2026), Ok(date(result)), "{day} {convention:?}");
            }
        }
    }

    #[test]
    fn a_day_outside_the_calendar_is_an_error_and_never_a_guess() {
        for convention in
            [Convention::Following, Convention::ModifiedFollowing, Convention::Preceding, Convention::Unadjusted]
        {
            assert_eq!(
                adjust(date("2027-01-05"), convention, china_2026),
                Err(TermsError::NotCovered(date("2027-01-05")))
            );
        }
        // New Year's Day is closed, and the day before lies in a year that is unknown.
        assert_eq!(
            adjust(date("2026-01-01"), Convention::Preceding, china_2026),
            Err(TermsError::NotCovered(date("2025-12-31")))
        );
    }

    #[test]
    fn the_search_for_an_open_day_is_bounded() {
        let mut asked = 0;
        let result = adjust(date("2026-01-01"), Convention::Following, |_| {
            asked += 1;
            DayStatus::Closed
        });
        assert_eq!(result, Err(TermsError::NoBusinessDay(date("2026-01-01"))));
        assert_eq!(asked, 61);
    }
}
