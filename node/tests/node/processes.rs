//! Real processes, killed without warning: what a client was told is final stays, and the network goes on by itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use codec::Encode;
use portolan_primitives::{Transaction, TransactionId};
use serde_json::Value;

use crate::world::{MEMBERS, add_person, free_ports, make_home};

const BINARY: &str = env!("CARGO_BIN_EXE_portolan-node");

/// A node's process; killed when dropped.
struct Process {
    child: Child,
    api: String,
}

impl Process {
    fn spawn(config: &Path) -> Child {
        let log =
            std::fs::OpenOptions::new().create(true).append(true).open(config.with_file_name("node.log")).unwrap();
        let mut command = Command::new(BINARY);
        command.args(["run", "--config"]).arg(config).stdout(Stdio::piped()).stderr(log);
        command.spawn().unwrap()
    }

    /// Waits for the line that says that the node takes part in the network.
    fn ready(mut child: Child) -> Self {
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no ready line but {line:?}"));
        let api = ready["api"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, api }
    }

    fn request(&self, head: &str, body: &[u8]) -> (u16, Value) {
        request(&self.api, head, body).unwrap()
    }

    fn submit(&self, transaction: &Transaction) -> TransactionId {
        let (status, answer) = self.request("POST /v1/transactions", &transaction.encode());
        assert!(status == 202 || status == 200, "{status}: {answer}");
        transaction.body.id()
    }

    /// Waits until the transaction is final; gives its height.
    fn settled(&self, id: &TransactionId) -> u64 {
        let (_, answer) = self.request(&format!("GET /v1/transactions/{id}?wait_ms=30000"), &[]);
        assert_eq!(answer["status"], "final", "{answer}");
        answer["height"].as_u64().unwrap()
    }

    fn root(&self, height: u64) -> String {
        let (status, answer) = self.request(&format!("GET /v1/blocks/{height}"), &[]);
        assert_eq!(status, 200, "{answer}");
        answer["header"]["state_root"].as_str().unwrap().to_owned()
    }

    /// As a power cut: no signal that could be handled.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Network {
    _folder: tempfile::TempDir,
    configs: Vec<PathBuf>,
    nodes: Vec<Process>,
}

impl Network {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = free_ports();
        let configs: Vec<PathBuf> = (0..4)
            .map(|index| {
                let peers: Vec<String> = (0..4)
                    .filter(|other| *other != index)
                    .map(|other| format!("{}@127.0.0.1:{}", MEMBERS[other], ports[other]))
                    .collect();
                let home = folder.path().join(MEMBERS[index]);
                std::fs::create_dir(&home).unwrap();
                make_home(&home, MEMBERS[index], &format!("127.0.0.1:{}", ports[index]), &peers)
            })
            .collect();
        let mut network = Self { _folder: folder, configs, nodes: vec![] };
        network.start_all();
        network
    }

    fn start_all(&mut self) {
        let children: Vec<Child> = self.configs.iter().map(|config| Process::spawn(config)).collect();
        self.nodes = children.into_iter().map(Process::ready).collect();
    }

    fn kill_all(&mut self) {
        // All at once, as one power cut: signals first, then the waiting.
        for node in &mut self.nodes {
            node.child.kill().unwrap();
        }
        self.nodes.drain(..).for_each(Process::kill);
    }
}

/// A request and its whole answer, or why there is none.
fn request(api: &str, head: &str, body: &[u8]) -> std::io::Result<(u16, Value)> {
    let mut stream = TcpStream::connect(api)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let cut = || std::io::Error::other(format!("no whole answer: {text}"));
    let (front, content) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let status = front.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    Ok((status, serde_json::from_str(content)?))
}

/// A client that has one person after another added, and says what it was told is final, until its node is gone.
fn load(api: &str, name: &str, told: &Sender<(TransactionId, u64)>) {
    for number in 0.. {
        let transaction = add_person("customs", &format!("{name}-{number}"));
        let id = transaction.body.id();
        let answer = request(api, "POST /v1/transactions", &transaction.encode())
            .and_then(|_| request(api, &format!("GET /v1/transactions/{id}?wait_ms=30000"), &[]));
        let Ok((_, answer)) = answer else { return };
        assert_eq!(answer["status"], "final", "{answer}");
        told.send((id, answer["height"].as_u64().unwrap())).unwrap();
    }
}

