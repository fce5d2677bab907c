//! The consensus core's types in terms of ours. The value that is agreed on is a header's hash, and its id is the same.
//! Must never hold a rule of ours beyond "round robin" and "the bytes that are signed".

use malachitebft_core_types::{
    Address, Context, Height as CoreHeightTrait, LinearTimeouts, NilOrVal, Proposal, ProposalPart, Round,
    SignedExtension, SigningScheme, Validator, ValidatorSet as CoreValidatorSet, Value, Vote, VoteType, VotingPower,
};
use portolan_primitives::{Hash, Height, MemberId, PublicKey, Round as OurRound, Signature, ValidatorSet, VoteKind};

use codec::{DecodeAll, Encode};

/// A validator's address: its member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member(pub MemberId);

impl std::fmt::Display for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Address for Member {}

/// A height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CoreHeight(pub u64);

impl std::fmt::Display for CoreHeight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl CoreHeightTrait for CoreHeight {
    const ZERO: Self = Self(0);
    const INITIAL: Self = Self(1);

    fn increment_by(&self, n: u64) -> Self {
        Self(self.0.saturating_add(n))
    }

    fn decrement_by(&self, n: u64) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }

    fn as_u64(&self) -> u64 {
        self.0
    }
}

/// The value that is agreed on: a block, by its header's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockId(pub Hash);

impl Value for BlockId {
    type Id = Hash;

    fn id(&self) -> Hash {
        self.0
    }
}

/// A validator as the core sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreValidator {
    address: Member,
    key: PublicKey,
    power: u64,
}

impl Validator<Consensus> for CoreValidator {
    fn address(&self) -> &Member {
        &self.address
    }

    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn voting_power(&self) -> VotingPower {
        self.power
    }
}

/// The validators in the chain's order, ascending by member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreSet(Vec<CoreValidator>);

impl CoreSet {
    /// The set for the core; `None` when it is empty, names a member twice, or has more power than the core can count.
    pub fn new(set: &ValidatorSet) -> Option<Self> {
        let validators = set.validators();
        let unique = validators.windows(2).all(|pair| pair[0].member < pair[1].member);
        // The core multiplies powers by at most 3 in 64 bits.
        if validators.is_empty() || !unique || set.total_power() > portolan_primitives::limits::MAX_TOTAL_POWER {
            return None;
        }
        let convert = |validator: &portolan_primitives::Validator| CoreValidator {
            address: Member(validator.member),
            key: validator.key,
            power: validator.power,
        };
        Some(Self(validators.iter().map(convert).collect()))
    }
}

impl CoreValidatorSet<Consensus> for CoreSet {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn total_voting_power(&self) -> VotingPower {
        self.0.iter().map(|validator| validator.power).sum()
    }

    fn get_by_address(&self, address: &Member) -> Option<&CoreValidator> {
        let place = self.0.binary_search_by(|validator| validator.address.cmp(address)).ok()?;
        self.0.get(place)
    }

    fn get_by_index(&self, index: usize) -> Option<&CoreValidator> {
        self.0.get(index)
    }
}

/// A vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreVote {
    /// Prevote or precommit.
    pub kind: VoteType,
    /// Height.
    pub height: CoreHeight,
    /// Round.
    pub round: Round,
    /// For what.
    pub value: NilOrVal<Hash>,
    /// Whose.
    pub validator: Member,
}

impl Vote<Consensus> for CoreVote {
    fn height(&self) -> CoreHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &NilOrVal<Hash> {
        &self.value
    }

    fn take_value(self) -> NilOrVal<Hash> {
        self.value
    }

    fn vote_type(&self) -> VoteType {
        self.kind
    }

    fn validator_address(&self) -> &Member {
        &self.validator
    }

    fn extension(&self) -> Option<&SignedExtension<Consensus>> {
        None
    }

    fn take_extension(&mut self) -> Option<SignedExtension<Consensus>> {
        None
    }

    fn extend(self, _extension: SignedExtension<Consensus>) -> Self {
        // The chain has no vote extensions; the core asks for none while its policy is `Disabled`.
        self
    }
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreProposal {
    /// Height.
    pub height: CoreHeight,
    /// Round.
    pub round: Round,
    /// The block.
    pub value: BlockId,
    /// The earlier round of its polka.
    pub pol_round: Round,
    /// Whose.
    pub proposer: Member,
}

impl Proposal<Consensus> for CoreProposal {
    fn height(&self) -> CoreHeight {
        self.height
    }

    fn round(&self) -> Round {
        self.round
    }

    fn value(&self) -> &BlockId {
        &self.value
    }

    fn take_value(self) -> BlockId {
        self.value
    }

    fn pol_round(&self) -> Round {
        self.pol_round
    }

    fn validator_address(&self) -> &Member {
        &self.proposer
    }
}

/// Parts travel outside of the core, which never sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPart;

impl ProposalPart<Consensus> for NoPart {
    fn is_first(&self) -> bool {
        false
    }

