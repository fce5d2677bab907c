//! Netting with consent: parties set off what they have promised one another, and pay the differences at once.
//!
//! Each entry frees its payer and takes from its payee by the same amount, so the differences of all parties come to nothing, and money only moves
//! from those who owed more to those who were owed more. It is done when the last party consents, as a whole or not at all. Must never touch a
//! promise or deposit of an account that has not consented, nor tell anybody of a promise that it is no party to: a party's own are looked at when
//! it consents, all of them only when it is done.

use alloc::{collections::BTreeMap, vec::Vec};

use portolan_interface::{
    AccountId, BusinessDate, Money,
    settlement::{
        MAX_NETTING_DAYS, MAX_NETTING_ENTRIES, MAX_NETTING_PARTIES, Netting, NettingEntry, NettingFault, NettingPage,
        NettingParty, NettingState, NettingTerms, RecordKind, SettlementError, SettlementEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    NETTINGS, NETTINGS_OF, add, committing,
    deposits::{self, Place},
    payables,
};

fn fault(fault: NettingFault) -> SettlementError {
    SettlementError::UnsoundNetting { fault }
}

/// A party proposes; answers the netting's number. It consents by [`consent`] as the others do.
pub fn propose(proposer: AccountId, terms: NettingTerms) -> Result<u32, SettlementError> {
    let today = env::business_date();
    let waits = (today..=today.saturating_add(MAX_NETTING_DAYS)).contains(&terms.until.0);
    ensure!(waits, fault(NettingFault::Validity));
    deposits::ensure_served(terms.bank, terms.currency)?;
    let parties = parties_of(&terms)?;
    ensure!(parties.iter().any(|party| party.account == proposer), SettlementError::NotParty);
    let number = NETTINGS.len(&());
    for party in &parties {
        NETTINGS_OF.push(&party.account, &number);
    }
    NETTINGS.push(&(), &Netting { number, terms, parties, state: NettingState::Proposed });
    emit(&SettlementEvent::NettingProposed { number, by: proposer });
    Ok(number)
}

/// Who is touched and by how much, when the entries are sound.
fn parties_of(terms: &NettingTerms) -> Result<Vec<NettingParty>, SettlementError> {
    ensure!((1..=MAX_NETTING_ENTRIES).contains(&terms.entries.len()), fault(NettingFault::Extent));
    let mut named: Vec<(AccountId, u32)> = terms.entries.iter().map(|entry| (entry.payer, entry.number)).collect();
    named.sort_unstable();
    ensure!(named.windows(2).all(|pair| pair[0] != pair[1]), fault(NettingFault::Extent));
    let mut sums: BTreeMap<AccountId, (i128, i128)> = BTreeMap::new();
    for entry in &terms.entries {
        ensure!(entry.minor > 0, fault(NettingFault::Amount));
        let owes = &mut sums.entry(entry.payer).or_default().0;
        *owes = add(*owes, entry.minor)?;
        let owed = &mut sums.entry(entry.payee).or_default().1;
        *owed = add(*owed, entry.minor)?;
    }
    ensure!(sums.len() <= MAX_NETTING_PARTIES, fault(NettingFault::Extent));
    let party =
        |(account, (owes_minor, owed_minor))| NettingParty { account, owes_minor, owed_minor, consented: false };
    Ok(sums.into_iter().map(party).collect())
}

/// Passes when the promises are as the entries say, those of one party or all.
fn ensure_true(terms: &NettingTerms, of: Option<AccountId>) -> Result<(), SettlementError> {
    let meant = |entry: &&NettingEntry| of.is_none_or(|party| party == entry.payer || party == entry.payee);
    for entry in terms.entries.iter().filter(meant) {
        let holds = payables::load(entry.payer, entry.number).is_ok_and(|promise| {
            let same = promise.terms.payee == entry.payee && promise.terms.amount.currency == terms.currency;
            same && entry.minor <= promise.open()
        });
        ensure!(holds, fault(NettingFault::Promise));
    }
    Ok(())
}

/// What a party disposes of by consenting: what it is owed and gives up, and what it pays on top.
pub fn at_stake(account: AccountId, number: u32) -> Result<Money, SettlementError> {
    let netting = open(number)?;
    let party = netting.parties.iter().find(|party| party.account == account).ok_or(SettlementError::NotParty)?;
    ensure!(!party.consented, SettlementError::AlreadyConsented);
    Ok(Money::new(party.owes_minor.max(party.owed_minor), netting.terms.currency))
}

/// A party agrees; with the last one it is done.
pub fn consent(account: AccountId, number: u32) -> Result<(), SettlementError> {
    let mut netting = open(number)?;
    ensure_true(&netting.terms, Some(account))?;
    for party in netting.parties.iter_mut().filter(|party| party.account == account) {
        party.consented = true;
    }
    emit(&SettlementEvent::NettingConsented { number, by: account });
    if netting.parties.iter().all(|party| party.consented) {
        execute(&netting)?;
        netting.state = NettingState::Executed;
    }
    NETTINGS.set(&(), number, &netting);
    Ok(())
}

/// A party refuses, for all.
pub fn refuse(account: AccountId, number: u32) -> Result<(), SettlementError> {
    let mut netting = open(number)?;
    ensure!(netting.parties.iter().any(|party| party.account == account), SettlementError::NotParty);
    netting.state = NettingState::Refused;
    NETTINGS.set(&(), number, &netting);
    emit(&SettlementEvent::NettingRefused { number, by: account });
    Ok(())
}

/// Sets off first, so that what is due no longer binds the deposits that pay the differences.
fn execute(netting: &Netting) -> Result<(), SettlementError> {
    let NettingTerms { bank, currency, entries, .. } = &netting.terms;
    ensure_true(&netting.terms, None)?;
    for entry in entries {
        payables::set_off(entry.payer, entry.number, entry.minor)?;
    }
    let place = |party: &NettingParty| Place::new(party.account, *bank, *currency);
    let difference = |party: &NettingParty| party.owed_minor - party.owes_minor;
    for party in &netting.parties {
        committing(party.account)?;
        let pays = -difference(party);
        if pays > 0 {
            // Whose it is and by how much it falls short is not the other parties' business.
            deposits::ensure_free(place(party), pays).map_err(|_| fault(NettingFault::Cover))?;
            deposits::debit(place(party), pays)?;
        }
    }
    for party in &netting.parties {
        let gets = difference(party);
        if gets > 0 {
            deposits::credit(place(party), gets)?;
        }
        let money = |minor| Money::new(minor, *currency);
        let (number, account) = (netting.number, party.account);
        let (owed, owes) = (money(party.owed_minor), money(party.owes_minor));
        emit(&SettlementEvent::Netted { number, account, owed, owes });
    }
    Ok(())
}

/// A netting that can still be agreed to.
fn open(number: u32) -> Result<Netting, SettlementError> {
    let netting = view(number)?;
    let state = netting.state;
    ensure!(state == NettingState::Proposed, SettlementError::NettingClosed { state });
    Ok(netting)
}

/// A netting as it stands today.
pub fn view(number: u32) -> Result<Netting, SettlementError> {
    let unknown = SettlementError::Unknown { what: RecordKind::Netting };
    let mut netting = NETTINGS.get(&(), number).ok_or(unknown)?;
    if netting.state == NettingState::Proposed && netting.terms.until < BusinessDate(env::business_date()) {
        netting.state = NettingState::Expired;
    }
    Ok(netting)
}

/// Part of an account's list.
pub fn page(account: AccountId, from: u32, limit: u32) -> Result<NettingPage, SettlementError> {
    let numbers = NETTINGS_OF.page(&account, from, limit);
    let nettings = numbers.into_iter().map(view).collect::<Result<_, _>>()?;
    Ok(NettingPage { count: NETTINGS_OF.len(&account), nettings })
}
