//! Signatures on which predicates of validity differ: what ZIP-215 says of each, singly and in a batch.

use portolan_primitives::key::{BatchItem, verify_batch};
use portolan_primitives::{PublicKey, Signature, SigningKey};
use serde_json::{Value, json};

use crate::hex;

/// The eight points of small order and the non-canonical encodings of some of them (RFC 8032 encodings of y and sign).
const ODD_POINTS: [&str; 10] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/// Predictable, for vectors only: the answer of a batch must not depend on it.
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
            *byte = (self.try_next_u64()? >> 33) as u8;
        }
        Ok(())
    }
}
impl rand_core::TryCryptoRng for Counter {}

fn bytes(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * place..2 * place + 2], 16).expect("hex digits");
    }
    bytes
}

/// Each odd key with each odd `R` and `s = 0`: single, alone in a batch, and in the company of a good signature.
pub fn signatures() -> Value {
    let message = b"portolan";
    let good_key = SigningKey::from_secret(&[1; 32]).expect("32 bytes");
    let mut rows = Vec::new();
    for key in ODD_POINTS {
        for r in ODD_POINTS {
            let key = PublicKey::Ed25519(bytes(key));
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&bytes(r));
            let signature = Signature::Ed25519(signature);
            let odd = || BatchItem { key, message, signature };
            let good = BatchItem { key: good_key.public(), message, signature: good_key.sign(message) };
            rows.push(json!({
                "key": hex(&codec::Encode::encode(&key)),
                "r": r,
                "single": key.verify(message, &signature),
                "batch_alone": verify_batch(&[odd()], Counter(1)),
                "batch_in_company": verify_batch(&[odd(), good], Counter(2)),
                "registrable": key.check_registrable().is_ok(),
            }));
        }
    }
    json!({ "message": "portolan", "s": 0, "cases": rows })
}
