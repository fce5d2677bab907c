//! Old blocks go, in whole steps that a power cut can't halve, and what is kept is whole; peers and readers are told what is not.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use codec::Encode;
use portolan_node::store::chain::{BlockRecord, Bounds, add_block};
use portolan_node::store::disk::Room;
use portolan_node::store::prune::{Keep, Pruner, step};
use portolan_node::store::{Chain, ChainError, Place, Store};
use portolan_primitives::limits::MAX_WINDOW_MS;
use portolan_primitives::{
    AccountId, Body, Call, CommitCertificate, ContractId, Hash, Header, Height, History, KeyId, MemberId, Round,
    Signature, Timestamp, Transaction, Validator, ValidatorSet, list_root,
};
use portolan_runtime::ChainHead;
use portolan_state::{Batch, KeyValue};

use crate::world::validator_key;

const CHAIN: Hash = Hash([7; 32]);
const CACHE: usize = 8 << 20;
/// Longer than the window of seen transactions, so that only blocks and days decide.
const STEP_MS: u64 = MAX_WINDOW_MS + 1;
/// Where the validators change.
const HANDOVER: u64 = 70;
const KEEP: Keep = Keep { blocks: 256, ms: 0 };

/// A chain of blocks with one transaction each, written as a node writes them.
struct Blocks {
    store: Arc<Store>,
    chain: Chain<Store>,
    history: History,
    next: u64,
    input: usize,
}

fn set(height: u64) -> ValidatorSet {
    let power = if height < HANDOVER { 1 } else { 2 };
    let member = MemberId::from_name("customs");
    ValidatorSet::new(vec![Validator { member, key: validator_key("customs").public(), power }])
}

/// Bytes that don't compress.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(|_| next()).collect()
}

fn transaction(height: u64, input: usize) -> Transaction {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&height.to_le_bytes());
    let body = Body {
        version: 1,
        chain: CHAIN,
        sender: AccountId([1; 16]),
        salt,
        expires_at: Timestamp(u64::MAX),
        gas_limit: 1_000,
        approvers: vec![KeyId([1; 32])],
        calls: vec![Call { contract: ContractId([1; 16]), input: noise(height, input) }],
    };
    Transaction { body, approvals: vec![Signature::Ed25519([0; 64])] }
}

impl Blocks {
    fn open(path: &Path, input: usize) -> Self {
        let store = Arc::new(Store::open(path, &CHAIN, CACHE).unwrap());
        let chain = Chain::new(store.clone());
        let head = chain.head().unwrap();
        let next = head.as_ref().map_or(0, |head| head.header.height.0 + 1);
        let history = head.map(|head| head.history).unwrap_or_default();
        Self { store, chain, history, next, input }
    }

    fn write(&mut self, count: u64) {
        for height in self.next..self.next + count {
            let transaction = transaction(height, self.input);
            let header = Header {
                version: 1,
                chain: CHAIN,
                height: Height(height),
                round: Round(0),
                time: Timestamp(height * STEP_MS),
                parent: Hash::ZERO,
                history_root: self.history.root(),
                proposer: MemberId([1; 16]),
                transactions_root: list_root(&[transaction.wire_hash()]),
                receipts_root: Hash::ZERO,
                state_root: Hash::ZERO,
                validators_hash: set(height).hash(),
                next_validators_hash: set(height + 1).hash(),
                gas_used: 0,
            };
            let head = ChainHead::after(self.history.clone(), header);
            let (height, round) = (head.header.height, Round(0));
            let certificate = CommitCertificate { chain: CHAIN, height, round, header: head.hash, signatures: vec![] };
            let mut batch = Batch::new();
            let record = BlockRecord {
                head: &head,
                transactions: &[(transaction.body.id(), transaction.encode().into())],
                certificate: (height > Height(0)).then_some(&certificate),
                receipts: &[],
                next_validators: &set(height.0 + 1),
            };
            add_block(&mut batch, &record);
            self.store.write(batch).unwrap();
            self.history = head.history;
        }
        self.next += count;
    }

