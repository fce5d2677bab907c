//! The task that owns the libp2p swarm: dials, judges, keeps one link a peer, and starts the readers and writers of its streams.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol as Part;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm, SwarmBuilder, noise, tcp, yamux};
use portolan_primitives::{KeyId, MemberId};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::class::Class;
use super::dialer::{Dialer, Entry};
use super::identity::{keypair, public_key};
use super::judge::Rights;
use super::link::{self, Ended, Link, Outlets};
use super::protocol::{Opened, Protocol};
use super::{Command, NetworkError, NetworkEvent, Setup, Shared, Sink, Unreached, now};
use crate::limits::HANDSHAKE_TIMEOUT;

/// Two nodes that dial each other at once both keep the link that the smaller peer id dialled. Later than this, a second link
/// means that the other side lost the first.
const CROSSED_DIALS: Duration = Duration::from_secs(3);
/// A link that lasted this long was a good one.
const HELD: Duration = Duration::from_secs(5);
/// One stream of each class in each direction, and a few that are being refused.
const MAX_STREAMS: usize = 16;

struct Connected {
    connection: ConnectionId,
    dialled: bool,
    link: Arc<Link>,
    outlets: Outlets,
    readers: Vec<Class>,
}

/// What a spawned task of a link, or a look-up of a host, came to.
enum Done {
    Ended(PeerId, ConnectionId, Ended),
    Resolved(usize, std::io::Result<Vec<SocketAddr>>),
}

pub(super) struct Driver {
    swarm: Swarm<Protocol>,
    shared: Arc<Shared>,
    commands: mpsc::UnboundedReceiver<Command>,
    sink: Sink,
    dialer: Dialer,
    dials: BTreeMap<ConnectionId, usize>,
    connected: BTreeMap<PeerId, Connected>,
    tasks: JoinSet<Done>,
    tries: usize,
}

impl Driver {
    /// A driver that does not listen yet.
    pub(super) fn new(
        setup: &Setup<'_>,
        shared: Arc<Shared>,
        commands: mpsc::UnboundedReceiver<Command>,
        sink: Sink,
    ) -> Result<Self, NetworkError> {
        Ok(Self {
            swarm: swarm(setup, &shared)?,
            shared,
            commands,
            sink,
            dialer: Dialer::new(setup.addresses.clone(), now()),
            dials: BTreeMap::new(),
            connected: BTreeMap::new(),
            tasks: JoinSet::new(),
            tries: 0,
        })
    }

