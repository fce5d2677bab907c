//! Settlement day: many certificates fall due at one opening, and are paid in bounded blocks while new transactions run.

#![allow(clippy::disallowed_methods)] // A benchmark reads the clock; nothing else depends on what it reads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use portolan_primitives::BusinessDate;
use serde_json::{Value, json};

use super::load::{self, Item, Measured, join};
use super::machine::Usage;
use super::workload::Workload;
use super::world::{Backing, World};
use super::{P99_BOUND_MS, millis, new_histogram};
use crate::client::Client;
use crate::devnet::clock as business;
use crate::devnet::layout::Layout;
use crate::error::{CliError, CliResult};

/// Minor units of a certificate.
const FACE: i128 = 1_000;
/// Days from the issue to the due date; the steered clock passes them in a moment.
const TENOR_DAYS: i32 = 7;
/// Splits a second beside which the day is settled, where no rate is given.
const BESIDE: u32 = 50;
/// Seconds of splits that are sent and followed as one load.
const LOAD_SECONDS: usize = 5;
/// Seconds of splits that are signed for the day itself; they live not much longer.
const MOST_SECONDS: usize = 240;
/// Certificates that surely settle in a second, to know how many splits to sign.
const SLOWEST: usize = 400;
/// Headers of one page.
const PAGE: u64 = 256;

/// What new transactions met.
struct Beside {
    offered: u64,
    done: u64,
    failed: u64,
    latencies: Histogram<u64>,
}

impl Beside {
    fn new() -> CliResult<Self> {
        Ok(Self { offered: 0, done: 0, failed: 0, latencies: new_histogram()? })
    }

    fn add(&mut self, measured: &Measured) {
        self.offered += measured.offered;
        self.done += measured.done;
        self.failed += measured.failed;
        // Both have the same bounds.
        let _ = self.latencies.add(&measured.latencies);
    }

    fn figures(&self) -> Value {
        json!({
            "offered": self.offered, "done": self.done, "failed": self.failed,
            "p50_ms": millis(&self.latencies, 0.5), "p99_ms": millis(&self.latencies, 0.99),
            "max_ms": self.latencies.max() as f64 / 1000.0,
        })
    }
}

/// Settles `count` certificates on one day of a devnet whose clock is steered.
pub fn measure(world: &mut World, layout: &Layout, count: usize, rate: Option<u32>) -> CliResult<Value> {
    let rate = rate.unwrap_or(BESIDE);
    eprintln!("Issuing {count} certificates that are due on one day …");
    let began = Instant::now();
    let maturity = world.today().plus_days(TENOR_DAYS);
    let certificates = world.certificates(count, FACE, maturity, Backing::OneInvoice)?;
    let last = certificates.last().ok_or_else(|| CliError::Usage("--certificates is at least 1".into()))?;
    let due = world.due_of(*last)?;
    world.fund_debtor(FACE * count as i128)?;
    // All is signed before the date moves: certificates of before could not be issued after.
    let load = rate as usize * LOAD_SECONDS;
    let loads = 2 + (count / SLOWEST).min(MOST_SECONDS) / LOAD_SECONDS;
    let items = Workload::Split.prepare(world, load * loads)?;
    let mut loads = items.chunks(load).map(<[Item]>::to_vec);
    let prepared = began.elapsed();
    let nodes = world.nodes();
    let client = Client::new(vec![nodes[0].clone()]);
    let interval = Duration::from_secs(1) / rate.max(1);

    eprintln!("{rate} splits a second before the day …");
    let mut before = Beside::new()?;
    before.add(&load::send(&nodes, loads.next().unwrap_or_default(), interval)?);
    let from = load::height(&client)?;
    let usage = Usage::of(layout)?;
    eprintln!("The day comes …");
    let mut during = Beside::new()?;
    let settled = AtomicBool::new(false);
    let took = std::thread::scope(|scope| {
        let day = scope.spawn(|| {
            let took = settle(layout, &client, due);
            settled.store(true, Ordering::Release);
            took
        });
        for items in loads {
            if settled.load(Ordering::Acquire) {
                break;
            }
            during.add(&load::send(&nodes, items, interval)?);
        }
        join(day)
    })?;
    let used = Usage::of(layout)?.since(&usage);
    let to = load::height(&client)?;
    let blocks = blocks(&client, from, to)?;
    let unpaid = world.debtor_has()?;
    let all = count as f64;
    let heights = used.heights();
    Ok(json!({
        "rate": rate,
        "certificates": count,
        "prepared_seconds": prepared.as_secs_f64(),
        "settle_seconds": took.as_secs_f64(),
        "throughput": all / took.as_secs_f64(),
        "unpaid_minor": unpaid.to_string(),
        "blocks": blocks,
        "before": before.figures(),
        "during": during.figures(),
        "p50_ms": millis(&during.latencies, 0.5),
        "p99_ms": millis(&during.latencies, 0.99),
        "max_ms": during.latencies.max() as f64 / 1000.0,
        "p99_bound_ms": P99_BOUND_MS,
        "cpu_s_per_1000": used.sum(|node| node.cpu_seconds) * 1000.0 / all,
        "disk_bytes_per_1000": used.sum(|node| node.disk_bytes as f64) * 1000.0 / all,
        "memory_mib_per_node": used.memory_mib(),
        "profile": {
            "us_per_transaction": used.profile().micros_per(all * used.nodes.len() as f64),
            "us_per_height": used.profile().micros_per(heights * used.nodes.len() as f64),
        },
        "offered": during.offered,
        "committed": during.done + during.failed,
        "dropped": during.offered - during.done - during.failed,
        "state_roots_equal": load::same_state(&nodes, to)?,
    }))
}

/// From the transaction that lets the days run to the end of the due day's agenda.
fn settle(layout: &Layout, client: &Client, due: BusinessDate) -> CliResult<Duration> {
    let began = Instant::now();
    business::advance(layout, due)?;
    business::wait_for_date(client, due)?;
    Ok(began.elapsed())
}

/// How large the blocks of these heights were, and how far apart.
fn blocks(client: &Client, from: u64, to: u64) -> CliResult<Value> {
    let (mut most_gas, mut longest, mut heights) = (0, 0, 0);
    let mut before = to + 1;
    let mut later: Option<u64> = None;
    while before > from {
        let page = client.get(&format!("/v1/blocks?before={before}&limit={PAGE}"))?;
        let headers = page["blocks"].as_array().map_or(&[][..], Vec::as_slice);
        for block in headers.iter().filter(|block| block["height"].as_u64().is_some_and(|height| height > from)) {
            let number = |name: &str| block["header"][name].as_u64().unwrap_or_default();
            let time = number("time");
            most_gas = most_gas.max(number("gas_used"));
            longest = longest.max(later.map_or(0, |later| later.saturating_sub(time)));
            (later, heights) = (Some(time), heights + 1);
        }
        before = before.saturating_sub(PAGE);
    }
    Ok(json!({ "count": heights, "most_gas": most_gas, "longest_interval_ms": longest }))
}
