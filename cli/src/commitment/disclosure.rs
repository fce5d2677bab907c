//! Chosen fields of a document with all that convinces a stranger of them: the way from each field to the document's root, the root in the
//! state of the chain, and, for one recipient, the owner's signature. Checked without any network.

use codec::{DecodeAll, Encode};
use portolan_interface::DocumentId;
use portolan_interface::trade::{self, Commitment};
use portolan_primitives::{
    AccountId, ContractId, Hash, Header, KeyId, PublicKey, Signature, SigningKey, list::ListProof,
};
use portolan_proof::{Anchor, ProvedState, VerifiedState};
use portolan_runtime::native::records::{Key, KeyPurpose, Record};
use portolan_state::keys;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DisclosureError, SaltedDocument, SaltedField, check_names};
use crate::args::{self, RecordId};
use crate::proof;

/// Name of the file's form.
pub const DISCLOSURE_FORMAT: &str = "portolan-disclosure/1";
/// An owner signs over this context and the SCALE of (chain, document, root, recipient, [(place, leaf) of each field]).
const SIGNATURE_CONTEXT: &[u8] = b"portolan 2026 disclosure v1\0";

/// A field with its salt and its way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownField {
    /// Its name.
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// Its salt.
    pub salt: Hash,
    /// Its place among the document's fields, from 0.
    pub index: u64,
    /// The neighbouring hashes from the leaf upwards.
    pub siblings: Vec<Hash>,
}

/// The owner's signature, which names the recipient, with the proof that the key is the owner's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyProof {
    /// The key.
    pub key: PublicKey,
    /// The signature, 64 bytes in hex.
    pub signature: String,
    /// Proof of the key's record in the state.
    pub proof: Value,
}

/// Chosen fields of a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// [`DISCLOSURE_FORMAT`].
    pub format: String,
    /// The document, `doc1…`.
    pub document: String,
    /// Its root.
    pub commitment: Hash,
    /// How many fields the document has.
    pub count: u64,
    /// Those that are shown, in the document's order.
    pub fields: Vec<ShownField>,
    /// For whom it is made; nobody in particular without.
    #[serde(default)]
    pub recipient: Option<AccountId>,
    /// Proof of the commitment's record in the state.
    pub proof: Value,
    /// The owner's signature over a disclosure for one recipient.
    #[serde(default)]
    pub signature: Option<KeyProof>,
}

/// What a disclosure proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The chain's record: the root, who registered it, when, and whether its salts were destroyed by then.
    pub record: Commitment,
    /// Name and value of each shown field.
    pub fields: Vec<(String, String)>,
    /// How many fields the document has.
    pub count: u64,
    /// The header after whose block the record stood so.
    pub header: Header,
    /// What the header's being final rests on.
    pub trusted: String,
    /// For whom it was made, and the owner's key that signed so.
    pub recipient: Option<(AccountId, KeyId)>,
}

impl Disclosure {
    /// Shows the fields of these names, under a proof of the document's record.
    ///
    /// # Errors
    /// A name that the document does not have, or that is given twice.
    pub fn of(
        salts: &SaltedDocument,
        document: DocumentId,
        names: &[String],
        proof: Value,
    ) -> Result<Self, DisclosureError> {
        salts.check()?;
        check_names(names.iter().map(|name| (name.as_str(), "")))?;
        let leaves = salts.leaves();
        if let Some(name) = names.iter().find(|name| !salts.fields.iter().any(|field| field.name == **name)) {
            let has: Vec<&str> = salts.fields.iter().map(|field| field.name.as_str()).collect();
            return Err(DisclosureError::UnknownField { name: name.clone(), has: has.join(", ") });
        }
        let chosen = salts.fields.iter().enumerate().filter(|(_, field)| names.contains(&field.name));
        let shown = |(index, field): (usize, &SaltedField)| {
            let proof = ListProof::build(&leaves, index)?;
            let SaltedField { name, value, salt } = field.clone();
            Some(ShownField { name, value, salt, index: proof.index, siblings: proof.siblings })
        };
        Ok(Self {
            format: DISCLOSURE_FORMAT.into(),
            document: document.text(),
            commitment: salts.commitment(),
            count: leaves.len() as u64,
            fields: chosen.filter_map(shown).collect(),
            recipient: None,
            proof,
            signature: None,
        })
    }

    /// Makes it for one recipient, who can see that nobody else was meant.
    #[must_use]
    pub fn signed_for(mut self, recipient: AccountId, chain: Hash, key: &SigningKey, key_proof: Value) -> Self {
        self.recipient = Some(recipient);
        let signature = key.sign(&self.message(chain, recipient)).to_string();
        self.signature = Some(KeyProof { key: key.public(), signature, proof: key_proof });
        self
    }

    fn message(&self, chain: Hash, recipient: AccountId) -> Vec<u8> {
        let leaves: Vec<(u64, Hash)> = self.fields.iter().map(|field| (field.index, field.salted().leaf())).collect();
        let mut message = SIGNATURE_CONTEXT.to_vec();
        (chain, &self.document, self.commitment, recipient, leaves).encode_to(&mut message);
        message
    }

