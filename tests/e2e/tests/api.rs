//! The API of a real node: shapes, refusals, readers.

use codec::Encode;
use portolan_e2e::{Devnet, get, post};
use portolan_primitives::{AccountId, Body, Call, ContractId, Hash, SigningKey, Timestamp, Transaction};
use serde_json::Value;

fn transaction(chain: Hash, change: impl FnOnce(&mut Body)) -> Transaction {
    let key = SigningKey::from_secret(&[1; 32]).unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
    let mut body = Body {
        version: 1,
        chain,
        sender: AccountId::from_name("harbour-bank", "main"),
        salt: [7; 16],
        expires_at: Timestamp(now + 60_000),
        gas_limit: 10_000_000,
        approvers: vec![key.public().id()],
        calls: vec![Call { contract: ContractId::from_name("settlement"), input: vec![1] }],
    };
    change(&mut body);
    let approvals = vec![body.approve(&key)];
    Transaction { body, approvals }
}

#[test]
fn a_node_says_what_it_is_and_refuses_what_is_not_right() {
    let devnet = Devnet::up();
    let api = devnet.api("harbour-bank");
    let status = get(&format!("{api}/v1/status")).1;
    let chain: Hash = status["chain"].as_str().unwrap().parse().unwrap();
    assert_eq!(status["kind"], "devnet");
    assert_eq!(status["state_root"].as_str().unwrap().len(), 64);
    assert_eq!(get(&format!("{api}/healthz")).0, 200);
    assert_eq!(get(&format!("{api}/readyz")).0, 200);
    let (found, metrics) = get(&format!("{api}/metrics"));
    let metrics = metrics.as_str().unwrap();
    assert!(
        found == 200 && metrics.contains("portolan_height ") && metrics.contains("portolan_network_peers "),
        "{metrics}"
    );

    let openapi = get(&format!("{api}/openapi.json")).1;
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.1"));
    for contract in get(&format!("{api}/v1/contracts")).1["contracts"].as_array().unwrap() {
        let shown = get(&format!("{api}/v1/contracts/{}", contract["name"].as_str().unwrap())).1;
        for query in shown["queries"].as_array().unwrap() {
            let operation = &openapi["paths"][query["path"].as_str().unwrap()]["get"];
            assert!(operation["responses"]["200"].is_object(), "{query}");
            assert!(operation["responses"]["default"].is_object(), "{query}");
        }
    }
    for path in
        ["/v1/status", "/v1/receivables/{id}", "/v1/receivables/{id}/lineage", "/v1/documents/{id}", "/v1/members"]
    {
        assert!(openapi["paths"][path].is_object(), "{path}");
    }

    let refused = |body: Vec<u8>, code: &str| {
        let (status, problem) = post(&format!("{api}/v1/transactions"), &body);
        assert!((400..500).contains(&status), "{code}: {status} {problem}");
        assert_eq!(problem["code"], code, "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    };
    let good = transaction(chain, |_| {}).encode();
    refused(vec![1, 2, 3], "malformed_transaction");
    refused(good[..good.len() - 1].to_vec(), "malformed_transaction");
    refused(transaction(Hash([9; 32]), |_| {}).encode(), "other_chain");
    refused(transaction(chain, |body| body.expires_at = Timestamp(1)).encode(), "expired");
    refused(transaction(chain, |body| body.expires_at.0 += 3_600_000).encode(), "too_far_in_future");
    refused(transaction(chain, |body| body.sender = AccountId([1; 16])).encode(), "unknown_account");
    refused(good, "unknown_key");
    // A client that sends its whole body before it reads finds the refusal, not a broken pipe.
    refused(vec![0; 3 << 20], "too_large");

    let height_after = get(&format!("{api}/v1/status")).1["height"].as_u64();
    assert_eq!(height_after, status["height"].as_u64(), "refusals make no blocks");
}

#[test]
fn unknown_things_are_problems_with_a_code() {
    let devnet = Devnet::up();
    let api = devnet.api("port-customs");
    for (path, status) in [
        ("/v1/nothing", 404),
        ("/v1/blocks/999999", 404),
        ("/v1/blocks/x", 400),
        ("/v1/transactions/tx1", 400),
        ("/v1/contracts/nothing", 404),
        ("/v1/receivables/cert1", 400),
    ] {
        let (found, problem) = get(&format!("{api}{path}"));
        assert_eq!(found, status, "{path}: {problem}");
        assert!(problem["code"].is_string(), "{path}: {problem}");
    }
}

#[test]
fn a_reader_sees_its_own_and_is_refused_anothers() {
    let devnet = Devnet::up();
    let told = devnet.devnet(&["demo"]).done().json();
    let step = |name: &str| {
        let step = told["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap();
        step["transaction"].as_str().unwrap().to_owned()
    };

    // The operator too sees an invoice without the fingerprint that could be guessed.
    let api = devnet.api("harbour-bank");
    let registered = get(&format!("{api}/v1/transactions/{}", step("invoice"))).1;
    let calls = registered["calls"].as_array().unwrap();
    let terms = calls.iter().find_map(|call| call["message"]["register_invoice"].get("terms")).unwrap();
    assert!(terms["payable"]["minor"].is_string(), "{terms}");
    assert_eq!(terms.get("fingerprint"), Some(&Value::Null), "{terms}");

    // What a node tells of a transaction is checked offline.
    let id = step("certificate-issue");
    let id = id.as_str();
    let proved = get(&format!("{api}/v1/transactions/{id}?proof=true")).1;
    let file = std::path::Path::new(&devnet.dir()).join("proved.json");
    let verify = |answer: &Value| {
        std::fs::write(&file, answer.to_string()).unwrap();
        devnet.portolan(&["verify", "proof", file.to_str().unwrap()])
    };
    let verified = verify(&proved).done().json();
    assert_eq!((&verified["id"], &verified["height"]), (&proved["id"], &proved["height"]));
    assert_eq!(verified["receipt"]["outcome"], "ok");
    let mut altered = proved.clone();
    altered["receipt"]["outcome"] = "failed".into();
    assert_eq!(verify(&altered).code, 1);
    let mut altered = proved.clone();
    let scale = proved["proof"]["scale"].as_str().unwrap();
    let last = if scale.ends_with('0') { '1' } else { '0' };
    altered["proof"]["scale"] = format!("{}{last}", &scale[..scale.len() - 1]).into();
    assert_eq!(verify(&altered).code, 1);

    let own = devnet.portolan(&["--as", "atlas-motors/main", "tx", "show", id]);
    assert_eq!(own.code, 0, "{own:?}");
    let other = devnet.portolan(&["--as", "elm-fasteners/main", "tx", "show", id]);
    assert_eq!(other.code, 1, "{other:?}");
    let deposits = devnet.portolan(&["--as", "elm-fasteners/main", "settlement", "balance"]).done().json();
    assert_eq!(deposits["count"], 1, "{deposits}");
    let others = devnet.portolan(&["--as", "elm-fasteners/main", "settlement", "balance", "atlas-motors/main"]);
    assert_eq!(others.code, 1, "{others:?}");
}
