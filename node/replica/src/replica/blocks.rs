//! Building this node's blocks, taking in those of others, and fetching what is missing of them.

use std::collections::VecDeque;

use portolan_primitives::block::HEADER_VERSION;
use portolan_primitives::{Hash, Header, Height, MemberId, Round, Timestamp, Transaction, list_root};

use crate::candidates::{Candidate, CandidateId, PartResult};
use crate::driver::ValueVerdict;
use crate::input::{LeftOut, PeerId, Verdict};
use crate::limits::{MAX_HASHES_PER_MESSAGE, MAX_KNOWN_BLOCKS, MAX_PARTS, MAX_ROUNDS_AHEAD, MAX_TRANSACTIONS_MESSAGE};
use crate::log::LogRecord;
use crate::mempool::Room;
use crate::messages::{Message, PartBegin, PartContent};
use crate::output::{BlockStart, ExecutionId, HaltReason, Output, Purpose, Recipients, Wire};
use crate::rule::VotingRule;
use crate::timers::Timer;

use super::Replica;

/// How long a transaction waits that the host had no room for, ms.
const PARKED_MS: u64 = 1_000;

/// The block that this node builds.
#[derive(Debug)]
pub(super) struct Build {
    round: Round,
    execution: ExecutionId,
    start: BlockStart,
    /// Parts that the host executes, in order.
    parts: VecDeque<Vec<Wire>>,
    /// What is in the block.
    included: Vec<Wire>,
    /// Included, and not streamed yet.
    unsent: Vec<Hash>,
    next_part: u16,
    /// Whether parts go out while the block is built, or all in one at the end.
    streams: bool,
}

/// A block of which a proposal or a polka is known, but not all else.
#[derive(Debug)]
pub(super) struct Wanted {
    pub round: Round,
    /// It was proposed for the first time, so its time counts against this node's clock.
    pub fresh: bool,
    pub since_ms: u64,
    source: Option<PeerId>,
    asked: u32,
}

impl<V: VotingRule> Replica<V> {
    /// Builds the block of a round in which it is this node's turn.
    pub(super) fn build_block(&mut self, round: Round) -> Result<(), HaltReason> {
        if self.decided.is_some() {
            return Ok(());
        }
        if let Some(block) = self.own_block_of(round) {
            let events = self.driver.propose(self.height(), round, block)?;
            return self.apply(events);
        }
        let picked = self.mempool.select(self.room(round));
        let declared: u64 = picked
            .iter()
            .filter_map(|wire| self.mempool.get(&wire.hash))
            .map(|one| one.gas)
            .fold(0, u64::saturating_add);
        let streams = picked.len() > self.part_transactions || declared >= self.small_block_gas;
        let start = BlockStart {
            height: self.height(),
            round,
            parent: self.head_hash,
            time: Timestamp(self.now.clock.0.max(self.head.time.0.saturating_add(1))),
            proposer: self.member,
        };
        let execution = self.candidates.new_execution();
        self.out.push(Output::BeginBlock { execution, purpose: Purpose::Build, start });
        // One part begins the stream and one ends it; those between hold all.
        let in_part = self.part_transactions.max(picked.len().div_ceil(usize::from(MAX_PARTS) - 2));
        let parts: VecDeque<Vec<Wire>> = picked.chunks(in_part).map(<[Wire]>::to_vec).collect();
        for transactions in parts.iter().cloned() {
            self.out.push(Output::ExecutePart { execution, transactions });
        }
        self.out.push(Output::FinishBlock { execution, expected: None });
        let (included, unsent) = (Vec::new(), Vec::new());
        self.build = Some(Build { round, execution, start, parts, included, unsent, next_part: 0, streams });
        if streams { self.stream_next(None) } else { Ok(()) }
    }

    /// A block that this node built for the round before a restart, and never proposed.
    fn own_block_of(&self, round: Round) -> Option<Hash> {
        let own = |header: &&Header| header.round == round && header.proposer == self.member;
        self.candidates.iter().find_map(|(_, candidate)| candidate.header.as_ref().filter(own)).map(Header::hash)
    }

