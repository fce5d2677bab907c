//! Decoding with a bound: nothing is left over, and nothing nests deeper than [`crate::limits::MAX_DECODE_DEPTH`].

use codec::{Decode, DecodeLimit};

use crate::limits::MAX_DECODE_DEPTH;

/// Bytes that are not the whole SCALE form of what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More bytes than the format allows.
    #[error("{found} bytes, where at most {limit} are allowed")]
    TooLong {
        /// Bytes given.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not SCALE of that type, cut short, too deep, or with bytes left over.
    #[error("the bytes are not a whole and well-formed `{0}`")]
    Malformed(&'static str),
    /// Well-formed, but outside the format's own limits.
    #[error("{0}")]
    OutOfBounds(&'static str),
}

/// Decodes `bytes` whole as a `T`, refusing more than `limit` bytes before anything is allocated.
pub fn decode_whole<T: Decode>(name: &'static str, mut bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong { found: bytes.len(), limit });
    }
    T::decode_all_with_depth_limit(MAX_DECODE_DEPTH, &mut bytes).map_err(|_| DecodeError::Malformed(name))
}
