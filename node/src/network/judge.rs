//! Who may connect, judged at the key that the Noise handshake proved, on both sides.
//!
//! Consensus and transactions flow only between nodes whose keys the chain knows. An address from the configuration may be dialled
//! for sync even when its key is unknown, since a node that slept through a rotation must learn of it from somebody, and what it
//! learns is verified by certificates. Whoever misbehaved is shut out for a time that doubles.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use libp2p::PeerId;
use portolan_primitives::{MemberId, PublicKey};

use super::class::Class;
use super::identity::peer_id;
use crate::limits::{FAULT_FIRST, FAULT_LONGEST};

/// What a connection is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// Everything: the chain knows the key.
    Member(MemberId),
    /// Sync only.
    SyncOnly,
}

impl Rights {
    /// The classes of streams.
    pub fn classes(self) -> &'static [Class] {
        match self {
            Self::Member(_) => &Class::ALL,
            Self::SyncOnly => &[Class::Sync],
        }
    }

    /// The member behind the key, if the chain knows it.
    pub fn member(self) -> Option<MemberId> {
        match self {
            Self::Member(member) => Some(member),
            Self::SyncOnly => None,
        }
    }
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The chain does not know the key.
    #[error("the chain does not know the node key {0}")]
    Unknown(PeerId),
    /// Shut out after a fault.
    #[error("{0} is shut out after a fault")]
    ShutOut(PeerId),
}

#[derive(Clone, Copy, Debug)]
struct Faults {
    count: u32,
    until: Instant,
}

/// The keys that the chain knows, and who is shut out.
#[derive(Debug, Default)]
pub struct Judge {
    known: ArcSwap<BTreeMap<PeerId, MemberId>>,
    faults: Mutex<BTreeMap<PeerId, Faults>>,
}

impl Judge {
    /// Takes the node keys of the latest state.
    pub fn set_known(&self, keys: &BTreeMap<PublicKey, MemberId>) {
        let known = keys.iter().filter_map(|(key, member)| Some((peer_id(key).ok()?, *member)));
        self.known.store(std::sync::Arc::new(known.collect()));
    }

    /// The member whose node key this is.
    pub fn member(&self, peer: &PeerId) -> Option<MemberId> {
        self.known.load().get(peer).copied()
    }

    /// What somebody who connected to us may do.
    pub fn inbound(&self, peer: &PeerId) -> Result<Rights, Refused> {
        self.refuse_shut_out(peer)?;
        self.member(peer).map(Rights::Member).ok_or(Refused::Unknown(*peer))
    }

    /// What somebody at an address of the configuration, whom we dialled, may do.
    pub fn outbound(&self, peer: &PeerId) -> Result<Rights, Refused> {
        self.refuse_shut_out(peer)?;
        Ok(self.member(peer).map_or(Rights::SyncOnly, Rights::Member))
    }

    /// Shuts a peer out, twice as long with each fault; gives for how long.
    pub fn fault(&self, peer: PeerId, now: Instant) -> Duration {
        let mut faults = self.faults();
        let count = faults.get(&peer).map_or(0, |faults| faults.count);
        let pause = FAULT_FIRST.saturating_mul(1 << count.min(16)).min(FAULT_LONGEST);
        faults.insert(peer, Faults { count: count.saturating_add(1), until: now + pause });
        // Whoever has been good for a long time is forgotten, so that the table stays as small as the consortium.
        faults.retain(|_, faults| now < faults.until + 2 * FAULT_LONGEST);
        pause
    }

    fn refuse_shut_out(&self, peer: &PeerId) -> Result<(), Refused> {
        match self.faults().get(peer) {
            Some(faults) if Instant::now() < faults.until => Err(Refused::ShutOut(*peer)),
            _ => Ok(()),
        }
    }

    fn faults(&self) -> MutexGuard<'_, BTreeMap<PeerId, Faults>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use portolan_primitives::SigningKey;

    use super::*;

    fn key(seed: u8) -> PublicKey {
        SigningKey::from_secret(&[seed; 32]).unwrap().public()
    }

    fn judge() -> Judge {
        let judge = Judge::default();
        judge.set_known(&BTreeMap::from([(key(1), MemberId([1; 16]))]));
        judge
    }

    #[test]
    fn a_key_that_the_chain_knows_may_everything_in_both_directions() {
        let peer = peer_id(&key(1)).unwrap();
        assert_eq!(judge().inbound(&peer), Ok(Rights::Member(MemberId([1; 16]))));
        assert_eq!(judge().outbound(&peer), Ok(Rights::Member(MemberId([1; 16]))));
    }

    #[test]
    fn an_unknown_key_may_not_come_in_and_may_be_asked_for_blocks_only() {
        let peer = peer_id(&key(2)).unwrap();
        assert_eq!(judge().inbound(&peer), Err(Refused::Unknown(peer)));
        assert_eq!(judge().outbound(&peer), Ok(Rights::SyncOnly));
        assert_eq!(Rights::SyncOnly.classes(), &[Class::Sync]);
    }

    #[test]
    fn a_fault_shuts_out_twice_as_long_each_time() {
        let judge = judge();
        let peer = peer_id(&key(1)).unwrap();
        let now = Instant::now();
        assert_eq!(judge.fault(peer, now), FAULT_FIRST);
        assert_eq!(judge.inbound(&peer), Err(Refused::ShutOut(peer)));
        assert_eq!(judge.fault(peer, now), 2 * FAULT_FIRST);
        for _ in 0..40 {
            judge.fault(peer, now);
        }
        assert_eq!(judge.fault(peer, now), FAULT_LONGEST);
    }

    #[test]
    fn a_key_that_left_the_chain_is_unknown_again() {
        let judge = judge();
        judge.set_known(&BTreeMap::new());
        let peer = peer_id(&key(1)).unwrap();
        assert_eq!(judge.inbound(&peer), Err(Refused::Unknown(peer)));
    }
}
