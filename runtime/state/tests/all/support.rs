//! What the tests share: the naive tree, written from the rules and not from the code, and a chain of random blocks.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_primitives::hash::{Domain, Hash, hash, hash_parts, keyed_hash};
use portolan_primitives::id::ContractId;
use portolan_primitives::time::Height;
use portolan_state::{Batch, ChangeSet, Column, MemoryStore, Options, SaltKey, State, StateError, StateKey, keys};

pub const SECRET: &[u8] = b"a chain secret";
/// Where the tests keep "the block": it must come and go with the state.
pub const BLOCKS: Column = Column(Column::FIRST_OF_NODE);

pub type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

/// The root of `pairs`, by the rules alone.
pub fn naive_root(secret: &[u8], pairs: &Pairs) -> Hash {
    let salt_key = hash(Domain::SecretStateSalt, secret);
    let leaf = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        let salt = keyed_hash(&salt_key.0, &[&(key.len() as u32).to_le_bytes(), key, value]);
        let path = hash(Domain::StateKey, key);
        (path, hash_parts(Domain::StateLeaf, &[&path.0, &hash_parts(Domain::StateValue, &[&salt.0, value]).0]))
    };
    naive_node(&pairs.iter().map(leaf).collect::<Vec<_>>(), 0)
}

fn naive_node(leaves: &[(Hash, Hash)], depth: usize) -> Hash {
    match leaves {
        [] => Hash([0; 32]),
        [(_, leaf)] => *leaf,
        _ => {
            let goes_right = |path: &Hash| path.0[depth / 8] & (0x80 >> (depth % 8)) != 0;
            let (right, left): (Vec<_>, Vec<_>) = leaves.iter().partition(|(path, _)| goes_right(path));
            hash_parts(Domain::StateInner, &[&naive_node(&left, depth + 1).0, &naive_node(&right, depth + 1).0])
        }
    }
}

pub fn options() -> Options {
    Options { page_lag: 0, history: 4, ..Options::new(SaltKey::derive(SECRET)) }
}

pub fn key(name: &[u8]) -> StateKey {
    keys::contract_storage(&ContractId([3; 16]), name)
}

pub fn numbered(number: u64) -> StateKey {
    key(&number.to_be_bytes())
}

/// Numbers that look random and are the same in each run.
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What a block does to one key.
pub type Write = (StateKey, Option<Vec<u8>>);

/// A state, and beside it what it should hold after each height.
pub struct Chain {
    pub state: State<MemoryStore>,
    pub expected: Vec<Pairs>,
}

impl Chain {
    pub fn new(options: Options) -> Self {
        let state = State::open(Arc::new(MemoryStore::new()), options, None).unwrap();
        Self { state, expected: Vec::new() }
    }

    pub fn store(&self) -> Arc<MemoryStore> {
        self.state.store().clone()
    }

    pub fn tip(&self) -> Pairs {
        self.expected.last().cloned().unwrap_or_default()
    }

    /// Height and root of the last block, as its header would have them.
    pub fn last(&self) -> Option<(Height, Hash)> {
        let height = self.expected.len().checked_sub(1)?;
        Some((Height(height as u64), naive_root(SECRET, &self.expected[height])))
    }

    /// Commits a block with these writes and checks the root.
    pub fn block(&mut self, writes: &[Write]) {
        let mut set = ChangeSet::new(self.state.view());
        let mut pairs = self.tip();
        for (key, value) in writes {
            match value {
                Some(value) => {
                    set.put(key, value.clone()).unwrap();
                    pairs.insert(key.as_bytes().to_vec(), value.clone());
                }
                None => {
                    set.delete(key).unwrap();
                    pairs.remove(key.as_bytes());
                }
            }
        }
        let update = self.state.update(set.finish().unwrap()).unwrap();
        assert_eq!(update.root(), naive_root(SECRET, &pairs));
        let height = self.expected.len() as u64;
        let mut batch = Batch::new();
        batch.put(BLOCKS, *b"last", height.to_be_bytes());
        self.state.commit(Height(height), update, batch).unwrap();
        assert_eq!((self.state.height(), self.state.root()), (Height(height), naive_root(SECRET, &pairs)));
        self.expected.push(pairs);
    }

    /// `count` random writes to `keys` different keys; every third deletes.
    pub fn random_block(&mut self, draw: &mut Draw, count: u64, keys: u64) {
        let mut write = || {
            let key = numbered(draw.below(keys));
            let value = vec![draw.below(256) as u8; draw.below(80) as usize];
            (key, (draw.below(3) > 0).then_some(value))
        };
        let writes: Vec<Write> = (0..count).map(|_| write()).collect();
        self.block(&writes);
    }

    /// Opens the store anew, as after a restart.
    pub fn reopen(&mut self, options: Options) -> Result<(), StateError> {
        self.state = State::open(self.store(), options, self.last())?;
        Ok(())
    }
}
