//! Why fields are not shown, or what was shown is not believed.

use portolan_primitives::Hash;
use portolan_proof::ProofError;

use super::{MAX_FIELDS, MAX_NAME_BYTES, MAX_VALUE_BYTES};
use crate::error::CliError;

/// Why fields are not shown, or what was shown is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// Not the form of a file of salts.
    #[error("this is no file of salts ({reason}); use the one that `document register` or `document commit` wrote")]
    MalformedSalts {
        /// What is wrong.
        reason: String,
    },
    /// Not the form of a disclosure.
    #[error("this is no disclosure that this version reads ({reason}); ask its sender for it again")]
    Malformed {
        /// What is wrong.
        reason: String,
    },
    /// One name stands for two fields.
    #[error(
        "the field `{name}` stands twice: who shows one could hide the other; give each field a name of its own, as `line_1_quantity`"
    )]
    DuplicateField {
        /// The name.
        name: String,
    },
    /// Nothing to show.
    #[error("there is no field; name at least one")]
    NoFields,
    /// Too many.
    #[error("{found} fields, where a document has at most {MAX_FIELDS}; put lines that belong together into one field")]
    TooManyFields {
        /// So many.
        found: usize,
    },
    /// No name, or too long.
    #[error(
        "the field `{name}` does not fit: a name has 1 to {MAX_NAME_BYTES} bytes, a value at most {MAX_VALUE_BYTES}; keep the hash of a longer one"
    )]
    FieldLength {
        /// Its name, or the front of it.
        name: String,
    },
    /// The document has no such field.
    #[error("the document has no field `{name}`; it has {has}")]
    UnknownField {
        /// What was asked for.
        name: String,
        /// What there is.
        has: String,
    },
    /// A shown field is not what was committed to.
    #[error(
        "the field `{name}` is not in the document: its name, value, salt or place was altered; believe nothing in this file, and ask its owner for another"
    )]
    FieldDiffers {
        /// Its name.
        name: String,
    },
    /// A shown field came without the hashes that lead to the root.
    #[error(
        "the hashes that lead from the field `{name}` to the document's root are not whole: a leaf is missing; ask the owner for the file again"
    )]
    MissingLeaf {
        /// Its name.
        name: String,
    },
    /// The salts are of another document, or of an earlier version of it.
    #[error(
        "the salts make the root {found}, and the chain has {expected} for this document: they are of another document, or of an earlier version; use the file that was written with it"
    )]
    OtherCommitment {
        /// The chain's.
        expected: Hash,
        /// The salts'.
        found: Hash,
    },
    /// The proof is of another document.
    #[error("the disclosure tells of {told}, and its proof is of {proved}; ask the owner for another")]
    OtherDocument {
        /// What the file says.
        told: String,
        /// What its proof shows.
        proved: String,
    },
    /// The proof shows no commitment.
    #[error("the proof shows no commitment to the document {document}; ask the owner for another disclosure")]
    NoCommitment {
        /// What the file says.
        document: String,
    },
    /// Of another chain than the verifier's.
    #[error(
        "the disclosure is of the chain {found}, and you trust {trusted}; verify it with the chain-spec of its own network"
    )]
    OtherChain {
        /// The chain that is trusted.
        trusted: Hash,
        /// The chain of the proof.
        found: Hash,
    },
    /// The proof fails.
    #[error("the proof fails: {0}")]
    ProofFails(ProofError),
    /// Made for another reader.
    #[error("the disclosure is made for {recipient}, and you read as {reader}; ask the owner for one of your own")]
    OtherRecipient {
        /// For whom.
        recipient: String,
        /// Who reads.
        reader: String,
    },
    /// For a recipient, and not signed.
    #[error("the disclosure names a recipient and is not signed by the owner; ask the owner for another")]
    NotSigned,
    /// The signature fails.
    #[error(
        "the owner's signature does not cover this file: it was altered, or made for another recipient; ask the owner for another"
    )]
    SignatureFails,
    /// Signed by somebody else's key.
    #[error(
        "the disclosure is signed by the key {key}, which is no valid key of the document's owner at that height; ask the owner for another"
    )]
    NotOwnersKey {
        /// The key's id.
        key: String,
    },
    /// The salts are destroyed.
    #[error(
        "the salts of this document are destroyed: no field of it can be shown any more; what was disclosed before can still be verified"
    )]
    SaltsErased,
}

impl DisclosureError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedSalts { .. } => "malformed_salts",
            Self::Malformed { .. } => "malformed_disclosure",
            Self::DuplicateField { .. } => "duplicate_field",
            Self::NoFields => "no_fields",
            Self::TooManyFields { .. } => "too_many_fields",
            Self::FieldLength { .. } => "field_length",
            Self::UnknownField { .. } => "unknown_field",
            Self::FieldDiffers { .. } => "field_differs",
            Self::MissingLeaf { .. } => "missing_leaf",
            Self::OtherCommitment { .. } => "other_commitment",
            Self::OtherDocument { .. } => "other_document",
            Self::NoCommitment { .. } => "no_commitment",
            Self::OtherChain { .. } => "other_chain",
            Self::ProofFails(_) => "proof_fails",
            Self::OtherRecipient { .. } => "other_recipient",
            Self::NotSigned => "not_signed",
            Self::SignatureFails => "signature_fails",
            Self::NotOwnersKey { .. } => "not_owners_key",
            Self::SaltsErased => "salts_erased",
        }
    }
}

impl From<ProofError> for DisclosureError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::OtherChain { trusted, found } => Self::OtherChain { trusted, found },
            other => Self::ProofFails(other),
        }
    }
}

impl From<DisclosureError> for CliError {
    fn from(error: DisclosureError) -> Self {
        Self::refused(error.code(), error.to_string())
    }
}
