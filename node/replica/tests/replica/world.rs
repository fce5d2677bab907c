//! A replica of a chain of four (or one), and its peers and host played by hand.

pub use std::collections::BTreeSet;

pub use codec::Encode;
pub use portolan_primitives::vote::vote_message;
pub use portolan_primitives::{
    AccountId, Body, Call, CommitCertificate, ContractId, Hash, Header, Height, KeyId, MemberId, Round, Signature,
    SigningKey, Timestamp, Transaction, Validator, ValidatorSet, VoteKind, list_root,
};
pub use portolan_replica::log::{LogFrame, LogRecord, StepTimeout};
pub use portolan_replica::messages::{
    Channel, Message, PartBegin, PartContent, PartMessage, PolkaMessage, ProposalMessage, RoundMessage, RoundReason,
    RoundVote, VoteMessage, proposal_bytes,
};
pub use portolan_replica::{
    CertifiedBlock, ChainParameters, Checked, Config, ExecutionId, Fence, HaltReason, Input, LeftOut, Moment,
    NextBlock, Output, PooledTransaction, Purpose, Recovered, Refusal, Replica, SeenPeer, Verdict, WhyNoBlock,
};

pub const CHAIN: Hash = Hash([7; 32]);
pub const START: u64 = 1_000_000;
pub const PEER: KeyId = KeyId([9; 32]);

pub fn key(place: u8) -> SigningKey {
    SigningKey::from_secret(&[place + 1; 32]).unwrap()
}

pub fn member(place: u8) -> MemberId {
    MemberId([place; 16])
}

pub fn set(count: u8) -> ValidatorSet {
    let validator = |place| Validator { member: member(place), key: key(place).public(), power: 1 };
    ValidatorSet::new((0..count).map(validator).collect())
}

pub fn header(height: u64, time: u64, parent: Hash, count: u8) -> Header {
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

pub fn next(count: u8) -> NextBlock {
    let parameters = ChainParameters { heartbeat_ms: None, ..ChainParameters::default() };
    NextBlock { validators: set(count), parameters, next_due: None }
}

pub fn genesis(count: u8) -> Header {
    header(0, START, Hash::ZERO, count)
}

pub fn at(ms: u64) -> Moment {
    Moment { elapsed_ms: ms, clock: Timestamp(START + 1_000 + ms) }
}

pub fn start(own: u8, count: u8, log: Vec<LogFrame>) -> Result<(Replica, Vec<Output>), HaltReason> {
    let recovered = Recovered { head: genesis(count), next: next(count), log };
    Replica::new(Config::new(CHAIN, member(own), Some(key(own))), recovered, at(0))
}

pub fn replica(own: u8, count: u8) -> Replica {
    let (mut replica, outputs) = start(own, count, vec![]).unwrap();
    assert_eq!(outputs, [], "an idle chain begins in silence");
    replica.step(Input::PeerUp { peer: PEER, validator: true }, at(0));
    replica
}

pub fn transaction(number: u8) -> Transaction {
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

pub fn pooled(number: u8) -> PooledTransaction {
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

pub fn submit(replica: &mut Replica, number: u8, now: u64) -> Vec<Output> {
    replica.step(Input::Submitted { request: 1, transaction: pooled(number) }, at(now))
}

pub fn receive(replica: &mut Replica, message: &Message, now: u64) -> Vec<Output> {
    let (channel, bytes) = (message.channel(), message.encode());
    replica.step(Input::Received { from: PEER, channel, bytes }, at(now))
}

pub fn said(outputs: &[Output]) -> Vec<Message> {
    let sent = outputs.iter().filter_map(|output| match output {
        Output::Send { channel, bytes, .. } => Message::decode_checked(*channel, bytes).ok(),
        _ => None,
    });
    sent.collect()
}

pub fn votes(outputs: &[Output]) -> Vec<(VoteKind, Option<Hash>)> {
    let votes = said(outputs).into_iter().filter_map(|message| match message {
        Message::Vote(vote) => Some((vote.kind, vote.value)),
        _ => None,
    });
    votes.collect()
}

pub fn vote(place: u8, kind: VoteKind, value: Option<Hash>) -> Message {
    let signature = Signature::Ed25519([0; 64]);
    let mut vote = VoteMessage { kind, height: Height(1), round: Round(0), value, validator: member(place), signature };
    vote.signature = key(place).sign(&vote.signed_bytes(&CHAIN));
    Message::Vote(vote)
}

pub fn stream(place: u8, header: &Header) -> Message {
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

pub fn proposal(place: u8, value: Hash) -> Message {
    let signature = Signature::Ed25519([0; 64]);
    let (height, round) = (Height(1), Round(0));
    let mut proposal = ProposalMessage { height, round, value, valid_round: None, proposer: member(place), signature };
    proposal.signature = key(place).sign(&proposal.signed_bytes(&CHAIN));
    Message::Proposal(proposal)
}

pub fn halt(outputs: &[Output]) -> Option<&HaltReason> {
    outputs.iter().find_map(|output| match output {
        Output::Halt { reason } => Some(reason),
        _ => None,
    })
}

/// The block that validator 1 of four proposes at height 1.
pub fn first_block() -> Header {
    header(1, START + 1_000, genesis(4).hash(), 4)
}

/// Validator 0 of four receives the first block with its proposal; the outputs, and the execution that it asked for.
pub fn proposed(replica: &mut Replica, now: u64) -> (Vec<Output>, portolan_replica::ExecutionId) {
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

/// The executions that the outputs begin.
pub fn begins(outputs: &[Output]) -> usize {
    outputs.iter().filter(|output| matches!(output, Output::BeginBlock { .. })).count()
}

/// The first execution that the outputs begin.
pub fn begun(outputs: &[Output]) -> Option<ExecutionId> {
    outputs.iter().find_map(|output| match output {
        Output::BeginBlock { execution, .. } => Some(*execution),
        _ => None,
    })
}

/// What the peer is blamed for.
pub fn blamed(outputs: &[Output]) -> Vec<&'static str> {
    let faults = outputs.iter().filter_map(|output| match output {
        Output::PeerFault { peer: PEER, reason } => Some(*reason),
        _ => None,
    });
    faults.collect()
}

/// The block, without transactions, with the certificate that these validators of four signed.
pub fn certified(block: &Header, places: std::ops::Range<u8>) -> CertifiedBlock {
    let hash = block.hash();
    let message = vote_message(&CHAIN, VoteKind::Precommit, block.height, Round(0), Some(&hash));
    let signatures = places.map(|place| (u16::from(place), key(place).sign(&message))).collect();
    let certificate =
        CommitCertificate { chain: CHAIN, height: block.height, round: Round(0), header: hash, signatures };
    CertifiedBlock { header: block.clone(), transactions: vec![], certificate }
}
