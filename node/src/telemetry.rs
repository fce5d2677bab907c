//! Log lines and counters. Must never write a secret, and never an amount or a name of a business document.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use rustix::time::{ClockId, clock_gettime};
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// The recorder of this process; the `metrics` crate knows only one.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Bounds of the histograms of times, seconds.
const SECONDS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Bounds of the histogram of rounds.
const ROUNDS: [f64; 6] = [0.0, 1.0, 2.0, 3.0, 5.0, 10.0];

/// Why there are no log lines.
#[derive(Debug, thiserror::Error)]
#[error("`log.level` is no filter: {0}; write it as `info` or `info,portolan_node::network=debug`")]
pub struct FilterError(String);

/// Starts writing log lines to standard error.
///
/// # Errors
/// The filter is none.
pub fn start_log(config: &Log) -> Result<(), FilterError> {
    let filter = EnvFilter::try_new(&config.level).map_err(|error| FilterError(error.to_string()))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process keeps the first.
    let _ = match config.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Starts counting.
pub fn start_metrics() {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
            .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_round".into()), &ROUNDS));
        match builder.and_then(PrometheusBuilder::install_recorder) {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::warn!(%error, "counters are not available");
                None
            }
        }
    });
}

/// The counters, as Prometheus reads them; empty before [`start_metrics`].
pub fn metrics_text() -> String {
    let recorder = RECORDER.get().and_then(Option::as_ref);
    recorder
        .map(|recorder| {
            for (thread, spent) in threads() {
                metrics::gauge!("portolan_thread_cpu_seconds", "thread" => thread.clone()).set(spent.cpu.as_secs_f64());
                metrics::gauge!("portolan_thread_wait_seconds", "thread" => thread).set(spent.wait.as_secs_f64());
            }
            recorder.run_upkeep();
            recorder.render()
        })
        .unwrap_or_default()
}

/// What the threads of one name have had so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Spent {
    /// On a core.
    cpu: Duration,
    /// Ready to run, with no core free.
    wait: Duration,
}

/// Time of this process by name of thread, as Linux counts it; nothing elsewhere. Names of pools lose their numbers, and what a
/// thread of a pool had goes with it when it ends.
fn threads() -> BTreeMap<String, Spent> {
    let mut spent: BTreeMap<String, Spent> = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let read = |name| std::fs::read_to_string(task.path().join(name)).ok();
        // A thread that has just ended has neither.
        let (Some(name), Some(times)) = (read("comm"), read("schedstat")) else { continue };
        let mut nanos = times.split_whitespace().map(|word| Duration::from_nanos(word.parse().unwrap_or(0)));
        let name = name.trim().trim_end_matches(|last: char| last.is_ascii_digit() || "-_: ".contains(last));
        let entry = spent.entry(name.to_owned()).or_default();
        entry.cpu += nanos.next().unwrap_or_default();
        entry.wait += nanos.next().unwrap_or_default();
    }
    spent
}

/// What the node's own threads do, so that the profile says where the time of a transaction goes. Threads that do one thing only
/// (the network's, the API's, the database's) are counted by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading transactions that come in.
    Decode,
    /// Whether the chain would take them now.
    Admit,
    /// Their signatures.
    Verify,
    /// Taking transactions in and passing them on.
    Mempool,
    /// Proposals, votes and timers.
    Consensus,
    /// Running the agenda and the transactions of blocks, decoding them included.
    Execute,
    /// Receipts and the header of a block.
    Seal,
    /// The state's tree.
    Tree,
    /// Putting a block's records together, and what follows from it.
    Commit,
    /// The synced write.
    Store,
    /// The consensus log with its syncs.
    Log,
}

impl Stage {
    /// Its name in the metrics.
    fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Admit => "admit",
            Self::Verify => "verify",
            Self::Mempool => "mempool",
            Self::Consensus => "consensus",
            Self::Execute => "execute",
            Self::Seal => "seal",
            Self::Tree => "tree",
            Self::Commit => "commit",
            Self::Store => "store",
            Self::Log => "log",
        }
    }
}

thread_local! {
    /// What stages within the running one have had.
    static INNER: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Does the work, and counts this thread's time on a core for the stage, without what stages within it had. Costs two questions to
/// the system of some 0.3 µs each: for a batch, a part or a message, never for one transaction of many.
pub fn stage<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let began = thread_time();
    let outside = INNER.take();
    let result = work();
    let spent = thread_time().saturating_sub(began);
    let own = spent.saturating_sub(INNER.replace(outside + spent));
    metrics::counter!("portolan_stage_cpu_nanoseconds", "stage" => stage.name()).increment(own.as_nanos() as u64);
    result
}

/// This thread's time on a core so far.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_thread_works_is_counted_under_its_name() {
        let counted = || threads().get("worker").is_some_and(|spent| spent.cpu >= Duration::from_millis(2));
        // Looking is work, too; a look takes far longer than a microsecond.
        let work = move || (0..10_000).any(|_| counted());
        let worker = std::thread::Builder::new().name("worker-7".into()).spawn(work).unwrap();
        assert!(worker.join().unwrap(), "its time is counted under its name without the number");
    }

    /// What the stage was counted so far, in this process's metrics.
    fn counted(stage: Stage) -> u64 {
        let front = format!("portolan_stage_cpu_nanoseconds{{stage=\"{}\"}} ", stage.name());
        metrics_text().lines().find_map(|line| line.strip_prefix(&front)?.parse().ok()).unwrap_or_default()
    }

    fn work_for(span: Duration) {
        let began = thread_time();
        while thread_time() - began < span {}
    }

    #[test]
    fn a_stage_is_counted_by_time_on_a_core_and_without_the_stages_within() {
        start_metrics();
        let (tree, seal) = (counted(Stage::Tree), counted(Stage::Seal));
        stage(Stage::Seal, || {
            work_for(Duration::from_millis(2));
            stage(Stage::Tree, || work_for(Duration::from_millis(20)));
            stage(Stage::Tree, || work_for(Duration::from_millis(20)));
        });
        let (tree, seal) = (counted(Stage::Tree) - tree, counted(Stage::Seal) - seal);
        assert!(tree >= 40_000_000, "{tree}");
        assert!((2_000_000..20_000_000).contains(&seal), "{seal}");
    }
}
