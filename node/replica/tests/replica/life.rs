//! The life of a block: what a replica asks its host for, in which order, and what it refuses.

use crate::world::*;

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
    assert!(!outputs.contains(&Output::ResetLog), "the log goes only when the store has the block");
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

/// Plays the host for the block that the outputs begin, of these transactions, and commits it; what the replica wants then.
fn carry_through(replica: &mut Replica, outputs: &[Output], height: u64, numbers: &[u8], now: u64) -> Vec<Output> {
    let begin = outputs.iter().find_map(|output| match output {
        Output::BeginBlock { execution, start, .. } => Some((*execution, *start)),
        _ => None,
    });
    let (execution, start) = begin.unwrap_or_else(|| panic!("no block begins: {outputs:?}"));
    let hashes: Vec<_> = numbers.iter().map(|number| pooled(*number).wire_hash).collect();
    let built = Header { transactions_root: list_root(&hashes), ..header(height, start.time.0, start.parent, 1) };
    replica.step(Input::PartExecuted { execution, left_out: vec![] }, at(now));
    replica.step(Input::Built { execution, header: built.clone() }, at(now));
    let transactions = numbers.iter().map(|number| pooled(*number).id).collect();
    replica.step(Input::Committed { header: built, transactions, next: next(1) }, at(now))
}

#[test]
fn after_a_block_of_several_the_next_one_gathers_and_a_quiet_chain_does_not_wait() {
    let mut replica = replica(0, 1);
    let outputs = submit(&mut replica, 1, 5);
    for number in 2..=4 {
        assert_eq!(begins(&submit(&mut replica, number, 6)), 0, "one height at a time");
    }
    // A block of one: the three that came meanwhile go at once.
    let outputs = carry_through(&mut replica, &outputs, 1, &[1], 10);
    let outputs = carry_through(&mut replica, &outputs, 2, &[2, 3, 4], 12);
    assert_eq!(begins(&outputs), 0, "nothing waits");
    // It was of three and began at 10: what comes now waits until 50, for company.
    assert_eq!(begins(&submit(&mut replica, 5, 13)), 0);
    assert_eq!(begins(&submit(&mut replica, 6, 30)), 0);
    assert_eq!(begins(&replica.step(Input::Tick, at(49))), 0);
    assert_eq!(replica.next_wake(), Some(50));
    let outputs = replica.step(Input::Tick, at(50));
    assert_eq!(begins(&carry_through(&mut replica, &outputs, 3, &[5, 6], 52)), 0);
    assert_eq!(begins(&submit(&mut replica, 7, 53)), 1, "a block of two is quiet again");
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
    let refusals =
        [Verdict::Invalid { reason: "an over-split".into() }, Verdict::RootsDiffer { ours: Box::new(genesis(4)) }];
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
    let (ahead, behind) = (at(5).clock.0 + limits.max_ahead_ms, at(20_000).clock.0 - limits.max_behind_ms);
    for (now, time, timely) in
        [(5, ahead, true), (5, ahead + 1, false), (20_000, behind, true), (20_000, behind - 1, false)]
    {
        let block = Header { time: Timestamp(time), ..first_block() };
        let mut replica = replica(0, 4);
        submit(&mut replica, 1, now);
        let mut outputs = receive(&mut replica, &stream(1, &block), now);
        outputs.extend(receive(&mut replica, &proposal(1, block.hash()), now));
        assert_eq!(begins(&outputs), usize::from(timely), "{time} at {now}");
        assert_eq!(votes(&outputs), if timely { vec![] } else { vec![(VoteKind::Prevote, None)] }, "{time} at {now}");
    }
}

#[test]
fn a_fetched_block_far_from_the_clock_gets_no_vote_until_two_thirds_want_it() {
    let mut replica = replica(0, 4);
    submit(&mut replica, 1, 5);
    let block = Header { time: Timestamp(at(5).clock.0 + 60_000), ..first_block() };
    receive(&mut replica, &proposal(1, block.hash()), 5);
    let outputs = receive(&mut replica, &Message::List { header: block.clone(), hashes: vec![] }, 6);
    assert_eq!((begins(&outputs), votes(&outputs)), (0, vec![(VoteKind::Prevote, None)]));
    // The others' clocks are right, it seems: whatever this node thought of it, it must be able to follow.
    let outputs: Vec<_> = (1..4)
        .flat_map(|place| receive(&mut replica, &vote(place, VoteKind::Prevote, Some(block.hash())), 7))
        .collect();
    assert_eq!(begins(&outputs), 1);
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

/// The log of validator 0 of four after it prevoted for the first block.
fn frames_of_a_vote() -> Vec<LogFrame> {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    let outputs = replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(6));
    let written = outputs.iter().filter_map(|output| match output {
        Output::PersistLog { frame } => Some(portolan_replica::log::read(frame).unwrap().frames),
        _ => None,
    });
    written.flatten().collect()
}

