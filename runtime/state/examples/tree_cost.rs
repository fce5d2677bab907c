//! Measures what a changed key costs in the state tree: half updates, half inserts, on a tree that is wholly in memory.
//!
//! `cargo run --release -p portolan-state --example tree_cost [KEYS]` prints, for batches of 50 to 25,000 keys, the time
//! a key of working out the root (`update`), and of committing into a store in memory (`commit`, without any disk). It is
//! the processor's time of this thread where the system tells it (Linux), else the time that passed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use portolan_primitives::hash::{Domain, hash};
use portolan_primitives::id::ContractId;
use portolan_primitives::time::Height;
use portolan_state::{Batch, ChangeSet, MemoryStore, Options, SaltKey, State, StateError, keys};

const VALUE_BYTES: usize = 128;

/// A clock of the time that this thread has run.
fn now() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = schedule.split(' ').next().and_then(|number| number.parse().ok());
    nanoseconds.map(Duration::from_nanos).unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default())
}

struct Bench {
    state: State<MemoryStore>,
    next_height: u64,
    keys: u64,
    draw: u64,
}

impl Bench {
    fn new() -> Result<Self, StateError> {
        let mut options = Options::new(SaltKey::derive(b"a secret of the benchmark"));
        options.page_cache_bytes = 2 << 30;
        let state = State::open(Arc::new(MemoryStore::new()), options, None)?;
        Ok(Self { state, next_height: 0, keys: 0, draw: 1 })
    }

    /// A number that looks random and is the same in each run.
    fn draw(&mut self) -> u64 {
        self.draw = self.draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.draw >> 20
    }

    /// Changes `count` keys, of which every second is new if `updates`, else all; answers the times of root and commit.
    fn block(&mut self, count: u64, updates: bool) -> Result<(Duration, Duration), StateError> {
        let contract = ContractId([1; 16]);
        let mut set = ChangeSet::new(self.state.view());
        for number in 0..count {
            let is_update = updates && number % 2 == 0;
            let key = if is_update { self.draw() % self.keys } else { self.keys };
            self.keys += u64::from(!is_update);
            let id = hash(Domain::StateKey, &key.to_le_bytes());
            let mut value = vec![0; VALUE_BYTES];
            value[..8].copy_from_slice(&self.next_height.to_le_bytes());
            set.put(&keys::contract_storage(&contract, &id.0), value)?;
        }
        let changes = set.finish()?;
        let begun = now();
        let update = self.state.update(changes)?;
        let rooted = now();
        self.state.commit(Height(self.next_height), update, Batch::new())?;
        self.next_height += 1;
        Ok((rooted - begun, now() - rooted))
    }

    fn measure(&mut self, count: u64) -> Result<(), StateError> {
        let blocks = (100_000 / count).clamp(4, 400);
        let (mut root, mut commit) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..blocks {
            let (of_root, of_commit) = self.block(count, true)?;
            root += of_root;
            commit += of_commit;
        }
        let per_key = |time: Duration| time.as_secs_f64() * 1e6 / (blocks * count) as f64;
        let pages = self.state.memory().pages / (1024 * 1024);
        println!(
            "{count:>6} keys a block: update {:>5.2} µs/key, commit {:>5.2} µs/key, pages {pages} MiB",
            per_key(root),
            per_key(commit)
        );
        Ok(())
    }
}

fn main() -> Result<(), StateError> {
    let keys = std::env::args().nth(1).and_then(|keys| keys.parse().ok()).unwrap_or(1_000_000);
    let mut bench = Bench::new()?;
    while bench.keys < keys {
        bench.block(50_000.min(keys - bench.keys), false)?;
    }
    println!("{keys} keys, {:?}", bench.state.memory());
    [50, 500, 5_000, 25_000].into_iter().try_for_each(|count| bench.measure(count))
}
