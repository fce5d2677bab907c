//! The consensus core (Malachite) as a function: an input in, what follows from it out. The only user of `process!`.
//!
//! Signing and verifying happen inline. The macro goes on after a failed handler, so a failure is kept here, every later
//! effect of the step is refused, and the step ends in an error that halts the node. Must never drop such a failure.

use malachitebft_core_consensus::ConsensusMsg;
use malachitebft_core_consensus::{
    Effect, Error, Input as CoreInput, LivenessMsg, LocallyProposedValue, MisbehaviorEvidence, Params, ProposedValue,
    Resumable, Resume, SignedConsensusMsg, State, ThresholdParams, process,
};
use malachitebft_core_types::{
    CertificateError, CommitCertificate as CoreCertificate, PolkaCertificate, PolkaSignature, Round, RoundCertificate,
    RoundCertificateType, RoundSignature, SignedMessage, Timeout, TimeoutKind, Validity, ValueOrigin, ValuePayload,
    VoteExtensionPolicy, VoteType,
};
use portolan_primitives::{
    CommitCertificate, Hash, Height, MemberId, PublicKey, Round as OurRound, Signature, SigningKey, ValidatorSet,
    VoteKind, vote::vote_message,
};

use crate::context::{
    BlockId, Consensus, CoreProposal, CoreSet, CoreVote, Member, core_height, core_kind, core_round, core_value,
    our_kind, our_round, our_value,
};
use crate::evidence::Evidence;
use crate::log::{LogRecord, StepTimeout};
use crate::messages::{
    Message, PartContent, PartMessage, PolkaMessage, ProposalMessage, RoundMessage, RoundReason, RoundVote, VoteMessage,
};
use crate::output::HaltReason;
use crate::rule::VotingRule;
use crate::signatures::{Signer, Verifier};

type SignedVote = SignedMessage<Consensus, CoreVote>;
type SignedProposal = SignedMessage<Consensus, CoreProposal>;

/// A timer that the core asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// For the proposal.
    Propose,
    /// For prevotes.
    Prevote,
    /// For precommits.
    Precommit,
    /// For repeating the own votes.
    Rebroadcast,
}

/// What the core wants, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Keep for a restart.
    Append(LogRecord),
    /// Say to the validators, after what was appended is on disk.
    Publish(Message),
    /// A round begins.
    RoundStarted {
        /// Which.
        round: OurRound,
    },
    /// Build a block for the round.
    BuildValue {
        /// Which.
        round: OurRound,
    },
    /// Send the list of a known block again.
    Restream {
        /// The block.
        block: Hash,
    },
    /// A block is decided.
    Decided(CommitCertificate),
    /// Validators that signed two things.
    Misbehaviour(Vec<Evidence>),
    /// Start a timer.
    Schedule(TimerKind, OurRound),
    /// Stop a timer.
    Cancel(TimerKind, OurRound),
    /// Stop all timers.
    CancelAll,
}

/// A verdict on a block, for the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueVerdict {
    /// Round of the proposal that it is for.
    pub round: OurRound,
    /// Its valid round.
    pub valid_round: Option<OurRound>,
    /// Who proposed it.
    pub proposer: MemberId,
    /// The block.
    pub value: Hash,
    /// The verdict.
    pub valid: bool,
}

/// The core with its pen and its glasses.
pub struct Driver<V> {
    state: State<Consensus>,
    desk: Desk<V>,
}

/// What effects are handled with, apart from the core's own state.
struct Desk<V> {
    chain: Hash,
    set: ValidatorSet,
    signer: Signer,
    verifier: Verifier,
    rule: V,
    events: Vec<Event>,
    failure: Option<HaltReason>,
}

/// The step of a round, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// No round yet.
    Idle,
    /// Waiting for the proposal.
    Propose,
    /// Waiting for prevotes.
    Prevote,
    /// Waiting for precommits.
    Precommit,
    /// Decided.
    Commit,
}

