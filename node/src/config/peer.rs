//! An address to dial: `member@host:port`, or `host:port` when it does not matter whose node answers.

use std::str::FromStr;

use portolan_primitives::id::is_name;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a node may be reached. The member, when given, says whose it should be; the keys on the chain decide whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerAddress {
    /// Name of the member.
    pub member: Option<String>,
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a peer is written member@host:port or host:port, as harbour-bank@10.0.0.7:4001; this is `{0}`")]
pub struct PeerAddressError(String);

impl FromStr for PeerAddress {
    type Err = PeerAddressError;

    fn from_str(text: &str) -> Result<Self, PeerAddressError> {
        let error = || PeerAddressError(text.chars().take(120).collect());
        let (member, place) = match text.split_once('@') {
            Some((member, place)) => (Some(member), place),
            None => (None, text),
        };
        let (host, port) = place.rsplit_once(':').ok_or_else(error)?;
        let port: u16 = port.parse().map_err(|_| error())?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.len() > 253 || port == 0 || member.is_some_and(|name| !is_name(name)) {
            return Err(error());
        }
        Ok(Self { member: member.map(str::to_owned), host: host.to_owned(), port })
    }
}

impl std::fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(member) = &self.member {
            write!(f, "{member}@")?;
        }
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Serialize for PeerAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PeerAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in ["harbour-bank@10.0.0.7:4001", "localhost:1", "customs@[::1]:4001"] {
            assert_eq!(text.parse::<PeerAddress>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "host", "host:", ":1", "host:0", "host:70000", "A Bank@host:1", "@host:1"] {
            assert!(text.parse::<PeerAddress>().is_err(), "{text}");
        }
    }
}
