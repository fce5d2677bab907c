//! Two nodes and their network: whose keys the chain knows may talk, others may not, on both sides.

use std::collections::BTreeMap;
use std::sync::Arc;

use portolan_node::limits::MAX_PENDING_CONNECTIONS;
use portolan_node::network::{Class, Network, NetworkEvent, Setup};
use portolan_primitives::{Hash, KeyId, MemberId, PublicKey, SigningKey};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const CHAIN: Hash = Hash([9; 32]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(&[seed; 32]).unwrap()
}

fn member(seed: u8) -> MemberId {
    MemberId([seed; 16])
}

fn known(seeds: &[u8]) -> BTreeMap<PublicKey, MemberId> {
    seeds.iter().map(|seed| (key(*seed).public(), member(*seed))).collect()
}

struct Side {
    network: Network,
    events: UnboundedReceiver<NetworkEvent>,
}

impl Side {
    async fn start(seed: u8, chain: Hash, knows: &[u8], dial: Option<&Side>) -> Self {
        let (sender, events) = unbounded_channel();
        let addresses = dial.map(|side| side.network.listen_address().to_string().parse().unwrap());
        let known = known(knows);
        let key = key(seed);
        let setup = Setup {
            chain,
            key: &key,
            listen: "127.0.0.1:0".parse().unwrap(),
            addresses: addresses.into_iter().collect(),
            known: &known,
        };
        let network = Network::start(setup, Arc::new(move |event| drop(sender.send(event)))).await.unwrap();
        Self { network, events }
    }

    async fn up(&mut self) -> (KeyId, Option<MemberId>) {
        match self.events.recv().await.unwrap() {
            NetworkEvent::Up { peer, member } => (peer, member),
            other => panic!("expected a peer, got {other:?}"),
        }
    }

    async fn down(&mut self) -> KeyId {
        match self.events.recv().await.unwrap() {
            NetworkEvent::Down { peer, .. } => peer,
            other => panic!("expected the end of a link, got {other:?}"),
        }
    }

    async fn message(&mut self) -> (KeyId, Class, Vec<u8>) {
        match self.events.recv().await.unwrap() {
            NetworkEvent::Message(inbound) => {
                let (from, class, bytes, _room) = inbound.into_parts();
                (from, class, bytes)
            }
            other => panic!("expected a message, got {other:?}"),
        }
    }
}

fn id(seed: u8) -> KeyId {
    key(seed).public().id()
}

#[tokio::test]
async fn two_members_exchange_messages_of_every_class_in_order() {
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, CHAIN, &[1, 2], Some(&one)).await;
    assert_eq!(two.up().await, (id(1), Some(member(1))));
    assert_eq!(one.up().await, (id(2), Some(member(2))));
    for class in Class::ALL {
        for number in 0u8..50 {
            one.network.send(&id(2), class, vec![number; 3].into());
        }
        for number in 0u8..50 {
            assert_eq!(two.message().await, (id(1), class, vec![number; 3]));
        }
        let largest: Arc<[u8]> = vec![5; class.limit()].into();
        two.network.send_all(class, &largest, |_| true);
        let (from, on, bytes) = one.message().await;
        assert_eq!((from, on, bytes.len()), (id(2), class, class.limit()));
    }
}

#[tokio::test]
async fn a_key_that_the_listening_side_does_not_know_is_refused_there() {
    let one = Side::start(1, CHAIN, &[1], None).await;
    // The stranger takes the address for a member's, and is turned away.
    let mut stranger = Side::start(2, CHAIN, &[1, 2], Some(&one)).await;
    assert_eq!(stranger.up().await, (id(1), Some(member(1))));
    assert_eq!(stranger.down().await, id(1));
    let mut one = one;
    one.network.close().await;
    one.events.close();
    let came_in = one.events.recv().await;
    assert!(came_in.is_none(), "the stranger came in: {came_in:?}");
}

#[tokio::test]
async fn a_key_that_the_dialling_side_does_not_know_serves_for_sync_and_nothing_else() {
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, CHAIN, &[2], Some(&one)).await;
    assert_eq!(two.up().await, (id(1), None), "the chain of the dialling side does not know the key");
    assert_eq!(one.up().await, (id(2), Some(member(2))));
    two.network.send(&id(1), Class::Consensus, vec![1].into());
    two.network.send(&id(1), Class::Sync, vec![2].into());
    assert_eq!(one.message().await, (id(2), Class::Sync, vec![2]));
    one.network.send(&id(2), Class::Consensus, vec![3].into());
    one.network.send(&id(2), Class::Sync, vec![4].into());
    assert_eq!(two.message().await, (id(1), Class::Sync, vec![4]));
}

