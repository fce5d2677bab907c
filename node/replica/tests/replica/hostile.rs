//! Validators and peers that break the rules: nothing of theirs counts, and whoever can be blamed is named.

use crate::world::*;

/// Validator 0 of four, asked to catch up by a peer that says it has height 1.
fn behind() -> Replica {
    let mut replica = replica(0, 4);
    receive(&mut replica, &Message::Status { height: Height(1) }, 10);
    let outputs = replica.step(Input::Tick, at(200));
    assert!(said(&outputs).iter().any(|message| matches!(message, Message::BlocksRequest { from: Height(1), .. })));
    replica
}

fn answer(replica: &mut Replica, blocks: Vec<CertifiedBlock>) -> Vec<Output> {
    receive(replica, &Message::Blocks { from: Height(1), blocks }, 210)
}

#[test]
fn a_certified_block_from_a_peer_is_executed_before_it_is_committed() {
    let mut replica = behind();
    let outputs = answer(&mut replica, vec![certified(&first_block(), 1..4)]);
    assert!(
        outputs.iter().any(|one| matches!(one, Output::BeginBlock { purpose: Purpose::Certified, .. })),
        "{outputs:?}"
    );
    assert!(!outputs.iter().any(|output| matches!(output, Output::Commit { .. })));
    let execution = begun(&outputs).unwrap();
    let outputs = replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(211));
    assert!(matches!(outputs.last(), Some(Output::Commit { header, .. }) if **header == first_block()));
}

#[test]
fn a_block_that_its_certificate_does_not_make_final_is_refused_and_its_sender_named() {
    let block = first_block();
    let whole = certified(&block, 1..4);
    let few = certified(&block, 1..3);
    let mut twice = certified(&block, 1..3);
    twice.certificate.signatures.push(twice.certificate.signatures[1]);
    let mut forged = whole.clone();
    forged.certificate.signatures[2].1 = forged.certificate.signatures[1].1;
    let other = Header { state_root: Hash([0xee; 32]), ..block.clone() };
    let exchanged = CertifiedBlock { header: other, ..whole.clone() };
    let mut relabelled = exchanged.clone();
    relabelled.certificate.header = relabelled.header.hash();
    let mut nothing = whole.clone();
    let message = vote_message(&CHAIN, VoteKind::Precommit, Height(1), Round(0), None);
    for (place, signature) in &mut nothing.certificate.signatures {
        *signature = key(*place as u8).sign(&message);
    }
    let stuffed = CertifiedBlock { transactions: vec![transaction(1).encode()], ..whole.clone() };
    let malformed = CertifiedBlock { transactions: vec![vec![1, 2, 3]], ..whole.clone() };
    let later = certified(&Header { height: Height(2), ..block.clone() }, 1..4);
    for (what, synced) in [
        ("too few", few),
        ("one signer twice", twice),
        ("a forged signature", forged),
        ("another header", exchanged),
        ("another header, and the certificate says so", relabelled),
        ("votes for nothing", nothing),
        ("other transactions", stuffed),
        ("no transactions", malformed),
        ("another height", later),
    ] {
        let mut replica = behind();
        let outputs = answer(&mut replica, vec![synced]);
        assert_eq!((blamed(&outputs).len(), begins(&outputs)), (1, 0), "{what}");
        // The peer that lied is not asked again for a while, and nothing of it was kept.
        assert_eq!(replica.status().buffered_blocks, 0, "{what}");
    }
}

#[test]
fn a_final_block_that_does_not_follow_this_nodes_head_halts_it() {
    for (block, word) in [
        (Header { parent: Hash([5; 32]), ..first_block() }, "follows another block"),
        (Header { time: genesis(4).time, ..first_block() }, "time"),
        (Header { proposer: member(3), ..first_block() }, "turn"),
        (Header { validators_hash: Hash([5; 32]), ..first_block() }, "validator set"),
    ] {
        let mut replica = behind();
        let outputs = answer(&mut replica, vec![certified(&block, 1..4)]);
        let Some(HaltReason::DecidedBlockDiffers { reason, .. }) = halt(&outputs) else { panic!("{outputs:?}") };
        assert!(reason.contains(word), "{reason}");
    }
}