    /// What a block of this round has room for: half with each failed round, so that no block is too slow for ever.
    fn room(&self, round: Round) -> Room {
        let parameters = &self.next.parameters;
        let halvings = round.0.min(20);
        Room {
            gas: parameters.block_gas >> halvings,
            bytes: parameters.block_bytes >> halvings,
            transactions: (parameters.block_transactions >> halvings).max(1),
        }
    }

    /// The room of a block at its best: what no transaction may exceed.
    pub(super) fn block_room(&self) -> Room {
        self.room(Round(0))
    }

    pub(super) fn is_building(&self, round: Round) -> bool {
        self.build.as_ref().is_some_and(|build| build.round == round)
    }

    pub(super) fn drop_build(&mut self) {
        if let Some(build) = self.build.take() {
            self.out.push(Output::Abandon { execution: build.execution });
        }
    }

    /// The host executed a part of this node's block.
    pub(super) fn part_built(&mut self, execution: ExecutionId, left_out: &[LeftOut]) -> Result<(), HaltReason> {
        let Some(build) = self.build.as_mut().filter(|build| build.execution == execution) else { return Ok(()) };
        let part = build.parts.pop_front().unwrap_or_default();
        let included = part.into_iter().filter(|wire| left_out.iter().all(|left| left.wire_hash != wire.hash));
        let included: Vec<_> = included.collect();
        build.unsent.extend(included.iter().map(|wire| wire.hash));
        build.included.extend(included);
        let streams = build.streams;
        for left in left_out {
            if left.later {
                self.mempool.park(&left.wire_hash, self.now.elapsed_ms + PARKED_MS);
            } else {
                self.mempool.remove(&left.wire_hash);
            }
        }
        if streams { self.stream_next(None) } else { Ok(()) }
    }

    /// The host built this node's block: the end of the stream, the body to the log, the proposal to the core.
    pub(super) fn built(&mut self, execution: ExecutionId, header: Header) -> Result<(), HaltReason> {
        if self.build.as_ref().is_none_or(|build| build.execution != execution) {
            return Ok(());
        }
        self.stream_next(Some(&header))?;
        let Some(build) = self.build.take() else { return Ok(()) };
        let hashes: Vec<_> = build.included.iter().map(|wire| wire.hash).collect();
        if list_root(&hashes) != header.transactions_root || header.parent != self.head_hash {
            let reason = "it built a block with other transactions, or on another head, than it was asked to".into();
            return Err(HaltReason::HostFailed { reason });
        }
        let block = header.hash();
        self.make_room();
        let id = self.candidates.add_built(header, build.included, execution, self.now.elapsed_ms);
        self.log_body(id);
        let events = self.driver.propose(self.height(), build.round, block)?;
        self.apply(events)
    }

    pub(super) fn build_failed(&mut self, execution: ExecutionId, reason: &str) {
        if self.build.as_ref().is_some_and(|build| build.execution == execution) {
            tracing::warn!(height = %self.height(), reason, "the block could not be built; the round passes");
            self.build = None;
        }
    }

    /// Streams what was included since the last part.
    fn stream_next(&mut self, end: Option<&Header>) -> Result<(), HaltReason> {
        let Some(build) = &mut self.build else { return Ok(()) };
        let begin = PartBegin { parent: build.start.parent, time: build.start.time };
        let content = PartContent {
            height: build.start.height,
            round: build.round,
            index: build.next_part,
            begin: (build.next_part == 0).then_some(begin),
            hashes: std::mem::take(&mut build.unsent),
            end: end.cloned(),
        };
        build.next_part += 1;
        let part = self.driver.sign_part(content)?;
        // A part commits this node to nothing, so it need not wait for the log.
        self.send(Recipients::Validators, &Message::Part(part), false);
        Ok(())
    }

