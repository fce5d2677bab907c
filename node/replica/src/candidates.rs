//! The undecided blocks of the current height: streams that come in, lists that were fetched, and this node's own block;
//! their bodies, and what the host's executions of them came to.
//!
//! At most one stream a round is executed. A stream is only a way to a block early: a block is known by its header's hash,
//! and its list by the header's root. Must never call a block valid before the host did.

use std::collections::{BTreeMap, BTreeSet};

use portolan_primitives::{Hash, Header, Round, list_root};

use crate::input::{PeerId, Verdict};
use crate::limits::{MAX_KNOWN_BLOCKS, MAX_PARTS};
use crate::mempool::Mempool;
use crate::messages::PartContent;
use crate::output::{BlockStart, ExecutionId, Output, Purpose, Wire};

/// Number of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CandidateId(u64);

/// An undecided block, or what has come of it.
#[derive(Debug)]
pub struct Candidate {
    /// What the host begins with.
    pub start: BlockStart,
    /// The round of the proposal by which it became known.
    pub round: Round,
    /// The header, when it is known.
    pub header: Option<Header>,
    /// What its execution came to.
    pub verdict: Option<Verdict>,
    /// Its time is too far from this node's clock; only a polka makes it worth executing.
    pub untimely: bool,
    /// Its body is in the log.
    pub logged: bool,
    /// What the core was told of it.
    pub told: Option<bool>,
    /// When anything last came of it, elapsed ms.
    pub progress_ms: u64,
    /// Who sent it: the first to be asked for bodies.
    pub source: Option<PeerId>,
    /// Times that bodies were asked for.
    pub asked: u32,
    purpose: Purpose,
    hashes: Vec<Hash>,
    wires: Vec<Option<Wire>>,
    missing: usize,
    fed: usize,
    execution: Option<ExecutionId>,
    finish_asked: bool,
    early_parts: BTreeMap<u16, PartContent>,
    next_part: u16,
}

impl Candidate {
    fn new(start: BlockStart, round: Round, purpose: Purpose, source: Option<PeerId>, now_ms: u64) -> Self {
        Self {
            start,
            round,
            header: None,
            verdict: None,
            untimely: false,
            logged: false,
            told: None,
            progress_ms: now_ms,
            source,
            asked: 0,
            purpose,
            hashes: Vec::new(),
            wires: Vec::new(),
            missing: 0,
            fed: 0,
            execution: None,
            finish_asked: false,
            early_parts: BTreeMap::new(),
            next_part: 0,
        }
    }

    /// The wire hashes so far.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The transactions, when header and all bodies are there.
    pub fn body(&self) -> Option<Vec<Wire>> {
        self.is_complete().then(|| self.wires.iter().flatten().cloned().collect())
    }

    /// Whether header and all bodies are there.
    pub fn is_complete(&self) -> bool {
        self.header.is_some() && self.missing == 0
    }

    /// Whether the host is at work on all of it.
    pub fn is_executing(&self) -> bool {
        self.finish_asked && self.verdict.is_none()
    }

    /// Wire hashes whose transactions are not there, at most `most`.
    pub fn missing(&self, most: usize) -> Vec<Hash> {
        let pairs = self.hashes.iter().zip(&self.wires);
        pairs.filter(|(_, wire)| wire.is_none()).map(|(hash, _)| *hash).take(most).collect()
    }

    fn add_hashes(&mut self, hashes: &[Hash]) {
        self.hashes.extend_from_slice(hashes);
        self.wires.resize(self.hashes.len(), None);
        self.missing += hashes.len();
    }
}

/// How a part was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartResult {
    /// Taken.
    Taken,
    /// Of no use any more.
    Stale,
    /// The stream does not hang together, or its block came by another way: it must be given up. Nobody is to blame: a
    /// proposer that restarts begins another stream for its round.
    Spoiled,
}

/// All candidates of a height.
#[derive(Debug, Default)]
pub struct Candidates {
    items: BTreeMap<CandidateId, Candidate>,
    /// The stream of each round; `None`: there was one, and it was given up.
    streams: BTreeMap<Round, Option<CandidateId>>,
    blocks: BTreeMap<Hash, CandidateId>,
    executions: BTreeMap<ExecutionId, CandidateId>,
    bodies: BTreeMap<Hash, Wire>,
    next_id: u64,
    next_execution: u64,
}

impl Candidates {
    /// Forgets everything: another height begins. Numbers of executions go on.
    pub fn clear(&mut self) {
        let (next_id, next_execution) = (self.next_id, self.next_execution);
        *self = Self { next_id, next_execution, ..Self::default() };
    }

