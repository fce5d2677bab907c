//! Puts a node together from its configuration, and takes it apart again.
//!
//! The order of a start: spec, keys, store, state (genesis where there is none), the window of seen transactions, the consensus
//! log, network, threads, API. Whatever is wrong on the way is named, and nothing runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::time::Instant;

use portolan_chain_spec::{ChainSpec, CheckedSpec, CodeSource};
use portolan_primitives::{Height, MemberId, SigningKey};
use portolan_replica::{Moment, Recovered, Replica};
use portolan_runtime::{ChainSecret, Runtime};
use portolan_state::{Options, SaltKey};
use portolan_vm::stack::THREAD_STACK_BYTES;
use portolan_vm::{Vm, VmConfig};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

use crate::admin::Admin;
use crate::config::Config;
use crate::handle::{self, Identity, NodeHandle, Reader};
use crate::host::checker::{Checker, Judge, ToChecker};
use crate::host::executor::{self, Executor};
use crate::host::halt::{self, Halt};
use crate::host::logger;
use crate::host::reading::ReadThreads;
use crate::host::replica::{self, Readiness, ReplicaHost};
use crate::host::verified::Verified;
use crate::host::{ToReplica, wall_clock};
use crate::keys::{self, KeyFileError, Passphrase};
use crate::limits::{CONCURRENT_QUERIES, SUBSCRIBER_LAG};
use crate::log_file::{LogError, LogFile};
use crate::network::{Network, NetworkError, Setup};
use crate::recovery::{open_log, recover};
use crate::store::disk::{DiskWatch, Room};
use crate::store::prune::Pruner;
use crate::store::{ChainError, DiskError, OpenError, Store};
use crate::{api, telemetry};

/// Name of the file that says that the node takes part in the network.
pub const READY_FILE: &str = "ready.json";
/// Calls of blocks that may be under way at once: several proposals, each with nested calls.
const BLOCK_SLOTS: u32 = 64;
/// Calls of queries that may be under way at once.
const QUERY_SLOTS: u32 = 32;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The home can't be used.
    #[error("the home {path} can't be used: {source}")]
    Home {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The spec can't be read.
    #[error("the chain-spec {path} can't be used: {reason}")]
    Spec {
        /// Which file.
        path: PathBuf,
        /// What is wrong, a line each.
        reason: String,
    },
    /// The configured member is not in the spec.
    #[error("the spec has no member `{0}`; set `member` to one of its names")]
    UnknownMember(String),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What is in the store.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The state in the store, or the runtime over it.
    #[error("the state can't be opened: {0}")]
    State(String),
    /// The genesis.
    #[error("the genesis of the spec can't be executed: {0}")]
    Genesis(String),
    /// The vm.
    #[error("the contract machine can't be started: {0}")]
    Vm(String),
    /// The consensus log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The consensus log's frames.
    #[error("the consensus log can't be read: {0}")]
    Frames(#[from] portolan_replica::log::LogError),
    /// The consensus log and the chain do not fit together.
    #[error("{0}")]
    Replica(portolan_replica::HaltReason),
    /// The store lost blocks that the log knows of.
    #[error(
        "the consensus log is at height {log}, and the store ends at {head}: the disk lost blocks that were final; restore this node with `portolan-node restore`"
    )]
    StoreBehindLog {
        /// Highest height in the log.
        log: Height,
        /// The store's last block.
        head: Height,
    },
    /// The network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The API.
    #[error("the API can't be started: {0}")]
    Api(String),
    /// A thread.
    #[error("a thread can't be started: {0}")]
    Thread(std::io::Error),
}

impl From<Halt> for StartError {
    fn from(halt: Halt) -> Self {
        Self::State(halt.to_string())
    }
}

/// The keys of a node, unlocked.
#[derive(Debug)]
pub struct NodeKeys {
    /// The key in the network.
    pub node: SigningKey,
    /// The consensus key.
    pub validator: Option<SigningKey>,
}

impl NodeKeys {
    /// Opens the configured key files.
    ///
    /// # Errors
    /// The passphrase or a file.
    pub fn unlock(config: &crate::config::Keys) -> Result<Self, KeyFileError> {
        let passphrase = Passphrase::find(config)?;
        let node = keys::read(&config.node, &passphrase)?;
        let validator = config.validator.as_deref().map(|path| keys::read(path, &passphrase)).transpose()?;
        Ok(Self { node, validator })
    }
}

