//! Calendars from their exceptions, and the devnet's calendar `demo`: China's official days where they are known, elsewhere
//! plain weekdays that are marked provisional.

use portolan_primitives::BusinessDate;
use portolan_runtime::native::records::YearDays;

use crate::file::{CalendarSpec, YearSpec};

/// Name of the devnet's calendar.
pub const DEMO: &str = "demo";
/// First and last year of the devnet's calendar.
pub const DEMO_YEARS: std::ops::RangeInclusive<u16> = 2000..=2060;
const OFFICIAL: &str = include_str!("../data/calendar-cn.csv");

/// A calendar file that is not of the form `date,open,reason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the calendar is not `date,open,reason` with open 0 or 1")]
pub struct CalendarFileError {
    /// Counted from 1.
    pub line: usize,
}

/// The days of a year: Monday to Friday open but for `closed`, and `open` besides.
pub fn year_from_exceptions(spec: &YearSpec) -> YearDays {
    let mut days = YearDays { provisional: spec.provisional, ..YearDays::closed(spec.year) };
    if let Some(first) = BusinessDate::from_civil(spec.year.into(), 1, 1) {
        let year = (first.0..first.0 + 366).map(BusinessDate);
        year.filter(|day| day.weekday() < 5).for_each(|day| days.set(day, true));
    }
    spec.closed.iter().for_each(|day| days.set(*day, false));
    spec.open.iter().for_each(|day| days.set(*day, true));
    days
}

/// The devnet's calendar.
pub fn demo_calendar() -> Result<CalendarSpec, CalendarFileError> {
    let official = exceptions(OFFICIAL)?;
    let year = |year: u16| {
        let of_year = |open: bool| -> Vec<BusinessDate> {
            let wanted = official.iter().filter(|(day, is_open)| *is_open == open && day.civil().0 == i32::from(year));
            wanted.map(|(day, _)| *day).collect()
        };
        let (closed, open) = (of_year(false), of_year(true));
        YearSpec { year, provisional: closed.is_empty() && open.is_empty(), closed, open }
    };
    Ok(CalendarSpec { name: DEMO.into(), years: DEMO_YEARS.map(year).collect() })
}

fn exceptions(csv: &str) -> Result<Vec<(BusinessDate, bool)>, CalendarFileError> {
    let row = |(index, line): (usize, &str)| {
        let error = CalendarFileError { line: index + 1 };
        let mut cells = line.split(',');
        let day = cells.next().and_then(|cell| cell.parse().ok()).ok_or(error.clone())?;
        match cells.next() {
            Some("0") => Ok((day, false)),
            Some("1") => Ok((day, true)),
            _ => Err(error),
        }
    };
    csv.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(text: &str) -> bool {
        let day: BusinessDate = text.parse().unwrap();
        let calendar = demo_calendar().unwrap();
        let year = calendar.years.iter().find(|year| i32::from(year.year) == day.civil().0).unwrap();
        year_from_exceptions(year).is_open(day).unwrap()
    }

    #[test]
    fn make_up_working_days_of_2026_are_open_and_the_holidays_closed() {
        assert!(is_open("2026-02-14"), "a make-up Saturday");
        assert!(!is_open("2026-02-15"), "a Sunday");
        assert!(!is_open("2026-02-16"), "a Monday of the Spring Festival");
        assert!(!is_open("2026-10-01"));
        assert!(is_open("2026-10-08"));
    }

    #[test]
    fn years_without_an_official_notice_are_provisional() {
        let calendar = demo_calendar().unwrap();
        let provisional = |year: u16| calendar.years.iter().find(|spec| spec.year == year).unwrap().provisional;
        assert!(provisional(2000) && provisional(2060));
        assert!(!provisional(2013) && !provisional(2026));
        assert_eq!(calendar.years.len(), 61);
    }

    #[test]
    fn a_line_of_another_form_is_named() {
        assert_eq!(exceptions("date,open,reason\n2026-01-01,2,x\n"), Err(CalendarFileError { line: 2 }));
        assert_eq!(exceptions("date,open,reason\nnever,1,x\n"), Err(CalendarFileError { line: 2 }));
    }
}
