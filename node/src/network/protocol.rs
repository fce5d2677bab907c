//! The protocol in libp2p's terms: a connection handler that opens one stream of each class and takes one of each, and hands
//! the negotiated streams out. Bytes are read and written elsewhere; who may connect is asked at the Noise identity.
//!
//! Protocol names carry the chain, so that nodes of two chains find nothing to talk about.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{Ready, ready};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour, Stream,
    StreamProtocol, SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use portolan_primitives::Hash;

use super::class::Class;
use super::judge::{Judge, Rights};
use crate::limits::{HANDSHAKE_TIMEOUT, MAX_PENDING_CONNECTIONS};

/// The name of a class's protocol on a chain.
fn protocol_name(chain: &Hash, class: Class) -> StreamProtocol {
    let name = format!("/portolan/{}/{}/1", &chain.to_string()[..16], class.name());
    // It begins with a slash, so this can't fail; the fallback speaks with nobody.
    StreamProtocol::try_from_owned(name).unwrap_or(StreamProtocol::new("/portolan/none"))
}

/// The classes that are offered or asked for.
#[derive(Clone, Debug)]
pub struct Offer(Vec<Named>);

/// A class with its protocol's name.
#[derive(Clone, Debug)]
pub struct Named(Class, StreamProtocol);

impl AsRef<str> for Named {
    fn as_ref(&self) -> &str {
        self.1.as_ref()
    }
}

impl Offer {
    fn of(chain: &Hash, classes: &[Class]) -> Self {
        Self(classes.iter().map(|class| Named(*class, protocol_name(chain, *class))).collect())
    }

    fn single(&self) -> impl Iterator<Item = Offer> + '_ {
        self.0.iter().map(|named| Offer(vec![named.clone()]))
    }
}

impl UpgradeInfo for Offer {
    type Info = Named;
    type InfoIter = std::vec::IntoIter<Named>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = (Class, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, named: Named) -> Self::Future {
        ready(Ok((named.0, stream)))
    }
}

impl OutboundUpgrade<Stream> for Offer {
    type Output = (Class, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, named: Named) -> Self::Future {
        ready(Ok((named.0, stream)))
    }
}

/// What a connection's handler reports.
#[derive(Debug)]
pub enum Opened {
    /// The peer opened a stream to us.
    Inbound(Class, Stream),
    /// Our stream to the peer is open.
    Outbound(Class, Stream),
    /// The peer does not take streams of that class from us.
    Refused(Class),
}

/// The handler of one connection.
pub struct Handler {
    offer: Offer,
    events: VecDeque<ConnectionHandlerEvent<Offer, Class, Opened>>,
}

impl Handler {
    fn new(chain: &Hash, rights: Rights) -> Self {
        let offer = Offer::of(chain, rights.classes());
        let events = offer
            .single()
            .zip(rights.classes())
            .map(|(single, class)| {
                let protocol = SubstreamProtocol::new(single, *class).with_timeout(HANDSHAKE_TIMEOUT);
                ConnectionHandlerEvent::OutboundSubstreamRequest { protocol }
            })
            .collect();
        Self { offer, events }
    }

    fn report(&mut self, opened: Opened) {
        self.events.push_back(ConnectionHandlerEvent::NotifyBehaviour(opened));
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Opened;
    type InboundProtocol = Offer;
    type OutboundProtocol = Offer;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Class;

    fn listen_protocol(&self) -> SubstreamProtocol<Offer> {
        SubstreamProtocol::new(self.offer.clone(), ()).with_timeout(HANDSHAKE_TIMEOUT)
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Offer, Class, Opened>> {
        // Events come from `on_connection_event` only, after which the connection polls again.
        self.events.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Offer, Offer, (), Class>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol: (class, stream), .. }) => {
                self.report(Opened::Inbound(class, stream));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol: (class, stream), .. }) => {
                self.report(Opened::Outbound(class, stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: class, .. }) => {
                self.report(Opened::Refused(class))
            }
            _ => {}
        }
    }
}

/// The behaviour: asks the judge, makes handlers, passes their reports on.
pub struct Protocol {
    chain: Hash,
    judge: Arc<Judge>,
    /// Connections to us that are in their handshake.
    pending: BTreeSet<ConnectionId>,
    events: VecDeque<(PeerId, ConnectionId, Opened)>,
}

/// More connections in their handshake than allowed.
#[derive(Debug, thiserror::Error)]
#[error("{MAX_PENDING_CONNECTIONS} connections are in their handshake already")]
struct TooManyPending;

impl Protocol {
    /// The protocol of `chain`.
    pub fn new(chain: Hash, judge: Arc<Judge>) -> Self {
        Self { chain, judge, pending: BTreeSet::new(), events: VecDeque::new() }
    }
}

impl NetworkBehaviour for Protocol {
    type ConnectionHandler = Handler;
    type ToSwarm = (PeerId, ConnectionId, Opened);

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if self.pending.len() >= MAX_PENDING_CONNECTIONS {
            return Err(ConnectionDenied::new(TooManyPending));
        }
        self.pending.insert(connection);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.pending.remove(&connection);
        let rights = self.judge.inbound(&peer).map_err(ConnectionDenied::new)?;
        Ok(Handler::new(&self.chain, rights))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let rights = self.judge.outbound(&peer).map_err(ConnectionDenied::new)?;
        Ok(Handler::new(&self.chain, rights))
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.pending.remove(&failure.connection_id);
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, opened: THandlerOutEvent<Self>) {
        self.events.push_back((peer, connection, opened));
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        // Events come from `on_connection_handler_event` only, after which the swarm polls again.
        self.events.pop_front().map_or(Poll::Pending, |event| Poll::Ready(ToSwarm::GenerateEvent(event)))
    }
}
