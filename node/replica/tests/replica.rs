//! One replica and a host played by hand: what it asks for, in which order, and what it refuses.

use codec::Encode;
use portolan_primitives::{
    AccountId, Body, Call, ContractId, Hash, Header, Height, KeyId, MemberId, Round, Signature, SigningKey, Timestamp,
    Transaction, Validator, ValidatorSet, VoteKind, list_root,
};
use portolan_replica::log::{LogFrame, LogRecord, StepTimeout};
use portolan_replica::messages::{
    Channel, Message, PartBegin, PartContent, PartMessage, PolkaMessage, ProposalMessage, RoundMessage, RoundReason,
    RoundVote, VoteMessage,
};
use portolan_replica::{
    ChainParameters, Checked, Config, HaltReason, Input, Moment, NextBlock, Output, PooledTransaction, Purpose,
    Recovered, Refusal, Replica, Verdict, WhyNoBlock,
};

const CHAIN: Hash = Hash([7; 32]);
const START: u64 = 1_000_000;
const PEER: KeyId = KeyId([9; 32]);

fn key(place: u8) -> SigningKey {
    SigningKey::from_secret(&[place + 1; 32]).unwrap()
}

fn member(place: u8) -> MemberId {
    MemberId([place; 16])
}

fn set(count: u8) -> ValidatorSet {
    let validator = |place| Validator { member: member(place), key: key(place).public(), power: 1 };
    ValidatorSet::new((0..count).map(validator).collect())
}

fn header(height: u64, time: u64, parent: Hash, count: u8) -> Header {
    Header {
        version: 1,
        chain: CHAIN,
        height: Height(height),
        round: Round(0),
        time: Timestamp(time),
        parent,
        history_root: Hash::ZERO,
        proposer: member((height % u64::from(count)) as u8),
        transactions_root: list_root(&[]),
        receipts_root: Hash::ZERO,
        state_root: Hash([height as u8; 32]),
        validators_hash: set(count).hash(),
        next_validators_hash: set(count).hash(),
        gas_used: 0,
    }
}

fn next(count: u8) -> NextBlock {
    let parameters = ChainParameters { heartbeat_ms: None, ..ChainParameters::default() };
    NextBlock { validators: set(count), parameters, next_due: None }
}

fn genesis(count: u8) -> Header {
    header(0, START, Hash::ZERO, count)
}

fn at(ms: u64) -> Moment {
    Moment { elapsed_ms: ms, clock: Timestamp(START + 1_000 + ms) }
}

fn start(own: u8, count: u8, log: Vec<LogFrame>) -> Result<(Replica, Vec<Output>), HaltReason> {
    let recovered = Recovered { head: genesis(count), next: next(count), log };
    Replica::new(Config::new(CHAIN, member(own), Some(key(own))), recovered, at(0))
}

fn replica(own: u8, count: u8) -> Replica {
    let (mut replica, outputs) = start(own, count, vec![]).unwrap();
    assert_eq!(outputs, [], "an idle chain begins in silence");
    replica.step(Input::PeerUp { peer: PEER, validator: true }, at(0));
    replica
}

fn transaction(number: u8) -> Transaction {
    let body = Body {
        version: 1,
        chain: CHAIN,
        sender: AccountId([1; 16]),
        salt: [number; 16],
        expires_at: Timestamp(START + 100_000),
        gas_limit: 1_000,
        approvers: vec![KeyId([1; 32])],
        calls: vec![Call { contract: ContractId([1; 16]), input: vec![] }],
    };
    Transaction { body, approvals: vec![Signature::Ed25519([0; 64])] }
}

fn pooled(number: u8) -> PooledTransaction {
    let transaction = transaction(number);
    PooledTransaction {
        id: transaction.body.id(),
        wire_hash: transaction.wire_hash(),
        bytes: transaction.encode().into(),
        gas: 1_000,
        member: member(1),
        expires_at: transaction.body.expires_at,
    }
}

fn submit(replica: &mut Replica, number: u8, now: u64) -> Vec<Output> {
    replica.step(Input::Submitted { request: 1, transaction: pooled(number) }, at(now))
}

fn receive(replica: &mut Replica, message: &Message, now: u64) -> Vec<Output> {
    let (channel, bytes) = (message.channel(), message.encode());
    replica.step(Input::Received { from: PEER, channel, bytes }, at(now))
}

