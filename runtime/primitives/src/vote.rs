//! Validators, what a vote signs, and the commit certificate that makes a block final.

use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::Serialize;

use crate::hash::{Domain, Hash, hash_encoded};
use crate::id::MemberId;
use crate::key::{PublicKey, Signature};
use crate::time::{Height, Round};

/// A vote signs this context, a zero byte, and the SCALE of (chain, kind, height, round, value).
const VOTE_CONTEXT: &[u8] = b"portolan 2026 consensus vote v1\0";

/// A member that takes part in consensus.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize)]
pub struct Validator {
    /// Whose it is.
    pub member: MemberId,
    /// Its consensus key.
    pub key: PublicKey,
    /// Its voting power, at least 1.
    pub power: u64,
}

/// The validators of a height, ascending by member. A certificate names them by their place here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, TypeInfo, Serialize)]
pub struct ValidatorSet {
    validators: Vec<Validator>,
}

impl ValidatorSet {
    /// The set of these validators, put in order.
    pub fn new(mut validators: Vec<Validator>) -> Self {
        validators.sort_by_key(|validator| validator.member);
        Self { validators }
    }

    /// The validators in order.
    pub fn validators(&self) -> &[Validator] {
        &self.validators
    }

    /// Power of all.
    pub fn total_power(&self) -> u128 {
        self.validators.iter().map(|validator| u128::from(validator.power)).sum()
    }

    /// Whether `power` is more than two thirds of all.
    pub fn is_quorum(&self, power: u128) -> bool {
        power * 3 > self.total_power() * 2
    }

    /// What headers carry.
    pub fn hash(&self) -> Hash {
        hash_encoded(Domain::Validators, &self.validators)
    }

    /// The validator whose turn it is: round robin by height and round, whatever the weights.
    pub fn proposer(&self, height: Height, round: Round) -> Option<&Validator> {
        let turn = u128::from(height.0) + u128::from(round.0);
        let count = self.validators.len() as u128;
        self.validators.get(turn.checked_rem(count)? as usize)
    }
}

/// The two votes of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub enum VoteKind {
    /// First.
    #[codec(index = 0)]
    Prevote,
    /// Second: more than two thirds of these certify a block.
    #[codec(index = 1)]
    Precommit,
}

/// The bytes that a vote signs; `value` is the header's hash, `None` a vote for nothing.
pub fn vote_message(chain: &Hash, kind: VoteKind, height: Height, round: Round, value: Option<&Hash>) -> Vec<u8> {
    let mut message = VOTE_CONTEXT.to_vec();
    (chain, kind, height, round, value).encode_to(&mut message);
    message
}

/// More than two thirds of the validators' precommits for one block.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct CommitCertificate {
    /// Genesis hash.
    pub chain: Hash,
    /// Height of the block.
    pub height: Height,
    /// The round in which it was decided.
    pub round: Round,
    /// The block.
    pub header: Hash,
    /// Signatures by place in the validator set, ascending, unique.
    pub signatures: Vec<(u16, Signature)>,
}

/// Why a certificate does not make its block final.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Of another chain.
    #[error("the certificate is of another chain")]
    OtherChain,
    /// Signers not ascending, or one twice.
    #[error("the certificate's signers are not ascending and unique")]
    Disorder,
    /// A signer that the set does not have.
    #[error("the certificate names signer {0}, which the validator set does not have")]
    UnknownSigner(u16),
    /// A signature that does not verify.
    #[error("the signature of validator {0} is not valid")]
    BadSignature(u16),
    /// Too little power.
    #[error("the certificate has {power} of {total} voting power; it needs more than two thirds")]
    NoQuorum {
        /// Power that signed.
        power: u128,
        /// Power of all.
        total: u128,
    },
}

impl CommitCertificate {
    /// Checks everything against the set of the certificate's height.
    pub fn verify(&self, chain: &Hash, set: &ValidatorSet) -> Result<(), CertificateError> {
        if self.chain != *chain {
            return Err(CertificateError::OtherChain);
        }
        if !self.signatures.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            return Err(CertificateError::Disorder);
        }
        let message = vote_message(chain, VoteKind::Precommit, self.height, self.round, Some(&self.header));
        let mut power = 0u128;
        for (place, signature) in &self.signatures {
            let validator = set.validators.get(usize::from(*place)).ok_or(CertificateError::UnknownSigner(*place))?;
            if !validator.key.verify(&message, signature) {
                return Err(CertificateError::BadSignature(*place));
            }
            power += u128::from(validator.power);
        }
        if !set.is_quorum(power) {
            return Err(CertificateError::NoQuorum { power, total: set.total_power() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;

    fn key(place: u8) -> SigningKey {
        SigningKey::from_secret(&[place + 1; 32]).unwrap()
    }

    fn set() -> ValidatorSet {
        let validator = |place: u8| Validator { member: MemberId([place; 16]), key: key(place).public(), power: 1 };
        ValidatorSet::new((0..4).rev().map(validator).collect())
    }

    const CHAIN: Hash = Hash([7; 32]);

    fn certificate(places: &[u8]) -> CommitCertificate {
        let header = Hash([8; 32]);
        let message = vote_message(&CHAIN, VoteKind::Precommit, Height(5), Round(1), Some(&header));
        let signatures = places.iter().map(|place| (u16::from(*place), key(*place).sign(&message))).collect();
        CommitCertificate { chain: CHAIN, height: Height(5), round: Round(1), header, signatures }
    }

    #[test]
    fn three_of_four_are_a_quorum_and_two_are_not() {
        assert_eq!(certificate(&[0, 1, 3]).verify(&CHAIN, &set()), Ok(()));
        assert_eq!(certificate(&[0, 1]).verify(&CHAIN, &set()), Err(CertificateError::NoQuorum { power: 2, total: 4 }));
    }

    #[test]
    fn a_signer_counts_once() {
        assert_eq!(certificate(&[0, 1, 1]).verify(&CHAIN, &set()), Err(CertificateError::Disorder));
    }

    #[test]
    fn what_was_signed_for_something_else_does_not_certify() {
        let mut other_round = certificate(&[0, 1, 2]);
        other_round.round = Round(2);
        assert_eq!(other_round.verify(&CHAIN, &set()), Err(CertificateError::BadSignature(0)));
        let mut other_header = certificate(&[0, 1, 2]);
        other_header.header.0[0] ^= 1;
        assert_eq!(other_header.verify(&CHAIN, &set()), Err(CertificateError::BadSignature(0)));
        assert_eq!(certificate(&[0, 1, 2]).verify(&Hash::ZERO, &set()), Err(CertificateError::OtherChain));
    }

    #[test]
    fn an_unknown_signer_is_named() {
        let mut certificate = certificate(&[0, 1, 2]);
        certificate.signatures[2].0 = 9;
        assert_eq!(certificate.verify(&CHAIN, &set()), Err(CertificateError::UnknownSigner(9)));
    }

    #[test]
    fn everyone_proposes_in_turn() {
        let set = set();
        let turns: Vec<_> = (0..4).map(|round| set.proposer(Height(9), Round(round)).unwrap().member).collect();
        let mut sorted = turns.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 4);
        assert_eq!(ValidatorSet::default().proposer(Height(1), Round(0)), None);
    }
}