#[tokio::test]
async fn a_key_that_the_chain_learns_gets_all_streams_and_one_that_leaves_is_cut() {
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, CHAIN, &[2], Some(&one)).await;
    assert_eq!(two.up().await.1, None);
    one.up().await;
    two.network.set_known(&known(&[1, 2]));
    assert_eq!(two.down().await, id(1));
    assert_eq!(two.up().await, (id(1), Some(member(1))));
    two.network.send(&id(1), Class::Consensus, vec![1].into());
    assert_eq!(one.down().await, id(2));
    one.up().await;
    assert_eq!(one.message().await, (id(2), Class::Consensus, vec![1]));
    one.network.set_known(&known(&[1]));
    assert_eq!(one.down().await, id(2));
    assert_eq!(two.down().await, id(1));
}

#[tokio::test]
async fn a_peer_that_broke_the_protocol_is_shut_out() {
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, CHAIN, &[1, 2], Some(&one)).await;
    one.up().await;
    two.up().await;
    one.network.fault(id(2), "it sent garbage");
    assert_eq!(one.down().await, id(2));
    assert_eq!(two.down().await, id(1));
    // It dials again at once, and is turned away as long as it is shut out.
    assert_eq!(two.up().await.0, id(1));
    assert_eq!(two.down().await, id(1));
    assert!(one.events.try_recv().is_err());
}

#[tokio::test]
async fn nodes_of_two_chains_find_nothing_to_talk_about() {
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, Hash([8; 32]), &[1, 2], Some(&one)).await;
    one.up().await;
    two.up().await;
    two.network.send(&id(1), Class::Consensus, vec![1].into());
    two.network.send(&id(1), Class::Sync, vec![1].into());
    two.network.close().await;
    // The link ends without a message having come.
    assert_eq!(one.down().await, id(2));
}

#[tokio::test]
async fn a_node_that_comes_back_is_connected_again() {
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, CHAIN, &[1, 2], Some(&one)).await;
    one.up().await;
    two.up().await;
    two.network.close().await;
    assert_eq!(one.down().await, id(2));
    let mut again = Side::start(2, CHAIN, &[1, 2], Some(&one)).await;
    assert_eq!(one.up().await.0, id(2));
    again.up().await;
    again.network.send(&id(1), Class::Transactions, vec![6].into());
    assert_eq!(one.message().await, (id(2), Class::Transactions, vec![6]));
}

#[tokio::test]
async fn a_node_that_lists_itself_or_nobody_does_not_mind() {
    let one = Side::start(1, CHAIN, &[1], None).await;
    one.network.dial(one.network.listen_address().to_string().parse().unwrap());
    one.network.dial("127.0.0.1:1".parse().unwrap());
    let mut two = Side::start(2, CHAIN, &[1, 2], None).await;
    two.network.dial(one.network.listen_address().to_string().parse().unwrap());
    assert_eq!(two.up().await.0, id(1));
}

#[tokio::test]
async fn connections_that_never_shake_hands_are_bounded_and_leave_room_for_those_that_are_up() {
    use std::io::Read;
    let mut one = Side::start(1, CHAIN, &[1, 2], None).await;
    let mut two = Side::start(2, CHAIN, &[1, 2], Some(&one)).await;
    one.up().await;
    two.up().await;
    let address = one.network.listen_address();
    let silent = move || std::net::TcpStream::connect(address).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut streams: Vec<_> = (0..MAX_PENDING_CONNECTIONS + 20).map(|_| silent()).collect();
        // One beyond the bound is turned away at once, while those before it may still speak.
        let turned_away = streams.pop().unwrap().read_to_end(&mut Vec::new());
        let first = &mut streams[0];
        first.set_nonblocking(true).unwrap();
        (turned_away, first.read_to_end(&mut Vec::new()))
    });
    let (turned_away, first) = ended.await.unwrap();
    assert!(turned_away.is_ok() || turned_away.unwrap_err().kind() == std::io::ErrorKind::ConnectionReset);
    assert_eq!(first.unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "the first is still waited for");
    two.network.send(&id(1), Class::Consensus, vec![1].into());
    assert_eq!(one.message().await, (id(2), Class::Consensus, vec![1]));
}
