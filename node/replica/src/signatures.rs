//! Signing with the consensus key, and verifying with a memory of what was verified.
//!
//! Must never sign two different things for one place (kind, height, round): the second request is a failure that halts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use codec::Encode;
use portolan_primitives::{
    Domain, Hash, Height, MemberId, PublicKey, Round, Signature, SigningKey, ValidatorSet, VoteKind, hash_parts,
    vote::vote_message,
};

use crate::limits::MAX_VERIFIED;
use crate::messages::{PartContent, PartMessage, ProposalMessage, VoteMessage, proposal_bytes};
use crate::output::HaltReason;

/// Remembers the signatures that were found valid, so that none is verified twice.
#[derive(Debug, Default)]
pub struct Verifier {
    known: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

impl Verifier {
    /// Whether `signature` is `key`'s over `message`.
    pub fn verify(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let fingerprint = fingerprint(key, message, signature);
        if self.known.contains(&fingerprint) {
            return true;
        }
        let valid = key.verify(message, signature);
        if valid {
            self.remember(fingerprint);
        }
        valid
    }

    /// Counts a signature as verified that this node made itself.
    pub fn trust(&mut self, key: &PublicKey, message: &[u8], signature: &Signature) {
        self.remember(fingerprint(key, message, signature));
    }

    /// How many are remembered.
    pub fn remembered(&self) -> usize {
        self.known.len()
    }

    fn remember(&mut self, fingerprint: Hash) {
        if !self.known.insert(fingerprint) {
            return;
        }
        self.order.push_back(fingerprint);
        if self.order.len() > MAX_VERIFIED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

fn fingerprint(key: &PublicKey, message: &[u8], signature: &Signature) -> Hash {
    // Key and signature have a fixed length, so the concatenation is unambiguous.
    hash_parts(Domain::Record, &[&key.encode(), &signature.encode(), message])
}

/// A place at which a validator may sign one thing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Vote(VoteKind, Height, Round),
    Proposal(Height, Round),
}

/// What is said at a place: the block, and for a proposal its valid round.
type Said = (Option<Hash>, Option<Round>);

/// The validator's pen.
#[derive(Debug)]
pub struct Signer {
    chain: Hash,
    member: MemberId,
    key: Option<SigningKey>,
    said: BTreeMap<Place, Said>,
}

impl Signer {
    /// The pen of `member`, which can't sign without a key.
    pub fn new(chain: Hash, member: MemberId, key: Option<SigningKey>) -> Self {
        Self { chain, member, key, said: BTreeMap::new() }
    }

    /// Whose pen this is.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Whether the set has this member with this key.
    pub fn is_in(&self, set: &ValidatorSet) -> bool {
        let Some(key) = &self.key else { return false };
        let public = key.public();
        set.validators().iter().any(|validator| validator.member == self.member && validator.key == public)
    }

    /// Signs a vote.
    pub fn vote(
        &mut self,
        verifier: &mut Verifier,
        kind: VoteKind,
        height: Height,
        round: Round,
        value: Option<Hash>,
    ) -> Result<VoteMessage, HaltReason> {
        self.say(Place::Vote(kind, height, round), (value, None))?;
        let signature = self.sign(verifier, &vote_message(&self.chain, kind, height, round, value.as_ref()))?;
        Ok(VoteMessage { kind, height, round, value, validator: self.member, signature })
    }

    /// Signs a proposal.
    pub fn proposal(
        &mut self,
        verifier: &mut Verifier,
        height: Height,
        round: Round,
        value: Hash,
        valid_round: Option<Round>,
    ) -> Result<ProposalMessage, HaltReason> {
        self.say(Place::Proposal(height, round), (Some(value), valid_round))?;
        let signature = self.sign(verifier, &proposal_bytes(&self.chain, height, round, &value, valid_round))?;
        Ok(ProposalMessage { height, round, value, valid_round, proposer: self.member, signature })
    }

    /// Signs a part. A stream is no vote: after a crash, a second one for a round is refused by others, and harmless.
    pub fn part(&self, verifier: &mut Verifier, content: PartContent) -> Result<PartMessage, HaltReason> {
        let signature = self.sign(verifier, &content.signed_bytes(&self.chain))?;
        Ok(PartMessage { content, signature })
    }

