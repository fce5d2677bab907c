//! Four whole nodes in one process, over loopback: they agree, they wait without working, they come back.

use std::path::Path;

use codec::Encode;
use futures::FutureExt;
use portolan_node::config::Config;
use portolan_node::handle::{NodeHandle, ReadError, Reader};
use portolan_node::limits::{CONCURRENT_QUERIES, DISK_HEADROOM_MIB, WAITING_QUERIES};
use portolan_node::node::{Node, NodeKeys, StartError, read_spec};
use portolan_node::store::DiskError;
use portolan_primitives::{Height, Transaction};
use portolan_replica::WhyNoBlock;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::world::{MEMBERS, add_person, free_ports, make_home};

pub struct Running {
    handle: NodeHandle,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), portolan_node::host::halt::Halt>>,
}

impl Running {
    async fn start(config: &Path) -> Result<Self, StartError> {
        Self::with(Config::load(config, std::iter::empty(), &[]).unwrap()).await
    }

    async fn with(config: Config) -> Result<Self, StartError> {
        let spec = read_spec(&config.spec)?;
        let keys = NodeKeys::unlock(&config.keys)?;
        let node = Node::start(&config, spec, keys).await?;
        let handle = node.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let ended = tokio::spawn(node.run(async { drop(stopped.await) }));
        Ok(Self { handle, stop, ended })
    }

