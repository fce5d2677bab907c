//! Reads from one node: as many as some clients get, each asking again when it is answered, alone and beside load.

#![allow(clippy::disallowed_methods)] // A benchmark reads the clock; nothing else depends on what it reads.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::load::{self, Reads, join};
use super::workload::{READ_PARTS, Workload, by_id, lineage, with_proof};
use super::world::World;
use super::{P99_BOUND_MS, millis};
use crate::client::Client;
use crate::error::CliResult;

/// Clients that ask at once, each on a connection of its own.
const CLIENTS: usize = 8;
/// Splits a second beside which is read, where no rate is given.
const BESIDE: u32 = 200;

/// Reads of each kind from the first node, alone and beside splits at a rate.
pub fn measure(world: &mut World, rate: Option<u32>, seconds: u32) -> CliResult<Value> {
    let rate = rate.unwrap_or(BESIDE);
    let parts = world.parts(READ_PARTS)?;
    let kinds: [(&str, Vec<String>); 3] = [
        ("by_id", parts.iter().map(by_id).collect()),
        ("lineage", parts.iter().map(lineage).collect()),
        ("with_proof", parts.iter().map(with_proof).collect()),
    ];
    let (nodes, span) = (world.nodes(), Duration::from_secs(seconds.into()));
    let (mut alone, mut beside) = (Map::new(), Map::new());
    let (mut offered, mut dropped, mut committed, mut equal) = (0, 0, 0, true);
    for (name, paths) in &kinds {
        eprintln!("Reading {name}, alone and beside {rate} splits a second …");
        alone.insert((*name).into(), figures(&read(&nodes[0], paths, span)?, span));
        let items = Workload::Split.prepare(world, rate as usize * seconds as usize)?;
        let (read, sent) = std::thread::scope(|scope| {
            let load = scope.spawn(|| load::send(&nodes, items, Duration::from_secs(1) / rate.max(1)));
            let read = read(&nodes[0], paths, span);
            (read, join(load))
        });
        let (read, sent) = (read?, sent?);
        let mut shown = figures(&read, span);
        shown["transactions"] = json!({
            "throughput": sent.done as f64 / sent.seconds,
            "p50_ms": millis(&sent.latencies, 0.5),
            "p99_ms": millis(&sent.latencies, 0.99),
        });
        beside.insert((*name).into(), shown);
        offered += sent.offered;
        committed += sent.done + sent.failed;
        dropped += sent.offered - sent.done - sent.failed;
        equal &= load::same_state(&nodes, sent.height)?;
    }
    Ok(json!({
        "rate": rate,
        "seconds": seconds,
        "clients": CLIENTS,
        "throughput": alone["by_id"]["per_second"],
        "p50_ms": alone["by_id"]["p50_ms"],
        "p99_ms": alone["by_id"]["p99_ms"],
        "p99_bound_ms": P99_BOUND_MS,
        "alone": alone,
        "beside": beside,
        "offered": offered,
        "committed": committed,
        "dropped": dropped,
        "state_roots_equal": equal,
    }))
}

fn figures(reads: &Reads, span: Duration) -> Value {
    json!({
        "per_second": reads.done as f64 / span.as_secs_f64(),
        "failed": reads.failed,
        "p50_ms": millis(&reads.latencies, 0.5),
        "p99_ms": millis(&reads.latencies, 0.99),
    })
}

/// Reads in turn over the paths until the time is over.
fn read(node: &str, paths: &[String], span: Duration) -> CliResult<Reads> {
    let end = Instant::now() + span;
    let client = |first: usize| {
        let client = Client::new(vec![node.to_owned()]);
        let mut reads = Reads::new()?;
        for path in paths.iter().cycle().skip(first) {
            let now = Instant::now();
            if now >= end {
                break;
            }
            reads.read(&client, path, now);
        }
        Ok(reads)
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|first| scope.spawn(move || client(first))).collect();
        let mut all = Reads::new()?;
        for reads in clients.into_iter().map(join) {
            all.add(&reads?);
        }
        Ok(all)
    })
}
