//! Log lines and counters. Must never write a secret, and never an amount or a name of a business document.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
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
            recorder.run_upkeep();
            recorder.render()
        })
        .unwrap_or_default()
}
