//! The configuration: one TOML file, environment variables over it, flags over both.
//!
//! Each setting has one name (`api.listen`): in the file as written, in the environment as `PORTOLAN_NODE_API_LISTEN`, as a flag
//! `--set api.listen=…`. A name that does not exist is an error with the nearest one that does. Must never hold a secret, only
//! where one is found.

mod layers;
mod peer;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use layers::ENVIRONMENT_PREFIX;
pub use peer::{PeerAddress, PeerAddressError};

use crate::limits::{
    DEFAULT_DISK_RESERVE_MIB, MAX_KEEP_DAYS, MAX_KEEP_STATES, MAX_SMALL_FILE, MIN_KEEP_BLOCKS, MIN_MAX_DISK_MIB,
};
use crate::store::disk::Bounds;
use crate::store::prune::Keep;

const MS_PER_DAY: u64 = 24 * 60 * 60 * 1000;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Can't be read.
    #[error("can't read the configuration {path}: {source}; `portolan-node init` makes one")]
    Read {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Too large to be a configuration.
    #[error("{path} is larger than {limit} bytes: this is no configuration")]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// No TOML.
    #[error("{path} is no TOML: {reason}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// A name that does not exist.
    #[error("{origin} sets `{name}`, which does not exist{}", suggestion.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownKey {
        /// File, environment or flag.
        origin: String,
        /// The wrong name.
        name: String,
        /// The nearest right one.
        suggestion: Option<String>,
    },
    /// A flag without `=`.
    #[error("`--set {0}` has no value; write `--set name=value`")]
    NoValue(String),
    /// A value that its setting does not take.
    #[error("`{name}`: {reason}")]
    BadValue {
        /// Which setting.
        name: String,
        /// What it takes.
        reason: String,
    },
    /// A setting without which nothing runs.
    #[error("`{0}` is not set; it has no default")]
    Missing(&'static str),
    /// The API open to others in plain text.
    #[error(
        "`api.listen` is {0}, which others can reach, and there is no TLS: set `api.tls_certificate` and `api.tls_key`, or listen on 127.0.0.1"
    )]
    PlainTextApi(SocketAddr),
    /// Half of a TLS identity.
    #[error("`api.tls_certificate` and `api.tls_key` belong together; set both or neither")]
    HalfTls,
    /// No source of the passphrase, or several.
    #[error("set exactly one of `keys.passphrase_file`, `keys.passphrase_env`, `keys.passphrase_fd`; {0} are set")]
    PassphraseSources(usize),
}

/// Everything that a node is told from outside the chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the node's state. Default: where the configuration is.
    #[serde(default)]
    pub home: PathBuf,
    /// The chain-spec file.
    #[serde(default)]
    pub spec: PathBuf,
    /// Name of the member whose node this is.
    #[serde(default)]
    pub member: String,
    /// The HTTP API.
    #[serde(default)]
    pub api: Api,
    /// The network of nodes.
    #[serde(default)]
    pub p2p: P2p,
    /// Where the keys are.
    #[serde(default)]
    pub keys: Keys,
    /// The store.
    #[serde(default)]
    pub store: Store,
    /// What is written to standard error.
    #[serde(default)]
    pub log: Log,
}

/// The HTTP API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Api {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// PEM file of the certificate chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_certificate: Option<PathBuf>,
    /// PEM file of the certificate's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_key: Option<PathBuf>,
}

/// The network of nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct P2p {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Nodes to dial, as `member@host:port` or `host:port`.
    pub peers: Vec<PeerAddress>,
}

/// Where the keys are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Encrypted PKCS#8 PEM file of the node's key in the network.
    pub node: PathBuf,
    /// Encrypted PKCS#8 PEM file of the consensus key; a node without it only follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validator: Option<PathBuf>,
    /// File with the passphrase of both, readable by its owner only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase_file: Option<PathBuf>,
    /// Environment variable with the passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase_env: Option<String>,
    /// Open file descriptor to read the passphrase from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase_fd: Option<u32>,
}

/// The store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Memory for cached blocks of the store, MiB.
    pub cache_mib: u64,
    /// The node stops by itself, with a named reason, before less than this is free on its disk, MiB.
    pub disk_reserve_mib: u64,
    /// The most that store, consensus log and compiled contracts may take, MiB; without it, what the disk has. When nine tenths are
    /// used, old blocks go early, if they may; the node stops by itself, with a named reason, before all is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_disk_mib: Option<u64>,
    /// Whether every block is kept, with its receipts and the places of its transactions.
    pub archive: bool,
    /// Without `archive`: blocks that are kept at least, the last one included.
    pub keep_blocks: u64,
    /// Without `archive`: days of the chain's time before the last block that are kept at least.
    pub keep_days: u64,
    /// Heights before the last one whose state can be read and proved.
    pub keep_states: u64,
}

