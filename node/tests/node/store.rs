//! The store: one synced batch a block, whole or not at all; foreign and damaged stores are refused by name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portolan_node::store::chain::{BlockRecord, add_block};
use portolan_node::store::{Chain, OpenError, Place, Store, columns};
use portolan_primitives::{
    CommitCertificate, Hash, Header, Height, History, MemberId, Round, Timestamp, TransactionId, ValidatorSet,
};
use portolan_runtime::ChainHead;
use portolan_state::{Batch, ChangeSet, Column, KeyValue, Options, SaltKey, State, StateView, keys};

const CHAIN: Hash = Hash([7; 32]);
const CACHE: usize = 8 << 20;

fn open(path: &Path) -> Arc<Store> {
    Arc::new(Store::open(path, &CHAIN, CACHE).unwrap())
}

fn state(store: &Arc<Store>, last: Option<(Height, Hash)>) -> State<Store> {
    State::open(store.clone(), Options::new(SaltKey::derive(&[1; 32])), last).unwrap()
}

fn head(height: u64, state_root: Hash, history: History) -> ChainHead {
    let set = ValidatorSet::default().hash();
    let header = Header {
        version: 1,
        chain: CHAIN,
        height: Height(height),
        round: Round(0),
        time: Timestamp(height * 1_000),
        parent: Hash::ZERO,
        history_root: history.root(),
        proposer: MemberId([1; 16]),
        transactions_root: Hash::ZERO,
        receipts_root: Hash::ZERO,
        state_root,
        validators_hash: set,
        next_validators_hash: set,
        gas_used: 0,
    };
    ChainHead::after(history, header)
}

fn id(height: u64) -> TransactionId {
    TransactionId([height as u8; 32])
}

/// Commits the block at `height`: a parameter gets the height as its value, and a transaction is listed.
fn commit(state: &State<Store>, height: u64, history: History) -> ChainHead {
    let mut changes = ChangeSet::new(state.view());
    changes.put(&keys::parameter("height"), height.to_le_bytes().to_vec()).unwrap();
    changes.put(&keys::parameter(&format!("of-{height}")), vec![height as u8; 100]).unwrap();
    let update = state.update(changes.finish().unwrap()).unwrap();
    let head = head(height, update.root(), history);
    let certificate = CommitCertificate {
        chain: CHAIN,
        height: Height(height),
        round: Round(0),
        header: head.hash,
        signatures: vec![],
    };
    let mut batch = Batch::new();
    add_block(
        &mut batch,
        &BlockRecord {
            head: &head,
            transactions: &[(id(height), vec![height as u8; 300].into())],
            certificate: Some(&certificate),
            receipts: &[],
            next_validators: &ValidatorSet::default(),
        },
    );
    state.commit(Height(height), update, batch).unwrap();
    head
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "LOCK" {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

/// The database's own log, which a synced batch is in before anything else.
fn write_ahead_log(folder: &Path) -> PathBuf {
    let logs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    logs.filter(|path| path.extension().is_some_and(|extension| extension == "log")).max().unwrap()
}

/// What a store says after it was opened anew: its head, checked against everything else that the head's batch held.
fn look(path: &Path) -> u64 {
    let store = open(path);
    let chain = Chain::new(store.clone());
    let head = chain.head().unwrap().expect("a head");
    let height = head.header.height;
    let state = state(&store, Some((height, head.header.state_root)));
    assert_eq!(state.root(), head.header.state_root, "the state is the head's");
    let value = state.view().get(&keys::parameter("height")).unwrap().unwrap();
    assert_eq!(*value, height.0.to_le_bytes(), "the values are the head's");
    assert_eq!(chain.header(height).unwrap().as_ref(), Some(&head.header));
    assert_eq!(chain.header_hash(height).unwrap(), Some(head.hash));
    assert_eq!(chain.certificate(height).unwrap().unwrap().header, head.hash);
    assert_eq!(chain.bodies(height).unwrap().unwrap(), [vec![height.0 as u8; 300]]);
    assert_eq!(chain.place(&id(height.0)).unwrap(), Some(Place { height, index: 0 }));
    assert_eq!(chain.place(&id(height.0 + 1)).unwrap(), None, "nothing of a later block");
    assert_eq!(chain.header(height.next()).unwrap(), None, "nothing of a later block");
    height.0
}

#[test]
fn a_power_cut_at_any_byte_of_a_batch_leaves_that_block_or_the_one_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(&path);
    let state = state(&store, None);
    let first = commit(&state, 0, History::default());
    let second = commit(&state, 1, first.history);
    let synced = std::fs::metadata(write_ahead_log(&path)).unwrap().len();
    commit(&state, 2, second.history);
    let whole = std::fs::metadata(write_ahead_log(&path)).unwrap().len();
    let mut found = BTreeSet::new();
    for length in (synced..=whole).step_by(37).chain([whole]) {
        let cut = folder.path().join(format!("cut-{length}"));
        copy(&path, &cut);
        let log = write_ahead_log(&cut);
        std::fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(length).unwrap();
        let height = look(&cut);
        assert_eq!(height, if length == whole { 2 } else { 1 }, "cut at {length} of {whole}");
        found.insert(height);
        std::fs::remove_dir_all(&cut).unwrap();
    }
    assert_eq!(found, BTreeSet::from([1, 2]));
}

#[test]
fn a_batch_whose_pages_did_not_all_reach_the_disk_is_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(&path);
    let state = state(&store, None);
    let first = commit(&state, 0, History::default());
    let synced = std::fs::metadata(write_ahead_log(&path)).unwrap().len() as usize;
    commit(&state, 1, first.history);
    let torn = folder.path().join("torn");
    copy(&path, &torn);
    let log = write_ahead_log(&torn);
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[synced + 20..synced + 200].fill(0);
    std::fs::write(&log, &bytes).unwrap();
    let chain = Chain::new(open(&torn));
    assert_eq!(chain.head().unwrap().unwrap().header.height, Height(0));
    assert_eq!(chain.header(Height(1)).unwrap(), None);
}

