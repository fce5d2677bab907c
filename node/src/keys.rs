//! Keys at rest: encrypted PKCS#8 PEM files (scrypt, AES-256-CBC) that OpenSSL reads too, and where their passphrase comes from.
//!
//! A key file or passphrase file that others on the machine can read is refused. Must never print or log a secret; what held
//! one in memory is wiped.

use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use portolan_primitives::SigningKey;
use zeroize::Zeroizing;

use crate::config::Keys;
use crate::limits::MAX_SMALL_FILE;

/// scrypt's cost, 2^14 turns with blocks of 8: 16 MiB, the most that OpenSSL takes without being told.
const SCRYPT_LOG_N: u8 = 14;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;
/// Shortest passphrase, characters.
const SHORTEST_PASSPHRASE: usize = 8;
const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Can't be read or written.
    #[error("{action} {path} failed: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error(
        "{path} can be read by others (mode {mode:03o}): run `chmod 600 {path}`, and change the key if others were on this machine"
    )]
    Permissions {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Too large for what it should be.
    #[error("{path} is larger than {limit} bytes: neither a key nor a passphrase")]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Bytes allowed.
        limit: u64,
    },
    /// Not such a file.
    #[error(
        "{0} is no encrypted PKCS#8 key in PEM form; `portolan-node init` and `portolan key generate` write such files"
    )]
    Format(PathBuf),
    /// Costs that a hostile file could ask for.
    #[error(
        "{0} asks for more memory or time than a key file may; encrypt it again with `openssl pkcs8 -topk8 -scrypt`"
    )]
    Cost(PathBuf),
    /// The passphrase does not open it.
    #[error("the passphrase does not open {0}")]
    WrongPassphrase(PathBuf),
    /// Opened, but no Ed25519 key in it.
    #[error("{0} holds no Ed25519 key")]
    OtherKey(PathBuf),
    /// No such environment variable.
    #[error("the environment variable `{0}`, which should hold the passphrase, is not set")]
    NoVariable(String),
    /// Too short.
    #[error("the passphrase has fewer than {SHORTEST_PASSPHRASE} characters")]
    ShortPassphrase,
    /// The configuration names no source.
    #[error(
        "the configuration names no source of the passphrase; set `keys.passphrase_file`, `keys.passphrase_env` or `keys.passphrase_fd`"
    )]
    NoSource,
    /// The file is there already.
    #[error("{0} exists already and is not overwritten")]
    Exists(PathBuf),
    /// No random bytes, or the encryption refused.
    #[error("can't make a key file: {0}")]
    Make(String),
}

/// A passphrase in memory; wiped when dropped, never printed.
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(hidden)")
    }
}

impl Passphrase {
    /// The passphrase `text`, without the line's end.
    pub fn new(text: String) -> Result<Self, KeyFileError> {
        let text = Zeroizing::new(text);
        let line = text.trim_end_matches(['\r', '\n']);
        if line.chars().count() < SHORTEST_PASSPHRASE {
            return Err(KeyFileError::ShortPassphrase);
        }
        Ok(Self(Zeroizing::new(line.to_owned())))
    }

    /// The passphrase from where `keys` says.
    pub fn find(keys: &Keys) -> Result<Self, KeyFileError> {
        if let Some(path) = &keys.passphrase_file {
            return Self::new(read_private(path)?);
        }
        if let Some(variable) = &keys.passphrase_env {
            let text = std::env::var(variable).map_err(|_| KeyFileError::NoVariable(variable.clone()))?;
            return Self::new(text);
        }
        let descriptor = keys.passphrase_fd.ok_or(KeyFileError::NoSource)?;
        // The kernel's folder of open descriptors spares an unsafe call.
        Self::new(read_limited(Path::new(&format!("/dev/fd/{descriptor}")))?)
    }

    fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A new random key.
pub fn generate() -> Result<SigningKey, KeyFileError> {
    let mut secret = Zeroizing::new([0; 32]);
    fill(secret.as_mut())?;
    SigningKey::from_secret(secret.as_ref()).map_err(|error| KeyFileError::Make(error.to_string()))
}

/// Opens the key file at `path`.
pub fn read(path: &Path, passphrase: &Passphrase) -> Result<SigningKey, KeyFileError> {
    let text = Zeroizing::new(read_private(path)?);
    let format = |_| KeyFileError::Format(path.into());
    let (label, document) = SecretDocument::from_pem(&text).map_err(format)?;
    if label != LABEL {
        return Err(KeyFileError::Format(path.into()));
    }
    let sealed =
        EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| KeyFileError::Format(path.into()))?;
    check_cost(path, &sealed)?;
    let opened = sealed.decrypt(passphrase.as_bytes()).map_err(|_| KeyFileError::WrongPassphrase(path.into()))?;
    // A wrong passphrase gives well-padded nonsense now and then.
    PrivateKeyInfoRef::try_from(opened.as_bytes()).map_err(|_| KeyFileError::WrongPassphrase(path.into()))?;
    let key = ed25519_dalek::SigningKey::from_pkcs8_der(opened.as_bytes())
        .map_err(|_| KeyFileError::OtherKey(path.into()))?;
    Ok(SigningKey::from(key))
}

/// Writes `key` to a new file at `path` that only its owner can read; it is on disk when this returns.
pub fn write(path: &Path, key: &SigningKey, passphrase: &Passphrase) -> Result<(), KeyFileError> {
    let text = seal(key, passphrase)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io(folder, "making the folder"))?;
    }
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists(path.into()));
        }
        opened => opened.map_err(io(path, "creating"))?,
    };
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io(path, "writing"))
}

fn seal(key: &SigningKey, passphrase: &Passphrase) -> Result<Zeroizing<String>, KeyFileError> {
    let make = |error: &dyn std::fmt::Display| KeyFileError::Make(error.to_string());
    let (mut salt, mut iv) = ([0; 16], [0; 16]);
    fill(&mut salt)?;
    fill(&mut iv)?;
    let cost = scrypt::Params::new(SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P).map_err(|error| make(&error))?;
    let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, iv).map_err(|error| make(&error))?;
    // Without the public half: OpenSSL 3.0 does not read the newer form that holds it.
    let pair = KeypairBytes { secret_key: key.dalek().to_bytes(), public_key: None };
    let plain = pair.to_pkcs8_der().map_err(|error| make(&error))?;
    let plain = PrivateKeyInfoRef::try_from(plain.as_bytes()).map_err(|error| make(&error))?;
    let sealed = plain.encrypt_with_params(scheme, passphrase.as_bytes()).map_err(|error| make(&error))?;
    sealed.to_pem(LABEL, LineEnding::LF).map_err(|error| make(&error))
}

/// Refuses derivations that cost more than 256 MiB or a few seconds, which only a hostile file asks for.
fn check_cost(path: &Path, sealed: &EncryptedPrivateKeyInfoRef<'_>) -> Result<(), KeyFileError> {
    let kdf = sealed.encryption_algorithm.pbes2().map(|scheme| &scheme.kdf);
    let costs_too_much = match kdf {
        Some(pbes2::Kdf::Scrypt(scrypt)) => {
            let memory = u128::from(scrypt.cost_parameter) * u128::from(scrypt.block_size) * 128;
            memory > 256 << 20 || scrypt.parallelization > 16
        }
        Some(pbes2::Kdf::Pbkdf2(pbkdf2)) => pbkdf2.iteration_count > 10_000_000,
        _ => return Err(KeyFileError::Format(path.into())),
    };
    if costs_too_much { Err(KeyFileError::Cost(path.into())) } else { Ok(()) }
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyFileError> {
    getrandom::fill(bytes).map_err(|error| KeyFileError::Make(error.to_string()))
}

/// The text of a file that only its owner may read.
fn read_private(path: &Path) -> Result<String, KeyFileError> {
    let data = std::fs::metadata(path).map_err(io(path, "reading"))?;
    let mode = data.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Permissions { path: path.into(), mode });
    }
    read_limited(path)
}

fn read_limited(path: &Path) -> Result<String, KeyFileError> {
    let file = std::fs::File::open(path).map_err(io(path, "opening"))?;
    let mut text = String::new();
    file.take(MAX_SMALL_FILE + 1).read_to_string(&mut text).map_err(io(path, "reading"))?;
    if text.len() as u64 > MAX_SMALL_FILE {
        return Err(KeyFileError::TooLarge { path: path.into(), limit: MAX_SMALL_FILE });
    }
    Ok(text)
}

fn io<'a>(path: &'a Path, action: &'static str) -> impl FnOnce(std::io::Error) -> KeyFileError + 'a {
    move |source| KeyFileError::Io { path: path.into(), action, source }
}
