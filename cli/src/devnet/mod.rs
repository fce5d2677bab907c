//! `portolan devnet`: a consortium on one machine. Four validator processes, a business clock that is moved by command, and
//! the demo told as a story.

pub mod cast;
pub mod clock;
pub mod layout;
pub mod make;
pub mod network;
pub mod story;
pub mod supervisor;

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use portolan_primitives::BusinessDate;
use serde_json::{Value, json};

use crate::error::{CliError, CliResult};
use crate::output::Output;
use crate::view;
use layout::Layout;
use make::{Plan, PlannedClock};

/// Length of a day while the steered clock moves: a 90-day tenor passes in seconds.
pub const DAY_LENGTH_MS: u64 = 20;

/// The devnet's options.
#[derive(Debug, Args)]
pub struct DevnetArgs {
    /// Folder of the devnet's state.
    #[arg(long, env = "PORTOLAN_DEVNET_DIR", default_value = ".devnet")]
    pub dir: PathBuf,
    /// Everything once, then down: exit 0 only when every check held.
    #[arg(long)]
    pub once: bool,
    /// Tell the story of this UBL or CII invoice instead of the one that comes with the demo.
    #[arg(long, value_name = "FILE")]
    pub invoice: Option<PathBuf>,
    /// First of eight ports in a row on 127.0.0.1; free ones if none is named.
    #[arg(long)]
    pub base_port: Option<u16>,
    #[command(subcommand)]
    pub command: Option<DevnetCommand>,
}

