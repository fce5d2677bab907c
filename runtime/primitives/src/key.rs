//! Keys and signatures behind a scheme index, so that SM2 or ML-DSA can join by governance.
//!
//! One predicate of validity everywhere: ZIP-215 (`ed25519-zebra`), whose single and batch forms agree. Signing is
//! `ed25519-dalek`'s. Must never verify by another predicate: a difference is a fork.

use codec::{Decode, Encode};
use ed25519_zebra::{Signature as ZebraSignature, VerificationKey, VerificationKeyBytes, batch};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::hash::{Domain, hash_encoded};
use crate::id::{KeyId, from_text, to_text};

/// A public key with its scheme.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, TypeInfo)]
pub enum PublicKey {
    /// Ed25519, verified by ZIP-215.
    #[codec(index = 0)]
    Ed25519([u8; 32]),
}

/// A signature with its scheme.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, TypeInfo)]
pub enum Signature {
    /// Ed25519.
    #[codec(index = 0)]
    Ed25519([u8; 64]),
}

/// Why a key may not be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the encoding of a point, or not its canonical one.
    #[error("the key is not the canonical encoding of a curve point; make a new one with `portolan key generate`")]
    NotCanonical,
    /// A point of small order: anybody can sign for it.
    #[error(
        "the key is a point of small order, for which anybody can sign; make a new one with `portolan key generate`"
    )]
    SmallOrder,
    /// Not 32 bytes of the scheme's secret.
    #[error("an Ed25519 secret is 32 bytes")]
    SecretLength,
}

impl PublicKey {
    /// The prefix of the text form.
    pub const KIND: &'static str = "pub";

    /// The key's id.
    pub fn id(&self) -> KeyId {
        KeyId(hash_encoded(Domain::Key, self).0)
    }

    /// Whether `signature` is this key's over `message`, by ZIP-215.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> bool {
        let (Self::Ed25519(key), Signature::Ed25519(signature)) = (self, signature);
        VerificationKey::try_from(VerificationKeyBytes::from(*key))
            .and_then(|key| key.verify(&ZebraSignature::from_bytes(signature), message))
            .is_ok()
    }

    /// Refuses keys of small order and non-canonical encodings; asked once, at registration.
    pub fn check_registrable(&self) -> Result<(), KeyError> {
        let Self::Ed25519(bytes) = self;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotCanonical)?;
        if key.to_edwards().compress().to_bytes() != *bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        Ok(())
    }
}

/// One signature of a batch.
pub struct BatchItem<'a> {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// What.
    pub message: &'a [u8],
    /// The signature.
    pub signature: Signature,
}

/// Verifies many signatures at once; when the batch fails, each singly. The answer equals [`PublicKey::verify`] for each.
/// `rng` must be unpredictable to whoever made the signatures.
pub fn verify_batch<R: rand_core::CryptoRng>(items: &[BatchItem<'_>], rng: R) -> Vec<bool> {
    let mut verifier = batch::Verifier::new();
    for item in items {
        let (PublicKey::Ed25519(key), Signature::Ed25519(signature)) = (item.key, item.signature);
        verifier.queue((VerificationKeyBytes::from(key), ZebraSignature::from_bytes(&signature), item.message));
    }
    if verifier.verify(rng).is_ok() {
        return vec![true; items.len()];
    }
    items.iter().map(|item| item.key.verify(item.message, &item.signature)).collect()
}

/// A secret key in memory; wiped when dropped, never printed.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of a 32-byte secret.
    pub fn from_secret(secret: &[u8]) -> Result<Self, KeyError> {
        let mut bytes: [u8; 32] = secret.try_into().map_err(|_| KeyError::SecretLength)?;
        let key = Self(ed25519_dalek::SigningKey::from_bytes(&bytes));
        bytes.zeroize();
        Ok(key)
    }

    /// The `ed25519-dalek` key, for writing it to an encrypted file.
    pub fn dalek(&self) -> &ed25519_dalek::SigningKey {
        &self.0
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey::Ed25519(self.0.verifying_key().to_bytes())
    }

    /// Signs `message`; the caller separates domains in it.
    pub fn sign(&self, message: &[u8]) -> Signature {
        use ed25519_dalek::Signer;
        Signature::Ed25519(self.0.sign(message).to_bytes())
    }
}

impl From<ed25519_dalek::SigningKey> for SigningKey {
    fn from(key: ed25519_dalek::SigningKey) -> Self {
        Self(key)
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(of {})", self.public())
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_text(Self::KIND, &self.encode()))
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for PublicKey {
    type Err = crate::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes: [u8; 33] = from_text(Self::KIND, text)?;
        Self::decode(&mut bytes.as_slice()).map_err(|_| crate::IdError::Malformed(text.into()))
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl std::fmt::Display for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self::Ed25519(bytes) = self;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A predictable source, for tests only.
    struct Counter(u64);

    impl rand_core::TryRng for Counter {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.try_next_u64().map(|value| value as u32)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Ok(self.0)
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            for byte in bytes {
                *byte = (self.try_next_u64()? >> 32) as u8;
            }
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Counter {}

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_secret(&[seed; 32]).unwrap()
    }

    #[test]
    fn a_signature_is_valid_for_its_key_and_message_only() {
        let signature = key(1).sign(b"pay");
        assert!(key(1).public().verify(b"pay", &signature));
        assert!(!key(1).public().verify(b"pax", &signature));
        assert!(!key(2).public().verify(b"pay", &signature));
    }

    #[test]
    fn a_batch_answers_as_each_single_check_does() {
        let messages: Vec<Vec<u8>> = (0u8..20).map(|number| vec![number; 5]).collect();
        let items: Vec<BatchItem<'_>> = messages
            .iter()
            .enumerate()
            .map(|(number, message)| {
                let key = key(number as u8 % 3 + 1);
                let signed: &[u8] = if number % 7 == 3 { b"another" } else { message };
                BatchItem { key: key.public(), message, signature: key.sign(signed) }
            })
            .collect();
        let singly: Vec<bool> = items.iter().map(|item| item.key.verify(item.message, &item.signature)).collect();
        assert!(singly.contains(&false) && singly.contains(&true));
        assert_eq!(verify_batch(&items, Counter(1)), singly);
        assert_eq!(verify_batch(&items[..3], Counter(1)), vec![true; 3]);
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused_at_registration() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(PublicKey::Ed25519(identity).check_registrable(), Err(KeyError::SmallOrder));
        let mut non_canonical = [0xff; 32];
        non_canonical[0] = 0xee;
        non_canonical[31] = 0x7f;
        assert_eq!(PublicKey::Ed25519(non_canonical).check_registrable(), Err(KeyError::NotCanonical));
        assert_eq!(key(1).public().check_registrable(), Ok(()));
    }

    #[test]
    fn text_form_round_trips() {
        let public = key(1).public();
        assert_eq!(public.to_string().parse(), Ok(public));
    }

    #[test]
    fn a_secret_never_prints() {
        assert!(format!("{:?}", key(1)).starts_with("SigningKey(of pub1"));
    }
}
