//! What a bank tells about an account: report (camt.052), statement (camt.053) and notification (camt.054).
//!
//! Amounts are signed: what is booked to the account's owner is positive. A summary of the entries is checked against
//! them and refused when it is wrong. Opening balance and booked entries are compared with the closing balance; a difference is a warning, since banks leave
//! entries out of a statement that they tell elsewhere.

use super::super::currency::Denomination;
use super::super::envelope::{Envelope, Money, Record};
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::tree::Node;
use super::decimal::Decimal;
use super::payments::count;

/// An entry, as far as sums need it.
struct Entry {
    amount: Money,
    written: Decimal,
    credit: bool,
    booked: bool,
}

struct Balance {
    code: String,
    amount: Money,
}

/// Reads the accounts that a message tells about, one for each element of that name.
///
/// # Errors
/// `MissingField` without any, or without what each must have; `WrongCount` and `WrongControlSum` for a summary that
/// its entries contradict; whatever is wrong with an amount.
pub fn read(message: &Node, element: &'static str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut statements = Vec::new();
    for node in message.all(element) {
        statements.push(statement(node, element == "Stmt", envelope)?);
    }
    if statements.is_empty() {
        let field = Field::Named(match element {
            "Rpt" => "report",
            "Stmt" => "statement",
            _ => "notification",
        });
        return Err(DocumentError::MissingField { field });
    }
    let name = match element {
        "Rpt" => "reports",
        "Stmt" => "statements",
        _ => "notifications",
    };
    envelope.facts.set(name, statements);
    Ok(())
}

fn statement(node: &Node, balanced: bool, envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let id = node.required(&["Id"], "statement id")?;
    let mut facts = Record::default().with("id", id.clone());
    for (name, path) in [
        ("sequence", &["ElctrncSeqNb"][..]),
        ("legal_sequence", &["LglSeqNb"]),
        ("created", &["CreDtTm"]),
        ("from", &["FrToDt", "FrDtTm"]),
        ("until", &["FrToDt", "ToDtTm"]),
        ("copy", &["CpyDplctInd"]),
        ("account", &["Acct", "Id", "IBAN"]),
        ("account", &["Acct", "Id", "Othr", "Id"]),
        ("account", &["Acct", "Id", "PrtryAcct", "Id"]),
        ("account_name", &["Acct", "Nm"]),
        ("account_currency", &["Acct", "Ccy"]),
    ] {
        if let Some(text) = node.value(path)? {
            facts.set(name, text);
        }
    }
    if facts.get("account").is_none() {
        return Err(DocumentError::MissingField { field: Field::Named("account") });
    }
    let balances = balances(node, &mut facts)?;
    let mut entries = Vec::new();
    let mut shown = Vec::new();
    for entry_node in node.all("Ntry") {
        let (entry, record) = entry(entry_node, envelope)?;
        entries.push(entry);
        shown.push(record);
    }
    summary(node, &id, &entries)?;
    if balanced {
        balance(node, &id, &balances, &entries, envelope)?;
    }
    facts.set("entry_count", entries.len());
    facts.set("entries", shown);
    Ok(facts)
}

/// An amount with the sign that its indicator gives it.
fn signed(node: &Node, field: &'static str) -> Result<Option<(Money, bool)>, DocumentError> {
    let Some(money) = node.money(&["Amt"], field, None)? else { return Ok(None) };
    let credit = match node.value(&["CdtDbtInd"])?.as_deref() {
        Some("CRDT") => true,
        Some("DBIT") => false,
        Some(other) => {
            return Err(DocumentError::InvalidField {
                field: Field::Named("credit or debit indicator"),
                value: Excerpt::of(other),
                reason: "it is CRDT or DBIT",
            });
        }
        None => return Err(DocumentError::MissingField { field: Field::Named("credit or debit indicator") }),
    };
    let minor = if credit { Some(money.minor) } else { money.minor.checked_neg() };
    let minor = minor.ok_or(DocumentError::AmountOverflow { field: Field::Named(field) })?;
    Ok(Some((Money { minor, ..money }, credit)))
}

