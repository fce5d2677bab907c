//! `portolan governance`: what no single member may do.

use std::path::PathBuf;

use clap::Subcommand;
use codec::Encode;
use portolan_primitives::Hash;
use portolan_runtime::native::governance::messages::Call;
use portolan_runtime::native::governance::{Action, ProposalState};
use serde_json::{Value, json};

use crate::args;
use crate::context::Context;
use crate::contracts::message;
use crate::error::{CliError, CliResult};
use crate::view::{cell, field, named_cell, tree};

/// Governance.
#[derive(Debug, Subcommand)]
pub enum GovernanceCommand {
    /// Propose.
    Propose {
        /// What it is for, for people.
        #[arg(long)]
        title: String,
        /// Days in which it may be approved; 90 without it.
        #[arg(long)]
        days: Option<u32>,
        #[command(subcommand)]
        action: ActionArg,
    },
    /// Approve a proposal as you read it: its action's hash is bound.
    Approve {
        /// Its id, 64 hex digits.
        proposal: Hash,
    },
    /// Take an own proposal back.
    Withdraw {
        /// Its id, 64 hex digits.
        proposal: Hash,
    },
    /// Run an approved action, also again after it failed.
    Execute {
        /// Its id, 64 hex digits.
        proposal: Hash,
    },
    /// List the proposals.
    List,
    /// Show a proposal.
    Show {
        /// Its id, 64 hex digits.
        proposal: Hash,
    },
}

/// What to propose. Members have their own commands: `portolan member propose|freeze`.
#[derive(Debug, Subcommand)]
pub enum ActionArg {
    /// A parameter gets a value.
    Parameter {
        /// Its name.
        name: String,
        /// A whole number of 8 bytes, for the chain's own.
        #[arg(long, conflicts_with_all = ["i128", "scale"])]
        u64: Option<u64>,
        /// A whole number of 16 bytes, as contracts read amounts.
        #[arg(long, allow_hyphen_values = true, conflicts_with = "scale")]
        i128: Option<i128>,
        /// SCALE in hex.
        #[arg(long, value_parser = args::hex)]
        scale: Option<std::vec::Vec<u8>>,
    },
    /// A contract is deployed.
    Deploy {
        /// Name of the instance.
        name: String,
        /// The module (.wasm).
        code: PathBuf,
        /// SCALE of its instantiate message, in hex.
        #[arg(long, value_parser = args::hex)]
        instantiate: Option<std::vec::Vec<u8>>,
    },
    /// A contract gets new code.
    Upgrade {
        /// Name of the instance.
        name: String,
        /// The module (.wasm).
        code: PathBuf,
        /// SCALE of its migrate message, in hex.
        #[arg(long, value_parser = args::hex)]
        migrate: Option<std::vec::Vec<u8>>,
    },
}

/// Runs the command.
pub fn run(context: &Context, command: &GovernanceCommand) -> CliResult<()> {
    match command {
        GovernanceCommand::Propose { title, days, action } => propose(context, title, action_of(action)?, *days),
        GovernanceCommand::Approve { proposal } => approve(context, *proposal),
        GovernanceCommand::Withdraw { proposal } => {
            context.act("governance", &Call::Withdraw { proposal: *proposal }, "The proposal is taken back").map(drop)
        }
        GovernanceCommand::Execute { proposal } => {
            let done = context.send(vec![message("governance", &Call::Execute { proposal: *proposal })])?;
            report_state(context, &done, *proposal)
        }
        GovernanceCommand::List => list(context),
        GovernanceCommand::Show { proposal } => show(context, *proposal),
    }
}

