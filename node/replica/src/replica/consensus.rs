//! Messages of other validators, and what the core wants. Each message is verified here once, with its sender to blame.

use portolan_primitives::{Hash, MemberId, Round, VoteKind};

use crate::driver::{Event, TimerKind};
use crate::input::PeerId;
use crate::limits::MAX_ROUNDS_AHEAD;
use crate::messages::{Channel, Message, PartMessage, ProposalMessage, VoteMessage};
use crate::output::{HaltReason, Output, Recipients};
use crate::rule::VotingRule;
use crate::timers::{Timer, complete_duration, duration};

use super::Replica;

impl<V: VotingRule> Replica<V> {
    /// Bytes of a peer.
    pub(super) fn received(&mut self, from: PeerId, channel: Channel, bytes: &[u8]) -> Result<(), HaltReason> {
        if !self.peers.contains(&from) {
            return Ok(());
        }
        let Ok(message) = Message::decode_checked(channel, bytes) else {
            self.fault(from, "it sent bytes that are no message, or not on this stream");
            return Ok(());
        };
        match message {
            Message::Transactions(transactions) => {
                self.transactions_offered(from, transactions);
                Ok(())
            }
            Message::Bodies { height, transactions } => self.bodies(from, height, transactions),
            Message::Status { height } => self.peer_status(from, height),
            Message::BlocksRequest { from: first, count } => {
                self.blocks_asked(from, first, count);
                Ok(())
            }
            Message::Blocks { from: first, blocks } => self.blocks(from, first, blocks),
            Message::NotKept { from: first, lowest } => self.not_kept(from, first, lowest),
            message => self.consensus_message(from, message, bytes.len()),
        }
    }

    /// A message of the consensus stream: of this height, of the next, or too old.
    pub(super) fn consensus_message(&mut self, from: PeerId, message: Message, size: usize) -> Result<(), HaltReason> {
        let Some(height) = message_height(&message) else { return Ok(()) };
        let next = self.height();
        if height < next {
            self.tell_if_behind(from, height);
            return Ok(());
        }
        if height > next {
            self.note_height_ahead(from, height);
            if height == next.next()
                && let Some(peer) = self.peers.get_mut(&from)
            {
                peer.keep_early(height, message, size.max(64));
            }
            return Ok(());
        }
        match message {
            Message::ListRequest { block, .. } => {
                self.list_asked(from, &block);
                Ok(())
            }
            Message::BodiesRequest { hashes, .. } => {
                self.bodies_asked(from, &hashes);
                Ok(())
            }
            // The height is over, or not this node's to decide.
            _ if self.decided.is_some() || !self.votes => Ok(()),
            Message::Vote(vote) => self.vote(from, vote, size),
            Message::Proposal(proposal) => self.proposal(from, proposal, size),
            Message::Part(part) => self.part(from, part, size),
            other if !self.running => {
                self.keep_early(from, other, size);
                Ok(())
            }
            Message::Polka(polka) => {
                let block = polka.value;
                let events = self.driver.polka(polka)?;
                self.apply(events)?;
                self.want_if_polka(block, Some(from));
                Ok(())
            }
            Message::Round(round) => {
                let events = self.driver.round(round)?;
                self.apply(events)
            }
            Message::List { header, hashes } => self.list(from, header, &hashes),
            // Handled by `received`.
            Message::Bodies { .. }
            | Message::Transactions(_)
            | Message::Status { .. }
            | Message::BlocksRequest { .. }
            | Message::Blocks { .. }
            | Message::NotKept { .. } => Ok(()),
        }
    }

