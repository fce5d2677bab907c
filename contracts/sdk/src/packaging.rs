//! Puts a contract's metadata into its built module, and says what came out. Run by `scripts/build-contracts` through each
//! contract's `examples/package-NAME.rs`:
//!
//! ```text
//! fn main() -> std::process::ExitCode {
//!     portolan_sdk::packaging::main(&receivable::NATIVE)
//! }
//! ```

use std::{env, fs, io, process::ExitCode};

use crate::{abi::METADATA_SECTION, metadata::ContractMetadata, testing::NativeContract};

/// Magic and version at the beginning of every module.
const WASM_HEADER: [u8; 8] = *b"\0asm\x01\0\0\0";

/// Why no module was written or described.
#[derive(Debug)]
pub enum PackagingError {
    /// Not called as `package BUILT.wasm PACKAGED.wasm` or `package PACKAGED.wasm`.
    Usage,
    /// A file could not be read or written.
    File(String, io::Error),
    /// The file is no WebAssembly module, or is cut off.
    NotAModule,
    /// The packaged module describes another interface than the contract's source.
    Stale(String),
}

impl std::fmt::Display for PackagingError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Usage => write!(
                out,
                "say which module to package (package BUILT.wasm PACKAGED.wasm) or to check (package PACKAGED.wasm)"
            ),
            Self::File(path, error) => write!(out, "{path}: {error}"),
            Self::NotAModule => {
                write!(out, "the file is no WebAssembly module: build the contract for wasm32-unknown-unknown first")
            }
            Self::Stale(path) => {
                write!(out, "{path} was built from another interface than the source's: run scripts/build-contracts")
            }
        }
    }
}

impl std::error::Error for PackagingError {}

/// The packaging tool: `package BUILT.wasm PACKAGED.wasm` packages, `package PACKAGED.wasm` checks that a packaged module
/// describes the interface of the source. Both print the module's line of the manifest.
#[must_use]
pub fn main(contract: &NativeContract) -> ExitCode {
    match package(contract, &env::args().skip(1).collect::<Vec<_>>()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn package(contract: &NativeContract, arguments: &[String]) -> Result<String, PackagingError> {
    let metadata = (contract.metadata)();
    match arguments {
        [built, packaged] => {
            let module = with_metadata(&read(built)?, &metadata)?;
            fs::write(packaged, &module).map_err(|error| PackagingError::File(packaged.clone(), error))?;
            Ok(manifest_line(&metadata, &module))
        }
        [packaged] => {
            let module = read(packaged)?;
            let fresh = with_metadata(&module, &metadata)? == module;
            fresh.then(|| manifest_line(&metadata, &module)).ok_or_else(|| PackagingError::Stale(packaged.clone()))
        }
        _ => Err(PackagingError::Usage),
    }
}

fn read(path: &str) -> Result<Vec<u8>, PackagingError> {
    fs::read(path).map_err(|error| PackagingError::File(path.into(), error))
}

fn manifest_line(metadata: &ContractMetadata, module: &[u8]) -> String {
    let (name, version, hash) = (&metadata.name, &metadata.version, blake3::hash(module).to_hex());
    format!(r#"{{"name":"{name}","version":"{version}","blake3":"{hash}","bytes":{}}}"#, module.len())
}

/// The module without its custom sections (names, producers), and with the metadata as the only one.
///
/// # Errors
/// [`PackagingError::NotAModule`].
pub fn with_metadata(module: &[u8], metadata: &ContractMetadata) -> Result<Vec<u8>, PackagingError> {
    let mut packaged = WASM_HEADER.to_vec();
    let mut rest = module.strip_prefix(&WASM_HEADER).ok_or(PackagingError::NotAModule)?;
    while let Some((&id, after_id)) = rest.split_first() {
        let (length, body) = read_leb(after_id).ok_or(PackagingError::NotAModule)?;
        let end = body.get(length..).ok_or(PackagingError::NotAModule)?;
        if id != 0 {
            packaged.extend_from_slice(&rest[..rest.len() - end.len()]);
        }
        rest = end;
    }
    push_section(&mut packaged, &metadata.to_bytes());
    Ok(packaged)
}

fn push_section(module: &mut Vec<u8>, content: &[u8]) {
    let mut body = leb(METADATA_SECTION.len());
    body.extend_from_slice(METADATA_SECTION.as_bytes());
    body.extend_from_slice(content);
    module.push(0);
    module.extend(leb(body.len()));
    module.extend(body);
}

/// Unsigned LEB128, as every length in a module is written.
fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn read_leb(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Builder;

    fn metadata() -> ContractMetadata {
        Builder::new("counter", "1.0.0", "").finish::<(), (), (), ()>()
    }

    fn custom(name: &str, content: &[u8]) -> Vec<u8> {
        let mut section = vec![0];
        section.extend(leb(1 + name.len() + content.len()));
        section.extend(leb(name.len()));
        section.extend_from_slice(name.as_bytes());
        section.extend_from_slice(content);
        section
    }

    #[test]
    fn the_metadata_is_the_only_custom_section_of_a_packaged_module() {
        let types = [1, 4, 1, 0x60, 0, 0];
        let module = [&WASM_HEADER[..], &custom("name", b"x"), &types, &custom("producers", &[7; 300])].concat();
        let packaged = with_metadata(&module, &metadata()).expect("a module");
        assert_eq!(packaged, [&WASM_HEADER[..], &types, &custom(METADATA_SECTION, &metadata().to_bytes())].concat());
        assert_eq!(
            with_metadata(&packaged, &metadata()).expect("a module"),
            packaged,
            "packaging twice changes nothing"
        );
    }

    #[test]
    fn what_is_no_module_is_refused() {
        let cut = [&WASM_HEADER[..], &[1, 9, 1]].concat();
        for bytes in [&b"not wasm"[..], &[], &cut, &[&WASM_HEADER[..], &[1, 0xff, 0xff, 0xff, 0xff, 0xff]].concat()] {
            assert!(matches!(with_metadata(bytes, &metadata()), Err(PackagingError::NotAModule)), "{bytes:?}");
        }
    }

    #[test]
    fn lengths_survive_the_round_trip() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x0fff_ffff] {
            assert_eq!(read_leb(&leb(value)), Some((value, &[][..])));
        }
    }
}
