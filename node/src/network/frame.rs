//! Frames: `length (u32, little endian) ‖ kind ‖ content`. The length is checked against the class's bound before anything is
//! allocated, and the buffer grows only with what really comes in.

use futures::{AsyncRead, AsyncReadExt};

use crate::limits::FRAME_GROWTH;

/// Why a stream can't be read on. The first two are faults of the peer.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Longer than the class allows.
    #[error("a frame of {found} bytes, where at most {limit} are allowed")]
    TooLong {
        /// Bytes claimed.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not one of the kinds, or not its shape.
    #[error("a frame that is no frame of this protocol")]
    Malformed,
    /// The connection ended.
    #[error("the stream ended: {0}")]
    Ended(#[from] std::io::Error),
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message of the stream's class.
    Message(Vec<u8>),
    /// "Are you there": the sender's clock, ms since 1970.
    Ping(u64),
    /// Answer to a ping: the time in it, and the answerer's clock.
    Pong(u64, u64),
}

const MESSAGE: u8 = 0;
const PING: u8 = 1;
const PONG: u8 = 2;

/// Length and kind before a message of `length` bytes.
pub fn message_front(length: usize) -> [u8; 5] {
    let [a, b, c, d] = (length as u32 + 1).to_le_bytes();
    [a, b, c, d, MESSAGE]
}

/// A ping as it goes over the wire.
pub fn ping(now: u64) -> Vec<u8> {
    let mut bytes = 9u32.to_le_bytes().to_vec();
    bytes.push(PING);
    bytes.extend(now.to_le_bytes());
    bytes
}

/// A pong as it goes over the wire.
pub fn pong(asked: u64, now: u64) -> Vec<u8> {
    let mut bytes = 17u32.to_le_bytes().to_vec();
    bytes.push(PONG);
    bytes.extend(asked.to_le_bytes());
    bytes.extend(now.to_le_bytes());
    bytes
}

/// Reads the next frame; a message in it has at most `limit` bytes.
pub async fn read<R: AsyncRead + Unpin>(reader: &mut R, limit: usize) -> Result<Frame, FrameError> {
    let mut front = [0; 5];
    reader.read_exact(&mut front).await?;
    let [a, b, c, d, kind] = front;
    let length = (u32::from_le_bytes([a, b, c, d]) as usize).checked_sub(1).ok_or(FrameError::Malformed)?;
    match (kind, length) {
        (MESSAGE, _) if length > limit => Err(FrameError::TooLong { found: length, limit }),
        (MESSAGE, _) => Ok(Frame::Message(read_content(reader, length).await?)),
        (PING, 8) => Ok(Frame::Ping(read_number(reader).await?)),
        (PONG, 16) => Ok(Frame::Pong(read_number(reader).await?, read_number(reader).await?)),
        _ => Err(FrameError::Malformed),
    }
}

async fn read_content<R: AsyncRead + Unpin>(reader: &mut R, length: usize) -> Result<Vec<u8>, FrameError> {
    let mut content = Vec::new();
    while content.len() < length {
        let filled = content.len();
        content.resize(length.min(filled + FRAME_GROWTH.max(filled)), 0);
        reader.read_exact(&mut content[filled..]).await?;
    }
    Ok(content)
}

async fn read_number<R: AsyncRead + Unpin>(reader: &mut R) -> Result<u64, FrameError> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes).await?;
    Ok(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use proptest::prelude::*;

    use super::*;

    fn decode(mut bytes: &[u8], limit: usize) -> Result<Frame, FrameError> {
        block_on(read(&mut bytes, limit))
    }

    fn message(content: &[u8]) -> Vec<u8> {
        [&message_front(content.len())[..], content].concat()
    }

    #[test]
    fn frames_round_trip() {
        let large = vec![7; 3 * FRAME_GROWTH + 5];
        for content in [&b""[..], b"vote", &large] {
            assert_eq!(decode(&message(content), content.len()).unwrap(), Frame::Message(content.to_vec()));
        }
        assert_eq!(decode(&ping(5), 0).unwrap(), Frame::Ping(5));
        assert_eq!(decode(&pong(5, 6), 0).unwrap(), Frame::Pong(5, 6));
    }

    #[test]
    fn a_frame_beyond_the_bound_is_refused_before_its_content_is_there() {
        let bytes = message_front(1 << 30);
        assert!(matches!(decode(&bytes, 1 << 20), Err(FrameError::TooLong { found, .. }) if found == 1 << 30));
    }

    /// A reader that gives what it has and then fails the test if a larger buffer than allowed is asked to be filled.
    struct Starved<'a>(&'a [u8], usize);

    impl AsyncRead for Starved<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut [u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            assert!(buffer.len() <= self.1, "a buffer of {} bytes for content that did not come", buffer.len());
            let count = self.0.len().min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            std::task::Poll::Ready(Ok(count))
        }
    }

    #[test]
    fn a_claimed_length_is_no_allocation() {
        let front = message_front(8 << 20);
        let answer = block_on(read(&mut Starved(&front, FRAME_GROWTH), 16 << 20));
        assert!(matches!(answer, Err(FrameError::Ended(_))));
    }

    #[test]
    fn a_cut_frame_ends_and_an_unknown_kind_is_malformed() {
        let whole = message(b"commit");
        for length in 0..whole.len() {
            assert!(matches!(decode(&whole[..length], 100), Err(FrameError::Ended(_))), "length {length}");
        }
        assert!(matches!(decode(&[0, 0, 0, 0, 0], 100), Err(FrameError::Malformed)));
        assert!(matches!(decode(&[1, 0, 0, 0, 9], 100), Err(FrameError::Malformed)));
        assert!(matches!(decode(&[200, 0, 0, 0, PING], 100), Err(FrameError::Malformed)));
    }

    proptest! {
        #[test]
        fn garbage_never_panics_nor_gives_more_than_came(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(Frame::Message(content)) = decode(&bytes, 1 << 20) {
                prop_assert!(content.len() <= bytes.len());
            }
        }
    }
}
