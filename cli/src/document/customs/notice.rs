//! Notices of customs about a declaration (`DMS…`): accepted, rejected with errors, under control, taxed, released,
//! cleared, invalidated, exited.

use portolan_primitives::Currency;

use super::super::envelope::{Envelope, Fact, Money, Record};
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::tree::Node;
use super::declaration::{self, AMENDMENT, DUTY, STATEMENT};
use super::take::{Entry, Take, facts};
use super::{FORMAT, check_mrn, collect, moment};

/// Function code, name and meaning of a notice, by HMRC's list.
const NOTICES: [(&str, &str, &str); 18] = [
    ("01", "DMSACC", "accepted"),
    ("02", "DMSRCV", "received"),
    ("03", "DMSREJ", "rejected"),
    ("05", "DMSCTL", "under_control"),
    ("06", "DMSDOC", "documents_required"),
    ("07", "DMSRES", "corrected"),
    ("08", "DMSROG", "released"),
    ("09", "DMSCLE", "cleared"),
    ("10", "DMSINV", "invalidated"),
    ("11", "DMSREQ", "request_answered"),
    ("13", "DMSTAX", "tax_assessed"),
    ("14", "DMSCPI", "balance_insufficient"),
    ("15", "DMSCPR", "balance_insufficient_reminder"),
    ("16", "DMSEOG", "goods_exited"),
    ("17", "DMSEXT", "handled_externally"),
    ("18", "DMSGER", "exit_result_awaited"),
    ("50", "DMSQRY", "query"),
    ("51", "DMSQRY", "query"),
];

/// How a request was answered, in the status of a `DMSREQ`.
const ANSWERS: [(&str, &str); 2] = [("39", "granted"), ("41", "denied")];

const ERROR: [Entry; 3] = [
    Entry { name: "code", path: &["ValidationCode"], take: Take::Text },
    Entry { name: "description", path: &["Description"], take: Take::Text },
    Entry { name: "pointer", path: &[], take: Take::Pointer },
];

const STATUS: [Entry; 4] = [
    Entry { name: "code", path: &["NameCode"], take: Take::Text },
    Entry { name: "effective", path: &["EffectiveDateTime"], take: Take::Moment },
    Entry { name: "released", path: &["ReleaseDateTime"], take: Take::Moment },
    Entry { name: "pointer", path: &[], take: Take::Pointer },
];

const BANK: [Entry; 2] = [
    Entry { name: "bic", path: &["ReferenceID"], take: Take::Text },
    Entry { name: "account", path: &["ID"], take: Take::Text },
];

const OFFICE: [Entry; 3] = [
    Entry { name: "id", path: &["ID"], take: Take::Text },
    Entry { name: "communication", path: &["Communication", "ID"], take: Take::Text },
    Entry { name: "communication_type", path: &["Communication", "TypeCode"], take: Take::Text },
];

const RESPONSE: [Entry; 8] = [
    Entry { name: "issued", path: &["IssueDateTime"], take: Take::Moment },
    Entry { name: "statuses", path: &["Status"], take: Take::Each(&STATUS) },
    Entry { name: "errors", path: &["Error"], take: Take::Each(&ERROR) },
    Entry { name: "statements", path: &["AdditionalInformation"], take: Take::Each(&STATEMENT) },
    Entry { name: "amendments", path: &["Amendment"], take: Take::Each(&AMENDMENT) },
    Entry { name: "bank", path: &["Bank"], take: Take::One(&BANK) },
    Entry { name: "contact_office", path: &["ContactOffice"], take: Take::One(&OFFICE) },
    Entry { name: "appeal_office", path: &["AppealOffice"], take: Take::One(&OFFICE) },
];

const DECLARATION: [Entry; 5] = [
    Entry { name: "version", path: &["VersionID"], take: Take::Text },
    Entry { name: "accepted", path: &["AcceptanceDateTime"], take: Take::Moment },
    Entry { name: "rejected", path: &["RejectionDateTime"], take: Take::Moment },
    Entry { name: "cancelled", path: &["CancellationDateTime"], take: Take::Moment },
    Entry { name: "duties", path: &["DutyTaxFee"], take: Take::Each(&DUTY) },
];

