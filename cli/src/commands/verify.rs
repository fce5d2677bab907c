//! `portolan verify`: checking offline what a node answered.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use portolan_primitives::Hash;
use portolan_proof::Anchor;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::proof;

/// Verifying.
#[derive(Debug, Subcommand)]
pub enum VerifyCommand {
    /// Check a proof, as `?proof=true` returns it, without asking any node.
    Proof {
        /// A file with a node's answer.
        file: PathBuf,
        /// The chain-spec whose validators are trusted.
        #[arg(long, conflicts_with = "validators_hash")]
        spec: Option<PathBuf>,
        /// The chain, 64 hex digits, with --validators-hash.
        #[arg(long, requires = "validators_hash")]
        chain: Option<Hash>,
        /// Hash of the trusted validator set, 64 hex digits.
        #[arg(long, requires = "chain")]
        validators_hash: Option<Hash>,
    },
}

/// Runs the command.
pub fn run(context: &Context, command: &VerifyCommand) -> CliResult<()> {
    let VerifyCommand::Proof { file, spec, chain, validators_hash } = command;
    let text = std::fs::read_to_string(file).map_err(CliError::file(file))?;
    let malformed = |error: serde_json::Error| CliError::refused("malformed_proof", error.to_string());
    let answer: Value = serde_json::from_str(&text).map_err(malformed)?;
    let proved = proof::from_json(&answer)?;
    let anchor = match (spec, chain, validators_hash) {
        (_, Some(chain), Some(validators_hash)) => {
            Anchor::Validators { chain: *chain, validators_hash: *validators_hash }
        }
        (Some(spec), ..) => of_spec(spec)?,
        (None, ..) => of_devnet(context)?,
    };
    let failed = |error: portolan_proof::ProofError| CliError::refused("proof_fails", error.to_string());
    let verified = proved.verify(&anchor).map_err(failed)?;
    let (height, keys) = (verified.header().height, verified.entries().len());
    let text =
        format!("The proof holds: {keys} keys of the state after block {height}. Trusted: {}", verified.trusted());
    context.output.done(&text, || {
        json!({ "verified": true, "height": height, "keys": keys, "state_root": verified.header().state_root,
            "trusted": verified.trusted().to_string() })
    })
}

/// The genesis validators of a chain-spec, and the chain that its genesis makes.
fn of_spec(path: &Path) -> CliResult<Anchor> {
    let spec = portolan_chain_spec::ChainSpec::read(path);
    let spec = spec.map_err(|error| CliError::refused("bad_chain_spec", error.to_string()))?;
    let checked = spec.check(&portolan_chain_spec::CodeSource::beside(path));
    let checked = checked.map_err(|faults| super::spec::refused(&faults))?;
    Ok(proof::anchor(checked.genesis.chain(), &proof::validators_of_spec(path)?))
}

/// The devnet's own chain-spec.
fn of_devnet(context: &Context) -> CliResult<Anchor> {
    match context.devnet_spec()? {
        Some(spec) => of_spec(&spec),
        None => Err(CliError::Usage("say what you trust: --spec FILE, or --chain and --validators-hash".into())),
    }
}
