//! Why the node stopped, written where a person and a program find it: the log, and `halt.json` in the home.

use std::io::Write;
use std::path::Path;

use portolan_replica::HaltReason;
use serde::Serialize;

use crate::store::DiskError;

/// Name of the file in the home.
pub const FILE: &str = "halt.json";

/// A named reason to stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Halt {
    /// The replica will not go on.
    #[error("{0}")]
    Replica(HaltReason),
    /// The consensus log can't be written.
    #[error("{0}")]
    Log(String),
    /// The store or the state failed.
    #[error("{0}")]
    Store(String),
    /// A block can't be executed on this host.
    #[error("block {height} can't be executed on this machine: {reason}; look at memory and disk, then start again")]
    Execution {
        /// The block's height.
        height: u64,
        /// Why.
        reason: String,
    },
    /// The disk is nearly full. Nothing is broken.
    #[error("{0}")]
    Disk(String),
    /// The node's files have grown to their budget. Nothing is broken.
    #[error("{0}")]
    Budget(String),
    /// A thread of the node ended by a fault.
    #[error("the thread `{0}` of the node failed; keep the log and report this")]
    Thread(&'static str),
}

impl Halt {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Replica(reason) => match reason {
                HaltReason::HostFailed { .. } => "host_failed",
                HaltReason::BadLog { .. } => "bad_log",
                HaltReason::OwnContradiction { .. } => "own_contradiction",
                HaltReason::DecidedBlockDiffers { .. } => "decided_block_differs",
                HaltReason::Fork { .. } => "fork",
                HaltReason::Core { .. } => "consensus_core",
            },
            Self::Log(_) => "log_failed",
            Self::Store(_) => "store_failed",
            Self::Execution { .. } => "execution_failed",
            Self::Disk(_) => "disk_reserve",
            Self::Budget(_) => "disk_budget",
            Self::Thread(_) => "thread_failed",
        }
    }

    /// What the process ends with: 3 after a clean stop for lack of room, 4 after anything that a person must look at.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Disk(_) | Self::Budget(_) => 3,
            _ => 4,
        }
    }

    /// Writes the reason to the log and to the home.
    pub fn report(&self, home: &Path, height: u64) {
        tracing::error!(code = self.code(), height, reason = %self, "the node halts");
        let record = Record { code: self.code(), reason: self.to_string(), height, time_ms: super::wall_clock().0 };
        if let Err(error) = write_json(home, FILE, &record) {
            tracing::error!(%error, "the reason could not be written to the home");
        }
    }
}

impl From<DiskError> for Halt {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::OverBudget { .. } => Self::Budget(error.to_string()),
            DiskError::Full { .. } | DiskError::Unknown { .. } => Self::Disk(error.to_string()),
        }
    }
}

#[derive(Serialize)]
struct Record {
    code: &'static str,
    reason: String,
    height: u64,
    time_ms: u64,
}

/// Writes a JSON file so that a reader sees it whole or not at all.
pub fn write_json(home: &Path, name: &str, value: &impl Serialize) -> std::io::Result<()> {
    let temporary = home.join(format!(".{name}.new"));
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(&serde_json::to_vec(value)?)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&temporary, home.join(name))
}
