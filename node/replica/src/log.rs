//! The consensus log: what explains every message that left this validator, so that a restart never signs against it.
//!
//! A frame is what one [`crate::Output::PersistLog`] appends: everything since the frame before, on disk in one sync. So a
//! crash can only spoil the last frame, which then explains nothing that was sent and is cut off; a bad frame with a good
//! one behind it is damage, and the node must not start on it. Must never read or write a file itself.
//!
//! Frame: magic, length (u32, little endian), the first 4 bytes of the hash of both, payload, hash of all of this.

use codec::{Decode, Encode};
use portolan_primitives::{Domain, Hash, Header, Height, MemberId, Round, decode_whole, hash, hash_parts};

use crate::messages::{PolkaMessage, ProposalMessage, VoteMessage};

const MAGIC: [u8; 4] = *b"PLf1";
const HEAD: usize = 12;
const CHECKSUM: usize = 32;
/// Longest payload, bytes: a block's body and the votes of a height.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;

/// A step of a round that time ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub enum StepTimeout {
    /// No proposal in time.
    #[codec(index = 0)]
    Propose,
    /// No two thirds of prevotes for one block in time.
    #[codec(index = 1)]
    Prevote,
    /// No two thirds of precommits for one block in time.
    #[codec(index = 2)]
    Precommit,
}

/// One input of the consensus core that a restart must see again, or the body of a block that one refers to.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum LogRecord {
    /// A vote, own or received.
    #[codec(index = 0)]
    Vote(VoteMessage),
    /// A proposal, own or received.
    #[codec(index = 1)]
    Proposal(ProposalMessage),
    /// A polka that was received.
    #[codec(index = 2)]
    Polka(PolkaMessage),
    /// This node's verdict on a block.
    #[codec(index = 3)]
    Value {
        /// Round of the proposal.
        round: Round,
        /// Its valid round.
        valid_round: Option<Round>,
        /// Who proposed it.
        proposer: MemberId,
        /// The block.
        value: Hash,
        /// The verdict.
        valid: bool,
    },
    /// A step ended by time.
    #[codec(index = 4)]
    Timeout {
        /// Which step.
        step: StepTimeout,
        /// Of which round.
        round: Round,
    },
    /// The body of a block, always before the first record that calls it valid.
    #[codec(index = 5)]
    Body {
        /// The header.
        header: Header,
        /// SCALE of each transaction.
        transactions: Vec<Vec<u8>>,
    },
}

/// The records of one write.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LogFrame {
    /// The height that they belong to.
    pub height: Height,
    /// The records, in order.
    pub records: Vec<LogRecord>,
}

/// What a log file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogContents {
    /// The frames, in order.
    pub frames: Vec<LogFrame>,
    /// The length to which the file must be cut before anything is appended.
    pub valid_len: usize,
}

/// Why a log can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// A frame is damaged, and there are whole ones behind it: no crash leaves that.
    #[error(
        "the frame at byte {offset} is damaged, and whole frames follow it: the disk lost data; restore the file, or start this validator with a new key"
    )]
    Damaged {
        /// Where the frame begins.
        offset: usize,
    },
    /// The checksum fits, but this version can't read the records.
    #[error("the frame at byte {offset} was written by another version; start the version that wrote it")]
    Unknown {
        /// Where the frame begins.
        offset: usize,
    },
}

/// The bytes to append for `frame`.
pub fn encode_frame(frame: &LogFrame) -> Vec<u8> {
    let payload = frame.encode();
    // A payload is at most a block's body and a height's votes, far below 4 GiB.
    let head = frame_head(payload.len() as u32);
    let checksum = hash_parts(Domain::Record, &[&head, &payload]);
    [&head[..], &payload, &checksum.0].concat()
}

/// Reads a whole log file. A spoilt last frame is left out; damage before it is an error.
pub fn read(bytes: &[u8]) -> Result<LogContents, LogError> {
    let mut frames = Vec::new();
    let mut offset = 0;
    while let Some(payload) = payload_at(bytes, offset) {
        let frame = decode_whole("LogFrame", payload, MAX_PAYLOAD).map_err(|_| LogError::Unknown { offset })?;
        frames.push(frame);
        offset += HEAD + payload.len() + CHECKSUM;
    }
    if (offset + 1..bytes.len()).any(|later| payload_at(bytes, later).is_some()) {
        return Err(LogError::Damaged { offset });
    }
    Ok(LogContents { frames, valid_len: offset })
}

fn frame_head(length: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&length.to_le_bytes());
    let check = hash(Domain::Record, &head[..8]);
    head[8..].copy_from_slice(&check.0[..4]);
    head
}

/// The payload of the whole and undamaged frame that begins at `offset`, if one does.
fn payload_at(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let rest = bytes.get(offset..)?;
    let head = rest.get(..HEAD)?;
    if head[..4] != MAGIC {
        return None;
    }
    let length = u32::from_le_bytes(head[4..8].try_into().ok()?);
    if frame_head(length)[..] != *head || length as usize > MAX_PAYLOAD {
        return None;
    }
    let payload = rest.get(HEAD..HEAD + length as usize)?;
    let checksum = rest.get(HEAD + payload.len()..HEAD + payload.len() + CHECKSUM)?;
    (hash_parts(Domain::Record, &[head, payload]).0[..] == *checksum).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(height: u64, rounds: u32) -> LogFrame {
        let timeout = |round| LogRecord::Timeout { step: StepTimeout::Propose, round: Round(round) };
        LogFrame { height: Height(height), records: (0..rounds).map(timeout).collect() }
    }

    #[test]
    fn what_was_written_is_read() {
        let frames = vec![frame(1, 3), frame(1, 0), frame(2, 5)];
        let bytes = frames.iter().map(encode_frame).collect::<Vec<_>>().concat();
        assert_eq!(read(&bytes), Ok(LogContents { frames, valid_len: bytes.len() }));
        assert_eq!(read(&[]), Ok(LogContents { frames: vec![], valid_len: 0 }));
    }

    #[test]
    fn a_torn_last_frame_is_cut_wherever_it_tore() {
        let whole = encode_frame(&frame(1, 3));
        let last = encode_frame(&frame(1, 4));
        for length in 0..last.len() {
            let bytes = [&whole[..], &last[..length]].concat();
            assert_eq!(read(&bytes), Ok(LogContents { frames: vec![frame(1, 3)], valid_len: whole.len() }), "{length}");
        }
    }

    #[test]
    fn a_last_frame_whose_pages_did_not_all_arrive_is_cut() {
        let whole = encode_frame(&frame(1, 3));
        let mut last = encode_frame(&frame(1, 4));
        for byte in &mut last[..6] {
            *byte = 0;
        }
        let bytes = [whole.clone(), last].concat();
        assert_eq!(read(&bytes).unwrap().valid_len, whole.len());
    }

    #[test]
    fn damage_before_a_whole_frame_is_an_error_at_every_byte() {
        let (first, second) = (encode_frame(&frame(1, 3)), encode_frame(&frame(1, 4)));
        for place in 0..first.len() {
            let mut bytes = [first.clone(), second.clone()].concat();
            bytes[place] ^= 1;
            assert_eq!(read(&bytes), Err(LogError::Damaged { offset: 0 }), "byte {place}");
        }
    }
}
