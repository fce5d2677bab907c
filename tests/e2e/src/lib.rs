//! Real processes, end to end: a devnet a test, in a folder of its own, on free ports.
//!
//! Needs the binaries beside the tests (`cargo build --release --workspace --bins`; `scripts/test` does it). Must never look into a
//! node's files for a result: what counts is what its API and the tool say.

#![forbid(unsafe_code)]

pub mod hand;
pub mod power;
pub mod soak;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A devnet of its own, which ends with the test.
pub struct Devnet {
    folder: tempfile::TempDir,
}

/// What a command of the tool ended with.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Of a process that ended.
    pub fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// The last line of standard output as JSON.
    pub fn json(&self) -> Value {
        let line = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("no JSON ({error}) in {self:?}"))
    }

    /// The same, and it was done.
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

/// A built binary: beside a program, one level above a test.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let folders = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    let path = folders.clone().find(|path| path.exists()).or(folders.last()).unwrap_or_default();
    assert!(path.exists(), "{} is missing: cargo build --release --workspace --bins", path.display());
    path
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

/// Runs the tool with these words.
pub fn portolan(words: &[&str]) -> Said {
    let output = Command::new(binary("portolan")).args(words).env_remove("PORTOLAN_DEVNET_DIR").output();
    Said::of(output.unwrap_or_else(|error| panic!("portolan does not start: {error}")))
}

impl Devnet {
    /// A folder without a network.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}")) }
    }

    /// A running network.
    pub fn up() -> Self {
        let devnet = Self::empty();
        devnet.devnet(&["up"]).done();
        devnet
    }

    /// Its folder.
    pub fn dir(&self) -> String {
        self.folder.path().join("net").display().to_string()
    }

    /// `portolan devnet` with these words.
    pub fn devnet(&self, words: &[&str]) -> Said {
        let dir = self.dir();
        portolan(&[&["--json", "devnet", "--dir", &dir], words].concat())
    }

    /// The tool on this devnet.
    pub fn portolan(&self, words: &[&str]) -> Said {
        let dir = self.dir();
        portolan(&[&["--json", "--devnet-dir", &dir], words].concat())
    }

    /// The nodes as `nodes.json` lists them.
    pub fn nodes(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(Path::new(&self.dir()).join("nodes.json")).unwrap_or_default();
        let nodes: Value = serde_json::from_str(&text).unwrap_or_default();
        nodes.as_array().cloned().unwrap_or_default()
    }

    /// A node's API.
    pub fn api(&self, name: &str) -> String {
        let nodes = self.nodes();
        let node = nodes.iter().find(|node| node["name"] == name);
        node.and_then(|node| node["api"].as_str()).unwrap_or_default().to_owned()
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let _ = self.devnet(&["down"]);
    }
}

/// A GET: status and body as JSON (or text within a JSON string).
pub fn get(url: &str) -> (u16, Value) {
    answer(agent().get(url).call())
}

/// A POST of bytes.
pub fn post(url: &str, body: &[u8]) -> (u16, Value) {
    answer(agent().post(url).header("content-type", "application/octet-stream").send(body))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut response = result.unwrap_or_else(|error| panic!("no answer: {error}"));
    let text = response.body_mut().read_to_string().unwrap_or_default();
    (response.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
