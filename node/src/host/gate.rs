//! Holds back what the consensus log must explain first.
//!
//! Nothing that an output of the log must explain happens before the log is on disk; everything else may overtake a write under
//! way. Must never let two outputs that wait change places.

use std::collections::VecDeque;

use portolan_replica::Output;

/// What happens at once.
#[derive(Debug)]
pub enum Passed {
    /// Append this frame to the log and sync; then say so with [`Gate::synced`].
    Append {
        /// Ascending.
        sequence: u64,
        /// The replica's bytes.
        frame: Vec<u8>,
    },
    /// Carry this out.
    Perform(Output),
}

/// The outputs of a replica on their way.
#[derive(Debug, Default)]
pub struct Gate {
    /// Sequence number of the last frame given to the log, and of the last one on disk.
    appended: u64,
    on_disk: u64,
    /// Outputs that wait until the log is on disk up to a number, in order.
    held: VecDeque<(u64, Output)>,
}

impl Gate {
    /// Takes the replica's next output; `None`: it waits.
    pub fn pass(&mut self, output: Output) -> Option<Passed> {
        match output {
            Output::PersistLog { frame } => {
                self.appended += 1;
                Some(Passed::Append { sequence: self.appended, frame })
            }
            output if output.waits_for_log() && self.appended > self.on_disk => {
                self.held.push_back((self.appended, output));
                None
            }
            output => Some(Passed::Perform(output)),
        }
    }

    /// The log is on disk up to `sequence`.
    pub fn synced(&mut self, sequence: u64) {
        self.on_disk = sequence;
    }

    /// The next output that waited and need not wait any more; to be called until there is none.
    pub fn release(&mut self) -> Option<Output> {
        let (needs, _) = self.held.front()?;
        if *needs > self.on_disk {
            return None;
        }
        self.held.pop_front().map(|(_, output)| output)
    }
}

#[cfg(test)]
mod tests {
    use portolan_replica::{ExecutionId, Recipients};

    use super::*;

    fn frame(byte: u8) -> Output {
        Output::PersistLog { frame: vec![byte] }
    }

    fn send(byte: u8, after_log: bool) -> Output {
        let channel = portolan_replica::messages::Channel::Consensus;
        Output::Send { to: Recipients::Everyone, channel, bytes: vec![byte].into(), after_log }
    }

    fn performed(passed: Option<Passed>) -> Option<Output> {
        match passed {
            Some(Passed::Perform(output)) => Some(output),
            _ => None,
        }
    }

    #[test]
    fn what_the_log_must_explain_waits_for_it_and_keeps_its_order() {
        let mut gate = Gate::default();
        assert_eq!(performed(gate.pass(send(0, true))), Some(send(0, true)));
        assert!(matches!(gate.pass(frame(1)), Some(Passed::Append { sequence: 1, .. })));
        assert!(gate.pass(send(1, true)).is_none());
        let abandon = Output::Abandon { execution: ExecutionId(1) };
        assert_eq!(performed(gate.pass(abandon.clone())), Some(abandon), "what needs no log overtakes");
        assert_eq!(performed(gate.pass(send(2, false))), Some(send(2, false)));
        assert!(matches!(gate.pass(frame(2)), Some(Passed::Append { sequence: 2, .. })));
        assert!(gate.pass(Output::ResetLog).is_none() && gate.pass(send(3, true)).is_none());
        assert_eq!(gate.release(), None);
        gate.synced(1);
        assert_eq!((gate.release(), gate.release()), (Some(send(1, true)), None));
        gate.synced(2);
        let rest = std::iter::from_fn(|| gate.release()).collect::<Vec<_>>();
        assert_eq!(rest, [Output::ResetLog, send(3, true)]);
        assert_eq!(performed(gate.pass(send(4, true))), Some(send(4, true)));
    }
}
