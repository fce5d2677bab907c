//! What `?proof=true` answers and `portolan verify proof` checks offline: keys and values of the state at a final block.

use codec::{Decode, Encode};
use portolan_primitives::block::Header;
use portolan_primitives::bounded::{DecodeError, decode_whole};

use crate::error::ProofError;
use crate::header::{Anchor, HeaderProof, Trusted, VerifiedHeader};
use crate::limits::{MAX_BUNDLE_BYTES, MAX_PROOF_KEYS, decode_list};
use crate::multi::MultiProof;

/// Version of the bundle's format.
pub const PROVED_STATE_VERSION: u8 = 1;

/// A key and its value, or its absence.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// The whole storage key.
    pub key: Vec<u8>,
    /// The value; `None` says that the key is absent.
    pub value: Option<Vec<u8>>,
}

/// Keys and values of the state after a block, with all that convinces a stranger of them.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub struct ProvedState {
    version: u8,
    /// Why the header is final.
    pub header: HeaderProof,
    /// The keys with their values, each key once.
    pub entries: Vec<Entry>,
    /// Why they are the state's.
    pub proof: MultiProof,
}

impl Decode for ProvedState {
    fn decode<I: codec::Input>(input: &mut I) -> Result<Self, codec::Error> {
        let version = u8::decode(input)?;
        if version != PROVED_STATE_VERSION {
            return Err("another version of the format".into());
        }
        let header = HeaderProof::decode(input)?;
        let entries = decode_list(input, MAX_PROOF_KEYS)?;
        Ok(Self { version, header, entries, proof: MultiProof::decode(input)? })
    }
}

impl ProvedState {
    /// The bundle of these parts.
    pub fn new(header: HeaderProof, entries: Vec<Entry>, proof: MultiProof) -> Self {
        Self { version: PROVED_STATE_VERSION, header, entries, proof }
    }

    /// Decodes whole, within [`MAX_BUNDLE_BYTES`]. What it shows only [`Self::verify`] says.
    pub fn decode_checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.first().is_some_and(|version| *version != PROVED_STATE_VERSION) {
            return Err(DecodeError::OutOfBounds("the proof is of another version of the format; use a matching tool"));
        }
        decode_whole("ProvedState", bytes, MAX_BUNDLE_BYTES)
    }

    /// Checks everything from the anchor to the last value.
    pub fn verify(&self, anchor: &Anchor) -> Result<VerifiedState, ProofError> {
        let header = self.header.verify(anchor)?;
        let entries: Vec<(&[u8], Option<&[u8]>)> =
            self.entries.iter().map(|entry| (entry.key.as_slice(), entry.value.as_deref())).collect();
        self.proof.verify(&header.header().state_root, &entries)?;
        Ok(VerifiedState { header, entries: self.entries.clone() })
    }
}

/// State that was verified, and what that rests on. Only [`ProvedState::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedState {
    header: VerifiedHeader,
    entries: Vec<Entry>,
}

impl VerifiedState {
    /// The header after whose block the state is so.
    pub fn header(&self) -> &Header {
        self.header.header()
    }

    /// What its being final rests on.
    pub fn trusted(&self) -> &Trusted {
        self.header.trusted()
    }

    /// The keys with their values.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The value of `key`, `Some(None)` if it is proved absent, `None` if nothing is proved of it.
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_deref())
    }
}
