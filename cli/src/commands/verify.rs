//! `portolan verify`: checking offline what a node answered.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use portolan_chain_spec::ChainSpec;
use portolan_primitives::bounded::decode_whole;
use portolan_primitives::{FailureReason, Hash, Origin, Outcome};
use portolan_proof::limits::MAX_BUNDLE_BYTES;
use portolan_proof::{Anchor, HeaderProof, ProofError, ReceiptProof};
use portolan_runtime::ChainSecret;
use serde_json::{Value, json};

use crate::context::Context;
use crate::error::{CliError, CliResult};
use crate::proof;
use portolan_primitives::hex;

/// Form of a transaction's proof in JSON.
const RECEIPT_FORMAT: &str = "portolan-proved-receipt/1";

/// Verifying.
#[derive(Debug, Subcommand)]
pub enum VerifyCommand {
    /// Check a proof, as `?proof=true` returns it, without asking any node.
    Proof {
        /// A file with a node's answer: to a question, or of a transaction.
        file: PathBuf,
        #[command(flatten)]
        trust: TrustArgs,
    },
}

/// What whoever verifies trusts without asking anybody.
#[derive(Clone, Debug, Args)]
pub struct TrustArgs {
    /// The chain-spec whose validators are trusted.
    #[arg(long, conflicts_with = "validators_hash")]
    spec: Option<PathBuf>,
    /// The chain, 64 hex digits, with --validators-hash.
    #[arg(long, requires = "validators_hash")]
    chain: Option<Hash>,
    /// Hash of the trusted validator set, 64 hex digits.
    #[arg(long, requires = "chain")]
    validators_hash: Option<Hash>,
}

impl TrustArgs {
    /// The trusted validators: named, of the chain-spec, or of the devnet's.
    pub fn anchor(&self, context: &Context) -> CliResult<Anchor> {
        if let (Some(chain), Some(validators_hash)) = (self.chain, self.validators_hash) {
            return Ok(Anchor::Validators { chain, validators_hash });
        }
        let usage = || CliError::Usage("say what you trust: --spec FILE, or --chain and --validators-hash".into());
        of_spec(&self.spec_file(context)?.ok_or_else(usage)?)
    }

    /// The consortium's secret, where the chain-spec is at hand.
    pub fn secret(&self, context: &Context) -> CliResult<Option<ChainSecret>> {
        let Some(path) = self.spec_file(context)? else { return Ok(None) };
        Ok(Some(ChainSecret::new(&read_spec(&path)?.secret.0)))
    }

    /// The chain-spec that is trusted, unless a set of validators is.
    pub fn spec_file(&self, context: &Context) -> CliResult<Option<PathBuf>> {
        match (&self.spec, self.validators_hash) {
            (Some(spec), _) => Ok(Some(spec.clone())),
            (None, Some(_)) => Ok(None),
            (None, None) => context.devnet_spec(),
        }
    }
}

/// Runs the command.
pub fn run(context: &Context, command: &VerifyCommand) -> CliResult<()> {
    let VerifyCommand::Proof { file, trust } = command;
    let text = std::fs::read_to_string(file).map_err(CliError::file(file))?;
    let malformed = |error: serde_json::Error| CliError::refused("malformed_proof", error.to_string());
    let answer: Value = serde_json::from_str(&text).map_err(malformed)?;
    let (text, shown) = verified(&answer, &trust.anchor(context)?)?;
    context.output.done(&text, || shown)
}

/// What the proof in a node's answer shows to who trusts the anchor: in words, and as JSON.
fn verified(answer: &Value, anchor: &Anchor) -> CliResult<(String, Value)> {
    match answer["proof"]["format"].as_str() {
        Some(RECEIPT_FORMAT) => receipt(answer, anchor),
        _ => state(answer, anchor),
    }
}

fn failed(error: ProofError) -> CliError {
    CliError::refused("proof_fails", error.to_string())
}

fn state(answer: &Value, anchor: &Anchor) -> CliResult<(String, Value)> {
    let verified = proof::from_json(answer)?.verify(anchor).map_err(failed)?;
    let (header, keys, trusted) = (verified.header(), verified.entries().len(), verified.trusted().to_string());
    let shown = json!({
        "verified": true, "height": header.height, "keys": keys, "state_root": header.state_root, "trusted": trusted,
    });
    agrees(answer, &shown, &["height", "state_root"])?;
    let text = format!("The proof holds: {keys} keys of the state after block {}. Trusted: {trusted}", header.height);
    Ok((text, shown))
}

