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
use crate::document::{self, Facts, Inspection, Kind};
use crate::error::{CliError, CliResult};

/// Documents.
#[derive(Debug, Subcommand)]
pub enum DocumentCommand {
    /// Read an invoice or credit note (UBL 2.1 or CII), without any network.
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

fn read(file: &Path) -> CliResult<Inspection> {
    let bytes = std::fs::read(file).map_err(CliError::file(file))?;
    Ok(document::inspect(&bytes)?)
}

fn inspect(context: &Context, file: &Path) -> CliResult<()> {
    let inspection = read(file)?;
    if context.output.is_json() {
        // Through text: minor units can be wider than serde_json's own numbers.
        let text = serde_json::to_string(&inspection).map_err(|error| CliError::refused("json", error.to_string()))?;
        println!("{text}");
        return Ok(());
    }
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
    Ok(())
}

fn decimal(minor: i128, facts: &Facts) -> String {
    let exponent = usize::from(facts.exponent);
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = exponent + 1);
    let (whole, fraction) = digits.split_at(digits.len() - exponent);
    let sign = if minor < 0 { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction} {}", facts.currency)
}

fn register(context: &Context, command: &DocumentCommand) -> CliResult<()> {
    let DocumentCommand::Register { file, seller, buyer, order, bill, declaration, no_match, salts } = command else {
        return Ok(());
    };
    let inspection = read(file)?;
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
