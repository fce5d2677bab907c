//! The power cut of every node at once: `power.c`, loaded into the nodes, keeps what was synced and nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::hand::{Consortium, FOUNDERS};

/// What the disks do with a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// Keep what is synced.
    Honest,
    /// Answer that it is synced, and forget it.
    Forgets,
}

/// Builds the library that plays the disk.
pub fn library(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/power.c");
    let library = folder.join("power.so");
    let built =
        Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").output();
    let built = built.unwrap_or_else(|error| panic!("no C compiler (`cc`), which RocksDB needs too: {error}"));
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

impl Consortium {
    /// Environment of a node whose disk is played; its home as it is now counts as synced.
    pub fn played_disk(&self, name: &str, disk: Disk, library: &Path) -> Vec<(&'static str, String)> {
        let (home, kept) = (self.path(&format!("{name}/node")), self.path(&format!("{name}/disk")));
        let _ = std::fs::remove_dir_all(&kept);
        copy_tree(Path::new(&home), Path::new(&kept));
        let mut environment =
            vec![("LD_PRELOAD", library.display().to_string()), ("POWER_HOME", home), ("POWER_DISK", kept)];
        if disk == Disk::Forgets {
            environment.push(("POWER_FORGET", "1".into()));
        }
        environment
    }

    /// Cuts the power of all nodes: they are gone at once, and each home is what its disk kept.
    pub fn cut_power(&mut self) {
        self.kill_all();
        for (name, _) in FOUNDERS {
            let (home, kept) = (self.path(&format!("{name}/node")), self.path(&format!("{name}/disk")));
            std::fs::remove_dir_all(&home).unwrap_or_else(|error| panic!("{home}: {error}"));
            copy_tree(Path::new(&kept), Path::new(&home));
        }
    }
}

fn copy_tree(from: &Path, to: &Path) {
    let failed = |error: std::io::Error| panic!("{} to {}: {error}", from.display(), to.display());
    std::fs::create_dir_all(to).unwrap_or_else(failed);
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let path = entry.unwrap_or_else(|error| panic!("{}: {error}", from.display())).path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy_tree(&path, &to.join(name));
        } else {
            // With its permissions: keys stay private.
            std::fs::copy(&path, to.join(name)).map(drop).unwrap_or_else(failed);
        }
    }
}
