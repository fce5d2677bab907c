//! From what a verifier trusts to a header: certificates, handovers between validator sets, and the history of a head.

use codec::{Decode, Encode};
use portolan_primitives::block::{HEADER_VERSION, Header};
use portolan_primitives::hash::Hash;
use portolan_primitives::limits::MAX_VALIDATORS;
use portolan_primitives::list::ListProof;
use portolan_primitives::vote::{CertificateError, CommitCertificate, ValidatorSet};

use crate::error::ProofError;
use crate::limits::{MAX_HANDOVERS, decode_list};

/// What a verifier trusts before it looks at a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// That more than two thirds of the power of a validator set was honest and kept its keys.
    Validators {
        /// Genesis hash.
        chain: Hash,
        /// Hash of the set, as headers carry it.
        validators_hash: Hash,
    },
    /// A header that the verifier knows to be final, from its own node or a published record.
    Header {
        /// Genesis hash.
        chain: Hash,
        /// Hash of the header.
        hash: Hash,
    },
}

impl Anchor {
    fn chain(&self) -> Hash {
        match self {
            Self::Validators { chain, .. } | Self::Header { chain, .. } => *chain,
        }
    }
}

/// What a verified result rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// On the keys of a validator set, and of those that it handed over to.
    Validators {
        /// Genesis hash.
        chain: Hash,
        /// Hash of the set that the verifier began from.
        validators_hash: Hash,
        /// Changes of the set from there to the certificate.
        handovers: u32,
    },
    /// On a header that the verifier knew.
    Header {
        /// Genesis hash.
        chain: Hash,
        /// Hash of that header.
        hash: Hash,
    },
}

impl std::fmt::Display for Trusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Validators { validators_hash, handovers, .. } => {
                write!(f, "authentic only if the keys of the validator set {validators_hash}")?;
                if *handovers > 0 {
                    write!(f, " and of the {handovers} sets that it handed over to")?;
                }
                f.write_str(" are uncompromised")
            }
            Self::Header { hash, .. } => write!(f, "authentic if the header {hash} is final"),
        }
    }
}

/// A header, the certificate that makes it final, and the validators who signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct CertifiedHeader {
    /// The header.
    pub header: Header,
    /// Its certificate.
    pub certificate: CommitCertificate,
    /// The set that the header names.
    pub validators: ValidatorSet,
}

impl CertifiedHeader {
    /// Checks the certificate against the set, and that the set is `trusted`.
    fn verify(&self, chain: &Hash, trusted: &Hash) -> Result<(), ProofError> {
        let (header, certificate) = (&self.header, &self.certificate);
        check_chain(header, chain)?;
        if header.validators_hash != *trusted {
            return Err(ProofError::UntrustedValidators { trusted: *trusted, found: header.validators_hash });
        }
        if self.validators.validators().len() > MAX_VALIDATORS || self.validators.hash() != header.validators_hash {
            return Err(ProofError::OtherValidators);
        }
        if certificate.height != header.height || certificate.header != header.hash() {
            return Err(ProofError::OtherBlock);
        }
        // Before the first signature: a long list must not cost a verification each.
        if certificate.signatures.len() > self.validators.validators().len() {
            return Err(CertificateError::Disorder.into());
        }
        Ok(certificate.verify(chain, &self.validators)?)
    }
}

fn check_chain(header: &Header, chain: &Hash) -> Result<(), ProofError> {
    if header.chain != *chain {
        return Err(ProofError::OtherChain { trusted: *chain, found: header.chain });
    }
    if header.version != HEADER_VERSION {
        return Err(ProofError::Malformed);
    }
    Ok(())
}

/// That a header is in the history of a later one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AncestorProof {
    /// The earlier header.
    pub header: Header,
    /// Its place under the head's `history_root`.
    pub path: ListProof,
}

impl AncestorProof {
    fn verify(&self, head: &Header) -> Result<(), ProofError> {
        check_chain(&self.header, &head.chain)?;
        let (ancestor, path) = (self.header.height, &self.path);
        let at_its_place = path.index == ancestor.0 && path.count == head.height.0;
        if at_its_place && path.verify(&self.header.hash(), &head.history_root) {
            return Ok(());
        }
        Err(ProofError::NotAnAncestor { ancestor, head: head.height })
    }
}

/// That a header is final: from the anchor over the handovers to a head, and from there to an ancestor.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct HeaderProof {
    /// The blocks at which the validator set changed, ascending: each names the next one's set as its next. Empty if the
    /// head is certified by the set that the verifier trusts.
    pub handovers: Vec<CertifiedHeader>,
    /// The certified head.
    pub head: CertifiedHeader,
    /// The header in question, if it is not the head itself.
    pub ancestor: Option<AncestorProof>,
}

impl Decode for HeaderProof {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let handovers = decode_list(input, MAX_HANDOVERS)?;
        Ok(Self { handovers, head: Decode::decode(input)?, ancestor: Decode::decode(input)? })
    }
}

impl HeaderProof {
    /// The proof of a header whose own validator set the verifier trusts.
    pub fn of(head: CertifiedHeader) -> Self {
        Self { handovers: Vec::new(), head, ancestor: None }
    }

    /// The header in question, unverified.
    pub fn claimed(&self) -> &Header {
        self.ancestor.as_ref().map_or(&self.head.header, |ancestor| &ancestor.header)
    }

    /// Checks everything from the anchor on.
    pub fn verify(&self, anchor: &Anchor) -> Result<VerifiedHeader, ProofError> {
        let trusted = match anchor {
            Anchor::Validators { chain, validators_hash } => self.verify_certified(chain, validators_hash)?,
            Anchor::Header { chain, hash } => self.verify_known(chain, hash)?,
        };
        check_chain(&self.head.header, &anchor.chain())?;
        if let Some(ancestor) = &self.ancestor {
            ancestor.verify(&self.head.header)?;
        }
        Ok(VerifiedHeader { header: self.claimed().clone(), trusted })
    }

    fn verify_certified(&self, chain: &Hash, validators_hash: &Hash) -> Result<Trusted, ProofError> {
        let heights = self.handovers.iter().chain([&self.head]).map(|certified| certified.header.height);
        if self.handovers.len() > MAX_HANDOVERS || !heights.is_sorted_by(|one, next| one < next) {
            return Err(ProofError::HandoverOrder);
        }
        let mut current = *validators_hash;
        for handover in &self.handovers {
            handover.verify(chain, &current)?;
            current = handover.header.next_validators_hash;
        }
        self.head.verify(chain, &current)?;
        let handovers = self.handovers.len() as u32;
        Ok(Trusted::Validators { chain: *chain, validators_hash: *validators_hash, handovers })
    }

    fn verify_known(&self, chain: &Hash, hash: &Hash) -> Result<Trusted, ProofError> {
        let found = self.head.header.hash();
        if found != *hash {
            return Err(ProofError::UntrustedHeader { trusted: *hash, found });
        }
        Ok(Trusted::Header { chain: *chain, hash: *hash })
    }
}

/// A header that was verified, and what that rests on. Only [`HeaderProof::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    header: Header,
    trusted: Trusted,
}

impl VerifiedHeader {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What its being final rests on.
    pub fn trusted(&self) -> &Trusted {
        &self.trusted
    }
}
