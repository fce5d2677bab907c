//! The way into a running node for whoever serves people: submit, read, query, subscribe, ask how it is.
//!
//! Reads run on threads of their own on a pinned state, a bounded number at a time, and never hold consensus up. Who may see what is
//! not decided here.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use portolan_primitives::{Caller, ContractId, Hash, Height, History, KeyId, MemberId, PublicKey, TransactionId};
use portolan_proof::{Entry, MultiProof};
use portolan_replica::SeenPeer;
use portolan_runtime::genesis::NetworkKind;
use portolan_runtime::{BaseView, BlockRules, ChainHead, Ledger, QueryOutcome, Runtime};
use portolan_state::{State, StateError, StateKey};
use tokio::sync::{Semaphore, broadcast, oneshot, watch};

pub use crate::host::checker::SubmitError;
pub use crate::host::replica::Readiness;
pub use crate::host::{CommittedBlock, Tip};

use crate::host::ToReplica;
use crate::host::checker::ToChecker;
use crate::host::reading::ReadThreads;
use crate::limits::{CONCURRENT_QUERIES, SUBMISSION_QUEUE, WAITING_QUERIES};
use crate::network::{Network, PeerStatus, Unreached};
use crate::store::disk::{Bounds, LastLook};
use crate::store::{Chain, ChainError, Store, free_bytes};

/// Why something can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Too old.
    #[error("the state at height {height} is no longer kept; the oldest is at {oldest}")]
    Pruned {
        /// Asked for.
        height: Height,
        /// The oldest that is kept.
        oldest: Height,
    },
    /// The block is too old.
    #[error(
        "block {height} is pruned: this node keeps blocks from {lowest} on; ask a node that keeps more (`blocks_from` in its status), as an archive node"
    )]
    BlockPruned {
        /// Asked for.
        height: Height,
        /// The lowest that is kept.
        lowest: Height,
    },
    /// Not there yet.
    #[error("there is no height {height} yet; the last is {tip}")]
    Unknown {
        /// Asked for.
        height: Height,
        /// The last.
        tip: Height,
    },
    /// Too many reads wait.
    #[error("the node answers as many reads as it can; ask again in a moment")]
    Busy,
    /// The node is stopping.
    #[error("the node is stopping; ask another one")]
    Stopping,
    /// The node itself failed.
    #[error("the node can't read this: {0}")]
    Host(String),
}

impl From<ChainError> for ReadError {
    fn from(error: ChainError) -> Self {
        match error {
            ChainError::Pruned { height, lowest } => Self::BlockPruned { height, lowest },
            error => Self::Host(error.to_string()),
        }
    }
}

impl From<StateError> for ReadError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::HeightPruned { height, oldest } => Self::Pruned { height, oldest },
            StateError::HeightUnknown { height, tip } => Self::Unknown { height, tip },
            error => Self::Host(error.to_string()),
        }
    }
}

/// Who this node is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Name of the network.
    pub network: String,
    /// Whether money and claims on it are real.
    pub kind: NetworkKind,
    /// Genesis hash.
    pub chain: Hash,
    /// The member whose node it is.
    pub member: MemberId,
    /// Its name.
    pub member_name: String,
    /// Id of the node's key.
    pub node_key: KeyId,
    /// The consensus key, if the node has one.
    pub validator_key: Option<PublicKey>,
}

/// A connected peer.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Id of its node key.
    pub id: KeyId,
    /// Whose it is, if the chain knows the key.
    pub member: Option<MemberId>,
    /// Its address.
    pub address: String,
    /// For how long it has been connected.
    pub connected_for: Duration,
    /// How far its clock is ahead of ours, ms, and the time of a message there and back.
    pub clock: Option<(i64, Duration)>,
    /// The last height that it has, as far as it said so or its messages show it.
    pub height: Option<Height>,
}

impl Peer {
    fn new(link: PeerStatus, seen: &[SeenPeer]) -> Self {
        let height = seen.iter().find(|peer| peer.peer == link.id).and_then(|peer| peer.height);
        let PeerStatus { id, member, address, connected_for, clock } = link;
        Self { id, member, address, connected_for, clock, height }
    }
}

