//! Figures that others published, so that no rule here is only its own witness.

use portolan_terms::{BusinessDate, DayCount, TermsError};

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

/// The year fraction in millionths of a millionth, rounded down.
fn trillionths(day_count: DayCount, from: &str, to: &str) -> u128 {
    let fraction = day_count.fraction(date(from), date(to)).unwrap();
    u128::from(fraction.numerator) * 1_000_000_000_000 / u128::from(fraction.denominator)
}

/// ISDA, "EMU and Market Conventions: Recent Developments" (1998), section 4: the worked periods under the ISDA method.
#[test]
fn act_act_gives_the_figures_of_isdas_memorandum() {
    let published = [
        ("2003-11-01", "2004-05-01", "0.497724"),
        ("1999-02-01", "1999-07-01", "0.410958"),
        ("1999-07-01", "2000-07-01", "1.001377"),
        ("2002-08-15", "2003-07-15", "0.915068"),
        ("2003-07-15", "2004-01-15", "0.504004"),
        ("1999-07-30", "2000-01-30", "0.503892"),
        ("2000-01-30", "2000-06-30", "0.415300"),
    ];
    for (from, to, fraction) in published {
        let millionths = trillionths(DayCount::ActActIsda, from, to) / 1_000_000;
        let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        assert_eq!(text, fraction, "{from} to {to}");
    }
}

/// ISDA's examples for the 30/360 day counts ("30/360 day count conventions", 2008): the periods that begin on no end of February, on which
/// bond basis and the United States' rule agree.
#[test]
fn thirty_360_gives_isdas_figures_where_no_period_begins_at_the_end_of_february() {
    let published = [
        ("2006-08-20", "2007-02-20", 180),
        ("2007-02-20", "2007-08-20", 180),
        ("2007-08-20", "2008-02-20", 180),
        ("2008-02-20", "2008-08-20", 180),
        ("2006-08-31", "2007-02-28", 178),
        ("2007-08-31", "2008-02-29", 179),
        ("2006-01-31", "2006-02-28", 28),
        ("2006-01-30", "2006-02-28", 28),
        ("2006-02-14", "2006-02-28", 14),
        ("2006-09-30", "2006-10-31", 30),
        ("2006-10-31", "2006-11-28", 28),
        ("2007-08-31", "2008-02-28", 178),
        ("2008-02-28", "2008-08-28", 180),
        ("2008-02-28", "2008-08-30", 182),
        ("2008-02-28", "2008-08-31", 183),
        ("2007-02-26", "2008-02-28", 362),
        ("2007-02-26", "2008-02-29", 363),
    ];
    for (from, to, days) in published {
        assert_eq!(trillionths(DayCount::Thirty360Us, from, to), days * 1_000_000_000_000 / 360, "{from} to {to}");
    }
}

/// Securities Industry Association, "Standard Securities Calculation Methods" (1993), volume 1: a period that begins on the last day of February begins
/// on a 30th, and one that also ends on such a day ends on a 30th.
#[test]
fn thirty_360_counts_the_end_of_february_as_a_thirtieth() {
    let cases = [
        ("2007-02-28", "2007-08-31", 180),
        ("2008-02-29", "2008-08-31", 180),
        ("2008-02-29", "2009-02-28", 360),
        ("2007-02-28", "2008-02-29", 360),
        ("2007-02-28", "2008-02-28", 358),
        ("2006-02-28", "2006-03-03", 3),
        ("2008-02-28", "2008-03-31", 33),
    ];
    for (from, to, days) in cases {
        assert_eq!(trillionths(DayCount::Thirty360Us, from, to), days * 1_000_000_000_000 / 360, "{from} to {to}");
    }
}

/// ISO 20022's and the market's daily case: 360 or 365 days, whatever the year.
#[test]
fn actual_days_go_over_a_fixed_year_in_leap_years_too() {
    let leap = |day_count: DayCount| day_count.fraction(date("2024-01-01"), date("2025-01-01")).unwrap();
    let act_360 = leap(DayCount::Act360);
    assert_eq!((act_360.numerator, act_360.denominator), (366, 360));
    let act_365 = leap(DayCount::Act365Fixed);
    assert_eq!((act_365.numerator, act_365.denominator), (366, 365));
}

#[test]
fn no_day_count_runs_backwards() {
    for day_count in [DayCount::Act360, DayCount::Act365Fixed, DayCount::ActActIsda, DayCount::Thirty360Us] {
        let (from, to) = (date("2026-03-02"), date("2026-03-01"));
        assert_eq!(day_count.fraction(from, to), Err(TermsError::ReversedPeriod { from, to }));
        assert_eq!(day_count.fraction(from, from).unwrap().numerator, 0);
    }
}