    /// Everything from the lowest height on is whole, and nothing below it is there but what proofs need.
    fn check(&self) -> Height {
        let lowest = self.chain.lowest().unwrap();
        for height in (0..self.next).map(Height) {
            let pruned = || ChainError::Pruned { height, lowest }.to_string();
            let id = transaction(height.0, self.input).body.id();
            let handover = height == Height(0) || height == Height(HANDOVER - 1);
            assert!(self.chain.header_hash(height).unwrap().is_some(), "hashes stay for ever");
            if height < lowest {
                assert_eq!(self.chain.bodies(height).unwrap_err().to_string(), pruned());
                assert_eq!(self.chain.receipts(height).unwrap_err().to_string(), pruned());
                assert_eq!(self.chain.certified_from(height, 1, 1).unwrap_err().to_string(), pruned());
                assert_eq!(self.chain.place(&id).unwrap(), None, "{height}");
                if !handover {
                    assert_eq!(self.chain.header(height).unwrap_err().to_string(), pruned());
                    assert_eq!(self.chain.certificate(height).unwrap_err().to_string(), pruned());
                }
            } else {
                assert_eq!(self.chain.transactions(height).unwrap(), Some(vec![transaction(height.0, self.input)]));
                assert_eq!(self.chain.place(&id).unwrap(), Some(Place { height, index: 0 }));
                assert_eq!(self.chain.receipts(height).unwrap(), Some(vec![]));
                assert_eq!(self.chain.certified(height).unwrap().is_some(), height > Height(0), "genesis has none");
            }
            if handover || height >= lowest {
                let header = self.chain.header(height).unwrap().expect("a header");
                assert_eq!(Some(header.hash()), self.chain.header_hash(height).unwrap());
                let certificate = self.chain.certificate(height).unwrap().map(|certificate| certificate.header);
                assert_eq!(certificate, (height > Height(0)).then_some(header.hash()));
                assert_eq!(self.chain.validators(&header.next_validators_hash).unwrap(), Some(set(height.0 + 1)));
            }
        }
        let hashes = self.chain.header_hashes(Height(self.next)).unwrap();
        assert_eq!(list_root(&hashes), self.history.root(), "the history can be proved from genesis on");
        lowest
    }

    fn pruner(&self, keep: Keep) -> Pruner {
        Pruner { chain: self.chain.clone(), store: self.store.clone(), keep, disk: Arc::default() }
    }
}

/// What a power cut leaves of the folder: the database's log up to `cut` bytes from its end is gone.
fn copy(from: &Path, to: &Path, cut: u64) {
    std::fs::create_dir_all(to).unwrap();
    let files = std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path());
    for path in files.filter(|path| path.is_file() && path.file_name().unwrap() != "LOCK") {
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    let logs = std::fs::read_dir(to).unwrap().map(|entry| entry.unwrap().path());
    let log = logs.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().unwrap();
    let length = std::fs::metadata(&log).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(length.saturating_sub(cut)).unwrap();
}

#[test]
fn old_blocks_go_and_what_is_kept_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = Blocks::open(folder.path(), 200);
    blocks.write(420);
    let mut lowest = vec![];
    while let Some(height) = step(&blocks.chain, KEEP).unwrap() {
        blocks.store.drop_blocks_below(height).unwrap();
        lowest.push(height.0);
        assert_eq!(blocks.check(), height);
    }
    // 256 of 420 are kept: 164 may go, in whole steps of 64.
    assert_eq!(lowest, [64, 128]);
    assert_eq!(blocks.chain.handovers(Height(0), 9).unwrap(), [Height(0), Height(HANDOVER - 1)]);
}

#[test]
fn days_and_the_window_hold_blocks_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = Blocks::open(folder.path(), 10);
    blocks.write(420);
    let least = Keep { blocks: 1, ms: 0 };
    let days = Keep { ms: STEP_MS * 380, ..least };
    assert_eq!(step(&blocks.chain, days).unwrap(), None, "39 are older, and a step takes 64");
    assert_eq!(step(&blocks.chain, Keep { ms: STEP_MS * 355, ..least }).unwrap(), Some(Height(64)));
    while step(&blocks.chain, least).unwrap().is_some() {}
    assert_eq!(blocks.check(), Height(384), "and never the last blocks, which could be seen again");
}

#[test]
fn a_power_cut_at_any_byte_of_a_step_leaves_it_done_or_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut blocks = Blocks::open(&path, 10);
    blocks.write(420);
    assert_eq!(step(&blocks.chain, KEEP).unwrap(), Some(Height(64)));
    let written = blocks.store.written();
    assert_eq!(step(&blocks.chain, KEEP).unwrap(), Some(Height(128)));
    let size = blocks.store.written() - written;
    let mut found = std::collections::BTreeSet::new();
    // Every few bytes of the end, where the height is that the step ends with.
    let cuts = (0..=size).step_by(size as usize / 20).chain((4..100).step_by(8));
    for (number, cut) in cuts.enumerate() {
        let copied = folder.path().join(format!("cut-{number}"));
        copy(&path, &copied, cut);
        let mut after = Blocks::open(&copied, 10);
        found.insert(after.check().0);
        // And it goes on from there as if nothing had been.
        while let Some(lowest) = step(&after.chain, KEEP).unwrap() {
            after.store.drop_blocks_below(lowest).unwrap();
        }
        assert_eq!(after.check(), Height(128));
        after.write(1);
        drop(after);
        std::fs::remove_dir_all(&copied).unwrap();
    }
    assert_eq!(found, [64, 128].into());
}