fn people(front: &str, count: usize) -> Vec<Transaction> {
    (0..count).map(|number| add_person("customs", &format!("{front}-{number}"))).collect()
}

#[test]
fn what_was_final_survives_the_kill_of_one_node_and_of_all_four() {
    let mut network = Network::start();
    let first = people("first", 5);
    let mut finals: Vec<(TransactionId, u64)> = Vec::new();
    for transaction in &first {
        let id = network.nodes[0].submit(transaction);
        finals.push((id, network.nodes[0].settled(&id)));
    }

    // One is killed; the others go on; it comes back and has what it missed.
    network.nodes.remove(3).kill();
    for transaction in &people("second", 5) {
        let id = network.nodes[1].submit(transaction);
        finals.push((id, network.nodes[1].settled(&id)));
    }
    network.nodes.push(Process::ready(Process::spawn(&network.configs[3])));
    for (id, height) in &finals {
        assert_eq!(network.nodes[3].settled(id), *height);
    }

    // All are killed while transactions come in at each; of those under way some may have run, and some not.
    let (told, final_under_load) = channel();
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (api, told) = (network.nodes[client % 4].api.clone(), told.clone());
            std::thread::spawn(move || load(&api, &format!("third-{client}"), &told))
        })
        .collect();
    drop(told);
    finals.extend(final_under_load.iter().take(60));
    network.kill_all();
    finals.extend(final_under_load.iter());
    clients.into_iter().for_each(|client| client.join().unwrap());
    network.start_all();
    for (id, height) in &finals {
        for node in &network.nodes {
            assert_eq!(node.settled(id), *height, "what was final stays where it was");
        }
    }
    let last = add_person("customs", "after-all");
    let id = network.nodes[2].submit(&last);
    let height = network.nodes[2].settled(&id);
    let roots: std::collections::BTreeSet<String> = network
        .nodes
        .iter()
        .map(|node| {
            node.settled(&id);
            node.root(height)
        })
        .collect();
    assert_eq!(roots.len(), 1);
}

#[test]
fn a_node_that_is_told_to_stop_says_so_with_exit_code_zero() {
    let mut network = Network::start();
    let mut node = network.nodes.remove(0);
    let home = network.configs[0].parent().unwrap().to_owned();
    let pid = node.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = node.child.wait().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(!home.join("ready.json").exists());
    assert!(!home.join("halt.json").exists());
}

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(BINARY).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn init_makes_a_home_that_check_config_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let (spec, passphrase, home) =
        (folder.path().join("spec.json"), folder.path().join("passphrase"), folder.path().join("home"));
    std::fs::write(&spec, crate::world::spec().render()).unwrap();
    std::fs::write(&passphrase, "correct horse").unwrap();
    std::fs::set_permissions(&passphrase, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let (home, spec, passphrase) = (home.to_str().unwrap(), spec.to_str().unwrap(), passphrase.to_str().unwrap());
    let keys_first = ["init", "--home", home, "--member", "customs", "--passphrase-file", passphrase, "--json"];
    let (code, out, err) = run(&keys_first);
    assert_eq!(code, Some(0), "{err}");
    let made: Value = serde_json::from_str(&out).unwrap();
    assert!(made["config"].is_null());
    let whole: Vec<&str> = keys_first.iter().copied().chain(["--spec", spec]).collect();
    let (code, out, err) = run(&whole);
    assert_eq!(code, Some(0), "{err}");
    let again: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(again["node_key"], made["node_key"], "keys that are there are kept");
    assert_eq!(again["not_in_spec"].as_array().unwrap().len(), 2);
    let config = again["config"].as_str().unwrap();
    let (code, out, err) = run(&["check-config", "--config", config]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("customs"), "{out}");
    let (code, _, err) = run(&["check-config", "--config", config, "--set", "member=nobody"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("nobody"), "{err}");
}

#[test]
fn a_refused_start_names_its_reason_and_is_no_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let config = make_home(folder.path(), "customs", "127.0.0.1:0", &[]);
    let config = config.to_str().unwrap();
    let (code, _, err) = run(&["run", "--config", config, "--set", "api.lisen=127.0.0.1:0"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("did you mean `api.listen`"), "{err}");
    std::fs::write(folder.path().join("chain-spec.json"), "{}").unwrap();
    let (code, _, err) = run(&["run", "--config", config]);
    assert_eq!(code, Some(1));
    assert!(err.contains("chain-spec"), "{err}");
    assert_eq!(run(&["run"]).0, Some(2));
}

#[test]
fn no_room_on_the_disk_has_an_exit_code_of_its_own_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let config = make_home(folder.path(), "customs", "127.0.0.1:0", &[]);
    let config = config.to_str().unwrap();
    for _ in 0..2 {
        let (code, _, err) = run(&["run", "--config", config, "--set", "store.disk_reserve_mib=100000000"]);
        assert_eq!(code, Some(3), "{err}");
        assert!(err.contains("`store.disk_reserve_mib` keeps 100000000; make room, then start again"), "{err}");
    }
    // A node that may prune looks at what can go first, and then says the same.
    let pruned =
        ["run", "--config", config, "--set", "store.archive=false", "--set", "store.disk_reserve_mib=100000000"];
    assert_eq!(run(&pruned).0, Some(3));
}

