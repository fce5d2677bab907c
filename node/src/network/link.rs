//! One connection's traffic: a bounded queue and a writer for each class, a reader for each class, and the keeper that pings.
//!
//! What a peer may have waiting here is bounded by permits that travel with its messages, so that one peer's flood neither
//! grows the node nor takes the room of others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::{AsyncRead, AsyncWrite, AsyncWriteExt};
use portolan_primitives::{KeyId, MemberId, PublicKey};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::class::{Class, WhenFull};
use super::frame::{self, Frame, FrameError};
use super::judge::Rights;
use super::rate::Bucket;
use crate::limits::{
    INBOUND_BYTES, INBOUND_MESSAGE_RATE, INBOUND_MESSAGES, INBOUND_RATE, OUTBOUND_BYTES, OUTBOUND_MESSAGES,
    PING_INTERVAL, SILENCE_LIMIT,
};

/// Bytes that are gathered before a write.
const WRITE_GATHER: usize = 64 * 1024;

/// A message with the room that it takes up; the room is free again when this is dropped.
#[derive(Debug)]
pub struct Inbound {
    /// The id of the sending node's key.
    pub from: KeyId,
    /// Its stream.
    pub class: Class,
    /// The content, at most [`Class::limit`] bytes.
    pub bytes: Vec<u8>,
    room: Room,
}

/// Room that a message takes up; free again when this is dropped.
#[derive(Debug)]
pub struct Room {
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Inbound {
    /// Sender, stream, content, and the room to be freed when the message was handled.
    pub fn into_parts(self) -> (KeyId, Class, Vec<u8>, Room) {
        (self.from, self.class, self.bytes, self.room)
    }
}

/// Something to write to a peer.
#[derive(Debug)]
enum Outgoing {
    Message(Arc<[u8]>),
    /// A ready frame: ping or pong.
    Control(Vec<u8>),
}

#[derive(Debug)]
struct Outbox {
    queue: mpsc::Sender<Outgoing>,
    bytes: Arc<AtomicUsize>,
}

/// What came of handing a message over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handed {
    /// In the queue.
    Queued,
    /// The queue is full and the class lets it drop, or the link is not for this class.
    Dropped,
    /// The queue is full and the class gives the link up.
    Overrun,
}

/// A connection to a peer, shared by whoever sends.
#[derive(Debug)]
pub struct Link {
    /// Id of the peer's node key.
    pub id: KeyId,
    /// What the connection is good for.
    pub rights: Rights,
    /// Where it comes from or goes to, for people.
    pub address: String,
    outboxes: [Outbox; 3],
    closing: AtomicBool,
    started: Instant,
    /// Milliseconds after `started` at which something came last.
    heard: AtomicU64,
    round_trip_ms: AtomicU64,
    clock_offset_ms: AtomicI64,
}

/// The writers' ends of a link's queues, by class.
pub type Outlets = [Option<Outlet>; 3];

/// The writer's end of one queue.
#[derive(Debug)]
pub struct Outlet {
    queue: mpsc::Receiver<Outgoing>,
    bytes: Arc<AtomicUsize>,
}

/// Why a link's stream ended.
#[derive(Debug)]
pub enum Ended {
    /// The peer broke the protocol.
    Fault(String),
    /// The connection is gone or dead.
    Gone(String),
}

impl Link {
    /// A link and the other ends of its queues.
    pub fn new(key: PublicKey, rights: Rights, address: String) -> (Arc<Self>, Outlets) {
        let queues = Class::ALL.map(|_| {
            let (sender, receiver) = mpsc::channel(OUTBOUND_MESSAGES);
            let bytes = Arc::new(AtomicUsize::new(0));
            (Outbox { queue: sender, bytes: bytes.clone() }, Some(Outlet { queue: receiver, bytes }))
        });
        let [(one, first), (two, second), (three, third)] = queues;
        let link = Self {
            id: key.id(),
            rights,
            address,
            outboxes: [one, two, three],
            closing: AtomicBool::new(false),
            started: Instant::now(),
            heard: AtomicU64::new(0),
            round_trip_ms: AtomicU64::new(u64::MAX),
            clock_offset_ms: AtomicI64::new(0),
        };
        (Arc::new(link), [first, second, third])
    }

