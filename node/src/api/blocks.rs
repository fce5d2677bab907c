//! Headers, and whole blocks with their outcomes.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use portolan_primitives::{
    CommitCertificate, Hash, Header, Height, MemberId, Origin, Outcome, Transaction, ValidatorSet,
};
use portolan_runtime::native::records::Member;
use portolan_runtime::{ExecutedReceipt, Ledger};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::identity::{Identity, parties};
use super::limits::MAX_WAIT_MS;
use super::policy::{Reader, Resource};
use super::problem::{Answer, Problem};
use super::{Path, Shared, TOO_MANY_WAIT, from_host, only, page, pairs, parameter, receipts};
use crate::handle::{self, ReadError, Tip};

/// GET /v1/blocks: headers, newest first.
pub async fn list(State(api): State<Shared>, identity: Identity, uri: Uri) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Headers)?;
    let pairs = pairs(&uri)?;
    only(&pairs, &["before", "limit"])?;
    let tip = api.handle.tip().head.header.height;
    let before = parameter::<u64>(&pairs, "before")?.unwrap_or(u64::MAX).min(tip.0 + 1);
    let limit = page(&pairs)?;
    let read = api.handle.read(move |reader| {
        let lowest = reader.chain.lowest()?;
        let from = before.saturating_sub(limit).max(lowest.0);
        let headers = (from..before).rev().filter_map(|height| header_at(reader, Height(height)).transpose());
        Ok((headers.collect::<Result<Vec<_>, _>>()?, from, lowest))
    });
    let (blocks, from, lowest) = read.await?;
    let blocks: Vec<Value> = blocks.iter().map(|(header, hash)| described(header, hash)).collect();
    let next = (from > lowest.0).then_some(from);
    Ok(Json(json!({ "blocks": blocks, "next": next, "blocks_from": lowest })))
}

fn header_at(reader: &handle::Reader, height: Height) -> Result<Option<(Header, Hash)>, ReadError> {
    Ok(reader.chain.header(height)?.map(|header| (header.clone(), header.hash())))
}

fn described(header: &Header, hash: &Hash) -> Value {
    json!({ "height": header.height, "hash": hash, "header": receipts::header(header) })
}

/// A block as the store has it.
struct Stored {
    header: Header,
    certificate: Option<CommitCertificate>,
    validators: Option<ValidatorSet>,
    names: Vec<(MemberId, Option<String>)>,
    /// Receipts that the reader may see, each with its transaction.
    outcomes: Vec<(ExecutedReceipt, Option<Transaction>)>,
}

/// GET /v1/blocks/{height}: a block with its outcomes, as far as the reader may see them.
pub async fn show(
    State(api): State<Shared>,
    Path(height): Path<String>,
    identity: Identity,
    uri: Uri,
) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Headers)?;
    only(&pairs(&uri)?, &[])?;
    let tip = api.handle.tip();
    let height = named(&height, &tip)?;
    let catalog = api.catalog(&tip).await?;
    let stored = api.handle.read(move |reader| stored(reader, &tip, height, &identity)).await?;
    let hash = stored.header.hash();
    let id = |receipt: &ExecutedReceipt| match receipt.receipt.origin {
        Origin::Transaction(id) => Some(id),
        _ => None,
    };
    let transactions: Vec<_> = stored.outcomes.iter().filter_map(|(receipt, _)| id(receipt)).collect();
    let shown = |(receipt, transaction): &(ExecutedReceipt, Option<Transaction>)| {
        receipts::receipt(&catalog, receipt, transaction.as_ref())
    };
    let outcomes: Vec<Value> = stored.outcomes.iter().map(shown).collect();
    let mut document = described(&stored.header, &hash);
    document["certificate"] = certificate(&stored);
    document["transactions"] = json!(transactions);
    document["receipts"] = json!(outcomes);
    Ok(Json(document))
}

fn stored(reader: &handle::Reader, tip: &Arc<Tip>, height: Height, identity: &Identity) -> Result<Stored, ReadError> {
    let unknown = || ReadError::Unknown { height, tip: tip.head.header.height };
    let header = reader.chain.header(height)?.ok_or_else(unknown)?;
    let certificate = reader.chain.certificate(height)?;
    let validators = reader.chain.validators(&header.validators_hash)?;
    let names = names(tip, validators.iter().flat_map(ValidatorSet::validators).map(|validator| validator.member))?;
    let receipts = reader.chain.receipts(height)?.unwrap_or_default();
    let outcomes = with_transactions(reader, tip, height, identity, receipts)?;
    Ok(Stored { header, certificate, validators, names, outcomes })
}

