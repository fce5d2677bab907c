//! Heights of peers, and blocks from them. A block with a certificate of its height's set is final whoever sent it: it is
//! executed and committed like a decided one, and the core, if it has begun the height, simply begins the next.

use portolan_primitives::{Height, list_root};

use crate::input::{CertifiedBlock, PeerId};
use crate::limits::{MAX_BLOCKS_PER_RESPONSE, MAX_READS_PER_PEER, SYNC_RESPONSE_BYTES};
use crate::messages::Message;
use crate::output::{HaltReason, Output, Purpose, Recipients, Wire};
use crate::rule::VotingRule;
use crate::sync::Request;
use crate::timers::Timer;

use super::Replica;
use super::blocks::wire_of;

/// Between two reports of the own height to everyone, ms, while blocks are made.
const REPORT_MS: u64 = 200;
/// Between two reports to one peer that seems to be behind, ms.
const TELL_MS: u64 = 100;
/// How long after a commit late votes for that height are no sign of a peer that is behind, ms.
const LATE_VOTES_MS: u64 = 50;

impl<V: VotingRule> Replica<V> {
    pub(super) fn peer_up(&mut self, peer: PeerId, validator: bool) {
        let known = self.peers.contains(&peer);
        if !self.peers.up(peer, validator) {
            self.fault(peer, "this node has as many peers as it may");
            return;
        }
        if !known {
            self.tell(peer);
            if validator {
                self.offer(peer);
            }
        }
    }