/// Reads and checks a spec.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn read_spec(path: &Path) -> Result<CheckedSpec, StartError> {
    let wrong = |reason: String| StartError::Spec { path: path.into(), reason };
    let spec = ChainSpec::read(path).map_err(|error| wrong(error.to_string()))?;
    spec.check(&CodeSource::beside(path)).map_err(|faults| {
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        wrong(lines.join("\n"))
    })
}

/// A running node.
pub struct Node {
    handle: NodeHandle,
    server: api::Server,
    network: Network,
    replica: Sender<ToReplica>,
    checker: Sender<ToChecker>,
    ended: tokio::sync::oneshot::Receiver<Result<(), (Halt, Height)>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    admin: Option<Admin>,
    home: PathBuf,
    tls: bool,
}

impl Node {
    /// Starts a node; returns when it listens. Needs a tokio runtime.
    ///
    /// # Errors
    /// What is wrong, by name; nothing runs then.
    pub async fn start(config: &Config, spec: CheckedSpec, keys: NodeKeys) -> Result<Self, StartError> {
        let started = Instant::now();
        telemetry::start_metrics();
        prepare_home(&config.home)?;
        let genesis = spec.genesis;
        if !genesis.members.iter().any(|member| member.name == config.member) {
            return Err(StartError::UnknownMember(config.member.clone()));
        }
        let chain_id = genesis.chain();
        let member = MemberId::from_name(&config.member);
        let runtime = make_runtime(&config.home, &spec.secret)?;
        let mut watch = DiskWatch::new(&config.home, config.store.bounds());
        let keep = config.store.keep();
        if keep.is_none() {
            watch.look()?;
        }
        let cache = usize::try_from(config.store.cache_mib << 20).unwrap_or(usize::MAX);
        let store = Arc::new(Store::open(&config.home.join("store"), &chain_id, cache)?);
        let options = Options { history: config.store.keep_states, ..Options::new(SaltKey::derive(&spec.secret)) };
        let recovery = recover(store.clone(), &runtime, &genesis, options)?;
        let (disk, chain) = (watch.last(), recovery.chain.clone());
        let pruner = keep.map(|keep| Pruner { chain, store: store.clone(), keep, disk: disk.clone() });
        make_room(&mut watch, pruner.as_ref())?;
        let height = recovery.head.header.height;
        let (log, frames) = open_log(LogFile::open(&config.home.join("log"), chain_id, height)?, height)?;
        let identity = Identity {
            network: genesis.network,
            kind: genesis.kind,
            chain: chain_id,
            member,
            member_name: config.member.clone(),
            node_key: keys.node.public().id(),
            validator_key: keys.validator.as_ref().map(SigningKey::public),
        };
        tracing::info!(chain = %chain_id, height = %recovery.head.header.height, member = config.member, "the node starts");

        let (replica_sender, inbox) = channel();
        let (committed, _) = broadcast::channel(SUBSCRIBER_LAG);
        let verified = Arc::new(Verified::default());
        let admin = Admin::start(&config.home, store.clone())
            .inspect_err(|error| tracing::warn!(%error, "the node's socket can't be opened: no backup can be made while it runs"))
            .ok();
        // One waiting wake-up is as good as many.
        let (wake, woken) = sync_channel(1);
        let executor = Executor::new(executor::Parts {
            runtime: runtime.clone(),
            state: recovery.state.clone(),
            room: Box::new(move || {
                // A full channel: it is awake. A closed one: nothing is pruned.
                let _ = wake.try_send(());
                watch.check(store.written()).map_err(Halt::from)
            }),
            verified: verified.clone(),
            seen: recovery.seen,
            head: recovery.head.clone(),
            replica: replica_sender.clone(),
            committed: committed.clone(),
        })?;
        let (tip, roster, next) = (executor.tip(), executor.roster().clone(), executor.next_block()?);

        let events = replica_sender.clone();
        // The replica is gone only when the node stops.
        let sink = Arc::new(move |event| drop(events.send(ToReplica::Network(event))));
        let setup = Setup {
            chain: chain_id,
            key: &keys.node,
            listen: config.p2p.listen,
            addresses: config.p2p.peers.clone(),
            known: &roster.nodes,
        };
        let network = Network::start(setup, sink).await?;

        let (readiness, ready) = watch::channel(Readiness::default());
        let (to_log, log_jobs) = channel();
        let (to_executor, executor_jobs) = channel();
        let (to_checker, checker_jobs) = channel();
        let judge = Judge { runtime: runtime.clone(), chain: recovery.chain.clone(), verified };
        let checker = Checker { judge, tip: tip.clone(), replica: replica_sender.clone() };
        let handle = NodeHandle::new(handle::Parts {
            reader: Reader { chain: recovery.chain.clone(), state: recovery.state, runtime },
            tip,
            checker: to_checker.clone(),
            replica: replica_sender.clone(),
            network: network.clone(),
            committed,
            readiness: ready,
            identity,
            bounds: config.store.bounds(),
            disk,
            archive: config.store.archive,
            started,
            threads: ReadThreads::start(CONCURRENT_QUERIES).map_err(StartError::Thread)?,
        });
        let server = match api::start(handle.clone(), &config.api).await {
            Ok(server) => server,
            Err(error) => {
                network.close().await;
                return Err(StartError::Api(error.to_string()));
            }
        };

        let now = Moment { elapsed_ms: started.elapsed().as_millis() as u64, clock: wall_clock() };
        let fence = recovery.chain.fence()?;
        let replica_config =
            portolan_replica::Config { fence, ..portolan_replica::Config::new(chain_id, member, keys.validator) };
        let recovered = Recovered { head: recovery.head.header.clone(), next, log: frames };
        let replica = Replica::new(replica_config, recovered, now).map_err(StartError::Replica)?;
        let stop_checker = to_checker.clone();
        let (host, outputs) = ReplicaHost::new(replica::Parts {
            replica,
            member,
            height: recovery.head.header.height,
            roster,
            inbox,
            sender: replica_sender.clone(),
            log: to_log,
            executor: to_executor,
            checker: to_checker,
            network: network.clone(),
            chain: recovery.chain,
            blocking: tokio::runtime::Handle::current(),
            readiness,
            started,
        });
        let mut threads = Threads { replica: replica_sender.clone(), running: Vec::new() };
        let replica_of_log = replica_sender.clone();
        threads.start("log", move || logger::run(log, &log_jobs, &replica_of_log))?;
        threads.start("executor", move || executor.run(&executor_jobs))?;
        threads.start("checker", move || checker.run(&checker_jobs))?;
        if let Some(pruner) = pruner {
            let replica = replica_sender.clone();
            threads.start("pruner", move || {
                if let Err(error) = pruner.run(&woken) {
                    let _ = replica.send(ToReplica::Halt(Halt::Store(error.to_string())));
                }
            })?;
        }
        let (end, ended) = tokio::sync::oneshot::channel();
        threads.start("replica", move || drop(end.send(host.run(outputs))))?;
        let node = Self {
            handle,
            server,
            network,
            replica: replica_sender,
            checker: stop_checker,
            ended,
            threads: threads.running,
            admin,
            home: config.home.clone(),
            tls: config.api.tls_key.is_some(),
        };
        node.announce();
        Ok(node)
    }