#[test]
fn a_kill_after_the_step_and_before_its_files_are_dropped_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, killed) = (folder.path().join("store"), folder.path().join("killed"));
    let mut blocks = Blocks::open(&path, 60_000);
    blocks.write(900);
    while step(&blocks.chain, KEEP).unwrap().is_some() {}
    copy(&path, &killed, 0);
    let after = Blocks::open(&killed, 60_000);
    let before = tables(&killed);
    after.store.drop_blocks_below(after.chain.lowest().unwrap()).unwrap();
    assert!(tables(&killed) < before, "the files of old blocks go with the next step");
    assert_eq!(after.check(), Height(640));
}

#[test]
fn a_step_is_bounded_in_heights_and_writes() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = Blocks::open(folder.path(), 10);
    blocks.write(40);
    let go = |heights, writes| blocks.chain.let_go(Bounds { heights, writes }, |_| true).unwrap();
    assert_eq!(go(10, 1_000), Some(Height(10)));
    assert_eq!(go(10, 5), Some(Height(15)), "a block has one place here");
    assert_eq!(blocks.chain.let_go(Bounds { heights: 10, writes: 5 }, |_| false).unwrap(), None);
    assert_eq!(blocks.check(), Height(15));
}

/// Bytes of the database's tables.
fn tables(path: &Path) -> u64 {
    let files = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let tables = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "sst"));
    tables.map(|file| file.metadata().map_or(0, |data| data.len())).sum()
}

#[test]
fn the_disk_is_flat_while_the_chain_grows() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = Blocks::open(folder.path(), 60_000);
    let mut sizes = vec![];
    for _ in 0..8 {
        for _ in 0..10 {
            blocks.write(64);
            while let Some(lowest) = step(&blocks.chain, KEEP).unwrap() {
                blocks.store.drop_blocks_below(lowest).unwrap();
            }
        }
        sizes.push(tables(folder.path()) >> 20);
    }
    // 40 MB are written each time, and the last 256 blocks have 15.
    let kept = sizes[3..].iter().max().unwrap();
    assert!(*kept < 80, "the tables have {sizes:?} MiB, of 300 that were written");
    assert!(blocks.check() >= Height(8 * 640 - 256 - 64));
}

#[test]
fn the_thread_prunes_when_it_is_woken_keeps_the_least_when_pressed_and_ends_with_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = Blocks::open(folder.path(), 10);
    blocks.write(420);
    let pruner = blocks.pruner(Keep { blocks: 356, ms: 0 });
    let disk = pruner.disk.clone();
    let (wake, woken) = sync_channel(1);
    let thread = std::thread::spawn(move || pruner.run(&woken).unwrap());
    let reach = |height| {
        while blocks.chain.lowest().unwrap() < Height(height) {
            std::thread::yield_now();
        }
    };
    reach(64);
    disk.note(0, Room::Short);
    let _ = wake.try_send(());
    reach(128);
    drop(wake);
    thread.join().unwrap();
    assert_eq!(blocks.check(), Height(128));
}

#[test]
fn a_height_or_a_handover_that_was_altered_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut blocks = Blocks::open(folder.path(), 10);
    blocks.write(20);
    blocks.chain.let_go(Bounds { heights: 10, writes: 1_000 }, |_| true).unwrap();
    let damage = |column, key: &[u8], value: &[u8]| {
        let mut batch = Batch::new();
        batch.put(column, key, value);
        blocks.store.write(batch).unwrap();
    };
    use portolan_node::store::columns::{HANDOVERS, NODE};
    for length in [1, 7, 100] {
        damage(HANDOVERS, &[0; 8], &noise(3, length));
        let what = blocks.chain.header(Height(0)).unwrap_err();
        assert!(matches!(what, ChainError::Corrupt { what: "handover", .. }), "{what}");
    }
    for garbage in [&[][..], &[1, 2, 3], &[0; 9]] {
        damage(NODE, b"lowest", garbage);
        let what = blocks.chain.bodies(Height(15)).unwrap_err();
        assert!(matches!(what, ChainError::Corrupt { what: "lowest height", .. }), "{what}");
    }
}