fn receipt(answer: &Value, anchor: &Anchor) -> CliResult<(String, Value)> {
    let (header, receipt) = receipt_proof(answer)?;
    let header = header.verify(anchor).map_err(failed)?;
    receipt.verify(&header).map_err(failed)?;
    let (height, trusted, receipt) = (header.header().height, header.trusted().to_string(), receipt.receipt);
    let Origin::Transaction(id) = receipt.origin else {
        return Err(CliError::refused("no_transaction", "the proof holds, but its receipt is of no transaction"));
    };
    let mut shown = json!({
        "verified": true, "id": id, "height": height, "receipt": { "gas": receipt.gas }, "trusted": trusted,
    });
    let ran = match &receipt.outcome {
        Outcome::Ok(outputs) => {
            let outputs: Vec<String> = outputs.iter().map(|output| hex::encode(output)).collect();
            (shown["receipt"]["outcome"], shown["receipt"]["outputs_scale"]) = (json!("ok"), json!(outputs));
            "ran".to_owned()
        }
        Outcome::Failed { call, reason, .. } => {
            (shown["receipt"]["outcome"], shown["receipt"]["call"]) = (json!("failed"), json!(call));
            if let FailureReason::Reverted(error) = reason {
                shown["receipt"]["error"] = json!({ "scale": hex::encode(error) });
            }
            format!("failed at its call {call}")
        }
    };
    agrees(answer, &shown, &["id", "height", "receipt"])?;
    Ok((format!("The proof holds: transaction {id} {ran} in block {height}. Trusted: {trusted}"), shown))
}

/// The bytes of [`RECEIPT_FORMAT`]: a version, then the proofs of the header and of the receipt.
fn receipt_proof(answer: &Value) -> CliResult<(HeaderProof, ReceiptProof)> {
    let malformed = |reason: String| CliError::refused("malformed_proof", reason);
    let bytes = answer["proof"]["scale"].as_str().and_then(hex::decode);
    let bytes = bytes.ok_or_else(|| malformed("the proof's bytes are not hex".into()))?;
    match bytes.split_first() {
        Some((1, rest)) => {
            decode_whole("proof of a receipt", rest, MAX_BUNDLE_BYTES).map_err(|error| malformed(error.to_string()))
        }
        _ => Err(malformed("the proof is of another version of the format; use a matching tool".into())),
    }
}

/// Refuses an answer that tells something else beside its proof than what is proved: people read the one and trust the other.
/// What a proof shows of a field that the answer lacks, it adds.
fn agrees(answer: &Value, proved: &Value, fields: &[&str]) -> CliResult<()> {
    match fields.iter().find(|field| !is_within(&proved[**field], &answer[**field])) {
        None => Ok(()),
        Some(field) => {
            let message = format!("the proof holds, but the answer's `{field}` is not what it proves; trust neither");
            Err(CliError::refused("answer_differs", message))
        }
    }
}

/// Whether each thing that is proved is told so, or not at all.
fn is_within(proved: &Value, told: &Value) -> bool {
    match (proved, told) {
        (_, Value::Null) => true,
        (Value::Object(proved), told) => proved.iter().all(|(name, value)| is_within(value, &told[name])),
        (proved, told) => proved == told,
    }
}

fn read_spec(path: &Path) -> CliResult<ChainSpec> {
    ChainSpec::read(path).map_err(|error| CliError::refused("bad_chain_spec", error.to_string()))
}