    fn is_last(&self) -> bool {
        false
    }
}

/// Our keys and signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme;

impl SigningScheme for Scheme {
    type DecodingError = codec::Error;
    type Signature = Signature;
    type PublicKey = PublicKey;
    // The secret key stays with the signer; the core never handles it.
    type PrivateKey = ();

    fn decode_signature(mut bytes: &[u8]) -> Result<Signature, codec::Error> {
        Signature::decode_all(&mut bytes)
    }

    fn encode_signature(signature: &Signature) -> Vec<u8> {
        signature.encode()
    }

    fn decode_public_key(mut bytes: &[u8]) -> Result<PublicKey, codec::Error> {
        PublicKey::decode_all(&mut bytes)
    }

    fn encode_public_key(key: &PublicKey) -> Vec<u8> {
        key.encode()
    }
}

/// The core's context.
#[derive(Clone, Debug)]
pub struct Consensus;

impl Context for Consensus {
    type Address = Member;
    type Height = CoreHeight;
    type ProposalPart = NoPart;
    type Proposal = CoreProposal;
    type Validator = CoreValidator;
    type ValidatorSet = CoreSet;
    // Unused: the replica has its own table of times.
    type Timeouts = LinearTimeouts;
    type Value = BlockId;
    type Vote = CoreVote;
    type Extension = ();
    type SigningScheme = Scheme;

    fn select_proposer<'a>(&self, set: &'a CoreSet, height: CoreHeight, round: Round) -> &'a CoreValidator {
        // As `ValidatorSet::proposer`, which a test holds equal. A set is never empty (`CoreSet::new`).
        let turn = u128::from(height.0) + u128::from(round.as_u32().unwrap_or(0));
        &set.0[(turn % set.0.len() as u128) as usize]
    }

    fn new_proposal(
        &self,
        height: CoreHeight,
        round: Round,
        value: BlockId,
        pol_round: Round,
        proposer: Member,
    ) -> CoreProposal {
        CoreProposal { height, round, value, pol_round, proposer }
    }

    fn new_prevote(&self, height: CoreHeight, round: Round, value: NilOrVal<Hash>, validator: Member) -> CoreVote {
        CoreVote { kind: VoteType::Prevote, height, round, value, validator }
    }

    fn new_precommit(&self, height: CoreHeight, round: Round, value: NilOrVal<Hash>, validator: Member) -> CoreVote {
        CoreVote { kind: VoteType::Precommit, height, round, value, validator }
    }
}

/// Our height in the core's type.
pub fn core_height(height: Height) -> CoreHeight {
    CoreHeight(height.0)
}

/// The core's round in our type; "no round" is only ever a valid round, and `None` there.
pub fn our_round(round: Round) -> Option<OurRound> {
    round.as_u32().map(OurRound)
}

/// Our round in the core's type.
pub fn core_round(round: Option<OurRound>) -> Round {
    Round::from(round.map(|round| round.0))
}

/// The core's kind of vote in our type.
pub fn our_kind(kind: VoteType) -> VoteKind {
    match kind {
        VoteType::Prevote => VoteKind::Prevote,
        VoteType::Precommit => VoteKind::Precommit,
    }
}

/// Our kind of vote in the core's type.
pub fn core_kind(kind: VoteKind) -> VoteType {
    match kind {
        VoteKind::Prevote => VoteType::Prevote,
        VoteKind::Precommit => VoteType::Precommit,
    }
}

/// The core's value of a vote in our type.
pub fn our_value(value: &NilOrVal<Hash>) -> Option<Hash> {
    match value {
        NilOrVal::Nil => None,
        NilOrVal::Val(hash) => Some(*hash),
    }
}

/// Our value of a vote in the core's type.
pub fn core_value(value: Option<Hash>) -> NilOrVal<Hash> {
    value.map_or(NilOrVal::Nil, NilOrVal::Val)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::{SigningKey, Validator as OurValidator};

    fn set(count: u8, power: u64) -> ValidatorSet {
        let validator = |place: u8| OurValidator {
            member: MemberId([place; 16]),
            key: SigningKey::from_secret(&[place + 1; 32]).unwrap().public(),
            power,
        };
        ValidatorSet::new((0..count).map(validator).collect())
    }

    #[test]
    fn the_core_and_the_chain_name_the_same_proposer() {
        let ours = set(5, 1);
        let core = CoreSet::new(&ours).unwrap();
        for height in 1..20 {
            for round in 0..7 {
                let theirs = Consensus.select_proposer(&core, CoreHeight(height), Round::new(round));
                let expected = ours.proposer(Height(height), OurRound(round)).unwrap();
                assert_eq!(theirs.address().0, expected.member);
            }
        }
    }

    #[test]
    fn a_set_that_the_core_can_not_count_is_refused() {
        assert!(CoreSet::new(&set(0, 1)).is_none());
        assert!(CoreSet::new(&set(4, u64::MAX / 4)).is_none());
        assert!(CoreSet::new(&set(4, u64::MAX / 16)).is_some());
        let one = set(1, 1).validators()[0].clone();
        assert!(CoreSet::new(&ValidatorSet::new(vec![one.clone(), one])).is_none());
    }
}
