//! Payments and what is said about them (pain, pacs, and the camt messages that are no statement): the transactions,
//! counted and summed against what header and groups declare.

use super::super::envelope::{Envelope, Money, Record};
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::tree::{Node, not_placeholder};
use super::decimal::Decimal;
use super::kinds::Kind;

/// Elements of one transaction.
const TRANSACTIONS: [&str; 4] = ["CdtTrfTxInf", "DrctDbtTxInf", "TxInf", "TxInfAndSts"];

/// Where a transaction's amount is, the one that control sums are about first.
const AMOUNTS: [&[&str]; 10] = [
    &["Amt", "InstdAmt"],
    &["Amt", "EqvtAmt", "Amt"],
    &["IntrBkSttlmAmt"],
    &["RtrdIntrBkSttlmAmt"],
    &["RvsdIntrBkSttlmAmt"],
    &["RvsdInstdAmt"],
    &["InstdAmt"],
    &["OrgnlIntrBkSttlmAmt"],
    &["OrgnlInstdAmt"],
    &["OrgnlTxRef", "Amt", "InstdAmt"],
];

/// Totals of a group header that name a currency.
const TOTALS: [&str; 3] = ["TtlIntrBkSttlmAmt", "TtlRtrdIntrBkSttlmAmt", "TtlRvsdIntrBkSttlmAmt"];

/// Transactions counted and summed.
#[derive(Default)]
struct Tally {
    count: u64,
    /// Transactions without an amount.
    without: u64,
    sum: Decimal,
    by_currency: Vec<Money>,
}

impl Tally {
    fn add(&mut self, amount: Option<(Decimal, Money)>) -> Result<(), DocumentError> {
        self.count += 1;
        let Some((decimal, money)) = amount else {
            self.without += 1;
            return Ok(());
        };
        self.sum = self.sum.add(decimal)?;
        match self.by_currency.iter_mut().find(|held| held.denomination == money.denomination) {
            Some(held) => {
                let sum = held.minor.checked_add(money.minor);
                held.minor = sum.ok_or(DocumentError::AmountOverflow { field: Field::Named("sum of the amounts") })?;
            }
            None => self.by_currency.push(money),
        }
        Ok(())
    }

    fn join(&mut self, other: &Self) -> Result<(), DocumentError> {
        self.count += other.count;
        self.without += other.without;
        self.sum = self.sum.add(other.sum)?;
        for money in &other.by_currency {
            let (count, without) = (self.count, self.without);
            self.add(Some((Decimal::default(), *money)))?;
            (self.count, self.without) = (count, without);
        }
        Ok(())
    }
}

/// Reads the transactions of a message. `header` is what declares their number.
///
/// # Errors
/// `WrongCount`, `WrongControlSum`; `MissingField` where the kind requires transactions or amounts; whatever is wrong
/// with an amount.
pub fn read(message: &Node, header: Option<&Node>, kind: &Kind, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let mut all = Tally::default();
    let (mut groups, mut transactions) = (Vec::new(), Vec::new());
    for group in message.all("PmtInf") {
        let mut tally = Tally::default();
        collect(group, kind, &mut tally, &mut transactions)?;
        let id = group.required(&["PmtInfId"], "payment information id")?;
        if tally.count == 0 {
            return Err(DocumentError::MissingField { field: Field::Named("transaction") });
        }
        check(group, &tally, &format!("payment information {}", Excerpt::of(&id)), envelope)?;
        all.join(&tally)?;
        groups.push(group_facts(group, id, &tally)?);
    }
    for node in message.elements().filter(|node| node.name() != "PmtInf" && node.name() != "GrpHdr") {
        if TRANSACTIONS.contains(&node.name()) {
            transaction(node, kind, &mut all, &mut transactions)?;
        } else {
            collect(node, kind, &mut all, &mut transactions)?;
        }
    }
    if requires_transactions(kind) && all.count == 0 {
        return Err(DocumentError::MissingField { field: Field::Named("transaction") });
    }
    if requires_count(kind) && header.is_none() {
        return Err(DocumentError::MissingField { field: Field::Named("number of transactions") });
    }
    // A return, reversal or cancellation of a whole group names no single transaction.
    if let Some(header) = header {
        if all.count > 0 || requires_transactions(kind) {
            check(header, &all, "group header", envelope)?;
        } else {
            declared(header)?;
        }
        envelope.facts.set("number_of_transactions", declared_count(header)?);
        envelope.facts.set("control_sum", header.value(&["CtrlSum"])?);
    }
    envelope.facts.set("transaction_count", all.count);
    envelope.facts.set("totals", all.by_currency);
    if !groups.is_empty() {
        envelope.facts.set("groups", groups);
    }
    envelope.facts.set("transactions", transactions);
    status(message, envelope)
}

