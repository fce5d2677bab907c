//! What one peer, or one proposer, can make a replica keep or do: no more than the limits say.

use portolan_replica::limits::{MAX_CHECKS_PER_PEER, MAX_KNOWN_BLOCKS, MAX_READS_PER_PEER, MAX_ROUNDS_AHEAD};

use crate::world::*;

fn checks(outputs: &[Output]) -> Vec<u64> {
    let asked = outputs.iter().filter_map(|output| match output {
        Output::CheckTransactions { batch, .. } => Some(*batch),
        _ => None,
    });
    asked.collect()
}

fn reads(outputs: &[Output]) -> Vec<u64> {
    let asked = outputs.iter().filter_map(|output| match output {
        Output::ReadBlocks { request, .. } => Some(*request),
        _ => None,
    });
    asked.collect()
}

fn reconnect(replica: &mut Replica) {
    replica.step(Input::PeerDown { peer: PEER }, at(5));
    replica.step(Input::PeerUp { peer: PEER, validator: true }, at(5));
}

#[test]
fn checks_of_one_peer_are_bounded_however_often_it_reconnects_and_go_on_when_some_are_done() {
    let mut replica = replica(0, 4);
    let offer = Message::Transactions(vec![transaction(1).encode()]);
    let flood =
        |replica: &mut Replica| -> Vec<u64> { (0..50).flat_map(|_| checks(&receive(replica, &offer, 5))).collect() };
    let asked = flood(&mut replica);
    assert_eq!(asked.len(), MAX_CHECKS_PER_PEER);
    reconnect(&mut replica);
    assert_eq!(flood(&mut replica), []);
    for batch in &asked[..3] {
        replica.step(Input::TransactionsChecked { batch: *batch, results: vec![Checked::Unusable] }, at(6));
    }
    assert_eq!(flood(&mut replica).len(), 3);
}

#[test]
fn reads_of_blocks_for_one_peer_are_bounded_however_often_it_reconnects_and_go_on_when_some_are_done() {
    let mut replica = replica(0, 1);
    let execution = begun(&submit(&mut replica, 1, 5)).unwrap();
    replica.step(Input::PartExecuted { execution, left_out: vec![] }, at(5));
    let built = Header {
        transactions_root: list_root(&[pooled(1).wire_hash]),
        ..header(1, at(5).clock.0, genesis(1).hash(), 1)
    };
    replica.step(Input::Built { execution, header: built.clone() }, at(5));
    replica.step(Input::Committed { header: built, transactions: vec![pooled(1).id], next: next(1) }, at(5));
    let ask = Message::BlocksRequest { from: Height(1), count: 1 };
    let flood =
        |replica: &mut Replica| -> Vec<u64> { (0..50).flat_map(|_| reads(&receive(replica, &ask, 6))).collect() };
    let asked = flood(&mut replica);
    assert_eq!(asked.len(), MAX_READS_PER_PEER);
    reconnect(&mut replica);
    assert_eq!(flood(&mut replica), []);
    let outputs = replica.step(Input::BlocksRead { request: asked[0], blocks: vec![] }, at(7));
    assert!(said(&outputs).contains(&Message::Blocks { from: Height(1), blocks: vec![] }));
    assert_eq!(flood(&mut replica).len(), 1);
}

#[test]
fn nothing_is_taken_of_a_peer_that_is_not_connected() {
    let mut replica = start(0, 4, vec![]).unwrap().0;
    assert_eq!(receive(&mut replica, &Message::Status { height: Height(9) }, 5), []);
    assert_eq!(receive(&mut replica, &Message::Transactions(vec![vec![1]]), 5), []);
    assert_eq!(replica.status().peers, []);
}