    /// Notes a vote with this validator's valid signature that was read or received; a contradiction is a failure.
    pub fn note_vote(&mut self, vote: &VoteMessage) -> Result<(), HaltReason> {
        self.say(Place::Vote(vote.kind, vote.height, vote.round), (vote.value, None))
    }

    /// Notes a proposal with this validator's valid signature; a contradiction is a failure.
    pub fn note_proposal(&mut self, proposal: &ProposalMessage) -> Result<(), HaltReason> {
        self.say(Place::Proposal(proposal.height, proposal.round), (Some(proposal.value), proposal.valid_round))
    }

    /// Forgets what was said below `height`: those heights are decided, and the core never votes there again.
    pub fn forget_below(&mut self, height: Height) {
        self.said.retain(|place, _| match place {
            Place::Vote(_, at, _) | Place::Proposal(at, _) => *at >= height,
        });
    }

    /// How many votes and proposals it remembers.
    pub fn statements(&self) -> usize {
        self.said.len()
    }

    fn say(&mut self, place: Place, said: Said) -> Result<(), HaltReason> {
        let first = *self.said.entry(place).or_insert(said);
        if first == said {
            return Ok(());
        }
        let (what, height, round) = match place {
            Place::Vote(VoteKind::Prevote, height, round) => ("prevotes", height, round),
            Place::Vote(VoteKind::Precommit, height, round) => ("precommits", height, round),
            Place::Proposal(height, round) => ("proposals", height, round),
        };
        Err(HaltReason::OwnContradiction { what, height, round: round.0 })
    }

    fn sign(&self, verifier: &mut Verifier, message: &[u8]) -> Result<Signature, HaltReason> {
        let Some(key) = &self.key else {
            return Err(HaltReason::Core { reason: "it asked a node without a consensus key to sign".into() });
        };
        let signature = key.sign(message);
        verifier.trust(&key.public(), message, &signature);
        Ok(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::new(Hash([1; 32]), MemberId([2; 16]), SigningKey::from_secret(&[3; 32]).ok())
    }

    #[test]
    fn the_pen_signs_the_same_again_and_nothing_else_at_that_place() {
        let (mut signer, mut verifier) = (signer(), Verifier::default());
        let mut vote = |value, round| signer.vote(&mut verifier, VoteKind::Prevote, Height(5), Round(round), value);
        let first = vote(Some(Hash([7; 32])), 0).unwrap();
        assert_eq!(vote(Some(Hash([7; 32])), 0), Ok(first));
        assert!(vote(None, 1).is_ok());
        let refused = HaltReason::OwnContradiction { what: "prevotes", height: Height(5), round: 0 };
        assert_eq!(vote(None, 0), Err(refused));
    }

    #[test]
    fn a_proposal_with_another_valid_round_is_another_proposal() {
        let (mut signer, mut verifier) = (signer(), Verifier::default());
        let value = Hash([7; 32]);
        assert!(signer.proposal(&mut verifier, Height(5), Round(2), value, None).is_ok());
        assert!(signer.proposal(&mut verifier, Height(5), Round(2), value, Some(Round(1))).is_err());
    }

    #[test]
    fn what_was_signed_elsewhere_with_the_key_is_seen() {
        let (mut signer, mut verifier) = (signer(), Verifier::default());
        let mut vote = signer.vote(&mut verifier, VoteKind::Precommit, Height(5), Round(0), None).unwrap();
        assert_eq!(signer.note_vote(&vote), Ok(()));
        vote.value = Some(Hash([9; 32]));
        assert!(signer.note_vote(&vote).is_err());
        signer.forget_below(Height(6));
        assert_eq!(signer.note_vote(&vote), Ok(()));
    }

    #[test]
    fn the_memory_of_verified_signatures_is_bounded_and_never_wrong() {
        let key = SigningKey::from_secret(&[3; 32]).unwrap();
        let mut verifier = Verifier::default();
        let signature = key.sign(b"x");
        assert!(verifier.verify(&key.public(), b"x", &signature));
        assert!(verifier.verify(&key.public(), b"x", &signature));
        assert!(!verifier.verify(&key.public(), b"y", &signature));
        for number in 0..2 * MAX_VERIFIED as u32 {
            verifier.remember(hash_parts(Domain::Record, &[&number.to_le_bytes()]));
        }
        assert_eq!((verifier.known.len(), verifier.order.len()), (MAX_VERIFIED, MAX_VERIFIED));
    }
}
