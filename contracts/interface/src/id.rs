//! Ids of the records: hashes with a kind. Each follows from content or ancestry, so a client knows it before the transaction runs.
//!
//! Must never be derived from anything that differs between nodes.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use portolan_sdk::{AccountId, Hash, Key, env};
use scale_info::TypeInfo;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $kind:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo, Key)]
            pub struct $name(pub [u8; 32]);

            impl $name {
                /// The prefix of the text form (bech32m).
                pub const KIND: &'static str = $kind;
            }

            impl From<[u8; 32]> for $name {
                fn from(bytes: [u8; 32]) -> Self {
                    Self(bytes)
                }
            }

            impl AsRef<[u8]> for $name {
                fn as_ref(&self) -> &[u8] {
                    &self.0
                }
            }
        )*
    };
}

ids! {
    /// A certificate; text form `cert1…`.
    CertificateId = "cert";
    /// A node of a certificate's split tree; text form `part1…`.
    PartId = "part";
    /// A document: order, bill of lading, invoice and all others; text form `doc1…`.
    DocumentId = "doc";
    /// A request for finance and what comes of it; text form `fin1…`.
    FinancingId = "fin";
}

fn derive(tag: &str, content: &impl Encode) -> [u8; 32] {
    let mut bytes: Vec<u8> = tag.as_bytes().into();
    content.encode_to(&mut bytes);
    env::blake3(&bytes).0
}

impl CertificateId {
    /// The `ordinal`-th certificate (from 0) against an invoice.
    pub fn against(invoice: DocumentId, ordinal: u32) -> Self {
        Self(derive("certificate", &(invoice, ordinal)))
    }
}

impl PartId {
    /// The part that a certificate starts with.
    pub fn root(certificate: CertificateId) -> Self {
        Self(derive("root part", &certificate))
    }

    /// The `index`-th child (from 0) of a split part.
    pub fn child(self, index: u16) -> Self {
        Self(derive("part", &(self, index)))
    }
}

impl DocumentId {
    /// An order that `buyer` gives to `seller`.
    pub fn order(buyer: AccountId, seller: AccountId, lines: Hash) -> Self {
        Self(derive("order", &(buyer, seller, lines)))
    }

    /// A bill of lading of a carrier.
    pub fn bill(carrier: AccountId, commitment: Hash) -> Self {
        Self(derive("bill of lading", &(carrier, commitment)))
    }

    /// A customs declaration.
    pub fn declaration(declarant: AccountId, commitment: Hash) -> Self {
        Self(derive("customs declaration", &(declarant, commitment)))
    }

    /// A credit note of a seller.
    pub fn credit_note(seller: AccountId, commitment: Hash) -> Self {
        Self(derive("credit note", &(seller, commitment)))
    }

    /// A certificate of origin.
    pub fn origin(issuer: AccountId, commitment: Hash) -> Self {
        Self(derive("certificate of origin", &(issuer, commitment)))
    }

    /// A warehouse receipt.
    pub fn warehouse_receipt(warehouse: AccountId, commitment: Hash) -> Self {
        Self(derive("warehouse receipt", &(warehouse, commitment)))
    }

    /// The `index`-th part (from 0) of a split warehouse receipt.
    pub fn receipt_part(self, index: u16) -> Self {
        Self(derive("warehouse receipt part", &(self, index)))
    }

    /// A cargo insurance policy.
    pub fn policy(insurer: AccountId, commitment: Hash) -> Self {
        Self(derive("cargo policy", &(insurer, commitment)))
    }

    /// An invoice of a seller.
    pub fn invoice(seller: AccountId, commitment: Hash) -> Self {
        Self(derive("invoice", &(seller, commitment)))
    }
}

impl FinancingId {
    /// What a transaction requests on a part.
    pub fn requested(transaction: Hash, part: PartId) -> Self {
        Self(derive("financing", &(transaction, part)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_place_has_its_own_id() {
        let (one, other) = (AccountId([1; 16]), AccountId([2; 16]));
        let commitment = Hash([3; 32]);
        let mut ids = [
            DocumentId::order(one, other, commitment).0,
            DocumentId::order(other, one, commitment).0,
            DocumentId::bill(one, commitment).0,
            DocumentId::declaration(one, commitment).0,
            DocumentId::invoice(one, commitment).0,
            DocumentId::credit_note(one, commitment).0,
            DocumentId::origin(one, commitment).0,
            DocumentId::warehouse_receipt(one, commitment).0,
            DocumentId(commitment.0).receipt_part(0).0,
            DocumentId(commitment.0).receipt_part(1).0,
            DocumentId::policy(one, commitment).0,
            CertificateId::against(DocumentId(commitment.0), 0).0,
            CertificateId::against(DocumentId(commitment.0), 1).0,
            PartId::root(CertificateId(commitment.0)).0,
            PartId(commitment.0).child(0).0,
            PartId(commitment.0).child(1).0,
            FinancingId::requested(commitment, PartId(commitment.0)).0,
        ];
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