/// The genesis validators of a chain-spec, and the chain that its genesis makes.
fn of_spec(path: &Path) -> CliResult<Anchor> {
    let spec = read_spec(path)?;
    let checked = spec.check(&portolan_chain_spec::CodeSource::beside(path));
    let checked = checked.map_err(|faults| super::spec::refused(&faults))?;
    Ok(proof::anchor(checked.genesis.chain(), &proof::validators_of_spec(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use portolan_primitives::block::HEADER_VERSION;
    use portolan_primitives::vote::vote_message;
    use portolan_primitives::{
        CommitCertificate, Header, Height, MemberId, Receipt, Round, SigningKey, Timestamp, TransactionId, Validator,
        ValidatorSet, VoteKind, list_root,
    };
    use portolan_proof::CertifiedHeader;

    const CHAIN: Hash = Hash([7; 32]);

    fn signer() -> SigningKey {
        SigningKey::from_secret(&[3; 32]).unwrap()
    }

    fn validators() -> ValidatorSet {
        ValidatorSet::new(vec![Validator { member: MemberId([1; 16]), key: signer().public(), power: 1 }])
    }

    fn anchor() -> Anchor {
        Anchor::Validators { chain: CHAIN, validators_hash: validators().hash() }
    }

    fn receipts() -> Vec<Receipt> {
        let receipt = |number: u8, outcome| Receipt {
            origin: Origin::Transaction(TransactionId([number; 32])),
            outcome,
            gas: 100,
            events_root: Hash::ZERO,
        };
        let reason = FailureReason::Reverted(vec![0, 2]);
        let failed = Outcome::Failed { call: 3, contract: portolan_primitives::ContractId([1; 16]), reason };
        let agenda = Receipt {
            origin: Origin::Agenda(portolan_primitives::AgendaId([5; 32]), 0),
            ..receipt(3, Outcome::Ok(vec![]))
        };
        vec![receipt(1, Outcome::Ok(vec![vec![0xab]])), receipt(2, failed), agenda]
    }

    fn certified() -> HeaderProof {
        let header = Header {
            version: HEADER_VERSION,
            chain: CHAIN,
            height: Height(9),
            round: Round(0),
            time: Timestamp(1),
            parent: Hash::ZERO,
            history_root: Hash::ZERO,
            proposer: MemberId([1; 16]),
            transactions_root: Hash::ZERO,
            receipts_root: list_root(&receipts().iter().map(Receipt::leaf).collect::<Vec<_>>()),
            state_root: Hash::ZERO,
            validators_hash: validators().hash(),
            next_validators_hash: validators().hash(),
            gas_used: 0,
        };
        let message = vote_message(&CHAIN, VoteKind::Precommit, header.height, Round(0), Some(&header.hash()));
        let certificate = CommitCertificate {
            chain: CHAIN,
            height: header.height,
            round: Round(0),
            header: header.hash(),
            signatures: vec![(0, signer().sign(&message))],
        };
        HeaderProof::of(CertifiedHeader { header, certificate, validators: validators() })
    }

    /// A node's answer of one of the transactions, as `?proof=true` gives it.
    fn answer(index: usize) -> Value {
        let proof = (certified(), ReceiptProof::build(&receipts(), index).unwrap()).encode();
        json!({
            "id": TransactionId([index as u8 + 1; 32]),
            "status": "final",
            "height": 9,
            "receipt": if index == 0 {
                json!({ "outcome": "ok", "gas": 100, "outputs_scale": ["ab"], "events": [] })
            } else {
                json!({ "outcome": "failed", "gas": 100, "call": 3, "error": { "code": "x::Y", "scale": "0002" } })
            },
            "proof": { "format": RECEIPT_FORMAT, "scale": hex::encode(&[vec![1], proof].concat()) },
        })
    }

    fn code(answer: &Value, anchor: &Anchor) -> String {
        match verified(answer, anchor).unwrap_err() {
            CliError::Refused { code, .. } => code,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_proved_transaction_is_told_with_its_outcome() {
        let (text, shown) = verified(&answer(0), &anchor()).unwrap();
        let id = TransactionId([1; 32]);
        assert!(text.starts_with(&format!("The proof holds: transaction {id} ran in block 9")), "{text}");
        assert_eq!((&shown["id"], &shown["height"], &shown["verified"]), (&json!(id), &json!(9), &json!(true)));
        assert_eq!(shown["receipt"], json!({ "outcome": "ok", "gas": 100, "outputs_scale": ["ab"] }));
        let (text, shown) = verified(&answer(1), &anchor()).unwrap();
        assert!(text.contains("failed at its call 3"), "{text}");
        assert_eq!(shown["receipt"]["error"], json!({ "scale": "0002" }));
    }

    #[test]
    fn any_altered_byte_of_a_proof_is_refused() {
        let honest = answer(0);
        let bytes = hex::decode(honest["proof"]["scale"].as_str().unwrap()).unwrap();
        for place in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[place] ^= 1;
            let mut answer = honest.clone();
            answer["proof"]["scale"] = json!(hex::encode(&altered));
            assert!(verified(&answer, &anchor()).is_err(), "byte {place}");
        }
        let mut cut = honest;
        cut["proof"]["scale"] = json!(hex::encode(&bytes[..bytes.len() - 1]));
        assert_eq!(code(&cut, &anchor()), "malformed_proof");
    }

    #[test]
    fn an_answer_that_says_something_else_than_its_proof_is_refused() {
        type Change = fn(&mut Value);
        let changes: [Change; 6] = [
            |answer| answer["id"] = json!(TransactionId([9; 32])),
            |answer| answer["height"] = json!(8),
            |answer| answer["receipt"]["outcome"] = json!("failed"),
            |answer| answer["receipt"]["outputs_scale"] = json!(["cd"]),
            |answer| answer["receipt"]["gas"] = json!(1),
            |answer| answer["proof"]["scale"] = self::answer(1)["proof"]["scale"].clone(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut answer = answer(0);
            change(&mut answer);
            assert_eq!(code(&answer, &anchor()), "answer_differs", "change {number}");
        }
    }

    #[test]
    fn a_proof_is_for_who_trusts_its_validators() {
        let stranger = Anchor::Validators { chain: CHAIN, validators_hash: Hash([9; 32]) };
        assert_eq!(code(&answer(0), &stranger), "proof_fails");
        let elsewhere = Anchor::Validators { chain: Hash([8; 32]), validators_hash: validators().hash() };
        assert_eq!(code(&answer(0), &elsewhere), "proof_fails");
    }

    #[test]
    fn what_is_no_proof_of_a_transaction_is_named() {
        let mut agenda = answer(0);
        let proof = (certified(), ReceiptProof::build(&receipts(), 2).unwrap()).encode();
        agenda["proof"]["scale"] = json!(hex::encode(&[vec![1], proof].concat()));
        assert_eq!(code(&agenda, &anchor()), "no_transaction");
        assert_eq!(code(&json!({ "id": "x" }), &anchor()), "no_proof");
        let mut newer = answer(0);
        newer["proof"]["scale"] = json!("02");
        assert_eq!(code(&newer, &anchor()), "malformed_proof");
    }
}
