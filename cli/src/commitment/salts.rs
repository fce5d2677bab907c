//! The owner's file of salts: written once, and destroyed by overwriting it where it lies.
//!
//! What a copy, a snapshot or a file system that never overwrites still holds is beyond a tool's reach; `docs/disclosure.md` says so to people.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use portolan_primitives::Hash;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::{DisclosureError, SaltedDocument};
use crate::error::{CliError, CliResult};

/// Longest file of salts, bytes.
const MAX_FILE_BYTES: u64 = 128 * 1024 * 1024;
/// Bytes overwritten at once.
const BLOCK: usize = 64 * 1024;

/// What is left of a file whose salts are destroyed: enough to leave the receipt again, and to show no field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tombstone {
    /// The document, `doc1…`.
    pub document: String,
    /// The root that no field can be shown under any more.
    pub commitment: Hash,
}

/// What an owner's file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SaltsFile {
    /// Fields with their salts.
    Salts(SaltedDocument),
    /// The salts are destroyed. None: the file was overwritten, and what stood in it is not known.
    Erased(Option<Tombstone>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Erased {
    erased: Tombstone,
}

/// Reads an owner's file; its salts are checked to be a document's.
pub fn read(path: &Path) -> CliResult<SaltsFile> {
    let malformed = |reason: String| CliError::from(DisclosureError::MalformedSalts { reason });
    let length = std::fs::metadata(path).map_err(CliError::file(path))?.len();
    if length > MAX_FILE_BYTES {
        return Err(malformed(format!("it has {length} bytes")));
    }
    let mut bytes = std::fs::read(path).map_err(CliError::file(path))?;
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(SaltsFile::Erased(None));
    }
    if let Ok(Erased { erased }) = serde_json::from_slice(&bytes) {
        return Ok(SaltsFile::Erased(Some(erased)));
    }
    let salts: Result<SaltedDocument, _> = serde_json::from_slice(&bytes);
    bytes.zeroize();
    let salts = salts.map_err(|error| malformed(error.to_string()))?;
    salts.check()?;
    Ok(SaltsFile::Salts(salts))
}

/// Writes salts into a new file, for its owner's eyes alone. A file that is there already is left alone: it may hold the only salts of an
/// earlier document.
pub fn write_new(path: &Path, salts: &SaltedDocument) -> CliResult<()> {
    salts.check()?;
    let text = serde_json::to_string_pretty(salts).map_err(|error| CliError::refused("json", error.to_string()))?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let message = format!(
                "{} is there already and may hold the only salts of another document; name another file",
                path.display()
            );
            CliError::refused("file_exists", message)
        }
        _ => CliError::file(path)(error),
    })?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(CliError::file(path))?;
    sync_folder(path)
}

/// Overwrites the file where it lies, syncs it, and leaves the tombstone in it. A crash in between leaves zeros, which read as erased.
pub fn destroy(path: &Path, tombstone: &Tombstone) -> CliResult<()> {
    let mut file = OpenOptions::new().write(true).open(path).map_err(CliError::file(path))?;
    overwrite(&mut file).map_err(CliError::file(path))?;
    let left = Erased { erased: tombstone.clone() };
    let text = serde_json::to_string_pretty(&left).map_err(|error| CliError::refused("json", error.to_string()))?;
    let leave = |file: &mut File| {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)?;
        file.sync_all()
    };
    leave(&mut file).map_err(CliError::file(path))?;
    sync_folder(path)
}

fn overwrite(file: &mut File) -> std::io::Result<()> {
    let mut left = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    while left > 0 {
        let block = left.min(BLOCK as u64);
        file.write_all(&[0; BLOCK][..block as usize])?;
        left -= block;
    }
    file.sync_all()
}

fn sync_folder(path: &Path) -> CliResult<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(CliError::file(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own, gone with the test.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("portolan-salts-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn code<T: std::fmt::Debug>(result: CliResult<T>) -> String {
        result.unwrap_err().code()
    }

    fn salts() -> SaltedDocument {
        // Values that no hash in hex can hold by chance.
        SaltedDocument::new(&[("number", "INV-2026-17".to_owned()), ("total", "100.00 CNY".into())]).unwrap()
    }

    fn tombstone(salts: &SaltedDocument) -> Tombstone {
        Tombstone { document: "doc1x".into(), commitment: salts.commitment() }
    }

    #[test]
    fn salts_are_kept_in_a_new_file_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new("new");
        let path = folder.0.join("a.salts.json");
        write_new(&path, &salts()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let kept = std::fs::read(&path).unwrap();
        assert_eq!(code(write_new(&path, &salts())), "file_exists");
        assert_eq!(std::fs::read(&path).unwrap(), kept, "the earlier salts are still there");
    }

    #[test]
    fn destroyed_salts_are_overwritten_where_they_lay() {
        let folder = Folder::new("destroy");
        let (path, second) = (folder.0.join("a.salts.json"), folder.0.join("second-name"));
        let salts = salts();
        write_new(&path, &salts).unwrap();
        // A second name of the same bytes on disk: a file that is merely replaced would still be whole under it.
        std::fs::hard_link(&path, &second).unwrap();
        destroy(&path, &tombstone(&salts)).unwrap();
        for name in [&path, &second] {
            let text = std::fs::read_to_string(name).unwrap();
            let secrets = salts.fields.iter().flat_map(|field| [field.salt.to_string(), field.value.clone()]);
            assert!(secrets.into_iter().all(|secret| !text.contains(&secret)), "{text}");
        }
        assert_eq!(read(&path).unwrap(), SaltsFile::Erased(Some(tombstone(&salts))));
    }

    #[test]
    fn what_a_crash_leaves_of_a_destroyed_file_reads_as_erased() {
        let folder = Folder::new("crash");
        let path = folder.0.join("a.salts.json");
        std::fs::write(&path, [0; 300]).unwrap();
        assert_eq!(read(&path).unwrap(), SaltsFile::Erased(None));
    }

    #[test]
    fn what_is_no_file_of_salts_is_refused() {
        let folder = Folder::new("malformed");
        let path = folder.0.join("a.salts.json");
        for text in ["{", "[]", r#"{"fields":[{"name":"a","value":"1"}]}"#, r#"{"fields":[],"more":1}"#] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(code(read(&path)), "malformed_salts", "{text}");
        }
        let mut twice = salts();
        twice.fields[1].name = "number".into();
        std::fs::write(&path, serde_json::to_string(&twice).unwrap()).unwrap();
        assert_eq!(code(read(&path)), "duplicate_field");
        assert_eq!(code(write_new(&folder.0.join("b"), &twice)), "duplicate_field");
        assert_eq!(code(read(&folder.0.join("none"))), "file");
    }
}
