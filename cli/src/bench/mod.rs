//! `portolan bench`: open-loop load against a fresh devnet with real days.
//!
//! Transactions are signed beforehand and sent at a set rate whatever the network does; a transaction's latency runs from the
//! moment at which it should have been sent to the moment at which its block was seen. Must never send anywhere but to the
//! devnet that it made.

mod load;
mod machine;
mod world;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::devnet::layout::Layout;
use crate::devnet::make::{Plan, PlannedClock};
use crate::devnet::network;
use crate::error::CliResult;
use crate::output::Output;
use load::Measured;
use machine::Usage;
use world::World;

/// Longest latency that is told apart, microseconds: ten minutes.
const LONGEST_US: u64 = 600_000_000;

/// The bench's options.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Folder of the bench's own devnet, which is made anew and removed.
    #[arg(long, default_value = ".devnet-bench")]
    pub dir: PathBuf,
    /// Transactions a second.
    #[arg(long, default_value_t = 1_000)]
    pub rate: u32,
    /// Seconds of load a workload.
    #[arg(long, default_value_t = 20)]
    pub seconds: u32,
    /// A short run: 5 seconds a workload.
    #[arg(long)]
    pub quick: bool,
}

/// Runs all workloads and shows the figures.
pub fn run(args: &BenchArgs, output: &Output) -> CliResult<()> {
    let layout = Layout::new(&args.dir)?;
    network::reset(&layout)?;
    let figures = measure(args, &layout);
    let down = network::reset(&layout);
    let figures = figures?;
    down?;
    show(&figures, output)
}

fn measure(args: &BenchArgs, layout: &Layout) -> CliResult<Value> {
    eprintln!("Starting four validators …");
    network::up(layout, &Plan { clock: PlannedClock::Real, base_port: None })?;
    let seconds = if args.quick { 5 } else { args.seconds };
    let count = args.rate as usize * seconds as usize;
    let mut world = World::new(layout)?;
    let idle = world.idle_latency()?;
    let mut workloads = Map::new();
    eprintln!("Preparing {count} parts and signing {count} splits …");
    let splits = world.prepare_splits(count)?;
    workloads.insert("split".into(), measured(&world, layout, splits, args.rate)?);
    eprintln!("Preparing {count} parts and signing {count} transfers …");
    let transfers = world.prepare_transfers(count)?;
    workloads.insert("transfer".into(), measured(&world, layout, transfers, args.rate)?);
    Ok(json!({
        "machine": machine::facts(),
        "rate": args.rate,
        "seconds": seconds,
        "idle": idle,
        "workloads": workloads,
    }))
}

/// Sends a workload and sets what was used against what was done.
fn measured(world: &World, layout: &Layout, transactions: Vec<Vec<u8>>, rate: u32) -> CliResult<Value> {
    let before = Usage::of(layout)?;
    let Measured { done, failed, refused, seconds, latencies } =
        load::send(&world.nodes(), transactions, Duration::from_secs(1) / rate)?;
    let used = Usage::of(layout)?.since(&before);
    let per_thousand = |value: f64| if done == 0 { Value::Null } else { json!(value * 1000.0 / done as f64) };
    let quantile = |share: f64| latencies.value_at_quantile(share) as f64 / 1000.0;
    Ok(json!({
        "throughput": done as f64 / seconds,
        "p50_ms": quantile(0.5),
        "p99_ms": quantile(0.99),
        "max_ms": latencies.max() as f64 / 1000.0,
        "cpu_s_per_1000": per_thousand(used.cpu_seconds),
        "disk_bytes_per_1000": per_thousand(used.disk_bytes as f64),
        "done": done,
        "failed": failed,
        "refused": refused,
        "seconds": seconds,
        "memory_mib_per_node": used.memory_mib,
    }))
}

fn show(figures: &Value, output: &Output) -> CliResult<()> {
    let head = ["workload", "tx/s", "p50 ms", "p99 ms", "CPU s/1000", "disk bytes/1000", "done", "failed", "refused"];
    let fields =
        ["throughput", "p50_ms", "p99_ms", "cpu_s_per_1000", "disk_bytes_per_1000", "done", "failed", "refused"];
    let rows = figures["workloads"].as_object().into_iter().flatten().map(|(name, row)| {
        let cells = fields.iter().map(|field| row[*field].as_f64().map_or("–".into(), |value| format!("{value:.1}")));
        [name.clone()].into_iter().chain(cells).collect()
    });
    output.table(&head, rows.collect(), "Nothing was measured.", figures)
}
