//! Timers as a table of deadlines, and how long each step of a round may take. Pure: time comes with each step.

use std::collections::BTreeMap;

use portolan_primitives::Round;

use crate::config::Timing;
use crate::driver::TimerKind;

/// Everything that the replica waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// A step of a round.
    Core(TimerKind, Round),
    /// The next reason to start a height.
    Start,
    /// Missing lists and bodies.
    Fetch,
    /// The next batch of transactions to the peers.
    Gossip,
    /// Own clients' transactions that no block has yet.
    Regossip,
    /// The next report of the own height.
    Status,
    /// Requests for blocks.
    Sync,
}

/// The deadlines, in `Moment::elapsed_ms`.
#[derive(Debug, Default)]
pub struct Timers {
    deadlines: BTreeMap<Timer, u64>,
}

impl Timers {
    /// Sets a timer, also one that runs already.
    pub fn set(&mut self, timer: Timer, at: u64) {
        self.deadlines.insert(timer, at);
    }

    /// Sets a timer unless it runs out earlier already.
    pub fn set_no_later(&mut self, timer: Timer, at: u64) {
        let deadline = self.deadlines.entry(timer).or_insert(at);
        *deadline = (*deadline).min(at);
    }

    /// Stops a timer.
    pub fn cancel(&mut self, timer: Timer) {
        self.deadlines.remove(&timer);
    }

    /// Stops the timers of all rounds.
    pub fn cancel_rounds(&mut self) {
        self.deadlines.retain(|timer, _| !matches!(timer, Timer::Core(..)));
    }

    /// Takes the timer that has run out longest ago.
    pub fn take_due(&mut self, now: u64) -> Option<Timer> {
        let (timer, at) =
            self.deadlines.iter().map(|(timer, at)| (*timer, *at)).min_by_key(|(timer, at)| (*at, *timer))?;
        if at > now {
            return None;
        }
        self.deadlines.remove(&timer);
        Some(timer)
    }

    /// When the next one runs out.
    pub fn next(&self) -> Option<u64> {
        self.deadlines.values().min().copied()
    }
}

/// How long a step of a round may take, ms. `absent`: the proposer missed its last turn and was not heard of since.
pub fn duration(timing: &Timing, kind: TimerKind, round: Round, absent: bool) -> u64 {
    let grown = |base: u64, step: u64| base.saturating_add(step.saturating_mul(u64::from(round.0))).min(timing.max_ms);
    match kind {
        TimerKind::Propose if absent => grown(timing.propose_absent_ms, timing.propose_step_ms),
        TimerKind::Propose => grown(timing.propose_ms, timing.propose_step_ms),
        TimerKind::Prevote => grown(timing.prevote_ms, timing.vote_step_ms),
        TimerKind::Precommit => grown(timing.precommit_ms, timing.vote_step_ms),
        TimerKind::Rebroadcast => grown(timing.rebroadcast_ms, timing.vote_step_ms),
    }
}

/// How long a proposal that is coming in may take in all, ms.
pub fn complete_duration(timing: &Timing, round: Round) -> u64 {
    let grown = timing.complete_step_ms.saturating_mul(u64::from(round.0));
    timing.complete_ms.saturating_add(grown).min(timing.max_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_run_out_in_the_order_of_their_deadlines() {
        let mut timers = Timers::default();
        timers.set(Timer::Sync, 30);
        timers.set(Timer::Core(TimerKind::Propose, Round(0)), 20);
        timers.set(Timer::Start, 40);
        timers.set_no_later(Timer::Start, 10);
        timers.set_no_later(Timer::Start, 50);
        assert_eq!(timers.next(), Some(10));
        assert_eq!(timers.take_due(9), None);
        let due: Vec<_> = std::iter::from_fn(|| timers.take_due(30)).collect();
        assert_eq!(due, [Timer::Start, Timer::Core(TimerKind::Propose, Round(0)), Timer::Sync]);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn steps_grow_with_the_round_up_to_the_bound() {
        let timing = Timing::default();
        for kind in [TimerKind::Propose, TimerKind::Prevote, TimerKind::Precommit, TimerKind::Rebroadcast] {
            let lengths: Vec<_> = (0..5).map(|round| duration(&timing, kind, Round(round), false)).collect();
            assert!(lengths.windows(2).all(|pair| pair[0] < pair[1]), "{kind:?}");
            assert_eq!(duration(&timing, kind, Round(u32::MAX), false), timing.max_ms);
        }
    }

    #[test]
    fn an_absent_proposer_is_not_waited_for_long() {
        let timing = Timing::default();
        let wait = |absent| duration(&timing, TimerKind::Propose, Round(0), absent);
        assert!(wait(true) < wait(false));
        // Beside the waiting, a failed round needs two votes; the whole height must stay below 250 ms.
        assert!(wait(false) + duration(&timing, TimerKind::Precommit, Round(0), false) < 200);
    }
}
