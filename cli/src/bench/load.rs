//! The open loop: senders that keep to the schedule, and a follower that sees blocks as they become final.

#![allow(clippy::disallowed_methods)] // A benchmark reads the clock; nothing else depends on what it reads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use codec::{Decode, Encode};
use hdrhistogram::Histogram;
use portolan_primitives::Transaction;
use serde_json::Value;

use crate::client::{Client, ClientError};
use crate::clock;
use crate::error::{CliError, CliResult};

/// How often the senders look what is due.
const TICK: Duration = Duration::from_millis(10);
/// How long one request of the follower waits for the next block, ms.
const WAIT_MS: u64 = 1_000;
/// How long a node may take to the height whose state is compared, ms.
const REACH_MS: u64 = 10_000;
/// Most transactions in one request.
const BATCH: usize = 512;
/// Without a new block for so long, what is left counts as lost.
const STILL: Duration = Duration::from_secs(15);

/// What came of a workload.
pub struct Measured {
    /// Transactions that ran.
    pub done: u64,
    /// Transactions whose outcome was a failure.
    pub failed: u64,
    /// Transactions that no node took, or that got into no block.
    pub refused: u64,
    /// The last height that was seen.
    pub height: u64,
    /// From the first due moment to the last block.
    pub seconds: f64,
    /// Microseconds from the due moment to the block's sight.
    pub latencies: Histogram<u64>,
}

/// The moments at which the transactions are due, by id.
struct Schedule {
    start: Instant,
    interval: Duration,
    places: BTreeMap<String, usize>,
}

impl Schedule {
    fn due(&self, place: usize) -> Instant {
        self.start + self.interval * place as u32
    }
}

/// Sends one transaction each `interval`, in turn to all nodes, and follows the chain until all are final.
pub fn send(nodes: &[String], transactions: Vec<Vec<u8>>, interval: Duration) -> CliResult<Measured> {
    let follower = Client::new(vec![nodes[0].clone()]);
    let from = height(&follower)?;
    let places =
        transactions.iter().enumerate().map(|(place, bytes)| Ok((id_of(bytes)?, place))).collect::<CliResult<_>>()?;
    let schedule = Schedule { start: Instant::now() + Duration::from_millis(100), interval, places };
    let refused = AtomicU64::new(0);
    let sent_all = AtomicBool::new(false);
    let next = Mutex::new(0usize);
    std::thread::scope(|scope| {
        let senders: Vec<_> = nodes
            .iter()
            .map(|node| scope.spawn(|| send_due(node, &transactions, &schedule, &next, &refused)))
            .collect();
        let counted = scope.spawn(|| follow(&follower, &schedule, from, &refused, &sent_all));
        let sent: Result<Vec<()>, _> = senders.into_iter().map(join).collect::<CliResult<Vec<_>>>();
        sent_all.store(true, Ordering::Release);
        let measured = join(counted)?;
        sent?;
        Ok(measured)
    })
}

fn join<T>(handle: std::thread::ScopedJoinHandle<'_, CliResult<T>>) -> CliResult<T> {
    handle.join().map_err(|_| CliError::refused("bench", "a thread of the bench ended early"))?
}

fn id_of(bytes: &[u8]) -> CliResult<String> {
    let transaction =
        Transaction::decode(&mut &*bytes).map_err(|error| CliError::refused("bench", error.to_string()))?;
    Ok(transaction.body.id().to_string())
}

/// One sender: takes what is due from the common queue and sends it, until the queue is empty.
fn send_due(
    node: &str,
    transactions: &[Vec<u8>],
    schedule: &Schedule,
    next: &Mutex<usize>,
    refused: &AtomicU64,
) -> CliResult<()> {
    let client = Client::new(vec![node.to_owned()]);
    loop {
        let taken = take_due(transactions.len(), schedule, next);
        if taken.is_empty() {
            if taken.end >= transactions.len() {
                return Ok(());
            }
            clock::pause(TICK);
            continue;
        }
        let batch: Vec<Vec<u8>> = transactions[taken.clone()].to_vec();
        let answer = client.post("/v1/transactions/batch", &batch.encode())?;
        let results = answer["results"].as_array().map_or(&[][..], Vec::as_slice);
        let bad =
            results.iter().filter(|result| result["id"].is_null()).count() + batch.len().saturating_sub(results.len());
        if bad > 0 {
            if let Some(reason) = results.iter().find(|result| result["id"].is_null()) {
                eprintln!("{bad} refused: {reason}");
            }
            refused.fetch_add(bad as u64, Ordering::Relaxed);
        }
    }
}