    /// The way in.
    pub fn handle(&self) -> &NodeHandle {
        &self.handle
    }

    /// Where the API listens.
    pub fn api_address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Where the network listens.
    pub fn p2p_address(&self) -> std::net::SocketAddr {
        self.network.listen_address()
    }

    /// Where the node can be reached, as in [`READY_FILE`].
    pub fn ready(&self) -> Ready {
        let scheme = if self.tls { "https" } else { "http" };
        Ready {
            api: format!("{scheme}://{}", self.api_address()),
            p2p: self.p2p_address().to_string(),
            pid: std::process::id(),
        }
    }

    /// Writes [`READY_FILE`] once the node takes part in the network.
    fn announce(&self) {
        let ready = self.ready();
        let (handle, home) = (self.handle.clone(), self.home.clone());
        tokio::spawn(async move {
            handle.wait_ready().await;
            if !handle.is_ready() {
                return;
            }
            tracing::info!(api = ready.api, p2p = ready.p2p, "the node takes part in the network");
            if let Err(error) = halt::write_json(&home, READY_FILE, &ready) {
                tracing::error!(%error, "the ready file could not be written");
            }
        });
    }

    /// Runs until `stop` or until the node must halt, and then stops everything in good order.
    ///
    /// # Errors
    /// The reason to halt, which is also in the home.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Halt> {
        let ended = tokio::select! {
            ended = &mut self.ended => ended,
            () = stop => {
                // An error says that the replica ended at this very moment.
                let _ = self.replica.send(ToReplica::Stop);
                (&mut self.ended).await
            }
        };
        let result = match ended {
            Ok(result) => result,
            Err(_) => Err((Halt::Thread("replica"), self.handle.tip().head.header.height)),
        };
        let _ = std::fs::remove_file(self.home.join(READY_FILE));
        self.server.stop().await;
        self.network.close().await;
        if let Some(admin) = self.admin.take() {
            admin.close().await;
        }
        // Whoever still holds a handle must not keep the checking thread.
        let _ = self.checker.send(ToChecker::Stop);
        drop((self.handle, self.replica, self.checker));
        let threads = self.threads;
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().try_for_each(|thread| thread.join())).await;
        if !matches!(joined, Ok(Ok(()))) {
            tracing::error!("a thread ended by a fault");
        }
        result.map_err(|(halt, height)| {
            halt.report(&self.home, height.0);
            halt
        })
    }
}

