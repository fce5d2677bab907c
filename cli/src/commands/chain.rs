//! `portolan tx`, `block`, `agenda`, `status`: what the chain says of itself.

use clap::Subcommand;
use portolan_primitives::TransactionId;
use serde_json::Value;

use crate::clock;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::submit;

/// Transactions.
#[derive(Debug, Subcommand)]
pub enum TxCommand {
    /// Show a transaction with its outcome.
    Show {
        /// Its id, tx1….
        id: TransactionId,
    },
    /// Wait until a transaction is final; exit 1 if it failed.
    Wait {
        /// Its id, tx1….
        id: TransactionId,
        /// Longest wait, seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
}

/// Blocks.
#[derive(Debug, Subcommand)]
pub enum BlockCommand {
    /// Show a block.
    Show {
        /// Its height; the newest without it.
        height: Option<u64>,
    },
}

/// The agenda.
#[derive(Debug, Subcommand)]
pub enum AgendaCommand {
    /// List what falls due, in order.
    List {
        /// At most so many entries.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

/// Runs a transaction's command.
pub fn tx(context: &Context, command: &TxCommand) -> CliResult<()> {
    match command {
        TxCommand::Show { id } => {
            let answer = context.client()?.get(&format!("/v1/transactions/{id}"))?;
            if answer["status"] == "unknown" {
                let text = format!(
                    "no block holds {id}, and it waits in no node that was asked; was it sent to this network?"
                );
                return Err(CliError::refused("unknown_transaction", text));
            }
            context.show_value(&answer)
        }
        TxCommand::Wait { id, seconds } => {
            let deadline = clock::after(std::time::Duration::from_secs(*seconds));
            let answer = context.client()?.wait(id, deadline, clock::now)?;
            if answer["status"] == "final" {
                submit::finished(*id, answer.clone())?;
                return context.show_value(&answer);
            }
            let text = format!("{id} is not final after {seconds} s; `portolan doctor` says why no block comes");
            Err(CliError::refused("not_final", text))
        }
    }
}

/// Runs a block's command.
pub fn block(context: &Context, command: &BlockCommand) -> CliResult<()> {
    let BlockCommand::Show { height } = command;
    let height = height.map_or("latest".into(), |height| height.to_string());
    context.show(&format!("/v1/blocks/{height}"))
}

/// Runs an agenda's command.
pub fn agenda(context: &Context, command: &AgendaCommand) -> CliResult<()> {
    let AgendaCommand::List { limit } = command;
    let answer = context.client()?.get(&format!("/v1/agenda?limit={limit}"))?;
    let row = |entry: &Value| {
        let text = |field: &str| entry[field].as_str().map_or_else(|| entry[field].to_string(), str::to_owned);
        let message = entry["message"].as_object().and_then(|fields| fields.keys().next().cloned()).unwrap_or_default();
        vec![text("due"), text("contract"), message, text("attempt"), text("id")]
    };
    let rows = answer["entries"].as_array().into_iter().flatten().map(row).collect();
    context.output.table(&["due", "contract", "message", "attempt", "entry"], rows, &answer)
}

/// Shows how the network and this node stand.
pub fn status(context: &Context) -> CliResult<()> {
    context.show("/v1/status")
}
