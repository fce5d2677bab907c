//! A network made by hand, as the README tells: organisations with keys of their own, one chain-spec, a configuration each.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::power::Disk;
use crate::{Said, binary};

/// Of all keys.
pub const PASSPHRASE: &str = "a network made by hand";
/// The organisations that found the network, each with a validator.
pub const FOUNDERS: [(&str, &str); 4] =
    [("harbour-bank", "bank"), ("blue-line", "logistics"), ("port-customs", "customs"), ("tide-platform", "platform")];

/// The organisations' folders, and the nodes that run.
pub struct Consortium {
    folder: tempfile::TempDir,
    /// Addresses of the nodes' APIs.
    pub apis: BTreeMap<&'static str, String>,
    nodes: Vec<Child>,
    /// How the nodes' disks are played, if they are.
    played: Option<(Disk, PathBuf)>,
}

/// The nodes' processes, to end them while others use the network.
pub struct Nodes(Vec<u32>);

impl Nodes {
    /// Ends all at once (SIGKILL).
    pub fn kill(&self) {
        let ids: Vec<String> = self.0.iter().map(u32::to_string).collect();
        let ended = Command::new("kill").arg("-9").args(ids).status();
        assert!(ended.is_ok_and(|status| status.success()), "the nodes are ended");
    }
}

impl Consortium {
    /// Each organisation's keys in its own place, one spec of their public halves, and a configuration each.
    pub fn founded() -> Self {
        let mut made =
            Self { folder: tempfile::tempdir().unwrap(), apis: BTreeMap::new(), nodes: Vec::new(), played: None };
        let members: Vec<String> = FOUNDERS.iter().map(|(name, role)| made.founder(name, role)).collect();
        let spec = made.path("spec.json");
        let mut words = vec!["chain-spec", "new", &spec, "--network", "trade", "--devnet-from", "2026-01-05"];
        members.iter().for_each(|member| words.extend(["--member", member]));
        made.portolan(&words).done();
        let checked = made.portolan(&["chain-spec", "check", &spec]).done().json();
        assert_eq!((&checked["members"], &checked["validators"]), (&4.into(), &4.into()));
        made.configure(&spec);
        made
    }

    /// Where something of the consortium lies.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, program: PathBuf, words: &[&str]) -> Said {
        let output = Command::new(program)
            .args(words)
            .env("PORTOLAN_PASSPHRASE", PASSPHRASE)
            .env_remove("PORTOLAN_DEVNET_DIR")
            .current_dir(self.folder.path())
            .output();
        Said::of(output.unwrap())
    }

    /// The tool, for programs.
    pub fn portolan(&self, words: &[&str]) -> Said {
        self.run(binary("portolan"), &[&["--json"], words].concat())
    }

    /// The tool in the hands of a member's administrator, at the bank's node.
    pub fn admin(&self, member: &str, words: &[&str]) -> Said {
        self.at("harbour-bank", member, words)
    }

    /// The tool in the hands of a member's administrator, at some node.
    pub fn at(&self, node: &str, member: &str, words: &[&str]) -> Said {
        let (keystore, account) = (self.path(&format!("{member}/keystore")), format!("{member}/admin"));
        let who = ["--node", &self.apis[node], "--keystore", &keystore, "--as", &account];
        self.portolan(&[&who[..], words].concat())
    }

    /// Makes a member's administrator's key; its public half.
    pub fn key(&self, member: &str) -> String {
        let keystore = self.path(&format!("{member}/keystore"));
        let made = self.portolan(&["key", "generate", "admin", "--keystore", &keystore]).done().json();
        made["public"].as_str().unwrap().to_owned()
    }

    fn founder(&self, name: &str, role: &str) -> String {
        let (home, admin) = (self.path(&format!("{name}/node")), self.key(name));
        let words = ["init", "--home", &home, "--member", name, "--passphrase-env", "PORTOLAN_PASSPHRASE", "--json"];
        let keys = self.run(binary("portolan-node"), &words).done().json();
        let text = |field: &str| keys[field].as_str().unwrap().to_owned();
        format!("{name}:{role}:{admin}:{}:{}", text("validator_key"), text("node_key"))
    }

    fn configure(&mut self, spec: &str) {
        // Held until all are chosen, so that no port is given twice.
        let listeners: Vec<TcpListener> = (0..8).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<String> = listeners.iter().map(|held| held.local_addr().unwrap().to_string()).collect();
        drop(listeners);
        let peers: Vec<String> =
            FOUNDERS.iter().zip(&ports[4..]).map(|((name, _), address)| format!("{name}@{address}")).collect();
        for (index, (name, _)) in FOUNDERS.iter().enumerate() {
            let home = self.path(&format!("{name}/node"));
            let mut words = vec!["init", "--home", &home, "--member", name, "--spec", spec];
            words.extend(["--api", &ports[index], "--p2p", &ports[index + 4]]);
            words.extend(["--passphrase-env", "PORTOLAN_PASSPHRASE"]);
            let others = peers.iter().enumerate().filter(|(other, _)| *other != index);
            others.for_each(|(_, peer)| words.extend(["--peer", peer]));
            self.run(binary("portolan-node"), &words).done();
            let config = format!("{home}/node.toml");
            self.run(binary("portolan-node"), &["check-config", "--config", &config]).done();
            self.apis.insert(*name, format!("http://{}", ports[index]));
        }
    }

    /// From now on the nodes' disks are played by this library.
    pub fn play_disks(&mut self, disk: Disk, library: &Path) {
        self.played = Some((disk, library.to_owned()));
    }

    /// The nodes that run.
    pub fn hold_nodes(&self) -> Nodes {
        Nodes(self.nodes.iter().map(Child::id).collect())
    }

    /// Ends all nodes at once.
    pub fn kill_all(&mut self) {
        for mut node in self.nodes.drain(..) {
            let _ = node.kill();
            let _ = node.wait();
        }
    }

    /// Starts all nodes, then hears each say on one line that it takes part: none does before three are there.
    pub fn start(&mut self) {
        for (name, _) in FOUNDERS {
            let config = self.path(&format!("{name}/node/node.toml"));
            let disk = self.played.as_ref().map(|(disk, library)| self.played_disk(name, *disk, library));
            let node = Command::new(binary("portolan-node"))
                .args(["run", "--config", &config])
                .envs(disk.unwrap_or_default())
                .env("PORTOLAN_PASSPHRASE", PASSPHRASE)
                .stdout(Stdio::piped())
                .stderr(std::fs::File::create(self.path(&format!("{name}.log"))).unwrap())
                .spawn();
            self.nodes.push(node.unwrap());
        }
        let logs: Vec<String> = FOUNDERS.iter().map(|(name, _)| self.path(&format!("{name}.log"))).collect();
        for (node, log) in self.nodes.iter_mut().zip(logs) {
            let mut line = String::new();
            BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert!(line.contains("\"api\""), "{line:?} {}", std::fs::read_to_string(log).unwrap_or_default());
        }
    }
}

impl Drop for Consortium {
    fn drop(&mut self) {
        self.kill_all();
    }
}