fn said(outputs: &[Output]) -> Vec<Message> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send { channel, bytes, .. } => Message::decode_checked(*channel, bytes).ok(),
        _ => None,
    });
    sent.collect()
}

fn votes(outputs: &[Output]) -> Vec<(VoteKind, Option<Hash>)> {
    let votes = said(outputs).into_iter().filter_map(|message| match message {
        Message::Vote(vote) => Some((vote.kind, vote.value)),
        _ => None,
    });
    votes.collect()
}

fn vote(place: u8, kind: VoteKind, value: Option<Hash>) -> Message {
    let signature = Signature::Ed25519([0; 64]);
    let mut vote = VoteMessage { kind, height: Height(1), round: Round(0), value, validator: member(place), signature };
    vote.signature = key(place).sign(&vote.signed_bytes(&CHAIN));
    Message::Vote(vote)
}

fn stream(place: u8, header: &Header) -> Message {
    let content = PartContent {
        height: header.height,
        round: Round(0),
        index: 0,
        begin: Some(PartBegin { parent: header.parent, time: header.time }),
        hashes: vec![],
        end: Some(header.clone()),
    };
    let signature = key(place).sign(&content.signed_bytes(&CHAIN));
    Message::Part(PartMessage { content, signature })
}

fn proposal(place: u8, value: Hash) -> Message {
    let signature = Signature::Ed25519([0; 64]);
    let (height, round) = (Height(1), Round(0));
    let mut proposal = ProposalMessage { height, round, value, valid_round: None, proposer: member(place), signature };
    proposal.signature = key(place).sign(&proposal.signed_bytes(&CHAIN));
    Message::Proposal(proposal)
}

fn halt(outputs: &[Output]) -> Option<&HaltReason> {
    outputs.iter().find_map(|output| match output {
        Output::Halt { reason } => Some(reason),
        _ => None,
    })
}

/// The block that validator 1 of four proposes at height 1.
fn first_block() -> Header {
    header(1, START + 1_000, genesis(4).hash(), 4)
}

/// Validator 0 of four receives the first block with its proposal; the outputs, and the execution that it asked for.
fn proposed(replica: &mut Replica, now: u64) -> (Vec<Output>, portolan_replica::ExecutionId) {
    let block = first_block();
    // Someone with a transaction makes the height begin.
    submit(replica, 1, now);
    let mut outputs = receive(replica, &stream(1, &block), now);
    outputs.extend(receive(replica, &proposal(1, block.hash()), now));
    let begun = outputs.iter().find_map(|output| match output {
        Output::BeginBlock { execution, purpose: Purpose::Validate, .. } => Some(*execution),
        _ => None,
    });
    (outputs, begun.expect("the stream is executed"))
}

#[test]
fn one_validator_alone_takes_a_transaction_to_a_commit() {
    let mut replica = replica(0, 1);
    let outputs = submit(&mut replica, 1, 5);
    assert!(outputs.contains(&Output::Admission { request: 1, result: Ok(()) }));
    let Some(Output::BeginBlock { execution, purpose: Purpose::Build, start }) =
        outputs.iter().find(|output| matches!(output, Output::BeginBlock { .. })).cloned()
    else {
        panic!("{outputs:?}");
    };
    assert_eq!((start.height, start.parent, start.time), (Height(1), genesis(1).hash(), at(5).clock));
    replica.step(Input::PartExecuted { execution, left_out: vec![] }, at(6));
    let built =
        Header { transactions_root: list_root(&[pooled(1).wire_hash]), ..header(1, start.time.0, start.parent, 1) };
    let outputs = replica.step(Input::Built { execution, header: built.clone() }, at(6));
    let Some(Output::Commit { header: committed, transactions, certificate, .. }) = outputs.last() else {
        panic!("the commit comes last: {outputs:?}");
    };
    assert_eq!((&**committed, transactions.len()), (&built, 1));
    assert_eq!(certificate.verify(&CHAIN, &set(1)), Ok(()));
    let ids = vec![pooled(1).id];
    let outputs = replica.step(Input::Committed { header: built, transactions: ids, next: next(1) }, at(8));
    assert!(outputs.contains(&Output::ResetLog));
    assert_eq!((replica.status().head, replica.status().pending), (Height(1), 0));
    assert_eq!(replica.status().why_no_block, WhyNoBlock::NothingToDo { until: None });
}