impl<V: VotingRule> Driver<V> {
    /// A core that rests below its first height. `None` when the set can't be used.
    pub fn new(
        chain: Hash,
        member: MemberId,
        key: Option<SigningKey>,
        height: Height,
        set: &ValidatorSet,
        rule: V,
    ) -> Option<Self> {
        let params = Params {
            address: Member(member),
            threshold_params: ThresholdParams::default(),
            value_payload: ValuePayload::ProposalAndParts,
            enabled: true,
        };
        // The replica keeps early messages itself, with a bound for each peer: the core's own queue stays almost empty.
        let state = State::new(Consensus, core_height(height), CoreSet::new(set)?, params, 1, 64);
        let desk = Desk {
            chain,
            set: set.clone(),
            signer: Signer::new(chain, member, key),
            verifier: Verifier::default(),
            rule,
            events: Vec::new(),
            failure: None,
        };
        Some(Self { state, desk })
    }

    /// Begins a height.
    pub fn start_height(&mut self, height: Height, set: &ValidatorSet) -> Result<Vec<Event>, HaltReason> {
        let Some(core_set) = CoreSet::new(set) else {
            return Err(HaltReason::Core { reason: format!("the validator set of height {height} can't be counted") });
        };
        self.desk.set = set.clone();
        self.desk.signer.forget_below(height);
        self.desk.rule.height_begun();
        // No target time: the replica paces heights, so the core's own clock is never asked.
        self.process(CoreInput::StartHeight(core_height(height), core_set, false, None, VoteExtensionPolicy::Disabled))
    }

    /// Begins a height again from the log: own messages are compared with the recorded ones, never signed anew.
    pub fn replay(
        &mut self,
        height: Height,
        set: &ValidatorSet,
        records: &[LogRecord],
    ) -> Result<Vec<Event>, HaltReason> {
        for record in records {
            self.note_own(record)?;
        }
        let inputs: Vec<_> = records.iter().filter_map(|record| core_input(height, record)).collect();
        self.state.index_wal_entries(&inputs);
        let mut events = self.start_height(height, set)?;
        for input in inputs {
            events.extend(self.process(input)?);
        }
        self.state.reset_entries_index();
        Ok(events)
    }

    /// A vote of a peer.
    pub fn vote(&mut self, vote: VoteMessage) -> Result<Vec<Event>, HaltReason> {
        self.process(CoreInput::Vote(core_vote(&vote)))
    }

    /// A proposal of a peer.
    pub fn proposal(&mut self, proposal: ProposalMessage) -> Result<Vec<Event>, HaltReason> {
        self.desk.rule.proposed(proposal.round, proposal.value);
        self.process(CoreInput::Proposal(core_proposal(&proposal)))
    }

    /// A polka of a peer.
    pub fn polka(&mut self, polka: PolkaMessage) -> Result<Vec<Event>, HaltReason> {
        self.process(CoreInput::PolkaCertificate(core_polka(&polka)))
    }

    /// A peer's reason for a round.
    pub fn round(&mut self, message: RoundMessage) -> Result<Vec<Event>, HaltReason> {
        let cert_type = match message.reason {
            RoundReason::Skip => RoundCertificateType::Skip,
            RoundReason::Precommit => RoundCertificateType::Precommit,
        };
        let signature = |vote: &RoundVote| {
            RoundSignature::new(core_kind(vote.kind), core_value(vote.value), Member(vote.validator), vote.signature)
        };
        self.process(CoreInput::RoundCertificate(RoundCertificate {
            height: core_height(message.height),
            round: core_round(Some(message.round)),
            cert_type,
            round_signatures: message.votes.iter().map(signature).collect(),
        }))
    }

    /// This node built a block for the current round.
    pub fn propose(&mut self, height: Height, round: OurRound, value: Hash) -> Result<Vec<Event>, HaltReason> {
        let value = LocallyProposedValue::new(core_height(height), core_round(Some(round)), BlockId(value));
        self.process(CoreInput::Propose(value))
    }

