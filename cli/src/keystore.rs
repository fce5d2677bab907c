//! The user's keys at rest: a folder with one encrypted PKCS#8 file a key, and `accounts.json`, which says with which keys an
//! account signs unless the command names others. Must never write a secret in the clear.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use portolan_node::keys::{self, KeyFileError, Passphrase};
use portolan_primitives::id::is_name;
use portolan_primitives::{KeyId, PublicKey, SigningKey};
use serde::{Deserialize, Serialize};

/// File with the keys of each account.
const ACCOUNTS: &str = "accounts.json";
/// File with the passphrase, which a devnet keeps beside its keys.
const PASSPHRASE_FILE: &str = "passphrase";
/// Environment variable with the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "PORTOLAN_PASSPHRASE";

/// Why the keystore gives no key.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The key file itself.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// No such key.
    #[error(
        "there is no key `{name}` in {folder}; `portolan key show` lists the keys, `portolan key generate` makes one"
    )]
    UnknownKey {
        /// Asked for.
        name: String,
        /// Where.
        folder: String,
    },
    /// Not a name.
    #[error("`{0}` is no name for a key: 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit")]
    BadName(String),
    /// No keys for an account.
    #[error("no keys are noted for `{0}`; name them with --key, or note them with `portolan key use ACCOUNT KEY…`")]
    NoKeys(String),
    /// No passphrase.
    #[error(
        "the keys are encrypted and there is no passphrase: set {PASSPHRASE_VARIABLE}, or use --passphrase-file FILE"
    )]
    NoPassphrase,
    /// A damaged file.
    #[error("{path} is damaged ({reason}); repair it or make it anew")]
    Damaged {
        /// Which.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A file.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl KeystoreError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyFile(KeyFileError::WrongPassphrase(_)) => "wrong_passphrase",
            Self::KeyFile(KeyFileError::Permissions { .. }) => "key_file_permissions",
            Self::KeyFile(_) => "key_file",
            Self::UnknownKey { .. } => "unknown_local_key",
            Self::BadName(_) => "bad_key_name",
            Self::NoKeys(_) => "no_keys_for_account",
            Self::NoPassphrase => "no_passphrase",
            Self::Damaged { .. } => "keystore_damaged",
            Self::File { .. } => "keystore_file",
        }
    }
}

/// What is public of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicFacts {
    /// Its name in this keystore.
    pub name: String,
    /// The key.
    pub public: PublicKey,
    /// Its id on the chain.
    pub id: KeyId,
}

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct Keystore {
    folder: PathBuf,
    passphrase_file: Option<PathBuf>,
}

/// Result of asking the keystore.
pub type KeystoreResult<T> = Result<T, KeystoreError>;

impl Keystore {
    /// The keystore in `folder`, its passphrase in `passphrase_file` if there is one.
    pub fn new(folder: PathBuf, passphrase_file: Option<PathBuf>) -> Self {
        Self { folder, passphrase_file }
    }

    /// Makes a new key.
    pub fn generate(&self, name: &str) -> KeystoreResult<PublicFacts> {
        self.store(name, &keys::generate()?)
    }

    /// Takes in a key from an encrypted PKCS#8 file.
    pub fn import(&self, name: &str, file: &Path, passphrase: &Passphrase) -> KeystoreResult<PublicFacts> {
        self.store(name, &keys::read(file, passphrase)?)
    }

    /// Writes a key under `name`, which must be free.
    pub fn store(&self, name: &str, key: &SigningKey) -> KeystoreResult<PublicFacts> {
        if !is_name(name) {
            return Err(KeystoreError::BadName(name.into()));
        }
        keys::write(&self.path(name), key, &self.passphrase()?)?;
        let facts = PublicFacts { name: name.into(), public: key.public(), id: key.public().id() };
        self.write_json(&self.public_path(name), &facts)?;
        Ok(facts)
    }

