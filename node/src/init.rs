//! Makes the home of a node: its keys, its copy of the spec, its configuration.
//!
//! What is there already is kept: the keys come first, since the spec names their public halves, and the spec second.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use portolan_primitives::PublicKey;
use serde::Serialize;

use crate::config::{Api, Config, ConfigError, Keys, Log, P2p, PeerAddress, Store};
use crate::keys::{self, KeyFileError, Passphrase};
use crate::node::{StartError, read_spec};

/// Name of the configuration in the home.
pub const CONFIG_FILE: &str = "node.toml";
/// Name of the spec in the home.
pub const SPEC_FILE: &str = "chain-spec.json";

/// Why a home is not made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// A file can't be written.
    #[error("can't write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The spec.
    #[error(transparent)]
    Spec(#[from] StartError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another spec is there.
    #[error("{0} is there already and differs from the given spec; a home belongs to one chain")]
    OtherSpec(PathBuf),
    /// The member is not in the spec.
    #[error("the spec has no member `{0}`")]
    UnknownMember(String),
}

/// What a home is made from.
#[derive(Debug)]
pub struct Plan<'a> {
    /// The folder.
    pub home: &'a Path,
    /// The member whose node it is.
    pub member: &'a str,
    /// The spec, if it exists yet.
    pub spec: Option<&'a Path>,
    /// Where the passphrase is found; becomes part of the configuration.
    pub keys: Keys,
    /// Whether the node gets a consensus key.
    pub validator: bool,
    /// Where the API listens.
    pub api: Option<SocketAddr>,
    /// Where the network listens.
    pub p2p: Option<SocketAddr>,
    /// Whom to dial.
    pub peers: Vec<PeerAddress>,
}

/// What was made.
#[derive(Debug, Serialize)]
pub struct Made {
    /// The folder.
    pub home: PathBuf,
    /// The configuration, once there is a spec.
    pub config: Option<PathBuf>,
    /// The node's key in the network.
    pub node_key: PublicKey,
    /// The consensus key.
    pub validator_key: Option<PublicKey>,
    /// Keys of this home that the spec does not name: the members have to propose them.
    pub not_in_spec: Vec<PublicKey>,
}

/// Makes what is missing of a home.
///
/// # Errors
/// What is wrong; what was made before it stays.
pub fn init(plan: &Plan<'_>) -> Result<Made, InitError> {
    std::fs::create_dir_all(plan.home).map_err(write(plan.home))?;
    let passphrase = Passphrase::find(&plan.keys)?;
    let node_key = key_of(&plan.home.join("keys/node.pem"), &passphrase)?;
    let validator_key = match plan.validator {
        true => Some(key_of(&plan.home.join("keys/validator.pem"), &passphrase)?),
        false => None,
    };
    let mut made = Made { home: plan.home.into(), config: None, node_key, validator_key, not_in_spec: Vec::new() };
    if let Some(spec) = plan.spec {
        made.not_in_spec = take_spec(plan, spec, &made)?;
        made.config = Some(write_config(plan)?);
    }
    Ok(made)
}

/// The public half of the key at `path`, which is made if there is none.
fn key_of(path: &Path, passphrase: &Passphrase) -> Result<PublicKey, KeyFileError> {
    if path.exists() {
        return Ok(keys::read(path, passphrase)?.public());
    }
    let key = keys::generate()?;
    keys::write(path, &key, passphrase)?;
    Ok(key.public())
}

/// Checks the spec and copies it; gives the keys that it does not name.
fn take_spec(plan: &Plan<'_>, spec: &Path, made: &Made) -> Result<Vec<PublicKey>, InitError> {
    let genesis = read_spec(spec)?.genesis;
    if !genesis.members.iter().any(|member| member.name == plan.member) {
        return Err(InitError::UnknownMember(plan.member.into()));
    }
    let target = plan.home.join(SPEC_FILE);
    let bytes = std::fs::read(spec).map_err(write(spec))?;
    match std::fs::read(&target) {
        Ok(there) if there != bytes => return Err(InitError::OtherSpec(target)),
        Ok(_) => {}
        Err(_) => write_private(&target, &bytes)?,
    }
    let known: Vec<PublicKey> = genesis
        .node_keys
        .iter()
        .map(|key| key.key)
        .chain(genesis.validators.iter().map(|validator| validator.key))
        .collect();
    let ours = [Some(made.node_key), made.validator_key];
    Ok(ours.into_iter().flatten().filter(|key| !known.contains(key)).collect())
}

fn write_config(plan: &Plan<'_>) -> Result<PathBuf, InitError> {
    let path = plan.home.join(CONFIG_FILE);
    if path.exists() {
        return Ok(path);
    }
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let config = Config {
        home: ".".into(),
        spec: SPEC_FILE.into(),
        member: plan.member.into(),
        api: Api { listen: plan.api.unwrap_or(Api::default().listen), ..Api::default() },
        p2p: P2p { listen: plan.p2p.unwrap_or(P2p::default().listen), peers: plan.peers.clone() },
        keys: Keys {
            node: "keys/node.pem".into(),
            validator: plan.validator.then(|| "keys/validator.pem".into()),
            passphrase_file: plan.keys.passphrase_file.as_ref().map(absolute),
            passphrase_env: plan.keys.passphrase_env.clone(),
            passphrase_fd: plan.keys.passphrase_fd,
        },
        store: Store::default(),
        log: Log::default(),
    };
    write_private(&path, config.to_toml()?.as_bytes())?;
    Ok(path)
}

/// The spec holds the chain secret, so it is for its owner only.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), InitError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(write(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(write(path))
}

fn write(path: &Path) -> impl FnOnce(std::io::Error) -> InitError + '_ {
    move |source| InitError::Write { path: path.into(), source }
}
