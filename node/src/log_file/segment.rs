//! One file of the log: its header, reading it whole, and appending synced groups to it.

use std::path::Path;

use portolan_primitives::{Hash, Height};

use super::group::{self, CHECKSUM, HEADER};
use super::{Folder, LogError, Medium, Record, io};

const MAGIC: [u8; 8] = *b"PORTLOG\x01";
const FRONT: usize = 8 + 32 + 32;

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Segment<M> {
    pub(super) number: u64,
    pub(super) name: String,
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
    pub(super) whole: u64,
    /// Bytes behind that.
    torn: u64,
}

/// The segments in a folder, by number.
pub(super) fn list<F: Folder>(folder: &F) -> Result<Vec<(u64, String)>, LogError> {
    let mut found = Vec::new();
    for name in folder.list().map_err(io(folder.path(), "listing the folder"))? {
        let number = name.strip_prefix("consensus-").and_then(|rest| rest.strip_suffix(".log"));
        if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
            found.push((number, name));
        }
    }
    found.sort();
    Ok(found)
}

fn name(number: u64) -> String {
    format!("consensus-{number:012}.log")
}

/// Reads a segment; only in the last one may the end be torn.
pub(super) fn read<F: Folder>(folder: &F, name: &str, chain: Hash, last: bool) -> Result<Contents, LogError> {
    let path = folder.path().join(name);
    let bytes = folder.read(name).map_err(io(&path, "reading"))?;
    let mut contents = Contents { records: Vec::new(), highest: Height(0), salt: None, whole: 0, torn: 0 };
    if bytes.len() < FRONT && last {
        // The power went while the segment was being made; nothing was in it.
        return Ok(contents);
    }
    let salt = front(&path, chain, &bytes)?;
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
            None => return Err(LogError::Corrupt { path, offset: contents.whole }),
        }
    }
    contents.torn = bytes.len() as u64 - contents.whole;
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
    pub(super) fn create<F: Folder<Medium = M>>(folder: &F, number: u64, chain: Hash) -> Result<Self, LogError> {
        let name = name(number);
        let path = folder.path().join(&name);
        let salt = folder.salt().map_err(io(&path, "asking the system for random bytes"))?;
        let front = [&MAGIC[..], &chain.0, &salt].concat();
        let medium = folder.create(&name, &front).map_err(io(&path, "creating"))?;
        Ok(Self { number, name, length: FRONT as u64, highest: Height(0), salt, medium })
    }

    /// Opens a segment that was read, and cuts its torn end off.
    pub(super) fn reopen<F: Folder<Medium = M>>(
        folder: &F,
        number: u64,
        chain: Hash,
        read: &Contents,
    ) -> Result<Self, LogError> {
        let Some(salt) = read.salt else {
            return Self::create(folder, number, chain);
        };
        let name = name(number);
        let path = folder.path().join(&name);
        if read.torn > 0 {
            tracing::warn!(path = %path.display(), bytes = read.torn, "cutting a torn end off the consensus log");
        }
        let medium = folder.reopen(&name, read.whole).map_err(io(&path, "opening"))?;
        Ok(Self { number, name, length: read.whole, highest: read.highest, salt, medium })
    }

    /// Writes one group and waits for the disk.
    pub(super) fn write_group(&mut self, folder: &Path, payload: &[u8], highest: Height) -> Result<(), LogError> {
        let bytes = group::seal(&self.salt, self.length, payload);
        let path = folder.join(&self.name);
        self.medium.append(&bytes).map_err(io(&path, "writing"))?;
        self.medium.sync().map_err(io(&path, "syncing"))?;
        self.length += bytes.len() as u64;
        self.highest = self.highest.max(highest);
        Ok(())
    }
}
