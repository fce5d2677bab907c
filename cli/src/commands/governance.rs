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
        GovernanceCommand::Show { proposal } => context.show(&format!("/v1/governance/{proposal}")),
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
    let answer = context.client()?.get("/v1/governance?limit=256")?;
    let proposals = answer.as_array().or(answer["proposals"].as_array());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |view: &Value| {
        let proposal = &view["proposal"];
        let state = proposal["state"].as_object().and_then(|state| state.keys().next().cloned());
        let state = state.unwrap_or_else(|| text(&proposal["state"]));
        let share = format!("{} of {} ppm", text(&view["approved"]), text(&view["needed"]));
        vec![text(&proposal["title"]), state, share, text(&proposal["expires"]), text(&view["id"])]
    };
    let rows = proposals.into_iter().flatten().map(row).collect();
    context.output.table(&["title", "state", "approved", "expires", "id"], rows, &answer)
}
