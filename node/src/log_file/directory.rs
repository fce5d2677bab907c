//! Segments as files in a directory of the file system.

use std::fs::{File, OpenOptions};
use std::io::{Error, Result, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Folder, Medium};

/// A directory of the file system.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// The directory at `path`, made if there is none.
    ///
    /// # Errors
    /// The system refuses.
    pub fn make(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)?;
        Ok(Self(path.into()))
    }
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> Result<()> {
        self.sync_data()
    }
}

impl Folder for Directory {
    type Medium = File;

    fn path(&self) -> &Path {
        &self.0
    }

    fn salt(&self) -> Result<[u8; 32]> {
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(|error| Error::other(error.to_string()))?;
        Ok(salt)
    }

    fn list(&self) -> Result<Vec<String>> {
        let names = std::fs::read_dir(&self.0)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    fn read(&self, name: &str) -> Result<Vec<u8>> {
        std::fs::read(self.0.join(name))
    }

    fn create(&self, name: &str, front: &[u8]) -> Result<File> {
        let mut file = File::create(self.0.join(name))?;
        file.write_all(front)?;
        file.sync_all()?;
        File::open(&self.0)?.sync_all()?;
        Ok(file)
    }

    fn reopen(&self, name: &str, length: u64) -> Result<File> {
        let mut file = OpenOptions::new().write(true).open(self.0.join(name))?;
        if file.metadata()?.len() > length {
            file.set_len(length)?;
            file.sync_all()?;
        }
        file.seek(SeekFrom::Start(length))?;
        Ok(file)
    }

    fn remove(&self, name: &str) -> Result<()> {
        std::fs::remove_file(self.0.join(name))
    }
}
