//! Key files: what was written opens again, with its passphrase and in private hands only.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use portolan_node::keys::{self, KeyFileError, Passphrase};
use portolan_primitives::SigningKey;

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into()).unwrap()
}

fn written(folder: &Path) -> (PathBuf, SigningKey) {
    let path = folder.join("keys/node.pem");
    let key = keys::generate().unwrap();
    keys::write(&path, &key, &passphrase("correct horse")).unwrap();
    (path, key)
}

#[test]
fn a_key_opens_with_its_passphrase_and_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = written(folder.path());
    let opened = keys::read(&path, &passphrase("correct horse\n")).unwrap();
    assert_eq!(opened.public(), key.public());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
}

#[test]
fn a_wrong_passphrase_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = written(folder.path());
    for attempt in 0..20 {
        let opened = keys::read(&path, &passphrase(&format!("wrong horse {attempt}")));
        assert!(matches!(opened, Err(KeyFileError::WrongPassphrase(_))), "{opened:?}");
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = written(folder.path());
    for mode in [0o640, 0o604, 0o666] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = keys::read(&path, &passphrase("correct horse")).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_passphrase_file_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("passphrase");
    std::fs::write(&path, "correct horse\n").unwrap();
    let source = portolan_node::config::Keys { passphrase_file: Some(path.clone()), ..Default::default() };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Passphrase::find(&source), Err(KeyFileError::Permissions { mode: 0o644, .. })));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Passphrase::find(&source).is_ok());
}

#[test]
fn a_key_file_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = written(folder.path());
    let again = keys::write(&path, &keys::generate().unwrap(), &passphrase("correct horse"));
    assert!(matches!(again, Err(KeyFileError::Exists(_))));
    assert_eq!(keys::read(&path, &passphrase("correct horse")).unwrap().public(), key.public());
}

#[test]
fn what_is_no_key_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    let plain = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    for text in ["", "garbage", plain] {
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let opened = keys::read(&path, &passphrase("correct horse"));
        assert!(matches!(opened, Err(KeyFileError::Format(_))), "{opened:?}");
    }
    let (written, _) = written(folder.path());
    let text = std::fs::read_to_string(&written).unwrap();
    for length in [30, 100, text.len() - 40] {
        std::fs::write(&path, &text[..length]).unwrap();
        assert!(
            matches!(keys::read(&path, &passphrase("correct horse")), Err(KeyFileError::Format(_))),
            "length {length}"
        );
    }
}

#[test]
fn a_short_passphrase_is_refused() {
    assert!(matches!(Passphrase::new("short\n".into()), Err(KeyFileError::ShortPassphrase)));
}

#[test]
fn a_passphrase_never_prints() {
    assert_eq!(format!("{:?}", passphrase("correct horse")), "Passphrase(hidden)");
}

/// Whether the machine has OpenSSL; where it has not, there is nothing to compare with.
fn openssl() -> bool {
    Command::new("openssl").arg("version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn openssl_opens_our_files_and_we_open_its_files() {
    if !openssl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = written(folder.path());
    let run = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let public =
        run(&["pkey", "-in", path.to_str().unwrap(), "-passin", "pass:correct horse", "-pubout", "-outform", "DER"]);
    let portolan_primitives::PublicKey::Ed25519(bytes) = key.public();
    assert!(public.ends_with(&bytes));

    let theirs = folder.path().join("theirs.pem");
    let plain = folder.path().join("plain.pem");
    run(&["genpkey", "-algorithm", "ed25519", "-out", plain.to_str().unwrap()]);
    run(&[
        "pkcs8",
        "-topk8",
        "-scrypt",
        "-in",
        plain.to_str().unwrap(),
        "-out",
        theirs.to_str().unwrap(),
        "-passout",
        "pass:correct horse",
    ]);
    std::fs::set_permissions(&theirs, std::fs::Permissions::from_mode(0o600)).unwrap();
    let opened = keys::read(&theirs, &passphrase("correct horse")).unwrap();
    let public = run(&["pkey", "-in", plain.to_str().unwrap(), "-pubout", "-outform", "DER"]);
    let portolan_primitives::PublicKey::Ed25519(bytes) = opened.public();
    assert!(public.ends_with(&bytes));
}

#[test]
fn a_key_file_that_asks_for_gigabytes_is_refused_before_it_gets_them() {
    if !openssl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (plain, costly) = (folder.path().join("plain.pem"), folder.path().join("costly.pem"));
    let run = |arguments: &[&str]| Command::new("openssl").args(arguments).output().unwrap();
    run(&["genpkey", "-algorithm", "ed25519", "-out", plain.to_str().unwrap()]);
    // 20 million turns of PBKDF2 cost a minute or more to whoever only tries the file.
    let pbkdf2 = [
        "pkcs8",
        "-topk8",
        "-iter",
        "20000000",
        "-v2",
        "aes-256-cbc",
        "-in",
        plain.to_str().unwrap(),
        "-out",
        costly.to_str().unwrap(),
        "-passout",
        "pass:correct horse",
    ];
    assert!(run(&pbkdf2).status.success());
    std::fs::set_permissions(&costly, std::fs::Permissions::from_mode(0o600)).unwrap();
    let opened = keys::read(&costly, &passphrase("correct horse"));
    assert!(matches!(opened, Err(KeyFileError::Cost(_))), "{opened:?}");
}
