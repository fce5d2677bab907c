//! Proofs of what a node answered: asked for, checked offline, and shown to fail when altered.

use std::path::Path;

use codec::Encode;
use portolan_chain_spec::ChainSpec;
use portolan_primitives::{Hash, MemberId, Validator, ValidatorSet};
use portolan_proof::{Anchor, ProvedState};
use serde_json::Value;

use crate::client::Client;
use crate::contracts::Name;
use crate::error::{CliError, CliResult};
use portolan_primitives::hex;

/// Name of the proof's form in JSON.
pub const FORMAT: &str = "portolan-proved-state/1";

/// Asks a contract with the proof of every key that the question read.
pub fn ask_with_proof(client: &Client, contract: Name, question: &impl Encode) -> CliResult<ProvedState> {
    let answer = client.post(&format!("/v1/contracts/{contract}/query?proof=true"), &question.encode())?;
    from_json(&answer)
}

/// The proof in a node's answer, or in a file that holds one.
pub fn from_json(answer: &Value) -> CliResult<ProvedState> {
    let proof = &answer["proof"];
    if proof["format"] != FORMAT {
        let message = format!("there is no proof of the form {FORMAT} in it; ask a node with `?proof=true`");
        return Err(CliError::refused("no_proof", message));
    }
    let bytes = proof["scale"].as_str().and_then(hex::decode);
    let bytes = bytes.ok_or_else(|| CliError::refused("malformed_proof", "the proof's bytes are not hex"))?;
    ProvedState::decode_checked(&bytes).map_err(|error| CliError::refused("malformed_proof", error.to_string()))
}

/// Trust in a validator set of a chain.
pub fn anchor(chain: Hash, validators: &ValidatorSet) -> Anchor {
    Anchor::Validators { chain, validators_hash: validators.hash() }
}

/// The genesis validators of a chain-spec.
pub fn validators_of_spec(path: &Path) -> CliResult<ValidatorSet> {
    let spec = ChainSpec::read(path).map_err(|error| CliError::refused("bad_chain_spec", error.to_string()))?;
    let validator = |member: &portolan_chain_spec::MemberSpec| {
        member.validator.map(|validator| Validator {
            member: MemberId::from_name(&member.name),
            key: validator.key,
            power: validator.power,
        })
    };
    Ok(ValidatorSet::new(spec.members.iter().filter_map(validator).collect()))
}

/// The same proof with one bit of one value changed, if it shows a value.
pub fn with_one_value_altered(proved: &ProvedState) -> Option<ProvedState> {
    let mut altered = proved.clone();
    let value = altered.entries.iter_mut().filter_map(|entry| entry.value.as_mut()).find(|value| !value.is_empty())?;
    value[0] ^= 1;
    Some(altered)
}