#[test]
fn a_vote_leaves_only_after_the_log_that_explains_it() {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    let outputs = replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
    let write = outputs.iter().position(|output| matches!(output, Output::PersistLog { .. })).unwrap();
    let send = outputs.iter().position(|output| matches!(output, Output::Send { after_log: true, .. })).unwrap();
    assert!(write < send);
    assert!(outputs[send].waits_for_log());
    assert_eq!(votes(&outputs), [(VoteKind::Prevote, Some(first_block().hash()))]);
    let Output::PersistLog { frame } = &outputs[write] else { panic!("it is a write") };
    let records = portolan_replica::log::read(frame).unwrap().frames.remove(0).records;
    let body = records.iter().position(|record| matches!(record, LogRecord::Body { .. })).unwrap();
    let value = records.iter().position(|record| matches!(record, LogRecord::Value { valid: true, .. })).unwrap();
    assert!(body < value, "the body is on disk before anything calls the block valid");
    assert!(records.iter().any(|record| matches!(record, LogRecord::Vote(vote) if vote.validator == member(0))));
}

#[test]
fn other_roots_and_broken_rules_get_a_vote_for_nothing() {
    let refusals = [
        Verdict::Invalid { reason: "an over-split".into() },
        Verdict::RootsDiffer { ours: Box::new(genesis(4)), first_difference: None },
    ];
    for verdict in refusals {
        let mut replica = replica(0, 4);
        let (_, execution) = proposed(&mut replica, 5);
        let outputs = replica.step(Input::Verdict { execution, verdict }, at(6));
        assert_eq!(votes(&outputs), [(VoteKind::Prevote, None)]);
        assert_eq!(replica.status().last_refused.map(|(block, _)| block), Some(first_block().hash()));
    }
}

#[test]
fn a_new_block_far_from_the_clock_gets_no_vote_and_is_not_executed() {
    let limits = ChainParameters::default();
    for time in [at(5).clock.0 + limits.max_ahead_ms + 1, at(20_000).clock.0 - limits.max_behind_ms - 1] {
        let now = if time > at(5).clock.0 + limits.max_ahead_ms { 5 } else { 20_000 };
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, now);
        let block = Header { time: Timestamp(time), ..first_block() };
        let mut outputs = receive(&mut replica, &stream(1, &block), now);
        outputs.extend(receive(&mut replica, &proposal(1, block.hash()), now));
        assert!(!outputs.iter().any(|output| matches!(output, Output::BeginBlock { .. })), "{time}");
        assert_eq!(votes(&outputs), [(VoteKind::Prevote, None)], "{time}");
    }
}

#[test]
fn a_second_stream_of_a_round_is_not_executed() {
    let mut replica = replica(0, 4);
    proposed(&mut replica, 5);
    let other = Header { time: Timestamp(START + 1_001), ..first_block() };
    let outputs = receive(&mut replica, &stream(1, &other), 6);
    assert!(!outputs.iter().any(|output| matches!(output, Output::BeginBlock { .. })));
}

#[test]
fn a_failed_write_halts_and_nothing_leaves_any_more() {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    let outputs = replica.step(Input::HostFailed { reason: "the disk is full".into() }, at(6));
    let reason = HaltReason::HostFailed { reason: "the disk is full".into() };
    assert_eq!(outputs, [Output::Halt { reason: reason.clone() }]);
    assert_eq!(replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(7)), []);
    assert_eq!(replica.next_wake(), None);
    assert_eq!(replica.status().why_no_block, WhyNoBlock::Halted(reason));
}

#[test]
fn an_own_vote_that_contradicts_an_earlier_one_halts() {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
    // The same key signs elsewhere.
    let outputs = receive(&mut replica, &vote(0, VoteKind::Prevote, None), 7);
    let expected = HaltReason::OwnContradiction { what: "prevotes", height: Height(1), round: 0 };
    assert_eq!(halt(&outputs), Some(&expected));
}