    /// A number for an execution.
    pub fn new_execution(&mut self) -> ExecutionId {
        self.next_execution += 1;
        ExecutionId(self.next_execution)
    }

    /// One candidate.
    pub fn get(&self, id: CandidateId) -> Option<&Candidate> {
        self.items.get(&id)
    }

    /// One candidate.
    pub fn get_mut(&mut self, id: CandidateId) -> Option<&mut Candidate> {
        self.items.get_mut(&id)
    }

    /// All, in the order in which they became known.
    pub fn iter(&self) -> impl Iterator<Item = (CandidateId, &Candidate)> {
        self.items.iter().map(|(id, candidate)| (*id, candidate))
    }

    /// The candidate of a block.
    pub fn by_block(&self, block: &Hash) -> Option<CandidateId> {
        self.blocks.get(block).copied()
    }

    /// The stream of a round that has not been given up.
    pub fn stream(&self, round: Round) -> Option<&Candidate> {
        self.items.get(&(*self.streams.get(&round)?)?)
    }

    /// Whether there has been a stream in this round.
    pub fn had_stream(&self, round: Round) -> bool {
        self.streams.contains_key(&round)
    }

    /// Whether another block may be kept. Where there are too many, those of rounds before `current` that became known first
    /// are forgotten, unless a polka `holds` them: however long a height takes, there is room for what is proposed now. Should
    /// a forgotten one be proposed again, it is fetched again; should it be decided, it comes by sync.
    pub fn make_room(&mut self, current: Round, holds: impl Fn(&Hash) -> bool, out: &mut Vec<Output>) -> bool {
        while self.items.len() >= MAX_KNOWN_BLOCKS {
            let is_held = |candidate: &Candidate| candidate.header.as_ref().is_some_and(|header| holds(&header.hash()));
            let mut old = self.items.iter().filter(|(_, candidate)| candidate.round < current && !is_held(candidate));
            let Some(id) = old.next().map(|(id, _)| *id) else { return false };
            self.forget(id, out);
        }
        true
    }

    /// Forgets a candidate with all that is kept for it alone, here and at the host.
    fn forget(&mut self, id: CandidateId, out: &mut Vec<Output>) {
        let Some(candidate) = self.items.remove(&id) else { return };
        if let Some(execution) = candidate.execution {
            self.executions.remove(&execution);
            out.push(Output::Abandon { execution });
        }
        self.blocks.retain(|_, of| *of != id);
        self.streams.values_mut().filter(|of| **of == Some(id)).for_each(|of| *of = None);
        let listed: BTreeSet<Hash> = self.items.values().flat_map(|kept| kept.hashes.iter().copied()).collect();
        self.bodies.retain(|hash, _| listed.contains(hash));
    }

    /// A transaction of any candidate.
    pub fn body(&self, hash: &Hash) -> Option<&Wire> {
        self.bodies.get(hash)
    }

    /// A stream begins. Nothing is executed when it is untimely.
    pub fn begin_stream(
        &mut self,
        round: Round,
        start: BlockStart,
        untimely: bool,
        source: PeerId,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let mut candidate = Candidate::new(start, round, Purpose::Validate, Some(source), now_ms);
        candidate.untimely = untimely;
        let id = self.insert(candidate);
        self.streams.insert(round, Some(id));
        if !untimely {
            self.begin_execution(id, out);
        }
    }

    /// The next part of a stream, or one that waits for those before it. Answers with the block's id when it is complete.
    pub fn add_part(&mut self, content: PartContent, now_ms: u64) -> (PartResult, Option<CandidateId>) {
        let Some(Some(id)) = self.streams.get(&content.round).copied() else { return (PartResult::Stale, None) };
        let Some(candidate) = self.items.get_mut(&id) else { return (PartResult::Stale, None) };
        let stale = candidate.header.is_some() || content.index < candidate.next_part;
        if stale {
            return (PartResult::Stale, None);
        }
        if content.index >= MAX_PARTS {
            return (PartResult::Spoiled, Some(id));
        }
        candidate.progress_ms = now_ms;
        candidate.early_parts.insert(content.index, content);
        while let Some(part) = candidate.early_parts.remove(&candidate.next_part) {
            candidate.next_part += 1;
            candidate.add_hashes(&part.hashes);
            if candidate.hashes.len() > portolan_primitives::limits::MAX_BLOCK_TRANSACTIONS {
                return (PartResult::Spoiled, Some(id));
            }
            if let Some(header) = part.end {
                let result = self.end_stream(id, header);
                return (result, Some(id));
            }
        }
        (PartResult::Taken, Some(id))
    }