    /// A block was executed; its body is in the log.
    pub fn value(&mut self, height: Height, verdict: ValueVerdict) -> Result<Vec<Event>, HaltReason> {
        if verdict.valid {
            self.desk.rule.found_good(verdict.value);
        }
        self.process(value_input(height, &verdict))
    }

    /// A timer ran out.
    pub fn timeout(&mut self, kind: TimerKind, round: OurRound) -> Result<Vec<Event>, HaltReason> {
        let kind = match kind {
            TimerKind::Propose => TimeoutKind::Propose,
            TimerKind::Prevote => TimeoutKind::Prevote,
            TimerKind::Precommit => TimeoutKind::Precommit,
            TimerKind::Rebroadcast => TimeoutKind::Rebroadcast,
        };
        self.process(CoreInput::TimeoutElapsed(Timeout::new(core_round(Some(round)), kind)))
    }

    /// Signs a part of this node's stream.
    pub fn sign_part(&mut self, content: PartContent) -> Result<PartMessage, HaltReason> {
        self.desk.signer.part(&mut self.desk.verifier, content)
    }

    /// Whether `signature` over `message` is of this member in the set of the current height.
    pub fn verify(&mut self, set: &ValidatorSet, member: MemberId, message: &[u8], signature: &Signature) -> bool {
        let Some(validator) = set.validators().iter().find(|validator| validator.member == member) else {
            return false;
        };
        self.desk.verifier.verify(&validator.key, message, signature)
    }

    /// Whether this node votes in the set.
    pub fn votes_in(&self, set: &ValidatorSet) -> bool {
        self.desk.signer.is_in(set)
    }

    /// The round of the current height.
    pub fn current_round(&self) -> Option<OurRound> {
        our_round(self.state.round())
    }

    /// The step of the current round.
    pub fn step(&self) -> Step {
        let driver = &self.state.driver;
        if driver.step_is_propose() {
            Step::Propose
        } else if driver.step_is_prevote() {
            Step::Prevote
        } else if driver.step_is_precommit() {
            Step::Precommit
        } else if driver.step_is_commit() {
            Step::Commit
        } else {
            Step::Idle
        }
    }

    /// Whether a polka for the block is known at the current height.
    pub fn has_polka(&self, block: &Hash) -> bool {
        self.state.driver.polka_certificates().iter().any(|polka| polka.value_id == *block)
    }

    /// Signatures that are remembered as valid.
    pub fn remembered(&self) -> usize {
        self.desk.verifier.remembered()
    }

    /// Own votes and proposals that are remembered, so that none is contradicted.
    pub fn statements(&self) -> usize {
        self.desk.signer.statements()
    }

    /// Who has voted in the current round: kind, member, value.
    pub fn votes_seen(&self) -> Vec<(VoteKind, MemberId, Option<Hash>)> {
        let Some(votes) = self.state.driver.votes().per_round(self.state.round()) else { return Vec::new() };
        let seen = votes.received_votes().iter();
        seen.map(|vote| (our_kind(vote.kind), vote.validator.0, our_value(&vote.value))).collect()
    }

    fn note_own(&mut self, record: &LogRecord) -> Result<(), HaltReason> {
        let own = self.desk.signer.member();
        match record {
            LogRecord::Vote(vote) if vote.validator == own => self.desk.signer.note_vote(vote),
            LogRecord::Proposal(proposal) if proposal.proposer == own => self.desk.signer.note_proposal(proposal),
            _ => Ok(()),
        }
    }

    fn process(&mut self, input: CoreInput<Consensus>) -> Result<Vec<Event>, HaltReason> {
        let Self { state, desk } = self;
        let result: Result<(), Error<Consensus>> = process!(
            input: input,
            state: state,
            metrics: &(),
            with: effect => desk.handle(effect)
        );
        if let Some(failure) = desk.failure.take() {
            return Err(failure);
        }
        result.map_err(|error| HaltReason::Core { reason: error.to_string() })?;
        Ok(std::mem::take(&mut desk.events))
    }
}