#[test]
fn a_restart_votes_as_the_log_says_and_commits_the_block_that_it_voted_for() {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    let outputs = replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
    let frames: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::PersistLog { frame } => Some(portolan_replica::log::read(frame).unwrap().frames),
            _ => None,
        })
        .flatten()
        .collect();
    let (mut again, outputs) = start(0, 4, frames).unwrap();
    let block = first_block().hash();
    assert_eq!(votes(&outputs), [(VoteKind::Prevote, Some(block))]);
    again.step(Input::PeerUp { peer: PEER, validator: true }, at(1));
    for place in 1..4 {
        receive(&mut again, &vote(place, VoteKind::Prevote, Some(block)), 2);
    }
    let outputs: Vec<_> =
        (1..4).flat_map(|place| receive(&mut again, &vote(place, VoteKind::Precommit, Some(block)), 3)).collect();
    // This process has not executed it yet.
    let Some(Output::BeginBlock { execution, purpose: Purpose::Certified, .. }) =
        outputs.iter().find(|output| matches!(output, Output::BeginBlock { .. }))
    else {
        panic!("{outputs:?}");
    };
    let outputs = again.step(Input::Verdict { execution: *execution, verdict: Verdict::Valid }, at(4));
    assert!(matches!(outputs.last(), Some(Output::Commit { header, .. }) if header.hash() == block));
}

#[test]
fn a_decided_block_that_executes_otherwise_here_halts() {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    let ours = Box::new(genesis(4));
    replica.step(
        Input::Verdict { execution, verdict: Verdict::RootsDiffer { ours, first_difference: Some(vec![0xab]) } },
        at(6),
    );
    let block = first_block();
    let message =
        portolan_primitives::vote::vote_message(&CHAIN, VoteKind::Precommit, Height(1), Round(0), Some(&block.hash()));
    let certificate = portolan_primitives::CommitCertificate {
        chain: CHAIN,
        height: Height(1),
        round: Round(0),
        header: block.hash(),
        signatures: (1..4u8).map(|place| (u16::from(place), key(place).sign(&message))).collect(),
    };
    receive(&mut replica, &Message::Status { height: Height(1) }, 10);
    let outputs = replica.step(Input::Tick, at(200));
    assert!(said(&outputs).iter().any(|message| matches!(message, Message::BlocksRequest { from: Height(1), .. })));
    let synced = portolan_replica::CertifiedBlock { header: block.clone(), transactions: vec![], certificate };
    let outputs = receive(&mut replica, &Message::Blocks { from: Height(1), blocks: vec![synced] }, 210);
    let Some(HaltReason::DecidedBlockDiffers { reason, .. }) = halt(&outputs) else { panic!("{outputs:?}") };
    assert!(reason.contains("ab"), "the first differing key is named: {reason}");
}

#[test]
fn a_block_with_too_few_signatures_is_refused_and_its_sender_named() {
    let mut replica = replica(0, 4);
    receive(&mut replica, &Message::Status { height: Height(1) }, 10);
    replica.step(Input::Tick, at(200));
    let block = first_block();
    let message =
        portolan_primitives::vote::vote_message(&CHAIN, VoteKind::Precommit, Height(1), Round(0), Some(&block.hash()));
    let certificate = portolan_primitives::CommitCertificate {
        chain: CHAIN,
        height: Height(1),
        round: Round(0),
        header: block.hash(),
        signatures: (1..3u8).map(|place| (u16::from(place), key(place).sign(&message))).collect(),
    };
    let synced = portolan_replica::CertifiedBlock { header: block, transactions: vec![], certificate };
    let outputs = receive(&mut replica, &Message::Blocks { from: Height(1), blocks: vec![synced] }, 210);
    assert!(outputs.iter().any(|output| matches!(output, Output::PeerFault { peer: PEER, .. })));
    assert!(!outputs.iter().any(|output| matches!(output, Output::BeginBlock { .. })));
}

#[test]
fn a_log_that_is_ahead_of_the_store_is_refused() {
    let frame = LogFrame { height: Height(2), records: vec![] };
    assert!(matches!(start(0, 4, vec![frame]), Err(HaltReason::BadLog { .. })));
}

#[test]
fn a_log_of_a_decided_height_is_cleared() {
    let timeout = LogRecord::Timeout { step: StepTimeout::Propose, round: Round(0) };
    let frame = LogFrame { height: Height(0), records: vec![timeout] };
    let (_, outputs) = start(0, 4, vec![frame]).unwrap();
    assert_eq!(outputs, [Output::ResetLog]);
}

#[test]
fn an_idle_chain_sleeps_until_something_is_due() {
    let mut replica = replica(0, 4);
    let silent = replica.step(Input::Tick, at(1_000));
    assert_eq!(said(&silent), []);
    replica.step(Input::Due { at: Some(Timestamp(at(3_000).clock.0)) }, at(1_001));
    assert_eq!(replica.next_wake(), Some(3_000));
    replica.step(Input::Tick, at(3_000));
    // Its turn is another's: it waits for the proposal, and no longer sleeps.
    assert!(matches!(replica.status().why_no_block, WhyNoBlock::WaitingForProposal { .. }));
}

