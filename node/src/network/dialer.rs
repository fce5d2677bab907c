//! Which addresses of the configuration to dial, and when again. Pure: the caller brings the time and does the dialling.

use std::time::{Duration, Instant};

use libp2p::PeerId;

use crate::config::PeerAddress;
use crate::limits::{REDIAL_FIRST, REDIAL_LONGEST};

/// One address.
#[derive(Debug)]
pub struct Entry {
    /// Where.
    pub address: PeerAddress,
    /// Who answered there last.
    pub peer: Option<PeerId>,
    /// Why the last try failed, for people.
    pub last_error: Option<String>,
    state: State,
    pause: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Idle {
        next: Instant,
    },
    Dialling,
    /// This node itself: never dialled again.
    Own,
}

/// The addresses.
#[derive(Debug, Default)]
pub struct Dialer {
    entries: Vec<Entry>,
}

impl Dialer {
    /// Dials all of `addresses` from `now` on.
    pub fn new(addresses: Vec<PeerAddress>, now: Instant) -> Self {
        let mut dialer = Self::default();
        addresses.into_iter().for_each(|address| dialer.add(address, now));
        dialer
    }

    /// Adds an address that is not there yet.
    pub fn add(&mut self, address: PeerAddress, now: Instant) {
        if self.entries.iter().any(|entry| entry.address == address) {
            return;
        }
        let state = State::Idle { next: now };
        self.entries.push(Entry { address, peer: None, last_error: None, state, pause: REDIAL_FIRST });
    }

    /// The addresses.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// When the next address that nobody is `connected` at wants to be dialled.
    pub fn next(&self, connected: impl Fn(&Entry) -> bool) -> Option<Instant> {
        let waiting = self.entries.iter().filter(|entry| !connected(entry));
        waiting
            .filter_map(|entry| match entry.state {
                State::Idle { next } => Some(next),
                _ => None,
            })
            .min()
    }

    /// The places of the addresses to dial now; they count as being dialled from here on.
    pub fn due(&mut self, now: Instant, connected: impl Fn(&Entry) -> bool) -> Vec<usize> {
        let mut due = Vec::new();
        for (place, entry) in self.entries.iter_mut().enumerate() {
            if matches!(entry.state, State::Idle { next } if next <= now) && !connected(entry) {
                entry.state = State::Dialling;
                due.push(place);
            }
        }
        due
    }

    /// Somebody answered.
    pub fn answered(&mut self, place: usize, peer: PeerId, now: Instant) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.peer = Some(peer);
            entry.last_error = None;
            // The pause grows on until a link has held, so that a peer which drops us at once is not hammered.
            entry.state = State::Idle { next: now + entry.pause };
            entry.pause = (entry.pause * 2).min(REDIAL_LONGEST);
        }
    }

    /// A link to `peer` has held for a while: the next loss is dialled again quickly.
    pub fn held(&mut self, peer: &PeerId) {
        for entry in self.entries.iter_mut().filter(|entry| entry.peer.as_ref() == Some(peer)) {
            entry.pause = REDIAL_FIRST;
        }
    }

    /// Nobody answered, or not who should. The pause doubles.
    pub fn failed(&mut self, place: usize, reason: String, now: Instant) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.last_error = Some(reason);
            entry.state = State::Idle { next: now + entry.pause };
            entry.pause = (entry.pause * 2).min(REDIAL_LONGEST);
        }
    }

    /// The address is this node's own.
    pub fn own(&mut self, place: usize) {
        if let Some(entry) = self.entries.get_mut(place) {
            entry.state = State::Own;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer(now: Instant) -> Dialer {
        Dialer::new(vec!["bank@host:1".parse().unwrap(), "host:2".parse().unwrap()], now)
    }

    #[test]
    fn an_address_is_dialled_once_at_a_time_and_later_again() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        assert_eq!(dialer.due(now, |_| false), [0, 1]);
        assert!(dialer.due(now, |_| false).is_empty());
        dialer.failed(0, "refused".into(), now);
        assert!(dialer.due(now, |_| false).is_empty());
        assert_eq!(dialer.due(now + REDIAL_FIRST, |_| false), [0]);
    }

    #[test]
    fn the_pause_grows_to_its_bound_and_starts_anew_after_a_link_that_held() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        for _ in 0..20 {
            dialer.failed(0, "refused".into(), now);
        }
        assert_eq!(dialer.next(|entry| entry.address.port == 2), Some(now + REDIAL_LONGEST));
        let peer = PeerId::random();
        dialer.answered(0, peer, now);
        dialer.held(&peer);
        dialer.failed(0, "closed".into(), now);
        assert_eq!(dialer.next(|entry| entry.address.port == 2), Some(now + REDIAL_FIRST));
    }

    #[test]
    fn connected_and_own_addresses_are_left_alone() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.own(1);
        assert_eq!(dialer.due(now, |entry| entry.address.port == 1), Vec::<usize>::new());
        assert_eq!(dialer.next(|entry| entry.address.port == 1), None);
    }

    #[test]
    fn an_address_is_listed_once() {
        let now = Instant::now();
        let mut dialer = dialer(now);
        dialer.add("host:2".parse().unwrap(), now);
        assert_eq!(dialer.entries().len(), 2);
    }
}