    /// Opens the key `name`.
    pub fn open(&self, name: &str) -> KeystoreResult<SigningKey> {
        let path = self.path(name);
        if !is_name(name) || !path.exists() {
            return Err(KeystoreError::UnknownKey { name: name.into(), folder: self.folder.display().to_string() });
        }
        Ok(keys::read(&path, &self.passphrase()?)?)
    }

    /// The keys, by name; needs no passphrase.
    pub fn list(&self) -> KeystoreResult<Vec<PublicFacts>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            entries => entries.map_err(file(&self.folder))?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(file(&self.folder))?.path();
            if path.to_string_lossy().ends_with(".pub.json") {
                found.push(self.read_json(&path)?);
            }
        }
        found.sort_by(|one: &PublicFacts, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// Names of the keys with which `account` (as `member/account`) signs: those noted for it, or the only key there is.
    pub fn keys_of(&self, account: &str) -> KeystoreResult<Vec<String>> {
        if let Some(noted) = self.accounts()?.remove(account) {
            return Ok(noted);
        }
        match self.list()?.as_slice() {
            // Nothing else could be meant.
            [only] => Ok(vec![only.name.clone()]),
            _ => Err(KeystoreError::NoKeys(account.into())),
        }
    }

    /// The accounts for which keys are noted.
    pub fn accounts(&self) -> KeystoreResult<BTreeMap<String, Vec<String>>> {
        let path = self.folder.join(ACCOUNTS);
        if path.exists() { self.read_json(&path) } else { Ok(BTreeMap::new()) }
    }

    /// Notes with which keys `account` signs.
    pub fn note(&self, account: &str, keys: Vec<String>) -> KeystoreResult<()> {
        let mut accounts = self.accounts()?;
        accounts.insert(account.into(), keys);
        self.write_json(&self.folder.join(ACCOUNTS), &accounts)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pem"))
    }

    fn public_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pub.json"))
    }

    /// From the file that was named, the environment, the devnet's file, or the terminal, in this order.
    fn passphrase(&self) -> KeystoreResult<Passphrase> {
        let beside = Some(self.folder.join(PASSPHRASE_FILE)).filter(|path| path.exists());
        let from_environment = std::env::var(PASSPHRASE_VARIABLE).ok();
        if let Some(path) = &self.passphrase_file {
            return read_passphrase(path);
        }
        if let Some(text) = from_environment {
            return Ok(Passphrase::new(text)?);
        }
        if let Some(path) = beside {
            return read_passphrase(&path);
        }
        if !std::io::stdin().is_terminal() {
            return Err(KeystoreError::NoPassphrase);
        }
        let text = rpassword::prompt_password("Passphrase of the keystore: ").map_err(file(&self.folder))?;
        Ok(Passphrase::new(text)?)
    }

    fn read_json<T: serde::de::DeserializeOwned>(&self, path: &Path) -> KeystoreResult<T> {
        let text = std::fs::read_to_string(path).map_err(file(path))?;
        let damaged = |error: serde_json::Error| KeystoreError::Damaged {
            path: path.display().to_string(),
            reason: error.to_string(),
        };
        serde_json::from_str(&text).map_err(damaged)
    }

    /// Writes beside and renames, so that a crash leaves the old file or the new one.
    fn write_json<T: Serialize>(&self, path: &Path, value: &T) -> KeystoreResult<()> {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        std::fs::create_dir_all(&self.folder).map_err(file(&self.folder))?;
        let beside = path.with_extension("new");
        std::fs::write(&beside, format!("{text}\n")).map_err(file(&beside))?;
        std::fs::rename(&beside, path).map_err(file(path))
    }
}

fn read_passphrase(path: &Path) -> KeystoreResult<Passphrase> {
    let source = portolan_node::config::Keys { passphrase_file: Some(path.into()), ..Default::default() };
    Ok(Passphrase::find(&source)?)
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> KeystoreError {
    let path = path.display().to_string();
    move |source| KeystoreError::File { path, source }
}