#[test]
fn one_stranger_can_not_wake_the_chain_before_the_interval_but_two_of_four_can() {
    let mut alone = replica(0, 4);
    receive(&mut alone, &vote(2, VoteKind::Prevote, None), 5);
    assert_eq!(alone.status().round, None);
    alone.step(Input::Tick, at(ChainParameters::default().empty_interval_ms));
    assert_eq!(alone.status().round, Some(Round(0)));
    let mut two = replica(0, 4);
    receive(&mut two, &vote(2, VoteKind::Prevote, None), 5);
    receive(&mut two, &vote(3, VoteKind::Prevote, None), 5);
    assert_eq!(two.status().round, Some(Round(0)));
}

#[test]
fn what_is_not_signed_by_whom_it_should_be_names_its_sender() {
    let mut block = stream(2, &first_block());
    if let Message::Part(part) = &mut block {
        part.content.index = 0;
    }
    let forged = Message::Vote(VoteMessage {
        kind: VoteKind::Prevote,
        height: Height(1),
        round: Round(0),
        value: None,
        validator: member(3),
        signature: key(2).sign(b"another"),
    });
    for message in [block, forged, proposal(2, Hash([1; 32]))] {
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, 4);
        let outputs = receive(&mut replica, &message, 5);
        assert!(outputs.iter().any(|output| matches!(output, Output::PeerFault { peer: PEER, .. })), "{message:?}");
    }
}

#[test]
fn bytes_that_are_no_message_or_on_another_stream_name_their_sender() {
    let status = Message::Status { height: Height(1) }.encode();
    let longer = [status.clone(), vec![0]].concat();
    for (channel, bytes) in [
        (Channel::Consensus, status.clone()),
        (Channel::Sync, longer),
        (Channel::Sync, vec![]),
        (Channel::Sync, vec![0xff; 100]),
    ] {
        let outputs = replica(0, 4).step(Input::Received { from: PEER, channel, bytes: bytes.clone() }, at(5));
        assert!(matches!(outputs[..], [Output::PeerFault { peer: PEER, .. }]), "{channel:?} {bytes:?}: {outputs:?}");
    }
}

#[test]
fn a_client_is_told_why_its_transaction_is_not_taken() {
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    let outputs = submit(&mut replica, 1, 6);
    assert!(outputs.contains(&Output::Admission { request: 1, result: Err(Refusal::AlreadyPending) }));
}

#[test]
fn checks_of_one_peer_are_bounded() {
    let mut replica = replica(0, 4);
    let offer = Message::Transactions(vec![transaction(1).encode()]);
    let asked: usize = (0..50)
        .map(|_| {
            receive(&mut replica, &offer, 5)
                .iter()
                .filter(|output| matches!(output, Output::CheckTransactions { .. }))
                .count()
        })
        .sum();
    assert_eq!(asked, portolan_replica::limits::MAX_CHECKS_PER_PEER);
}

/// A vote of `place` in a certificate: signed by it, or by another key in its name.
fn signed(place: u8, signer: u8, kind: VoteKind, round: u32, value: Option<Hash>) -> (MemberId, Signature) {
    let message = portolan_primitives::vote::vote_message(&CHAIN, kind, Height(1), Round(round), value.as_ref());
    (member(place), key(signer).sign(&message))
}

/// Validator 0 of four has prevoted the first block and is shown a polka of these.
fn after_polka(signatures: Vec<(MemberId, Signature)>) -> Vec<(VoteKind, Option<Hash>)> {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
    let polka = PolkaMessage { height: Height(1), round: Round(0), value: first_block().hash(), signatures };
    votes(&receive(&mut replica, &Message::Polka(polka), 7))
}

