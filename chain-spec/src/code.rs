//! Where a contract's module comes from: beside the chain-spec, or built into this program. Found by hash only.

use std::path::{Path, PathBuf};

use portolan_primitives::{Domain, Hash, hash};

/// Hash under which a module is known.
pub fn code_hash(code: &[u8]) -> Hash {
    hash(Domain::Code, code)
}

/// A contract that this program brings.
#[derive(Clone, Copy, Debug)]
pub struct Artifact {
    /// Its usual name.
    pub name: &'static str,
    /// The module.
    pub code: &'static [u8],
}

macro_rules! artifacts {
    ($($name:literal,)*) => {
        /// The contracts that this program brings, in the order in which they are instantiated.
        pub fn built_in_contracts() -> &'static [Artifact] {
            &[$(Artifact {
                name: $name,
                code: include_bytes!(concat!("../../contracts/artifacts/", $name, ".wasm")),
            },)*]
        }
    };
}

artifacts!["trade-documents", "settlement", "receivable", "financing",];

/// Finds modules by their hash.
#[derive(Clone, Debug, Default)]
pub struct CodeSource {
    folder: Option<PathBuf>,
}

impl CodeSource {
    /// Modules in `contracts/` beside the chain-spec at `spec`, then those built in.
    pub fn beside(spec: &Path) -> Self {
        Self { folder: spec.parent().map(|parent| parent.join("contracts")) }
    }

    /// The module with this hash.
    pub fn find(&self, wanted: &Hash) -> Option<Vec<u8>> {
        let built_in = built_in_contracts().iter().find(|artifact| code_hash(artifact.code) == *wanted);
        self.find_in_folder(wanted).or_else(|| built_in.map(|artifact| artifact.code.to_vec()))
    }

    fn find_in_folder(&self, wanted: &Hash) -> Option<Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.as_ref()?).ok()?;
        let wasm = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(wasm);
        paths.filter_map(|path| std::fs::read(path).ok()).find(|code| code_hash(code) == *wanted)
    }
}