/// Kinds that are about single transactions, each with an amount.
fn requires_transactions(kind: &Kind) -> bool {
    ["pain.001", "pain.008", "pacs.003", "pacs.008", "pacs.009", "pacs.010"].contains(&kind.short().as_str())
}

/// Kinds whose header must say how many transactions there are.
fn requires_count(kind: &Kind) -> bool {
    requires_transactions(kind) || ["pain.007", "pacs.004", "pacs.007"].contains(&kind.short().as_str())
}

/// Transactions anywhere below `node`.
fn collect(node: &Node, kind: &Kind, tally: &mut Tally, facts: &mut Vec<Record>) -> Result<(), DocumentError> {
    for inner in node.elements() {
        if TRANSACTIONS.contains(&inner.name()) {
            transaction(inner, kind, tally, facts)?;
        } else {
            collect(inner, kind, tally, facts)?;
        }
    }
    Ok(())
}

fn transaction(node: &Node, kind: &Kind, tally: &mut Tally, all: &mut Vec<Record>) -> Result<(), DocumentError> {
    let mut amount = None;
    if let Some(found) = AMOUNTS.iter().find_map(|path| node.at(path)) {
        if let Some(money) = found.amount("amount", None)? {
            let written = found.text()?.unwrap_or_default();
            amount = Some((Decimal::read("amount", &written)?, money));
        }
    }
    if amount.is_none() && requires_transactions(kind) {
        return Err(DocumentError::MissingField { field: Field::Named("amount of a transaction") });
    }
    tally.add(amount)?;
    let mut facts = Record::default();
    for (name, path) in [
        ("instruction_id", &["PmtId", "InstrId"][..]),
        ("end_to_end_id", &["PmtId", "EndToEndId"]),
        ("transaction_id", &["PmtId", "TxId"]),
        ("uetr", &["PmtId", "UETR"]),
        ("return_id", &["RtrId"]),
        ("status_id", &["StsId"]),
        ("cancellation_id", &["CxlId"]),
        ("original_instruction_id", &["OrgnlInstrId"]),
        ("original_end_to_end_id", &["OrgnlEndToEndId"]),
        ("original_transaction_id", &["OrgnlTxId"]),
        ("status", &["TxSts"]),
        ("reason", &["StsRsnInf", "Rsn", "Cd"]),
        ("reason", &["RtrRsnInf", "Rsn", "Cd"]),
        ("reason", &["CxlRsnInf", "Rsn", "Cd"]),
        ("settlement_date", &["IntrBkSttlmDt"]),
        ("charge_bearer", &["ChrgBr"]),
        ("debtor", &["Dbtr", "Nm"]),
        ("debtor_account", &["DbtrAcct", "Id", "IBAN"]),
        ("debtor_account", &["DbtrAcct", "Id", "Othr", "Id"]),
        ("creditor", &["Cdtr", "Nm"]),
        ("creditor_account", &["CdtrAcct", "Id", "IBAN"]),
        ("creditor_account", &["CdtrAcct", "Id", "Othr", "Id"]),
        ("remittance", &["RmtInf", "Ustrd"]),
        ("creditor_reference", &["RmtInf", "Strd", "CdtrRefInf", "Ref"]),
    ] {
        if let Some(text) = node.value(path)? {
            if name == "end_to_end_id" {
                not_placeholder(Field::Named("end-to-end id"), &text)?;
            }
            facts.set(name, text);
        }
    }
    facts.set("amount", amount.map(|(_, money)| money));
    all.push(facts);
    Ok(())
}

