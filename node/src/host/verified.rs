//! Which transactions' signatures this node has verified, by wire hash: each is verified once, in a batch where that can be.
//!
//! A wire hash fixes the keys, the message and the signatures, so remembering it is as good as verifying again.

use std::collections::{BTreeSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use getrandom::rand_core::{TryCryptoRng, TryRng};
use portolan_primitives::Hash;
use portolan_primitives::key::{BatchItem, verify_batch};
use portolan_runtime::{SignatureItem, SignatureVerifier};

/// Wires that are remembered: some seconds at full load.
const REMEMBERED: usize = 131_072;

#[derive(Debug, Default)]
struct Memory {
    known: BTreeSet<Hash>,
    order: VecDeque<Hash>,
}

/// The memory of verified wires, shared between threads.
#[derive(Debug, Default)]
pub struct Verified(Mutex<Memory>);

impl Verified {
    /// Whether the signatures of this wire were verified.
    pub fn contains(&self, wire: &Hash) -> bool {
        self.memory().known.contains(wire)
    }

    /// Remembers verified wires; the oldest are forgotten.
    pub fn remember(&self, wires: impl IntoIterator<Item = Hash>) {
        let mut memory = self.memory();
        for wire in wires {
            if memory.known.insert(wire) {
                memory.order.push_back(wire);
            }
        }
        while memory.order.len() > REMEMBERED {
            if let Some(oldest) = memory.order.pop_front() {
                memory.known.remove(&oldest);
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignatureVerifier for Verified {
    fn verify(&self, wire: &Hash, items: &[SignatureItem]) -> bool {
        if self.contains(wire) {
            return true;
        }
        let valid = items.iter().all(|item| item.key.verify(&item.message, &item.signature));
        if valid {
            self.remember([*wire]);
        }
        valid
    }
}

/// Verifies the signatures of many transactions in one batch: an answer for each transaction.
///
/// # Errors
/// The system gave no random bytes.
pub fn verify_all(transactions: &[Vec<SignatureItem>]) -> Result<Vec<bool>, getrandom::Error> {
    let items: Vec<BatchItem<'_>> = transactions
        .iter()
        .flatten()
        .map(|item| BatchItem { key: item.key, message: &item.message, signature: item.signature })
        .collect();
    let mut answers = verify_batch(&items, Unpredictable::new()?).into_iter();
    let all = |transaction: &Vec<SignatureItem>| {
        // Each answer is taken, also after a first invalid one.
        answers.by_ref().take(transaction.len()).fold(true, |valid, answer| valid & answer)
    };
    Ok(transactions.iter().map(all).collect())
}

/// Bytes that whoever made the signatures can't foresee: BLAKE3's output under a fresh secret of the system.
struct Unpredictable(blake3::OutputReader);

impl Unpredictable {
    fn new() -> Result<Self, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Self(blake3::Hasher::new_keyed(&seed).finalize_xof()))
    }
}

impl TryRng for Unpredictable {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Unpredictable {}

#[cfg(test)]
mod tests {
    use portolan_primitives::SigningKey;

    use super::*;

    fn signed(seed: u8, message: &[u8], valid: bool) -> SignatureItem {
        let key = SigningKey::from_secret(&[seed; 32]).unwrap();
        let signature = key.sign(if valid { message } else { b"another" });
        SignatureItem { key: key.public(), message: message.to_vec(), signature }
    }

    #[test]
    fn one_bad_signature_spoils_its_own_transaction_only() {
        let transactions = vec![
            vec![signed(1, b"a", true), signed(2, b"a", true)],
            vec![signed(1, b"b", false), signed(2, b"b", true)],
            vec![signed(3, b"c", true)],
        ];
        assert_eq!(verify_all(&transactions).unwrap(), [true, false, true]);
    }

    #[test]
    fn what_was_verified_is_not_verified_again_and_what_was_not_is() {
        let verified = Verified::default();
        let wire = Hash([1; 32]);
        let bad = [signed(1, b"a", false)];
        assert!(!verified.verify(&wire, &bad));
        assert!(!verified.contains(&wire));
        assert!(verified.verify(&wire, &[signed(1, b"a", true)]));
        assert!(verified.verify(&wire, &bad), "a known wire hash fixes its signatures");
    }

    #[test]
    fn the_memory_is_bounded() {
        let verified = Verified::default();
        let wire = |number: usize| portolan_primitives::hash(portolan_primitives::Domain::Wire, &number.to_le_bytes());
        verified.remember((0..REMEMBERED + 1).map(wire));
        assert!(!verified.contains(&wire(0)) && verified.contains(&wire(REMEMBERED)));
    }
}
