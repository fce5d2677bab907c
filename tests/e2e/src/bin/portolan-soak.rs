//! `./scripts/soak`: real nodes under load, killed again and again; the last line is one JSON object with what it came to.

use std::process::ExitCode;

use clap::Parser;
use portolan_e2e::soak::{Plan, soak};

/// Kills real nodes (SIGKILL) under load, one after the other, in pairs, and while they start; after each kill the node must
/// start again, have every transaction that clients were told is final, and come to the same roots. Exit code 1: it did not.
#[derive(Parser)]
#[command(name = "soak")]
struct Arguments {
    /// How many processes to kill.
    #[arg(long, default_value_t = 200)]
    kills: u64,
    /// Of everything that is chance, but for the machine's own.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let Arguments { kills, seed } = Arguments::parse();
    let plan = Plan { kills, seed };
    let outcome = soak(plan, &mut |done| eprintln!("{done} of {kills} kills"));
    println!("{}", outcome.json(plan));
    if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
