//! The named limits of proofs. Each is checked before anything is allocated for what it bounds.

use codec::{Compact, Decode, Error, Input};

/// Most keys in one proof.
pub const MAX_PROOF_KEYS: usize = 4096;
/// Largest proof of state keys, bytes.
pub const MAX_PROOF_BYTES: usize = 4 * 1024 * 1024;
/// Largest bundle with its header proof, keys and values, bytes.
pub const MAX_BUNDLE_BYTES: usize = 8 * 1024 * 1024;
/// Most changes of the validator set that one header proof walks.
pub const MAX_HANDOVERS: usize = 256;

/// Decodes a list whose items may be larger in memory than on the wire, refusing its count before allocating for it.
pub(crate) fn decode_list<T: Decode, I: Input>(input: &mut I, most: usize) -> Result<Vec<T>, Error> {
    let count = Compact::<u32>::decode(input)?.0 as usize;
    if count > most {
        return Err("the list has more items than the format allows".into());
    }
    (0..count).map(|_| T::decode(input)).collect()
}
