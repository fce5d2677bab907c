//! One file of the log: its header, reading it whole, and appending synced groups to it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use portolan_primitives::{Hash, Height};

use super::group::{self, CHECKSUM, HEADER};
use super::{LogError, Medium, Record, io};

const MAGIC: [u8; 8] = *b"PORTLOG\x01";
const FRONT: usize = 8 + 32 + 32;

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Segment<M> {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    pub(super) length: u64,
    pub(super) highest: Height,
    salt: [u8; 32],
    medium: M,
}

/// What a segment held.
pub(super) struct Contents {
    pub(super) records: Vec<Record>,
    pub(super) highest: Height,
    salt: Option<[u8; 32]>,
    /// Up to where it is whole.
    whole: u64,
    chain: Hash,
}

/// The segments in `directory`, by number.
pub(super) fn list(directory: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io(directory, "listing the folder"))? {
        let path = entry.map_err(io(directory, "listing the folder"))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let number = name.strip_prefix("consensus-").and_then(|rest| rest.strip_suffix(".log"));
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

fn name(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("consensus-{number:012}.log"))
}

/// Reads a segment; only in the last one may the end be torn.
pub(super) fn read(path: &Path, chain: Hash, last: bool) -> Result<Contents, LogError> {
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(io(path, "opening"))?;
    file.read_to_end(&mut bytes).map_err(io(path, "reading"))?;
    let mut contents = Contents { records: Vec::new(), highest: Height(0), salt: None, whole: 0, chain };
    if bytes.len() < FRONT && last {
        // The power went while the segment was being made; nothing was in it.
        return Ok(contents);
    }
    let salt = front(path, chain, &bytes)?;
    contents.salt = Some(salt);
    contents.whole = FRONT as u64;
    while (contents.whole as usize) < bytes.len() {
        match next_group(&salt, contents.whole, &bytes) {
            Some((records, length)) => {
                contents.highest = records.iter().map(|record| record.height).fold(contents.highest, Height::max);
                contents.records.extend(records);
                contents.whole += length as u64;
            }
            None if last && is_torn(&salt, contents.whole, &bytes) => break,
            None => return Err(LogError::Corrupt { path: path.into(), offset: contents.whole }),
        }
    }
    Ok(contents)
}

fn front(path: &Path, chain: Hash, bytes: &[u8]) -> Result<[u8; 32], LogError> {
    let foreign = || LogError::Foreign { path: path.into() };
    let (magic, rest) = bytes.split_at_checked(8).ok_or_else(foreign)?;
    let (found, rest) = rest.split_at_checked(32).ok_or_else(foreign)?;
    let salt = rest.get(..32).and_then(|salt| salt.try_into().ok()).ok_or_else(foreign)?;
    if magic != MAGIC {
        return Err(foreign());
    }
    if found != chain.0 {
        let found = found.try_into().map(Hash).map_err(|_| foreign())?;
        return Err(LogError::OtherChain { path: path.into(), found, expected: chain });
    }
    Ok(salt)
}

/// The records of the group at `offset` and its length, if it is whole.
fn next_group(salt: &[u8; 32], offset: u64, bytes: &[u8]) -> Option<(Vec<Record>, usize)> {
    let rest = bytes.get(offset as usize..)?;
    let length = group::header(salt, offset, rest)?;
    let payload = rest.get(HEADER..HEADER + length)?;
    let given = rest.get(HEADER + length..HEADER + length + CHECKSUM)?;
    if !group::is_whole(salt, offset, payload, given) {
        return None;
    }
    Some((group::records(payload)?, HEADER + length + CHECKSUM))
}

/// Whether what is at `offset` can be a last group that the disk got in part: nothing may follow it. A group is begun only
/// after the one before it was synced.
fn is_torn(salt: &[u8; 32], offset: u64, bytes: &[u8]) -> bool {
    let rest = &bytes[offset as usize..];
    match group::header(salt, offset, rest) {
        Some(length) => HEADER + length + CHECKSUM >= rest.len(),
        None => (1..rest.len()).all(|step| group::header(salt, offset + step as u64, &rest[step..]).is_none()),
    }
}

impl<M: Medium> Segment<M> {
    /// Makes segment `number`; it is on disk, and in its folder, when this returns.
    pub(super) fn create(directory: &Path, number: u64, chain: Hash) -> Result<Self, LogError> {
        let path = name(directory, number);
        Self::create_at(number, path, chain)
    }

    fn create_at(number: u64, path: PathBuf, chain: Hash) -> Result<Self, LogError> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| {
            let source = std::io::Error::other(error.to_string());
            LogError::Io { path: path.clone(), action: "asking the system for random bytes", source }
        })?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        let mut file = options.open(&path).map_err(io(&path, "creating"))?;
        let front = [&MAGIC[..], &chain.0, &salt].concat();
        file.write_all(&front).and_then(|()| file.sync_all()).map_err(io(&path, "writing"))?;
        if let Some(directory) = path.parent() {
            let synced = File::open(directory).and_then(|folder| folder.sync_all());
            synced.map_err(io(directory, "syncing the folder"))?;
        }
        Ok(Self { number, path, length: FRONT as u64, highest: Height(0), salt, medium: file.into() })
    }

    /// Opens a segment that was read, and cuts its torn end off.
    pub(super) fn reopen(number: u64, path: PathBuf, read: &Contents) -> Result<Self, LogError> {
        let Some(salt) = read.salt else {
            return Self::create_at(number, path, read.chain);
        };
        let mut file = OpenOptions::new().write(true).open(&path).map_err(io(&path, "opening"))?;
        let length = file.metadata().map_err(io(&path, "reading the length"))?.len();
        if length > read.whole {
            tracing::warn!(path = %path.display(), bytes = length - read.whole, "cutting a torn end off the consensus log");
            file.set_len(read.whole).and_then(|()| file.sync_all()).map_err(io(&path, "cutting the torn end"))?;
        }
        file.seek(SeekFrom::Start(read.whole)).map_err(io(&path, "seeking"))?;
        Ok(Self { number, path, length: read.whole, highest: read.highest, salt, medium: file.into() })
    }

    /// Writes one group and waits for the disk.
    pub(super) fn write_group(&mut self, payload: &[u8], highest: Height) -> Result<(), LogError> {
        let bytes = group::seal(&self.salt, self.length, payload);
        self.medium.append(&bytes).map_err(io(&self.path, "writing"))?;
        self.medium.sync().map_err(io(&self.path, "syncing"))?;
        self.length += bytes.len() as u64;
        self.highest = self.highest.max(highest);
        Ok(())
    }
}