/// An effect that was refused because the step has failed already; the failure itself is kept in the desk.
#[derive(Debug)]
struct Refused;

impl<V: VotingRule> Desk<V> {
    fn handle(&mut self, effect: Effect<Consensus>) -> Result<Resume<Consensus>, Refused> {
        if self.failure.is_some() {
            return Err(Refused);
        }
        self.carry_out(effect).map_err(|failure| {
            self.failure = Some(failure);
            Refused
        })
    }

    fn carry_out(&mut self, effect: Effect<Consensus>) -> Result<Resume<Consensus>, HaltReason> {
        match effect {
            Effect::CancelAllTimeouts(resume) => Ok(self.then(Event::CancelAll, resume)),
            Effect::CancelTimeout(timeout, resume) => Ok(self.timer(timeout, Event::Cancel, resume)),
            Effect::ScheduleTimeout(timeout, resume) => Ok(self.timer(timeout, Event::Schedule, resume)),
            Effect::StartRound(_, round, _, _, resume) => {
                Ok(self.then(Event::RoundStarted { round: started(round) }, resume))
            }
            Effect::PublishConsensusMsg(message, resume) => {
                Ok(self.then(Event::Publish(consensus_message(message)), resume))
            }
            Effect::PublishLivenessMsg(message, resume) => {
                Ok(self.then(Event::Publish(liveness_message(message)), resume))
            }
            Effect::RepublishVote(vote, resume) => {
                Ok(self.then(Event::Publish(Message::Vote(our_vote(&vote))), resume))
            }
            Effect::RepublishRoundCertificate(certificate, resume) => {
                Ok(self.then(Event::Publish(Message::Round(our_round_message(&certificate))), resume))
            }
            Effect::GetValue(_, round, _, resume) => Ok(self.then(Event::BuildValue { round: started(round) }, resume)),
            Effect::RestreamProposal(_, _, _, _, block, resume) => Ok(self.then(Event::Restream { block }, resume)),
            Effect::WalAppend(_, input, resume) => Ok(self.append(&input, resume)),
            Effect::Decide(certificate, _, resume) => {
                let certificate = self.our_certificate(&certificate)?;
                Ok(self.then(Event::Decided(certificate), resume))
            }
            Effect::Finalize(_, _, evidence, resume) => Ok(self.evidence(&evidence, resume)),
            Effect::SignVote(vote, resume) => self.sign_vote(vote).map(|signed| resume.resume_with(signed)),
            Effect::SignProposal(proposal, resume) => {
                self.sign_proposal(proposal).map(|signed| resume.resume_with(signed))
            }
            Effect::VerifySignature(message, key, resume) => {
                self.verify_signature(&message, &key).map(|valid| resume.resume_with(valid))
            }
            Effect::VerifyCommitCertificate(certificate, _, _, resume) => {
                Ok(resume.resume_with(self.verify_commit(&certificate)))
            }
            Effect::VerifyPolkaCertificate(certificate, _, _, resume) => {
                self.verify_polka(&certificate).map(|result| resume.resume_with(result))
            }
            Effect::VerifyRoundCertificate(certificate, _, _, resume) => {
                self.verify_round(&certificate).map(|result| resume.resume_with(result))
            }
            // Synced blocks and vote extensions never enter the core.
            Effect::CertVerifiedSyncValue(..)
            | Effect::CertRejectedSyncValue(..)
            | Effect::VerifyExtendedCommitCertificate(..)
            | Effect::ExtendVote(..)
            | Effect::VerifyVoteExtension(..) => {
                Err(HaltReason::Core { reason: "it asked for something that this chain does not have".into() })
            }
        }
    }

    fn then<R: Resumable<Consensus, Value = ()>>(&mut self, event: Event, resume: R) -> Resume<Consensus> {
        self.events.push(event);
        resume.resume_with(())
    }