    fn end_stream(&mut self, id: CandidateId, header: Header) -> PartResult {
        let Some(candidate) = self.items.get_mut(&id) else { return PartResult::Stale };
        let start = BlockStart::of(&header);
        let block = header.hash();
        let whole = start == candidate.start && list_root(&candidate.hashes) == header.transactions_root;
        if !whole || self.blocks.contains_key(&block) {
            return PartResult::Spoiled;
        }
        candidate.early_parts.clear();
        candidate.header = Some(header);
        self.blocks.insert(block, id);
        PartResult::Taken
    }

    /// Gives a stream up: nothing more of this round is executed.
    pub fn give_up_stream(&mut self, round: Round, out: &mut Vec<Output>) {
        if let Some(Some(id)) = self.streams.insert(round, None) {
            self.remove(id, out);
        }
    }

    /// Gives up the streams of rounds before `round` whose blocks are not known yet.
    pub fn give_up_streams_before(&mut self, round: Round, out: &mut Vec<Output>) {
        let unfinished = |id: &Option<CandidateId>| {
            id.and_then(|id| self.items.get(&id)).is_some_and(|candidate| candidate.header.is_none())
        };
        let rounds: Vec<_> =
            self.streams.range(..round).filter(|(_, id)| unfinished(id)).map(|(round, _)| *round).collect();
        for round in rounds {
            self.give_up_stream(round, out);
        }
    }

    /// A block whose list is known whole.
    pub fn add_block(
        &mut self,
        header: Header,
        hashes: &[Hash],
        round: Round,
        purpose: Purpose,
        source: Option<PeerId>,
        now_ms: u64,
    ) -> CandidateId {
        let start = BlockStart::of(&header);
        let block = header.hash();
        let mut candidate = Candidate::new(start, round, purpose, source, now_ms);
        candidate.add_hashes(hashes);
        candidate.header = Some(header);
        let id = self.insert(candidate);
        self.blocks.insert(block, id);
        id
    }

    /// A block that this node built in `execution`.
    pub fn add_built(&mut self, header: Header, wires: Vec<Wire>, execution: ExecutionId, now_ms: u64) -> CandidateId {
        let hashes: Vec<_> = wires.iter().map(|wire| wire.hash).collect();
        let round = header.round;
        let id = self.add_block(header, &hashes, round, Purpose::Build, None, now_ms);
        self.add_bodies(wires);
        self.resolve(id, None);
        if let Some(candidate) = self.items.get_mut(&id) {
            candidate.execution = Some(execution);
            candidate.finish_asked = true;
            candidate.verdict = Some(Verdict::Valid);
        }
        id
    }

    /// Transactions that candidates may need.
    pub fn add_bodies(&mut self, wires: Vec<Wire>) {
        for wire in wires {
            self.bodies.insert(wire.hash, wire);
        }
    }

    /// The transactions that candidates lack.
    pub fn lacking(&self) -> BTreeSet<Hash> {
        let unfinished = self.items.values().filter(|candidate| candidate.missing > 0);
        unfinished.flat_map(|candidate| candidate.missing(usize::MAX)).collect()
    }

    /// Has the host execute what it can of a candidate: the agenda, the transactions that are there, the end.
    pub fn advance(&mut self, id: CandidateId, mempool: &Mempool, out: &mut Vec<Output>) {
        self.resolve(id, Some(mempool));
        let Some(candidate) = self.items.get_mut(&id) else { return };
        let Some(execution) = candidate.execution else { return };
        if candidate.verdict.is_some() || candidate.finish_asked {
            return;
        }
        let ready: Vec<_> = candidate.wires[candidate.fed..].iter().map_while(Clone::clone).collect();
        if !ready.is_empty() {
            candidate.fed += ready.len();
            out.push(Output::ExecutePart { execution, transactions: ready });
        }
        if let Some(header) = candidate.header.as_ref().filter(|_| candidate.missing == 0) {
            candidate.finish_asked = true;
            out.push(Output::FinishBlock { execution, expected: Some(Box::new(header.clone())) });
        }
    }

