//! The power goes: what was not synced is gone, and nothing was said before what it rests on was on the disk.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use codec::Encode;
use portolan_node::host::executor::ToExecutor;
use portolan_node::host::logger::{self, ToLog};
use portolan_node::host::replica::{Parts, Readiness, ReplicaHost};
use portolan_node::host::{Roster, ToReplica};
use portolan_node::log_file::{Directory, Folder, LogFile, Medium};
use portolan_node::network::{Network, Setup};
use portolan_node::store::{Chain, Store};
use portolan_primitives::{Hash, Header, Height, MemberId, Round, Timestamp, Validator, ValidatorSet, list_root};
use portolan_replica::{
    ChainParameters, Config, Input, Moment, NextBlock, PooledTransaction, Recovered, Replica, Status, WhyNoBlock,
};
use portolan_state::{Batch, Column, KeyValue};
use tokio::sync::{oneshot, watch};

use crate::world::{add_person, node_key, validator_key};

const CHAIN: Hash = Hash([7; 32]);

/// A file whose bytes reach the disk with a sync only: dropping it is a power cut.
#[derive(Debug)]
struct Volatile {
    file: File,
    unsynced: Vec<u8>,
}

impl Volatile {
    fn over(file: File) -> Self {
        Self { file, unsynced: Vec::new() }
    }
}

/// A directory of such files.
#[derive(Debug)]
struct VolatileFolder(Directory);

impl Folder for VolatileFolder {
    type Medium = Volatile;

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn salt(&self) -> io::Result<[u8; 32]> {
        self.0.salt()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        self.0.read(name)
    }

    fn create(&self, name: &str, front: &[u8]) -> io::Result<Volatile> {
        self.0.create(name, front).map(Volatile::over)
    }

    fn reopen(&self, name: &str, length: u64) -> io::Result<Volatile> {
        self.0.reopen(name, length).map(Volatile::over)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }
}

impl Medium for Volatile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unsynced.extend(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.write_all(&self.unsynced)?;
        self.unsynced.clear();
        self.file.sync_data()
    }
}

fn volatile(folder: &Path) -> LogFile<VolatileFolder> {
    let folder = VolatileFolder(Directory::make(folder).unwrap());
    LogFile::open_in(folder, CHAIN, Height(0)).unwrap().0
}

fn found(folder: &Path) -> Vec<Vec<u8>> {
    let records = LogFile::open(folder, CHAIN, Height(0)).unwrap().1;
    records.into_iter().map(|record| record.bytes).collect()
}

#[test]
fn the_disk_of_these_tests_loses_what_was_not_synced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let mut medium = Volatile::over(File::create(&path).unwrap());
    medium.append(b"synced").unwrap();
    medium.sync().unwrap();
    medium.append(b"the rest").unwrap();
    drop(medium);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "synced");
}

#[test]
fn a_flush_of_the_log_survives_the_power_cut_right_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = volatile(folder.path());
    log.append(Height(1), b"first").unwrap();
    log.flush().unwrap();
    log.append(Height(1), b"second").unwrap();
    log.append(Height(1), b"third").unwrap();
    log.flush().unwrap();
    log.append(Height(1), b"never flushed").unwrap();
    drop(log);
    assert_eq!(found(folder.path()), [&b"first"[..], b"second", b"third"]);
}

#[test]
fn what_the_logs_thread_calls_synced_survives_the_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let log = volatile(folder.path());
    let (jobs, receiver) = channel();
    let (sender, told) = channel();
    let thread = std::thread::spawn(move || logger::run(log, &receiver, &sender));
    let mut frames = Vec::new();
    for sequence in 1..=5u64 {
        let frame = vec![sequence as u8; 10];
        frames.push(frame.clone());
        jobs.send(ToLog::Append { height: Height(1), sequence, frame }).unwrap();
        let Ok(ToReplica::Synced(synced)) = told.recv() else { panic!("the log's thread says nothing") };
        assert_eq!(synced, sequence);
        assert_eq!(found(folder.path()), frames, "it is on the disk when it is said to be");
        jobs.send(ToLog::Forget(Height(0))).unwrap();
    }
    drop(jobs);
    thread.join().unwrap();
    assert_eq!(found(folder.path()), frames);
}

#[test]
fn every_batch_of_the_store_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &CHAIN, 8 << 20).unwrap();
    for number in 0..10u8 {
        let before = store.syncs();
        let mut batch = Batch::new();
        batch.put(Column::FLAT, vec![number], vec![number]);
        store.write(batch).unwrap();
        assert!(store.syncs() > before, "batch {number} was not synced");
    }
}

/// A host without its other threads: what it asks of them, the test sees.
struct Host {
    inbox: Sender<ToReplica>,
    log: Receiver<ToLog>,
    executor: Receiver<ToExecutor>,
    thread: std::thread::JoinHandle<()>,
    _readiness: watch::Receiver<Readiness>,
    _folder: tempfile::TempDir,
}

fn head(height: u64, parent: Hash, transactions_root: Hash, time: u64) -> Header {
    Header {
        version: 1,
        chain: CHAIN,
        height: Height(height),
        round: Round(0),
        time: Timestamp(time),
        parent,
        history_root: Hash::ZERO,
        proposer: member(),
        transactions_root,
        receipts_root: Hash::ZERO,
        state_root: Hash::ZERO,
        validators_hash: set().hash(),
        next_validators_hash: set().hash(),
        gas_used: 0,
    }
}