impl Store {
    /// Which blocks are kept; `None`: all.
    pub fn keep(&self) -> Option<Keep> {
        let ms = self.keep_days.saturating_mul(MS_PER_DAY);
        (!self.archive).then_some(Keep { blocks: self.keep_blocks, ms })
    }

    /// What may be taken of the disk.
    pub fn bounds(&self) -> Bounds {
        Bounds { reserve_mib: self.disk_reserve_mib, max_mib: self.max_disk_mib }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let within = |name: &str, value: u64, least: u64, most: u64| match (least..=most).contains(&value) {
            true => Ok(()),
            false => {
                let reason = format!("it is {value}; it must be at least {least} and at most {most}");
                Err(ConfigError::BadValue { name: name.into(), reason })
            }
        };
        within("store.keep_blocks", self.keep_blocks, MIN_KEEP_BLOCKS, i64::MAX as u64)?;
        within("store.keep_days", self.keep_days, 0, MAX_KEEP_DAYS)?;
        if let Some(max) = self.max_disk_mib {
            within("store.max_disk_mib", max, MIN_MAX_DISK_MIB, i64::MAX as u64)?;
        }
        within("store.keep_states", self.keep_states, 1, MAX_KEEP_STATES)
    }
}

/// What is written to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A filter as `info` or `info,portolan_node::network=debug`.
    pub level: String,
    /// For people or for programs.
    pub format: LogFormat,
}

/// Form of the log's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Api {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), tls_certificate: None, tls_key: None }
    }
}

impl Default for P2p {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::UNSPECIFIED, 4001)), peers: Vec::new() }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            node: "keys/node.pem".into(),
            validator: None,
            passphrase_file: None,
            passphrase_env: None,
            passphrase_fd: None,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            cache_mib: 128,
            disk_reserve_mib: DEFAULT_DISK_RESERVE_MIB,
            max_disk_mib: None,
            archive: true,
            keep_blocks: 100_000,
            keep_days: 30,
            keep_states: 64,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

impl Config {
    /// Reads `path`, with `environment` over it and the `flags` (`name=value`) over both, and checks the whole.
    /// Relative paths are taken from the folder of the file.
    pub fn load(
        path: &Path,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, ConfigError> {
        let text = read_small(path)?;
        let file = text
            .parse::<toml::Table>()
            .map_err(|error| ConfigError::Syntax { path: path.into(), reason: error.to_string().trim().to_owned() })?;
        let table = layers::merge(&path.display().to_string(), file, environment, flags)?;
        let mut config: Self = table.try_into().map_err(layers::bad_value)?;
        config.anchor(path.parent().unwrap_or(Path::new(".")));
        config.check()?;
        Ok(config)
    }

    /// The configuration as a file.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        let bad =
            |error: toml::ser::Error| ConfigError::BadValue { name: "configuration".into(), reason: error.to_string() };
        toml::to_string(self).map_err(bad)
    }

    fn anchor(&mut self, folder: &Path) {
        // An empty home becomes the folder itself.
        self.home = folder.join(&self.home);
        let spec = std::mem::take(&mut self.spec);
        if !spec.as_os_str().is_empty() {
            self.spec = folder.join(spec);
        }
        self.keys.node = folder.join(&self.keys.node);
        let optional = [
            &mut self.api.tls_certificate,
            &mut self.api.tls_key,
            &mut self.keys.validator,
            &mut self.keys.passphrase_file,
        ];
        for path in optional.into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.spec.as_os_str().is_empty() {
            return Err(ConfigError::Missing("spec"));
        }
        if self.member.is_empty() {
            return Err(ConfigError::Missing("member"));
        }
        if self.api.tls_certificate.is_some() != self.api.tls_key.is_some() {
            return Err(ConfigError::HalfTls);
        }
        if !self.api.listen.ip().is_loopback() && self.api.tls_key.is_none() {
            return Err(ConfigError::PlainTextApi(self.api.listen));
        }
        self.store.check()?;
        let keys = &self.keys;
        let sources = [keys.passphrase_file.is_some(), keys.passphrase_env.is_some(), keys.passphrase_fd.is_some()];
        match sources.iter().filter(|set| **set).count() {
            1 => Ok(()),
            count => Err(ConfigError::PassphraseSources(count)),
        }
    }
}

fn read_small(path: &Path) -> Result<String, ConfigError> {
    let read = |source| ConfigError::Read { path: path.into(), source };
    let size = std::fs::metadata(path).map_err(read)?.len();
    if size > MAX_SMALL_FILE {
        return Err(ConfigError::TooLarge { path: path.into(), limit: MAX_SMALL_FILE });
    }
    std::fs::read_to_string(path).map_err(read)
}
