//! Business calendars: named, explicit open and closed days by whole years, extended by governance.
//!
//! A day that no year covers is an error, never a guess. Must never change a day that is past: what fell due on it was
//! decided by it.

use codec::{Decode, Encode};
use portolan_primitives::BusinessDate;
use portolan_primitives::id::is_name;
use portolan_sdk::metadata::ContractMetadata;
use scale_info::TypeInfo;

use super::records::{Calendar as CalendarRecord, YearDays};
use super::{Context, NativeError, NativeModule, NativeResult, decode_message};
use crate::genesis::NetworkKind;

/// Most days that one question is answered for.
pub const MAX_DAYS: i32 = 400;

/// Why a message about calendars was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CalendarError {
    /// Only governance may do this; make a proposal with `portolan governance propose`.
    #[codec(index = 0)]
    NotGoverned,
    /// Names have 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit.
    #[codec(index = 1)]
    BadName,
    /// The year is not one of 1 to 9999.
    #[codec(index = 2)]
    BadYear,
    /// The year would change a day that is past.
    #[codec(index = 3)]
    ChangesThePast {
        /// The day.
        day: BusinessDate,
    },
    /// An official year does not become provisional again.
    #[codec(index = 4)]
    IsOfficial,
    /// There is no calendar of that name.
    #[codec(index = 5)]
    UnknownCalendar,
    /// The calendar does not cover that day (on a production network a provisional year covers nothing).
    #[codec(index = 6)]
    NotCovered {
        /// The day.
        day: BusinessDate,
    },
    /// At most 400 days are answered at once, and the last is not before the first.
    #[codec(index = 7)]
    BadSpan,
}

/// What happened to calendars.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum CalendarEvent {
    /// A year was added or replaced.
    #[codec(index = 0)]
    Enacted {
        /// The calendar.
        calendar: String,
        /// The year.
        year: u16,
        /// Whether it is a guess.
        provisional: bool,
    },
}

/// A day as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DayView {
    /// The day.
    pub day: BusinessDate,
    /// Whether business is done on it.
    pub open: bool,
    /// Whether that is a guess.
    pub provisional: bool,
}

/// A calendar as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CalendarView {
    /// Its name.
    pub name: String,
    /// The years that it covers.
    pub years: Vec<u16>,
}

/// Business days.
#[portolan_sdk::interface(name = "calendar", error = CalendarError, event = CalendarEvent, module = messages)]
pub trait Messages {
    /// Governance: adds a year to a calendar (and the calendar, if it is new), or replaces it as far as it lies ahead.
    #[call(index = 0)]
    fn enact(&mut self, calendar: String, days: YearDays) -> Result<(), CalendarError>;
    /// The calendars.
    #[query(index = 0, path = "/calendars")]
    fn calendars(&self) -> Result<Vec<CalendarView>, CalendarError>;
    /// The days from `from` to `to`, both included.
    #[query(index = 1, path = "/calendars/{calendar}")]
    fn days(&self, calendar: String, from: BusinessDate, to: BusinessDate) -> Result<Vec<DayView>, CalendarError>;
}

/// The module.
pub struct Calendar;

impl NativeModule for Calendar {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        let messages::Call::Enact { calendar, days } = decode_message(input)?;
        if !context.is_governance() {
            return Err(refused(CalendarError::NotGoverned));
        }
        enact(context, calendar, days)?;
        Ok(vec![])
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        match decode_message(input)? {
            messages::Query::Calendars => {
                let found = context.list::<CalendarRecord>(&[], None, u32::MAX)?;
                let view = |(name, record): (String, CalendarRecord)| CalendarView { name, years: record.years };
                Ok(found.into_iter().map(view).collect::<Vec<_>>().encode())
            }
            messages::Query::Days { calendar, from, to } => {
                days(context, &calendar, from, to).map(|days| days.encode())
            }
        }
    }
}

fn refused(error: CalendarError) -> NativeError {
    NativeError::refused(error)
}