#[test]
fn what_peers_say_of_their_height_is_told_by_peer() {
    let mut replica = replica(0, 4);
    let quiet = KeyId([8; 32]);
    replica.step(Input::PeerUp { peer: quiet, validator: false }, at(1));
    receive(&mut replica, &Message::Status { height: Height(7) }, 2);
    let expected = [
        SeenPeer { peer: quiet, validator: false, height: None },
        SeenPeer { peer: PEER, validator: true, height: Some(Height(7)) },
    ];
    assert_eq!(replica.status().peers, expected);
    replica.step(Input::PeerDown { peer: PEER }, at(3));
    assert_eq!(replica.status().peers, expected[..1]);
}

/// A signed proposal of the round's proposer.
fn proposal_in(round: u32, value: Hash) -> Message {
    let (height, round, place) = (Height(1), Round(round), ((1 + round) % 4) as u8);
    let signature = key(place).sign(&proposal_bytes(&CHAIN, height, round, &value, None));
    Message::Proposal(ProposalMessage { height, round, value, valid_round: None, proposer: member(place), signature })
}

/// The blocks that a replica asks the peer for after a while.
fn asked_for(replica: &mut Replica, outputs: &mut Vec<Output>) -> BTreeSet<Hash> {
    outputs.extend(replica.step(Input::Tick, at(60)));
    let asked = said(outputs).into_iter().filter_map(|message| match message {
        Message::ListRequest { block, .. } => Some(block),
        _ => None,
    });
    asked.collect()
}

#[test]
fn of_a_proposer_that_names_many_blocks_only_the_first_is_fetched() {
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    let mut outputs: Vec<_> =
        (1..=50u8).flat_map(|number| receive(&mut replica, &proposal_in(0, Hash([number; 32])), 5)).collect();
    assert_eq!(asked_for(&mut replica, &mut outputs), BTreeSet::from([Hash([1; 32])]));
}

#[test]
fn proposals_and_streams_far_ahead_are_not_followed() {
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    let near = MAX_ROUNDS_AHEAD;
    // Rounds whose proposer is another validator.
    let rounds = (1..200).filter(|round| (1 + round) % 4 != 0);
    let mut outputs = Vec::new();
    for round in rounds.clone() {
        outputs.extend(receive(&mut replica, &proposal_in(round, Hash([round as u8; 32])), 5));
    }
    let expected: BTreeSet<_> = rounds.filter(|round| *round <= near).map(|round| Hash([round as u8; 32])).collect();
    assert!(expected.len() < MAX_KNOWN_BLOCKS);
    assert_eq!(asked_for(&mut replica, &mut outputs), expected);
    let streamed = |replica: &mut Replica, round: u32| {
        let block = first_block();
        let begin = Some(PartBegin { parent: block.parent, time: block.time });
        let content =
            PartContent { height: Height(1), round: Round(round), index: 0, begin, hashes: vec![], end: None };
        let signature = key(((1 + round) % 4) as u8).sign(&content.signed_bytes(&CHAIN));
        begins(&receive(replica, &Message::Part(PartMessage { content, signature }), 61))
    };
    assert_eq!((streamed(&mut replica, near), streamed(&mut replica, near + 2)), (1, 0));
}

#[test]
fn bodies_that_nobody_asked_for_are_not_kept() {
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    let wanted = transaction(2);
    let listed = vec![wanted.wire_hash()];
    let block = Header { transactions_root: list_root(&listed), ..first_block() };
    receive(&mut replica, &proposal(1, block.hash()), 5);
    receive(&mut replica, &Message::List { header: block, hashes: listed.clone() }, 6);
    let transactions = vec![wanted.encode(), transaction(3).encode()];
    receive(&mut replica, &Message::Bodies { height: Height(1), transactions }, 7);
    let asked = Message::BodiesRequest { height: Height(1), hashes: vec![listed[0], transaction(3).wire_hash()] };
    let outputs = receive(&mut replica, &asked, 8);
    assert_eq!(said(&outputs), [Message::Bodies { height: Height(1), transactions: vec![wanted.encode()] }]);
}