#[test]
fn a_restart_votes_as_the_log_says_and_commits_the_block_that_it_voted_for() {
    let frames = frames_of_a_vote();
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
fn what_the_log_says_is_remembered_so_that_a_second_user_of_the_key_is_found_out() {
    let contradictions =
        [(vote(0, VoteKind::Prevote, None), "prevotes"), (vote(0, VoteKind::Prevote, Some(Hash([3; 32]))), "prevotes")];
    for (contradiction, what) in contradictions {
        let (mut again, _) = start(0, 4, frames_of_a_vote()).unwrap();
        again.step(Input::PeerUp { peer: PEER, validator: true }, at(1));
        let outputs = receive(&mut again, &contradiction, 2);
        assert_eq!(halt(&outputs), Some(&HaltReason::OwnContradiction { what, height: Height(1), round: 0 }));
    }
}

#[test]
fn a_decided_block_that_executes_otherwise_here_halts() {
    let mut replica = replica(0, 4);
    let (_, execution) = proposed(&mut replica, 5);
    let block = first_block();
    let ours = Box::new(Header { state_root: Hash([0xab; 32]), gas_used: 77, ..block.clone() });
    replica.step(Input::Verdict { execution, verdict: Verdict::RootsDiffer { ours } }, at(6));
    receive(&mut replica, &Message::Status { height: Height(1) }, 10);
    let outputs = replica.step(Input::Tick, at(200));
    assert!(said(&outputs).iter().any(|message| matches!(message, Message::BlocksRequest { from: Height(1), .. })));
    let synced = certified(&block, 1..4);
    let outputs = receive(&mut replica, &Message::Blocks { from: Height(1), blocks: vec![synced] }, 210);
    let Some(HaltReason::DecidedBlockDiffers { reason, .. }) = halt(&outputs) else { panic!("{outputs:?}") };
    let differing =
        format!("state root {} here and {} in the block; gas used 77 here and 0", Hash([0xab; 32]), block.state_root);
    assert!(reason.starts_with(&differing), "{reason}");
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
fn a_transaction_that_found_no_room_waits_and_does_not_begin_a_height_before() {
    let mut replica = replica(0, 1);
    let outputs = submit(&mut replica, 1, 5);
    let execution = begun(&outputs).unwrap();
    let left_out = vec![LeftOut { wire_hash: pooled(1).wire_hash, later: true }];
    replica.step(Input::PartExecuted { execution, left_out }, at(6));
    let built = header(1, at(5).clock.0, genesis(1).hash(), 1);
    replica.step(Input::Built { execution, header: built.clone() }, at(6));
    let outputs = replica.step(Input::Committed { header: built, transactions: vec![], next: next(1) }, at(8));
    assert_eq!((begins(&outputs), replica.status().pending), (0, 1));
    assert_eq!(begins(&replica.step(Input::Tick, at(500))), 0);
    let wake = replica.next_wake().unwrap();
    assert_eq!(begins(&replica.step(Input::Tick, at(wake.max(1_006)))), 1, "its time has come");
}

#[test]
fn with_each_failed_round_a_block_has_half_the_room() {
    let mut replica = replica(2, 4);
    replica.step(Input::Due { at: None }, at(1));
    for number in 1..=3 {
        let mut transaction = pooled(number);
        transaction.gas = ChainParameters::default().block_gas / 3;
        replica.step(Input::Submitted { request: 1, transaction }, at(1));
    }
    // The first round's proposer is silent; two thirds precommit nothing, and it is this node's turn.
    let nothing: Vec<_> =
        (0..4).filter(|place| *place != 2).map(|place| vote(place, VoteKind::Prevote, None)).collect();
    let mut outputs: Vec<_> = nothing.iter().flat_map(|vote| receive(&mut replica, vote, 2)).collect();
    for place in [0, 1, 3] {
        outputs.extend(receive(&mut replica, &vote(place, VoteKind::Precommit, None), 3));
    }
    for _ in 0..20 {
        let Some(wake) = replica.next_wake().filter(|_| begins(&outputs) == 0) else { break };
        outputs.extend(replica.step(Input::Tick, at(wake)));
    }
    let parts = outputs.iter().filter_map(|output| match output {
        Output::ExecutePart { transactions, .. } => Some(transactions.len()),
        _ => None,
    });
    assert_eq!((begins(&outputs), parts.sum::<usize>()), (1, 1), "one of three fits into half a block");
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

/// Validator 0 of four behind a fence, which has begun nothing.
fn fenced(fence: Fence) -> Replica {
    let recovered = Recovered { head: genesis(4), next: next(4), log: vec![] };
    let config = Config { fence: Some(fence), ..Config::new(CHAIN, member(0), Some(key(0))) };
    let (mut replica, outputs) = Replica::new(config, recovered, at(0)).unwrap();
    assert_eq!(outputs, []);
    replica.step(Input::PeerUp { peer: PEER, validator: true }, at(0));
    replica
}

/// A peer brings the first block, and it is committed; what is said on the way.
fn follow_first_block(replica: &mut Replica) -> Vec<Message> {
    let mut outputs = receive(replica, &Message::Status { height: Height(1) }, 310);
    outputs.extend(replica.step(Input::Tick, at(500)));
    outputs.extend(receive(
        replica,
        &Message::Blocks { from: Height(1), blocks: vec![certified(&first_block(), 1..4)] },
        510,
    ));
    let execution = begun(&outputs).unwrap();
    outputs.extend(replica.step(Input::Verdict { execution, verdict: Verdict::Valid }, at(511)));
    assert!(matches!(outputs.last(), Some(Output::Commit { .. })), "{outputs:?}");
    outputs
        .extend(replica.step(Input::Committed { header: first_block(), transactions: vec![], next: next(4) }, at(512)));
    said(&outputs)
}

/// What validator 0 signed.
fn signed(outputs: &[Message]) -> usize {
    let signed = |message: &&Message| matches!(message, Message::Vote(_) | Message::Proposal(_) | Message::Part(_));
    outputs.iter().filter(signed).count()
}

#[test]
fn a_validator_behind_its_fence_follows_and_signs_nothing() {
    let time = first_block().time;
    // The fence lets it vote on the second block, or it does not.
    for (fence, lifted) in [
        (Fence::After(Timestamp(time.0 - 1)), true),
        (Fence::After(time), false),
        (Fence::Above(Height(1)), true),
        (Fence::Above(Height(2)), false),
    ] {
        let mut replica = fenced(fence);
        assert_eq!(replica.status().why_no_block, WhyNoBlock::Fenced { fence });
        // A transaction, a proposal of its peers and their votes are no reason to sign, and neither is time.
        let mut outputs = submit(&mut replica, 1, 5);
        outputs.extend(receive(&mut replica, &stream(1, &first_block()), 6));
        outputs.extend(receive(&mut replica, &proposal(1, first_block().hash()), 6));
        for place in 1..4 {
            outputs.extend(receive(&mut replica, &vote(place, VoteKind::Prevote, Some(first_block().hash())), 7));
        }
        outputs.extend((1..30).flat_map(|step| replica.step(Input::Tick, at(10 * step))));
        assert_eq!((signed(&said(&outputs)), begins(&outputs)), (0, 0), "{fence:?}");
        assert!(!outputs.iter().any(|output| matches!(output, Output::PersistLog { .. })), "{fence:?}");
        assert_eq!(signed(&follow_first_block(&mut replica)), 0, "{fence:?}");
        let status = replica.status();
        assert_eq!((status.head, status.votes), (Height(1), lifted), "{fence:?}");
        let outputs: Vec<_> = (60..200).flat_map(|step| replica.step(Input::Tick, at(10 * step))).collect();
        assert_eq!(signed(&said(&outputs)) > 0, lifted, "{fence:?}");
        let waits = replica.status().why_no_block == WhyNoBlock::Fenced { fence };
        assert_eq!(waits, !lifted, "{fence:?}");
    }
}

#[test]
fn a_fence_says_nothing_of_a_node_without_a_key() {
    let recovered = Recovered { head: genesis(4), next: next(4), log: vec![] };
    let config = Config { fence: Some(Fence::Above(Height(9))), ..Config::new(CHAIN, member(0), None) };
    let (replica, _) = Replica::new(config, recovered, at(0)).unwrap();
    assert_eq!((replica.status().votes, replica.status().why_no_block), (false, WhyNoBlock::Following));
}