    /// A verified part of another's block.
    pub(super) fn stream_part(
        &mut self,
        from: PeerId,
        proposer: MemberId,
        content: PartContent,
    ) -> Result<(), HaltReason> {
        let round = content.round;
        let current = self.driver.current_round().unwrap_or_default();
        if proposer == self.member || round < current || round.0 > current.0.saturating_add(MAX_ROUNDS_AHEAD) {
            return Ok(());
        }
        if let Some(begin) = content.begin.filter(|_| !self.candidates.had_stream(round)) {
            if !self.make_room() {
                return Ok(());
            }
            let (parent, time) = (begin.parent, begin.time);
            let start = BlockStart { height: content.height, round, parent, time, proposer };
            if parent != self.head_hash || time <= self.head.time {
                self.fault(from, "it streams a block on another head, or of an earlier time");
                return Ok(());
            }
            let untimely = !self.is_timely(time);
            self.candidates.begin_stream(round, start, untimely, from, self.now.elapsed_ms, &mut self.out);
        }
        let (result, id) = self.candidates.add_part(content, self.now.elapsed_ms);
        match (result, id) {
            (PartResult::Taken, Some(id)) => self.go_on_with(id, Some(from)),
            (PartResult::Spoiled, _) => {
                self.candidates.give_up_stream(round, &mut self.out);
                Ok(())
            }
            (PartResult::Taken | PartResult::Stale, _) => Ok(()),
        }
    }

    fn is_timely(&self, time: Timestamp) -> bool {
        let (clock, parameters) = (self.now.clock.0, &self.next.parameters);
        time.0 <= clock.saturating_add(parameters.max_ahead_ms)
            && time.0 >= clock.saturating_sub(parameters.max_behind_ms)
    }

    /// Something came of a candidate: executes what can be, asks for what is missing, tells the core what is known.
    fn go_on_with(&mut self, id: CandidateId, ask: Option<PeerId>) -> Result<(), HaltReason> {
        self.candidates.advance(id, &self.mempool, &mut self.out);
        let Some(candidate) = self.candidates.get(id) else { return Ok(()) };
        if !candidate.untimely {
            let missing = candidate.missing(MAX_HASHES_PER_MESSAGE);
            if !missing.is_empty() {
                self.timers.set_no_later(Timer::Fetch, self.now.elapsed_ms + self.timing.fetch_ms);
                if let Some(peer) = ask {
                    self.ask_bodies(peer, missing);
                }
            }
        }
        self.tell_core(id)
    }

    fn ask_bodies(&mut self, peer: PeerId, hashes: Vec<Hash>) {
        let height = self.height();
        self.send(Recipients::Peer(peer), &Message::BodiesRequest { height, hashes }, false);
    }

    /// The host's verdict on a block.
    pub(super) fn verdict(&mut self, execution: ExecutionId, verdict: Verdict) -> Result<(), HaltReason> {
        let Some(id) = self.candidates.set_verdict(execution, verdict, self.now.elapsed_ms) else { return Ok(()) };
        if self.decided.is_some() {
            return self.commit_decided();
        }
        self.tell_core(id)
    }

    /// Tells the core of a block, once its body is here and its verdict known; a valid one's body is in the log before.
    fn tell_core(&mut self, id: CandidateId) -> Result<(), HaltReason> {
        if !self.running || self.decided.is_some() {
            return Ok(());
        }
        let Some(candidate) = self.candidates.get(id) else { return Ok(()) };
        let Some(header) = &candidate.header else { return Ok(()) };
        let block = header.hash();
        let valid = match &candidate.verdict {
            Some(Verdict::Valid) if candidate.is_complete() => true,
            Some(Verdict::Valid) => return Ok(()),
            Some(Verdict::Invalid { .. } | Verdict::RootsDiffer { .. }) => false,
            None if candidate.untimely => false,
            None => return Ok(()),
        };
        if candidate.told == Some(valid) {
            return Ok(());
        }
        let round = candidate.round;
        let proposer = self.next.validators.proposer(self.height(), round).map_or(header.proposer, |one| one.member);
        if !valid {
            self.last_refused = Some((block, self.refusal(id)));
        } else {
            self.log_body(id);
        }
        if let Some(candidate) = self.candidates.get_mut(id) {
            candidate.told = Some(valid);
        }
        self.wanted.remove(&block);
        let verdict = ValueVerdict { round, valid_round: None, proposer, value: block, valid };
        let events = self.driver.value(self.height(), verdict)?;
        self.apply(events)
    }

