//! The devnet's story, told by the real tool to real nodes.

use portolan_e2e::{Devnet, fixture, get, portolan};
use serde_json::Value;

const STEPS: [&str; 14] = [
    "order",
    "order-acceptance",
    "bill-of-lading",
    "customs-clearance",
    "invoice",
    "certificate-issue",
    "certificate-acceptance",
    "split",
    "transfer-1",
    "transfer-2",
    "transfer-tier-3",
    "discount",
    "second-financing-refused",
    "settlement",
];
const CHECKS: [&str; 7] = [
    "conservation",
    "deposits",
    "second-financing-refused",
    "everybody-paid",
    "roots-equal",
    "proof-verified",
    "proof-of-altered-value-refused",
];

fn names(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

fn assert_all_checks_hold(ending: &Value) {
    let failed: Vec<_> = ending["checks"].as_array().unwrap().iter().filter(|check| check["ok"] != true).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn once_tells_the_whole_story_and_leaves_nothing_running() {
    let devnet = Devnet::empty();
    let ending = devnet.devnet(&["--once"]).done().json();
    assert_eq!(ending["validators"], 4);
    assert_eq!(names(&ending["steps"]), STEPS);
    assert_eq!(names(&ending["checks"]), CHECKS);
    assert_all_checks_hold(&ending);
    let roots = ending["state_roots"].as_array().unwrap();
    assert_eq!(roots.len(), 4);
    assert!(roots.iter().all(|root| *root == roots[0] && root.as_str().unwrap().len() == 64));
    for step in ending["steps"].as_array().unwrap() {
        let outcome = if step["name"] == "second-financing-refused" { "financing::AlreadyFinanced" } else { "ok" };
        assert_eq!(step["outcome"], outcome, "{step}");
        assert!(step["height"].as_u64().unwrap() > 0, "{step}");
    }
    assert!(!ending["balances"].as_array().unwrap().is_empty());
    assert!(devnet.nodes().iter().all(|node| node["pid"].is_null()));
}

#[test]
fn the_story_is_told_again_and_again_also_without_the_bank() {
    let devnet = Devnet::up();
    let first = devnet.devnet(&["demo"]).done().json();
    assert_all_checks_hold(&first);
    devnet.devnet(&["kill", "harbour-bank"]).done();
    let second = devnet.devnet(&["demo"]).done().json();
    assert_all_checks_hold(&second);
    assert!(second["invoice"]["number"].as_str().unwrap().ends_with("/2"), "{}", second["invoice"]);
    assert_eq!(second["state_roots"].as_array().unwrap().len(), 3);
    let refused = second["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(refused["name"], "duplicate-invoice-refused");
    assert_eq!(refused["outcome"], "trade-documents::DuplicateInvoice");
    // The bank comes back, catches up, and has the same state.
    devnet.devnet(&["start", "harbour-bank"]).done();
    let third = devnet.devnet(&["demo"]).done().json();
    assert_all_checks_hold(&third);
    assert_eq!(third["state_roots"].as_array().unwrap().len(), 4);
    assert!(third["invoice"]["number"].as_str().unwrap().ends_with("/3"));
}

#[test]
fn the_story_of_ones_own_cii_invoice_keeps_its_amounts() {
    let devnet = Devnet::empty();
    let file = fixture("invoices/xrechnung/01.01a-INVOICE_uncefact.xml");
    let ending = devnet.devnet(&["--once", "--invoice", file.to_str().unwrap()]).done().json();
    assert_all_checks_hold(&ending);
}

#[test]
fn an_invoice_that_has_no_story_is_refused_before_anything_starts() {
    for (file, code) in [
        ("invoices/en16931-ubl/ubl-tc434-creditnote1.xml", "credit_note"),
        ("invoices/en16931-cii/CII-BR-CO-10-RoundingIssue.xml", "payable_not_positive"),
        ("invoices/en16931-cii/CII_business_example_Z.xml", "same_party"),
        ("README.md", "unsupported_document"),
    ] {
        let devnet = Devnet::empty();
        let path = fixture(file);
        let said = devnet.devnet(&["--once", "--invoice", path.to_str().unwrap()]);
        assert_eq!(said.code, 1, "{file}: {said:?}");
        assert_eq!(said.json()["error"]["code"], code, "{file}");
        assert!(devnet.nodes().is_empty());
    }
}

#[test]
fn the_date_moves_by_command_and_nothing_ages_between() {
    let devnet = Devnet::up();
    let api = devnet.api("port-customs");
    let today = get(&format!("{api}/v1/status")).1["business_date"].clone();
    let moved = devnet.devnet(&["advance", "--days", "30"]).done().json();
    assert!(moved["business_date"].as_str() > today.as_str());
    let standing = get(&format!("{api}/v1/status")).1["business_date"].clone();
    assert_eq!(standing, moved["business_date"]);
    let back = devnet.devnet(&["advance", "--to", today.as_str().unwrap()]);
    assert_eq!((back.code, back.json()["error"]["code"].as_str()), (1, Some("clock::InThePast")));
}

#[test]
fn exit_codes_tell_refusal_wrong_use_and_no_node_apart() {
    assert_eq!(portolan(&["document", "inspect", fixture("README.md").to_str().unwrap()]).code, 1);
    assert_eq!(portolan(&["document", "inspect"]).code, 2);
    assert_eq!(portolan(&["--node", "http://127.0.0.1:9", "status"]).code, 3);
    let good = fixture("invoices/en16931-ubl/ubl-tc434-example1.xml");
    let said = portolan(&["document", "inspect", good.to_str().unwrap(), "--json"]).done();
    assert_eq!(said.json()["number"], "12115118");
    assert_eq!(said.json()["payable_minor"], 25033);
}
