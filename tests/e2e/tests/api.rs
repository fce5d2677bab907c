//! The API of a real node: shapes, refusals, readers.

use codec::Encode;
use portolan_e2e::{Devnet, get, post};
use portolan_primitives::{AccountId, Body, Call, ContractId, Hash, SigningKey, Timestamp, Transaction};

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
    assert_eq!(get(&format!("{api}/metrics")).0, 200);

    let openapi = get(&format!("{api}/openapi.json")).1;
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.1"));
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
    let issue = told["steps"].as_array().unwrap().iter().find(|step| step["name"] == "certificate-issue").unwrap();
    let id = issue["transaction"].as_str().unwrap();
    let own = devnet.portolan(&["--as", "atlas-motors/main", "tx", "show", id]);
    assert_eq!(own.code, 0, "{own:?}");
    let other = devnet.portolan(&["--as", "elm-fasteners/main", "tx", "show", id]);
    assert_eq!(other.code, 1, "{other:?}");
    let deposits = devnet.portolan(&["--as", "elm-fasteners/main", "settlement", "balance"]).done().json();
    assert_eq!(deposits["count"], 1, "{deposits}");
    let others = devnet.portolan(&["--as", "elm-fasteners/main", "settlement", "balance", "atlas-motors/main"]);
    assert_eq!(others.code, 1, "{others:?}");
}
