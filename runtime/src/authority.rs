//! Whether a transaction's approvers may act for an account: counts persons, not keys, and sums the business day, so that
//! many calls below a tier weigh as one above it.
//!
//! Must never look at who signed what elsewhere than in the transaction that runs, and never grant below a top-level call;
//! the session asks only then.

use std::collections::BTreeSet;

use portolan_primitives::{AccountId, BusinessDate, Currency, MemberId, MemberStatus};
use portolan_vm::HostResult;
use portolan_vm::abi::Authorization;

use crate::ledger::Ledger;
use crate::native::Approver;
use crate::native::records::{Account, DaySums, Member, Policy, Tier};

/// Most currencies that one account moves on one business day under a bounded policy.
const MAX_CURRENCIES: usize = 64;

/// Answers for `minor` units of `currency` on `date`, and remembers the sum when it grants.
pub(crate) fn authorize(
    ledger: &mut Ledger,
    approvers: &[Approver],
    date: BusinessDate,
    id: AccountId,
    currency: Currency,
    minor: i128,
) -> HostResult<Authorization> {
    let Some(account) = ledger.get_kept::<Account>(&id)?.filter(|account| !account.closed) else {
        return Ok(Authorization::UnknownAccount);
    };
    let member = ledger.get_kept::<Member>(&account.member)?;
    if !member.is_some_and(|member| may_act(member.status)) {
        return Ok(Authorization::MemberNotActive);
    }
    let sums = sums_of_day(ledger, &account.policy, id, date)?;
    let total = sum_of(&sums, currency).saturating_add(minor.saturating_abs());
    let persons = persons(&account.policy, account.member, approvers);
    let room = sums.sums.len() < MAX_CURRENCIES || sum_of(&sums, currency) != 0;
    if !room || !tier(&account.policy, currency, total).is_some_and(|tier| satisfies(tier, &persons)) {
        return Ok(Authorization::TooFewPersons);
    }
    remember(ledger, &account.policy, id, sums, currency, total)?;
    Ok(Authorization::Granted)
}

/// Whether a member in this state may act at all; contracts refuse more to a restricted one.
pub(crate) fn may_act(status: MemberStatus) -> bool {
    matches!(status, MemberStatus::Active | MemberStatus::Restricted)
}

/// The different persons that count, with what each may do.
fn persons<'a>(policy: &Policy, member: MemberId, approvers: &'a [Approver]) -> Vec<&'a Approver> {
    let counting = approvers.iter().filter(|approver| counts(policy, member, approver));
    let mut seen = BTreeSet::new();
    counting.filter(|approver| seen.insert(&approver.person)).collect()
}

/// Whether a policy of an account of `member` counts this approver.
pub(crate) fn counts(policy: &Policy, member: MemberId, approver: &Approver) -> bool {
    approver.person.member == member && (policy.persons.is_empty() || policy.persons.contains(&approver.person.name))
}

/// Whether all these together could act under each tier of a policy.
pub(crate) fn can_be_met(policy: &Policy, member: MemberId, approvers: &[Approver]) -> bool {
    let persons = persons(policy, member, approvers);
    policy.tiers.iter().all(|tier| satisfies(tier, &persons))
}

fn tier(policy: &Policy, currency: Currency, total: i128) -> Option<&Tier> {
    let fits = |tier: &&Tier| {
        tier.currency.is_none_or(|named| named == currency) && tier.up_to.is_none_or(|up_to| total <= up_to)
    };
    policy.tiers.iter().find(fits)
}

fn satisfies(tier: &Tier, persons: &[&Approver]) -> bool {
    let maker_and_other_checker = || {
        let mut pairs = persons.iter().flat_map(|maker| persons.iter().map(move |checker| (maker, checker)));
        pairs.any(|(maker, checker)| maker.duties.maker && checker.duties.checker && maker.person != checker.person)
    };
    persons.len() >= usize::from(tier.persons.max(1)) && (!tier.maker_checker || maker_and_other_checker())
}

/// Sums matter only where some tier is bounded.
fn is_bounded(policy: &Policy) -> bool {
    policy.tiers.iter().any(|tier| tier.up_to.is_some())
}

fn sums_of_day(ledger: &mut Ledger, policy: &Policy, account: AccountId, date: BusinessDate) -> HostResult<DaySums> {
    let kept = if is_bounded(policy) { ledger.get::<DaySums>(&account)? } else { None };
    Ok(kept.filter(|sums| sums.date == date).unwrap_or(DaySums { date, sums: vec![] }))
}

fn sum_of(sums: &DaySums, currency: Currency) -> i128 {
    sums.sums.iter().find(|(known, _)| *known == currency).map_or(0, |(_, sum)| *sum)
}

fn remember(
    ledger: &mut Ledger,
    policy: &Policy,
    account: AccountId,
    mut sums: DaySums,
    currency: Currency,
    total: i128,
) -> HostResult<()> {
    if !is_bounded(policy) || total == sum_of(&sums, currency) {
        return Ok(());
    }
    match sums.sums.binary_search_by_key(&currency, |(known, _)| *known) {
        Ok(place) => sums.sums[place].1 = total,
        Err(place) => sums.sums.insert(place, (currency, total)),
    }
    ledger.put(&account, &sums)
}
