//! What the machine is, and what the nodes' processes used of it, from `/proc`.

use std::path::Path;

use serde_json::{Value, json};

use super::metrics::Counters;
use super::profile::Profile;
use crate::devnet::layout::{Layout, NodeEntry};
use crate::error::CliResult;

/// What the nodes had used at a moment, in the order of the devnet's list.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    /// One a node.
    pub nodes: Vec<NodeUsage>,
}

/// What one node had used.
#[derive(Clone, Debug, Default)]
pub struct NodeUsage {
    /// Its member's name.
    pub name: String,
    /// CPU time of its process, seconds.
    pub cpu_seconds: f64,
    /// Bytes in its folder.
    pub disk_bytes: i64,
    /// The most memory that was resident, MiB.
    pub memory_mib: u64,
    /// Its own counters.
    pub counted: Counters,
}

impl Usage {
    /// Of the devnet's running nodes.
    pub fn of(layout: &Layout) -> CliResult<Self> {
        let nodes = layout.nodes()?.into_iter().filter_map(|node| node.pid.map(|pid| (node, pid)));
        let usage = |(node, pid): (NodeEntry, u32)| {
            Ok(NodeUsage {
                cpu_seconds: cpu_seconds(pid),
                disk_bytes: folder_bytes(&node.home),
                memory_mib: resident_mib(pid),
                counted: Counters::of(&node.api)?,
                name: node.name,
            })
        };
        Ok(Self { nodes: nodes.map(usage).collect::<CliResult<_>>()? })
    }

    /// What was used since `before`; the memory is today's.
    pub fn since(&self, before: &Self) -> Self {
        let pairs = self.nodes.iter().zip(&before.nodes);
        let since = |(now, before): (&NodeUsage, &NodeUsage)| NodeUsage {
            name: now.name.clone(),
            cpu_seconds: now.cpu_seconds - before.cpu_seconds,
            disk_bytes: now.disk_bytes - before.disk_bytes,
            memory_mib: now.memory_mib,
            counted: now.counted.since(&before.counted),
        };
        Self { nodes: pairs.map(since).collect() }
    }

    /// A figure summed over the nodes.
    pub fn sum(&self, figure: impl Fn(&NodeUsage) -> f64) -> f64 {
        self.nodes.iter().map(figure).sum()
    }

    /// The most memory of a node, MiB.
    pub fn memory_mib(&self) -> u64 {
        self.nodes.iter().map(|node| node.memory_mib).max().unwrap_or(0)
    }

    /// Heights that were decided: as many on each node, but for one that is being decided.
    pub fn heights(&self) -> f64 {
        self.nodes.iter().map(|node| node.counted.get("portolan_blocks")).fold(0.0, f64::max)
    }

    /// Where the nodes' time on a core went.
    pub fn profile(&self) -> Profile {
        Profile::sum(self.nodes.iter().map(|node| Profile::new(&node.counted, node.cpu_seconds)))
    }
}

impl NodeUsage {
    /// Bytes of messages handed to peers; each to three of them is three times its length.
    pub fn sent_bytes(&self) -> f64 {
        self.counted.sum("portolan_network_sent_bytes")
    }

    /// Bytes of messages that came from peers.
    pub fn received_bytes(&self) -> f64 {
        self.counted.sum("portolan_network_received_bytes")
    }

    /// Times that it waited for the disk: the store's log, and the consensus log.
    pub fn syncs(&self) -> f64 {
        self.counted.get("portolan_store_syncs") + self.counted.get("portolan_log_sync_seconds_count")
    }
}

/// User and system time of a process; the kernel counts hundredths of a second.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold blanks.
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks =
        |place: usize| after_name.split(' ').nth(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn folder_bytes(folder: &Path) -> i64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => folder_bytes(&entry.path()),
            Ok(data) => data.len() as i64,
            Err(_) => 0,
        })
        .sum()
}

/// The machine, for whoever reads the figures.
pub fn facts() -> Value {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':').map(|(_, name)| name.trim()));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total =
        memory.lines().find_map(|line| line.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok());
    json!({
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "cpu": model.unwrap_or("unknown"),
        "memory_mib": total.unwrap_or(0) / 1024,
        "os": std::env::consts::OS,
        "version": env!("CARGO_PKG_VERSION"),
    })
}
