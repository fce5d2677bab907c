//! Transactions: a body of calls, all or nothing, and the approvers' signatures over its id.
//!
//! The id is the idempotency key: a retry inside the window runs once. No nonces: what one account sends runs in parallel.
//! Calls enter the id as salted Merkle leaves, so that one payment of a batch can be shown without the rest.

use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::bounded::{DecodeError, decode_whole};
use crate::hash::{Domain, Hash, hash, hash_parts};
use crate::id::{AccountId, ContractId, KeyId, TransactionId};
use crate::key::{Signature, SigningKey};
use crate::limits::{MAX_APPROVERS, MAX_CALLS, MAX_NATIVE_INPUT, MAX_TRANSACTION_BYTES};
use crate::list::{ListProof, list_root};
use crate::time::Timestamp;

/// Version of the transaction format.
pub const TRANSACTION_VERSION: u8 = 1;
/// What an approver signs is this context, a zero byte, and the transaction's id.
const APPROVAL_CONTEXT: &[u8] = b"portolan 2026 transaction approval v1\0";

/// One call of a contract or native module.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Call {
    /// The callee.
    pub contract: ContractId,
    /// SCALE of the callee's message.
    pub input: Vec<u8>,
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Body {
    /// [`TRANSACTION_VERSION`].
    pub version: u8,
    /// Genesis hash of the chain it is for.
    pub chain: Hash,
    /// On whose behalf.
    pub sender: AccountId,
    /// Makes the id unique, and salts the leaves. Random.
    pub salt: [u8; 16],
    /// Valid only in blocks whose parent is older than this, and at most a window before it.
    pub expires_at: Timestamp,
    /// Most gas that it may use; what the quota counts.
    pub gas_limit: u64,
    /// Who approves: ids of registered keys, ascending, unique, 1 to 16.
    pub approvers: Vec<KeyId>,
    /// 1 to 64 calls, all or nothing.
    pub calls: Vec<Call>,
}

/// A body with its approvals, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Transaction {
    /// What is signed.
    pub body: Body,
    /// The approvers' signatures over the id, in the approvers' order.
    pub approvals: Vec<Signature>,
}

/// Salt of the leaf at `index` under a body's (or agenda entry's) salt.
pub fn leaf_salt(salt: &[u8], index: u32) -> Hash {
    hash_parts(Domain::LeafSalt, &[salt, &index.to_le_bytes()])
}

/// Salted leaf of a call.
pub fn call_leaf(salt: &Hash, call: &Call) -> Hash {
    hash_parts(Domain::CallLeaf, &[&salt.0, &call.encode()])
}

impl Body {
    /// The id: everything but the salt in clear, the calls as salted leaves.
    pub fn id(&self) -> TransactionId {
        let root = list_root(&self.call_leaves());
        let salt = hash(Domain::Salt, &self.salt);
        let rest =
            (self.version, self.chain, self.sender, salt, self.expires_at, self.gas_limit, &self.approvers, root);
        TransactionId(hash(Domain::Transaction, &rest.encode()).0)
    }

    fn call_leaves(&self) -> Vec<Hash> {
        let leaf = |(index, call)| call_leaf(&leaf_salt(&self.salt, index), call);
        (0u32..).zip(&self.calls).map(leaf).collect()
    }

    /// What shows the call at `index` without the others: its salt, and its place under the id's root of calls.
    pub fn prove_call(&self, index: usize) -> Option<(Hash, ListProof)> {
        let proof = ListProof::build(&self.call_leaves(), index)?;
        Some((leaf_salt(&self.salt, index as u32), proof))
    }

    /// Signs as one of the approvers.
    pub fn approve(&self, key: &SigningKey) -> Signature {
        key.sign(&approval_message(&self.id()))
    }

    /// The format's own limits, beside those that decoding keeps.
    fn check_shape(&self) -> Result<(), DecodeError> {
        let bad = |reason| Err(DecodeError::OutOfBounds(reason));
        if self.version != TRANSACTION_VERSION {
            return bad("the transaction's version is not 1; use a client of this network's version");
        }
        if !(1..=MAX_APPROVERS).contains(&self.approvers.len()) {
            return bad("a transaction has 1 to 16 approvers");
        }
        if !self.approvers.windows(2).all(|pair| pair[0] < pair[1]) {
            return bad("the approvers must be ascending and unique");
        }
        if !(1..=MAX_CALLS).contains(&self.calls.len()) {
            return bad("a transaction has 1 to 64 calls");
        }
        if self.calls.iter().any(|call| call.input.len() > MAX_NATIVE_INPUT) {
            return bad("a call's input is longer than 600 KiB");
        }
        Ok(())
    }
}