    fn timer<R: Resumable<Consensus, Value = ()>>(
        &mut self,
        timeout: Timeout,
        event: fn(TimerKind, OurRound) -> Event,
        resume: R,
    ) -> Resume<Consensus> {
        let kind = match timeout.kind {
            TimeoutKind::Propose => TimerKind::Propose,
            TimeoutKind::Prevote => TimerKind::Prevote,
            TimeoutKind::Precommit => TimerKind::Precommit,
            TimeoutKind::Rebroadcast => TimerKind::Rebroadcast,
            // Only asked for with a target time, which no height has.
            TimeoutKind::FinalizeHeight(_) => return resume.resume_with(()),
        };
        self.then(event(kind, started(timeout.round)), resume)
    }

    fn append<R: Resumable<Consensus, Value = ()>>(
        &mut self,
        input: &CoreInput<Consensus>,
        resume: R,
    ) -> Resume<Consensus> {
        match log_record(input) {
            Some(record) => self.then(Event::Append(record), resume),
            None => resume.resume_with(()),
        }
    }

    fn evidence<R: Resumable<Consensus, Value = ()>>(
        &mut self,
        evidence: &MisbehaviorEvidence<Consensus>,
        resume: R,
    ) -> Resume<Consensus> {
        if evidence.is_empty() {
            return resume.resume_with(());
        }
        let votes = evidence.votes.iter().flat_map(|(_, pairs)| pairs);
        let proposals = evidence.proposals.iter().flat_map(|(_, pairs)| pairs);
        let found = votes
            .map(|(one, other)| Evidence::Votes(our_vote(one), our_vote(other)))
            .chain(proposals.map(|(one, other)| Evidence::Proposals(our_proposal(one), our_proposal(other))))
            .collect();
        self.then(Event::Misbehaviour(found), resume)
    }

    fn sign_vote(&mut self, vote: CoreVote) -> Result<SignedVote, HaltReason> {
        let (kind, height, round) = (our_kind(vote.kind), Height(vote.height.0), started(vote.round));
        let value = match kind {
            VoteKind::Prevote => self.rule.prevote(round, our_value(&vote.value)),
            VoteKind::Precommit => our_value(&vote.value),
        };
        let signed = self.signer.vote(&mut self.verifier, kind, height, round, value)?;
        Ok(SignedMessage::new(CoreVote { value: core_value(value), ..vote }, signed.signature))
    }

    fn sign_proposal(&mut self, proposal: CoreProposal) -> Result<SignedProposal, HaltReason> {
        let (height, round) = (Height(proposal.height.0), started(proposal.round));
        let valid_round = our_round(proposal.pol_round);
        let signed = self.signer.proposal(&mut self.verifier, height, round, proposal.value.0, valid_round)?;
        Ok(SignedMessage::new(proposal, signed.signature))
    }

    /// Verifies a single message; one with this node's own valid signature must not contradict what it said.
    fn verify_signature(
        &mut self,
        message: &SignedMessage<Consensus, ConsensusMsg<Consensus>>,
        key: &PublicKey,
    ) -> Result<bool, HaltReason> {
        match &message.message {
            ConsensusMsg::Vote(vote) => {
                let vote = our_vote(&SignedMessage::new(vote.clone(), message.signature));
                self.verify_vote(&vote, key)
            }
            ConsensusMsg::Proposal(proposal) => {
                let proposal = our_proposal(&SignedMessage::new(proposal.clone(), message.signature));
                let valid = self.verifier.verify(key, &proposal.signed_bytes(&self.chain), &proposal.signature);
                if valid && proposal.proposer == self.signer.member() {
                    self.signer.note_proposal(&proposal)?;
                }
                Ok(valid)
            }
        }
    }

    fn verify_vote(&mut self, vote: &VoteMessage, key: &PublicKey) -> Result<bool, HaltReason> {
        let valid = self.verifier.verify(key, &vote.signed_bytes(&self.chain), &vote.signature);
        if valid && vote.validator == self.signer.member() {
            self.signer.note_vote(vote)?;
        }
        Ok(valid)
    }

