//! A network made by hand, as the README tells: four organisations with keys of their own, one chain-spec, four configurations; then
//! a fifth that joins by governance and receives a payment.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use portolan_e2e::{Said, binary};
use serde_json::Value;

const PASSPHRASE: &str = "a network made by hand";
const FOUNDERS: [(&str, &str); 4] =
    [("harbour-bank", "bank"), ("blue-line", "logistics"), ("port-customs", "customs"), ("tide-platform", "platform")];

/// The organisations' folders, and the nodes that run.
struct Consortium {
    folder: tempfile::TempDir,
    apis: BTreeMap<&'static str, String>,
    nodes: Vec<Child>,
}

impl Consortium {
    /// Each organisation's keys in its own place, one spec of their public halves, and a configuration each.
    fn founded() -> Self {
        let mut made = Self { folder: tempfile::tempdir().unwrap(), apis: BTreeMap::new(), nodes: Vec::new() };
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

    fn path(&self, name: &str) -> String {
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

    fn portolan(&self, words: &[&str]) -> Said {
        self.run(binary("portolan"), &[&["--json"], words].concat())
    }

    /// The tool in the hands of a member's administrator, at the bank's node.
    fn admin(&self, member: &str, words: &[&str]) -> Said {
        self.at("harbour-bank", member, words)
    }

    fn at(&self, node: &str, member: &str, words: &[&str]) -> Said {
        let (keystore, account) = (self.path(&format!("{member}/keystore")), format!("{member}/admin"));
        let who = ["--node", &self.apis[node], "--keystore", &keystore, "--as", &account];
        self.portolan(&[&who[..], words].concat())
    }

    fn key(&self, member: &str) -> String {
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

    /// Starts all nodes, then hears each say on one line that it takes part: none does before three are there.
    fn start(&mut self) {
        for (name, _) in FOUNDERS {
            let config = self.path(&format!("{name}/node/node.toml"));
            let node = Command::new(binary("portolan-node"))
                .args(["run", "--config", &config])
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
        for node in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

fn refused(said: Said, code: &str) {
    assert_eq!((said.code, said.json()["error"]["code"].as_str()), (1, Some(code)), "{said:?}");
}

#[test]
fn four_organisations_make_a_network_and_a_fifth_joins_and_is_paid() {
    let mut network = Consortium::founded();
    network.start();
    let status = network.portolan(&["--node", &network.apis["blue-line"], "status"]).done().json();
    assert_eq!((status["network"].as_str(), status["role"].as_str()), (Some("trade"), Some("validator")), "{status}");

    // The newcomer gives away its public key and nothing else.
    let newcomer = network.key("cedar");
    let propose =
        ["member", "propose", "cedar", "--title", "Cedar Tooling", "--role", "supplier", "--admin-key", &newcomer];
    refused(network.admin("cedar", &propose), "unknown_account");
    let proposed = network.admin("harbour-bank", &propose).done().json();
    let proposal = proposed["proposal"].as_str().unwrap();
    refused(network.admin("harbour-bank", &["governance", "approve", proposal]), "governance::AlreadyApproved");
    refused(network.admin("harbour-bank", &["governance", "execute", proposal]), "governance::NotEnoughApprovals");
    // The second approval comes from another organisation at its own node, and is half of the voting power.
    let approved = network.at("blue-line", "blue-line", &["governance", "approve", proposal]).done().json();
    assert_eq!(approved["state"], "executed", "{approved}");
    refused(network.admin("port-customs", &["governance", "approve", proposal]), "governance::NotOpen");
    refused(network.admin("cedar", &["governance", "approve", proposal]), "governance::NotAVoter");

    // It makes an account of its own and is paid there.
    network.admin("cedar", &["account", "create", "till"]).done();
    refused(network.admin("cedar", &["account", "create", "till"]), "members::AccountExists");
    network.admin("harbour-bank", &["account", "create", "book"]).done();
    let book = ["--as", "harbour-bank/book"];
    let bank = |words: &[&str]| {
        let keystore = network.path("harbour-bank/keystore");
        let node = ["--node", &network.apis["port-customs"], "--keystore", &keystore];
        network.portolan(&[&node[..], &book, words].concat())
    };
    bank(&["settlement", "serve", "1000.00CNY"]).done();
    bank(&["settlement", "deposit", "--to", "cedar/till", "250.00CNY"]).done();
    refused(bank(&["settlement", "deposit", "--to", "nobody/till", "1.00CNY"]), "settlement::UnknownAccount");
    let keystore = network.path("cedar/keystore");
    let own = ["--node", &network.apis["tide-platform"], "--keystore", &keystore, "--as", "cedar/till"];
    let balance = network.portolan(&[&own[..], &["settlement", "balance"]].concat()).done().json();
    assert_eq!(balance["deposits"][0]["balance"]["decimal"], "250.00", "{balance}");

    // Frozen, it gives and takes nothing; half of the power is enough for that, too.
    let frozen = network.admin("tide-platform", &["member", "freeze", "cedar"]).done().json();
    let freeze = frozen["proposal"].as_str().unwrap();
    network.admin("port-customs", &["governance", "approve", freeze]).done();
    let redeem = ["settlement", "redeem", "--bank", "harbour-bank", "1.00CNY"];
    let said = network.portolan(&[&own[..], &redeem].concat());
    assert_eq!(said.code, 1, "{said:?}");
    refused(bank(&["settlement", "deposit", "--to", "cedar/till", "1.00CNY"]), "settlement::MemberNotActive");

    // All four nodes end at one state.
    let last = |node: &str| network.portolan(&["--node", &network.apis[node], "block", "show"]).done().json();
    let height = last("harbour-bank")["height"].as_u64().unwrap().to_string();
    let root = |node: &str| -> Value {
        let words = ["--node", &network.apis[node], "block", "show", &height];
        network.portolan(&words).done().json()["header"]["state_root"].clone()
    };
    let roots: Vec<Value> = FOUNDERS.iter().map(|(name, _)| root(name)).collect();
    assert!(roots.iter().all(|other| other == &roots[0]), "{roots:?}");
}
