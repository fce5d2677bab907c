//! Frozen vectors of every format: bytes in, hash out.
//!
//! A vector file holds what the code of a protocol version makes of fixed inputs. The tests compare; a difference is a
//! protocol change, which bumps a version and is reviewed as a diff of the file. `cargo run --release -p
//! portolan-conformance --example regenerate` writes the files anew. Must never be made to fit by hand.

#![forbid(unsafe_code)]

mod formats;
mod signatures;

use std::path::PathBuf;

use serde_json::Value;

/// A vector file's name and what the code makes of its inputs today.
pub type Vectors = (&'static str, fn() -> Value);

/// Every vector file. The tests fail when the folder holds another one.
pub const VECTORS: &[Vectors] = &[
    ("domains.json", formats::domains),
    ("ids.json", formats::ids),
    ("transaction.json", formats::transaction),
    ("block.json", formats::block),
    ("receipt.json", formats::receipt),
    ("vote.json", formats::vote),
    ("list.json", formats::list),
    ("signatures.json", signatures::signatures),
];

/// The folder of the vector files.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// A file's text as it is written: pretty JSON with a line break at its end.
pub fn render(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Lowercase hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
