//! The network of nodes: libp2p over TCP, Noise and yamux, a full mesh of long streams between nodes whose keys the chain knows.
//!
//! This module carries bytes of three classes and tells who is there; what the bytes mean, the replica knows. Every frame has a
//! bound before it has an allocation, every queue is bounded per peer. Nothing that a peer sends may panic, block or grow the node.

pub mod class;
mod dialer;
mod driver;
pub mod frame;
pub mod identity;
mod judge;
mod link;
mod protocol;
mod rate;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use portolan_primitives::{Hash, KeyId, MemberId, PublicKey, SigningKey};
use tokio::sync::{mpsc, oneshot};

pub use class::Class;
pub use judge::Rights;
pub use link::Inbound;

use crate::config::PeerAddress;
use driver::Driver;
use judge::Judge;
use link::{Handed, Link};

/// Why there is no network.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The node's key is none that the network can use.
    #[error("the node's key can't be used in the network: {0}")]
    Key(#[from] identity::IdentityError),
    /// The transport could not be made.
    #[error("the transport could not be set up: {0}")]
    Transport(String),
    /// The system gave no thread for it.
    #[error("the network's thread could not be started: {0}")]
    Thread(std::io::Error),
    /// The address is not to be had.
    #[error("can't listen on `p2p.listen` {address}: {reason}; is another node running on it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        reason: String,
    },
}

/// What the network tells.
#[derive(Debug)]
pub enum NetworkEvent {
    /// A link is up. One that was up before counts as gone.
    Up {
        /// Id of the peer's node key.
        peer: KeyId,
        /// Whose it is, if the chain knows the key.
        member: Option<MemberId>,
    },
    /// The link is gone.
    Down {
        /// Id of the peer's node key.
        peer: KeyId,
        /// Why.
        reason: String,
    },
    /// A message came.
    Message(Inbound),
}

/// Takes what the network tells; called from many tasks, must not block.
pub type Sink = Arc<dyn Fn(NetworkEvent) + Send + Sync>;

/// What a network is made of.
#[derive(Debug)]
pub struct Setup<'a> {
    /// Genesis hash: nodes of other chains find no common protocol.
    pub chain: Hash,
    /// The node's key.
    pub key: &'a SigningKey,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whom to dial.
    pub addresses: Vec<PeerAddress>,
    /// The node keys of the latest state.
    pub known: &'a BTreeMap<PublicKey, MemberId>,
}

/// A peer, for people and metrics.
#[derive(Clone, Debug)]
pub struct PeerStatus {
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
}

/// An address of the configuration at which nobody is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// The address.
    pub address: PeerAddress,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

#[derive(Debug)]
enum Command {
    Rejudge,
    Fault(KeyId, String),
    Overrun(KeyId),
    Dial(PeerAddress),
    Close(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Shared {
    links: ArcSwap<BTreeMap<KeyId, Arc<Link>>>,
    unreached: ArcSwap<Vec<Unreached>>,
    judge: Arc<Judge>,
}

/// A handle to the network; cheap to clone. Sending never waits.
#[derive(Clone, Debug)]
pub struct Network {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    listen: SocketAddr,
}

impl Network {
    /// Starts to listen and to dial, on a thread of its own: what a message passes through on its way is then one thread, and
    /// neither requests of the API nor their number hold it up. Returns when it listens.
    pub async fn start(setup: Setup<'_>, sink: Sink) -> Result<Self, NetworkError> {
        let shared = Arc::new(Shared::default());
        shared.judge.set_known(setup.known);
        let (commands, receiver) = mpsc::unbounded_channel();
        let driver = Driver::new(&setup, shared.clone(), receiver, sink)?;
        let at = setup.listen;
        let (listens, listening) = oneshot::channel();
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(NetworkError::Thread)?;
        std::thread::Builder::new()
            .name("network".into())
            .spawn(move || runtime.block_on(run(driver, at, listens)))
            .map_err(NetworkError::Thread)?;
        let ended = |_| NetworkError::Transport("its thread ended before it listened".into());
        let listen = listening.await.map_err(ended)??;
        Ok(Self { shared, commands, listen })
    }

    /// Where it listens, with the port that it got.
    pub fn listen_address(&self) -> SocketAddr {
        self.listen
    }

    /// Sends to one peer, if it is connected.
    pub fn send(&self, peer: &KeyId, class: Class, bytes: Arc<[u8]>) {
        if let Some(link) = self.shared.links.load().get(peer) {
            self.hand(link, class, bytes);
        }
    }

    /// Sends to every connected peer that `wanted` says yes to.
    pub fn send_all(&self, class: Class, bytes: &Arc<[u8]>, wanted: impl Fn(&KeyId) -> bool) {
        for (peer, link) in self.shared.links.load().iter() {
            if wanted(peer) {
                self.hand(link, class, bytes.clone());
            }
        }
    }

    fn hand(&self, link: &Link, class: Class, bytes: Arc<[u8]>) {
        metrics::counter!("portolan_network_sent_bytes", "class" => class.name()).increment(bytes.len() as u64);
        match link.send(class, bytes) {
            Handed::Queued => {}
            Handed::Dropped => {
                metrics::counter!("portolan_network_dropped_messages", "class" => class.name()).increment(1)
            }
            Handed::Overrun => self.command(Command::Overrun(link.id)),
        }
    }

    /// Takes the node keys of a new state; links whose rights change are closed.
    pub fn set_known(&self, known: &BTreeMap<PublicKey, MemberId>) {
        self.shared.judge.set_known(known);
        self.command(Command::Rejudge);
    }

    /// A peer broke the protocol: disconnect it, and shut it out for a while.
    pub fn fault(&self, peer: KeyId, reason: impl Into<String>) {
        self.command(Command::Fault(peer, reason.into()));
    }

    /// Dials one more address.
    pub fn dial(&self, address: PeerAddress) {
        self.command(Command::Dial(address));
    }

    /// Who is connected.
    pub fn peers(&self) -> Vec<PeerStatus> {
        let status = |link: &Arc<Link>| PeerStatus {
            id: link.id,
            member: link.member(),
            address: link.address.clone(),
            connected_for: link.age(),
            clock: link.clock(),
        };
        self.shared.links.load().values().map(status).collect()
    }

    /// Addresses of the configuration at which nobody is connected.
    pub fn unreached(&self) -> Vec<Unreached> {
        self.shared.unreached.load().as_ref().clone()
    }

    /// Closes every link and stops listening.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        self.command(Command::Close(done));
        // An error says that it was closed already.
        let _ = closed.await;
    }

    fn command(&self, command: Command) {
        // The driver ends with `close` only; after that nothing is to be done.
        let _ = self.commands.send(command);
    }
}

async fn run(mut driver: Driver, at: SocketAddr, listens: oneshot::Sender<Result<SocketAddr, NetworkError>>) {
    let listening = driver.listen(at).await;
    let listens_now = listening.is_ok();
    // Whoever started it may be gone; its handle, and with it the commands, are then too.
    let _ = listens.send(listening);
    if listens_now {
        driver.run().await;
    }
}

fn now() -> Instant {
    Instant::now()
}