/// Where a node that takes part in the network can be reached.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// URL of the API.
    pub api: String,
    /// Address for other nodes.
    pub p2p: String,
    /// The process.
    pub pid: u32,
}

/// Threads that tell the replica when they end by a fault.
struct Threads {
    replica: Sender<ToReplica>,
    running: Vec<std::thread::JoinHandle<()>>,
}

struct Alarm(&'static str, Sender<ToReplica>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.1.send(ToReplica::Halt(Halt::Thread(self.0)));
        }
    }
}

impl Threads {
    fn start(&mut self, name: &'static str, work: impl FnOnce() + Send + 'static) -> Result<(), StartError> {
        let alarm = Alarm(name, self.replica.clone());
        let body = move || {
            let _alarm = alarm;
            work();
        };
        // Blocks run on one of them, with a contract's nested calls; room that is not used is only reserved.
        let builder = std::thread::Builder::new().name(name.into()).stack_size(THREAD_STACK_BYTES);
        let thread = builder.spawn(body).map_err(StartError::Thread)?;
        self.running.push(thread);
        Ok(())
    }
}

fn prepare_home(home: &Path) -> Result<(), StartError> {
    let wrong = |source| StartError::Home { path: home.into(), source };
    std::fs::create_dir_all(home).map_err(wrong)?;
    // What an earlier run said does not hold any more.
    for name in [READY_FILE, halt::FILE] {
        match std::fs::remove_file(home.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(wrong(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Where there is little room, or none, what may go goes before the node runs.
fn make_room(watch: &mut DiskWatch, pruner: Option<&Pruner>) -> Result<(), StartError> {
    let Some(pruner) = pruner else { return Ok(()) };
    if watch.look() != Ok(Room::Plenty) {
        pruner.catch_up()?;
        watch.look()?;
    }
    Ok(())
}

fn make_runtime(home: &Path, secret: &[u8; 32]) -> Result<Arc<Runtime>, StartError> {
    let config = VmConfig {
        cache_dir: Some(home.join("modules")),
        block_slots: BLOCK_SLOTS,
        query_slots: QUERY_SLOTS,
        ..VmConfig::default()
    };
    let vm = Vm::new(config).map_err(|error| StartError::Vm(error.to_string()))?;
    Ok(Runtime::new(Arc::new(vm), ChainSecret::new(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::reading::tests::go_down;

    #[test]
    fn the_threads_of_a_node_have_the_stack_that_nested_calls_need_and_tell_when_they_fail() {
        let (replica, told) = channel();
        let mut threads = Threads { replica, running: Vec::new() };
        let (sender, deep) = channel();
        threads
            .start("deep", move || sender.send(go_down(usize::MAX, THREAD_STACK_BYTES - (1 << 20))).unwrap())
            .unwrap();
        assert!(deep.recv().unwrap());
        threads.start("failing", || panic!("a fault of this thread")).unwrap();
        assert!(matches!(told.recv(), Ok(ToReplica::Halt(Halt::Thread("failing")))));
    }
}