/// Reads a notice.
///
/// # Errors
/// `MissingField` without function code, reference, or the declaration that it is about; `Template`; whatever is wrong
/// with a date or an amount.
pub fn read(message: &Node) -> Result<Envelope, DocumentError> {
    let mut envelope = Envelope::new(FORMAT, "notice");
    let code = message.required(&["FunctionCode"], "function code")?;
    let reference = message.required(&["FunctionalReferenceID"], "reference of the notice")?;
    let known = NOTICES.iter().find(|(known, ..)| *known == code || known.strip_prefix('0') == Some(&code));
    if known.is_none() {
        let reason =
            format!("HMRC lists no notice with the function code {}; ask customs what it says", Excerpt::of(&code));
        envelope.warn("unknown_function_code", reason);
    }
    let function = known.map_or("", |(_, _, meaning)| meaning);
    envelope.facts.set("function_code", code);
    envelope.facts.set("function", known.map(|(_, _, meaning)| *meaning));
    envelope.facts.set("notice", known.map(|(_, notice, _)| *notice));
    envelope.number = Some(reference);
    if let Some(node) = message.at(&["IssueDateTime"])
        && let Some(time) = moment::read(node, Field::Named("issue time"))?
    {
        envelope.issue_date = moment::day(&time);
    }
    about(message, &mut envelope)?;
    set_all(facts(message, &RESPONSE, &mut envelope)?, &mut envelope);
    if function == "request_answered" {
        answer(&mut envelope);
    }
    collect(message, &mut envelope)?;
    Ok(envelope)
}

fn set_all(found: Record, envelope: &mut Envelope) {
    for (name, fact) in found.iter() {
        envelope.facts.set(name, fact.clone());
    }
}

/// The declaration that the notice is about, what customs assessed for it, and what customs changed in it.
fn about(message: &Node, envelope: &mut Envelope) -> Result<(), DocumentError> {
    let field = Field::Named("declaration");
    let mut declarations = message.all("Declaration");
    let declaration = declarations.next().ok_or(DocumentError::MissingField { field })?;
    let (mrn, lrn) = (declaration.value(&["ID"])?, declaration.value(&["FunctionalReferenceID"])?);
    if mrn.is_none() && lrn.is_none() {
        return Err(DocumentError::MissingField { field: Field::Named("movement reference number") });
    }
    check_mrn(mrn.as_deref(), envelope);
    envelope.refer("declaration", mrn.clone());
    envelope.refer("local_reference", lrn.clone());
    envelope.facts.set("mrn", mrn);
    envelope.facts.set("lrn", lrn);
    set_all(facts(declaration, &DECLARATION, envelope)?, envelope);
    if let Some(items) = declaration::items(declaration, envelope)? {
        let total = payable(&items)?;
        envelope.facts.set("items", items);
        if !total.is_empty() {
            envelope.facts.set("payable", total);
        }
    }
    let mut changes = Vec::new();
    for changed in declarations {
        let mut inner = Envelope::new(FORMAT, "change");
        inner.facts.set("function_code", changed.value(&["FunctionCode"])?);
        declaration::content(changed, &mut inner)?;
        changes.push(inner.facts);
        inner.warnings.into_iter().for_each(|warning| envelope.warnings.push(warning));
    }
    if !changes.is_empty() {
        envelope.facts.set("changes", changes);
    }
    Ok(())
}

/// What the duties of all items come to, by currency.
fn payable(items: &[Record]) -> Result<Vec<Money>, DocumentError> {
    let mut sums: Vec<(Currency, Money)> = Vec::new();
    for item in items {
        let Some(Fact::List(duties)) = item.get("duties") else { continue };
        for duty in duties {
            let Fact::Record(duty) = duty else { continue };
            let Some(Fact::Money(amount)) = duty.get("payable") else { continue };
            match sums.iter_mut().find(|(currency, _)| *currency == amount.currency()) {
                Some((_, sum)) => {
                    let field = Field::Named("sum of duties");
                    sum.minor = sum.minor.checked_add(amount.minor).ok_or(DocumentError::AmountOverflow { field })?;
                }
                None => sums.push((amount.currency(), *amount)),
            }
        }
    }
    Ok(sums.into_iter().map(|(_, sum)| sum).collect())
}

/// Whether a request was granted or denied, as the status says.
fn answer(envelope: &mut Envelope) {
    let Some(Fact::List(statuses)) = envelope.facts.get("statuses") else { return };
    let mut codes = statuses.iter().filter_map(|status| match status {
        Fact::Record(status) => status.get("code"),
        _ => None,
    });
    let answer = codes.find_map(|code| ANSWERS.iter().find(|(known, _)| *code == Fact::from(*known)));
    envelope.facts.set("answer", answer.map(|(_, meaning)| *meaning));
}