fn member() -> MemberId {
    MemberId::from_name("customs")
}

fn set() -> ValidatorSet {
    ValidatorSet::new(vec![Validator { member: member(), key: validator_key("customs").public(), power: 1 }])
}

fn next() -> NextBlock {
    let parameters = ChainParameters { heartbeat_ms: None, ..ChainParameters::default() };
    NextBlock { validators: set(), parameters, next_due: None }
}

impl Host {
    /// The only validator of a chain.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let started = std::time::Instant::now();
        let genesis = head(0, Hash::ZERO, list_root(&[]), 1_000);
        let config = Config::new(CHAIN, member(), Some(validator_key("customs")));
        let recovered = Recovered { head: genesis, next: next(), log: vec![] };
        let now = Moment { elapsed_ms: 0, clock: portolan_node::host::wall_clock() };
        let replica = Replica::new(config, recovered, now).unwrap();
        let (key, known) = (node_key("customs"), Default::default());
        let setup =
            Setup { chain: CHAIN, key: &key, listen: "127.0.0.1:0".parse().unwrap(), addresses: vec![], known: &known };
        let network = Network::start(setup, Arc::new(|_| ())).await.unwrap();
        let store = Arc::new(Store::open(&folder.path().join("store"), &CHAIN, 8 << 20).unwrap());
        let (inbox, receiver) = channel();
        let (to_log, log) = channel();
        let (to_executor, executor) = channel();
        let (to_checker, _checker) = channel();
        let (readiness, _readiness) = watch::channel(Readiness::default());
        let (host, outputs) = ReplicaHost::new(Parts {
            replica,
            member: member(),
            height: Height(0),
            roster: Roster { nodes: Default::default(), validators: set() },
            inbox: receiver,
            sender: inbox.clone(),
            log: to_log,
            executor: to_executor,
            checker: to_checker,
            network,
            chain: Chain::new(store),
            blocking: tokio::runtime::Handle::current(),
            readiness,
            started,
        });
        let thread = std::thread::spawn(move || host.run(outputs).unwrap());
        Self { inbox, log, executor, thread, _readiness, _folder: folder }
    }

    fn tell(&self, input: Input) {
        self.inbox.send(ToReplica::Input(input)).unwrap();
    }

    /// Everything that was told is handled when this answers.
    fn status(&self) -> Status {
        let (answer, status) = oneshot::channel();
        self.inbox.send(ToReplica::Status(answer)).unwrap();
        tokio::task::block_in_place(|| status.blocking_recv().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decided_block_is_committed_only_after_the_log_that_explains_it() {
    let host = Host::start().await;
    let transaction = add_person("customs", "bob");
    let pooled = PooledTransaction {
        id: transaction.body.id(),
        wire_hash: transaction.wire_hash(),
        bytes: transaction.encode().into(),
        gas: 1_000,
        member: member(),
        expires_at: transaction.body.expires_at,
    };
    let (answer, answered) = oneshot::channel();
    let hash = pooled.wire_hash;
    host.inbox.send(ToReplica::Submit(pooled, answer)).unwrap();
    assert!(answered.await.unwrap().is_ok());
    let Ok(ToExecutor::Begin(execution, _, start)) = host.executor.recv() else { panic!("a block is begun") };
    assert!(matches!(host.executor.recv(), Ok(ToExecutor::Part(..))));
    assert!(matches!(host.executor.recv(), Ok(ToExecutor::Finish(..))));
    host.tell(Input::PartExecuted { execution, left_out: vec![] });
    let header = head(1, start.parent, list_root(&[hash]), start.time.0);
    host.tell(Input::Built { execution, header: header.clone() });
    assert_eq!(host.status().why_no_block, WhyNoBlock::Committing, "the only validator decides at once");
    // The log has the frames, and says nothing yet.
    let mut sequences = BTreeSet::new();
    for job in host.log.try_iter() {
        if let ToLog::Append { sequence, .. } = job {
            sequences.insert(sequence);
        }
    }
    assert!(!sequences.is_empty());
    assert!(host.executor.try_recv().is_err(), "the commit waits for the log");
    let last = *sequences.last().unwrap();
    host.inbox.send(ToReplica::Synced(last - 1)).unwrap();
    host.status();
    assert!(host.executor.try_recv().is_err(), "it waits for all of the log before it");
    host.inbox.send(ToReplica::Synced(last)).unwrap();
    let Ok(ToExecutor::Commit(committed, of, ..)) = host.executor.recv() else { panic!("it is committed now") };
    assert_eq!((committed, *of), (execution, header.clone()));
    // The log is let go of only when the store has the block.
    host.status();
    assert!(!host.log.try_iter().any(|job| matches!(job, ToLog::Forget(_))));
    host.tell(Input::Committed { header, transactions: vec![transaction.body.id()], next: next() });
    assert_eq!(host.status().head, Height(1));
    assert!(host.log.try_iter().any(|job| matches!(job, ToLog::Forget(Height(1)))));
    host.inbox.send(ToReplica::Stop).unwrap();
    host.thread.join().unwrap();
}
