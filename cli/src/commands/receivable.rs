//! `portolan receivable`: certificates and their parts.

use clap::{Subcommand, ValueEnum};
use portolan_interface::receivable::api::{Call, NAME};
use portolan_interface::receivable::{CertificateTerms, Recourse};
use portolan_interface::{BusinessDate, CertificateId, Convention, DocumentId, Money, PartId};
use serde_json::json;

use crate::args::{self, AccountArg, MemberArg, RecordId};
use crate::context::Context;
use crate::contracts::message;
use crate::error::CliResult;

/// Certificates.
#[derive(Debug, Subcommand)]
pub enum ReceivableCommand {
    /// The debtor issues a certificate against a matched invoice.
    Issue {
        /// The invoice, doc1….
        #[arg(long, value_parser = args::document)]
        invoice: DocumentId,
        /// The first creditor's account: the invoice's seller.
        #[arg(long)]
        creditor: AccountArg,
        /// The amount, at most what the invoice still has, as 120000.00CNY.
        #[arg(long, value_parser = args::money)]
        face: Money,
        /// The day of payment, at most a year off.
        #[arg(long, value_parser = args::date)]
        maturity: BusinessDate,
        /// The bank at which the debtor's deposit pays.
        #[arg(long)]
        bank: MemberArg,
        /// The calendar of business days.
        #[arg(long, default_value = "demo")]
        calendar: String,
        /// What happens when the day of payment is closed.
        #[arg(long, value_enum, default_value = "following")]
        convention: ConventionArg,
        /// Last day on which the creditor may accept.
        #[arg(long, value_parser = args::date)]
        accept_until: BusinessDate,
        /// Days of grace.
        #[arg(long, default_value_t = 0)]
        grace_days: u8,
        /// Transfers are with recourse unless they say otherwise.
        #[arg(long)]
        recourse: bool,
        /// May not be transferred.
        #[arg(long)]
        not_transferable: bool,
        /// May not be split.
        #[arg(long)]
        not_splittable: bool,
    },
    /// The first creditor accepts.
    Accept {
        /// The certificate, cert1….
        #[arg(value_parser = args::certificate)]
        certificate: CertificateId,
    },
    /// The first creditor refuses.
    Refuse {
        /// The certificate, cert1….
        #[arg(value_parser = args::certificate)]
        certificate: CertificateId,
    },
    /// The holder splits a part exactly.
    Split {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
        /// 2 to 256 amounts, as 500.00CNY 300.00CNY.
        #[arg(required = true, num_args = 2.., value_parser = args::money)]
        amounts: Vec<Money>,
    },
    /// The holder offers a part to another account.
    Offer {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
        /// To whom.
        #[arg(long)]
        to: AccountArg,
        /// Whether the receiver may come back to the holder; always said, never implied.
        #[arg(long, value_enum)]
        recourse: RecourseArg,
        /// Last day on which it may be accepted.
        #[arg(long, value_parser = args::date)]
        expires: BusinessDate,
    },
    /// The receiver accepts a part.
    AcceptTransfer {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
    },
    /// The receiver rejects a part.
    RejectTransfer {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
    },
    /// The holder withdraws an offer.
    WithdrawTransfer {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
    },
    /// Anybody: try again to collect what is overdue.
    Collect {
        /// The certificate, cert1….
        #[arg(value_parser = args::certificate)]
        certificate: CertificateId,
    },
    /// Show a certificate (cert1…) or a part (part1…).
    Show {
        /// Its id.
        id: String,
    },
    /// Show the path from the root to a part.
    Lineage {
        /// The part, part1….
        #[arg(value_parser = args::part)]
        part: PartId,
    },
    /// List the parts that an account holds or is offered, or the certificates that it issued.
    List {
        /// Certificates instead of parts.
        #[arg(long)]
        issued: bool,
        /// From this entry on.
        #[arg(long, default_value_t = 0)]
        from: u32,
    },
}

/// What happens on a closed day.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ConventionArg {
    /// The next open day.
    Following,
    /// The next open day, unless it is in the next month.
    ModifiedFollowing,
    /// The open day before.
    Preceding,
    /// It stays.
    Unadjusted,
}

/// Recourse, said explicitly.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RecourseArg {
    /// The receiver may come back.
    With,
    /// The receiver may not.
    Without,
}

impl From<RecourseArg> for Recourse {
    fn from(arg: RecourseArg) -> Self {
        match arg {
            RecourseArg::With => Self::With,
            RecourseArg::Without => Self::Without,
        }
    }
}

impl From<ConventionArg> for Convention {
    fn from(arg: ConventionArg) -> Self {
        match arg {
            ConventionArg::Following => Self::Following,
            ConventionArg::ModifiedFollowing => Self::ModifiedFollowing,
            ConventionArg::Preceding => Self::Preceding,
            ConventionArg::Unadjusted => Self::Unadjusted,
        }
    }
}

