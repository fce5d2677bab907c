//! The Merkle mountain range over all earlier headers: whoever trusts a head can check any ancestor.
//!
//! Its root is [`crate::list_root`] of the header hashes, kept so that appending costs the logarithm of the height.

use codec::{Decode, Encode};

use crate::hash::Hash;
use crate::list::{bind, inner, leaf};

/// Header hashes of heights 0 (genesis) to `count - 1`, folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct History {
    count: u64,
    /// Tops of the whole subtrees, largest first; one for each set bit of `count`.
    peaks: Vec<Hash>,
}

impl History {
    /// Headers folded in so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Appends the next header's hash.
    pub fn append(&mut self, header: &Hash) {
        let mut node = leaf(header);
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = inner(&left, &node);
            }
        }
        self.peaks.push(node);
        self.count += 1;
    }

    /// The root, as a header's `history_root`.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let last = peaks.next().copied().unwrap_or(Hash::ZERO);
        bind(self.count, &peaks.fold(last, |node, peak| inner(peak, &node)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{Domain, hash};
    use crate::list::list_root;

    #[test]
    fn the_folded_history_has_the_root_of_the_list() {
        let mut history = History::default();
        let mut headers = Vec::new();
        for height in 0u32..300 {
            assert_eq!(history.root(), list_root(&headers), "height {height}");
            let header = hash(Domain::Header, &height.to_le_bytes());
            history.append(&header);
            headers.push(header);
        }
        assert_eq!(history.count(), 300);
    }
}
