//! Why a proof is refused.

use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;
use portolan_primitives::vote::CertificateError;

/// Why a proof is refused. Nothing that it was meant to show may be believed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Cut short, too long, or not a tree that the rules allow.
    #[error("the proof has not the shape of a part of the state tree; ask for it again")]
    Malformed,
    /// More keys than [`crate::limits::MAX_PROOF_KEYS`].
    #[error("{found} keys, where one proof holds at most {most}; ask in parts")]
    TooManyKeys {
        /// Keys given.
        found: usize,
        /// Keys allowed.
        most: usize,
    },
    /// One key twice.
    #[error("a key is listed twice; list each key once")]
    RepeatedKey,
    /// The proof shows another presence or absence than was claimed.
    #[error("the proof does not show what is claimed: a key claimed present is absent in it, or the reverse")]
    OtherContent,
    /// The hashes lead to another root: a key, value, salt or neighbour was altered, or the proof is of another state.
    #[error("the proof leads to another root: a key, a value or the proof was altered, or it is of another state")]
    OtherRoot,
    /// Of another chain.
    #[error("the proof is of the chain {found}, and you trust {trusted}")]
    OtherChain {
        /// The chain that is trusted.
        trusted: Hash,
        /// The chain of the proof.
        found: Hash,
    },
    /// Certified by validators whom the verifier has no reason to trust.
    #[error(
        "the block is certified by the validator set {found}, and you trust {trusted}; ask for a proof with the handovers between them"
    )]
    UntrustedValidators {
        /// Hash of the set that is trusted (after the handovers of the proof).
        trusted: Hash,
        /// Hash of the set that certified.
        found: Hash,
    },
    /// The validators that came along are not those that the header names.
    #[error("the validators in the proof are not those that the header names")]
    OtherValidators,
    /// The header is not the one that the verifier trusts.
    #[error("the header is {found}, and you trust {trusted}")]
    UntrustedHeader {
        /// Hash of the header that is trusted.
        trusted: Hash,
        /// Hash of the header of the proof.
        found: Hash,
    },
    /// The certificate is of another block.
    #[error("the certificate is of another block than the header")]
    OtherBlock,
    /// The certificate does not hold.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Handovers not in ascending order of height, or too many.
    #[error("the handovers between validator sets are out of order or more than the format allows")]
    HandoverOrder,
    /// The header is not in the history of the head.
    #[error("the header of height {ancestor} is not in the history of the head of height {head}")]
    NotAnAncestor {
        /// Height of the header.
        ancestor: Height,
        /// Height of the head.
        head: Height,
    },
    /// The receipt is not in the block.
    #[error("the receipt is not in the block of height {0}")]
    NotInBlock(Height),
    /// The event is not in the receipt.
    #[error("the event is not in the receipt")]
    NotInReceipt,
}