    fn our_certificate(&self, certificate: &CoreCertificate<Consensus>) -> Result<CommitCertificate, HaltReason> {
        let place = |member: &Member| {
            let found = self.set.validators().iter().position(|validator| validator.member == member.0);
            found.and_then(|place| u16::try_from(place).ok())
        };
        let mut signatures = Vec::new();
        for signature in &certificate.commit_signatures {
            let Some(place) = place(&signature.address) else {
                return Err(HaltReason::Core { reason: "it decided with the vote of a stranger".into() });
            };
            signatures.push((place, signature.signature));
        }
        signatures.sort_unstable_by_key(|(place, _)| *place);
        signatures.dedup_by_key(|(place, _)| *place);
        Ok(CommitCertificate {
            chain: self.chain,
            height: Height(certificate.height.0),
            round: started(certificate.round),
            header: certificate.value_id,
            signatures,
        })
    }

    fn verify_commit(&mut self, certificate: &CoreCertificate<Consensus>) -> Result<(), CertificateError<Consensus>> {
        let (height, round) = (Height(certificate.height.0), started(certificate.round));
        let message = vote_message(&self.chain, VoteKind::Precommit, height, round, Some(&certificate.value_id));
        let mut tally = Tally::default();
        for signature in &certificate.commit_signatures {
            let key = tally.count(&self.set, &signature.address)?;
            if !self.verifier.verify(&key, &message, &signature.signature) {
                return Err(CertificateError::InvalidCommitSignature(signature.clone()));
            }
        }
        tally.need_two_thirds(&self.set)
    }

    fn verify_polka(
        &mut self,
        certificate: &PolkaCertificate<Consensus>,
    ) -> Result<Result<(), CertificateError<Consensus>>, HaltReason> {
        let mut tally = Tally::default();
        for signature in &certificate.polka_signatures {
            let key = match tally.count(&self.set, &signature.address) {
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
            let vote = VoteMessage {
                kind: VoteKind::Prevote,
                height: Height(certificate.height.0),
                round: started(certificate.round),
                value: Some(certificate.value_id),
                validator: signature.address.0,
                signature: signature.signature,
            };
            if !self.verify_vote(&vote, &key)? {
                return Ok(Err(CertificateError::InvalidPolkaSignature(signature.clone())));
            }
        }
        Ok(tally.need_two_thirds(&self.set))
    }

    fn verify_round(
        &mut self,
        certificate: &RoundCertificate<Consensus>,
    ) -> Result<Result<(), CertificateError<Consensus>>, HaltReason> {
        let mut tally = Tally::default();
        let precommits_only = certificate.cert_type == RoundCertificateType::Precommit;
        for signature in &certificate.round_signatures {
            let key = match tally.count(&self.set, &signature.address) {
                Ok(key) => key,
                Err(error) => return Ok(Err(error)),
            };
            if precommits_only && signature.vote_type == VoteType::Prevote {
                return Ok(Err(CertificateError::InvalidVoteType(signature.address)));
            }
            let vote = VoteMessage {
                kind: our_kind(signature.vote_type),
                height: Height(certificate.height.0),
                round: started(certificate.round),
                value: our_value(&signature.value_id),
                validator: signature.address.0,
                signature: signature.signature,
            };
            if !self.verify_vote(&vote, &key)? {
                return Ok(Err(CertificateError::InvalidRoundSignature(signature.clone())));
            }
        }
        Ok(if precommits_only { tally.need_two_thirds(&self.set) } else { tally.need_one_third(&self.set) })
    }
}

/// Counts each signer of a certificate once.
#[derive(Default)]
struct Tally {
    seen: Vec<Member>,
    power: u128,
}

impl Tally {
    /// The signer's key, if it is in the set and new.
    fn count(&mut self, set: &ValidatorSet, member: &Member) -> Result<PublicKey, CertificateError<Consensus>> {
        let found = set.validators().iter().find(|validator| validator.member == member.0);
        let validator = found.ok_or(CertificateError::UnknownValidator(*member))?;
        if self.seen.contains(member) {
            return Err(CertificateError::DuplicateVote(*member));
        }
        self.seen.push(*member);
        self.power += u128::from(validator.power);
        Ok(validator.key)
    }