    /// Begins the execution of a candidate that has none.
    pub fn begin_execution(&mut self, id: CandidateId, out: &mut Vec<Output>) {
        let execution = self.new_execution();
        let Some(candidate) = self.items.get_mut(&id) else { return };
        if candidate.execution.is_some() || candidate.verdict.is_some() {
            return;
        }
        candidate.execution = Some(execution);
        candidate.untimely = false;
        self.executions.insert(execution, id);
        out.push(Output::BeginBlock { execution, purpose: candidate.purpose, start: candidate.start });
    }

    /// The host's verdict. Answers with the candidate if it waited for one.
    pub fn set_verdict(&mut self, execution: ExecutionId, verdict: Verdict, now_ms: u64) -> Option<CandidateId> {
        let id = self.executions.remove(&execution)?;
        let candidate = self.items.get_mut(&id)?;
        candidate.verdict = Some(verdict);
        candidate.progress_ms = now_ms;
        Some(id)
    }

    /// The execution of a valid candidate.
    pub fn execution(&self, id: CandidateId) -> Option<ExecutionId> {
        self.items.get(&id)?.execution
    }

    fn insert(&mut self, candidate: Candidate) -> CandidateId {
        self.next_id += 1;
        let id = CandidateId(self.next_id);
        self.items.insert(id, candidate);
        id
    }

    fn remove(&mut self, id: CandidateId, out: &mut Vec<Output>) {
        let Some(candidate) = self.items.remove(&id) else { return };
        if let Some(execution) = candidate.execution
            && self.executions.remove(&execution).is_some()
        {
            out.push(Output::Abandon { execution });
        }
    }

    fn resolve(&mut self, id: CandidateId, mempool: Option<&Mempool>) {
        let Some(candidate) = self.items.get_mut(&id).filter(|candidate| candidate.missing > 0) else { return };
        for (hash, wire) in candidate.hashes.iter().zip(&mut candidate.wires).filter(|(_, wire)| wire.is_none()) {
            let known = self.bodies.get(hash).cloned();
            let waiting = || {
                let transaction = mempool?.get(hash)?;
                Some(Wire { hash: *hash, bytes: transaction.bytes.clone() })
            };
            let Some(found) = known.or_else(waiting) else { continue };
            self.bodies.insert(*hash, found.clone());
            *wire = Some(found);
            candidate.missing -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::{Height, MemberId, Timestamp};

    fn header(round: u32) -> Header {
        Header {
            version: 1,
            chain: Hash::ZERO,
            height: Height(1),
            round: Round(round),
            time: Timestamp(u64::from(round)),
            parent: Hash::ZERO,
            history_root: Hash::ZERO,
            proposer: MemberId([0; 16]),
            transactions_root: Hash::ZERO,
            receipts_root: Hash::ZERO,
            state_root: Hash::ZERO,
            validators_hash: Hash::ZERO,
            next_validators_hash: Hash::ZERO,
            gas_used: 0,
        }
    }

    /// As many candidates as are kept, one a round, each with a transaction of its own.
    fn full(out: &mut Vec<Output>) -> Candidates {
        let mut candidates = Candidates::default();
        for round in 0..MAX_KNOWN_BLOCKS as u32 {
            let wire = Wire { hash: Hash([round as u8; 32]), bytes: vec![round as u8].into() };
            let id = candidates.add_block(header(round), &[wire.hash], Round(round), Purpose::Validate, None, 0);
            candidates.add_bodies(vec![wire]);
            candidates.begin_execution(id, out);
        }
        candidates
    }

    #[test]
    fn the_oldest_block_that_no_polka_holds_gives_way_with_all_that_is_its_own() {
        let mut out = Vec::new();
        let mut candidates = full(&mut out);
        let (held, next) = (header(0).hash(), header(1).hash());
        out.clear();
        assert!(candidates.make_room(Round(30), |block| *block == held, &mut out));
        assert_eq!((candidates.by_block(&held).is_some(), candidates.by_block(&next)), (true, None));
        assert_eq!((candidates.body(&Hash([0; 32])).is_some(), candidates.body(&Hash([1; 32]))), (true, None));
        assert_eq!(out, [Output::Abandon { execution: ExecutionId(2) }]);
        assert_eq!(candidates.iter().count(), MAX_KNOWN_BLOCKS - 1);
    }

    #[test]
    fn blocks_of_this_round_or_later_stay_even_if_there_is_no_room() {
        let mut out = Vec::new();
        let mut candidates = full(&mut out);
        out.clear();
        assert!(!candidates.make_room(Round(0), |_| false, &mut out));
        assert_eq!((candidates.iter().count(), out), (MAX_KNOWN_BLOCKS, vec![]));
    }
}
