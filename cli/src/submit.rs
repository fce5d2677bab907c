//! From calls to a final receipt: builds the body, has it approved, submits, waits. A repeat is safe: the id runs once.

use std::time::Duration;

use codec::{DecodeAll, Encode};
use portolan_primitives::transaction::TRANSACTION_VERSION;
use portolan_primitives::{
    AccountId, Body, Call, ContractId, Hash, SigningKey, Timestamp, Transaction, TransactionId, hex,
};
use serde_json::Value;

use crate::client::Client;
use crate::clock;
use crate::error::{CliError, CliResult};

/// How long a transaction of the tool may wait for its block.
const LIFE: Duration = Duration::from_secs(120);
/// Gas that a transaction declares unless the command says otherwise.
pub const DEFAULT_GAS: u64 = 200_000_000;

/// On whose behalf, and with which keys.
pub struct Signer {
    /// The sender.
    pub account: AccountId,
    /// Keys of the persons who approve.
    pub keys: Vec<SigningKey>,
}

/// A transaction that is final and ran.
#[derive(Clone, Debug)]
pub struct Done {
    /// Its id.
    pub id: TransactionId,
    /// Height of its block.
    pub height: u64,
    /// SCALE of each call's output.
    pub outputs: Vec<Vec<u8>>,
    /// What the node answered, whole.
    pub answer: Value,
}

impl Done {
    /// The first call's output.
    pub fn output<T: DecodeAll>(&self) -> CliResult<T> {
        let bytes = self.outputs.first().ok_or_else(|| foreign("a receipt without an output"))?;
        T::decode_all(&mut bytes.as_slice()).map_err(|_| foreign("an output of another type"))
    }
}

fn foreign(what: &str) -> CliError {
    CliError::refused(
        "foreign_answer",
        format!("the node answered {what}; do the versions of tool and network differ?"),
    )
}

/// One call of a contract or native module.
pub fn call(contract: ContractId, message: &impl Encode) -> Call {
    Call { contract, input: message.encode() }
}

/// Builds a transaction and has it approved by all of the signer's keys.
pub fn build(chain: Hash, signer: &Signer, calls: Vec<Call>, gas_limit: u64) -> CliResult<Transaction> {
    let salt = clock::random().map_err(|error| CliError::refused("no_randomness", error.to_string()))?;
    build_with(chain, signer, calls, gas_limit, salt, clock::after(LIFE))
}

/// [`build`] with everything given: for presigned load and for tests.
pub fn build_with(
    chain: Hash,
    signer: &Signer,
    calls: Vec<Call>,
    gas_limit: u64,
    salt: [u8; 16],
    expires_at: Timestamp,
) -> CliResult<Transaction> {
    let mut keys: Vec<_> = signer.keys.iter().map(|key| (key.public().id(), key)).collect();
    keys.sort_by_key(|(id, _)| *id);
    keys.dedup_by_key(|(id, _)| *id);
    let approvers = keys.iter().map(|(id, _)| *id).collect();
    let sender = signer.account;
    let body = Body { version: TRANSACTION_VERSION, chain, sender, salt, expires_at, gas_limit, approvers, calls };
    let approvals = keys.iter().map(|(_, key)| body.approve(key)).collect();
    let transaction = Transaction { body, approvals };
    transaction.check_shape().map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(transaction)
}

/// Submits and waits until it is final. A failed outcome is a refusal with the contract's own error.
pub fn run(client: &Client, transaction: &Transaction) -> CliResult<Done> {
    client.submit(transaction)?;
    let id = transaction.body.id();
    let answer = client.wait(&id, transaction.body.expires_at, clock::now)?;
    finished(id, answer)
}

/// Reads a transaction's final answer.
pub fn finished(id: TransactionId, answer: Value) -> CliResult<Done> {
    if answer["status"] != "final" {
        let message = format!(
            "{id} got into no block before it expired; submit it again. `portolan doctor` says why no block came"
        );
        return Err(CliError::refused("expired", message));
    }
    let receipt = &answer["receipt"];
    if receipt["outcome"] != "ok" {
        let error = &receipt["error"];
        let code = error["code"].as_str().or(error.as_str()).unwrap_or("failed");
        let message = error["message"].as_str().unwrap_or(code);
        return Err(CliError::refused(code, format!("{code}: {message} (transaction {id})")));
    }
    let height = answer["height"].as_u64().ok_or_else(|| foreign("a final transaction without a height"))?;
    let outputs = receipt["outputs_scale"].as_array().ok_or_else(|| foreign("a receipt without outputs"))?;
    let outputs: Option<Vec<Vec<u8>>> = outputs.iter().map(|output| hex::decode(output.as_str()?)).collect();
    let outputs = outputs.ok_or_else(|| foreign("an output that is not hex"))?;
    Ok(Done { id, height, outputs, answer })
}
