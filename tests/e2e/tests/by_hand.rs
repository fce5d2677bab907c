//! A network made by hand, as the README tells: four organisations with keys of their own, one chain-spec, four configurations; then
//! a fifth that joins by governance and receives a payment.

use portolan_e2e::Said;
use portolan_e2e::hand::{Consortium, FOUNDERS};
use serde_json::Value;

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
