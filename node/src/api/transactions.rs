//! Transactions: handed in, one or many, and asked for, also until they are final.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use codec::{Compact, Decode};
use portolan_primitives::limits::MAX_WINDOW_MS;
use portolan_primitives::{AccountId, Hash, Header, Height, Origin, Timestamp, Transaction, TransactionId, hex};
use portolan_proof::{HeaderProof, ReceiptProof};
use portolan_runtime::{ExecutedReceipt, Refusal};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::catalog::Catalog;
use super::identity::{Identity, parties};
use super::limits::{BATCH_BODY, BATCH_TRANSACTIONS, MAX_WAIT_MS, SUBMITTED_IDS, TRANSACTION_BODY};
use super::policy::Resource;
use super::problem::{Answer, Problem};
use super::{Path, Shared, TOO_MANY_WAIT, only, pairs, parameter, proofs, receipts};
use crate::handle::{self, ReadError, SubmitError, Tip};

/// Ids that were handed in here, with their expiry, so that "still waits" and "can never be" differ from "never heard of".
#[derive(Debug, Default)]
pub struct Submitted(Mutex<Ids>);

#[derive(Debug, Default)]
struct Ids {
    expiries: BTreeMap<TransactionId, Timestamp>,
    by_expiry: BTreeSet<(Timestamp, TransactionId)>,
}

impl Submitted {
    fn remember(&self, id: TransactionId, expires_at: Timestamp) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.expiries.insert(id, expires_at).is_none() {
            ids.by_expiry.insert((expires_at, id));
        }
        // The oldest are final or expired long since.
        while ids.expiries.len() > SUBMITTED_IDS {
            let Some((_, oldest)) = ids.by_expiry.pop_first() else { return };
            ids.expiries.remove(&oldest);
        }
    }

    fn expiry(&self, id: &TransactionId) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).expiries.get(id).copied()
    }
}

/// When the transaction in these bytes expires.
fn expiry(bytes: &[u8]) -> Option<Timestamp> {
    // A body begins with version, chain, sender, salt, expiry.
    let front = <(u8, Hash, AccountId, [u8; 16], Timestamp)>::decode(&mut &*bytes);
    front.ok().map(|(.., expires_at)| expires_at)
}

/// POST /v1/transactions: hands one in. One that is final already answers its outcome.
pub async fn submit(State(api): State<Shared>, identity: Identity, request: Request) -> Answer<Response> {
    identity.may_see(&Resource::Submission)?;
    let bytes = api.body(&identity, request, TRANSACTION_BODY).await?;
    let expires_at = expiry(&bytes);
    match api.handle.submit(bytes).await {
        Ok(id) => {
            if let Some(expires_at) = expires_at {
                api.submitted.remember(id, expires_at);
            }
            Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "status": "pending" }))).into_response())
        }
        Err(SubmitError::Refused(Refusal::Replayed(id))) => match find(&api, id).await? {
            Some(found) => Ok(Json(shown(&api, &identity, found, false).await?).into_response()),
            // In the window of seen ids, and its block is being written at this moment.
            None => Ok((StatusCode::ACCEPTED, Json(json!({ "id": id, "status": "pending" }))).into_response()),
        },
        Err(error) => Err(error.into()),
    }
}

/// POST /v1/transactions/batch: hands many in; each has its own answer.
pub async fn submit_batch(State(api): State<Shared>, identity: Identity, request: Request) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Submission)?;
    let bytes = api.body(&identity, request, BATCH_BODY).await?;
    let transactions = split_batch(&bytes)?;
    let expiries: Vec<_> = transactions.iter().map(|bytes| expiry(bytes)).collect();
    let results = api.handle.submit_many(transactions).await;
    let shown = results.into_iter().zip(expiries).map(|(result, expires_at)| match result {
        Ok(id) => {
            if let Some(expires_at) = expires_at {
                api.submitted.remember(id, expires_at);
            }
            json!({ "id": id })
        }
        Err(error) => {
            let problem = Problem::from(error);
            json!({ "code": problem.code, "detail": problem.detail })
        }
    });
    Ok(Json(json!({ "results": shown.collect::<Vec<_>>() })))
}

/// The transactions of a batch, SCALE `Vec<Vec<u8>>`; the count is bounded before anything is allocated for it.
fn split_batch(bytes: &[u8]) -> Answer<Vec<Vec<u8>>> {
    let malformed = || Problem::bad("malformed_batch", "the body is no SCALE list of transactions");
    let mut rest = bytes;
    let Compact(count) = Compact::<u32>::decode(&mut rest).map_err(|_| malformed())?;
    if count as usize > BATCH_TRANSACTIONS {
        let detail = format!("a batch has at most {BATCH_TRANSACTIONS} transactions; send several");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail));
    }
    let mut transactions = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let Compact(length) = Compact::<u32>::decode(&mut rest).map_err(|_| malformed())?;
        let (transaction, after) = rest.split_at_checked(length as usize).ok_or_else(malformed)?;
        if transaction.len() > TRANSACTION_BODY {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "a transaction of the batch is too long",
            ));
        }
        transactions.push(transaction.to_vec());
        rest = after;
    }
    if rest.is_empty() { Ok(transactions) } else { Err(malformed()) }
}

