//! Laws that hold for every amount, rate and day, and the places where one must not be assumed.

use portolan_terms::{
    BusinessDate, Claim, Convention, Currency, DayCount, DayStatus, Interest, Money, Ppm, Quote, TermsError, adjust,
    equal_parts, largest_remainder, margin_call, pro_rata, rate::advance_limit, share_of, waterfall,
};
use proptest::{collection, prelude::*};

/// One currency of each exponent: 0, 2, 3 and 4 decimals.
const CURRENCIES: [Currency; 4] = [Currency::JPY, Currency::CNY, Currency::BHD, Currency(*b"CLF")];

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(&CURRENCIES[..])
}

fn day() -> impl Strategy<Value = BusinessDate> {
    (0i32..60_000).prop_map(BusinessDate)
}

fn day_count() -> impl Strategy<Value = DayCount> {
    prop::sample::select(vec![DayCount::Act360, DayCount::Act365Fixed, DayCount::ActActIsda, DayCount::Thirty360Us])
}

fn date(text: &str) -> BusinessDate {
    text.parse().unwrap()
}

/// Weekends and every eleventh day are closed.
fn calendar(day: BusinessDate) -> DayStatus {
    if (day.0 + 3).rem_euclid(7) >= 5 || day.0 % 11 == 0 { DayStatus::Closed } else { DayStatus::Open }
}