    /// Listens, and gives the address that it got.
    pub(super) async fn listen(&mut self, at: SocketAddr) -> Result<SocketAddr, NetworkError> {
        let refused = |reason: String| NetworkError::Listen { address: at, reason };
        self.swarm.listen_on(multiaddr(at)).map_err(|error| refused(error.to_string()))?;
        let address = loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => break socket_addr(&address),
                SwarmEvent::ListenerClosed { reason: Err(error), .. } | SwarmEvent::ListenerError { error, .. } => {
                    return Err(refused(error.to_string()));
                }
                _ => {}
            }
        };
        Ok(SocketAddr::new(at.ip(), address.map_or(at.port(), |address| address.port())))
    }

    /// Runs until it is told to close.
    pub(super) async fn run(mut self) {
        loop {
            let wake = self.dialer.next(is_connected(&self.connected));
            let pause = async {
                match wake {
                    Some(wake) => tokio::time::sleep_until(wake.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(Command::Close(done)) => {
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.handle(event),
                Some(done) = self.tasks.join_next() => match done {
                    Ok(Done::Ended(peer, connection, ended)) => self.ended(peer, connection, ended),
                    Ok(Done::Resolved(place, addresses)) => self.resolved(place, addresses),
                    Err(error) => tracing::error!(%error, "a task of the network failed"),
                },
                () = pause => self.dial(),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Rejudge => self.rejudge(),
            Command::Fault(id, reason) => {
                if let Some(peer) = self.peer_of(&id) {
                    self.fault(peer, &reason);
                }
            }
            Command::Overrun(id) => {
                if let Some(peer) = self.peer_of(&id) {
                    self.drop_link(peer, "it does not keep up with the votes");
                }
            }
            Command::Dial(address) => self.dialer.add(address, now()),
            Command::Close(_) => {}
        }
    }

    fn peer_of(&self, id: &KeyId) -> Option<PeerId> {
        self.connected.iter().find(|(_, connected)| connected.link.id == *id).map(|(peer, _)| *peer)
    }

    fn handle(&mut self, event: SwarmEvent<(PeerId, ConnectionId, Opened)>) {
        match event {
            SwarmEvent::Behaviour((peer, connection, opened)) => self.opened(peer, connection, opened),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                let reason = cause.map_or_else(|| "closed".to_owned(), |cause| cause.to_string());
                self.closed(peer_id, connection_id, reason);
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => self.dial_failed(connection_id, &error),
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                metrics::counter!("portolan_network_refused_connections").increment(1);
                tracing::info!(address = %send_back_addr, reason = %chain(&error), "an incoming connection was refused");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "the listener had an error"),
            SwarmEvent::ListenerClosed { reason, .. } => tracing::error!(?reason, "the listener is closed"),
            _ => {}
        }
    }

    // ---- dialling ----

    fn dial(&mut self) {
        for place in self.dialer.due(now(), is_connected(&self.connected)) {
            let address = &self.dialer.entries()[place].address;
            let (host, port) = (address.host.clone(), address.port);
            self.tasks.spawn(async move {
                let found = tokio::time::timeout(HANDSHAKE_TIMEOUT, tokio::net::lookup_host((host, port))).await;
                let found = found.unwrap_or_else(|late| Err(late.into()));
                Done::Resolved(place, found.map(Iterator::collect))
            });
        }
    }

    fn resolved(&mut self, place: usize, addresses: std::io::Result<Vec<SocketAddr>>) {
        let addresses = match addresses {
            Ok(addresses) if !addresses.is_empty() => addresses,
            Ok(_) => return self.not_reached(place, "the host has no address".into()),
            Err(error) => return self.not_reached(place, error.to_string()),
        };
        // A host with several addresses gets another one with each try.
        let address = multiaddr(addresses[self.tries % addresses.len()]);
        self.tries = self.tries.wrapping_add(1);
        let options = DialOpts::unknown_peer_id().address(address).build();
        let connection = options.connection_id();
        self.dials.insert(connection, place);
        if let Err(error) = self.swarm.dial(options) {
            self.dial_failed(connection, &error);
        }
    }

    fn dial_failed(&mut self, connection: ConnectionId, error: &DialError) {
        let Some(place) = self.dials.remove(&connection) else { return };
        match error {
            DialError::LocalPeerId { .. } => self.dialer.own(place),
            error => self.not_reached(place, chain(error)),
        }
    }

    fn not_reached(&mut self, place: usize, reason: String) {
        if let Some(entry) = self.dialer.entries().get(place) {
            tracing::debug!(address = %entry.address, reason, "a peer was not reached");
        }
        self.dialer.failed(place, reason, now());
        self.publish_unreached();
    }

    // ---- links ----

    fn established(&mut self, peer: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let place = self.dials.remove(&connection);
        if let Some(place) = place {
            self.dialer.answered(place, peer, now());
        }
        let dialled = endpoint.is_dialer();
        let Some(rights) = self.rights(&peer, dialled) else {
            self.swarm.close_connection(connection);
            return;
        };
        if let Some(place) = place
            && let Some(wanted) = self.is_another(place, rights)
        {
            self.dialer.failed(place, format!("the node there is not {wanted}'s"), now());
            self.publish_unreached();
            self.swarm.close_connection(connection);
            return;
        }
        if !self.replaces(&peer, dialled) {
            self.swarm.close_connection(connection);
            return;
        }
        self.link_up(peer, connection, dialled, rights, endpoint.get_remote_address().to_string());
    }

    fn rights(&self, peer: &PeerId, dialled: bool) -> Option<Rights> {
        let judge = &self.shared.judge;
        if dialled { judge.outbound(peer).ok() } else { judge.inbound(peer).ok() }
    }

    /// The member that the address should be of, when the chain says that another's node answered.
    fn is_another(&self, place: usize, rights: Rights) -> Option<String> {
        let wanted = self.dialer.entries().get(place)?.address.member.clone()?;
        let found = rights.member()?;
        (found != MemberId::from_name(&wanted)).then_some(wanted)
    }

    /// Whether a new connection takes the place of what there is to that peer.
    fn replaces(&self, peer: &PeerId, dialled: bool) -> bool {
        let Some(old) = self.connected.get(peer) else { return true };
        if old.dialled == dialled || old.link.age() > CROSSED_DIALS {
            return true;
        }
        let ours_is_kept = self.swarm.local_peer_id() < peer;
        dialled == ours_is_kept
    }

    fn link_up(&mut self, peer: PeerId, connection: ConnectionId, dialled: bool, rights: Rights, address: String) {
        let Ok(key) = public_key(&peer) else {
            self.swarm.close_connection(connection);
            return;
        };
        let (link, outlets) = Link::new(key, rights, address);
        let keeper = link.clone();
        self.tasks.spawn(async move { Done::Ended(peer, connection, link::keep(keeper).await) });
        let connected = Connected { connection, dialled, link: link.clone(), outlets, readers: Vec::new() };
        if let Some(old) = self.connected.insert(peer, connected) {
            self.swarm.close_connection(old.connection);
            (self.sink)(NetworkEvent::Down { peer: link.id, reason: "a new connection takes its place".into() });
        }
        self.publish_links();
        tracing::info!(peer = %link.id, member = ?link.member(), address = link.address, dialled, "a peer is connected");
        (self.sink)(NetworkEvent::Up { peer: link.id, member: link.member() });
    }

    fn opened(&mut self, peer: PeerId, connection: ConnectionId, opened: Opened) {
        let Some(connected) = self.connected.get_mut(&peer).filter(|connected| connected.connection == connection)
        else {
            return;
        };
        match opened {
            Opened::Inbound(class, _) if connected.readers.contains(&class) => {
                self.fault(peer, "it opened a second stream of one class");
            }
            Opened::Inbound(class, stream) => {
                connected.readers.push(class);
                let (link, sink) = (connected.link.clone(), self.sink.clone());
                let sink = move |inbound| sink(NetworkEvent::Message(inbound));
                self.tasks
                    .spawn(async move { Done::Ended(peer, connection, link::read(link, class, stream, sink).await) });
            }
            Opened::Outbound(class, stream) => {
                if let Some(outlet) = connected.outlets[class as usize].take() {
                    self.tasks.spawn(async move { Done::Ended(peer, connection, link::write(outlet, stream).await) });
                }
            }
            Opened::Refused(class) => {
                // What is sent to it from now on is dropped at once.
                connected.outlets[class as usize] = None;
                tracing::info!(peer = %connected.link.id, class = class.name(), "the peer takes no such stream from this node; it may not know its key yet");
            }
        }
    }

    fn ended(&mut self, peer: PeerId, connection: ConnectionId, ended: Ended) {
        if self.connected.get(&peer).is_none_or(|connected| connected.connection != connection) {
            return;
        }
        match ended {
            Ended::Fault(reason) => self.fault(peer, &reason),
            Ended::Gone(reason) => self.drop_link(peer, &reason),
        }
    }

    fn fault(&mut self, peer: PeerId, reason: &str) {
        let pause = self.shared.judge.fault(peer, now());
        metrics::counter!("portolan_network_peer_faults").increment(1);
        tracing::warn!(%peer, reason, shut_out_s = pause.as_secs(), "a peer broke the protocol");
        self.drop_link(peer, reason);
    }

    fn drop_link(&mut self, peer: PeerId, reason: &str) {
        if let Some(connected) = self.connected.get(&peer) {
            let connection = connected.connection;
            self.swarm.close_connection(connection);
            self.closed(peer, connection, reason.to_owned());
        }
    }

    fn closed(&mut self, peer: PeerId, connection: ConnectionId, reason: String) {
        if self.connected.get(&peer).is_none_or(|connected| connected.connection != connection) {
            return;
        }
        let Some(connected) = self.connected.remove(&peer) else { return };
        if connected.link.age() > HELD {
            self.dialer.held(&peer);
        }
        self.publish_links();
        tracing::info!(peer = %connected.link.id, member = ?connected.link.member(), reason, "a peer is gone");
        (self.sink)(NetworkEvent::Down { peer: connected.link.id, reason });
    }

    fn rejudge(&mut self) {
        let changed: Vec<PeerId> = self
            .connected
            .iter()
            .filter(|(peer, connected)| self.rights(peer, connected.dialled) != Some(connected.link.rights))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in changed {
            self.drop_link(peer, "the chain changed what its key may do");
        }
    }

    // ---- what others see ----

    fn publish_links(&self) {
        let links: BTreeMap<KeyId, Arc<Link>> =
            self.connected.values().map(|connected| (connected.link.id, connected.link.clone())).collect();
        metrics::gauge!("portolan_network_peers").set(links.len() as f64);
        self.shared.links.store(Arc::new(links));
        self.publish_unreached();
    }

    fn publish_unreached(&self) {
        let connected = is_connected(&self.connected);
        let waiting = self.dialer.entries().iter().filter(|entry| !connected(entry));
        let unreached =
            waiting.map(|entry| Unreached { address: entry.address.clone(), last_error: entry.last_error.clone() });
        self.shared.unreached.store(Arc::new(unreached.collect()));
    }
}

/// Whether somebody is connected at an address: who answered there last, or any node of its member.
fn is_connected(connected: &BTreeMap<PeerId, Connected>) -> impl Fn(&Entry) -> bool + '_ {
    move |entry| {
        let answered = entry.peer.is_some_and(|peer| connected.contains_key(&peer));
        let member = entry.address.member.as_deref().map(MemberId::from_name);
        answered || member.is_some_and(|member| connected.values().any(|link| link.link.member() == Some(member)))
    }
}

fn swarm(setup: &Setup<'_>, shared: &Shared) -> Result<Swarm<Protocol>, NetworkError> {
    let transport = |error: &dyn std::fmt::Display| NetworkError::Transport(error.to_string());
    let protocol = Protocol::new(setup.chain, shared.judge.clone());
    let multiplexer = || {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(MAX_STREAMS);
        config
    };
    let builder = SwarmBuilder::with_existing_identity(keypair(setup.key)?)
        .with_tokio()
        .with_tcp(tcp::Config::new().nodelay(true), noise::Config::new, multiplexer)
        .map_err(|error| transport(&error))?
        .with_behaviour(|_| protocol)
        .map_err(|error| transport(&error))?;
    // Links are kept by their streams and ended by their keeper; idleness says nothing.
    let idle = Duration::from_secs(60);
    Ok(builder.with_swarm_config(|config| config.with_idle_connection_timeout(idle)).build())
}

fn multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip()).with(Part::Tcp(address.port()))
}

fn socket_addr(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Part::Ip4(ip) => ip.into(),
        Part::Ip6(ip) => std::net::IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Part::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
