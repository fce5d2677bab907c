//! A backup of a node's store, and the way back: a copy of one moment that is checked against the chain's own certificates before
//! any node runs on it.
//!
//! A backup is a folder with `backup.json` and `store/`. The store's files are linked or copied by the database itself while the
//! node goes on; `backup.json` names each with its checksum and is written last, so a backup that was cut short is none. Keys,
//! configuration and the consensus log are not in it. The log must not be: of one that is older than the last vote a node
//! would learn that it may vote where it has voted. A restored store therefore has a [`Fence`] in place of a log.
//!
//! Must never write into a home that has a store or a log, and never leave a store there that was not checked to its end.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portolan_primitives::{Hash, Height, MemberId, Timestamp, Validator, ValidatorSet, list_root};
use portolan_proof::{Anchor, HeaderProof, ProofError};
use portolan_replica::Fence;
use portolan_runtime::genesis::{Genesis, GenesisValidator};
use portolan_runtime::{ChainHead, SeenWindow};
use portolan_state::{Options, SaltKey, State, StateError, StoreError};
use serde::{Deserialize, Serialize};

use crate::admin::{self, AdminError, Answer, Request};
use crate::host::halt::write_json;
use crate::limits::{FENCE_AFTER_MS, MAX_BACKUP_FILES, MAX_BACKUP_MANIFEST};
use crate::store::{Chain, ChainError, OpenError, Store};

/// Name of the file that says what a backup is.
pub const MANIFEST: &str = "backup.json";
/// Version of a backup's form.
pub const FORMAT: u32 = 1;
/// The store's folder, in a backup and in a home.
const STORE: &str = "store";
/// The consensus log's folder in a home.
const LOG: &str = "log";
/// Where a store is put together in the home before it has its name.
const PARTIAL: &str = "restore.partial";
/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;
/// Memory for blocks of the store while it is checked.
const CACHE: usize = 64 << 20;
/// Handovers that are read at once.
const HANDOVERS: usize = 256;

/// Why there is no backup, or nothing was restored. A home is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file system.
    #[error("{action} {path} failed: {source}; look at the disk and at who may write there, then do it again")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Something is where the backup should be.
    #[error("{0} is not empty; name a folder that is, or none yet")]
    NotEmpty(PathBuf),
    /// The home has what would be overwritten.
    #[error(
        "{0} is there, and nothing is overwritten: stop the node, move it away, and keep it until the restored node votes"
    )]
    AlreadyThere(PathBuf),
    /// Not a backup, or one that was cut short.
    #[error("{path} is no whole backup: {reason}; take another one")]
    NoBackup {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Of another chain.
    #[error("the backup is of the chain {found}, and the spec makes {expected}; use that chain's backup or spec")]
    OtherChain {
        /// The backup's chain.
        found: Hash,
        /// The spec's.
        expected: Hash,
    },
    /// A file is not what was backed up.
    #[error("{path} is not what was backed up: {reason}; take another backup")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// A backup of nothing.
    #[error("the store ends at genesis, and there is nothing to back up or restore: start the node with an empty home")]
    OnlyGenesis,
    /// The store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store can't be read.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The state can't be read.
    #[error("the state of the backup can't be read: {0}; take another backup")]
    State(#[from] StateError),
    /// The last block is not final by the validators that the spec begins with.
    #[error(
        "block {height} of the backup is not certified: {reason}; take another backup, or use the spec of this chain"
    )]
    NotCertified {
        /// The block.
        height: Height,
        /// What is wrong.
        reason: ProofError,
    },
    /// What the store holds does not belong together.
    #[error("{what} of block {height} in the backup is not what its header says; take another backup")]
    Differs {
        /// What.
        what: &'static str,
        /// Of which block.
        height: Height,
    },
    /// The values are not those of the certified root.
    #[error(
        "the values of the backup have the root {found}, and the certified header of block {height} says {expected}; take another backup"
    )]
    OtherRoot {
        /// The last block.
        height: Height,
        /// The certified root.
        expected: Hash,
        /// Worked out from all values.
        found: Hash,
    },
    /// The home has no store.
    #[error("{0} holds no store; name the configuration of a node that has run")]
    NoStore(PathBuf),
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The running node did not answer.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The running node refused.
    #[error("the running node could not do it: {0}; see to that, and do it again")]
    Refused(String),
}

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The network's name.
    pub network: String,
    /// Genesis hash.
    pub chain: Hash,
    /// The last block.
    pub height: Height,
    /// Its header's hash.
    pub header_hash: Hash,
    /// The root of the state after it.
    pub state_root: Hash,
    /// The lowest height whose block is there.
    pub blocks_from: Height,
    /// When the backup was made, ms since 1970.
    pub made_ms: u64,
    /// The files of the store.
    pub files: Vec<StoredFile>,
}

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredFile {
    /// Its name in the store's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its content.
    pub blake3: Hash,
}

