//! `portolan document`: reading documents, and registering invoices by their fingerprint.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use portolan_interface::trade::InvoiceTerms;
use portolan_interface::trade::api::{Call, NAME};
use portolan_interface::{DocumentId, Hash, Money};
use serde_json::json;

use crate::args::{self, AccountArg, RecordId};
use crate::commitment::SaltedDocument;
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
    /// UBL 2, and pain, pacs and camt messages of ISO 20022 in any version, with or without a header around them. A
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
        /// Where the fields and their salts are kept: who has them can show single fields.
        #[arg(long, value_name = "FILE")]
        salts: Option<PathBuf>,
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
    }
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
    let salted = salted(&inspection.facts)?;
    let terms = invoice_terms(&inspection, &salted, seller, buyer, (*order, *bill, *declaration))?;
    let invoice = DocumentId::invoice(seller.contract_id(), terms.commitment);
    let registrant = context.account()?.contract_id();
    // The salts are kept before the chain has the commitment: without them it would commit to nothing that can be shown.
    let kept = salts.clone().unwrap_or_else(|| file.with_extension("salts.json"));
    write_salts(&kept, &salted)?;
    let mut calls = vec![message(NAME, &Call::RegisterInvoice { registrant, terms })];
    if !no_match {
        calls.push(message(NAME, &Call::MatchInvoice { party: registrant, invoice }));
    }
    let done = context.send(calls)?;
    let text = format!(
        "Invoice {} is registered as {}; its salts are in {}",
        inspection.facts.number,
        invoice.text(),
        kept.display()
    );
    context.report(&done, &text, json!({ "document": invoice.text(), "matched": !no_match, "salts": kept }))
}

fn write_salts(path: &Path, salted: &SaltedDocument) -> CliResult<()> {
    let text = serde_json::to_string_pretty(salted).map_err(|error| CliError::refused("json", error.to_string()))?;
    std::fs::write(path, text).map_err(CliError::file(path))
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
    SaltedDocument::new(&fields).map_err(|error| CliError::refused("no_randomness", error.to_string()))
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