/// Whether a year has the shape that records promise. Genesis asks this too.
pub fn check_year(calendar: &str, days: &YearDays) -> Result<(), CalendarError> {
    if !is_name(calendar) {
        return Err(CalendarError::BadName);
    }
    if (1..=9999).contains(&days.year) { Ok(()) } else { Err(CalendarError::BadYear) }
}

fn enact(context: &mut Context<'_>, calendar: String, days: YearDays) -> NativeResult<()> {
    check_year(&calendar, &days).map_err(refused)?;
    let id = (calendar.clone(), days.year);
    if let Some(before) = context.get::<YearDays>(&id)? {
        check_replacement(&before, &days, context.block().business_date).map_err(refused)?;
    }
    let mut record = context.get::<CalendarRecord>(&calendar)?.unwrap_or(CalendarRecord { years: vec![] });
    if let Err(place) = record.years.binary_search(&days.year) {
        record.years.insert(place, days.year);
        context.put(&calendar, &record)?;
    }
    context.put(&id, &days)?;
    context.emit(&CalendarEvent::Enacted { calendar, year: days.year, provisional: days.provisional })
}

/// A year may be replaced from tomorrow on.
fn check_replacement(before: &YearDays, after: &YearDays, today: BusinessDate) -> Result<(), CalendarError> {
    if after.provisional && !before.provisional {
        return Err(CalendarError::IsOfficial);
    }
    let first = BusinessDate::from_civil(i32::from(before.year), 1, 1).ok_or(CalendarError::BadYear)?;
    let changed = (first.0..=today.0.min(first.0 + 365))
        .map(BusinessDate)
        .find(|day| before.is_open(*day) != after.is_open(*day));
    match changed {
        Some(day) => Err(CalendarError::ChangesThePast { day }),
        None => Ok(()),
    }
}

fn days(context: &mut Context<'_>, calendar: &str, from: BusinessDate, to: BusinessDate) -> NativeResult<Vec<DayView>> {
    let span = to.0.checked_sub(from.0).filter(|span| (0..MAX_DAYS).contains(span));
    let span = span.ok_or_else(|| refused(CalendarError::BadSpan))?;
    if context.get::<CalendarRecord>(&calendar.into())?.is_none() {
        return Err(refused(CalendarError::UnknownCalendar));
    }
    let production = context.block().kind == NetworkKind::Production;
    let mut views = Vec::with_capacity(span as usize + 1);
    let mut year: Option<YearDays> = None;
    for day in (from.0..=to.0).map(BusinessDate) {
        let not_covered = || refused(CalendarError::NotCovered { day });
        let number = u16::try_from(day.civil().0).map_err(|_| not_covered())?;
        if year.as_ref().is_none_or(|year| year.year != number) {
            year = context.get::<YearDays>(&(calendar.into(), number))?;
        }
        let covering = year.as_ref().filter(|year| !(production && year.provisional)).ok_or_else(not_covered)?;
        let open = covering.is_open(day).ok_or_else(not_covered)?;
        views.push(DayView { day, open, provisional: covering.provisional });
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> BusinessDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_year_is_replaced_only_as_far_as_it_lies_ahead() {
        let before = YearDays { provisional: true, ..YearDays::closed(2027) };
        let mut after = YearDays { provisional: false, ..before.clone() };
        after.set(date("2027-06-02"), true);
        assert_eq!(check_replacement(&before, &after, date("2027-06-01")), Ok(()));
        assert_eq!(
            check_replacement(&before, &after, date("2027-06-02")),
            Err(CalendarError::ChangesThePast { day: date("2027-06-02") })
        );
        assert_eq!(check_replacement(&before, &after, date("2026-01-01")), Ok(()));
    }

    #[test]
    fn an_official_year_does_not_become_a_guess() {
        let official = YearDays::closed(2027);
        let guess = YearDays { provisional: true, ..official.clone() };
        assert_eq!(check_replacement(&official, &guess, date("2026-01-01")), Err(CalendarError::IsOfficial));
    }

    #[test]
    fn a_year_outside_the_calendar_is_refused() {
        assert_eq!(check_year("CN", &YearDays::closed(2027)), Err(CalendarError::BadName));
        assert_eq!(check_year("cn", &YearDays::closed(0)), Err(CalendarError::BadYear));
    }
}