fn balances(node: &Node, facts: &mut Record) -> Result<Vec<Balance>, DocumentError> {
    let (mut found, mut shown) = (Vec::new(), Vec::new());
    for balance in node.all("Bal") {
        let code = balance.first(&[&["Tp", "CdOrPrtry", "Cd"], &["Tp", "CdOrPrtry", "Prtry"], &["Tp", "Cd"]])?;
        let code = code.ok_or(DocumentError::MissingField { field: Field::Named("type of a balance") })?;
        let amount = signed(balance, "balance")?;
        let (amount, _) = amount.ok_or(DocumentError::MissingField { field: Field::Named("balance") })?;
        let day = balance.first(&[&["Dt", "Dt"], &["Dt", "DtTm"], &["Dt"]])?;
        shown.push(Record::default().with("type", code.clone()).with("amount", amount).with("date", day));
        match code.as_str() {
            "OPBD" | "PRCD" if facts.get("opening").is_none() => facts.set("opening", amount),
            "CLBD" if facts.get("closing").is_none() => facts.set("closing", amount),
            _ => {}
        }
        found.push(Balance { code, amount });
    }
    facts.set("balances", shown);
    Ok(found)
}

fn entry(node: &Node, envelope: &mut Envelope) -> Result<(Entry, Record), DocumentError> {
    let amount = signed(node, "amount of an entry")?;
    let (amount, credit) = amount.ok_or(DocumentError::MissingField { field: Field::Named("amount of an entry") })?;
    let written = Decimal::read("amount of an entry", &node.value(&["Amt"])?.unwrap_or_default())?;
    let status = node.first(&[&["Sts", "Cd"], &["Sts", "Prtry"], &["Sts"]])?;
    let booked = status.as_deref().is_none_or(|status| status == "BOOK");
    let details: Vec<&Node> = node.all("NtryDtls").flat_map(|details| details.all("TxDtls")).collect();
    for batch in node.all("NtryDtls").filter_map(|details| details.at(&["Btch"])) {
        if let Some(declared) = batch.value(&["NbOfTxs"])?
            && !details.is_empty()
            && count(&declared)? != details.len() as u64
        {
            let reason =
                format!("a batch of {declared} transactions shows {}; ask the bank for the rest", details.len());
            envelope.warn("batch_not_whole", reason);
        }
    }
    let mut facts = Record::default().with("amount", amount);
    facts.set("status", status);
    for (name, path) in [
        ("reference", &["NtryRef"][..]),
        ("servicer_reference", &["AcctSvcrRef"]),
        ("booking_date", &["BookgDt", "Dt"]),
        ("booking_date", &["BookgDt", "DtTm"]),
        ("value_date", &["ValDt", "Dt"]),
        ("value_date", &["ValDt", "DtTm"]),
        ("reversal", &["RvslInd"]),
        ("bank_code", &["BkTxCd", "Prtry", "Cd"]),
    ] {
        if let Some(text) = node.value(path)? {
            facts.set(name, text);
        }
    }
    let shown: Vec<Record> = details.into_iter().map(detail).collect::<Result<_, _>>()?;
    facts.set("transactions", shown);
    Ok((Entry { amount, written, credit, booked }, facts))
}

fn detail(node: &Node) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    for (name, path) in [
        ("message_id", &["Refs", "MsgId"][..]),
        ("payment_id", &["Refs", "PmtInfId"]),
        ("instruction_id", &["Refs", "InstrId"]),
        ("end_to_end_id", &["Refs", "EndToEndId"]),
        ("transaction_id", &["Refs", "TxId"]),
        ("uetr", &["Refs", "UETR"]),
        ("debtor", &["RltdPties", "Dbtr", "Nm"]),
        ("debtor", &["RltdPties", "Dbtr", "Pty", "Nm"]),
        ("creditor", &["RltdPties", "Cdtr", "Nm"]),
        ("creditor", &["RltdPties", "Cdtr", "Pty", "Nm"]),
        ("remittance", &["RmtInf", "Ustrd"]),
        ("creditor_reference", &["RmtInf", "Strd", "CdtrRefInf", "Ref"]),
        ("creditor_reference", &["RmtInf", "Strd", "CdtrRefInf", "CdtrRef"]),
    ] {
        if let Some(text) = node.value(path)? {
            facts.set(name, text);
        }
    }
    let amount = match node.money(&["Amt"], "amount of a transaction", None)? {
        None => node.money(&["AmtDtls", "TxAmt", "Amt"], "amount of a transaction", None)?,
        found => found,
    };
    if let Some(amount) = amount {
        facts.set("amount", amount);
    }
    Ok(facts)
}

