//! `portolan document`: reading documents, registering invoices by their fingerprint, and showing single fields of what is registered.

mod disclosure;
mod register;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use portolan_interface::trade::InvoiceTerms;
use portolan_interface::trade::api::{Call, NAME};
use portolan_interface::{DocumentId, Hash, Money};
use serde_json::json;

use super::verify::TrustArgs;
use crate::args::{self, AccountArg, RecordId};
use crate::commitment::{Disclosure, SaltedDocument, write_new};
use crate::context::Context;
use crate::contracts::{date, hash, message};
use crate::document::{self, Document, Envelope, Fact, Facts, Inspection, Kind};
use crate::error::{CliError, CliResult};

/// Documents.
#[derive(Debug, Subcommand)]
pub enum DocumentCommand {
    /// Read a trade document and show its facts, without any network.
    ///
    /// Invoices and credit notes (UBL 2, CII) are shown with their fingerprint. Read besides are every document type of
    /// UBL 2, and pain, pacs and camt messages of ISO 20022 in any version, with or without a header around them.
    /// Customs messages of the UK and EPCIS documents and events, these with their event hash, are read as well. A
    /// wrong control sum, a header that counts other transactions than there are, and a template with an open place in
    /// a required field are refused by name. Exit code 0 with facts, or 1 with {code, reason}.
    ///
    /// In JSON: the messages of DCSA (bills of lading and their endorsements, bookings, arrivals, events), documents of
    /// TradeTrust and OpenAttestation, and verifiable credentials.
    Inspect {
        /// The file.
        file: PathBuf,
    },
    /// Register an invoice on the chain by its fingerprint, and match it with its order.
    Register {
        /// The file.
        file: PathBuf,
        /// The seller's account.
        #[arg(long)]
        seller: AccountArg,
        /// The buyer's account.
        #[arg(long)]
        buyer: AccountArg,
        /// The accepted order, doc1….
        #[arg(long, value_parser = args::document)]
        order: DocumentId,
        /// The bill of lading, doc1….
        #[arg(long, value_parser = args::document)]
        bill: Option<DocumentId>,
        /// The cleared customs declaration, doc1….
        #[arg(long, value_parser = args::document)]
        declaration: Option<DocumentId>,
        /// Register only; match later.
        #[arg(long)]
        no_match: bool,
        /// The new file in which the fields and their salts are kept: who has them can show single fields.
        #[arg(long, value_name = "FILE")]
        salts: Option<PathBuf>,
    },
    /// Whether an invoice is registered, or one with its number and parties; with --proof for a third party to check.
    ///
    /// `standing` is `registered`, `near` (it would be held for review) or `free`. Ask before money moves.
    Check {
        /// The invoice.
        file: PathBuf,
        /// Where the proof of registration or absence goes; asks as the operator of the node.
        #[arg(long, value_name = "FILE")]
        proof: Option<PathBuf>,
    },
    /// Salt the fields of a document and say their root, which the chain is told when the document is issued.
    Commit {
        /// A JSON object of field names and texts.
        fields: PathBuf,
        /// The new file in which the fields and their salts are kept.
        #[arg(long, value_name = "FILE")]
        salts: Option<PathBuf>,
    },
    /// Show chosen fields of a document, with all that convinces a stranger of them, in a file.
    ///
    /// Asks as the operator of the node, who alone gets proofs; no field leaves for the node.
    Disclose {
        /// The file of salts.
        salts: PathBuf,
        /// A field to show; may be given several times.
        #[arg(long = "field", required = true)]
        fields: Vec<String>,
        /// The account that it is made for: the owner, who acts with --as, signs that nobody else was meant.
        #[arg(long)]
        to: Option<AccountArg>,
        /// The document, doc1…, where the salts do not name it.
        #[arg(long, value_parser = args::document)]
        document: Option<DocumentId>,
        /// Where it goes.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Check a disclosure, or a proof of `document check`, without asking any node.
    Verify {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        trust: TrustArgs,
    },
    /// Destroy the salts of a document: no field of it can be shown any more. The chain gets a receipt.
    ///
    /// What was disclosed before can still be verified. The file is overwritten where it lies; copies of it are yours to destroy. Run again, it
    /// leaves the receipt that an earlier run could not.
    Erase {
        /// The file of salts.
        salts: PathBuf,
        /// The document, doc1…, where the salts do not name it.
        #[arg(long, value_parser = args::document)]
        document: Option<DocumentId>,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
    /// Show a document of the chain.
    Show {
        /// Its id, doc1….
        #[arg(value_parser = args::document)]
        id: DocumentId,
    },
}

/// Runs the command.
pub fn run(context: &Context, command: &DocumentCommand) -> CliResult<()> {
    match command {
        DocumentCommand::Inspect { file } => inspect(context, file),
        DocumentCommand::Show { id } => context.show(&format!("/v1/documents/{}", id.text())),
        DocumentCommand::Register { .. } => register(context, command),
        DocumentCommand::Check { file, proof } => register::check(context, file, proof.as_ref()),
        DocumentCommand::Commit { fields, salts } => disclosure::commit(context, fields, salts.as_deref()),
        DocumentCommand::Disclose { salts, fields, to, document, out } => {
            let out = out.clone().unwrap_or_else(|| disclosure::default_out(salts));
            disclosure::disclose(context, salts, *document, fields, to.as_ref(), &out)
        }
        DocumentCommand::Verify { file, trust } => verify(context, file, trust),
        DocumentCommand::Erase { salts, document, yes } => disclosure::erase(context, salts, *document, *yes),
    }
}

fn verify(context: &Context, file: &Path, trust: &TrustArgs) -> CliResult<()> {
    let value = disclosure::read_json(file)?;
    let anchor = trust.anchor(context)?;
    if value["format"] == register::REGISTER_FORMAT {
        return register::verify(context, &value, &anchor, trust.secret(context)?.as_ref());
    }
    let reader = context.reader().map(|reader| reader.id);
    let proven = Disclosure::from_json(&value)?.verify(&anchor, reader)?;
    disclosure::show(context, &proven)
}

fn bytes(file: &Path) -> CliResult<Vec<u8>> {
    std::fs::read(file).map_err(CliError::file(file))
}

fn inspect(context: &Context, file: &Path) -> CliResult<()> {
    let document = document::inspect(&bytes(file)?)?;
    if context.output.is_json() {
        // Through text: minor units can be wider than serde_json's own numbers.
        let text = serde_json::to_string(&document).map_err(|error| CliError::refused("json", error.to_string()))?;
        println!("{text}");
        return Ok(());
    }
    match &document {
        Document::Invoice(inspection) => show_invoice(inspection),
        Document::Other(envelope) => show_envelope(envelope),
    }
    Ok(())
}

/// A text of a document as a terminal may see it.
fn plain(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

fn show_envelope(envelope: &Envelope) {
    let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "–".into(), plain);
    let mut rows = vec![
        ("format".to_owned(), envelope.format.to_owned()),
        ("kind".to_owned(), plain(&envelope.kind)),
        ("number".to_owned(), shown(&envelope.number)),
        ("issue date".to_owned(), envelope.issue_date.map_or_else(|| "–".into(), |day| day.to_string())),
    ];
    for party in &envelope.parties {
        let parts: Vec<_> = [&party.name, &party.id].into_iter().flatten().map(|part| plain(part)).collect();
        rows.push((party.role.replace('_', " "), parts.join(", ")));
    }
    for reference in &envelope.references {
        rows.push((format!("refers to {}", reference.kind.replace('_', " ")), plain(&reference.number)));
    }
    for (name, fact) in envelope.facts.iter() {
        fact_rows(&name.replace('_', " "), fact, &mut rows);
    }
    for warning in &envelope.warnings {
        rows.push((format!("warning {}", warning.code), warning.reason.clone()));
    }
    if let Some(unknown) = &envelope.unknown {
        let hash = portolan_primitives::Hash(unknown.hash);
        rows.push(("not read".to_owned(), format!("{} fields with the hash {hash}", unknown.fields)));
    }
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    rows.iter().for_each(|(name, value)| println!("{name:<width$}  {value}"));
}

/// The rows of one fact: a record and a list have one for each thing inside, named by the way to it.
fn fact_rows(name: &str, fact: &Fact, rows: &mut Vec<(String, String)>) {
    let value = match fact {
        Fact::Absent => return,
        Fact::Text(text) => plain(text),
        Fact::Count(count) => count.to_string(),
        Fact::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        Fact::Money(money) => money.to_string(),
        Fact::List(facts) => {
            for (index, fact) in facts.iter().enumerate() {
                fact_rows(&format!("{name} {}", index + 1), fact, rows);
            }
            return;
        }
        Fact::Record(record) => {
            for (inner, fact) in record.iter() {
                fact_rows(&format!("{name} {}", inner.replace('_', " ")), fact, rows);
            }
            return;
        }
    };
    rows.push((name.to_owned(), value));
}

fn show_invoice(inspection: &Inspection) {
    let facts = &inspection.facts;
    let shown = |value: Option<String>| value.unwrap_or_else(|| "–".into());
    let minor = |minor: Option<i128>| shown(minor.map(|minor| decimal(minor, facts)));
    let rows = [
        ("kind", format!("{:?}", facts.kind)),
        ("number", facts.number.clone()),
        ("issue date", shown(facts.issue_date.map(|day| day.to_string()))),
        ("due date", shown(facts.due_date.map(|day| day.to_string()))),
        ("payable", minor(facts.payable_minor)),
        ("tax", minor(facts.tax_minor)),
        ("seller", shown(facts.seller.clone())),
        ("buyer", shown(facts.buyer.clone())),
        (
            "fingerprint",
            inspection.fingerprint.as_ref().map_or_else(|why| format!("none: {why}"), |print| print.to_string()),
        ),
    ];
    rows.iter().for_each(|(name, value)| println!("{name:<12} {value}"));
    inspection.warnings.iter().for_each(|warning| println!("{:<12} {}", "warning", warning.reason));
}

fn decimal(minor: i128, facts: &Facts) -> String {
    let denomination = document::Denomination { currency: facts.currency, exponent: facts.exponent };
    document::Money { denomination, minor }.to_string()
}

fn register(context: &Context, command: &DocumentCommand) -> CliResult<()> {
    let DocumentCommand::Register { file, seller, buyer, order, bill, declaration, no_match, salts } = command else {
        return Ok(());
    };
    let inspection = document::invoice(&bytes(file)?)?;
    let mut salted = salted(&inspection.facts)?;
    let terms = invoice_terms(&inspection, &salted, seller, buyer, (*order, *bill, *declaration))?;
    let invoice = DocumentId::invoice(seller.contract_id(), terms.commitment);
    salted.document = Some(invoice.text());
    let registrant = context.account()?.contract_id();
    // The salts are kept before the chain has the commitment: without them it would commit to nothing that can be shown.
    let kept = salts.clone().unwrap_or_else(|| file.with_extension("salts.json"));
    write_new(&kept, &salted)?;
    let mut calls = vec![message(NAME, &Call::RegisterInvoice { registrant, terms })];
    if !no_match {
        calls.push(message(NAME, &Call::MatchInvoice { party: registrant, invoice }));
    }
    let done = context.send(calls).inspect_err(|error| forget_unused(error, &kept))?;
    let text = format!(
        "Invoice {} is registered as {}; its salts are in {}",
        inspection.facts.number,
        invoice.text(),
        kept.display()
    );
    context.report(&done, &text, json!({ "document": invoice.text(), "matched": !no_match, "salts": kept }))
}

/// Salts of what the contract refused commit to nothing: the file is taken back, so that the command can be repeated. After any other failure
/// the chain may have the commitment, and the file stays.
fn forget_unused(error: &CliError, kept: &Path) {
    if error.code().contains("::") {
        let _ = std::fs::remove_file(kept);
    }
}

fn salted(facts: &Facts) -> CliResult<SaltedDocument> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let fields = [
        ("number", facts.number.clone()),
        ("issue_date", text(facts.issue_date.map(|day| day.to_string()))),
        ("due_date", text(facts.due_date.map(|day| day.to_string()))),
        ("currency", facts.currency.to_string()),
        ("payable_minor", text(facts.payable_minor.map(|minor| minor.to_string()))),
        ("tax_minor", text(facts.tax_minor.map(|minor| minor.to_string()))),
        ("seller", text(facts.seller.clone())),
        ("buyer", text(facts.buyer.clone())),
    ];
    disclosure::salted(&fields)
}

/// Order, bill of lading and declaration that an invoice refers to.
type References = (DocumentId, Option<DocumentId>, Option<DocumentId>);

fn invoice_terms(
    inspection: &Inspection,
    salted: &SaltedDocument,
    seller: &AccountArg,
    buyer: &AccountArg,
    (order, bill, declaration): References,
) -> CliResult<InvoiceTerms> {
    let facts = &inspection.facts;
    if facts.kind == Kind::CreditNote {
        return Err(CliError::refused("credit_note", "this is a credit note; only invoices can be registered so far"));
    }
    let fingerprint =
        inspection.fingerprint.as_ref().map_err(|why| CliError::refused("no_fingerprint", why.to_string()))?;
    let near = facts.near_key().map_err(|why| CliError::refused("no_fingerprint", why.to_string()))?;
    let unknown = |error: portolan_terms::TermsError| CliError::refused("unknown_currency", error.to_string());
    let currency: portolan_terms::Currency = facts.currency.to_string().parse().map_err(unknown)?;
    let missing = |what: &str| CliError::refused("incomplete_document", format!("the invoice has no {what}"));
    Ok(InvoiceTerms {
        issued: date(facts.issue_date.ok_or_else(|| missing("issue date"))?),
        due: facts.due_date.map(date),
        payable: Money { minor: facts.payable_minor.ok_or_else(|| missing("payable amount"))?, currency },
        tax_minor: facts.tax_minor.unwrap_or_default(),
        seller: seller.contract_id(),
        buyer: buyer.contract_id(),
        order,
        quantity: None,
        bill,
        declaration,
        fingerprint: Hash(fingerprint.0.0),
        near: hash(near),
        commitment: hash(salted.commitment()),
    })
}