/// A transaction in its block.
struct Found {
    tip: Arc<Tip>,
    id: TransactionId,
    header: Header,
    index: u32,
    transaction: Transaction,
    receipt: ExecutedReceipt,
}

/// GET /v1/transactions/{id}: where it stands; with `wait_ms`, as soon as it is final.
pub async fn show(
    State(api): State<Shared>,
    Path(id): Path<String>,
    identity: Identity,
    uri: Uri,
) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Finality)?;
    let id: TransactionId = id.parse().map_err(|error| Problem::bad("bad_id", format!("{error}")))?;
    let pairs = pairs(&uri)?;
    only(&pairs, &["wait_ms", "proof"])?;
    let wait = parameter::<u64>(&pairs, "wait_ms")?.unwrap_or(0).min(MAX_WAIT_MS);
    let proof = parameter::<bool>(&pairs, "proof")?.unwrap_or(false);
    match wait_for(&api, id, Duration::from_millis(wait)).await? {
        Some(found) => Ok(Json(shown(&api, &identity, found, proof).await?)),
        None => {
            let tip = api.handle.tip().head.header.time;
            let read = api.handle.read(|reader| {
                let lowest = reader.chain.lowest()?;
                let pruned = lowest > Height(0);
                let first = if pruned { reader.chain.header(lowest)?.map(|header| header.time) } else { None };
                Ok((lowest, first))
            });
            let (lowest, first) = read.await?;
            let status = standing(api.submitted.expiry(&id), tip, first);
            Ok(Json(json!({ "id": id, "status": status, "blocks_from": lowest })))
        }
    }
}

/// What is known of one that no block has which this node keeps: when it expires, if it was handed in here; the time of the last
/// block; and that of the first one that is kept, if there were others before.
fn standing(expires_at: Option<Timestamp>, tip: Timestamp, first: Option<Timestamp>) -> &'static str {
    match expires_at {
        None => "unknown",
        // It is valid only in a block whose parent is older than its expiry,
        Some(expires_at) if expires_at > tip => "pending",
        // and that is no more than the window older than that: such a block may have been let go of.
        Some(expires_at) if first.is_some_and(|first| first.0.saturating_add(MAX_WINDOW_MS) > expires_at.0) => {
            "unknown"
        }
        Some(_) => "expired",
    }
}

/// Whether no later block can have it.
fn is_over(api: &Shared, id: &TransactionId) -> bool {
    api.submitted.expiry(id).is_some_and(|expires_at| expires_at <= api.handle.tip().head.header.time)
}