    /// Why this node does not call a block valid.
    pub(super) fn refusal(&self, id: CandidateId) -> String {
        let candidate = self.candidates.get(id);
        match candidate.and_then(|candidate| candidate.verdict.as_ref()) {
            Some(Verdict::Invalid { reason }) => reason.clone(),
            Some(Verdict::RootsDiffer { ours }) => {
                let theirs = candidate.and_then(|candidate| candidate.header.as_ref());
                theirs.map_or_else(|| "it has no header".into(), |theirs| differences(ours, theirs))
            }
            Some(Verdict::Valid) | None => "its time is too far from this node's clock".into(),
        }
    }

    /// The body goes to the log ahead of the first record that calls the block valid.
    fn log_body(&mut self, id: CandidateId) {
        let Some(candidate) = self.candidates.get_mut(id).filter(|candidate| !candidate.logged) else { return };
        let (Some(header), Some(body)) = (candidate.header.clone(), candidate.body()) else { return };
        candidate.logged = true;
        let transactions = body.iter().map(|wire| wire.bytes.to_vec()).collect();
        self.unwritten.push(LogRecord::Body { header, transactions });
    }

    /// Bodies from the log: the blocks of which its records speak.
    pub(super) fn recover_bodies(&mut self, records: &[LogRecord]) -> Result<(), HaltReason> {
        for record in records {
            let LogRecord::Body { header, transactions } = record else { continue };
            let wires = transactions.iter().map(|bytes| wire_of(bytes)).collect::<Option<Vec<_>>>();
            let Some(wires) = wires else {
                return Err(HaltReason::BadLog { reason: "a block's body in it is no list of transactions".into() });
            };
            let hashes: Vec<_> = wires.iter().map(|wire| wire.hash).collect();
            if list_root(&hashes) != header.transactions_root {
                return Err(HaltReason::BadLog { reason: "a block's body in it does not fit its header".into() });
            }
            if self.candidates.by_block(&header.hash()).is_some() {
                continue;
            }
            let now = self.now.elapsed_ms;
            self.candidates.add_bodies(wires);
            let id = self.candidates.add_block(header.clone(), &hashes, header.round, Purpose::Certified, None, now);
            self.candidates.advance(id, &self.mempool, &mut self.out);
            if let Some(candidate) = self.candidates.get_mut(id) {
                candidate.logged = true;
                // Its record in the log tells the core.
                candidate.told = Some(true);
            }
        }
        Ok(())
    }

    /// A proposal or a polka speaks of a block: it is fetched, or looked at again if only its time was in the way.
    pub(super) fn want(&mut self, block: Hash, round: Round, fresh: bool, source: Option<PeerId>) {
        if !self.running || self.decided.is_some() {
            return;
        }
        if let Some(id) = self.candidates.by_block(&block) {
            if !fresh && self.candidates.get(id).is_some_and(|candidate| candidate.untimely) {
                self.candidates.begin_execution(id, &mut self.out);
                self.candidates.advance(id, &self.mempool, &mut self.out);
            }
            return;
        }
        let since_ms = self.now.elapsed_ms;
        if self.wanted.len() >= MAX_KNOWN_BLOCKS {
            // What nobody gave for rounds makes room for what is proposed now.
            let current = self.driver.current_round().unwrap_or_default();
            let (wanted, driver) = (&mut self.wanted, &self.driver);
            wanted.retain(|block, one| one.round >= current || driver.has_polka(block));
        }
        if self.wanted.len() < MAX_KNOWN_BLOCKS || self.wanted.contains_key(&block) {
            let entry = self.wanted.entry(block);
            let wanted = entry.or_insert(Wanted { round, fresh, since_ms, source, asked: 0 });
            wanted.fresh &= fresh;
            self.timers.set_no_later(Timer::Fetch, since_ms + self.timing.fetch_ms);
        }
    }