/// How the node is.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// The replica at a glance.
    pub replica: portolan_replica::Status,
    /// Who is connected, and what height each has.
    pub peers: Vec<Peer>,
    /// Addresses at which nobody is connected.
    pub unreached: Vec<Unreached>,
    /// Bytes free on the disk.
    pub disk_free: u64,
    /// Bytes that store, log and compiled contracts took when they were last looked at.
    pub disk_used: u64,
    /// Whether room was short then.
    pub disk_short: bool,
    /// What the node may take of the disk.
    pub bounds: Bounds,
    /// Whether every block is kept.
    pub archive: bool,
    /// The lowest height whose block is kept.
    pub blocks_from: Height,
    /// Where the network listens.
    pub p2p: SocketAddr,
    /// Whether it takes part in the network.
    pub readiness: Readiness,
    /// Time since the process started, seconds.
    pub uptime_s: u64,
}

/// What closures given to [`NodeHandle::read`] read from.
#[derive(Clone)]
pub struct Reader {
    /// Blocks, receipts, certificates and where transactions are.
    pub chain: Chain<Store>,
    /// The state and its proofs.
    pub state: State<Store>,
    /// Queries and facts.
    pub runtime: Arc<Runtime>,
}

/// What a handle is made of.
pub(crate) struct Parts {
    pub reader: Reader,
    pub tip: Arc<ArcSwap<Tip>>,
    pub checker: Sender<ToChecker>,
    pub replica: Sender<ToReplica>,
    pub network: Network,
    pub committed: broadcast::Sender<Arc<CommittedBlock>>,
    pub readiness: watch::Receiver<Readiness>,
    pub identity: Identity,
    pub bounds: Bounds,
    pub disk: Arc<LastLook>,
    pub archive: bool,
    pub started: Instant,
    pub threads: ReadThreads,
}