    /// A peer says what it has.
    pub(super) fn peer_status(&mut self, from: PeerId, height: Height) -> Result<(), HaltReason> {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.height = Some(height);
        }
        if height < self.head.height {
            self.tell_if_behind(from, height);
        }
        self.catch_up()
    }

    /// A message for a height that this node has decided: its sender may not know.
    pub(super) fn tell_if_behind(&mut self, from: PeerId, height: Height) {
        let now = self.now.elapsed_ms;
        let just_decided = height == self.head.height && now.saturating_sub(self.committed_ms) < LATE_VOTES_MS;
        let Some(peer) = self.peers.get_mut(&from).filter(|_| !just_decided) else { return };
        if peer.told_at.is_none_or(|at| now.saturating_sub(at) >= TELL_MS) {
            self.tell(from);
        }
    }

    /// A message for a later height: its sender has what is before, or says so.
    pub(super) fn note_height_ahead(&mut self, from: PeerId, height: Height) {
        let has = Height(height.0.saturating_sub(1));
        if let Some(peer) = self.peers.get_mut(&from)
            && peer.height < Some(has)
        {
            peer.height = Some(has);
            self.timers.set_no_later(Timer::Sync, self.now.elapsed_ms + self.timing.sync_grace_ms);
        }
    }

    fn tell(&mut self, peer: PeerId) {
        let (height, now) = (self.head.height, self.now.elapsed_ms);
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.told_at = Some(now);
        }
        self.send(Recipients::Peer(peer), &Message::Status { height }, false);
    }

    /// Tells everyone the own height.
    pub(super) fn tell_everyone(&mut self) {
        let now = self.now.elapsed_ms;
        self.told_everyone_ms = now;
        let height = self.head.height;
        self.send(Recipients::Everyone, &Message::Status { height }, false);
        self.timers.set(Timer::Status, now + self.timing.status_ms);
    }

    /// After a commit everyone hears of it, but not of each while blocks follow fast.
    pub(super) fn plan_report(&mut self) {
        let at = self.told_everyone_ms.saturating_add(REPORT_MS).max(self.now.elapsed_ms);
        self.timers.set_no_later(Timer::Status, at);
    }

    /// Takes up the next block if it is here, and asks for what peers have and this node has not.
    pub(super) fn catch_up(&mut self) -> Result<(), HaltReason> {
        let now = self.now.elapsed_ms;
        for late in self.sync.expired(now) {
            self.avoid(&late);
        }
        self.take_next_block()?;
        let (next, best) = (self.height(), self.peers.best_height());
        if best < next {
            self.sync.behind_since = None;
            self.timers.cancel(Timer::Sync);
            return Ok(());
        }
        let since = *self.sync.behind_since.get_or_insert(now);
        // One height behind is usual for a moment: consensus may finish it here too.
        let grace = if best > next { 0 } else { self.timing.sync_grace_ms };
        let ask_from = since.saturating_add(grace);
        if now >= ask_from && !self.committing {
            self.ask_for_blocks(next, best);
        }
        let again = now + self.timing.sync_grace_ms.max(1);
        self.timers.set(Timer::Sync, self.sync.next_deadline().unwrap_or(again).min(again).max(now + 1));
        Ok(())
    }

    fn ask_for_blocks(&mut self, next: Height, best: Height) {
        let now = self.now.elapsed_ms;
        for (from, count) in self.sync.gaps(next, best) {
            // The piece's height picks the first to ask, so that several are asked for different pieces.
            let able: Vec<_> = self
                .peers
                .iter()
                .filter(|(id, peer)| peer.avoid_until <= now && peer.keeps_from <= from && !self.sync.is_asking(id))
                .filter_map(|(id, peer)| Some((*id, peer.height.filter(|has| *has >= from)?)))
                .collect();
            let Some((peer, has)) =
                (from.0 as usize).checked_rem(able.len()).and_then(|place| able.get(place).copied())
            else {
                return;
            };
            let count = count.min(u32::try_from(has.0 - from.0 + 1).unwrap_or(count));
            self.sync.asked(peer, Request { from, count, deadline: now + self.timing.sync_timeout_ms });
            self.send(Recipients::Peer(peer), &Message::BlocksRequest { from, count }, false);
        }
    }

    /// A peer did not answer, or with nothing: others first for a while.
    fn avoid(&mut self, id: &PeerId) {
        let until = self.now.elapsed_ms.saturating_add(self.timing.sync_timeout_ms);
        if let Some(peer) = self.peers.get_mut(id) {
            peer.avoid_until = until;
        }
    }

    /// A peer asks for blocks.
    pub(super) fn blocks_asked(&mut self, peer: PeerId, from: Height, count: u32) {
        if from > self.head.height || from == Height(0) {
            self.tell(peer);
            return;
        }
        // Counted by key: a peer that reconnects has no more at a time than one that stays.
        if self.reads.values().filter(|(reading, _)| *reading == peer).count() >= MAX_READS_PER_PEER {
            return;
        }
        let request = self.new_request();
        self.reads.insert(request, (peer, from));
        let count = count.min(MAX_BLOCKS_PER_RESPONSE);
        self.out.push(Output::ReadBlocks { request, from, count, max_bytes: SYNC_RESPONSE_BYTES });
    }

    /// The host read them.
    pub(super) fn blocks_read(&mut self, request: u64, blocks: Vec<CertifiedBlock>) {
        let Some((to, from)) = self.reads.remove(&request) else { return };
        if self.peers.contains(&to) {
            self.send(Recipients::Peer(to), &Message::Blocks { from, blocks }, false);
        }
    }

    /// The host keeps them no longer.
    pub(super) fn blocks_pruned(&mut self, request: u64, lowest: Height) {
        let Some((to, from)) = self.reads.remove(&request) else { return };
        if self.peers.contains(&to) {
            self.send(Recipients::Peer(to), &Message::NotKept { from, lowest }, false);
        }
    }

    /// A peer keeps only later blocks: it is asked for those, and others for this one.
    pub(super) fn not_kept(&mut self, peer: PeerId, from: Height, lowest: Height) -> Result<(), HaltReason> {
        if !self.sync.answered(&peer, from) {
            return Ok(());
        }
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.keeps_from = lowest;
        }
        self.catch_up()
    }

    /// Blocks of a peer.
    pub(super) fn blocks(
        &mut self,
        from: PeerId,
        first: Height,
        blocks: Vec<CertifiedBlock>,
    ) -> Result<(), HaltReason> {
        if !self.sync.answered(&from, first) {
            return Ok(());
        }
        if blocks.is_empty() {
            if let Some(peer) = self.peers.get_mut(&from) {
                peer.height = Some(Height(first.0.saturating_sub(1)));
            }
            self.avoid(&from);
            return self.catch_up();
        }
        let consecutive = blocks.iter().zip(first.0..).all(|(block, height)| block.header.height.0 == height);
        if !consecutive {
            self.lied(from, "it sent blocks of other heights than it was asked for");
            return self.catch_up();
        }
        let next = self.height();
        for block in blocks {
            self.sync.keep(from, next, block);
        }
        self.catch_up()
    }

    fn lied(&mut self, peer: PeerId, reason: &'static str) {
        self.sync.drop_of(&peer);
        self.avoid(&peer);
        self.fault(peer, reason);
    }

    /// Decides the next height by a synced block, unless it is decided already and its block is here.
    fn take_next_block(&mut self) -> Result<(), HaltReason> {
        let next = self.height();
        self.sync.drop_below(next);
        while self.lacks_next_block()
            && let Some((peer, block)) = self.sync.take(next)
        {
            match self.check_synced(&block) {
                Err(reason) => self.lied(peer, reason),
                Ok(wires) => return self.take_synced(block, wires),
            }
        }
        Ok(())
    }

    /// Whether the next height is undecided, or its block is one that this node has not, or has forgotten.
    fn lacks_next_block(&self) -> bool {
        self.decided.as_ref().is_none_or(|decided| self.candidates.by_block(&decided.block).is_none())
    }

    /// The transactions of a block whose certificate and body hold.
    fn check_synced(&self, block: &CertifiedBlock) -> Result<Vec<Wire>, &'static str> {
        let (header, certificate) = (&block.header, &block.certificate);
        if certificate.height != header.height || certificate.header != header.hash() {
            return Err("it sent a block with the certificate of another");
        }
        if certificate.verify(&self.chain, &self.next.validators).is_err() {
            return Err("it sent a block with a certificate that does not hold");
        }
        let wires = block.transactions.iter().map(|bytes| wire_of(bytes)).collect::<Option<Vec<_>>>();
        let wires = wires.ok_or("it sent a block with a transaction that is malformed")?;
        let hashes: Vec<_> = wires.iter().map(|wire| wire.hash).collect();
        if list_root(&hashes) != header.transactions_root {
            return Err("it sent a block with other transactions than its header lists");
        }
        Ok(wires)
    }

    /// The certificate holds: the block is final, so whatever is wrong with it now is wrong with this node.
    fn take_synced(&mut self, block: CertifiedBlock, wires: Vec<Wire>) -> Result<(), HaltReason> {
        let CertifiedBlock { header, certificate, .. } = block;
        let hash = certificate.header;
        if let Some(reason) = self.flaw_of(&header) {
            let (height, reason) = (self.height(), reason.into());
            return Err(HaltReason::DecidedBlockDiffers { height, block: hash, reason });
        }
        let hashes: Vec<_> = wires.iter().map(|wire| wire.hash).collect();
        self.candidates.add_bodies(wires);
        match self.candidates.by_block(&hash) {
            Some(id) => self.candidates.advance(id, &self.mempool, &mut self.out),
            None => {
                let (round, now) = (header.round, self.now.elapsed_ms);
                self.candidates.add_block(header, &hashes, round, Purpose::Certified, None, now);
            }
        }
        self.decide(certificate)
    }
}