/// The transaction, as soon as a block has it, or nothing after `wait` or when it can never be.
async fn wait_for(api: &Shared, id: TransactionId, wait: Duration) -> Answer<Option<Found>> {
    // Subscribed before the look: a block that comes between the two is not missed.
    let mut commits = api.handle.subscribe();
    let mut stopping = api.stopping.clone();
    if let Some(found) = find(api, id).await? {
        return Ok(Some(found));
    }
    if wait.is_zero() {
        return Ok(None);
    }
    let _place = api.waiting.try_acquire().map_err(|_| Problem::busy(TOO_MANY_WAIT))?;
    let deadline = Instant::now() + wait;
    while !is_over(api, &id) {
        let committed = tokio::select! {
            committed = tokio::time::timeout_at(deadline, commits.recv()) => committed,
            () = super::stopped(&mut stopping) => return Ok(None),
        };
        let may_have_it = match committed {
            Err(_) | Ok(Err(RecvError::Closed)) => return Ok(None),
            Ok(Err(RecvError::Lagged(_))) => true,
            Ok(Ok(block)) => block.transactions.contains(&id),
        };
        if may_have_it && let Some(found) = find(api, id).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn find(api: &Shared, id: TransactionId) -> Result<Option<Found>, ReadError> {
    let handle = api.handle.clone();
    api.handle
        .read(move |reader| {
            let Some(place) = reader.chain.place(&id)? else { return Ok(None) };
            let corrupt = || ReadError::Host(format!("the block at height {} lacks transaction {id}", place.height));
            let header = reader.chain.header(place.height)?.ok_or_else(corrupt)?;
            let bodies = reader.chain.bodies(place.height)?.ok_or_else(corrupt)?;
            let body = bodies.get(place.index as usize).ok_or_else(corrupt)?;
            let transaction = Transaction::decode_checked(body).map_err(super::from_host)?;
            let receipts = reader.chain.receipts(place.height)?.ok_or_else(corrupt)?;
            let of_it = |receipt: &ExecutedReceipt| receipt.receipt.origin == Origin::Transaction(id);
            let receipt = receipts.into_iter().find(of_it).ok_or_else(corrupt)?;
            Ok(Some(Found { tip: handle.tip(), id, header, index: place.index, transaction, receipt }))
        })
        .await
}

async fn shown(api: &Shared, identity: &Identity, found: Found, proof: bool) -> Answer<Value> {
    let (tip, transaction) = (found.tip.clone(), found.transaction.clone());
    let parties = api.handle.read(move |_| parties(&tip, &transaction)).await?;
    identity.may_see(&Resource::Transaction { parties: &parties })?;
    let catalog = api.catalog(&found.tip).await?;
    let mut document = document(&catalog, &found);
    if proof {
        let (header, id) = (found.header.height, found.id);
        let proved = api.handle.read(move |reader| prove(reader, header, id)).await??;
        document["proof"] = json!({ "format": proofs::RECEIPT_FORMAT, "scale": hex::encode(&proofs::encode_receipt(&proved.0, &proved.1)) });
    }
    Ok(document)
}

fn document(catalog: &Catalog, found: &Found) -> Value {
    let calls: Vec<Value> = found.transaction.body.calls.iter().map(|call| receipts::call(catalog, call)).collect();
    json!({
        "id": found.id,
        "status": "final",
        "height": found.header.height,
        "index": found.index,
        "time": found.header.time,
        "sender": found.transaction.body.sender,
        "approvers": found.transaction.body.approvers,
        "calls": calls,
        "receipt": receipts::receipt(catalog, &found.receipt, Some(&found.transaction)),
    })
}

fn prove(
    reader: &handle::Reader,
    height: Height,
    id: TransactionId,
) -> Result<Answer<(HeaderProof, ReceiptProof)>, ReadError> {
    let header = match proofs::header(reader, height)? {
        Ok(header) => header,
        Err(problem) => return Ok(Err(problem)),
    };
    let receipts: Vec<_> =
        reader.chain.receipts(height)?.unwrap_or_default().into_iter().map(|executed| executed.receipt).collect();
    let index = receipts.iter().position(|receipt| receipt.origin == Origin::Transaction(id));
    let proof = index.and_then(|index| ReceiptProof::build(&receipts, index));
    let proof =
        proof.ok_or_else(|| ReadError::Host(format!("the block at height {height} lacks the receipt of {id}")))?;
    Ok(Ok((header, proof)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;

    #[test]
    fn what_no_kept_block_has_is_expired_only_where_every_block_is_kept_that_could_have_it() {
        let (expires_at, tip) = (Timestamp(1_000 + MAX_WINDOW_MS), Timestamp(2_000 + MAX_WINDOW_MS));
        let standing = |first| standing(Some(expires_at), tip, first);
        assert_eq!(standing(None), "expired");
        assert_eq!(standing(Some(Timestamp(1_000))), "expired");
        assert_eq!(standing(Some(Timestamp(1_001))), "unknown", "a block before that one may have had it");
        assert_eq!(super::standing(Some(tip), tip, None), "expired");
        assert_eq!(super::standing(Some(Timestamp(tip.0 + 1)), tip, None), "pending");
        assert_eq!(super::standing(None, tip, None), "unknown");
    }

    #[test]
    fn a_batch_is_split_within_its_bounds() {
        let batch = vec![vec![1u8, 2], vec![], vec![3; 100]];
        assert_eq!(split_batch(&batch.encode()), Ok(batch.clone()));
        let bytes = batch.encode();
        for length in 0..bytes.len() {
            assert_eq!(split_batch(&bytes[..length]).unwrap_err().code, "malformed_batch", "length {length}");
        }
        assert_eq!(split_batch(&[bytes, vec![0]].concat()).unwrap_err().code, "malformed_batch");
    }

    #[test]
    fn a_claimed_count_is_no_allocation() {
        assert_eq!(split_batch(&Compact(u32::MAX).encode()).unwrap_err().code, "too_large");
        let long = vec![vec![0u8; TRANSACTION_BODY + 1]];
        assert_eq!(split_batch(&long.encode()).unwrap_err().code, "too_large");
    }

    #[test]
    fn ids_are_remembered_up_to_a_bound_and_the_oldest_go_first() {
        let submitted = Submitted::default();
        let id = |number: u32| {
            TransactionId(portolan_primitives::hash(portolan_primitives::Domain::Transaction, &number.to_le_bytes()).0)
        };
        for number in 0..=SUBMITTED_IDS as u32 {
            submitted.remember(id(number), Timestamp(u64::from(number)));
        }
        assert_eq!(submitted.expiry(&id(0)), None);
        assert_eq!(submitted.expiry(&id(1)), Some(Timestamp(1)));
        assert_eq!(submitted.expiry(&id(SUBMITTED_IDS as u32)), Some(Timestamp(SUBMITTED_IDS as u64)));
    }

    #[test]
    fn the_expiry_is_read_from_the_front_of_a_transaction() {
        let body = portolan_primitives::Body {
            version: 1,
            chain: Hash([1; 32]),
            sender: AccountId([2; 16]),
            salt: [3; 16],
            expires_at: Timestamp(77),
            gas_limit: 1,
            approvers: vec![],
            calls: vec![],
        };
        let bytes = Transaction { body, approvals: vec![] }.encode();
        assert_eq!(expiry(&bytes), Some(Timestamp(77)));
        assert_eq!(expiry(&bytes[..40]), None);
    }
}