struct Inner {
    parts: Parts,
    submissions: Arc<Semaphore>,
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// The handle; cheap to clone.
#[derive(Clone)]
pub struct NodeHandle(Arc<Inner>);

impl NodeHandle {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            submissions: Arc::new(Semaphore::new(SUBMISSION_QUEUE)),
            running: Arc::new(Semaphore::new(CONCURRENT_QUERIES)),
            waiting: Arc::new(Semaphore::new(CONCURRENT_QUERIES + WAITING_QUERIES)),
        }))
    }

    /// Checks a transaction (SCALE), verifies its signatures and puts it into the mempool; gives its id. One that is there
    /// already is no error.
    ///
    /// # Errors
    /// Why the chain or the mempool would not take it.
    pub async fn submit(&self, bytes: Vec<u8>) -> Result<TransactionId, SubmitError> {
        let answer = self.queue(bytes)?;
        answer.await.unwrap_or(Err(SubmitError::Stopping))
    }

    /// [`Self::submit`] of many, which are checked as one batch.
    pub async fn submit_many(&self, transactions: Vec<Vec<u8>>) -> Vec<Result<TransactionId, SubmitError>> {
        let queued: Vec<_> = transactions.into_iter().map(|bytes| self.queue(bytes)).collect();
        let mut results = Vec::with_capacity(queued.len());
        for answer in queued {
            results.push(match answer {
                Ok(answer) => answer.await.unwrap_or(Err(SubmitError::Stopping)),
                Err(error) => Err(error),
            });
        }
        results
    }

    fn queue(&self, bytes: Vec<u8>) -> Result<oneshot::Receiver<Result<TransactionId, SubmitError>>, SubmitError> {
        let room = self.0.submissions.clone().try_acquire_owned().map_err(|_| SubmitError::Busy)?;
        let (answer, receiver) = oneshot::channel();
        let job = ToChecker::Submitted { bytes, answer, room };
        self.0.parts.checker.send(job).map_err(|_| SubmitError::Stopping)?;
        Ok(receiver)
    }

    /// The last block and the state after it.
    pub fn tip(&self) -> Arc<Tip> {
        self.0.parts.tip.load_full()
    }

    /// A block and the state after it, as far back as the state is kept. The history of such a head is empty: it is for
    /// queries, not for executing on.
    ///
    /// # Errors
    /// [`ReadError::Pruned`] and [`ReadError::Unknown`] for heights that are not kept.
    pub async fn tip_at(&self, height: Height) -> Result<Arc<Tip>, ReadError> {
        let tip = self.tip();
        if tip.head.header.height == height {
            return Ok(tip);
        }
        self.read(move |reader| {
            let view: BaseView = Arc::new(reader.state.view_at(height)?);
            let unknown = || ReadError::Unknown { height, tip: tip.head.header.height };
            let header = reader.chain.header(height)?.ok_or_else(unknown)?;
            let rules =
                BlockRules::read(&mut Ledger::new(view.clone())).map_err(|fault| ReadError::Host(fault.to_string()))?;
            let head = ChainHead { hash: header.hash(), header, history: History::default() };
            Ok(Arc::new(Tip { head, view, rules, committed_at: tip.committed_at }))
        })
        .await
    }

    /// Asks a contract or native module on the state of `tip`, in at most `gas`.
    ///
    /// # Errors
    /// The node's own faults; everything else is in the outcome.
    pub async fn query(
        &self,
        tip: Arc<Tip>,
        contract: ContractId,
        input: Vec<u8>,
        reader: Caller,
        gas: u64,
    ) -> Result<QueryOutcome, ReadError> {
        self.read(move |node| {
            let asked = node.runtime.query(tip.view.clone(), &tip.head, contract, &input, reader, gas);
            asked.map_err(|fault| ReadError::Host(fault.to_string()))
        })
        .await
    }

    /// The values of `keys` at a height, with the proof of their presence or absence.
    ///
    /// # Errors
    /// [`ReadError::Pruned`] and [`ReadError::Unknown`] for heights that are not kept.
    pub async fn prove(&self, height: Height, keys: Vec<StateKey>) -> Result<(Vec<Entry>, MultiProof), ReadError> {
        self.read(move |reader| Ok(reader.state.prove_with_values(height, &keys)?)).await
    }

    /// Runs a closure that reads, on a thread for reads.
    ///
    /// # Errors
    /// [`ReadError::Busy`] when too many wait; the closure's own.
    pub async fn read<T: Send + 'static>(
        &self,
        closure: impl FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let waiting = self.0.waiting.clone().try_acquire_owned().map_err(|_| ReadError::Busy)?;
        let running = self.0.running.clone().acquire_owned().await.map_err(|_| ReadError::Stopping)?;
        let reader = self.0.parts.reader.clone();
        let done = self.0.parts.threads.run(move || {
            let result = closure(&reader);
            drop((waiting, running));
            result
        });
        done.await.unwrap_or_else(|_| Err(ReadError::Host("the read failed; keep the log and report this".into())))
    }

    /// Every block from now on; a subscriber that lags too far loses some and is told.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<CommittedBlock>> {
        self.0.parts.committed.subscribe()
    }

    /// How the node is.
    ///
    /// # Errors
    /// The node is stopping, or the disk does not answer.
    pub async fn status(&self) -> Result<NodeStatus, ReadError> {
        let parts = &self.0.parts;
        let (answer, replica) = oneshot::channel();
        parts.replica.send(ToReplica::Status(answer)).map_err(|_| ReadError::Stopping)?;
        let disk_free =
            free_bytes(parts.reader.state.store().path()).map_err(|error| ReadError::Host(error.to_string()))?;
        let replica = replica.await.map_err(|_| ReadError::Stopping)?;
        Ok(NodeStatus {
            peers: parts.network.peers().into_iter().map(|link| Peer::new(link, &replica.peers)).collect(),
            replica,
            unreached: parts.network.unreached(),
            disk_free,
            disk_used: parts.disk.used(),
            disk_short: parts.disk.is_short(),
            bounds: parts.bounds,
            archive: parts.archive,
            blocks_from: parts.reader.chain.lowest()?,
            p2p: parts.network.listen_address(),
            readiness: self.readiness(),
            uptime_s: parts.started.elapsed().as_secs(),
        })
    }

    /// Whether the node takes part in the network.
    pub fn readiness(&self) -> Readiness {
        *self.0.parts.readiness.borrow()
    }

    /// [`Readiness::ready`].
    pub fn is_ready(&self) -> bool {
        self.readiness().ready
    }

    /// Waits until the node takes part in the network, or stops.
    pub async fn wait_ready(&self) {
        // An error says that it stops.
        let _ = self.0.parts.readiness.clone().wait_for(|readiness| readiness.ready).await;
    }

    /// Who this node is.
    pub fn identity(&self) -> &Identity {
        &self.0.parts.identity
    }

    /// Dials one more address.
    pub fn dial(&self, address: crate::config::PeerAddress) {
        self.0.parts.network.dial(address);
    }

    /// The node's counters, as Prometheus reads them.
    pub fn metrics_text(&self) -> String {
        crate::telemetry::metrics_text()
    }
}
