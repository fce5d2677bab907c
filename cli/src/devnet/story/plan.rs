//! What the story will be, from the facts of an invoice, before anything starts: amounts, dates, and why it can't be told.

use portolan_interface::receivable::DEFAULT_DUST_MINOR;
use portolan_primitives::BusinessDate;
use portolan_terms::{self as terms, Money};

use crate::document::{Facts, InvoiceFingerprint, Kind};
use crate::error::{CliError, CliResult};

/// Tenor when the invoice names no due date, or one on or before its issue date.
pub const DEFAULT_TENOR_DAYS: i32 = 90;
/// Into how many parts the certificate is split.
pub const PARTS: u16 = 3;
/// First and last year of the devnet's calendar.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2060;

/// The story's figures.
#[derive(Clone, Debug)]
pub struct StoryPlan {
    /// The invoice as it will be registered.
    pub facts: Facts,
    /// Its fingerprint.
    pub fingerprint: InvoiceFingerprint,
    /// Fingerprint of the file as it is.
    pub fingerprint_of_file: InvoiceFingerprint,
    /// Its issue date, the business date of the story.
    pub issued: BusinessDate,
    /// When it falls due.
    pub due: BusinessDate,
    /// Whether the due date is not the invoice's own.
    pub due_is_assumed: bool,
    /// The payable amount.
    pub payable: Money,
    /// The parts of the split.
    pub parts: Vec<Money>,
}

fn refuse<T>(code: &str, message: String) -> CliResult<T> {
    Err(CliError::refused(code, message))
}

/// Plans the story of `facts`, or says why it can't be told.
pub fn plan(facts: &Facts) -> CliResult<StoryPlan> {
    if facts.kind == Kind::CreditNote {
        return refuse("credit_note", "this is a credit note; the story needs an invoice".into());
    }
    let Some(issued) = facts.issue_date else {
        return refuse("no_issue_date", "the invoice has no issue date; the business clock could not start".into());
    };
    let payable = payable(facts)?;
    let (Some(seller), Some(buyer)) = (&facts.seller, &facts.buyer) else {
        return refuse("no_parties", "the invoice does not name both a seller and a buyer".into());
    };
    if crate::document::normalise(seller) == crate::document::normalise(buyer) {
        return refuse("same_party", format!("seller and buyer of the invoice are the same, {seller}"));
    }
    let (due, due_is_assumed) = due(facts, issued);
    check_dates(issued, due)?;
    let parts = split(payable)?;
    let fingerprint = fingerprint(facts)?;
    Ok(StoryPlan {
        facts: facts.clone(),
        fingerprint_of_file: fingerprint,
        fingerprint,
        issued,
        due,
        due_is_assumed,
        payable,
        parts,
    })
}

fn fingerprint(facts: &Facts) -> CliResult<InvoiceFingerprint> {
    facts.fingerprint().map_err(|missing| CliError::refused("no_fingerprint", missing.to_string()))
}

fn payable(facts: &Facts) -> CliResult<Money> {
    let currency: Result<terms::Currency, _> = facts.currency.to_string().parse();
    let Ok(currency) = currency else {
        return refuse("unknown_currency", format!("{} is no currency that the chain knows", facts.currency));
    };
    match facts.payable_minor {
        Some(minor) if minor > 0 => Ok(Money { minor, currency }),
        Some(_) => refuse(
            "payable_not_positive",
            "the invoice's payable amount is not positive; there is nothing to finance".into(),
        ),
        None => refuse("no_payable", "the invoice has no payable amount".into()),
    }
}

fn due(facts: &Facts, issued: BusinessDate) -> (BusinessDate, bool) {
    match facts.due_date {
        Some(due) if due > issued => (due, false),
        _ => (issued.plus_days(DEFAULT_TENOR_DAYS), true),
    }
}

fn check_dates(issued: BusinessDate, due: BusinessDate) -> CliResult<()> {
    for day in [issued, due] {
        if !YEARS.contains(&day.civil().0) {
            return refuse(
                "outside_calendar",
                format!("{day} lies outside the calendar `demo`, which covers 2000 to 2060"),
            );
        }
    }
    // The due date may move to the next open day; a year's end can put that outside.
    if due.plus_days(15).civil().0 > *YEARS.end() {
        return refuse(
            "outside_calendar",
            format!("{due} lies at the end of the calendar `demo`, which covers 2000 to 2060"),
        );
    }
    let within = terms::BusinessDate(issued.0).tenor_within_a_year(terms::BusinessDate(due.0));
    if within.is_ok_and(|within| within) {
        return Ok(());
    }
    refuse(
        "tenor_over_one_year",
        format!("from {issued} to {due} is over one year, the longest tenor of a certificate"),
    )
}

