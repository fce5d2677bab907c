//! What the machine is, and what the nodes' processes used of it, from `/proc`.

use std::path::Path;

use serde_json::{Value, json};

use crate::devnet::layout::Layout;
use crate::error::CliResult;

/// What the node processes had used at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// CPU time of all nodes, seconds.
    pub cpu_seconds: f64,
    /// Bytes in all nodes' folders.
    pub disk_bytes: i64,
    /// Largest resident memory of a node, MiB.
    pub memory_mib: u64,
}

impl Usage {
    /// Of the devnet's running nodes.
    pub fn of(layout: &Layout) -> CliResult<Self> {
        let mut usage = Self::default();
        for node in layout.nodes()? {
            usage.disk_bytes += folder_bytes(&node.home);
            if let Some(pid) = node.pid {
                usage.cpu_seconds += cpu_seconds(pid);
                usage.memory_mib = usage.memory_mib.max(resident_mib(pid));
            }
        }
        Ok(usage)
    }

    /// What was used since `before`; the memory is today's.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            disk_bytes: self.disk_bytes - before.disk_bytes,
            memory_mib: self.memory_mib,
        }
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
