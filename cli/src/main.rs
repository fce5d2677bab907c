//! The command `portolan`: parses, runs, and turns the outcome into an exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use portolan::commands::{
    acts, chain, contract, doctor, document, financing, governance, key, member, receivable, settlement, spec, trade,
    verify,
};
use portolan::context::{Context, GlobalArgs};
use portolan::demo::{self, DemoCommand};
use portolan::devnet::{self, DevnetArgs};
use portolan::error::CliResult;
use portolan::{bench, output::Output};

/// Trade and supply-chain finance on Portolan: documents, certificates, deposits, and the network itself.
///
/// Exit codes: 0 done, 1 refused with a typed reason, 2 wrong use, 3 no node reachable.
#[derive(Debug, Parser)]
#[command(name = "portolan", version, max_term_width = 120)]
struct Cli {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Own keys, and registering one on the chain.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Read trade documents; register invoices.
    #[command(subcommand)]
    Document(document::DocumentCommand),
    /// Orders.
    #[command(subcommand)]
    Order(trade::OrderCommand),
    /// Bills of lading and their title.
    #[command(subcommand)]
    Bill(trade::BillCommand),
    /// Customs declarations.
    #[command(subcommand)]
    Customs(trade::CustomsCommand),
    /// Certificates and their parts.
    #[command(subcommand)]
    Receivable(receivable::ReceivableCommand),
    /// Money for a part before it is due.
    #[command(subcommand)]
    Financing(financing::FinancingCommand),
    /// Deposits and obligations.
    #[command(subcommand)]
    Settlement(settlement::SettlementCommand),
    /// What falls due.
    #[command(subcommand)]
    Agenda(chain::AgendaCommand),
    /// Transactions.
    #[command(subcommand)]
    Tx(chain::TxCommand),
    /// Blocks.
    #[command(subcommand)]
    Block(chain::BlockCommand),
    /// Members.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Accounts and their policies.
    #[command(subcommand)]
    Account(member::AccountCommand),
    /// Any contract by its own description.
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// What no single member may do.
    #[command(subcommand)]
    Governance(governance::GovernanceCommand),
    /// Check offline what a node answered.
    #[command(subcommand)]
    Verify(verify::VerifyCommand),
    /// The file that a network begins with.
    #[command(subcommand)]
    ChainSpec(spec::SpecCommand),
    /// How the network and the node stand.
    Status,
    /// What is wrong, in words.
    Doctor,
    /// A consortium on this machine.
    Devnet(DevnetArgs),
    /// Longer stories on a network of their own.
    #[command(subcommand)]
    Demo(DemoCommand),
    /// Open-loop load against a fresh devnet with real days.
    Bench(bench::BenchArgs),
    /// Completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let matches = command().get_matches();
    let global = GlobalArgs::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let output = Output::new(global.json);
    match run(&Context::new(global), &matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if output.is_json() && !matches!(error.code().as_str(), "check_failed" | "unhealthy") {
                println!("{}", error.to_json());
            }
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// The commands that are written here, with those of the table of acts.
fn command() -> clap::Command {
    acts::extend(Cli::command())
}

fn run(context: &Context, matches: &ArgMatches) -> CliResult<()> {
    if let Some(done) = acts::run(context, matches) {
        return done;
    }
    let cli = Cli::from_arg_matches(matches).unwrap_or_else(|error| error.exit());
    let output = &context.output;
    match &cli.command {
        Command::Key(command) => key::run(context, command),
        Command::Document(command) => document::run(context, command),
        Command::Order(command) => trade::order(context, command),
        Command::Bill(command) => trade::bill(context, command),
        Command::Customs(command) => trade::customs(context, command),
        Command::Receivable(command) => receivable::run(context, command),
        Command::Financing(command) => financing::run(context, command),
        Command::Settlement(command) => settlement::run(context, command),
        Command::Agenda(command) => chain::agenda(context, command),
        Command::Tx(command) => chain::tx(context, command),
        Command::Block(command) => chain::block(context, command),
        Command::Member(command) => member::member(context, command),
        Command::Account(command) => member::account(context, command),
        Command::Contract(command) => contract::run(context, command),
        Command::Governance(command) => governance::run(context, command),
        Command::Verify(command) => verify::run(context, command),
        Command::ChainSpec(command) => spec::run(context, command),
        Command::Status => chain::status(context),
        Command::Doctor => doctor::run(context),
        Command::Devnet(args) => devnet::run(args, output),
        Command::Demo(command) => demo::run(command, output),
        Command::Bench(args) => bench::run(args, output),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut command(), "portolan", &mut std::io::stdout());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
    }
}
