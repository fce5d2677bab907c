//! Where a node's time on a core goes, by part of its work, from its own counters.

use serde_json::{Map, Value, json};

use super::metrics::Counters;

/// What the node counts by stage, in the order in which a transaction meets them.
const STAGES: [&str; 11] =
    ["decode", "admit", "verify", "mempool", "consensus", "execute", "seal", "tree", "commit", "store", "log"];
/// Threads that do one thing, by the front of their names: what the part is called, and the names.
const THREADS: [(&str, &[&str]); 3] =
    [("network", &["network"]), ("api", &["api", "read"]), ("database", &["rocksdb"])];

/// Seconds on a core by part, of one node or summed over several; `other` is what no part accounts for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile(Vec<(&'static str, f64)>);

impl Profile {
    /// Of what a node counted, and of what the system counted for the whole process.
    pub fn new(counted: &Counters, cpu_seconds: f64) -> Self {
        let stages = counted.by_label("portolan_stage_cpu_nanoseconds");
        let threads = counted.by_label("portolan_thread_cpu_seconds");
        let stage = |name: &'static str| (name, stages.get(name).copied().unwrap_or(0.0) / 1e9);
        let thread = |(part, fronts): (&'static str, &[&str])| {
            let named = |name: &&String| fronts.iter().any(|front| name.starts_with(front));
            (part, threads.keys().filter(named).map(|name| threads[name].max(0.0)).sum())
        };
        let mut parts: Vec<(&'static str, f64)> =
            STAGES.into_iter().map(stage).chain(THREADS.into_iter().map(thread)).collect();
        let known: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
        parts.push(("other", (cpu_seconds - known).max(0.0)));
        Self(parts)
    }

    /// The sum of several nodes' profiles.
    pub fn sum(profiles: impl Iterator<Item = Self>) -> Self {
        profiles.fold(Self::default(), |mut sum, profile| {
            if sum.0.is_empty() {
                return profile;
            }
            for ((_, all), (_, one)) in sum.0.iter_mut().zip(&profile.0) {
                *all += one;
            }
            sum
        })
    }

    /// Microseconds by part for each of `count` things; null if there are none.
    pub fn micros_per(&self, count: f64) -> Value {
        if count <= 0.0 {
            return Value::Null;
        }
        let part = |(name, seconds): &(&str, f64)| ((*name).to_owned(), json!(seconds * 1e6 / count));
        Value::Object(self.0.iter().map(part).collect::<Map<_, _>>())
    }

    /// The parts, in order.
    pub fn parts() -> impl Iterator<Item = &'static str> {
        STAGES.into_iter().chain(THREADS.into_iter().map(|(part, _)| part)).chain(["other"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(text: &str) -> Counters {
        Counters::parse(text)
    }

    #[test]
    fn every_second_of_the_process_is_in_one_part() {
        let counted = counters(
            "portolan_stage_cpu_nanoseconds{stage=\"tree\"} 2000000000\n\
             portolan_thread_cpu_seconds{thread=\"executor\"} 2.5\n\
             portolan_thread_cpu_seconds{thread=\"network\"} 1\n\
             portolan_thread_cpu_seconds{thread=\"api\"} 3\n\
             portolan_thread_cpu_seconds{thread=\"rocksdb:low\"} 0.5\n",
        );
        let profile = Profile::new(&counted, 8.0);
        let micros = profile.micros_per(1_000_000.0);
        let expected =
            [("tree", 2.0), ("network", 1.0), ("api", 3.0), ("database", 0.5), ("other", 1.5), ("verify", 0.0)];
        for (part, seconds) in expected {
            assert_eq!(micros[part], json!(seconds), "{part}");
        }
        let all: f64 = Profile::parts().map(|part| micros[part].as_f64().unwrap()).sum();
        assert_eq!(all, 8.0);
        let twice = Profile::sum([profile.clone(), profile].into_iter());
        assert_eq!(twice.micros_per(1_000_000.0)["api"], json!(6.0));
        assert_eq!(twice.micros_per(0.0), Value::Null);
    }
}