impl Manifest {
    /// Reads what the backup in `folder` says of itself.
    ///
    /// # Errors
    /// It is none.
    pub fn read(folder: &Path) -> Result<Self, BackupError> {
        let path = folder.join(MANIFEST);
        let wrong = |reason: String| BackupError::NoBackup { path: folder.into(), reason };
        let size = std::fs::metadata(&path).map_err(|error| wrong(format!("{MANIFEST}: {error}")))?.len();
        if size > MAX_BACKUP_MANIFEST {
            return Err(wrong(format!("{MANIFEST} has {size} bytes")));
        }
        let bytes = std::fs::read(&path).map_err(io("reading", &path))?;
        let manifest: Self =
            serde_json::from_slice(&bytes).map_err(|error| wrong(format!("{MANIFEST} can't be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(wrong(format!("it has the format {}, and this version reads {FORMAT}", manifest.format)));
        }
        if manifest.files.len() > MAX_BACKUP_FILES {
            return Err(wrong(format!("it names {} files", manifest.files.len())));
        }
        match manifest.files.iter().find(|file| !is_plain_name(&file.name)) {
            Some(file) => Err(wrong(format!("it names a file `{}`", file.name))),
            None => Ok(manifest),
        }
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

fn is_plain_name(name: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

/// Makes a backup in `target` of the store of `genesis`' chain, which `checkpoint` has its database copy into the folder that it
/// is given.
///
/// # Errors
/// What is in the way; what was made by then has no manifest, and is no backup.
pub fn make(
    target: &Path,
    genesis: &Genesis,
    made: Timestamp,
    checkpoint: impl FnOnce(&Path) -> Result<(), BackupError>,
) -> Result<Manifest, BackupError> {
    if has_entries(target)? {
        return Err(BackupError::NotEmpty(target.into()));
    }
    std::fs::create_dir_all(target).map_err(io("making", target))?;
    let store = target.join(STORE);
    checkpoint(&store)?;
    let names = file_names(&store)?;
    let chain_id = genesis.chain();
    let chain = Chain::new(Arc::new(Store::open_to_read(&store, &chain_id, CACHE)?));
    let head = last_block(&chain)?;
    let blocks_from = chain.lowest()?;
    drop(chain);
    let files = names
        .into_iter()
        .map(|name| {
            let path = store.join(&name);
            let (bytes, blake3) = copy(&path, &mut std::io::sink(), &path)?;
            File::open(&path).and_then(|file| file.sync_all()).map_err(io("syncing", &path))?;
            Ok(StoredFile { name, bytes, blake3 })
        })
        .collect::<Result<Vec<_>, BackupError>>()?;
    sync_folder(&store)?;
    let manifest = Manifest {
        format: FORMAT,
        network: genesis.network.clone(),
        chain: chain_id,
        height: head.header.height,
        header_hash: head.hash,
        state_root: head.header.state_root,
        blocks_from,
        made_ms: made.0,
        files,
    };
    write_json(target, MANIFEST, &manifest).map_err(io("writing", &target.join(MANIFEST)))?;
    sync_folder(target)?;
    Ok(manifest)
}

/// Has the store of `home` copied to `to`: by the node that runs there, or here where none runs.
///
/// # Errors
/// What is in the way.
pub fn checkpoint(home: &Path, chain: &Hash, to: &Path) -> Result<(), BackupError> {
    match admin::ask(home, &Request::Checkpoint { to: to.into() }) {
        Ok(Answer::Done) => return Ok(()),
        Ok(Answer::Refused(reason)) => return Err(BackupError::Refused(reason)),
        Err(AdminError::NotRunning(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let store = home.join(STORE);
    if !has_entries(&store)? {
        return Err(BackupError::NoStore(store));
    }
    Ok(Store::open(&store, chain, CACHE)?.checkpoint(to)?)
}

/// The database's own files in a folder; its notes on what it does are none of them.
fn file_names(store: &Path) -> Result<Vec<String>, BackupError> {
    let read = || -> std::io::Result<Vec<String>> {
        std::fs::read_dir(store)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let mut names = read().map_err(io("listing", store))?;
    names.retain(|name| name != "LOCK" && !name.starts_with("LOG"));
    names.sort();
    Ok(names)
}

/// What is to be restored, and where.
#[derive(Debug)]
pub struct Restore<'a> {
    /// The backup's folder; `None`: nothing but the fence, for a home whose store is lost and that gets its blocks from peers.
    pub from: Option<&'a Path>,
    /// The home, without a store and a log.
    pub home: &'a Path,
    /// What the spec begins with.
    pub genesis: &'a Genesis,
    /// The chain's secret.
    pub secret: &'a [u8; 32],
    /// The highest height in which this validator can have voted, if that is known for certain.
    pub voted_through: Option<Height>,
    /// The clock.
    pub now: Timestamp,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The last block; `None`: the store is empty.
    pub head: Option<(Height, Hash)>,
    /// From when on the node votes.
    pub fence: Fence,
}

impl Restore<'_> {
    /// Copies, checks everything, sets the fence, and only then gives the store its name.
    ///
    /// # Errors
    /// What is wrong; the home has no store then.
    pub fn run(&self) -> Result<Restored, BackupError> {
        for name in [STORE, LOG] {
            let path = self.home.join(name);
            if has_entries(&path)? {
                return Err(BackupError::AlreadyThere(path));
            }
        }
        let partial = self.home.join(PARTIAL);
        remove(&partial)?;
        std::fs::create_dir_all(&partial).map_err(io("making", &partial))?;
        let restored = self.fill(&partial);
        if restored.is_err() {
            // The reason counts, not whether the rest could be removed: the next try does that.
            let _ = std::fs::remove_dir_all(&partial);
        }
        let restored = restored?;
        let store = self.home.join(STORE);
        // An empty folder may be there.
        remove(&store)?;
        std::fs::rename(&partial, &store).map_err(io("naming", &store))?;
        sync_folder(self.home)?;
        Ok(restored)
    }

    fn fill(&self, partial: &Path) -> Result<Restored, BackupError> {
        let chain_id = self.genesis.chain();
        let manifest = self.from.map(|from| self.copy_files(from, partial)).transpose()?;
        let store = Arc::new(Store::open(partial, &chain_id, CACHE)?);
        let chain = Chain::new(store.clone());
        let head = manifest.map(|manifest| self.check(&chain, &store, &manifest)).transpose()?;
        let fence = self.fence();
        chain.set_fence(fence)?;
        sync_folder(partial)?;
        Ok(Restored { head: head.map(|head| (head.header.height, head.hash)), fence })
    }

    /// Where this validator may have voted nobody knows but its lost log, so it votes only where it can't have voted.
    fn fence(&self) -> Fence {
        match self.voted_through {
            Some(height) => Fence::Above(height),
            None => Fence::After(Timestamp(self.now.0.saturating_add(FENCE_AFTER_MS))),
        }
    }

    fn copy_files(&self, from: &Path, partial: &Path) -> Result<Manifest, BackupError> {
        let manifest = Manifest::read(from)?;
        let expected = self.genesis.chain();
        if manifest.chain != expected {
            return Err(BackupError::OtherChain { found: manifest.chain, expected });
        }
        for file in &manifest.files {
            let (path, target) = (from.join(STORE).join(&file.name), partial.join(&file.name));
            let mut copied = File::create_new(&target).map_err(io("making", &target))?;
            let (bytes, blake3) = copy(&path, &mut copied, &target)?;
            copied.sync_all().map_err(io("syncing", &target))?;
            if (bytes, blake3) != (file.bytes, file.blake3) {
                let reason = if bytes == file.bytes { "its content differs" } else { "its length differs" };
                return Err(BackupError::Damaged { path, reason });
            }
        }
        Ok(manifest)
    }

    /// From the spec's validators over every change of the set to the last block, from there to the root, the values, and all
    /// that is kept of the blocks.
    fn check(&self, chain: &Chain<Store>, store: &Arc<Store>, manifest: &Manifest) -> Result<ChainHead, BackupError> {
        let head = last_block(chain)?;
        let (header, height) = (&head.header, head.header.height);
        if (height, head.hash, header.state_root) != (manifest.height, manifest.header_hash, manifest.state_root) {
            return Err(BackupError::Differs { what: "the manifest", height });
        }
        self.check_certified(chain, &head)?;
        let mut hashes = chain.header_hashes(height)?;
        let before = list_root(&hashes);
        hashes.push(head.hash);
        if before != header.history_root || list_root(&hashes) != head.history.root() {
            return Err(BackupError::Differs { what: "the history", height });
        }
        check_blocks(chain, &head)?;
        let options = Options::new(SaltKey::derive(self.secret));
        let state = State::open(store.clone(), options, Some((height, header.state_root)))?;
        let found = state.audit()?;
        if found != header.state_root {
            return Err(BackupError::OtherRoot { height, expected: header.state_root, found });
        }
        Ok(head)
    }

    fn check_certified(&self, chain: &Chain<Store>, head: &ChainHead) -> Result<(), BackupError> {
        let validator = |validator: &GenesisValidator| Validator {
            member: MemberId::from_name(&validator.member),
            key: validator.key,
            power: validator.power,
        };
        let set = ValidatorSet::new(self.genesis.validators.iter().map(validator).collect());
        let (chain_id, last) = (self.genesis.chain(), head.header.height);
        let mut trusted = set.hash();
        let mut from = Height(1);
        loop {
            let handovers = chain.handovers(from, HANDOVERS)?;
            for height in handovers.iter().copied().filter(|height| *height < last) {
                trusted = verified(chain, &chain_id, trusted, height)?.next_validators_hash;
            }
            match handovers.last() {
                Some(height) if *height < last => from = height.next(),
                _ => break,
            }
        }
        let certified = verified(chain, &chain_id, trusted, last)?;
        if certified.hash() == head.hash && certified == head.header {
            return Ok(());
        }
        Err(BackupError::Differs { what: "the header", height: last })
    }
}

/// The header at a height, if the set with the hash `trusted` has certified it.
fn verified(
    chain: &Chain<Store>,
    chain_id: &Hash,
    trusted: Hash,
    height: Height,
) -> Result<portolan_primitives::Header, BackupError> {
    let certified = chain.certified_header(height)?;
    let certified = certified.ok_or(BackupError::Differs { what: "the certificate", height })?;
    let anchor = Anchor::Validators { chain: *chain_id, validators_hash: trusted };
    let verified = HeaderProof::of(certified).verify(&anchor);
    let verified = verified.map_err(|reason| BackupError::NotCertified { height, reason })?;
    if verified.header().height != height {
        return Err(BackupError::Differs { what: "the height", height });
    }
    Ok(verified.header().clone())
}

/// Every kept header is the one of the history, and the blocks of which a transaction could run again hold those that they held.
fn check_blocks(chain: &Chain<Store>, head: &ChainHead) -> Result<(), BackupError> {
    for height in (chain.lowest()?.0..=head.header.height.0).map(Height) {
        let differs = |what| BackupError::Differs { what, height };
        let header = chain.header(height)?.ok_or(differs("the header"))?;
        if Some(header.hash()) != chain.header_hash(height)? {
            return Err(differs("the header"));
        }
        if SeenWindow::covers(header.time, head.header.time) {
            let transactions = chain.transactions(height)?.ok_or(differs("the body"))?;
            let wires: Vec<Hash> = transactions.iter().map(|transaction| transaction.wire_hash()).collect();
            if list_root(&wires) != header.transactions_root {
                return Err(differs("the body"));
            }
        }
    }
    Ok(())
}

fn last_block(chain: &Chain<Store>) -> Result<ChainHead, BackupError> {
    chain.head()?.filter(|head| head.header.height > Height(0)).ok_or(BackupError::OnlyGenesis)
}

/// Copies a file; gives its length and hash.
fn copy(from: &Path, to: &mut impl Write, to_path: &Path) -> Result<(u64, Hash), BackupError> {
    let mut file = File::open(from).map_err(io("opening", from))?;
    let (mut hasher, mut buffer, mut bytes) = (blake3::Hasher::new(), vec![0; CHUNK], 0);
    loop {
        let read = file.read(&mut buffer).map_err(io("reading", from))?;
        if read == 0 {
            return Ok((bytes, Hash(*hasher.finalize().as_bytes())));
        }
        hasher.update(&buffer[..read]);
        to.write_all(&buffer[..read]).map_err(io("writing", to_path))?;
        bytes += read as u64;
    }
}

fn has_entries(folder: &Path) -> Result<bool, BackupError> {
    match std::fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(io("listing", folder)(error)),
    }
}

fn remove(folder: &Path) -> Result<(), BackupError> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io("removing", folder)(error)),
        _ => Ok(()),
    }
}

fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("syncing", folder))
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl Fn(std::io::Error) -> BackupError + 'a {
    move |source| BackupError::Io { path: path.into(), action, source }
}
