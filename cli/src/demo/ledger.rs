//! The books at the end: deposits, certificates and claims as the chain has them, against each other and against what the
//! story's acts should have moved.

use std::collections::BTreeMap;

use portolan_interface::receivable::{self, Certificate, Claim, ClaimPage, Part, PartPage, PartState};
use portolan_interface::settlement::{self, BookPage, Deposit, DepositPage};
use portolan_interface::{AccountId, CertificateId, Currency, Money};
use serde_json::{Value, json};

use super::cast::{CAST, COMPANIES};
use crate::contracts::{account, member};
use crate::devnet::cast::{BANK, OTHER_BANK, Party};
use crate::devnet::story::world::{World, amount};
use crate::error::CliResult;

/// What accounts should have got and given since the books were opened, in minor units.
#[derive(Default)]
pub struct Moves(BTreeMap<(AccountId, Currency), i128>);

impl Moves {
    /// An account got money.
    pub fn get(&mut self, account: AccountId, money: Money) {
        *self.0.entry((account, money.currency)).or_insert(0) += money.minor;
    }

    /// An account gave money.
    pub fn give(&mut self, account: AccountId, money: Money) {
        *self.0.entry((account, money.currency)).or_insert(0) -= money.minor;
    }

    /// One gave it to the other.
    pub fn pass(&mut self, from: AccountId, to: AccountId, money: Money) {
        self.give(from, money);
        self.get(to, money);
    }

    fn of(&self, account: AccountId, currency: Currency) -> i128 {
        self.0.get(&(account, currency)).copied().unwrap_or(0)
    }
}

/// All deposits of everybody.
pub type Deposits = Vec<(Party, Deposit)>;

/// The books, for `--json`.
pub struct Books {
    /// Deposits before and after.
    pub deposits: Vec<Value>,
    /// Certificates with their sums.
    pub certificates: Vec<Value>,
    /// What holders owed each other.
    pub claims: Vec<Value>,
}

/// All deposits as they are now.
pub fn deposits(world: &World) -> CliResult<Deposits> {
    let mut found = Vec::new();
    for party in CAST {
        let mut from = 0;
        loop {
            let question = settlement::api::Query::Deposits { account: account(party.account()), from: Some(from) };
            let page: DepositPage = world.ask(settlement::api::NAME, &question)?;
            from += page.deposits.len() as u32;
            let is_last = page.deposits.is_empty() || from >= page.count;
            found.extend(page.deposits.into_iter().map(|deposit| (party, deposit)));
            if is_last {
                break;
            }
        }
    }
    Ok(found)
}

/// The parts of a certificate that are not split.
pub fn leaves(world: &World, id: CertificateId) -> CliResult<Vec<Part>> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page: PartPage = world.ask(receivable::api::NAME, &receivable::api::Query::Parts { id, from })?;
        found.extend(page.parts.into_iter().filter(|part| part.state != PartState::Closed));
        from = page.next;
        if from.is_none() {
            return Ok(found);
        }
    }
}

/// Shows the books and checks them.
pub fn close(world: &mut World, opening: &Deposits, moves: &Moves, certificates: &[CertificateId]) -> CliResult<Books> {
    let closing = deposits(world)?;
    let deposits = movements(world, opening, &closing, moves);
    for (bank, currency) in [(BANK, Currency::EUR), (OTHER_BANK, Currency::USD)] {
        book(world, &bank, currency, &closing)?;
    }
    let certificates: CliResult<Vec<Value>> = certificates.iter().map(|id| conserved(world, *id)).collect();
    Ok(Books { deposits, certificates: certificates?, claims: claims(world)? })
}

/// Each deposit has moved by what the acts moved, and by nothing else.
fn movements(world: &mut World, opening: &Deposits, closing: &Deposits, moves: &Moves) -> Vec<Value> {
    let before = |party: &Party, deposit: &Deposit| -> i128 {
        let same = opening.iter().filter(|(owner, other)| {
            owner.name == party.name && other.bank == deposit.bank && other.balance.currency == deposit.balance.currency
        });
        same.map(|(_, deposit)| deposit.balance.minor).sum()
    };
    let mut rows = Vec::new();
    let (mut off, mut all) = (Vec::new(), 0);
    for (party, deposit) in closing {
        let (currency, after) = (deposit.balance.currency, deposit.balance.minor);
        let (before, expected) = (before(party, deposit), moves.of(deposit.account, currency));
        let decimal = |minor| Money::new(minor, currency).to_decimal();
        world.say(format!(
            "  {:<26} {currency} {:>12} {:>13} {:>12}",
            party.account_name(),
            decimal(before),
            format!("{}{}", if after < before { "" } else { "+" }, decimal(after - before)),
            decimal(after)
        ));
        if after - before != expected {
            off.push(format!("{} moved by {}, not {}", party.account_name(), after - before, expected));
        }
        all += 1;
        rows.push(json!({
            "account": party.account_name(),
            "currency": currency.to_string(),
            "opening_minor": before.to_string(),
            "change_minor": (after - before).to_string(),
            "closing_minor": after.to_string(),
            "held_minor": deposit.held.minor.to_string(),
        }));
    }
    let known: std::collections::BTreeSet<_> =
        closing.iter().map(|(_, deposit)| (deposit.account, deposit.balance.currency)).collect();
    let lost = moves.0.iter().filter(|(key, minor)| **minor != 0 && !known.contains(key)).count();
    let detail = if off.is_empty() && lost == 0 {
        format!("{all} deposits moved by what the acts moved, and by nothing else")
    } else {
        format!("{}; {lost} deposits that should have moved are not there", off.join("; "))
    };
    world.check("deposits-moved-as-told", off.is_empty() && lost == 0 && all >= COMPANIES.len(), detail);
    rows
}

