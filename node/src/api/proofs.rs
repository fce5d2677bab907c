//! Proofs that somebody who trusts a validator set can check without this node: of headers, of keys and values, of receipts.

use codec::Encode;
use portolan_primitives::{Height, hex};
use portolan_proof::limits::{MAX_HANDOVERS, MAX_PROOF_KEYS};
use portolan_proof::{HeaderProof, ProvedState, ReceiptProof};
use portolan_state::StateKey;
use serde_json::{Value, json};

use super::Shared;
use super::problem::{Answer, Problem};
use crate::handle::{self, ReadError};

/// Form of a proof of keys and values: SCALE of [`ProvedState`] in hex.
pub const STATE_FORMAT: &str = "portolan-proved-state/1";
/// Form of a proof of a receipt: a byte 1, then SCALE of [`HeaderProof`] and [`ReceiptProof`], in hex.
pub const RECEIPT_FORMAT: &str = "portolan-proved-receipt/1";

/// Why the header at `height` is final, from the genesis validators on.
pub fn header(reader: &handle::Reader, height: Height) -> Result<Answer<HeaderProof>, ReadError> {
    // Genesis is trusted, not certified.
    let handovers = reader.chain.handovers(Height(1), MAX_HANDOVERS + 1)?;
    let handovers: Vec<Height> = handovers.into_iter().take_while(|handover| *handover < height).collect();
    if handovers.len() > MAX_HANDOVERS {
        let detail = "the validators changed too often since genesis for one proof";
        return Ok(Err(Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "too_many_handovers", detail)));
    }
    let Some(head) = reader.chain.certified_header(height)? else {
        let detail = "the state of genesis is trusted, not certified; ask for a later height";
        return Ok(Err(Problem::new(axum::http::StatusCode::CONFLICT, "not_certified", detail)));
    };
    let lacking = |height: Height| ReadError::Host(format!("the store has no certificate of height {height}"));
    let certified = |height: &Height| reader.chain.certified_header(*height)?.ok_or_else(|| lacking(*height));
    let handovers = handovers.iter().map(certified).collect::<Result<Vec<_>, _>>()?;
    Ok(Ok(HeaderProof { handovers, head, ancestor: None }))
}

/// The proof of `keys` at a height, as answers carry it.
pub async fn state(api: &Shared, height: Height, keys: Vec<StateKey>) -> Answer<Value> {
    if keys.len() > MAX_PROOF_KEYS {
        let detail =
            format!("the question read {} keys, and a proof has at most {MAX_PROOF_KEYS}; ask for less", keys.len());
        return Err(Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "too_many_keys", detail));
    }
    let proved = api.handle.read(move |reader| {
        let header = match header(reader, height)? {
            Ok(header) => header,
            Err(problem) => return Ok(Err(problem)),
        };
        let (entries, proof) = reader.state.prove_with_values(height, &keys)?;
        Ok(Ok(ProvedState::new(header, entries, proof).encode()))
    });
    Ok(json!({ "format": STATE_FORMAT, "scale": hex::encode(&proved.await??) }))
}

/// The bytes of [`RECEIPT_FORMAT`].
pub fn encode_receipt(header: &HeaderProof, receipt: &ReceiptProof) -> Vec<u8> {
    let mut bytes = vec![1];
    (header, receipt).encode_to(&mut bytes);
    bytes
}
