//! `portolan tx`, `block`, `agenda`, `status`: what the chain says of itself.

use clap::Subcommand;
use portolan_primitives::{Timestamp, TransactionId};
use serde_json::Value;

use crate::clock;
use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::output::columns;
use crate::submit;
use crate::view::{Names, cell, field, instant, short};

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
    let client = context.client()?;
    match command {
        TxCommand::Show { id } => {
            let answer = client.get(&format!("/v1/transactions/{id}"))?;
            if answer["status"] == "unknown" {
                let text = format!(
                    "no block holds {id}, and it waits in no node that was asked; was it sent to this network?"
                );
                return Err(CliError::refused("unknown_transaction", text));
            }
            context.show_value(&client, &answer)
        }
        TxCommand::Wait { id, seconds } => {
            let deadline = clock::after(std::time::Duration::from_secs(*seconds));
            let answer = client.wait(id, deadline, clock::now)?;
            if answer["status"] == "final" {
                submit::finished(*id, answer.clone())?;
                return context.show_value(&client, &answer);
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
    let client = context.client()?;
    let answer = client.get(&format!("/v1/blocks/{height}"))?;
    let names = context.names(&client, &answer["header"]);
    context.output.text(|| block_text(&answer, &names), &answer)
}

fn block_text(block: &Value, names: &Names) -> String {
    let header = &block["header"];
    let signers: Vec<String> =
        list(&block["certificate"]["signatures"]).map(|vote| cell(&vote["member"], names)).collect();
    let mut lines = vec![
        field("height", &header["height"].to_string()),
        field("time", &instant(Timestamp(header["time"].as_u64().unwrap_or_default()))),
        field("proposer", &format!("{}, round {}", cell(&header["proposer"], names), header["round"])),
        field("signed by", &signers.join(", ")),
        field("hash", block["hash"].as_str().unwrap_or_default()),
        field("state root", header["state_root"].as_str().unwrap_or_default()),
        field("gas used", &header["gas_used"].to_string()),
        String::new(),
    ];
    let row = |receipt: &Value| {
        let origin = &receipt["origin"];
        let what = origin["transaction"].as_str().or(origin["agenda"].as_str()).unwrap_or("the chain itself");
        let events: Vec<String> = list(&receipt["events"]).map(event_name).collect();
        vec![what.to_owned(), cell(&receipt["outcome"], names), receipt["gas"].to_string(), events.join(", ")]
    };
    let rows: Vec<_> = list(&block["receipts"]).map(row).collect();
    lines.push(match rows.is_empty() {
        true => "Nothing ran in it.".into(),
        false => columns(&["origin", "outcome", "gas", "events"], rows),
    });
    lines.join("\n")
}

fn event_name(event: &Value) -> String {
    let name = match &event["event"] {
        Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    format!("{}.{name}", event["contract"].as_str().unwrap_or_default())
}

/// Runs an agenda's command.
pub fn agenda(context: &Context, command: &AgendaCommand) -> CliResult<()> {
    let AgendaCommand::List { limit } = command;
    let columns = [
        ("due", "/due"),
        ("contract", "/contract"),
        ("message", "/message"),
        ("attempt", "/attempt"),
        ("entry", "/id"),
    ];
    context.list(&format!("/v1/agenda?limit={limit}"), "entries", &columns, "Nothing is on the agenda.")
}

/// Shows how the network and this node stand.
pub fn status(context: &Context) -> CliResult<()> {
    let answer = context.client()?.get("/v1/status")?;
    context.output.text(|| status_text(&answer), &answer)
}

fn status_text(status: &Value) -> String {
    let names = Names::default();
    let text = |name: &str| cell(&status[name], &names);
    let date = match status["business_target"].as_str() {
        Some(target) if Some(target) != status["business_date"].as_str() => {
            format!("{}, moving to {target}", text("business_date"))
        }
        _ => text("business_date"),
    };
    let ready = if status["ready"] == true { "ready" } else { "not ready" };
    let members: Vec<String> =
        list(&status["validators"]).map(|validator| cell(&validator["member"], &names)).collect();
    let mut lines = vec![
        field("network", &format!("{} ({}), chain {}", text("network"), text("kind"), short(&status["chain"]))),
        field("node", &format!("{} ({}), {ready}, up {} s", text("member"), text("role"), text("uptime_s"))),
        field("height", &text("height")),
        field("time", &instant(Timestamp(status["time"].as_u64().unwrap_or_default()))),
        field("business date", &date),
        field("state root", &text("state_root")),
        field("validators", &format!("{}; {} of the power is needed", members.join(", "), text("quorum"))),
        field("waiting", &format!("{} transactions", cell(&status["mempool"]["transactions"], &names))),
    ];
    for (name, label) in [("halted", "halted"), ("why_no_block", "why no block"), ("absent", "absent")] {
        if !status[name].is_null() && status[name] != serde_json::json!([]) {
            lines.push(field(label, &text(name)));
        }
    }
    let row = |peer: &Value| {
        let connected = if peer["connected"] == true { "connected".into() } else { cell(&peer["last_error"], &names) };
        vec![
            cell(&peer["member"], &names),
            connected,
            cell(&peer["height"], &names),
            cell(&peer["round_trip_ms"], &names),
            cell(&peer["clock_ahead_ms"], &names),
            cell(&peer["address"], &names),
        ]
    };
    let peers: Vec<_> = list(&status["peers"]).map(row).collect();
    if !peers.is_empty() {
        lines.push(String::new());
        lines.push(columns(&["peer", "state", "height", "round trip ms", "clock ahead ms", "address"], peers));
    }
    lines.join("\n")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