fn polka(places: &[u8], value: Hash) -> PolkaMessage {
    let sign = |place: &u8| {
        let message = vote_message(&CHAIN, VoteKind::Prevote, Height(1), Round(0), Some(&value));
        (member(*place), key(*place).sign(&message))
    };
    PolkaMessage { height: Height(1), round: Round(0), value, signatures: places.iter().map(sign).collect() }
}

/// Whether a node that has begun the height and gets this polka looks for its block.
fn wants_block_of(polka: PolkaMessage) -> bool {
    let block = polka.value;
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    let mut outputs = receive(&mut replica, &Message::Polka(polka), 6);
    outputs.extend(replica.step(Input::Tick, at(60)));
    said(&outputs).contains(&Message::ListRequest { height: Height(1), block })
}

#[test]
fn a_polka_counts_only_with_two_thirds_of_different_validators_for_that_block() {
    let block = Hash([4; 32]);
    assert!(wants_block_of(polka(&[1, 2, 3], block)));
    assert!(!wants_block_of(polka(&[1, 2], block)), "too few");
    assert!(!wants_block_of(polka(&[1, 2, 2], block)), "one signer twice");
    assert!(!wants_block_of(polka(&[1, 2, 7], block)), "a stranger");
    let mut forged = polka(&[1, 2, 3], block);
    forged.signatures[2].1 = key(2).sign(b"something else");
    assert!(!wants_block_of(forged), "a forged signature");
    let other = PolkaMessage { value: block, ..polka(&[1, 2, 3], Hash([5; 32])) };
    assert!(!wants_block_of(other), "votes for another block");
}

fn round_vote(place: u8, kind: VoteKind, round: u32) -> RoundVote {
    let message = vote_message(&CHAIN, kind, Height(1), Round(round), None);
    RoundVote { kind, value: None, validator: member(place), signature: key(place).sign(&message) }
}

fn certificate(reason: RoundReason, round: u32, votes: Vec<RoundVote>) -> Message {
    Message::Round(RoundMessage { height: Height(1), round: Round(round), reason, votes })
}

/// The round in which a node that has begun the height is after this certificate and the wait for precommits.
fn round_after(message: &Message) -> u32 {
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    receive(&mut replica, message, 6);
    replica.step(Input::Tick, at(60));
    replica.status().round.unwrap().0
}

#[test]
fn a_round_is_skipped_to_only_for_a_third_of_different_validators() {
    let skip = |votes| certificate(RoundReason::Skip, 4, votes);
    let vote = |place| round_vote(place, VoteKind::Prevote, 4);
    assert_eq!(round_after(&skip(vec![vote(1), vote(2)])), 4);
    assert_eq!(round_after(&skip(vec![vote(1)])), 0, "too few");
    assert_eq!(round_after(&skip(vec![vote(1), vote(1)])), 0, "one signer twice");
    assert_eq!(round_after(&skip(vec![vote(1), vote(7)])), 0, "a stranger");
    let forged = RoundVote { signature: key(2).sign(b"something else"), ..vote(2) };
    assert_eq!(round_after(&skip(vec![vote(1), forged])), 0, "a forged signature");
    assert_eq!(round_after(&skip(vec![vote(1), round_vote(2, VoteKind::Prevote, 3)])), 0, "a vote of another round");
}

#[test]
fn a_round_is_over_only_for_two_thirds_of_different_precommits() {
    let over = |votes| certificate(RoundReason::Precommit, 0, votes);
    let vote = |place| round_vote(place, VoteKind::Precommit, 0);
    assert_eq!(round_after(&over(vec![vote(1), vote(2), vote(3)])), 1);
    assert_eq!(round_after(&over(vec![vote(1), vote(2)])), 0, "too few");
    assert_eq!(round_after(&over(vec![vote(1), vote(2), vote(2)])), 0, "one signer twice");
    let prevote = round_vote(3, VoteKind::Prevote, 0);
    assert_eq!(round_after(&over(vec![vote(1), vote(2), prevote])), 0, "a prevote among them");
    let forged = RoundVote { signature: key(2).sign(b"something else"), ..vote(3) };
    assert_eq!(round_after(&over(vec![vote(1), vote(2), forged])), 0, "a forged signature");
}