fn take_due(count: usize, schedule: &Schedule, next: &Mutex<usize>) -> std::ops::Range<usize> {
    let mut next = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let first = *next;
    let now = Instant::now();
    while *next < count && *next - first < BATCH && schedule.due(*next) <= now {
        *next += 1;
    }
    first..*next
}

/// Reads the outcomes of block after block, noting when each was first seen.
fn follow(
    client: &Client,
    schedule: &Schedule,
    from: u64,
    refused: &AtomicU64,
    sent_all: &AtomicBool,
) -> CliResult<Measured> {
    let latencies = Histogram::new_with_bounds(1, crate::bench::LONGEST_US, 3)
        .map_err(|error| CliError::refused("bench", error.to_string()))?;
    let mut measured = Measured { done: 0, failed: 0, refused: 0, height: from, seconds: 0.0, latencies };
    let mut last = Instant::now();
    loop {
        let block = outcomes(client, measured.height + 1, WAIT_MS)?;
        let seen = Instant::now();
        if let Some(block) = block {
            measured.height += 1;
            if count_block(&block, schedule, seen, &mut measured) > 0 {
                measured.seconds = seen.saturating_duration_since(schedule.start).as_secs_f64();
                last = seen;
            }
        }
        let known = measured.done + measured.failed + refused.load(Ordering::Relaxed);
        let all = schedule.places.len() as u64;
        let sent = sent_all.load(Ordering::Acquire);
        if sent && (known >= all || last.elapsed() > STILL) {
            measured.refused = all - measured.done - measured.failed;
            return Ok(measured);
        }
        if !sent {
            last = last.max(seen);
        }
    }
}

/// Which transactions of a block succeeded; none if there is no such block within so long.
fn outcomes(client: &Client, height: u64, wait_ms: u64) -> CliResult<Option<Value>> {
    match client.get(&format!("/v1/blocks/{height}/outcomes?wait_ms={wait_ms}")) {
        Ok(block) => Ok(Some(block)),
        Err(ClientError::Refused(problem)) if problem.code == "unknown_height" => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether all nodes come to the same block and state at a height.
pub fn same_state(nodes: &[String], height: u64) -> CliResult<bool> {
    let at = |node: &String| -> CliResult<Option<(Value, Value)>> {
        let block = outcomes(&Client::new(vec![node.clone()]), height, REACH_MS)?;
        Ok(block.map(|block| (block["hash"].clone(), block["state_root"].clone())))
    };
    let states = nodes.iter().map(at).collect::<CliResult<Vec<_>>>()?;
    Ok(states.iter().all(|state| state.is_some() && *state == states[0]))
}

fn count_block(block: &Value, schedule: &Schedule, seen: Instant, measured: &mut Measured) -> usize {
    let places = |list: &Value| -> Vec<usize> {
        let ids = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        ids.filter_map(|id| schedule.places.get(id).copied()).collect()
    };
    let (succeeded, failed) = (places(&block["succeeded"]), places(&block["failed"]));
    for place in &succeeded {
        let waited = seen.saturating_duration_since(schedule.due(*place));
        measured.latencies.saturating_record(waited.as_micros() as u64);
    }
    measured.done += succeeded.len() as u64;
    measured.failed += failed.len() as u64;
    succeeded.len() + failed.len()
}

fn height(client: &Client) -> CliResult<u64> {
    Ok(client.get("/v1/status")?["height"].as_u64().unwrap_or_default())
}