fn action_of(arg: &ActionArg) -> CliResult<Action> {
    let code = |path: &PathBuf| std::fs::read(path).map_err(CliError::file(path));
    match arg {
        ActionArg::Parameter { name, u64, i128, scale } => {
            let value = u64.map(|number| number.encode()).or_else(|| i128.map(|number| number.encode()));
            let value = value.or_else(|| scale.clone());
            let value = value.ok_or_else(|| CliError::Usage("give the value with --u64, --i128 or --scale".into()))?;
            Ok(Action::SetParameter { name: name.clone(), value })
        }
        ActionArg::Deploy { name, code: path, instantiate } => Ok(Action::DeployContract {
            name: name.clone(),
            code: code(path)?,
            instantiate: instantiate.clone().unwrap_or_default(),
        }),
        ActionArg::Upgrade { name, code: path, migrate } => Ok(Action::UpgradeContract {
            name: name.clone(),
            code: code(path)?,
            migrate: migrate.clone().unwrap_or_default(),
        }),
    }
}

/// Proposes an action, and says the proposal's id.
pub fn propose(context: &Context, title: &str, action: Action, days: Option<u32>) -> CliResult<()> {
    let call = Call::Propose { title: title.into(), action, days };
    let done = context.send(vec![message("governance", &call)])?;
    let id: Hash = done.output()?;
    let text = format!("The proposal is {id}; others approve it with `portolan governance approve {id}`");
    context.report(&done, &text, json!({ "proposal": id }))
}

fn approve(context: &Context, proposal: Hash) -> CliResult<()> {
    let read = context.client()?.get(&format!("/v1/governance/{proposal}"))?;
    let action_hash = read["proposal"]["action_hash"].as_str().and_then(|text| text.parse().ok());
    let foreign =
        || CliError::refused("foreign_answer", "a proposal without its action's hash; do the versions differ?");
    let call = Call::Approve { proposal, action_hash: action_hash.ok_or_else(foreign)? };
    let done = context.send(vec![message("governance", &call)])?;
    report_state(context, &done, proposal)
}

fn report_state(context: &Context, done: &crate::submit::Done, proposal: Hash) -> CliResult<()> {
    let (state, text) = match done.output::<ProposalState>()? {
        ProposalState::Open => ("open", "It is approved; more approvals are needed".to_owned()),
        ProposalState::Scheduled { due } => ("scheduled", format!("It is approved and runs on {due}")),
        ProposalState::Executed { .. } => ("executed", "It is approved and was carried out".to_owned()),
        ProposalState::Failed { .. } => {
            let text = format!("It is approved, but its action was refused; see `portolan governance show {proposal}`");
            return Err(CliError::refused("action_failed", text));
        }
        ProposalState::Withdrawn => ("withdrawn", "It is withdrawn".to_owned()),
    };
    context.report(done, &text, json!({ "proposal": proposal, "state": state }))
}

fn list(context: &Context) -> CliResult<()> {
    let client = context.client()?;
    let answer = json!({ "proposals": client.get("/v1/governance?limit=256")? });
    let names = context.names(&client, &answer);
    let row = |view: &Value| {
        let proposal = &view["proposal"];
        let text = |field: &str| cell(&proposal[field], &names);
        vec![
            text("title"),
            text("state"),
            share(view),
            text("proposer"),
            text("expires"),
            named_cell("id", &view["id"], &names),
        ]
    };
    let rows = answer["proposals"].as_array().into_iter().flatten().map(row).collect();
    let head = ["title", "state", "approved", "proposer", "expires", "id"];
    context.output.table(&head, rows, "There are no proposals.", &answer)
}

fn show(context: &Context, proposal: Hash) -> CliResult<()> {
    let client = context.client()?;
    let answer = client.get(&format!("/v1/governance/{proposal}"))?;
    let names = context.names(&client, &answer);
    let text = || {
        let lines = [field("id", &proposal.to_string()), field("voting power", &share(&answer))];
        format!("{}\n{}", lines.join("\n"), tree(&answer["proposal"], &names))
    };
    context.output.text(text, &answer)
}

/// Voting power that approved, and how much is needed, from parts per million.
fn share(view: &Value) -> String {
    let percent = |field: &str| view[field].as_u64().unwrap_or_default() as f64 / 10_000.0;
    format!("{:.1} % of {:.1} % needed", percent("approved"), percent("needed"))
}
