//! The open loop: senders and readers that keep to the schedule, and a follower that sees blocks as they become final.

#![allow(clippy::disallowed_methods)] // A benchmark reads the clock; nothing else depends on what it reads.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use codec::{Decode, Encode};
use hdrhistogram::Histogram;
use portolan_primitives::Transaction;
use serde_json::Value;

use super::new_histogram;
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

/// What is sent, in the order in which it is due.
#[derive(Clone, Debug)]
pub enum Item {
    /// SCALE of a signed transaction.
    Transaction(Vec<u8>),
    /// A path to read.
    Read(String),
}

/// What came of a workload.
pub struct Measured {
    /// Transactions that were to be sent.
    pub offered: u64,
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
    /// What came of the reads.
    pub reads: Reads,
}

/// What came of reads.
pub struct Reads {
    /// Reads that were answered.
    pub done: u64,
    /// Reads that were not.
    pub failed: u64,
    /// Microseconds from the due moment to the answer.
    pub latencies: Histogram<u64>,
}

/// The moments at which things are due, and the transactions' places by id.
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

/// What is still to be sent of one kind, each with its place in the schedule.
struct Queue<T> {
    items: Vec<(usize, T)>,
    next: Mutex<usize>,
}

impl<T> Queue<T> {
    fn new(items: Vec<(usize, T)>) -> Self {
        Self { items, next: Mutex::new(0) }
    }

    /// Up to `most` that are due now; none at the end.
    fn take_due(&self, schedule: &Schedule, most: usize) -> Option<&[(usize, T)]> {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = *next;
        let now = Instant::now();
        let due = |item: &(usize, T)| schedule.due(item.0) <= now;
        while *next - first < most && self.items.get(*next).is_some_and(due) {
            *next += 1;
        }
        (first < self.items.len()).then(|| &self.items[first..*next])
    }
}

/// Sends one item each `interval`, in turn to all nodes, and follows the chain until all transactions are final.
pub fn send(nodes: &[String], items: Vec<Item>, interval: Duration) -> CliResult<Measured> {
    let follower = Client::new(vec![nodes[0].clone()]);
    let from = height(&follower)?;
    let (mut transactions, mut reads, mut places) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (place, item) in items.into_iter().enumerate() {
        match item {
            Item::Transaction(bytes) => {
                places.insert(id_of(&bytes)?, place);
                transactions.push((place, bytes));
            }
            Item::Read(path) => reads.push((place, path)),
        }
    }
    let schedule = Schedule { start: Instant::now() + Duration::from_millis(100), interval, places };
    let (transactions, reads) = (Queue::new(transactions), Queue::new(reads));
    let refused = AtomicU64::new(0);
    let sent_all = AtomicBool::new(false);
    let mut measured = std::thread::scope(|scope| {
        let (schedule, transactions, reads, refused) = (&schedule, &transactions, &reads, &refused);
        let senders: Vec<_> =
            nodes.iter().map(|node| scope.spawn(move || send_due(node, transactions, schedule, refused))).collect();
        let readers: Vec<_> = nodes.iter().map(|node| scope.spawn(move || read_due(node, reads, schedule))).collect();
        let counted = scope.spawn(|| follow(&follower, schedule, from, refused, &sent_all));
        let sent: Result<Vec<()>, _> = senders.into_iter().map(join).collect::<CliResult<Vec<_>>>();
        sent_all.store(true, Ordering::Release);
        let measured = join(counted);
        let read = readers.into_iter().map(join).collect::<CliResult<Vec<Reads>>>()?;
        sent?;
        let mut measured = measured?;
        for one in read {
            measured.reads.add(&one);
        }
        CliResult::Ok(measured)
    })?;
    measured.offered = transactions.items.len() as u64;
    Ok(measured)
}

pub(super) fn join<T>(handle: std::thread::ScopedJoinHandle<'_, CliResult<T>>) -> CliResult<T> {
    handle.join().map_err(|_| CliError::refused("bench", "a thread of the bench ended early"))?
}

fn id_of(bytes: &[u8]) -> CliResult<String> {
    let transaction =
        Transaction::decode(&mut &*bytes).map_err(|error| CliError::refused("bench", error.to_string()))?;
    Ok(transaction.body.id().to_string())
}

impl Reads {
    /// None yet.
    pub fn new() -> CliResult<Self> {
        Ok(Self { done: 0, failed: 0, latencies: new_histogram()? })
    }

    /// Adds others to these.
    pub fn add(&mut self, others: &Self) {
        self.done += others.done;
        self.failed += others.failed;
        // Both have the same bounds.
        let _ = self.latencies.add(&others.latencies);
    }

    /// Reads one path that was due at a moment.
    pub fn read(&mut self, client: &Client, path: &str, due: Instant) {
        match client.get_binary(path) {
            Ok(_) => {
                self.done += 1;
                self.latencies.saturating_record(due.elapsed().as_micros() as u64);
            }
            Err(error) => {
                if self.failed == 0 {
                    eprintln!("A read failed: {error}");
                }
                self.failed += 1;
            }
        }
    }
}

/// One sender: takes what is due from the common queue and sends it, until the queue is empty.
fn send_due(node: &str, transactions: &Queue<Vec<u8>>, schedule: &Schedule, refused: &AtomicU64) -> CliResult<()> {
    let client = Client::new(vec![node.to_owned()]);
    while let Some(taken) = transactions.take_due(schedule, BATCH) {
        if taken.is_empty() {
            clock::pause(TICK);
            continue;
        }
        let batch: Vec<&Vec<u8>> = taken.iter().map(|(_, bytes)| bytes).collect();
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
    Ok(())
}

/// One reader: as the senders, one at a time.
fn read_due(node: &str, reads: &Queue<String>, schedule: &Schedule) -> CliResult<Reads> {
    let client = Client::new(vec![node.to_owned()]);
    let mut counted = Reads::new()?;
    while let Some(taken) = reads.take_due(schedule, 1) {
        match taken.first() {
            None => clock::pause(TICK),
            Some((place, path)) => counted.read(&client, path, schedule.due(*place)),
        }
    }
    Ok(counted)
}

/// Reads the outcomes of block after block, noting when each was first seen.
fn follow(
    client: &Client,
    schedule: &Schedule,
    from: u64,
    refused: &AtomicU64,
    sent_all: &AtomicBool,
) -> CliResult<Measured> {
    let mut measured = Measured {
        offered: 0,
        done: 0,
        failed: 0,
        refused: 0,
        height: from,
        seconds: 0.0,
        latencies: new_histogram()?,
        reads: Reads::new()?,
    };
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

/// The height of a node.
pub fn height(client: &Client) -> CliResult<u64> {
    Ok(client.get("/v1/status")?["height"].as_u64().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_taken_once_in_order_and_the_end_is_told() {
        let schedule = |interval| Schedule { start: Instant::now(), interval, places: BTreeMap::new() };
        let queue = Queue::new((0..5).map(|place| (place, place)).collect());
        let late = schedule(Duration::from_secs(3_600));
        let taken = queue.take_due(&late, 10).map(<[_]>::to_vec);
        assert_eq!(taken, Some(vec![(0, 0)]));
        assert_eq!(queue.take_due(&late, 10).map(<[_]>::len), Some(0), "the next is due in an hour");
        let all = schedule(Duration::ZERO);
        assert_eq!(queue.take_due(&all, 3).map(<[_]>::to_vec), Some(vec![(1, 1), (2, 2), (3, 3)]));
        assert_eq!(queue.take_due(&all, 3).map(<[_]>::to_vec), Some(vec![(4, 4)]));
        assert!(queue.take_due(&all, 3).is_none());
    }
}