    async fn stop(self) {
        drop(self.handle);
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

/// Waits until the node has a height.
async fn reach(handle: &NodeHandle, height: u64) {
    let mut blocks = handle.subscribe();
    while handle.tip().head.header.height < Height(height) {
        blocks.recv().await.unwrap();
    }
}

/// Submits, and waits for the block on that node.
pub async fn settle(handle: &NodeHandle, transaction: &Transaction) -> Height {
    let mut blocks = handle.subscribe();
    let id = handle.submit(transaction.encode()).await.unwrap();
    loop {
        let block = blocks.recv().await.unwrap();
        if block.transactions.contains(&id) {
            assert!(block.receipts.iter().all(|executed| executed.receipt.succeeded()), "{:?}", block.receipts);
            return block.head.header.height;
        }
    }
}

pub struct Cluster {
    pub folder: tempfile::TempDir,
    pub nodes: Vec<Option<Running>>,
}

impl Cluster {
    fn homes() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let ports = free_ports();
        for (index, member) in MEMBERS.iter().enumerate() {
            let others = (0..4).filter(|other| *other != index);
            let peers: Vec<String> =
                others.map(|other| format!("{}@127.0.0.1:{}", MEMBERS[other], ports[other])).collect();
            let home = folder.path().join(member);
            std::fs::create_dir(&home).unwrap();
            make_home(&home, member, &format!("127.0.0.1:{}", ports[index]), &peers);
        }
        folder
    }

    pub async fn start() -> Self {
        let mut cluster = Self { folder: Self::homes(), nodes: (0..4).map(|_| None).collect() };
        for index in 0..4 {
            cluster.start_node(index).await;
        }
        for index in 0..4 {
            cluster.handle(index).wait_ready().await;
        }
        cluster
    }

    pub async fn start_node(&mut self, index: usize) {
        let config = self.folder.path().join(MEMBERS[index]).join("node.toml");
        self.nodes[index] = Some(Running::start(&config).await.unwrap());
    }

    pub async fn stop_node(&mut self, index: usize) {
        self.nodes[index].take().unwrap().stop().await;
    }

    pub fn handle(&self, index: usize) -> NodeHandle {
        self.nodes[index].as_ref().unwrap().handle.clone()
    }

    /// Waits until a node has a height; one that ends before has not made it.
    pub async fn reach(&mut self, index: usize, height: Height) {
        let running = self.nodes[index].as_mut().unwrap();
        let handle = running.handle.clone();
        tokio::select! {
            () = reach(&handle, height.0) => {}
            ended = &mut running.ended => panic!("node {index} ended: {ended:?}"),
        }
    }

    pub async fn stop(mut self) {
        for index in 0..4 {
            if self.nodes[index].is_some() {
                self.stop_node(index).await;
            }
        }
    }
}

fn same_blocks(handles: &[NodeHandle], height: Height) {
    let hashes: std::collections::BTreeSet<_> = handles
        .iter()
        .map(|handle| {
            let tip = handle.tip();
            assert_eq!(tip.head.header.height, height);
            (tip.head.hash, tip.head.header.state_root)
        })
        .collect();
    assert_eq!(hashes.len(), 1, "all nodes have the same block and state");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_nodes_agree_on_a_transaction_given_to_any_of_them() {
    let cluster = Cluster::start().await;
    for (index, member) in MEMBERS.iter().enumerate() {
        let height = settle(&cluster.handle(index), &add_person(member, "bob")).await;
        for other in 0..4 {
            reach(&cluster.handle(other), height.0).await;
        }
    }
    let handles: Vec<NodeHandle> = (0..4).map(|index| cluster.handle(index)).collect();
    let height = handles[0].tip().head.header.height;
    for handle in &handles {
        reach(handle, height.0).await;
    }
    same_blocks(&handles, height);
    drop(handles);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_sent_again_has_one_outcome_and_one_id() {
    let cluster = Cluster::start().await;
    let handle = cluster.handle(0);
    let transaction = add_person("customs", "bob");
    settle(&handle, &transaction).await;
    let again = handle.submit(transaction.encode()).await.unwrap_err();
    assert_eq!(again.code(), "already_final");
    let mut forged = add_person("customs", "eve");
    forged.approvals[0] = transaction.approvals[0];
    assert_eq!(handle.submit(forged.encode()).await.unwrap_err().code(), "bad_signature");
    assert_eq!(handle.submit(vec![1, 2, 3]).await.unwrap_err().code(), "malformed_transaction");
    drop(handle);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_of_four_go_on_and_the_fourth_catches_up() {
    let mut cluster = Cluster::start().await;
    settle(&cluster.handle(0), &add_person("customs", "bob")).await;
    cluster.stop_node(3).await;
    let mut height = Height(0);
    for number in 0..5 {
        height = settle(&cluster.handle(0), &add_person("customs", &format!("person-{number}"))).await;
    }
    cluster.start_node(3).await;
    reach(&cluster.handle(3), height.0).await;
    let handles: Vec<NodeHandle> = (0..4).map(|index| cluster.handle(index)).collect();
    for handle in &handles {
        reach(handle, height.0).await;
    }
    same_blocks(&handles, height);
    drop(handles);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_was_stopped_goes_on_where_it_was() {
    let mut cluster = Cluster::start().await;
    let transaction = add_person("customs", "bob");
    let height = settle(&cluster.handle(0), &transaction).await;
    for index in 0..4 {
        reach(&cluster.handle(index), height.0).await;
    }
    for index in 0..4 {
        cluster.stop_node(index).await;
    }
    for index in 0..4 {
        cluster.start_node(index).await;
    }
    for index in 0..4 {
        assert!(cluster.handle(index).tip().head.header.height >= height);
    }
    // What ran does not run again, although the memory of it was lost.
    let again = cluster.handle(1).submit(transaction.encode()).await.unwrap_err();
    assert_eq!(again.code(), "already_final");
    let next = settle(&cluster.handle(1), &add_person("customs", "cat")).await;
    assert!(next > height);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_on_one_home_are_refused() {
    let folder = Cluster::homes();
    let config = folder.path().join(MEMBERS[0]).join("node.toml");
    let running = Running::start(&config).await.unwrap();
    let second = Running::start(&config).await;
    assert!(matches!(second, Err(StartError::Store(portolan_node::store::OpenError::InUse(_)))));
    assert!(!running.handle.is_ready(), "one of four takes part in nothing");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_room_on_its_disk_does_not_start() {
    let folder = Cluster::homes();
    let config = folder.path().join(MEMBERS[0]).join("node.toml");
    let text =
        std::fs::read_to_string(&config).unwrap().replace("disk_reserve_mib = 64", "disk_reserve_mib = 100000000");
    std::fs::write(&config, text).unwrap();
    let started = Running::start(&config).await;
    assert!(matches!(started, Err(StartError::Disk(DiskError::Full { reserve_mib: 100_000_000, .. }))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_stops_by_name_before_its_budget_is_used_up_and_goes_on_when_there_is_room() {
    let mut cluster = Cluster::start().await;
    let home = cluster.folder.path().join(MEMBERS[3]);
    settle(&cluster.handle(3), &add_person("customs", "first")).await;
    cluster.stop_node(3).await;
    let mut config = Config::load(&home.join("node.toml"), std::iter::empty(), &[]).unwrap();
    config.store.max_disk_mib = Some(1 << 20);
    let running = Running::with(config.clone()).await.unwrap();
    // A block makes it look.
    let height = settle(&cluster.handle(0), &add_person("customs", "second")).await;
    reach(&running.handle, height.0).await;
    let status = running.handle.status().await.unwrap();
    assert!(status.disk_used > 0 && !status.disk_short);
    running.stop().await;

    // Its budget is a little more than what it has, and that is taken: it ends by itself, and the others go on without it.
    let budget = (status.disk_used >> 20) + DISK_HEADROOM_MIB + 50;
    config.store.max_disk_mib = Some(budget);
    let running = Running::with(config.clone()).await.unwrap();
    let ballast = home.join("store/ballast");
    let file = std::fs::File::create(&ballast).unwrap();
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, 80 << 20).unwrap();
    for number in 0.. {
        if running.ended.is_finished() {
            break;
        }
        settle(&cluster.handle(0), &add_person("customs", &format!("more-{number}"))).await;
    }
    let halt = running.ended.await.unwrap().unwrap_err();
    assert_eq!((halt.code(), halt.exit_code()), ("disk_budget", 3));
    let said = halt.to_string();
    assert!(said.contains(&format!("it stops 64 before `store.max_disk_mib`, which is {budget}")), "{said}");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(home.join("halt.json")).unwrap()).unwrap();
    assert_eq!((&record["code"], record["reason"].as_str()), (&"disk_budget".into(), Some(&*said)));
    drop(running.handle);

    // Without room it does not start, whether it may prune or not; with room it goes on where it was.
    for archive in [true, false] {
        config.store.archive = archive;
        let refused = Running::with(config.clone()).await.err().unwrap();
        assert!(
            matches!(refused, StartError::Disk(DiskError::OverBudget { max_mib, .. }) if max_mib == budget),
            "{refused}"
        );
    }
    drop(file);
    std::fs::remove_file(&ballast).unwrap();
    let running = Running::with(config).await.unwrap();
    let height = settle(&cluster.handle(0), &add_person("customs", "last")).await;
    reach(&running.handle, height.0).await;
    cluster.nodes[3] = Some(running);
    let handles: Vec<NodeHandle> = (0..4).map(|index| cluster.handle(index)).collect();
    for handle in &handles {
        reach(handle, height.0).await;
    }
    same_blocks(&handles, height);
    drop(handles);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_ahead_of_the_store_is_refused() {
    let mut cluster = Cluster::start().await;
    let home = cluster.folder.path().join(MEMBERS[0]);
    let height = settle(&cluster.handle(0), &add_person("customs", "bob")).await;
    let height = settle(&cluster.handle(0), &add_person("customs", "cat")).await.max(height);
    reach(&cluster.handle(0), height.0).await;
    cluster.stop_node(0).await;
    // The disk lost the whole store, but not the log.
    std::fs::remove_dir_all(home.join("store")).unwrap();
    let started = Running::start(&home.join("node.toml")).await;
    assert!(matches!(started, Err(StartError::StoreBehindLog { .. })));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_begins_late_executes_every_block_from_genesis_to_the_same_roots() {
    let mut cluster = Cluster { folder: Cluster::homes(), nodes: (0..4).map(|_| None).collect() };
    for index in 0..3 {
        cluster.start_node(index).await;
    }
    let mut height = Height(0);
    for number in 0..8 {
        height = settle(&cluster.handle(number % 3), &add_person("customs", &format!("person-{number}"))).await;
    }
    // Nothing but the spec is in its home.
    cluster.start_node(3).await;
    cluster.reach(3, height).await;
    cluster.reach(0, height).await;
    let headers = |handle: NodeHandle| async move {
        let read = move |reader: &Reader| {
            let header = |at| Ok(reader.chain.header(Height(at))?.unwrap());
            (0..=height.0).map(header).collect::<Result<Vec<_>, ReadError>>()
        };
        handle.read(read).await.unwrap()
    };
    let (first, late) = (headers(cluster.handle(0)).await, headers(cluster.handle(3)).await);
    assert_eq!(first, late);
    // The state is there, not only what the headers say of it.
    let key = portolan_state::keys::parameter("block.heartbeat-ms");
    let (entries, proof) = cluster.handle(3).prove(height, vec![key.clone()]).await.unwrap();
    let (same_entries, same_proof) = cluster.handle(0).prove(height, vec![key]).await.unwrap();
    assert_eq!((entries, proof), (same_entries, same_proof));
    // Each knows what the other has.
    let status = cluster.handle(3).status().await.unwrap();
    let known: Vec<_> = status.peers.iter().filter_map(|peer| peer.height).collect();
    assert!(known.contains(&height), "{:?}", status.peers);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hears_of_a_block_finds_it_in_the_store() {
    let cluster = Cluster::start().await;
    let handle = cluster.handle(0);
    let mut blocks = handle.subscribe();
    let stored = || async {
        let read = |reader: &Reader| Ok((reader.chain.head()?.unwrap().header.height.0, reader.state.store().syncs()));
        handle.read(read).await.unwrap()
    };
    let (before, syncs_before) = stored().await;
    for number in 0..5 {
        handle.submit(add_person("customs", &format!("person-{number}")).encode()).await.unwrap();
        let block = blocks.recv().await.unwrap();
        let (height, syncs) = stored().await;
        assert!(height >= block.head.header.height.0, "told of before it was stored");
        assert_eq!(syncs - syncs_before, height - before, "a block, its receipts and its state are one synced batch");
    }
    drop(handle);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_reads_than_may_wait_are_refused_at_once_and_later_ones_answered() {
    let folder = Cluster::homes();
    let running = Running::start(&folder.path().join(MEMBERS[0]).join("node.toml")).await.unwrap();
    let (closed, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    let mut reads = Vec::new();
    for _ in 0..CONCURRENT_QUERIES + WAITING_QUERIES {
        let gate = gate.clone();
        let through = move |_: &Reader| Ok(gate.lock().unwrap().recv().is_err());
        let mut read = Box::pin(running.handle.read(through));
        assert!(futures::poll!(&mut read).is_pending());
        reads.push(read);
    }
    let refused = running.handle.read(|_| Ok(())).now_or_never().unwrap();
    assert!(matches!(refused, Err(ReadError::Busy)), "{refused:?}");
    drop(closed);
    for answer in futures::future::join_all(reads).await {
        assert!(answer.unwrap(), "the gate was opened by closing its other end");
    }
    running.handle.read(|_| Ok(())).await.unwrap();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_needs_pruned_blocks_says_so_and_an_archive_node_brings_it_up() {
    let mut cluster = Cluster { folder: Cluster::homes(), nodes: (0..4).map(|_| None).collect() };
    for index in 0..3 {
        cluster.start_node(index).await;
    }
    let mut height = Height(0);
    for number in 0..6 {
        height = settle(&cluster.handle(0), &add_person("customs", &format!("person-{number}"))).await;
    }
    // Two of the three have pruned; the third, which keeps all, is away.
    for index in 0..3 {
        cluster.reach(index, height).await;
    }
    let bounds = portolan_node::store::chain::Bounds { heights: 4, writes: 1_000 };
    for index in 0..2 {
        let let_go = move |reader: &Reader| Ok(reader.chain.let_go(bounds, |_| true)?);
        assert_eq!(cluster.handle(index).read(let_go).await.unwrap(), Some(Height(4)));
    }
    cluster.stop_node(2).await;
    cluster.start_node(3).await;
    let late = cluster.handle(3);
    let out_of_reach = WhyNoBlock::OutOfReach { next: Height(1), lowest: Height(4) };
    while late.status().await.unwrap().replica.why_no_block != out_of_reach {
        tokio::task::yield_now().await;
    }
    assert_eq!(late.tip().head.header.height, Height(0));
    cluster.start_node(2).await;
    cluster.reach(3, height).await;
    // What it has caught up with it keeps, and goes on with the others.
    let next = settle(&late, &add_person("customs", "after-all")).await;
    assert!(next > height);
    // A pruned node starts again from what it has.
    cluster.stop_node(0).await;
    cluster.start_node(0).await;
    cluster.reach(0, next).await;
    let pruned = cluster.handle(0).read(|reader| Ok(reader.chain.bodies(Height(3))?)).await.unwrap_err();
    assert!(matches!(pruned, ReadError::BlockPruned { height: Height(3), lowest: Height(4) }), "{pruned}");
    drop(late);
    cluster.stop().await;
}