    fn keep_early(&mut self, from: PeerId, message: Message, size: usize) {
        let height = self.height();
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.keep_early(height, message, size.max(64));
        }
    }

    fn vote(&mut self, from: PeerId, vote: VoteMessage, size: usize) -> Result<(), HaltReason> {
        let message = vote.signed_bytes(&self.chain);
        if !self.driver.verify(&self.next.validators, vote.validator, &message, &vote.signature) {
            self.fault(from, "it sent a vote that its validator did not sign, or of no validator");
            return Ok(());
        }
        self.heard_of(vote.validator);
        if !self.running {
            self.callers.insert(vote.validator);
            self.keep_early(from, Message::Vote(vote), size);
            return Ok(());
        }
        let value = vote.value.filter(|_| vote.kind == VoteKind::Prevote);
        let events = self.driver.vote(vote)?;
        self.apply(events)?;
        if let Some(block) = value {
            self.want_if_polka(block, Some(from));
        }
        Ok(())
    }

    fn proposal(&mut self, from: PeerId, proposal: ProposalMessage, size: usize) -> Result<(), HaltReason> {
        let message = proposal.signed_bytes(&self.chain);
        let turn = self.is_turn_of(proposal.proposer, proposal.round);
        if !turn || !self.driver.verify(&self.next.validators, proposal.proposer, &message, &proposal.signature) {
            self.fault(from, "it sent a proposal that the round's proposer did not sign");
            return Ok(());
        }
        self.heard_of(proposal.proposer);
        if !self.running {
            self.callers.insert(proposal.proposer);
            self.keep_early(from, Message::Proposal(proposal), size);
            return Ok(());
        }
        let (block, round, fresh) = (proposal.value, proposal.round, proposal.valid_round.is_none());
        let events = self.driver.proposal(proposal)?;
        self.apply(events)?;
        let current = self.driver.current_round().unwrap_or_default();
        let followed = round.0 <= current.0.saturating_add(MAX_ROUNDS_AHEAD);
        if followed && *self.proposed.entry(round).or_insert(block) == block {
            self.want(block, round, fresh, Some(from));
        }
        Ok(())
    }

    fn part(&mut self, from: PeerId, part: PartMessage, size: usize) -> Result<(), HaltReason> {
        let content = &part.content;
        let Some(proposer) = self.next.validators.proposer(content.height, content.round).map(|one| one.member) else {
            return Ok(());
        };
        let message = content.signed_bytes(&self.chain);
        if !self.driver.verify(&self.next.validators, proposer, &message, &part.signature) {
            self.fault(from, "it sent a part that the round's proposer did not sign");
            return Ok(());
        }
        self.heard_of(proposer);
        if !self.running {
            self.callers.insert(proposer);
            self.called_by_block |= !content.hashes.is_empty();
            self.keep_early(from, Message::Part(part), size);
            return Ok(());
        }
        self.stream_part(from, proposer, part.content)
    }

    fn is_turn_of(&self, member: MemberId, round: Round) -> bool {
        self.next.validators.proposer(self.height(), round).is_some_and(|validator| validator.member == member)
    }

    /// A validator gave a sign of life: its turns are waited for again.
    fn heard_of(&mut self, member: MemberId) {
        self.absent.remove(&member);
    }

    /// One thing that the core wants.
    pub(super) fn apply_event(&mut self, event: Event) -> Result<(), HaltReason> {
        match event {
            Event::Append(record) => {
                if self.replay.as_ref().is_none_or(|replay| !replay.known.contains(&record)) {
                    self.unwritten.push(record);
                }
                Ok(())
            }
            Event::Publish(message) => {
                match &mut self.replay {
                    Some(replay) => replay.said.push(message),
                    None => self.publish(&message),
                }
                Ok(())
            }
            Event::RoundStarted { round } => {
                self.round_started(round);
                Ok(())
            }
            Event::BuildValue { round } => match &mut self.replay {
                Some(replay) => {
                    replay.build = Some(round);
                    Ok(())
                }
                None => self.build_block(round),
            },
            Event::Restream { block } => {
                self.restream(&block);
                Ok(())
            }
            Event::Decided(certificate) => self.decide(certificate),
            Event::Misbehaviour(evidence) => {
                self.out.push(Output::Misbehaviour { evidence });
                Ok(())
            }
            Event::Schedule(kind, round) => {
                self.schedule(kind, round);
                Ok(())
            }
            Event::Cancel(kind, round) => {
                self.timers.cancel(Timer::Core(kind, round));
                Ok(())
            }
            Event::CancelAll => {
                self.timers.cancel_rounds();
                Ok(())
            }
        }
    }

    /// Says something to the validators, after what explains it is on disk.
    pub(super) fn publish(&mut self, message: &Message) {
        self.write_log();
        self.send(Recipients::Validators, message, true);
    }

    fn round_started(&mut self, round: Round) {
        self.round_started_ms = self.now.elapsed_ms;
        self.drop_build();
        self.candidates.give_up_streams_before(round, &mut self.out);
    }

    fn schedule(&mut self, kind: TimerKind, round: Round) {
        let proposer = self.next.validators.proposer(self.height(), round);
        let absent = proposer.is_some_and(|validator| self.absent.contains(&validator.member));
        let after = duration(&self.timing, kind, round, absent);
        self.timers.set(Timer::Core(kind, round), self.now.elapsed_ms.saturating_add(after));
    }

    /// A step's time is up, unless it is the proposal's and that is on its way.
    pub(super) fn core_timer(&mut self, kind: TimerKind, round: Round) -> Result<(), HaltReason> {
        if !self.running || self.decided.is_some() {
            return Ok(());
        }
        if kind == TimerKind::Propose && self.driver.current_round() == Some(round) {
            if self.proposal_is_coming(round) {
                let again = self.now.elapsed_ms + self.timing.propose_ms / 4 + 1;
                self.timers.set(Timer::Core(kind, round), again);
                return Ok(());
            }
            self.missed_turn(round);
        }
        let events = self.driver.timeout(kind, round)?;
        self.apply(events)
    }

    fn missed_turn(&mut self, round: Round) {
        let proposer = self.next.validators.proposer(self.height(), round).map(|validator| validator.member);
        if let Some(proposer) = proposer.filter(|member| *member != self.member && !self.candidates.had_stream(round)) {
            self.absent.insert(proposer);
        }
    }

    /// Whether the round's block is being built here, streams in, or is being fetched or executed, within its time.
    fn proposal_is_coming(&self, round: Round) -> bool {
        let now = self.now.elapsed_ms;
        let since = now.saturating_sub(self.round_started_ms);
        if since >= complete_duration(&self.timing, round) {
            return false;
        }
        let patience = self.timing.propose_ms.saturating_mul(2);
        let lively = |progress_ms: u64| now.saturating_sub(progress_ms) < patience;
        let streams_in = self.candidates.stream(round).is_some_and(|candidate| {
            !candidate.untimely && (candidate.is_executing() || lively(candidate.progress_ms))
        });
        let fetched = self.wanted.values().any(|wanted| wanted.round == round && lively(wanted.since_ms));
        let executed =
            self.candidates.iter().any(|(_, candidate)| candidate.round == round && candidate.is_executing());
        self.is_building(round) || streams_in || fetched || executed
    }

    /// A polka makes a block worth having, whatever this node thought of it.
    fn want_if_polka(&mut self, block: Hash, from: Option<PeerId>) {
        if self.running && self.decided.is_none() && self.driver.has_polka(&block) {
            let round = self.driver.current_round().unwrap_or_default();
            self.want(block, round, false, from);
        }
    }
}

fn message_height(message: &Message) -> Option<portolan_primitives::Height> {
    match message {
        Message::Vote(vote) => Some(vote.height),
        Message::Proposal(proposal) => Some(proposal.height),
        Message::Part(part) => Some(part.content.height),
        Message::Polka(polka) => Some(polka.height),
        Message::Round(round) => Some(round.height),
        Message::ListRequest { height, .. } | Message::BodiesRequest { height, .. } => Some(*height),
        Message::List { header, .. } => Some(header.height),
        Message::Bodies { .. }
        | Message::Transactions(_)
        | Message::Status { .. }
        | Message::BlocksRequest { .. }
        | Message::Blocks { .. }
        | Message::NotKept { .. } => None,
    }
}