    /// Asks again for lists and bodies that did not come, each time another peer.
    pub(super) fn fetch(&mut self) {
        if !self.running || self.decided.is_some() {
            return;
        }
        let (now, patience) = (self.now.elapsed_ms, self.timing.fetch_ms);
        let stalled = |progress_ms: u64| now.saturating_sub(progress_ms) >= patience;
        let peers = self.peers.validators();
        let mut requests = Vec::new();
        let height = self.height();
        for (block, wanted) in &mut self.wanted {
            let streaming = self.candidates.stream(wanted.round).is_some_and(|stream| !stalled(stream.progress_ms));
            if !streaming && let Some(peer) = pick(&peers, wanted.source, wanted.asked) {
                wanted.asked = wanted.asked.saturating_add(1);
                requests.push((peer, Message::ListRequest { height, block: *block }));
            }
        }
        let ids: Vec<_> = self.candidates.iter().map(|(id, _)| id).collect();
        let mut unfinished = !self.wanted.is_empty();
        for id in ids {
            let Some(candidate) = self.candidates.get_mut(id).filter(|candidate| !candidate.untimely) else { continue };
            let hashes = candidate.missing(MAX_HASHES_PER_MESSAGE);
            unfinished |= !hashes.is_empty();
            if hashes.is_empty() || !stalled(candidate.progress_ms) {
                continue;
            }
            if let Some(peer) = pick(&peers, candidate.source, candidate.asked) {
                candidate.asked = candidate.asked.saturating_add(1);
                requests.push((peer, Message::BodiesRequest { height, hashes }));
            }
        }
        for (peer, message) in requests {
            self.send(Recipients::Peer(peer), &message, false);
        }
        if unfinished {
            self.timers.set(Timer::Fetch, now + patience);
        }
    }

    /// A list that was asked for, or that a peer sends again after a lock.
    pub(super) fn list(&mut self, from: PeerId, header: Header, hashes: &[Hash]) -> Result<(), HaltReason> {
        let block = header.hash();
        let Some(wanted) = self.wanted.get(&block) else { return Ok(()) };
        let (round, fresh) = (wanted.round, wanted.fresh);
        if self.candidates.by_block(&block).is_some() || !self.make_room() {
            return Ok(());
        }
        if list_root(hashes) != header.transactions_root {
            self.fault(from, "it sent a list that is not its header's");
            return Ok(());
        }
        let flaw = self.flaw_of(&header);
        let untimely = fresh && !self.is_timely(header.time);
        let now = self.now.elapsed_ms;
        let id = self.candidates.add_block(header, hashes, round, Purpose::Validate, Some(from), now);
        self.wanted.remove(&block);
        if let Some(candidate) = self.candidates.get_mut(id) {
            candidate.untimely = untimely;
            candidate.verdict = flaw.map(|reason| Verdict::Invalid { reason: reason.into() });
        }
        if flaw.is_none() && !untimely {
            self.candidates.begin_execution(id, &mut self.out);
        }
        self.go_on_with(id, Some(from))
    }

    /// Makes room for another block; `false` where all that are known may still be decided.
    pub(super) fn make_room(&mut self) -> bool {
        let current = self.driver.current_round().unwrap_or_default();
        let Self { candidates, driver, out, .. } = self;
        candidates.make_room(current, |block| driver.has_polka(block), out)
    }