/// GET /v1/blocks/{height}/outcomes: which transactions of a block succeeded, as far as the reader may see them; with
/// `wait_ms`, as soon as there is such a block.
pub async fn outcomes(
    State(api): State<Shared>,
    Path(height): Path<String>,
    identity: Identity,
    uri: Uri,
) -> Answer<Json<Value>> {
    identity.may_see(&Resource::Headers)?;
    let pairs = pairs(&uri)?;
    only(&pairs, &["wait_ms"])?;
    let wait = parameter::<u64>(&pairs, "wait_ms")?.unwrap_or(0).min(MAX_WAIT_MS);
    let height = named(&height, &api.handle.tip())?;
    wait_for(&api, height, Duration::from_millis(wait)).await?;
    let tip = api.handle.tip();
    let (header, receipts) = api
        .handle
        .read(move |reader| {
            let unknown = || ReadError::Unknown { height, tip: tip.head.header.height };
            let header = reader.chain.header(height)?.ok_or_else(unknown)?;
            Ok((header, visible_receipts(reader, &tip, height, &identity)?))
        })
        .await?;
    let (mut succeeded, mut failed) = (vec![], vec![]);
    for (executed, _) in receipts {
        if let Origin::Transaction(id) = executed.receipt.origin {
            let list = if matches!(executed.receipt.outcome, Outcome::Ok(_)) { &mut succeeded } else { &mut failed };
            list.push(id);
        }
    }
    Ok(Json(json!({
        "height": height,
        "hash": header.hash(),
        "time": header.time,
        "state_root": header.state_root,
        "succeeded": succeeded,
        "failed": failed,
    })))
}

/// The height of a path.
fn named(text: &str, tip: &Tip) -> Answer<Height> {
    if text == "latest" {
        return Ok(tip.head.header.height);
    }
    text.parse().map(Height).map_err(|_| Problem::bad("bad_height", "a height is a whole number, or `latest`"))
}

/// Returns when there is a block of this height, after `wait`, or when the node stops.
async fn wait_for(api: &Shared, height: Height, wait: Duration) -> Answer<()> {
    // Subscribed before the look: a block that comes between the two is not missed.
    let mut commits = api.handle.subscribe();
    let mut stopping = api.stopping.clone();
    let there = || api.handle.tip().head.header.height >= height;
    if wait.is_zero() || there() {
        return Ok(());
    }
    let _place = api.waiting.try_acquire().map_err(|_| Problem::busy(TOO_MANY_WAIT))?;
    let deadline = Instant::now() + wait;
    while !there() {
        tokio::select! {
            committed = tokio::time::timeout_at(deadline, commits.recv()) => {
                if matches!(committed, Err(_) | Ok(Err(RecvError::Closed))) {
                    return Ok(());
                }
            }
            () = super::stopped(&mut stopping) => return Ok(()),
        }
    }
    Ok(())
}

/// Receipts of a block that the reader may see, each with its transaction where that was needed to tell.
fn visible_receipts(
    reader: &handle::Reader,
    tip: &Tip,
    height: Height,
    identity: &Identity,
) -> Result<Vec<(ExecutedReceipt, Option<Transaction>)>, ReadError> {
    let receipts = reader.chain.receipts(height)?.unwrap_or_default();
    if identity.reader == Reader::Operator {
        let visible = is_visible(identity, tip, None)?;
        return Ok(receipts.into_iter().filter(|_| visible).map(|receipt| (receipt, None)).collect());
    }
    with_transactions(reader, tip, height, identity, receipts)
}

/// Those of a block's receipts that the reader may see, each with its transaction.
fn with_transactions(
    reader: &handle::Reader,
    tip: &Tip,
    height: Height,
    identity: &Identity,
    receipts: Vec<ExecutedReceipt>,
) -> Result<Vec<(ExecutedReceipt, Option<Transaction>)>, ReadError> {
    let mut transactions = reader.chain.transactions(height)?.unwrap_or_default().into_iter();
    let mut visible = Vec::new();
    for receipt in receipts {
        let transaction = match receipt.receipt.origin {
            Origin::Transaction(_) => transactions.next(),
            _ => None,
        };
        if is_visible(identity, tip, transaction.as_ref())? {
            visible.push((receipt, transaction));
        }
    }
    Ok(visible)
}

/// Whether the reader may see the outcome of a transaction, or of the chain's own acts.
pub fn is_visible(identity: &Identity, tip: &Tip, transaction: Option<&Transaction>) -> Result<bool, ReadError> {
    if identity.reader == Reader::Operator {
        return Ok(identity.sees(&Resource::ChainOutcome));
    }
    match transaction {
        None => Ok(identity.sees(&Resource::ChainOutcome)),
        Some(transaction) => Ok(identity.sees(&Resource::Transaction { parties: &parties(tip, transaction)? })),
    }
}

/// Names of members, as the state of `tip` knows them.
pub fn names(tip: &Tip, members: impl Iterator<Item = MemberId>) -> Result<Vec<(MemberId, Option<String>)>, ReadError> {
    let mut ledger = Ledger::new(tip.view.clone());
    let mut name = |id| Ok((id, ledger.get::<Member>(&id).map_err(from_host)?.map(|member| member.name)));
    members.map(&mut name).collect()
}

fn certificate(stored: &Stored) -> Value {
    let Some(certificate) = &stored.certificate else { return Value::Null };
    let validators = stored.validators.as_ref().map_or(&[][..], ValidatorSet::validators);
    let signature = |(place, signature): &(u16, portolan_primitives::Signature)| {
        let member = validators.get(usize::from(*place)).map(|validator| validator.member);
        let name = stored.names.iter().find(|(id, _)| Some(*id) == member).and_then(|(_, name)| name.clone());
        json!({ "validator": place, "member": name, "id": member, "signature": signature.to_string() })
    };
    let signatures: Vec<Value> = certificate.signatures.iter().map(signature).collect();
    json!({ "round": certificate.round, "signatures": signatures })
}