const PART_COLUMNS: [(&str, &str); 7] = [
    ("part", "/id"),
    ("amount", "/amount"),
    ("outstanding", "/outstanding"),
    ("state", "/state"),
    ("due", "/due"),
    ("holder", "/holder"),
    ("offered to", "/offer/to"),
];

const CERTIFICATE_COLUMNS: [(&str, &str); 6] = [
    ("certificate", "/id"),
    ("face", "/terms/face"),
    ("maturity", "/terms/maturity"),
    ("state", "/state"),
    ("debtor", "/debtor"),
    ("creditor", "/terms/creditor"),
];

/// Runs the command.
pub fn run(context: &Context, command: &ReceivableCommand) -> CliResult<()> {
    let own = || context.account().map(AccountArg::contract_id);
    let act = |call: &Call, done: &str| context.act(NAME, call, done).map(drop);
    match command {
        ReceivableCommand::Issue { .. } => issue(context, command),
        ReceivableCommand::Accept { certificate } => {
            act(&Call::Accept { creditor: own()?, certificate: *certificate }, "The certificate is accepted")
        }
        ReceivableCommand::Refuse { certificate } => {
            act(&Call::Refuse { creditor: own()?, certificate: *certificate }, "The certificate is refused")
        }
        ReceivableCommand::Split { part, amounts } => split(context, *part, amounts),
        ReceivableCommand::Offer { part, to, recourse, expires } => {
            let (to, recourse) = (to.contract_id(), (*recourse).into());
            let call = Call::OfferTransfer { holder: own()?, part: *part, to, recourse, expires: *expires };
            act(&call, "The part is offered")
        }
        ReceivableCommand::AcceptTransfer { part } => {
            act(&Call::AcceptTransfer { receiver: own()?, part: *part }, "The part is accepted")
        }
        ReceivableCommand::RejectTransfer { part } => {
            act(&Call::RejectTransfer { receiver: own()?, part: *part }, "The part is rejected")
        }
        ReceivableCommand::WithdrawTransfer { part } => {
            act(&Call::WithdrawTransfer { holder: own()?, part: *part }, "The offer is withdrawn")
        }
        ReceivableCommand::Collect { certificate } => {
            act(&Call::Collect { certificate: *certificate }, "What was there is collected")
        }
        ReceivableCommand::Show { id } if id.starts_with("part1") => context.show(&format!("/v1/parts/{id}")),
        ReceivableCommand::Show { id } => context.show(&format!("/v1/receivables/{id}")),
        ReceivableCommand::Lineage { part } => context.show(&format!("/v1/receivables/{}/lineage", part.text())),
        ReceivableCommand::List { issued, from } => {
            let account = context.account()?.id;
            if *issued {
                let path = format!("/v1/receivables?account={account}&from={from}");
                context.list(&path, "certificates", &CERTIFICATE_COLUMNS, "No certificate names this account.")
            } else {
                let path = format!("/v1/parts?account={account}&from={from}");
                context.list(&path, "parts", &PART_COLUMNS, "The account holds no part.")
            }
        }
    }
}

fn issue(context: &Context, command: &ReceivableCommand) -> CliResult<()> {
    let ReceivableCommand::Issue {
        invoice,
        creditor,
        face,
        maturity,
        bank,
        calendar,
        convention,
        accept_until,
        grace_days,
        recourse,
        not_transferable,
        not_splittable,
    } = command
    else {
        return Ok(());
    };
    let terms = CertificateTerms {
        creditor: creditor.contract_id(),
        face: *face,
        maturity: *maturity,
        convention: (*convention).into(),
        calendar: calendar.clone(),
        grace_days: *grace_days,
        recourse_default: if *recourse { Recourse::With } else { Recourse::Without },
        transferable: !not_transferable,
        splittable: !not_splittable,
        bank: bank.contract_id(),
        invoice: *invoice,
        accept_until: *accept_until,
    };
    let call = Call::Issue { debtor: context.account()?.contract_id(), terms };
    let done = context.send(vec![message(NAME, &call)])?;
    let id: CertificateId = done.output()?;
    let root = PartId::root(id);
    let text = format!("The certificate is {}, its root part {}", id.text(), root.text());
    context.report(&done, &text, json!({ "certificate": id.text(), "part": root.text() }))
}

fn split(context: &Context, part: PartId, amounts: &[Money]) -> CliResult<()> {
    let call = Call::Split { holder: context.account()?.contract_id(), part, amounts: amounts.to_vec() };
    let done = context.send(vec![message(NAME, &call)])?;
    let parts: Vec<String> = (0u16..).zip(amounts).map(|(index, _)| part.child(index).text()).collect();
    context.report(&done, &format!("The parts are {}", parts.join(", ")), json!({ "parts": parts }))
}