impl Transaction {
    /// Decodes and checks size and shape: whole, canonical, at most [`MAX_TRANSACTION_BYTES`]. Signatures are not verified.
    pub fn decode_checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        let transaction: Self = decode_whole("Transaction", bytes, MAX_TRANSACTION_BYTES)?;
        transaction.check_shape()?;
        Ok(transaction)
    }

    /// The format's own limits; [`Self::decode_checked`] has asked this.
    pub fn check_shape(&self) -> Result<(), DecodeError> {
        self.body.check_shape()?;
        if self.approvals.len() != self.body.approvers.len() {
            return Err(DecodeError::OutOfBounds(
                "there must be exactly one approval for each approver, in their order",
            ));
        }
        Ok(())
    }

    /// Hash of the id and the approvals: blocks and proposals list this, so two nodes never hold one id with different approvals.
    pub fn wire_hash(&self) -> Hash {
        self.wire_hash_of(&self.body.id())
    }

    /// [`Self::wire_hash`] when the id is at hand.
    pub fn wire_hash_of(&self, id: &TransactionId) -> Hash {
        hash_parts(Domain::Wire, &[&id.0, &self.approvals.encode()])
    }
}

/// The bytes that an approver signs.
pub fn approval_message(id: &TransactionId) -> Vec<u8> {
    [APPROVAL_CONTEXT, &id.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_secret(&[1; 32]).unwrap()
    }

    fn signed(calls: usize) -> Transaction {
        let body = Body {
            version: 1,
            chain: Hash([9; 32]),
            sender: AccountId([1; 16]),
            salt: [2; 16],
            expires_at: Timestamp(1_000),
            gas_limit: 10,
            approvers: vec![key().public().id()],
            calls: (0..calls).map(|n| Call { contract: ContractId([3; 16]), input: vec![n as u8] }).collect(),
        };
        let approvals = vec![body.approve(&key())];
        Transaction { body, approvals }
    }

    #[test]
    fn each_field_changes_the_id() {
        let body = signed(2).body;
        let changes: Vec<fn(&mut Body)> = vec![
            |b| b.version = 2,
            |b| b.chain.0[0] ^= 1,
            |b| b.sender.0[0] ^= 1,
            |b| b.salt[0] ^= 1,
            |b| b.expires_at.0 += 1,
            |b| b.gas_limit += 1,
            |b| b.approvers[0].0[0] ^= 1,
            |b| b.calls[1].input[0] ^= 1,
            |b| b.calls.swap(0, 1),
            |b| b.calls.truncate(1),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut other = body.clone();
            change(&mut other);
            assert_ne!(other.id(), body.id(), "change {number}");
        }
    }

    #[test]
    fn other_approvals_keep_the_id_and_change_the_wire_hash() {
        let one = signed(1);
        let mut other = one.clone();
        other.approvals = vec![Signature::Ed25519([0; 64])];
        assert_eq!(one.body.id(), other.body.id());
        assert_ne!(one.wire_hash(), other.wire_hash());
    }

    #[test]
    fn one_call_of_a_batch_is_shown_without_the_rest() {
        let body = signed(5).body;
        let (salt, proof) = body.prove_call(3).unwrap();
        let root = list_root(&body.call_leaves());
        assert!(proof.verify(&call_leaf(&salt, &body.calls[3]), &root));
        assert!(!proof.verify(&call_leaf(&salt, &body.calls[2]), &root));
    }

    #[test]
    fn shapes_outside_the_limits_are_refused() {
        let changes: Vec<fn(&mut Transaction)> = vec![
            |t| t.body.version = 0,
            |t| t.body.calls.clear(),
            |t| t.body.calls = vec![t.body.calls[0].clone(); 65],
            |t| t.body.approvers.clear(),
            |t| t.body.approvers = vec![KeyId([1; 32]), KeyId([1; 32])],
            |t| t.body.approvers = vec![KeyId([2; 32]), KeyId([1; 32])],
            |t| t.approvals.clear(),
            |t| t.approvals.push(t.approvals[0]),
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut other = signed(1);
            change(&mut other);
            let decoded = Transaction::decode_checked(&other.encode());
            assert!(matches!(decoded, Err(DecodeError::OutOfBounds(_))), "change {number}: {decoded:?}");
        }
        assert_eq!(Transaction::decode_checked(&signed(1).encode()), Ok(signed(1)));
    }

    #[test]
    fn cut_short_or_longer_bytes_are_refused() {
        let bytes = signed(2).encode();
        for length in 0..bytes.len() {
            assert!(Transaction::decode_checked(&bytes[..length]).is_err(), "length {length}");
        }
        assert!(Transaction::decode_checked(&[bytes.clone(), vec![0]].concat()).is_err());
        let huge = vec![0; MAX_TRANSACTION_BYTES + 1];
        assert!(matches!(Transaction::decode_checked(&huge), Err(DecodeError::TooLong { .. })));
    }

    #[test]
    fn a_claimed_length_is_no_allocation() {
        // 2^30 - 1 calls claimed in a compact length, with nothing behind it.
        let mut bytes = signed(1).body.encode();
        let at = bytes.len() - 16 - 1 - 1 - 1;
        bytes.truncate(at);
        bytes.extend([0xfe, 0xff, 0xff, 0xff]);
        assert!(Transaction::decode_checked(&bytes).is_err());
    }
}