    /// What is wrong with a header on its face.
    pub(super) fn flaw_of(&self, header: &Header) -> Option<&'static str> {
        let builder = self.next.validators.proposer(header.height, header.round).map(|validator| validator.member);
        let flaws = [
            (header.version != HEADER_VERSION, "its header has another version"),
            (header.chain != self.chain, "it is of another chain"),
            (header.height != self.height(), "it has another height"),
            (header.parent != self.head_hash, "it follows another block"),
            (header.time <= self.head.time, "its time is not after its parent's"),
            (builder != Some(header.proposer), "it was built by a validator whose turn it was not"),
            (header.validators_hash != self.next.validators.hash(), "it names another validator set"),
        ];
        flaws.iter().find(|(wrong, _)| *wrong).map(|(_, reason)| *reason)
    }

    /// A peer lacks the list of a block.
    pub(super) fn list_asked(&mut self, from: PeerId, block: &Hash) {
        if let Some(list) = self.list_of(block) {
            self.send(Recipients::Peer(from), &list, false);
        }
    }

    /// The core wants everybody to have a block that it locked or proposes again.
    pub(super) fn restream(&mut self, block: &Hash) {
        if self.replay.is_none()
            && let Some(list) = self.list_of(block)
        {
            self.send(Recipients::Validators, &list, false);
        }
    }

    fn list_of(&self, block: &Hash) -> Option<Message> {
        let candidate = self.candidates.get(self.candidates.by_block(block)?)?;
        let header = candidate.header.clone()?;
        Some(Message::List { header, hashes: candidate.hashes().to_vec() })
    }

    /// A peer lacks bodies: as many as fit into one message.
    pub(super) fn bodies_asked(&mut self, from: PeerId, hashes: &[Hash]) {
        let mut room = MAX_TRANSACTIONS_MESSAGE - 4_096;
        let mut transactions = Vec::new();
        for hash in hashes {
            let waiting = || self.mempool.get(hash).map(|transaction| transaction.bytes.clone());
            let building = || {
                let included = self.build.as_ref()?.included.iter().find(|wire| wire.hash == *hash)?;
                Some(included.bytes.clone())
            };
            let Some(bytes) =
                self.candidates.body(hash).map(|wire| wire.bytes.clone()).or_else(waiting).or_else(building)
            else {
                continue;
            };
            let size = bytes.len() + 8;
            if size > room {
                break;
            }
            room -= size;
            transactions.push(bytes.to_vec());
        }
        if !transactions.is_empty() {
            let height = self.height();
            self.send(Recipients::Peer(from), &Message::Bodies { height, transactions }, false);
        }
    }

    /// Bodies that were asked for.
    pub(super) fn bodies(
        &mut self,
        from: PeerId,
        height: Height,
        transactions: Vec<Vec<u8>>,
    ) -> Result<(), HaltReason> {
        if height != self.height() || !self.running {
            return Ok(());
        }
        let lacking = self.candidates.lacking();
        let mut wires = Vec::new();
        for bytes in transactions {
            let Some(wire) = wire_of(&bytes) else {
                self.fault(from, "it sent a transaction that is malformed");
                return Ok(());
            };
            // What nobody asked for is not kept.
            if lacking.contains(&wire.hash) {
                wires.push(wire);
            }
        }
        if wires.is_empty() {
            return Ok(());
        }
        self.candidates.add_bodies(wires);
        let unfinished = |one: &(CandidateId, &Candidate)| !one.1.missing(1).is_empty();
        let ids: Vec<_> = self.candidates.iter().filter(unfinished).map(|(id, _)| id).collect();
        for id in ids {
            if let Some(candidate) = self.candidates.get_mut(id) {
                candidate.progress_ms = self.now.elapsed_ms;
            }
            self.go_on_with(id, Some(from))?;
        }
        self.commit_decided()
    }
}

/// Where two headers of one block differ: what this node computed, and what the block says.
fn differences(ours: &Header, theirs: &Header) -> String {
    let hashes = [
        ("history root", ours.history_root, theirs.history_root),
        ("transactions root", ours.transactions_root, theirs.transactions_root),
        ("receipts root", ours.receipts_root, theirs.receipts_root),
        ("state root", ours.state_root, theirs.state_root),
        ("next validators", ours.next_validators_hash, theirs.next_validators_hash),
    ];
    let differing = hashes.iter().filter(|(_, ours, theirs)| ours != theirs);
    let mut found: Vec<_> =
        differing.map(|(what, ours, theirs)| format!("{what} {ours} here and {theirs} in the block")).collect();
    if ours.gas_used != theirs.gas_used {
        found.push(format!("gas used {} here and {} in the block", ours.gas_used, theirs.gas_used));
    }
    match found.is_empty() {
        true => "its header has other first facts than its execution began with".into(),
        false => found.join("; "),
    }
}

/// The peer to ask the `turn`th time: first the source, then each in order.
fn pick(peers: &[PeerId], source: Option<PeerId>, turn: u32) -> Option<PeerId> {
    match source.filter(|source| turn == 0 && peers.contains(source)) {
        Some(source) => Some(source),
        None => peers.get((turn as usize).checked_rem(peers.len())?).copied(),
    }
}

/// The wire of a transaction's bytes, if they have its form.
pub(super) fn wire_of(bytes: &[u8]) -> Option<Wire> {
    let transaction = Transaction::decode_checked(bytes).ok()?;
    Some(Wire { hash: transaction.wire_hash(), bytes: bytes.into() })
}
