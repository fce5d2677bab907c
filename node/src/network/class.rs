//! What kinds of streams there are, each with its bound and with what happens when its queue is full.

use portolan_replica::messages::Channel;

/// The kind of a stream. Two nodes have one of each kind in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Votes, proposals and their parts.
    Consensus,
    /// Batches of transactions.
    Transactions,
    /// Requests for blocks and bodies, and their answers; what comes is verified by certificates and hashes.
    Sync,
}

/// What happens to a message when the queue to its peer is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The link is given up: a peer that is that far behind starts anew, and the replica tells it what it needs.
    Disconnect,
    /// The message is dropped: whoever waits for it asks again.
    Drop,
}

impl Class {
    /// Every class.
    pub const ALL: [Class; 3] = [Class::Consensus, Class::Transactions, Class::Sync];

    /// Longest message, bytes.
    pub fn limit(self) -> usize {
        self.channel().max_bytes()
    }

    /// What happens when the queue to a peer is full.
    pub fn when_full(self) -> WhenFull {
        match self {
            Self::Consensus => WhenFull::Disconnect,
            Self::Transactions | Self::Sync => WhenFull::Drop,
        }
    }

    /// The name in protocols, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Consensus => "consensus",
            Self::Transactions => "transactions",
            Self::Sync => "sync",
        }
    }

    /// The replica's name for it.
    pub fn channel(self) -> Channel {
        match self {
            Self::Consensus => Channel::Consensus,
            Self::Transactions => Channel::Transactions,
            Self::Sync => Channel::Sync,
        }
    }
}

impl From<Channel> for Class {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Consensus => Self::Consensus,
            Channel::Transactions => Self::Transactions,
            Channel::Sync => Self::Sync,
        }
    }
}
