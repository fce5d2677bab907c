//! What a client was told is final survives the power cut of every node at once, on disks that forget what was not synced.

use std::sync::Mutex;
use std::sync::mpsc;

use portolan_e2e::hand::{Consortium, FOUNDERS};
use portolan_e2e::power::{Disk, library};

/// Transactions that were told final before the power goes; others are under way at that moment.
const BEFORE_THE_CUT: usize = 12;
/// Payments that each client tries.
const TRIES: usize = 200;

/// What a client was told is final.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Final {
    transaction: String,
    height: u64,
}

fn pay(network: &Consortium, node: &str) -> Option<Final> {
    let keystore = network.path("harbour-bank/keystore");
    let who = ["--node", &network.apis[node], "--keystore", &keystore, "--as", "harbour-bank/main"];
    let said = network.portolan(&[&who[..], &["settlement", "deposit", "--to", "blue-line/main", "0.01CNY"]].concat());
    (said.code == 0).then(|| {
        let told = said.json();
        let transaction = told["transaction"].as_str().unwrap().to_owned();
        Final { transaction, height: told["height"].as_u64().unwrap() }
    })
}

/// Clients pay at three nodes; all power goes while they do. What they were told is final.
fn pay_until_the_cut(network: &mut Consortium) -> Vec<Final> {
    let told = Mutex::new(Vec::new());
    let (enough, waits) = mpsc::channel();
    let nodes = network.hold_nodes();
    std::thread::scope(|scope| {
        for node in ["harbour-bank", "blue-line", "port-customs"] {
            let (network, told, enough) = (&*network, &told, enough.clone());
            scope.spawn(move || {
                for _ in 0..TRIES {
                    let Some(done) = pay(network, node) else { return };
                    let mut told = told.lock().unwrap();
                    told.push(done);
                    if told.len() == BEFORE_THE_CUT {
                        let _ = enough.send(());
                    }
                }
            });
        }
        waits.recv().unwrap();
        nodes.kill();
    });
    network.cut_power();
    told.into_inner().unwrap()
}

/// Where `node` has the transaction, if it has it.
fn height_of(network: &Consortium, node: &str, transaction: &str) -> Option<u64> {
    let said = network.portolan(&["--node", &network.apis[node], "tx", "show", transaction]);
    (said.code == 0).then(|| said.json()).filter(|told| told["status"] == "final")?["height"].as_u64()
}

fn founded(disk: Disk) -> Consortium {
    let mut network = Consortium::founded();
    let library = library(std::path::Path::new(&network.path("")));
    network.play_disks(disk, &library);
    network.start();
    let keystore = network.path("harbour-bank/keystore");
    let bank = ["--node", &network.apis["harbour-bank"], "--keystore", &keystore, "--as", "harbour-bank/main"];
    network.portolan(&[&bank[..], &["settlement", "serve", "1000.00CNY"]].concat()).done();
    network
}

#[test]
fn nothing_final_is_lost_when_every_node_loses_power_under_load() {
    let mut network = founded(Disk::Honest);
    let mut told = Vec::new();
    for _ in 0..2 {
        told.extend(pay_until_the_cut(&mut network));
        network.start();
        for (node, _) in FOUNDERS {
            for done in &told {
                assert_eq!(height_of(&network, node, &done.transaction), Some(done.height), "{node}: {done:?}");
            }
        }
    }
    assert!(told.len() >= 2 * BEFORE_THE_CUT);
    let root = |node: &str| {
        let last = told.iter().map(|done| done.height).max().unwrap().to_string();
        network.portolan(&["--node", &network.apis[node], "block", "show", &last]).done().json()["hash"].clone()
    };
    assert!(FOUNDERS.iter().all(|(node, _)| root(node) == root("harbour-bank")));
}

#[test]
fn on_disks_that_forget_the_same_cut_loses_what_was_final() {
    let mut network = founded(Disk::Forgets);
    let told = pay_until_the_cut(&mut network);
    network.start();
    let lost = told.iter().filter(|done| height_of(&network, "blue-line", &done.transaction).is_none());
    assert_eq!(lost.count(), told.len(), "the check above would see a sync that does nothing");
}
