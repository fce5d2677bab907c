//! `portolan settlement`: bank-issued deposits and what is owed.

use clap::Subcommand;
use portolan_interface::settlement::RedemptionAnswer;
use portolan_interface::settlement::api::{Call, NAME};
use portolan_interface::{CertificateId, Hash, Money};

use crate::args::{self, AccountArg, MemberArg, RecordId};
use crate::clock;
use crate::context::Context;
use crate::error::{CliError, CliResult};

/// Deposits and obligations.
#[derive(Debug, Subcommand)]
pub enum SettlementCommand {
    /// A bank serves a currency, up to a sum of deposits.
    Serve {
        /// The cap, as 1000000.00CNY.
        #[arg(value_parser = args::money)]
        cap: Money,
    },
    /// A bank issues a deposit at itself to an account.
    Deposit {
        /// To whom.
        #[arg(long)]
        to: AccountArg,
        /// How much, as 1000.00CNY.
        #[arg(value_parser = args::money)]
        amount: Money,
        /// The payment behind it, 64 hex digits; random if none.
        #[arg(long)]
        reference: Option<portolan_primitives::Hash>,
    },
    /// The owner orders the bank to pay out part of a deposit; the amount is pending until the bank answers.
    Redeem {
        /// The bank.
        #[arg(long)]
        bank: MemberArg,
        /// How much, as 1000.00CNY.
        #[arg(value_parser = args::money)]
        amount: Money,
        /// The payment order behind it, 64 hex digits; random if none.
        #[arg(long)]
        reference: Option<portolan_primitives::Hash>,
    },
    /// A bank answers a redemption, once and for exactly its amount: paid out, or refused.
    Answer {
        /// The redemption's number in the bank's list.
        number: u32,
        /// What was asked for, as 1000.00CNY.
        #[arg(value_parser = args::money)]
        amount: Money,
        /// It was not paid out: the money goes back to its owner.
        #[arg(long)]
        refused: bool,
        /// The bank's own record of it, 64 hex digits; random if none.
        #[arg(long)]
        reference: Option<portolan_primitives::Hash>,
    },
    /// Show the redemptions that the account's bank, or the given one, has not answered.
    Pending {
        /// A bank that looks at its own list; else what the account asked for is shown.
        #[arg(long)]
        bank: Option<MemberArg>,
    },
    /// The owner pays another account at the same bank.
    Transfer {
        /// The bank.
        #[arg(long)]
        bank: MemberArg,
        /// To whom.
        #[arg(long)]
        to: AccountArg,
        /// How much, as 1000.00CNY.
        #[arg(value_parser = args::money)]
        amount: Money,
        /// What it is for, 64 hex digits; random if none.
        #[arg(long)]
        reference: Option<portolan_primitives::Hash>,
    },
    /// Show an account's deposits.
    Balance {
        /// Another account than the one that acts.
        account: Option<AccountArg>,
    },
    /// Show what is owed on a certificate, or all that the account owes.
    Show {
        /// The certificate, cert1….
        #[arg(value_parser = args::certificate)]
        certificate: Option<CertificateId>,
    },
}

const REDEMPTION_COLUMNS: [(&str, &str); 5] = [
    ("bank", "/bank"),
    ("number", "/number"),
    ("amount", "/amount"),
    ("requested", "/requested"),
    ("account", "/account"),
];

const OBLIGATION_COLUMNS: [(&str, &str); 6] = [
    ("certificate", "/certificate"),
    ("amount", "/amount"),
    ("paid", "/paid"),
    ("due", "/due"),
    ("state", "/state"),
    ("bank", "/bank"),
];

/// Runs the command.
pub fn run(context: &Context, command: &SettlementCommand) -> CliResult<()> {
    let own = || context.account().map(AccountArg::contract_id);
    let act = |call: &Call, done: &str| context.act(NAME, call, done).map(drop);
    match command {
        SettlementCommand::Serve { cap } => act(&Call::Serve { bank_account: own()?, cap: *cap }, "The bank serves it"),
        SettlementCommand::Deposit { to, amount, reference } => {
            let (to, reference) = (to.contract_id(), given(reference)?);
            act(&Call::Issue { bank_account: own()?, to, amount: *amount, reference }, "The deposit is issued")
        }
        SettlementCommand::Redeem { bank, amount, reference } => {
            let (bank, order) = (bank.contract_id(), given(reference)?);
            act(&Call::Redeem { account: own()?, bank, amount: *amount, order }, "The bank is asked to pay it out")
        }
        SettlementCommand::Answer { number, amount, refused, reference } => {
            let (answer, done) = match refused {
                false => (RedemptionAnswer::Executed, "The redemption is executed"),
                true => (RedemptionAnswer::Refused, "The redemption is refused, and the money back"),
            };
            let (bank_account, reference) = (own()?, given(reference)?);
            act(&Call::AnswerRedemption { bank_account, number: *number, amount: *amount, answer, reference }, done)
        }
        SettlementCommand::Pending { bank } => {
            let path = match bank {
                Some(bank) => format!("/v1/banks/{}/pending-redemptions", bank.0),
                None => format!("/v1/pending-redemptions?account={}", context.account()?.id),
            };
            context.list(&path, "redemptions", &REDEMPTION_COLUMNS, "No redemption waits for an answer.")
        }
        SettlementCommand::Transfer { bank, to, amount, reference } => {
            let (to, bank, reference) = (to.contract_id(), bank.contract_id(), given(reference)?);
            act(&Call::Transfer { from: own()?, to, bank, amount: *amount, reference }, "It is paid")
        }
        SettlementCommand::Balance { account } => {
            let account = account.as_ref().map_or_else(|| context.account().map(|own| own.id), |other| Ok(other.id))?;
            let columns = [
                ("bank", "/bank"),
                ("balance", "/balance"),
                ("held", "/held"),
                ("bound", "/bound"),
                ("pending", "/pending"),
                ("account", "/account"),
            ];
            let path = format!("/v1/deposits?account={account}");
            context.list(&path, "deposits", &columns, "The account has no deposit at any bank.")
        }
        SettlementCommand::Show { certificate: Some(certificate) } => {
            context.show(&format!("/v1/obligations/{}", certificate.text()))
        }
        SettlementCommand::Show { certificate: None } => {
            let path = format!("/v1/obligations?account={}", context.account()?.id);
            context.list(&path, "obligations", &OBLIGATION_COLUMNS, "The account owes nothing on a certificate.")
        }
    }
}

/// The reference that was given, or a random one.
fn given(reference: &Option<portolan_primitives::Hash>) -> CliResult<Hash> {
    match reference {
        Some(reference) => Ok(Hash(reference.0)),
        None => Ok(Hash(clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?)),
    }
}