#[test]
fn votes_for_nothing_and_votes_of_one_validator_decide_no_block() {
    let block = first_block().hash();
    let precommits = |values: &[(u8, Option<Hash>)]| {
        let mut replica = replica(0, 4);
        let (_, execution) = proposed(&mut replica, 5);
        replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
        for place in 1..4 {
            receive(&mut replica, &vote(place, VoteKind::Prevote, Some(block)), 7);
        }
        let got = values
            .iter()
            .flat_map(|(place, value)| receive(&mut replica, &vote(*place, VoteKind::Precommit, *value), 8));
        got.collect::<Vec<_>>().iter().any(|output| matches!(output, Output::Commit { .. }))
    };
    // Its own precommit is the third.
    assert!(precommits(&[(1, Some(block)), (2, Some(block))]));
    assert!(!precommits(&[(1, Some(block)), (1, Some(block))]), "one voter twice");
    assert!(!precommits(&[(1, Some(block)), (2, None), (3, None)]), "votes for nothing");
    assert!(!precommits(&[(1, Some(block)), (2, Some(Hash([6; 32])))]), "a vote for another block");
}

#[test]
fn an_own_proposal_that_contradicts_an_earlier_one_halts() {
    // Validator 1 builds and proposes; then a proposal of the same key for another block comes back to it.
    let mut replica = replica(1, 4);
    let execution = begun(&submit(&mut replica, 1, 5)).unwrap();
    replica.step(Input::PartExecuted { execution, left_out: vec![] }, at(6));
    let built = Header { transactions_root: list_root(&[pooled(1).wire_hash]), time: at(5).clock, ..first_block() };
    let outputs = replica.step(Input::Built { execution, header: built.clone() }, at(6));
    assert!(
        said(&outputs).iter().any(|message| matches!(message, Message::Proposal(own) if own.value == built.hash()))
    );
    let outputs = receive(&mut replica, &proposal(1, Hash([3; 32])), 7);
    let expected = HaltReason::OwnContradiction { what: "proposals", height: Height(1), round: 0 };
    assert_eq!(halt(&outputs), Some(&expected));
}

#[test]
fn a_stream_on_another_head_or_of_an_earlier_time_is_not_executed_and_names_its_sender() {
    for block in [Header { parent: Hash([5; 32]), ..first_block() }, Header { time: genesis(4).time, ..first_block() }]
    {
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, 5);
        let outputs = receive(&mut replica, &stream(1, &block), 5);
        assert_eq!((blamed(&outputs).len(), begins(&outputs)), (1, 0));
    }
}

#[test]
fn a_stream_that_ends_otherwise_than_it_began_is_given_up() {
    let part = |index, begin: Option<Header>, hashes: Vec<Hash>, end: Option<Header>| {
        let begin = begin.map(|header| PartBegin { parent: header.parent, time: header.time });
        let content = PartContent { height: Height(1), round: Round(0), index, begin, hashes, end };
        let signature = key(1).sign(&content.signed_bytes(&CHAIN));
        Message::Part(PartMessage { content, signature })
    };
    let block = first_block();
    let later = Header { time: Timestamp(block.time.0 + 1), ..block.clone() };
    let listed = vec![pooled(1).wire_hash];
    for (what, end, hashes) in [("another time", later, vec![]), ("another list", block.clone(), listed)] {
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, 5);
        let execution = begun(&receive(&mut replica, &part(0, Some(block.clone()), vec![], None), 5)).unwrap();
        let outputs = receive(&mut replica, &part(1, None, hashes, Some(end)), 6);
        assert!(outputs.contains(&Output::Abandon { execution }), "{what}: {outputs:?}");
        assert!(!outputs.iter().any(|output| matches!(output, Output::FinishBlock { .. })), "{what}");
    }
}

#[test]
fn a_fetched_list_is_held_against_its_header_and_the_header_against_the_chain() {
    let listed = vec![pooled(1).wire_hash];
    let ask = |block: &Header, hashes: Vec<Hash>| {
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, 5);
        receive(&mut replica, &proposal(1, block.hash()), 5);
        receive(&mut replica, &Message::List { header: block.clone(), hashes }, 6)
    };
    assert_eq!(begins(&ask(&first_block(), vec![])), 1);
    let outputs = ask(&first_block(), listed);
    assert_eq!((blamed(&outputs).len(), begins(&outputs)), (1, 0), "another list");
    for block in [
        Header { parent: Hash([5; 32]), ..first_block() },
        Header { proposer: member(3), ..first_block() },
        Header { chain: Hash([5; 32]), ..first_block() },
        Header { version: 9, ..first_block() },
        Header { validators_hash: Hash([5; 32]), ..first_block() },
    ] {
        let outputs = ask(&block, vec![]);
        assert_eq!((begins(&outputs), votes(&outputs)), (0, vec![(VoteKind::Prevote, None)]), "{block:?}");
    }
}