#[test]
fn after_a_cut_the_next_block_is_written_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let store = open(&path);
    let state_one = state(&store, None);
    let first = commit(&state_one, 0, History::default());
    let synced = std::fs::metadata(write_ahead_log(&path)).unwrap().len();
    commit(&state_one, 1, first.history.clone());
    let cut = folder.path().join("cut");
    copy(&path, &cut);
    std::fs::OpenOptions::new().write(true).open(write_ahead_log(&cut)).unwrap().set_len(synced + 50).unwrap();
    {
        let store = open(&cut);
        let state = state(&store, Some((Height(0), first.header.state_root)));
        commit(&state, 1, first.history);
    }
    assert_eq!(look(&cut), 1);
}

#[test]
fn a_store_is_in_use_by_one_node_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(folder.path());
    let again = Store::open(folder.path(), &CHAIN, CACHE);
    assert!(matches!(again, Err(OpenError::InUse(_))), "{again:?}");
}

#[test]
fn the_store_of_another_chain_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let other = Hash([8; 32]);
    let opened = Store::open(folder.path(), &other, CACHE);
    assert!(matches!(opened, Err(OpenError::OtherChain { found: CHAIN, expected, .. }) if expected == other));
    assert!(Store::open(folder.path(), &CHAIN, CACHE).is_ok(), "and is left as it was");
}

#[test]
fn a_database_of_something_else_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = rocksdb::Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    drop(rocksdb::DB::open_cf(&options, folder.path(), ["users"]).unwrap());
    let error = Store::open(folder.path(), &CHAIN, CACHE).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }) && error.to_string().contains("users"), "{error}");
}

#[test]
fn a_store_of_another_format_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = Batch::new();
    batch.put(columns::NODE, b"identity", codec::Encode::encode(&(99u32, CHAIN)));
    store.write(batch).unwrap();
    drop(store);
    assert!(matches!(Store::open(folder.path(), &CHAIN, CACHE), Err(OpenError::OtherFormat { found: 99, .. })));
}

#[test]
fn a_damaged_store_is_refused_and_not_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    {
        let store = open(&path);
        commit(&state(&store, None), 0, History::default());
    }
    let manifest = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
    let manifest = manifest.filter(|path| path.to_string_lossy().contains("MANIFEST")).max().unwrap();
    let mut bytes = std::fs::read(&manifest).unwrap();
    bytes[20] ^= 0xff;
    std::fs::write(&manifest, bytes).unwrap();
    let opened = Store::open(&path, &CHAIN, CACHE);
    assert!(matches!(opened, Err(OpenError::Corrupt { .. })), "{opened:?}");
    std::fs::remove_file(path.join("CURRENT")).unwrap();
    let opened = Store::open(&path, &CHAIN, CACHE);
    assert!(matches!(opened, Err(OpenError::Corrupt { .. })), "{opened:?}");
}

#[test]
fn scans_are_ordered_bounded_and_within_their_prefix() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let mut batch = Batch::new();
    for key in [&b"a"[..], b"b1", b"b2", b"b3", b"c"] {
        batch.put(Column::FLAT, key, b"v");
    }
    store.write(batch).unwrap();
    let keys = |prefix: &[u8], after: Option<&[u8]>, limit| {
        let found = store.scan(Column::FLAT, prefix, after, limit).unwrap();
        found.into_iter().map(|(key, _)| String::from_utf8(key).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(keys(b"b", None, 10), ["b1", "b2", "b3"]);
    assert_eq!(keys(b"b", None, 2), ["b1", "b2"]);
    assert_eq!(keys(b"b", Some(b"b1"), 10), ["b2", "b3"]);
    assert_eq!(keys(b"b", Some(b"b1x"), 10), ["b2", "b3"]);
    assert_eq!(keys(b"b", Some(b"a"), 10), ["b1", "b2", "b3"]);
    assert_eq!(keys(b"b", Some(b"c"), 10), Vec::<String>::new());
    assert_eq!(keys(b"", None, 10).len(), 5);
    assert_eq!(keys(b"b", None, 0), Vec::<String>::new());
    assert_eq!(store.multi_get(Column::FLAT, &[b"a", b"x", b"c"]).unwrap().iter().flatten().count(), 2);
}

#[test]
fn header_hashes_are_the_leaves_of_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let state = state(&store, None);
    let mut history = History::default();
    for height in 0..20 {
        history = commit(&state, height, history).history;
    }
    let chain = Chain::new(store);
    let hashes = chain.header_hashes(Height(20)).unwrap();
    assert_eq!(portolan_primitives::list_root(&hashes), history.root());
    assert!(chain.header_hashes(Height(21)).is_err());
    assert_eq!(chain.handovers(Height(0), 10).unwrap(), [Height(0)]);
}
