//! Proof that a validator signed two different things in one round. Must never accuse on anything but two signatures.

use codec::{Decode, Encode};
use portolan_primitives::{Hash, MemberId, ValidatorSet};

use crate::messages::{ProposalMessage, VoteMessage};

/// Two messages of one validator of which it may sign only one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Evidence {
    /// Two votes of one kind in one round.
    #[codec(index = 0)]
    Votes(VoteMessage, VoteMessage),
    /// Two proposals in one round.
    #[codec(index = 1)]
    Proposals(ProposalMessage, ProposalMessage),
}

impl Evidence {
    /// Who is accused.
    pub fn accused(&self) -> MemberId {
        match self {
            Self::Votes(vote, _) => vote.validator,
            Self::Proposals(proposal, _) => proposal.proposer,
        }
    }

    /// Whether both messages are the validator's, of one place, and different.
    pub fn verify(&self, chain: &Hash, set: &ValidatorSet) -> bool {
        let accused = self.accused();
        let Some(validator) = set.validators().iter().find(|validator| validator.member == accused) else {
            return false;
        };
        match self {
            Self::Votes(one, other) => {
                let place = |vote: &VoteMessage| (vote.validator, vote.kind, vote.height, vote.round);
                let signed = |vote: &VoteMessage| validator.key.verify(&vote.signed_bytes(chain), &vote.signature);
                place(one) == place(other) && one.value != other.value && signed(one) && signed(other)
            }
            Self::Proposals(one, other) => {
                let place = |proposal: &ProposalMessage| (proposal.proposer, proposal.height, proposal.round);
                let said = |proposal: &ProposalMessage| (proposal.value, proposal.valid_round);
                let signed = |proposal: &ProposalMessage| {
                    validator.key.verify(&proposal.signed_bytes(chain), &proposal.signature)
                };
                place(one) == place(other) && said(one) != said(other) && signed(one) && signed(other)
            }
        }
    }
}