    /// The member, if the chain knows the key.
    pub fn member(&self) -> Option<MemberId> {
        self.rights.member()
    }

    /// Puts a message into the queue of its class; never waits.
    pub fn send(&self, class: Class, bytes: Arc<[u8]>) -> Handed {
        if !self.rights.classes().contains(&class) || self.closing.load(Ordering::Relaxed) {
            return Handed::Dropped;
        }
        let outbox = &self.outboxes[class as usize];
        let length = bytes.len();
        let fits = outbox.bytes.fetch_add(length, Ordering::Relaxed) + length <= OUTBOUND_BYTES;
        if fits && outbox.queue.try_send(Outgoing::Message(bytes)).is_ok() {
            return Handed::Queued;
        }
        outbox.bytes.fetch_sub(length, Ordering::Relaxed);
        match class.when_full() {
            // The peer takes no stream of this class.
            _ if outbox.queue.is_closed() => Handed::Dropped,
            WhenFull::Drop => Handed::Dropped,
            WhenFull::Disconnect => {
                self.closing.store(true, Ordering::Relaxed);
                Handed::Overrun
            }
        }
    }

    /// How far the peer's clock is ahead of ours, and how long a message takes there and back, once a ping was answered.
    pub fn clock(&self) -> Option<(i64, Duration)> {
        let round_trip = self.round_trip_ms.load(Ordering::Relaxed);
        let offset = self.clock_offset_ms.load(Ordering::Relaxed);
        (round_trip != u64::MAX).then(|| (offset, Duration::from_millis(round_trip)))
    }

    fn control_class(&self) -> Class {
        self.rights.classes()[0]
    }

    fn send_control(&self, bytes: Vec<u8>) {
        // A full queue has enough in it to show that we live.
        let _ = self.outboxes[self.control_class() as usize].queue.try_send(Outgoing::Control(bytes));
    }

    fn hear(&self) {
        self.heard.store(self.started.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Since when the link is up.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    fn silence(&self) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_millis(self.heard.load(Ordering::Relaxed)))
    }

    fn answer(&self, asked: u64, theirs: u64) {
        let now = wall_ms();
        let round_trip = now.saturating_sub(asked);
        let middle = (asked + round_trip / 2) as i64;
        self.round_trip_ms.store(round_trip, Ordering::Relaxed);
        self.clock_offset_ms.store((theirs as i64).saturating_sub(middle), Ordering::Relaxed);
    }
}

/// Writes what is queued, gathered into few writes, until the link or the stream ends.
pub async fn write<W: AsyncWrite + Unpin>(mut outlet: Outlet, mut stream: W) -> Ended {
    let mut buffer = Vec::new();
    loop {
        let Some(first) = outlet.queue.recv().await else {
            return Ended::Gone("the link was closed".into());
        };
        let mut length = push(&mut buffer, first);
        while buffer.len() < WRITE_GATHER {
            match outlet.queue.try_recv() {
                Ok(next) => length += push(&mut buffer, next),
                Err(_) => break,
            }
        }
        let written = stream.write_all(&buffer).await;
        outlet.bytes.fetch_sub(length, Ordering::Relaxed);
        if let Err(error) = written.and(stream.flush().await) {
            return Ended::Gone(error.to_string());
        }
        buffer.clear();
        buffer.shrink_to(2 * WRITE_GATHER);
    }
}

