//! The devnet's folder: where everything lies, and the list of nodes that others read.
//!
//! `nodes.json` is written by the supervisor alone, whole and by renaming.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{CliError, CliResult};

/// One node, as `nodes.json` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Name of the member whose node it is.
    pub name: String,
    /// The member's role.
    pub role: String,
    /// The process, or nothing while it is stopped.
    pub pid: Option<u32>,
    /// Base address of the API.
    pub api: String,
    /// Address in the network of nodes.
    pub p2p: String,
    /// Folder of its state.
    pub home: PathBuf,
}

/// How the supervisor is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisorFacts {
    /// Its process.
    pub pid: u32,
    /// Where it takes commands.
    pub control: SocketAddr,
    /// What a command must bring, so that no other user of the machine gives one.
    pub token: String,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The devnet in `root`, made absolute so that nodes started elsewhere find it.
    pub fn new(root: &Path) -> CliResult<Self> {
        let root = std::path::absolute(root).map_err(CliError::file(root))?;
        Ok(Self { root })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a network was made here.
    pub fn exists(&self) -> bool {
        self.spec().exists() && self.nodes_file().exists()
    }

    /// The chain-spec.
    pub fn spec(&self) -> PathBuf {
        self.root.join("chain-spec.json")
    }

    /// The users' keys.
    pub fn keystore(&self) -> PathBuf {
        self.root.join("keystore")
    }

    /// Passphrase of all keys of the devnet.
    pub fn passphrase(&self) -> PathBuf {
        self.keystore().join("passphrase")
    }

    /// The list of nodes.
    pub fn nodes_file(&self) -> PathBuf {
        self.root.join("nodes.json")
    }

    /// How the supervisor is reached.
    pub fn supervisor_file(&self) -> PathBuf {
        self.root.join("supervisor.json")
    }

    /// What the supervisor says.
    pub fn supervisor_log(&self) -> PathBuf {
        self.root.join("supervisor.log")
    }

    /// What was run on this network, for the demo's second run.
    pub fn story_file(&self) -> PathBuf {
        self.root.join("story.json")
    }

    /// A node's folder.
    pub fn home(&self, node: &str) -> PathBuf {
        self.root.join("nodes").join(node)
    }

    /// A node's configuration.
    pub fn config(&self, node: &str) -> PathBuf {
        self.home(node).join("node.toml")
    }

    /// What a node says.
    pub fn log(&self, node: &str) -> PathBuf {
        self.home(node).join("node.log")
    }

    /// The nodes.
    pub fn nodes(&self) -> CliResult<Vec<NodeEntry>> {
        if !self.nodes_file().exists() {
            let message =
                format!("there is no devnet in {}; start one with `./scripts/devnet up`", self.root.display());
            return Err(CliError::refused("no_devnet", message));
        }
        read_json(&self.nodes_file())
    }

    /// Writes the list of nodes.
    pub fn write_nodes(&self, nodes: &[NodeEntry]) -> CliResult<()> {
        write_json(&self.nodes_file(), &nodes)
    }
}

/// Reads a JSON file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> CliResult<T> {
    let text = std::fs::read_to_string(path).map_err(CliError::file(path))?;
    let damaged = |error: serde_json::Error| {
        let message = format!("{} is damaged ({error}); `./scripts/devnet reset` begins anew", path.display());
        CliError::refused("damaged_file", message)
    };
    serde_json::from_str(&text).map_err(damaged)
}

/// Writes a JSON file beside and renames it, so that a reader sees the old one or the new one.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> CliResult<()> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::refused("json", error.to_string()))?;
    let beside = path.with_extension("json.new");
    std::fs::write(&beside, format!("{text}\n")).map_err(CliError::file(&beside))?;
    std::fs::rename(&beside, path).map_err(CliError::file(path))
}