/// What to do with the devnet. Without a command: up, the demo, and up until Ctrl-C.
#[derive(Debug, Subcommand)]
pub enum DevnetCommand {
    /// Start all nodes, making a network first if there is none; returns when all are ready.
    Up {
        /// Forget what was there before.
        #[arg(long)]
        fresh: bool,
        /// Real days in Asia/Shanghai instead of a steered clock.
        #[arg(long)]
        real_days: bool,
    },
    /// Tell the story on the running network.
    Demo {
        /// Of this UBL or CII invoice.
        #[arg(long, value_name = "FILE")]
        invoice: Option<PathBuf>,
    },
    /// Let the business date run, and wait until that day's agenda is done.
    Advance {
        /// Up to this date.
        #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "days", required_unless_present = "days")]
        to: Option<BusinessDate>,
        /// This many days.
        #[arg(long)]
        days: Option<u32>,
    },
    /// What each node is and has.
    Status,
    /// Let a node end by itself.
    Stop {
        /// Its member's name.
        node: String,
    },
    /// End a node at once (SIGKILL).
    Kill {
        /// Its member's name.
        node: String,
    },
    /// Start a node that was stopped or killed.
    Start {
        /// Its member's name.
        node: String,
    },
    /// Show what a node says.
    Logs {
        /// Its member's name.
        node: String,
    },
    /// End all nodes; their state stays.
    Down,
    /// End all nodes and forget their state.
    Reset,
    /// The parent of the node processes.
    #[command(hide = true)]
    Supervise {
        /// The nodes' program, if it is another than the one beside this.
        #[arg(long)]
        node_program: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(args: &DevnetArgs, output: &Output) -> CliResult<()> {
    let layout = Layout::new(&args.dir)?;
    let Some(command) = &args.command else { return everything(args, &layout, output) };
    match command {
        DevnetCommand::Up { fresh, real_days } => up(args, &layout, *fresh, *real_days, output),
        DevnetCommand::Demo { invoice } => demo(&layout, invoice.as_ref().or(args.invoice.as_ref()), output),
        DevnetCommand::Advance { to, days } => advance(&layout, *to, *days, output),
        DevnetCommand::Status => status(&layout, output),
        DevnetCommand::Stop { node } => order(&layout, supervisor::Order::Stop(node.clone()), node, "stopped", output),
        DevnetCommand::Kill { node } => order(&layout, supervisor::Order::Kill(node.clone()), node, "killed", output),
        DevnetCommand::Start { node } => {
            network::start(&layout, node)?;
            output.done(&format!("{node} is ready again"), || json!({ "node": node, "state": "ready" }))
        }
        DevnetCommand::Logs { node } => logs(&layout, node),
        DevnetCommand::Down => {
            network::down(&layout)?;
            output.done("The devnet is down; its state stays.", || json!({ "running": false }))
        }
        DevnetCommand::Reset => {
            network::reset(&layout)?;
            output.done("The devnet is down and forgotten.", || json!({ "running": false, "forgotten": true }))
        }
        DevnetCommand::Supervise { node_program } => supervisor::supervise(&layout, node_program.as_deref()),
    }
}

fn order(layout: &Layout, order: supervisor::Order, node: &str, state: &str, output: &Output) -> CliResult<()> {
    supervisor::order(layout, order)?;
    output.done(&format!("{node} is {state}"), || json!({ "node": node, "state": state }))
}

/// The clock of a network that is made now: it stands at the story's date.
fn planned(args: &DevnetArgs, start: BusinessDate, real_days: bool) -> Plan {
    let steered = PlannedClock::Steered { start, day_length_ms: DAY_LENGTH_MS };
    Plan {
        clock: if real_days { PlannedClock::Real } else { steered },
        base_port: args.base_port,
        parties: &cast::CAST,
    }
}

fn up(args: &DevnetArgs, layout: &Layout, fresh: bool, real_days: bool, output: &Output) -> CliResult<()> {
    let plan = story::plan(&story::invoice(args.invoice.as_deref())?)?;
    if fresh {
        network::reset(layout)?;
    }
    let nodes = network::up(layout, &planned(args, plan.issued, real_days))?;
    let lines: Vec<String> = nodes.iter().map(|node| format!("  {:<20} {}", node.name, node.api)).collect();
    let text = format!("Four validators are ready:\n{}", lines.join("\n"));
    output.done(&text, || json!({ "nodes": nodes }))
}

fn demo(layout: &Layout, invoice: Option<&PathBuf>, output: &Output) -> CliResult<()> {
    let plan = story::plan(&story::invoice(invoice.map(PathBuf::as_path))?)?;
    let ending = story::tell(layout, &plan, output.is_json())?;
    output.json_only(&ending.json)?;
    held(ending.ok)
}

fn held(ok: bool) -> CliResult<()> {
    if ok { Ok(()) } else { Err(CliError::refused("check_failed", "not every check held; see the lines marked ✗")) }
}

/// Up, the story, and then up until Ctrl-C; or down with `--once`.
fn everything(args: &DevnetArgs, layout: &Layout, output: &Output) -> CliResult<()> {
    // Refused before anything starts.
    let plan = story::plan(&story::invoice(args.invoice.as_deref())?)?;
    if args.once {
        network::reset(layout)?;
    }
    eprintln!("Starting four validators …");
    network::up(layout, &planned(args, plan.issued, false))?;
    let told = story::tell(layout, &plan, output.is_json());
    if args.once {
        network::down(layout)?;
    }
    let ending = told?;
    if !args.once {
        stay(layout, output)?;
    }
    // The object is the last line of standard output.
    output.json_only(&ending.json)?;
    held(ending.ok)
}

/// Waits for Ctrl-C, then ends the network.
fn stay(layout: &Layout, output: &Output) -> CliResult<()> {
    let hint = "\nThe network stays up until Ctrl-C. In another terminal: ./scripts/portolan status";
    if output.is_json() || !std::io::stdout().is_terminal() {
        eprintln!("{hint}")
    } else {
        println!("{hint}")
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CliError::file(layout.root()))?;
    runtime.block_on(tokio::signal::ctrl_c()).map_err(CliError::file(layout.root()))?;
    network::down(layout)
}

fn advance(layout: &Layout, to: Option<BusinessDate>, days: Option<u32>, output: &Output) -> CliResult<()> {
    let to = match (to, days) {
        (Some(to), _) => to,
        (None, days) => {
            let (_, client) = network::live_clients(layout)?;
            let today = clock::date_of(&client.get("/v1/status")?)?;
            let days =
                i32::try_from(days.unwrap_or_default()).map_err(|_| CliError::Usage("--days is too large".into()))?;
            today.plus_days(days)
        }
    };
    let date = clock::advance(layout, to)?;
    output.done(&format!("The business date is {date}; what was due is done."), || json!({ "business_date": date }))
}

fn status(layout: &Layout, output: &Output) -> CliResult<()> {
    let status = network::status(layout)?;
    let text = |value: &Value| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) if text.len() > 32 => view::short(value),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields = ["name", "role", "pid", "api", "height", "business_date", "state_root"];
    let rows = status["nodes"].as_array().into_iter().flatten();
    let rows = rows.map(|node| fields.iter().map(|field| text(&node[*field])).collect()).collect();
    output.table(&fields, rows, "The devnet has no nodes.", &status)
}

fn logs(layout: &Layout, node: &str) -> CliResult<()> {
    let known = layout.nodes()?.into_iter().any(|entry| entry.name == node);
    if !known {
        return Err(CliError::refused(
            "unknown_node",
            format!("there is no node `{node}`; see `./scripts/devnet status`"),
        ));
    }
    let path = layout.log(node);
    let mut file = std::fs::File::open(&path).map_err(CliError::file(&path))?;
    std::io::copy(&mut file, &mut std::io::stdout()).map(drop).map_err(CliError::file(&path))
}