/// Checks the statement's summary of its entries.
fn summary(node: &Node, id: &str, entries: &[Entry]) -> Result<(), DocumentError> {
    let Some(summary) = node.at(&["TxsSummry"]) else { return Ok(()) };
    for (element, place, counts) in [
        ("TtlNtries", "summary of all entries", None),
        ("TtlCdtNtries", "summary of credit entries", Some(true)),
        ("TtlDbtNtries", "summary of debit entries", Some(false)),
    ] {
        let Some(total) = summary.at(&[element]) else { continue };
        let counted = || entries.iter().filter(|entry| counts.is_none_or(|credit| credit == entry.credit));
        let place = format!("{place} of the statement {}", Excerpt::of(id));
        let found = counted().count() as u64;
        if let Some(written) = total.value(&["NbOfNtries"])?
            && count(&written)? != found
        {
            return Err(DocumentError::WrongCount { place, declared: count(&written)?, found });
        }
        let sum = counted().try_fold(Decimal::default(), |sum, entry| sum.add(entry.written))?;
        check_sum(total.value(&["Sum"])?, sum, &place)?;
    }
    if let Some(total) = summary.at(&["TtlNtries"]) {
        let net = entries.iter().try_fold(Decimal::default(), |sum, entry| {
            sum.add(if entry.credit { entry.written } else { entry.written.negated() })
        })?;
        let written = total.first(&[&["TtlNetNtry", "Amt"], &["TtlNetNtryAmt"]])?;
        check_sum(written, net.absolute(), &format!("net sum of the statement {}", Excerpt::of(id)))?;
    }
    Ok(())
}

fn check_sum(written: Option<String>, found: Decimal, place: &str) -> Result<(), DocumentError> {
    let Some(declared) = written else { return Ok(()) };
    if Decimal::read("sum of entries", &declared)? == found {
        return Ok(());
    }
    Err(DocumentError::WrongControlSum { place: place.to_owned(), declared, found: found.to_string() })
}

/// Compares opening balance and booked entries with the closing balance, where one of each is there and all are in one
/// currency and on one page.
fn balance(
    node: &Node,
    id: &str,
    balances: &[Balance],
    entries: &[Entry],
    envelope: &mut Envelope,
) -> Result<(), DocumentError> {
    let only = |codes: &[&str]| {
        let mut found = balances.iter().filter(|balance| codes.contains(&balance.code.as_str()));
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one.amount),
            _ => None,
        }
    };
    let (Some(opening), Some(closing)) = (only(&["OPBD"]).or_else(|| only(&["PRCD"])), only(&["CLBD"])) else {
        return Ok(());
    };
    let currency: Denomination = opening.denomination;
    let one_currency = closing.denomination == currency
        && entries.iter().filter(|entry| entry.booked).all(|entry| entry.amount.denomination == currency);
    let first = node.value(&["StmtPgntn", "PgNb"])?.is_none_or(|page| page == "1");
    let last = node.value(&["StmtPgntn", "LastPgInd"])?.is_none_or(|last| last == "true" || last == "1");
    if !one_currency || !first || !last {
        let reason = "balances and entries are in several currencies or on several pages, so they were not compared";
        envelope.warn("balance_not_checked", reason);
        return Ok(());
    }
    let overflow = DocumentError::AmountOverflow { field: Field::Named("sum of the entries") };
    let sum = entries
        .iter()
        .filter(|entry| entry.booked)
        .try_fold(0i128, |sum, entry| sum.checked_add(entry.amount.minor))
        .ok_or_else(|| overflow.clone())?;
    if opening.minor.checked_add(sum).ok_or(overflow)? == closing.minor {
        return Ok(());
    }
    let entries = Money { denomination: currency, minor: sum };
    let reason = format!(
        "the statement {} opens with {opening}, its booked entries sum to {entries} and it closes with {closing}; \
         ask the bank for a correct one",
        Excerpt::of(id)
    );
    envelope.warn("wrong_balance", reason);
    Ok(())
}