fn group_facts(group: &Node, id: String, tally: &Tally) -> Result<Record, DocumentError> {
    let mut facts = Record::default();
    facts.set("id", id);
    for (name, path) in [
        ("method", &["PmtMtd"][..]),
        ("requested_date", &["ReqdExctnDt", "Dt"]),
        ("requested_date", &["ReqdExctnDt"]),
        ("requested_date", &["ReqdColltnDt"]),
        ("debtor", &["Dbtr", "Nm"]),
        ("debtor_account", &["DbtrAcct", "Id", "IBAN"]),
        ("debtor_account", &["DbtrAcct", "Id", "Othr", "Id"]),
        ("creditor", &["Cdtr", "Nm"]),
        ("creditor_account", &["CdtrAcct", "Id", "IBAN"]),
        ("control_sum", &["CtrlSum"]),
    ] {
        if let Some(text) = group.value(path)? {
            facts.set(name, text);
        }
    }
    facts.set("number_of_transactions", declared_count(group)?);
    facts.set("transaction_count", tally.count);
    facts.set("totals", tally.by_currency.clone());
    Ok(facts)
}

fn declared_count(node: &Node) -> Result<Option<u64>, DocumentError> {
    let Some(written) = node.value(&["NbOfTxs"])? else { return Ok(None) };
    count(&written).map(Some)
}

/// A number of transactions or entries: 1 to 15 digits.
///
/// # Errors
/// `Template`, `InvalidField`.
pub fn count(written: &str) -> Result<u64, DocumentError> {
    let field = Field::Named("number of transactions");
    not_placeholder(field, written)?;
    let digits = (1..=15).contains(&written.len()) && written.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = if digits { written.parse().ok() } else { None };
    parsed.ok_or(DocumentError::InvalidField {
        field,
        value: Excerpt::of(written),
        reason: "it is a number of 1 to 15 digits",
    })
}

/// Reads what a header declares without anything to compare it with.
fn declared(node: &Node) -> Result<(), DocumentError> {
    declared_count(node)?;
    if let Some(written) = node.value(&["CtrlSum"])? {
        Decimal::read("control sum", &written)?;
    }
    Ok(())
}

/// Compares what `node` declares with what it holds.
fn check(node: &Node, tally: &Tally, place: &str, envelope: &mut Envelope) -> Result<(), DocumentError> {
    declared(node)?;
    if let Some(declared) = declared_count(node)?
        && declared != tally.count
    {
        return Err(DocumentError::WrongCount { place: place.to_owned(), declared, found: tally.count });
    }
    let totals = TOTALS.iter().filter_map(|total| node.at(&[total]));
    let sums = node.at(&["CtrlSum"]).into_iter().chain(totals);
    for declared in sums {
        let Some(written) = declared.text()? else { continue };
        not_placeholder(Field::Named("control sum"), &written)?;
        if tally.without > 0 {
            let reason = format!("{} transactions of the {place} have no amount of their own", tally.without);
            envelope.warn("control_sum_not_checked", reason);
            continue;
        }
        let wrong = |found: String| DocumentError::WrongControlSum {
            place: place.to_owned(),
            declared: written.clone(),
            found,
        };
        if Decimal::read("control sum", &written)? != tally.sum {
            return Err(wrong(tally.sum.to_string()));
        }
        if let Some(code) = declared.attribute("Ccy") {
            let other = tally.by_currency.iter().find(|money| money.currency().to_string() != code);
            if let Some(other) = other {
                return Err(wrong(other.to_string()));
            }
        }
    }
    Ok(())
}

/// What a status report says about the whole.
fn status(message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    for (name, path) in [
        ("group_status", &["OrgnlGrpInfAndSts", "GrpSts"][..]),
        ("original_number_of_transactions", &["OrgnlGrpInfAndSts", "OrgnlNbOfTxs"]),
        ("original_control_sum", &["OrgnlGrpInfAndSts", "OrgnlCtrlSum"]),
        ("payment_status", &["OrgnlPmtInfAndSts", "PmtInfSts"]),
        ("investigation_status", &["Sts", "Conf"]),
    ] {
        if let Some(text) = message.value(path)? {
            envelope.facts.set(name, text);
        }
    }
    Ok(())
}