fn split(payable: Money) -> CliResult<Vec<Money>> {
    let failed = |error: portolan_terms::TermsError| CliError::refused("amount", error.to_string());
    let amounts = portolan_terms::equal_parts(payable.minor, PARTS).map_err(failed)?;
    if amounts.iter().any(|minor| *minor < DEFAULT_DUST_MINOR) {
        let text = format!(
            "{} {} is too small to split three ways into parts of at least {DEFAULT_DUST_MINOR} minor units each",
            payable.to_decimal(),
            payable.currency
        );
        return refuse("too_small", text);
    }
    Ok(amounts.into_iter().map(|minor| Money { minor, ..payable }).collect())
}

impl StoryPlan {
    /// The same story told again on `today`: the number gets the run's suffix, and the dates move together.
    pub fn again(&self, run: u32, today: BusinessDate) -> CliResult<Self> {
        let moved = today.0 - self.issued.0;
        let mut facts = self.facts.clone();
        facts.number = format!("{}/{run}", facts.number);
        facts.issue_date = Some(today);
        facts.due_date = Some(self.due.plus_days(moved));
        let due = self.due.plus_days(moved);
        check_dates(today, due)?;
        let fingerprint = fingerprint(&facts)?;
        Ok(Self { facts, fingerprint, issued: today, due, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            kind: Kind::Invoice,
            type_code: None,
            number: "2026-17".into(),
            issue_date: "2026-01-05".parse().ok(),
            due_date: "2026-04-05".parse().ok(),
            currency: "EUR".parse().unwrap(),
            exponent: 2,
            payable_minor: Some(100_000),
            tax_minor: Some(16_000),
            seller: Some("Bright Castings".into()),
            buyer: Some("Atlas Motors".into()),
        }
    }

    fn refusal(change: impl FnOnce(&mut Facts)) -> String {
        let mut changed = facts();
        change(&mut changed);
        plan(&changed).unwrap_err().code()
    }

    #[test]
    fn the_parts_are_equal_to_a_minor_unit_and_sum_to_the_invoice() {
        let plan = plan(&facts()).unwrap();
        let minors: Vec<i128> = plan.parts.iter().map(|part| part.minor).collect();
        assert_eq!(minors, [33_334, 33_333, 33_333]);
        assert!(!plan.due_is_assumed);
    }

    #[test]
    fn what_can_not_be_told_is_refused_by_name() {
        assert_eq!(refusal(|facts| facts.kind = Kind::CreditNote), "credit_note");
        assert_eq!(refusal(|facts| facts.issue_date = None), "no_issue_date");
        assert_eq!(refusal(|facts| facts.payable_minor = Some(0)), "payable_not_positive");
        assert_eq!(refusal(|facts| facts.payable_minor = Some(-5)), "payable_not_positive");
        assert_eq!(refusal(|facts| facts.payable_minor = None), "no_payable");
        assert_eq!(refusal(|facts| facts.payable_minor = Some(299)), "too_small");
        assert_eq!(refusal(|facts| facts.buyer = Some(" bright   CASTINGS".into())), "same_party");
        assert_eq!(refusal(|facts| facts.due_date = "2027-01-06".parse().ok()), "tenor_over_one_year");
        assert_eq!(refusal(|facts| facts.issue_date = "1999-12-31".parse().ok()), "outside_calendar");
        assert_eq!(refusal(|facts| facts.issue_date = "2060-12-01".parse().ok()), "outside_calendar");
    }

    #[test]
    fn three_hundred_minor_units_are_just_enough() {
        let mut small = facts();
        small.payable_minor = Some(300);
        assert!(plan(&small).is_ok());
    }

    #[test]
    fn without_a_later_due_date_ninety_days_are_assumed() {
        for due in [None, "2026-01-05".parse().ok(), "2025-12-31".parse().ok()] {
            let mut undated = facts();
            undated.due_date = due;
            let plan = plan(&undated).unwrap();
            assert!(plan.due_is_assumed);
            assert_eq!(plan.due.to_string(), "2026-04-05");
        }
    }

    #[test]
    fn a_second_run_is_another_invoice_with_the_same_tenor() {
        let first = plan(&facts()).unwrap();
        let second = first.again(2, "2026-04-07".parse().unwrap()).unwrap();
        assert_eq!(second.facts.number, "2026-17/2");
        assert_eq!((second.due.0 - second.issued.0), (first.due.0 - first.issued.0));
        assert_ne!(second.fingerprint, first.fingerprint);
        assert_eq!(second.fingerprint_of_file, first.fingerprint);
    }
}