/// What a bank issued less what it redeemed is what all depositors have, found from their side.
fn book(world: &mut World, bank: &Party, currency: Currency, closing: &Deposits) -> CliResult<()> {
    let question = settlement::api::Query::Book { bank: member(bank.name), currency, from: None };
    let page: BookPage = world.ask(settlement::api::NAME, &question)?;
    let of_bank = closing
        .iter()
        .filter(|(_, deposit)| deposit.bank == member(bank.name) && deposit.balance.currency == currency)
        .map(|(_, deposit)| deposit.balance.minor + deposit.pending.minor);
    let sum: i128 = of_bank.sum();
    let book = &page.book;
    let holds = book.issued.minor - book.redeemed.minor == sum && book.outstanding.minor == sum;
    let detail = format!(
        "{}: issued {} − redeemed {} = {} in deposits",
        bank.title,
        amount(&book.issued),
        amount(&book.redeemed),
        amount(&Money::new(sum, currency))
    );
    world.check("book", holds, detail);
    Ok(())
}

/// A certificate's face is what is owed, paid, taken off, void and lost; and so it is from its leaves.
fn conserved(world: &mut World, id: CertificateId) -> CliResult<Value> {
    let certificate: Certificate = world.ask(receivable::api::NAME, &receivable::api::Query::Certificate { id })?;
    let leaves = leaves(world, id)?;
    let sum = |of: fn(&Part) -> i128| -> i128 { leaves.iter().map(of).sum() };
    let totals = &certificate.totals;
    let of_totals = totals.outstanding.minor
        + totals.settled.minor
        + totals.diluted.minor
        + totals.cancelled.minor
        + totals.written_off.minor;
    let holds = of_totals == totals.face.minor
        && sum(|part| part.amount.minor) == totals.face.minor
        && sum(|part| part.outstanding.minor) == totals.outstanding.minor
        && sum(|part| part.settled.minor) == totals.settled.minor
        && sum(|part| part.diluted.minor) == totals.diluted.minor;
    let detail = format!(
        "{} = {} paid + {} taken off + {} owed, in {} leaves",
        amount(&totals.face),
        amount(&totals.settled),
        amount(&totals.diluted),
        amount(&totals.outstanding),
        leaves.len()
    );
    world.check("certificate", holds, detail);
    let id: String = portolan_primitives::hex::encode(&id.0);
    let minor = |money: &Money| money.minor.to_string();
    Ok(json!({
        "certificate": id,
        "currency": totals.face.currency.to_string(),
        "face_minor": minor(&totals.face),
        "settled_minor": minor(&totals.settled),
        "diluted_minor": minor(&totals.diluted),
        "cancelled_minor": minor(&totals.cancelled),
        "written_off_minor": minor(&totals.written_off),
        "outstanding_minor": minor(&totals.outstanding),
        "leaves": leaves.len(),
    }))
}

/// Every claim between holders was met.
fn claims(world: &mut World) -> CliResult<Vec<Value>> {
    let name = |id: AccountId| {
        CAST.iter().find(|party| account(party.account()) == id).map_or_else(String::new, Party::account_name)
    };
    let mut found: BTreeMap<u32, Claim> = BTreeMap::new();
    for party in CAST {
        let question = receivable::api::Query::Claims { account: account(party.account()), from: None };
        let page: ClaimPage = world.ask(receivable::api::NAME, &question)?;
        found.extend(page.claims.into_iter().map(|claim| (claim.number, claim)));
    }
    let open = found.values().filter(|claim| claim.discharged.is_none()).count();
    world.check(
        "claims-met",
        open == 0 && !found.is_empty(),
        format!("{} claims between holders, {open} open", found.len()),
    );
    let row = |claim: &Claim| {
        json!({
            "number": claim.number,
            "claimant": name(claim.claimant),
            "against": name(claim.against),
            "currency": claim.amount.currency.to_string(),
            "minor": claim.amount.minor.to_string(),
            "met": claim.discharged.is_some(),
        })
    };
    Ok(found.values().map(row).collect())
}
