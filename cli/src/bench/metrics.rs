//! The nodes' own counters, read from `/metrics`, and what they grew by.

use std::collections::BTreeMap;

use crate::client::Client;
use crate::error::CliResult;

/// Counters by their name with labels, as `portolan_store_syncs` or `portolan_stage_cpu_nanoseconds{stage="tree"}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters(BTreeMap<String, f64>);

impl Counters {
    /// Of a node.
    pub fn of(node: &str) -> CliResult<Self> {
        let text = Client::new(vec![node.to_owned()]).get_binary("/metrics")?;
        Ok(Self::parse(&String::from_utf8_lossy(&text)))
    }

    /// From the text form of Prometheus.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            (!line.starts_with('#')).then_some((name.to_owned(), value.parse().ok()?))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// What was counted since `before`.
    pub fn since(&self, before: &Self) -> Self {
        let grown = |(name, value): (&String, &f64)| (name.clone(), value - before.0.get(name).unwrap_or(&0.0));
        Self(self.0.iter().map(grown).collect())
    }

    /// One without labels; 0 if it was never counted.
    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// Those of a name by the value of their one label.
    pub fn by_label(&self, name: &str) -> BTreeMap<String, f64> {
        let one = |(key, value): (&String, &f64)| {
            let label = key.strip_prefix(name)?.strip_prefix('{')?.strip_suffix("\"}")?;
            Some((label.split_once("=\"")?.1.to_owned(), *value))
        };
        self.0.iter().filter_map(one).collect()
    }

    /// The sum over all labels of a name.
    pub fn sum(&self, name: &str) -> f64 {
        self.by_label(name).values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str =
        "# TYPE portolan_blocks counter\nportolan_blocks 7\n\nportolan_network_sent_bytes{class=\"sync\"} 10\n";
    const LATER: &str = "portolan_blocks 9\nportolan_network_sent_bytes{class=\"sync\"} 15\nportolan_network_sent_bytes{class=\"consensus\"} 2.5\nnot a line\n";

    #[test]
    fn counters_are_read_with_their_labels_and_compared() {
        let grown = Counters::parse(LATER).since(&Counters::parse(EARLIER));
        assert_eq!(grown.get("portolan_blocks"), 2.0);
        assert_eq!(grown.get("portolan_unknown"), 0.0);
        let sent = grown.by_label("portolan_network_sent_bytes");
        assert_eq!(sent, BTreeMap::from([("consensus".into(), 2.5), ("sync".into(), 5.0)]));
        assert_eq!(grown.sum("portolan_network_sent_bytes"), 7.5);
    }
}
