//! Power cuts and absences of real nodes.

use std::path::Path;
use std::process::Command;

use portolan_e2e::{Devnet, get};

fn height(api: &str) -> u64 {
    get(&format!("{api}/v1/status")).1["height"].as_u64().unwrap()
}

fn root_at(api: &str, height: u64) -> String {
    get(&format!("{api}/v1/blocks/{height}")).1["header"]["state_root"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_final_survives_the_kill_of_every_node_at_once() {
    let devnet = Devnet::up();
    let told = devnet.devnet(&["demo"]).done().json();
    for node in devnet.nodes() {
        let pid = node["pid"].as_u64().unwrap().to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    }
    devnet.devnet(&["up"]).done();
    for step in told["steps"].as_array().unwrap().iter().filter(|step| step["name"] != "settlement") {
        let id = step["transaction"].as_str().unwrap();
        let shown = devnet.portolan(&["tx", "show", id]).done().json();
        assert_eq!(shown["status"], "final", "{step}");
        assert_eq!(shown["height"], step["height"], "{step}");
    }
    let again = devnet.devnet(&["demo"]).done().json();
    assert!(again["checks"].as_array().unwrap().iter().all(|check| check["ok"] == true), "{again}");
}

#[test]
fn nodes_json_is_true_when_a_node_dies_by_itself() {
    let devnet = Devnet::up();
    let node = devnet.nodes().into_iter().find(|node| node["name"] == "port-customs").unwrap();
    let pid = node["pid"].as_u64().unwrap().to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    // The supervisor sees the end of its child; status asks it.
    let gone = || {
        let status = devnet.devnet(&["status"]).done().json();
        let nodes = status["nodes"].as_array().unwrap().clone();
        nodes.iter().any(|node| node["name"] == "port-customs" && node["running"] == false)
    };
    assert!((0..50).any(|_| gone()), "the dead node is still listed as running");
    devnet.devnet(&["start", "port-customs"]).done();
}

#[test]
fn a_node_that_was_away_catches_up_to_the_same_roots() {
    let devnet = Devnet::up();
    devnet.devnet(&["stop", "meridian-logistics"]).done();
    devnet.devnet(&["demo"]).done();
    let bank = devnet.api("harbour-bank");
    let top = height(&bank);
    devnet.devnet(&["start", "meridian-logistics"]).done();
    // A further step makes the returned node take part, and the demo's root check covers it.
    let told = devnet.devnet(&["demo"]).done().json();
    assert_eq!(told["state_roots"].as_array().unwrap().len(), 4);
    let returned = devnet.api("meridian-logistics");
    for height in [1, top / 2, top] {
        assert_eq!(root_at(&bank, height), root_at(&returned, height), "height {height}");
    }
}

#[test]
fn with_two_of_four_dead_nothing_is_final_until_one_returns() {
    let devnet = Devnet::up();
    devnet.devnet(&["kill", "harbour-bank"]).done();
    devnet.devnet(&["kill", "port-customs"]).done();
    let api = devnet.api("meridian-logistics");
    let before = height(&api);
    let said = devnet.portolan(&["doctor"]);
    assert_eq!(said.code, 1, "{said:?}");
    devnet.devnet(&["start", "port-customs"]).done();
    devnet.devnet(&["demo"]).done();
    assert!(height(&api) > before);
}

#[test]
fn one_port_block_is_enough_for_a_second_devnet() {
    let (one, other) = (Devnet::up(), Devnet::up());
    assert_ne!(one.api("harbour-bank"), other.api("harbour-bank"));
    assert!(Path::new(&one.dir()).join("chain-spec.json").exists());
}