    /// From a file's text.
    ///
    /// # Errors
    /// [`DisclosureError::Malformed`].
    pub fn from_json(value: &Value) -> Result<Self, DisclosureError> {
        if value["format"] != DISCLOSURE_FORMAT {
            return Err(malformed(format!("its format is not {DISCLOSURE_FORMAT}")));
        }
        Self::deserialize(value).map_err(|error| malformed(error.to_string()))
    }

    /// Checks everything from the anchor to the last field, for `reader` if it is known who reads.
    ///
    /// # Errors
    /// The first thing that does not hold; nothing of the file may be believed then.
    pub fn verify(&self, anchor: &Anchor, reader: Option<AccountId>) -> Result<Proven, DisclosureError> {
        check_names(self.fields.iter().map(|field| (field.name.as_str(), field.value.as_str())))?;
        let document = args::document(&self.document).map_err(malformed)?;
        let state = proved(&self.proof)?.verify(anchor)?;
        let record = self.record(document, &state)?;
        let root = Hash(record.commitment.0);
        if root != self.commitment {
            return Err(DisclosureError::OtherCommitment { expected: root, found: self.commitment });
        }
        for field in &self.fields {
            field.check(self.count, &root)?;
        }
        let recipient = self.check_recipient(&record, anchor, state.header().chain, reader)?;
        Ok(Proven {
            record,
            fields: self.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect(),
            count: self.count,
            header: state.header().clone(),
            trusted: state.trusted().to_string(),
            recipient,
        })
    }

    fn record(&self, document: DocumentId, state: &VerifiedState) -> Result<Commitment, DisclosureError> {
        let none = || DisclosureError::NoCommitment { document: self.document.clone() };
        let Some(value) = state.get(&record_key(document)) else {
            // A proof of another record says of which, if it is one.
            let records = state.entries().iter().filter_map(|entry| entry.value.as_deref());
            let other = records.filter_map(|value| Commitment::decode_all(&mut &*value).ok()).next();
            let proved = other.ok_or_else(none)?.document.text();
            return Err(DisclosureError::OtherDocument { told: self.document.clone(), proved });
        };
        Commitment::decode_all(&mut value.ok_or_else(none)?).map_err(|_| none())
    }

    fn check_recipient(
        &self,
        record: &Commitment,
        anchor: &Anchor,
        chain: Hash,
        reader: Option<AccountId>,
    ) -> Result<Option<(AccountId, KeyId)>, DisclosureError> {
        let Some(recipient) = self.recipient else { return Ok(None) };
        let signed = self.signature.as_ref().ok_or(DisclosureError::NotSigned)?;
        let signature = signature(&signed.signature).ok_or(DisclosureError::SignatureFails)?;
        if !signed.key.verify(&self.message(chain, recipient), &signature) {
            return Err(DisclosureError::SignatureFails);
        }
        let key = signed.key.id();
        let state = proved(&signed.proof)?.verify(anchor)?;
        if !is_owners(&signed.key, record, &state) {
            return Err(DisclosureError::NotOwnersKey { key: key.to_string() });
        }
        if let Some(reader) = reader.filter(|reader| *reader != recipient) {
            let (recipient, reader) = (recipient.to_string(), reader.to_string());
            return Err(DisclosureError::OtherRecipient { recipient, reader });
        }
        Ok(Some((recipient, key)))
    }
}

/// Whether the state has the key as one of a person of the owner's member, valid then.
fn is_owners(key: &PublicKey, record: &Commitment, state: &VerifiedState) -> bool {
    let at = keys::contract_record(&Key::MODULE.id(), Key::PREFIX, &key.id().encode());
    let found = state.get(at.as_bytes()).flatten().and_then(|value| Key::decode_all(&mut &*value).ok());
    found.is_some_and(|found| {
        let person = matches!(found.purpose, KeyPurpose::User(_));
        let header = state.header();
        person && found.key == *key && found.member.0 == record.member.0 && found.valid_at(header.height, header.time)
    })
}

/// Where the state has the record of a document's commitment.
fn record_key(document: DocumentId) -> Vec<u8> {
    let contract = ContractId::from_name(trade::api::NAME);
    keys::contract_storage(&contract, &trade::commitment_key(document)).into_bytes()
}

fn malformed(reason: impl Into<String>) -> DisclosureError {
    DisclosureError::Malformed { reason: reason.into() }
}

fn proved(proof: &Value) -> Result<ProvedState, DisclosureError> {
    proof::from_json(&json!({ "proof": proof })).map_err(|error| malformed(error.to_string()))
}

fn signature(text: &str) -> Option<Signature> {
    let bytes = portolan_primitives::hex::decode(text)?;
    bytes.try_into().ok().map(Signature::Ed25519)
}

impl ShownField {
    fn salted(&self) -> SaltedField {
        SaltedField { name: self.name.clone(), value: self.value.clone(), salt: self.salt }
    }

    /// Whether it stands at its place in the document with this root.
    fn check(&self, count: u64, root: &Hash) -> Result<(), DisclosureError> {
        let proof = ListProof { index: self.index, count, siblings: self.siblings.clone() };
        match proof.root(&self.salted().leaf()) {
            None => Err(DisclosureError::MissingLeaf { name: self.name.clone() }),
            Some(found) if found != *root => Err(DisclosureError::FieldDiffers { name: self.name.clone() }),
            Some(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