const OTHER: KeyId = KeyId([8; 32]);

fn from(replica: &mut Replica, peer: KeyId, message: &Message, now: u64) -> Vec<Output> {
    let (channel, bytes) = (message.channel(), message.encode());
    replica.step(Input::Received { from: peer, channel, bytes }, at(now))
}

/// Whom the outputs ask for blocks, and from which height.
fn asked(outputs: &[Output]) -> Vec<(KeyId, Height)> {
    let asked = outputs.iter().filter_map(|output| match output {
        Output::Send { to: portolan_replica::Recipients::Peer(peer), channel, bytes, .. } => {
            match Message::decode_checked(*channel, bytes) {
                Ok(Message::BlocksRequest { from, .. }) => Some((*peer, from)),
                _ => None,
            }
        }
        _ => None,
    });
    asked.collect()
}

#[test]
fn a_peer_that_keeps_the_block_no_longer_is_no_liar_and_another_is_asked() {
    let mut replica = behind();
    let outputs = receive(&mut replica, &Message::NotKept { from: Height(1), lowest: Height(70) }, 210);
    assert_eq!((blamed(&outputs).len(), asked(&outputs)), (0, vec![]));
    let out_of_reach = WhyNoBlock::OutOfReach { next: Height(1), lowest: Height(70) };
    assert_eq!(replica.status().why_no_block, out_of_reach);
    // Time passes, and the peer grows: what it keeps not it is not asked for again.
    assert_eq!(asked(&receive(&mut replica, &Message::Status { height: Height(90) }, 9_000)), []);
    assert_eq!(asked(&replica.step(Input::Tick, at(20_000))), []);
    assert_eq!(replica.status().why_no_block, out_of_reach);
    replica.step(Input::PeerUp { peer: OTHER, validator: false }, at(20_001));
    let outputs = from(&mut replica, OTHER, &Message::Status { height: Height(90) }, 20_002);
    assert_eq!(asked(&outputs), [(OTHER, Height(1))]);
    assert_eq!(replica.status().why_no_block, WhyNoBlock::CatchingUp { best: Height(90) });
}

#[test]
fn an_answer_that_nothing_is_kept_counts_only_for_what_was_asked() {
    let mut replica = behind();
    // Of another height than the request's, and once more when it is answered.
    receive(&mut replica, &Message::NotKept { from: Height(2), lowest: Height(70) }, 210);
    assert_ne!(replica.status().why_no_block, WhyNoBlock::OutOfReach { next: Height(1), lowest: Height(70) });
    receive(&mut replica, &Message::NotKept { from: Height(1), lowest: Height(70) }, 211);
    receive(&mut replica, &Message::NotKept { from: Height(1), lowest: Height(80) }, 212);
    assert_eq!(replica.status().why_no_block, WhyNoBlock::OutOfReach { next: Height(1), lowest: Height(70) });
    for lowest in [0, 1] {
        let outputs = receive(&mut replica, &Message::NotKept { from: Height(1), lowest: Height(lowest) }, 213);
        assert_eq!(blamed(&outputs), ["it sent bytes that are no message, or not on this stream"]);
    }
}

#[test]
fn whoever_asks_for_a_pruned_block_is_told_what_is_kept() {
    let mut replica = behind();
    let answered = answer(&mut replica, vec![certified(&first_block(), 1..4)]);
    let execution = begun(&answered).unwrap();
    replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(211));
    replica.step(Input::Committed { header: first_block(), transactions: vec![], next: next(4) }, at(212));
    let outputs = receive(&mut replica, &Message::BlocksRequest { from: Height(1), count: 4 }, 213);
    let read = outputs.iter().find_map(|output| match output {
        Output::ReadBlocks { request, .. } => Some(*request),
        _ => None,
    });
    let pruned = Input::BlocksPruned { request: read.unwrap(), lowest: Height(40) };
    let outputs = replica.step(pruned.clone(), at(214));
    assert_eq!(said(&outputs), [Message::NotKept { from: Height(1), lowest: Height(40) }]);
    assert_eq!(replica.step(pruned, at(215)), [], "a request has one answer");
}