#[test]
fn a_backup_taken_under_load_is_brought_back_by_the_commands_and_the_validator_goes_on() {
    let mut network = Network::start();
    let (told, finals) = channel();
    let clients: Vec<_> = (0..2)
        .map(|client| {
            let (api, told) = (network.nodes[client].api.clone(), told.clone());
            std::thread::spawn(move || load(&api, &format!("client-{client}"), &told))
        })
        .collect();
    drop(told);
    let mut known: Vec<_> = finals.iter().take(10).collect();
    let config = network.configs[3].to_str().unwrap().to_owned();
    let home = network.configs[3].parent().unwrap().to_owned();
    let target = home.with_file_name("backup");
    let target = target.to_str().unwrap();
    let (code, out, err) = run(&["backup", "--config", &config, target, "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let made: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(network.nodes[3].root(made["height"].as_u64().unwrap()), made["state_root"].as_str().unwrap());
    let (code, _, err) = run(&["backup", "--config", &config, target]);
    assert_eq!(code, Some(1));
    assert!(err.contains("is not empty"), "{err}");
    known.extend(finals.iter().take(10));

    // Its disk is lost. The others stop too, so that it is certain how far it can have voted: in the height after theirs.
    network.kill_all();
    known.extend(finals.iter());
    clients.into_iter().for_each(|client| client.join().unwrap());
    let (code, _, err) = run(&["restore", "--config", &config, target]);
    assert_eq!(code, Some(1));
    assert!(err.contains("store is there, and nothing is overwritten"), "{err}");
    std::fs::remove_dir_all(home.join("store")).unwrap();
    std::fs::remove_dir_all(home.join("log")).unwrap();
    let reached = known.iter().map(|(_, height)| *height).max().unwrap();
    let through = (reached + 20).to_string();
    let (code, out, err) = run(&["restore", "--config", &config, target, "--voted-through", &through, "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let restored: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&restored["height"], &restored["header_hash"]), (&made["height"], &made["header_hash"]));
    assert_eq!(restored["votes_above"].to_string(), through);

    network.start_all();
    for (id, height) in &known {
        assert_eq!(network.nodes[3].settled(id), *height, "what was final is where it was");
    }
    // The three others bring the chain past the fence; then one of them goes, and the restored one's vote is needed.
    for number in 0.. {
        let id = network.nodes[0].submit(&add_person("customs", &format!("later-{number}")));
        if network.nodes[3].settled(&id) > reached + 20 {
            break;
        }
    }
    network.nodes.remove(0).kill();
    let id = network.nodes[2].submit(&add_person("customs", "needed"));
    let height = network.nodes[2].settled(&id);
    assert_eq!(network.nodes[0].settled(&id), height);
    assert_eq!(network.nodes[2].root(height), network.nodes[0].root(height));
}