    fn need_two_thirds(&self, set: &ValidatorSet) -> Result<(), CertificateError<Consensus>> {
        self.need(set.is_quorum(self.power), set)
    }

    fn need_one_third(&self, set: &ValidatorSet) -> Result<(), CertificateError<Consensus>> {
        self.need(self.power * 3 > set.total_power(), set)
    }

    fn need(&self, enough: bool, set: &ValidatorSet) -> Result<(), CertificateError<Consensus>> {
        if enough {
            return Ok(());
        }
        let clamp = |power: u128| u64::try_from(power).unwrap_or(u64::MAX);
        let (signed, total) = (clamp(self.power), clamp(set.total_power()));
        Err(CertificateError::NotEnoughVotingPower { signed, total, expected: total / 3 * 2 + 1 })
    }
}

/// A round that the core says has started; "no round" never starts.
fn started(round: Round) -> OurRound {
    our_round(round).unwrap_or_default()
}

fn core_vote(vote: &VoteMessage) -> SignedVote {
    let message = CoreVote {
        kind: core_kind(vote.kind),
        height: core_height(vote.height),
        round: core_round(Some(vote.round)),
        value: core_value(vote.value),
        validator: Member(vote.validator),
    };
    SignedMessage::new(message, vote.signature)
}

fn our_vote(vote: &SignedVote) -> VoteMessage {
    VoteMessage {
        kind: our_kind(vote.message.kind),
        height: Height(vote.message.height.0),
        round: started(vote.message.round),
        value: our_value(&vote.message.value),
        validator: vote.message.validator.0,
        signature: vote.signature,
    }
}

fn core_proposal(proposal: &ProposalMessage) -> SignedProposal {
    let message = CoreProposal {
        height: core_height(proposal.height),
        round: core_round(Some(proposal.round)),
        value: BlockId(proposal.value),
        pol_round: core_round(proposal.valid_round),
        proposer: Member(proposal.proposer),
    };
    SignedMessage::new(message, proposal.signature)
}

fn our_proposal(proposal: &SignedProposal) -> ProposalMessage {
    ProposalMessage {
        height: Height(proposal.message.height.0),
        round: started(proposal.message.round),
        value: proposal.message.value.0,
        valid_round: our_round(proposal.message.pol_round),
        proposer: proposal.message.proposer.0,
        signature: proposal.signature,
    }
}

fn core_polka(polka: &PolkaMessage) -> PolkaCertificate<Consensus> {
    let signature = |(member, signature): &(MemberId, Signature)| PolkaSignature::new(Member(*member), *signature);
    PolkaCertificate {
        height: core_height(polka.height),
        round: core_round(Some(polka.round)),
        value_id: polka.value,
        polka_signatures: polka.signatures.iter().map(signature).collect(),
    }
}

fn our_polka(polka: &PolkaCertificate<Consensus>) -> PolkaMessage {
    PolkaMessage {
        height: Height(polka.height.0),
        round: started(polka.round),
        value: polka.value_id,
        signatures: polka.polka_signatures.iter().map(|one| (one.address.0, one.signature)).collect(),
    }
}

fn our_round_message(certificate: &RoundCertificate<Consensus>) -> RoundMessage {
    let vote = |one: &RoundSignature<Consensus>| RoundVote {
        kind: our_kind(one.vote_type),
        value: our_value(&one.value_id),
        validator: one.address.0,
        signature: one.signature,
    };
    RoundMessage {
        height: Height(certificate.height.0),
        round: started(certificate.round),
        reason: match certificate.cert_type {
            RoundCertificateType::Skip => RoundReason::Skip,
            RoundCertificateType::Precommit => RoundReason::Precommit,
        },
        votes: certificate.round_signatures.iter().map(vote).collect(),
    }
}

fn consensus_message(message: SignedConsensusMsg<Consensus>) -> Message {
    match message {
        SignedConsensusMsg::Vote(vote) => Message::Vote(our_vote(&vote)),
        SignedConsensusMsg::Proposal(proposal) => Message::Proposal(our_proposal(&proposal)),
    }
}

fn liveness_message(message: LivenessMsg<Consensus>) -> Message {
    match message {
        LivenessMsg::Vote(vote) => Message::Vote(our_vote(&vote)),
        LivenessMsg::PolkaCertificate(polka) => Message::Polka(our_polka(&polka)),
        LivenessMsg::SkipRoundCertificate(certificate) => Message::Round(our_round_message(&certificate)),
    }
}

fn value_input(height: Height, verdict: &ValueVerdict) -> CoreInput<Consensus> {
    let value = ProposedValue {
        height: core_height(height),
        round: core_round(Some(verdict.round)),
        valid_round: core_round(verdict.valid_round),
        proposer: Member(verdict.proposer),
        value: BlockId(verdict.value),
        validity: Validity::from_bool(verdict.valid),
    };
    CoreInput::ProposedValue(value, ValueOrigin::Consensus)
}

fn log_record(input: &CoreInput<Consensus>) -> Option<LogRecord> {
    match input {
        CoreInput::Vote(vote) => Some(LogRecord::Vote(our_vote(vote))),
        CoreInput::Proposal(proposal) => Some(LogRecord::Proposal(our_proposal(proposal))),
        CoreInput::PolkaCertificate(polka) => Some(LogRecord::Polka(our_polka(polka))),
        CoreInput::ProposedValue(value, _) => Some(LogRecord::Value {
            round: started(value.round),
            valid_round: our_round(value.valid_round),
            proposer: value.proposer.0,
            value: value.value.0,
            valid: value.validity.is_valid(),
        }),
        CoreInput::TimeoutElapsed(timeout) => {
            let step = match timeout.kind {
                TimeoutKind::Propose => StepTimeout::Propose,
                TimeoutKind::Prevote => StepTimeout::Prevote,
                TimeoutKind::Precommit => StepTimeout::Precommit,
                TimeoutKind::Rebroadcast | TimeoutKind::FinalizeHeight(_) => return None,
            };
            Some(LogRecord::Timeout { step, round: started(timeout.round) })
        }
        // The core keeps none of these.
        CoreInput::StartHeight(..)
        | CoreInput::RoundCertificate(_)
        | CoreInput::Propose(_)
        | CoreInput::SyncValueResponse(_) => None,
    }
}

fn core_input(height: Height, record: &LogRecord) -> Option<CoreInput<Consensus>> {
    match record {
        LogRecord::Vote(vote) => Some(CoreInput::Vote(core_vote(vote))),
        LogRecord::Proposal(proposal) => Some(CoreInput::Proposal(core_proposal(proposal))),
        LogRecord::Polka(polka) => Some(CoreInput::PolkaCertificate(core_polka(polka))),
        LogRecord::Value { round, valid_round, proposer, value, valid } => {
            let (round, valid_round, proposer, value, valid) = (*round, *valid_round, *proposer, *value, *valid);
            Some(value_input(height, &ValueVerdict { round, valid_round, proposer, value, valid }))
        }
        LogRecord::Timeout { step, round } => {
            let kind = match step {
                StepTimeout::Propose => TimeoutKind::Propose,
                StepTimeout::Prevote => TimeoutKind::Prevote,
                StepTimeout::Precommit => TimeoutKind::Precommit,
            };
            Some(CoreInput::TimeoutElapsed(Timeout::new(core_round(Some(*round)), kind)))
        }
        LogRecord::Body { .. } => None,
    }
}