proptest! {
    #[test]
    fn an_amount_reads_back_as_it_is_written(minor in any::<i128>(), currency in currency()) {
        prop_assume!(minor != i128::MIN);
        let money = Money::new(minor, currency);
        prop_assert_eq!(Money::from_decimal(&money.to_decimal(), currency), Ok(money));
    }

    #[test]
    fn a_decimal_more_than_the_currency_has_is_refused_unless_zero(minor in 0i128..1 << 90, digit in 1u8..=9, currency in currency()) {
        let text = Money::new(minor, currency).to_decimal();
        let point = if text.contains('.') { "" } else { "." };
        prop_assert_eq!(Money::from_decimal(&format!("{text}{point}0"), currency), Ok(Money::new(minor, currency)));
        prop_assert_eq!(Money::from_decimal(&format!("{text}{point}{digit}"), currency), Err(TermsError::TooManyDecimals(currency)));
    }

    #[test]
    fn splitting_and_merging_is_the_identity(amount in 0i128.., count in 1u16..300) {
        let parts = equal_parts(amount, count).unwrap();
        prop_assert_eq!(parts.len(), usize::from(count));
        prop_assert_eq!(parts.iter().sum::<i128>(), amount);
    }

    #[test]
    fn shares_depend_on_the_proportion_alone(amount in 0i128..1 << 80, weights in collection::vec(1i128..1 << 40, 1..20), factor in 1i128..1 << 20) {
        let scaled: Vec<i128> = weights.iter().map(|weight| weight * factor).collect();
        prop_assert_eq!(largest_remainder(amount, &weights), largest_remainder(amount, &scaled));
    }

    #[test]
    fn no_share_is_a_unit_off_its_proportion(amount in 0i128..1 << 60, weights in collection::vec(0i128..1 << 50, 1..30)) {
        let total: i128 = weights.iter().sum();
        prop_assume!(total > 0);
        for (share, weight) in largest_remainder(amount, &weights).unwrap().iter().zip(&weights) {
            prop_assert!((share * total - amount * weight).abs() < total);
        }
    }

    #[test]
    fn whoever_is_paid_in_full_leaves_nothing_open(claims in collection::vec(0i128..1 << 60, 1..30), more in 0i128..1 << 60) {
        let total: i128 = claims.iter().sum();
        prop_assert_eq!(pro_rata(total + more, &claims), Ok(claims));
    }

    #[test]
    fn money_that_comes_in_pieces_pays_what_it_would_pay_at_once(dues in collection::vec(0i128..1 << 60, 0..8), pieces in collection::vec(0i128..1 << 60, 1..6)) {
        let claims = |dues: &[i128]| dues.iter().zip(0..).map(|(due, rank)| Claim { rank, due: *due }).collect::<Vec<_>>();
        let (at_once, residual) = waterfall(pieces.iter().sum(), &claims(&dues)).unwrap();
        let mut orders = [pieces.clone(), pieces];
        orders[1].reverse();
        for pieces in orders {
            let (mut open, mut left) = (dues.clone(), 0);
            for piece in pieces {
                let (paid, rest) = waterfall(piece, &claims(&open)).unwrap();
                open.iter_mut().zip(paid).for_each(|(open, paid)| *open -= paid);
                left += rest;
            }
            prop_assert_eq!(left, residual);
            prop_assert!(open.iter().zip(&dues).zip(&at_once).all(|((open, due), paid)| due - open == *paid));
        }
    }

    #[test]
    fn a_share_is_at_most_half_a_unit_off(minor in 0i128..1 << 90, rate in 0u32..5_000_000) {
        let share = share_of(Money::new(minor, Currency::CNY), Ppm(rate)).unwrap().minor;
        let off = 2 * (share * 1_000_000 - minor * i128::from(rate));
        prop_assert!((-1_000_000 < off) && (off <= 1_000_000), "half goes up: {}", off);
    }

    #[test]
    fn interest_is_at_most_half_a_unit_off(minor in 0i128..1 << 60, rate in 0u32..2_000_000, from in day(), days in 0i32..800, day_count in day_count()) {
        let to = BusinessDate(from.0 + days);
        let time = day_count.fraction(from, to).unwrap();
        let amount = Interest::new(Money::new(minor, Currency::CNY), Ppm(rate), day_count, from, to).unwrap().amount().unwrap().minor;
        let divisor = 1_000_000 * i128::from(time.denominator);
        let off = 2 * (amount * divisor - minor * i128::from(rate) * i128::from(time.numerator));
        prop_assert!((-divisor < off) && (off <= divisor));
    }

    #[test]
    fn a_lending_limit_rounds_down_and_a_call_brings_the_loan_to_it(value in 0i128..1 << 60, rate in 0u32..1_000_000, loan in 0i128..1 << 60) {
        let limit = advance_limit(Money::new(value, Currency::CNY), Ppm(rate)).unwrap();
        prop_assert!(limit.minor * 1_000_000 <= value * i128::from(rate) && value * i128::from(rate) < (limit.minor + 1) * 1_000_000);
        let loan = Money::new(loan, Currency::CNY);
        let call = margin_call(loan, limit).unwrap();
        prop_assert_eq!(loan.minor - call.minor, loan.minor.min(limit.minor));
    }

    #[test]
    fn what_counts_actual_days_adds_up_over_any_cut(from in day(), first in 0i32..800, second in 0i32..800) {
        let (cut, to) = (BusinessDate(from.0 + first), BusinessDate(from.0 + first + second));
        for day_count in [DayCount::Act360, DayCount::Act365Fixed, DayCount::ActActIsda] {
            let numerator = |from, to| day_count.fraction(from, to).unwrap().numerator;
            prop_assert_eq!(numerator(from, cut) + numerator(cut, to), numerator(from, to));
        }
    }

    #[test]
    fn rounded_accruals_of_two_periods_are_a_unit_off_the_whole_at_most(minor in 0i128..1 << 60, rate in 0u32..2_000_000, from in day(), first in 0i32..400, second in 0i32..400) {
        let (cut, to) = (BusinessDate(from.0 + first), BusinessDate(from.0 + first + second));
        for day_count in [DayCount::Act360, DayCount::Act365Fixed, DayCount::ActActIsda] {
            let over = |from, to| Interest::new(Money::new(minor, Currency::CNY), Ppm(rate), day_count, from, to).unwrap().amount().unwrap().minor;
            prop_assert!((over(from, cut) + over(cut, to) - over(from, to)).abs() <= 1);
        }
    }

    #[test]
    fn thirty_360_gives_a_month_to_a_month_and_a_year_to_a_year(year in 1950i32..2150, month in 1u8..=12, of_month in 1u8..=28, months in 0i32..60) {
        let from = BusinessDate::from_civil(year, month, of_month).unwrap();
        let ends_february = |day: BusinessDate| day.to_civil().1 == 2 && BusinessDate(day.0 + 1).to_civil().1 == 3;
        prop_assume!(!ends_february(from));
        let days = DayCount::Thirty360Us.fraction(from, from.add_months(months).unwrap()).unwrap().numerator;
        prop_assert_eq!(days, 30 * u64::try_from(months).unwrap());
    }

    #[test]
    fn days_between_are_the_same_from_either_end(from in day(), to in day()) {
        prop_assert_eq!(from.days_until(to), -to.days_until(from));
        let (first, last) = (from.min(to), from.max(to));
        let days = u64::try_from(first.days_until(last)).unwrap();
        prop_assert_eq!(DayCount::Act360.fraction(first, last).unwrap().numerator, days);
        prop_assert_eq!(DayCount::Act365Fixed.fraction(first, last).unwrap().numerator, days);
    }

    #[test]
    fn months_keep_the_day_or_clip_it_to_the_end(from in day(), months in -120i32..120) {
        let to = from.add_months(months).unwrap_or(from);
        prop_assume!(from.0 > 4_000 && from.add_months(months).is_ok());
        let ((from_year, from_month, from_day), (to_year, to_month, to_day)) = (from.to_civil(), to.to_civil());
        prop_assert_eq!((to_year - from_year) * 12 + i32::from(to_month) - i32::from(from_month), months);
        let ends_month = BusinessDate(to.0 + 1).to_civil().1 != to_month;
        prop_assert!(to_day == from_day || (to_day < from_day && ends_month));
    }

    #[test]
    fn months_there_and_back_end_at_the_start_or_clipped(from in day(), months in 0i32..120) {
        let back = from.add_months(months).unwrap().add_months(-months).unwrap();
        prop_assert!(back <= from && from.0 - back.0 <= 3);
        prop_assert!(from.to_civil().2 > 28 || back == from);
    }

    #[test]
    fn months_in_two_steps_end_no_later_than_in_one(from in day(), first in 0i32..60, second in 0i32..60) {
        let steps = from.add_months(first).unwrap().add_months(second).unwrap();
        let at_once = from.add_months(first + second).unwrap();
        prop_assert!(steps <= at_once && at_once.0 - steps.0 <= 3);
        prop_assert!(from.to_civil().2 > 28 || steps == at_once);
    }

    #[test]
    fn every_convention_ends_on_an_open_day_in_its_direction(from in day()) {
        let to = |convention| adjust(from, convention, calendar).unwrap();
        let (following, preceding, modified) = (to(Convention::Following), to(Convention::Preceding), to(Convention::ModifiedFollowing));
        prop_assert!([following, preceding, modified].iter().all(|day| calendar(*day) == DayStatus::Open));
        prop_assert!(following >= from && preceding <= from);
        prop_assert!((from.0..following.0).chain(preceding.0 + 1..from.0).all(|day| calendar(BusinessDate(day)) == DayStatus::Closed));
        let month = |day: BusinessDate| (day.to_civil().0, day.to_civil().1);
        prop_assert_eq!(modified, if month(following) == month(from) { following } else { preceding });
        prop_assert_eq!(to(Convention::Unadjusted), from);
        if calendar(from) == DayStatus::Open {
            prop_assert_eq!([following, preceding, modified], [from; 3]);
        }
    }

    #[test]
    fn a_conversion_rounds_down_by_less_than_a_unit(minor in 0i128..1 << 60, units in 1u64..1 << 40, decimals in 0u8..=12, from in currency(), to in currency()) {
        let gross = Quote { from, to, units, decimals, spread: Ppm(0) }.convert(Money::new(minor, from)).unwrap().gross.minor;
        let source = 10i128.pow(u32::from(decimals) + u32::from(from.exponent().unwrap()));
        let exact = minor.checked_mul(i128::from(units)).and_then(|product| product.checked_mul(10i128.pow(u32::from(to.exponent().unwrap()))));
        if let (Some(exact), Some(below), Some(above)) = (exact, gross.checked_mul(source), (gross + 1).checked_mul(source)) {
            prop_assert!(below <= exact && exact < above);
        }
    }

    #[test]
    fn there_and_back_never_gives_more_than_was_put_in(minor in 0i128..1 << 60, units in 1u64..1 << 30, decimals in 0u8..=6, from in currency(), to in currency(), spread in 0u32..=1_000_000) {
        let there = Quote { from, to, units, decimals, spread: Ppm(spread) };
        // The price of the other way is the reciprocal, rounded down to twelve decimals.
        let reciprocal = 10u128.pow(12 + u32::from(decimals)) / u128::from(units);
        prop_assume!(u64::try_from(reciprocal).is_ok());
        let back = Quote { from: to, to: from, units: u64::try_from(reciprocal).unwrap(), decimals: 12, spread: Ppm(0) };
        let bought = there.convert(Money::new(minor, from)).unwrap().net;
        prop_assert!(back.convert(bought).unwrap().net.minor <= minor);
    }

    #[test]
    fn a_larger_amount_is_never_worth_less_and_a_spread_never_pays(minor in 0i128..1 << 60, more in 0i128..1 << 40, units in 1u64..1 << 40, spread in 0u32..1_000_000) {
        let at = |spread, minor| Quote { from: Currency::USD, to: Currency::JPY, units, decimals: 4, spread: Ppm(spread) }.convert(Money::new(minor, Currency::USD)).unwrap();
        prop_assert!(at(spread, minor + more).net.minor >= at(spread, minor).net.minor);
        prop_assert!(at(spread + 1, minor).net.minor <= at(spread, minor).net.minor);
        prop_assert_eq!(at(spread, minor).gross, at(0, minor).net);
    }
}

/// Accruals are rounded once, at the end of their period: nobody may take a period in pieces and hope for the same sum.
#[test]
fn rounded_accruals_do_not_add_up() {
    let over = |from: &str, to: &str| {
        let principal = Money::new(1_000, Currency::CNY);
        Interest::new(principal, Ppm(18_000), DayCount::Act360, date(from), date(to)).unwrap().amount().unwrap().minor
    };
    // A twentieth of a fen a day: ten days are half a fen, which goes up.
    assert_eq!((over("2026-03-02", "2026-03-12"), over("2026-03-12", "2026-03-22")), (1, 1));
    assert_eq!(over("2026-03-02", "2026-03-22"), 1);
}

/// 30/360 is no count of days: pieces of a month can come to another sum than the month.
#[test]
fn thirty_360_does_not_add_up_over_every_cut() {
    let days = |from: &str, to: &str| DayCount::Thirty360Us.fraction(date(from), date(to)).unwrap().numerator;
    assert_eq!(days("2026-01-15", "2026-01-31") + days("2026-01-31", "2026-02-15"), 16 + 15);
    assert_eq!(days("2026-01-15", "2026-02-15"), 30);
}