#[test]
fn a_polka_counts_true_signatures_of_two_thirds_each_once() {
    let block = Some(first_block().hash());
    let prevote = |place, signer| signed(place, signer, VoteKind::Prevote, 0, block);
    let honest = vec![prevote(1, 1), prevote(2, 2), prevote(3, 3)];
    assert_eq!(after_polka(honest), [(VoteKind::Precommit, block)]);
    let wrong = [
        ("too few", vec![prevote(1, 1), prevote(2, 2)]),
        ("one counted twice", vec![prevote(1, 1), prevote(2, 2), prevote(2, 2)]),
        ("signed by another", vec![prevote(1, 1), prevote(2, 2), prevote(3, 2)]),
        ("of no validator", vec![prevote(1, 1), prevote(2, 2), prevote(9, 9)]),
        ("precommits", (1..4).map(|place| signed(place, place, VoteKind::Precommit, 0, block)).collect()),
        ("for another block", (1..4).map(|place| signed(place, place, VoteKind::Prevote, 0, None)).collect()),
    ];
    for (what, signatures) in wrong {
        assert_eq!(after_polka(signatures), [], "{what}");
    }
}

/// The round that validator 0 of four is in after it is shown these votes of round 3 as a reason to enter a round.
fn after_round(reason: RoundReason, votes: Vec<(VoteKind, (MemberId, Signature))>) -> Option<Round> {
    let mut replica = replica(0, 4);
    proposed(&mut replica, 5);
    let vote = |(kind, (validator, signature))| RoundVote { kind, value: None, validator, signature };
    let votes = votes.into_iter().map(vote).collect();
    let message = RoundMessage { height: Height(1), round: Round(3), reason, votes };
    receive(&mut replica, &Message::Round(message), 7);
    replica.status().round
}

#[test]
fn a_round_is_entered_for_true_votes_of_enough_each_once() {
    let vote = |kind, place, signer| (kind, signed(place, signer, kind, 3, None));
    let (prevote, precommit) = (VoteKind::Prevote, VoteKind::Precommit);
    let skip = |votes| after_round(RoundReason::Skip, votes);
    let after = |votes| after_round(RoundReason::Precommit, votes);
    let three = || (1..4).map(|place| vote(precommit, place, place)).collect::<Vec<_>>();
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(precommit, 2, 2)]), Some(Round(3)));
    assert_eq!(after(three()), Some(Round(3)));
    let stays = Some(Round(0));
    assert_eq!(skip(vec![vote(prevote, 1, 1)]), stays, "a third is not more than a third");
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(prevote, 1, 1)]), stays, "one counted twice");
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(prevote, 2, 1)]), stays, "signed by another");
    assert_eq!(skip(vec![vote(prevote, 1, 1), vote(prevote, 9, 9)]), stays, "of no validator");
    assert_eq!(after(three()[..2].to_vec()), stays, "too few precommits");
    let mixed = vec![vote(prevote, 1, 1), vote(precommit, 2, 2), vote(precommit, 3, 3)];
    assert_eq!(after(mixed), stays, "a prevote is no precommit");
}

/// What a replica that asked for block 1 does with this answer.
fn after_blocks(header: Header, transactions: Vec<Vec<u8>>, certified: &Header) -> Vec<Output> {
    let mut replica = replica(0, 4);
    receive(&mut replica, &Message::Status { height: Height(1) }, 10);
    let outputs = replica.step(Input::Tick, at(200));
    assert!(said(&outputs).iter().any(|message| matches!(message, Message::BlocksRequest { from: Height(1), .. })));
    let hash = certified.hash();
    let signatures =
        (1..4u8).map(|place| (u16::from(place), signed(place, place, VoteKind::Precommit, 0, Some(hash)).1)).collect();
    let certificate = portolan_primitives::CommitCertificate {
        chain: CHAIN,
        height: Height(1),
        round: Round(0),
        header: hash,
        signatures,
    };
    let block = portolan_replica::CertifiedBlock { header, transactions, certificate };
    receive(&mut replica, &Message::Blocks { from: Height(1), blocks: vec![block] }, 210)
}

fn names_its_sender(outputs: &[Output]) -> bool {
    outputs.iter().any(|output| matches!(output, Output::PeerFault { peer: PEER, .. }))
}

#[test]
fn a_fetched_block_is_the_one_that_was_certified_whole_and_asked_for() {
    let runs = |outputs: &[Output]| outputs.iter().any(|output| matches!(output, Output::BeginBlock { .. }));
    let block = first_block();
    let honest = after_blocks(block.clone(), vec![], &block);
    assert!(runs(&honest) && !names_its_sender(&honest), "{honest:?}");
    let other = Header { state_root: Hash([9; 32]), ..block.clone() };
    let wrong = [
        ("certificate of another block", after_blocks(other, vec![], &block)),
        ("a transaction too many", after_blocks(block.clone(), vec![transaction(1).encode()], &block)),
        (
            "of another height than asked for",
            after_blocks(Header { height: Height(2), ..block.clone() }, vec![], &block),
        ),
    ];
    for (what, outputs) in wrong {
        assert!(!runs(&outputs), "{what}: {outputs:?}");
        assert!(names_its_sender(&outputs), "{what}: {outputs:?}");
    }
}

