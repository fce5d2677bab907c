//! `portolan demo`: stories that are longer than the devnet's, each on a network of its own that is gone afterwards.
//!
//! Every figure that is shown was read back from the chain. Must never take for true what only this tool reckoned.

mod cast;
mod ledger;
mod trade;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use portolan_primitives::BusinessDate;

use crate::devnet::layout::Layout;
use crate::devnet::make::{Plan, PlannedClock};
use crate::devnet::{DAY_LENGTH_MS, network};
use crate::error::{CliError, CliResult};
use crate::output::Output;

/// First business date: a Monday.
const START: &str = "2026-03-02";

/// The stories.
#[derive(Debug, Subcommand)]
pub enum DemoCommand {
    /// Ten companies in three tiers and two currencies: a return, a dispute and a default, and books that balance to the
    /// last minor unit. Exit 0 only if they do.
    Trade(TradeArgs),
}

/// Where the story is played.
#[derive(Debug, Args)]
pub struct TradeArgs {
    /// Folder of the story's own network, which is made anew and removed.
    #[arg(long, default_value = ".devnet-demo")]
    pub dir: PathBuf,
}

/// Plays a story.
pub fn run(command: &DemoCommand, output: &Output) -> CliResult<()> {
    let DemoCommand::Trade(args) = command;
    let layout = Layout::new(&args.dir)?;
    network::reset(&layout)?;
    eprintln!("Starting four validators …");
    let start: BusinessDate = START.parse().map_err(|_| CliError::Usage("the story has no first date".into()))?;
    let clock = PlannedClock::Steered { start, day_length_ms: DAY_LENGTH_MS };
    let plan = Plan { clock, base_port: None, parties: &cast::CAST };
    let told = network::up(&layout, &plan).and_then(|_| trade::tell(&layout, output.is_json()));
    let down = network::reset(&layout);
    let told = told?;
    down?;
    output.json_only(&told)?;
    if told["balanced"] == true {
        return Ok(());
    }
    Err(CliError::refused("check_failed", "the books do not balance; see the lines marked ✗"))
}