fn push(buffer: &mut Vec<u8>, outgoing: Outgoing) -> usize {
    match outgoing {
        Outgoing::Message(bytes) => {
            buffer.extend(frame::message_front(bytes.len()));
            buffer.extend(&*bytes);
            bytes.len()
        }
        Outgoing::Control(bytes) => {
            buffer.extend(bytes);
            0
        }
    }
}

/// Reads messages and gives them to `sink`, no faster than the peer's rate and no more than its room, until the stream ends.
pub async fn read<R: AsyncRead + Unpin>(link: Arc<Link>, class: Class, mut stream: R, sink: impl Fn(Inbound)) -> Ended {
    let messages = Arc::new(Semaphore::new(INBOUND_MESSAGES));
    let bytes = Arc::new(Semaphore::new(INBOUND_BYTES));
    let now = Instant::now();
    let mut buckets = (Bucket::new(INBOUND_MESSAGE_RATE, now), Bucket::new(INBOUND_RATE, now));
    loop {
        let content = match frame::read(&mut stream, class.limit()).await {
            Ok(Frame::Message(content)) => content,
            Ok(Frame::Ping(asked)) => {
                link.send_control(frame::pong(asked, wall_ms()));
                Vec::new()
            }
            Ok(Frame::Pong(asked, theirs)) => {
                link.answer(asked, theirs);
                Vec::new()
            }
            Err(FrameError::Ended(error)) => return Ended::Gone(error.to_string()),
            Err(error) => return Ended::Fault(error.to_string()),
        };
        link.hear();
        let now = Instant::now();
        let pause = buckets.0.take(1, now).max(buckets.1.take(content.len() as u64, now));
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if content.is_empty() {
            continue;
        }
        let room = content.len().min(INBOUND_BYTES) as u32;
        let permits = (messages.clone().acquire_owned().await, bytes.clone().acquire_many_owned(room).await);
        let (Ok(one), Ok(all)) = permits else {
            return Ended::Gone("the link was closed".into());
        };
        sink(Inbound { from: link.id, class, bytes: content, room: Room { _permits: (one, all) } });
    }
}

/// Pings a quiet peer, and ends when nothing came for too long.
pub async fn keep(link: Arc<Link>) -> Ended {
    // At once, so that the peer's clock is known.
    link.send_control(frame::ping(wall_ms()));
    loop {
        tokio::time::sleep(PING_INTERVAL).await;
        if link.silence() >= SILENCE_LIMIT {
            return Ended::Gone(format!("nothing came for {} s", link.silence().as_secs()));
        }
        link.send_control(frame::ping(wall_ms()));
    }
}

fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use portolan_primitives::SigningKey;

    use super::*;

    fn link(rights: Rights) -> (Arc<Link>, Outlets) {
        Link::new(SigningKey::from_secret(&[1; 32]).unwrap().public(), rights, "here".into())
    }

    fn member() -> Rights {
        Rights::Member(MemberId([1; 16]))
    }

    #[test]
    fn a_slow_peer_loses_transactions_and_its_link_for_votes() {
        let (link, _outlets) = link(member());
        let message: Arc<[u8]> = vec![0; 1024].into();
        for _ in 0..OUTBOUND_MESSAGES {
            assert_eq!(link.send(Class::Transactions, message.clone()), Handed::Queued);
        }
        assert_eq!(link.send(Class::Transactions, message.clone()), Handed::Dropped);
        for _ in 0..OUTBOUND_MESSAGES {
            assert_eq!(link.send(Class::Consensus, message.clone()), Handed::Queued);
        }
        assert_eq!(link.send(Class::Consensus, message.clone()), Handed::Overrun);
        assert_eq!(link.send(Class::Sync, message), Handed::Dropped, "a link that is given up takes nothing");
    }

    #[test]
    fn the_queue_is_bounded_in_bytes_too() {
        let (link, _outlets) = link(member());
        let message: Arc<[u8]> = vec![0; OUTBOUND_BYTES / 2].into();
        assert_eq!(link.send(Class::Sync, message.clone()), Handed::Queued);
        assert_eq!(link.send(Class::Sync, message.clone()), Handed::Queued);
        assert_eq!(link.send(Class::Sync, vec![0; 1].into()), Handed::Dropped);
    }

    #[test]
    fn an_unknown_key_gets_nothing_but_sync() {
        let (link, _outlets) = link(Rights::SyncOnly);
        assert_eq!(link.send(Class::Consensus, vec![0; 1].into()), Handed::Dropped);
        assert_eq!(link.send(Class::Sync, vec![0; 1].into()), Handed::Queued);
    }

    #[tokio::test]
    async fn a_flooding_peer_waits_until_its_messages_were_handled() {
        let (link, _outlets) = link(member());
        let mut flood = Vec::new();
        for _ in 0..INBOUND_MESSAGES + 10 {
            flood.extend(frame::message_front(1));
            flood.push(7);
        }
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let sink = move |inbound| sender.send(inbound).unwrap();
            read(link, Class::Consensus, flood.as_slice(), sink).await
        });
        let mut held = Vec::new();
        for _ in 0..INBOUND_MESSAGES {
            held.push(receiver.recv().await.unwrap());
        }
        // On this single-threaded runtime the reader has run as far as it can.
        tokio::task::yield_now().await;
        assert!(receiver.try_recv().is_err());
        drop(held);
        for _ in 0..10 {
            assert_eq!(receiver.recv().await.unwrap().bytes, [7]);
        }
        assert!(matches!(reader.await.unwrap(), Ended::Gone(_)));
    }

    #[tokio::test]
    async fn a_peers_long_messages_wait_until_those_before_were_handled() {
        let (link, _outlets) = link(member());
        let length = INBOUND_BYTES / 4;
        let message = [&frame::message_front(length)[..], &vec![7; length]].concat();
        let flood = message.repeat(6);
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let sink = move |inbound| sender.send(inbound).unwrap();
            read(link, Class::Sync, flood.as_slice(), sink).await
        });
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(receiver.recv().await.unwrap());
        }
        tokio::task::yield_now().await;
        assert!(receiver.try_recv().is_err());
        held.pop();
        assert_eq!(receiver.recv().await.unwrap().bytes.len(), length);
        drop(held);
        assert_eq!(receiver.recv().await.unwrap().bytes.len(), length);
        assert!(matches!(reader.await.unwrap(), Ended::Gone(_)));
    }

    /// Whether a reader gives messages on without a pause, each handled at once, to the end of the stream.
    async fn reads_without_pause(class: Class, count: usize, length: usize) -> bool {
        let (link, _outlets) = link(member());
        let message = [&frame::message_front(length)[..], &vec![7; length]].concat();
        let flood = message.repeat(count);
        let reader = read(link, class, flood.as_slice(), drop);
        let mut reader = std::pin::pin!(tokio::task::unconstrained(reader));
        futures::poll!(&mut reader).is_ready()
    }

    #[tokio::test]
    async fn a_peer_that_sends_faster_than_it_may_is_read_no_faster() {
        assert!(reads_without_pause(Class::Consensus, 100, 1).await);
        assert!(!reads_without_pause(Class::Consensus, 20 * INBOUND_MESSAGE_RATE as usize, 1).await, "messages");
        assert!(reads_without_pause(Class::Sync, 4, 1 << 20).await);
        assert!(!reads_without_pause(Class::Sync, 2 * (INBOUND_RATE as usize >> 20), 1 << 20).await, "bytes");
    }

    #[tokio::test]
    async fn an_oversized_frame_is_the_peers_fault() {
        let (link, _outlets) = link(member());
        let front = frame::message_front(Class::Consensus.limit() + 1);
        let ended = read(link, Class::Consensus, &front[..], |_| panic!("nothing whole came")).await;
        assert!(matches!(ended, Ended::Fault(_)));
    }
}