#[test]
fn a_certified_block_that_does_not_follow_this_nodes_head_halts_it() {
    // More than two thirds signed it: either they or this node went wrong, and going on would make it worse.
    for other in [Header { parent: Hash([9; 32]), ..first_block() }, Header { time: Timestamp(START), ..first_block() }]
    {
        let outputs = after_blocks(other.clone(), vec![], &other);
        assert!(matches!(halt(&outputs), Some(HaltReason::DecidedBlockDiffers { .. })), "{outputs:?}");
    }
}

/// What a header says beyond that, whoever executes the block compares with what it computed.
#[test]
fn a_proposal_that_does_not_follow_the_head_is_not_executed() {
    for block in [
        Header { parent: Hash([9; 32]), ..first_block() },
        Header { time: Timestamp(START), ..first_block() },
        Header { transactions_root: Hash([9; 32]), ..first_block() },
        Header { proposer: member(2), ..first_block() },
    ] {
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, 5);
        let mut outputs = receive(&mut replica, &stream(1, &block), 5);
        outputs.extend(receive(&mut replica, &proposal(1, block.hash()), 5));
        let valid = votes(&outputs).contains(&(VoteKind::Prevote, Some(block.hash())));
        let verdict = outputs.iter().find_map(|output| match output {
            Output::BeginBlock { execution, .. } => Some(*execution),
            _ => None,
        });
        // Where execution began before the header was there, its verdict changes nothing any more.
        let later =
            verdict.map(|execution| votes(&replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6))));
        let voted = later.unwrap_or_default().contains(&(VoteKind::Prevote, Some(block.hash())));
        assert!(!valid && !voted, "{block:?}");
    }
}

#[test]
fn an_own_proposal_that_contradicts_an_earlier_one_halts() {
    // Validator 1 of four proposes at height 1, and its key proposes another block elsewhere.
    let mut replica = replica(1, 4);
    let outputs = submit(&mut replica, 1, 5);
    let Some(Output::BeginBlock { execution, start, .. }) =
        outputs.iter().find(|output| matches!(output, Output::BeginBlock { purpose: Purpose::Build, .. })).cloned()
    else {
        panic!("{outputs:?}");
    };
    replica.step(Input::PartExecuted { execution, left_out: vec![] }, at(6));
    let root = list_root(&[pooled(1).wire_hash]);
    let built = Header { transactions_root: root, ..header(1, start.time.0, start.parent, 4) };
    let outputs = replica.step(Input::Built { execution, header: built }, at(6));
    assert!(said(&outputs).iter().any(|message| matches!(message, Message::Proposal(_))), "{outputs:?}");
    let outputs = receive(&mut replica, &proposal(1, Hash([9; 32])), 7);
    assert!(matches!(halt(&outputs), Some(HaltReason::OwnContradiction { height: Height(1), .. })), "{outputs:?}");
}

#[test]
fn a_check_that_is_answered_makes_room_for_the_peers_next() {
    let mut replica = replica(0, 4);
    let offer = |number| Message::Transactions(vec![transaction(number).encode()]);
    let most = portolan_replica::limits::MAX_CHECKS_PER_PEER as u8;
    let mut asked = Vec::new();
    for number in 0..most {
        let outputs = receive(&mut replica, &offer(number), 5);
        let found = outputs.iter().find_map(|output| match output {
            Output::CheckTransactions { batch, .. } => Some(*batch),
            _ => None,
        });
        asked.push(found.unwrap());
    }
    let asks = |outputs: &[Output]| outputs.iter().any(|output| matches!(output, Output::CheckTransactions { .. }));
    assert!(!asks(&receive(&mut replica, &offer(most), 6)));
    replica.step(Input::TransactionsChecked { batch: asked[0], results: vec![Checked::Good(pooled(0))] }, at(7));
    assert!(asks(&receive(&mut replica, &offer(most + 1), 8)));
}
