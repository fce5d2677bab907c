//! The thread that appends to the consensus log and syncs it. Whatever waits when a sync ends goes with the next one.

use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use portolan_primitives::Height;

use super::ToReplica;
use super::halt::Halt;
use crate::log_file::{Folder, LogError, LogFile};
use crate::telemetry::{Stage, stage};

/// What the log's thread is asked.
#[derive(Debug)]
pub enum ToLog {
    /// Append a frame of a height under a sequence number, and sync.
    Append {
        /// The height that is being decided.
        height: Height,
        /// Ascending.
        sequence: u64,
        /// The replica's bytes.
        frame: Vec<u8>,
    },
    /// What only heights up to this one needed may go.
    Forget(Height),
}

/// Runs until nobody asks any more; a failure halts the node.
pub fn run<F: Folder>(mut log: LogFile<F>, jobs: &Receiver<ToLog>, replica: &Sender<ToReplica>) {
    while let Ok(first) = jobs.recv() {
        let batch = std::iter::once(first).chain(jobs.try_iter());
        match stage(Stage::Log, || write(&mut log, batch)) {
            Ok(None) => {}
            // The replica is gone only when the node stops.
            Ok(Some(sequence)) => drop(replica.send(ToReplica::Synced(sequence))),
            Err(error) => {
                let _ = replica.send(ToReplica::Halt(Halt::Log(error.to_string())));
                return;
            }
        }
    }
}

/// Appends all and syncs once; the last sequence number that is on disk.
///
/// # Errors
/// The disk refuses.
pub fn write<F: Folder>(log: &mut LogFile<F>, batch: impl Iterator<Item = ToLog>) -> Result<Option<u64>, LogError> {
    let mut last = None;
    for job in batch {
        match job {
            ToLog::Append { height, sequence, frame } => {
                log.append(height, &frame)?;
                last = Some(sequence);
            }
            ToLog::Forget(height) => {
                sync(log)?;
                log.forget(height)?;
            }
        }
    }
    sync(log)?;
    Ok(last)
}

fn sync<F: Folder>(log: &mut LogFile<F>) -> Result<(), LogError> {
    if log.is_dirty() {
        let started = Instant::now();
        log.flush()?;
        metrics::histogram!("portolan_log_sync_seconds").record(started.elapsed());
    }
    Ok(())
}
