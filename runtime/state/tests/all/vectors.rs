//! The frozen vectors of the state tree. `WRITE_VECTORS=1 cargo test -p portolan-state vectors` writes them anew; a change in
//! them is a change of the protocol, and is reviewed as one.

use std::fmt::Write as _;

use codec::Encode;
use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;
use portolan_proof::{MultiProof, key_path};
use portolan_state::{SaltKey, StateKey};
use serde_json::{Value, json};

use crate::support::{Chain, Draw, Pairs, SECRET, Write, naive_root, options};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/vectors/state.json");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap()).collect()
}

/// The states of the vectors: small ones that show each rule, and larger ones.
fn states() -> Vec<Pairs> {
    let numbered = |count: u64| -> Pairs {
        let mut draw = Draw(count);
        (0..count).map(|number| (number.to_be_bytes().to_vec(), vec![number as u8; draw.below(70) as usize])).collect()
    };
    let one = |key: &[u8], value: &[u8]| Pairs::from([(key.to_vec(), value.to_vec())]);
    let mut states = vec![Pairs::new(), one(b"", b""), one(b"key", b"value"), one(b"key", b""), one(b"keyvalue", b"")];
    states.extend([2, 3, 4, 5, 17, 100, 1000].map(numbered));
    states
}

fn vector(pairs: &Pairs) -> Value {
    let mut chain = Chain::new(options());
    let write = |(key, value): (&Vec<u8>, &Vec<u8>)| (StateKey::from_bytes(key.clone()), Some(value.clone()));
    chain.block(&pairs.iter().map(write).collect::<Vec<Write>>());
    let mut keys: Vec<StateKey> = pairs.keys().take(2).cloned().map(StateKey::from_bytes).collect();
    keys.extend([&b"absent"[..], b"absent too"].map(StateKey::from_bytes));
    let (entries, proof) = chain.state.prove_with_values(Height(0), &keys).unwrap();
    let claims: Vec<Value> = entries
        .iter()
        .map(|entry| json!({ "key": hex(&entry.key), "value": entry.value.as_deref().map(hex) }))
        .collect();
    let pairs: Vec<Value> = pairs.iter().map(|(key, value)| json!([hex(key), hex(value)])).collect();
    json!({
        "pairs": pairs,
        "root": chain.state.root().to_string(),
        "proof": { "entries": claims, "bytes": hex(&proof.encode()) },
    })
}

fn vectors() -> Value {
    let salts = SaltKey::derive(SECRET);
    let leaf = |key: &[u8], value: &[u8]| {
        let salt = salts.salt(key, value);
        let value_hash = portolan_proof::value_hash(&salt, value);
        json!({
            "key": hex(key),
            "value": hex(value),
            "path": key_path(key).to_string(),
            "salt": salt.to_string(),
            "value_hash": value_hash.to_string(),
            "leaf": portolan_proof::leaf_hash(&key_path(key), &value_hash).to_string(),
        })
    };
    let inner = |left: Hash, right: Hash| {
        json!({
            "left": left.to_string(),
            "right": right.to_string(),
            "inner": portolan_proof::inner_hash(&left, &right).to_string(),
        })
    };
    json!({
        "version": 1,
        "chain_secret": hex(SECRET),
        "leaves": [leaf(b"", b""), leaf(b"key", b"value"), leaf(b"keyvalue", b""), leaf(&[7; 100], &[9; 3000])],
        "inner_nodes": [inner(Hash([1; 32]), Hash([2; 32])), inner(Hash::ZERO, Hash([2; 32]))],
        "states": states().iter().map(vector).collect::<Vec<_>>(),
    })
}

#[test]
fn the_frozen_vectors_hold() {
    let found = vectors();
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(FILE).parent().unwrap()).unwrap();
        std::fs::write(FILE, serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let frozen: Value = serde_json::from_slice(&std::fs::read(FILE).unwrap()).unwrap();
    assert!(found == frozen, "the state tree no longer gives the frozen vectors: a change of the protocol");
}

#[test]
fn the_frozen_states_have_the_root_of_the_naive_tree_and_their_proofs_hold() {
    let frozen: Value = serde_json::from_slice(&std::fs::read(FILE).unwrap()).unwrap();
    let secret = unhex(&frozen["chain_secret"]);
    let states = frozen["states"].as_array().unwrap();
    assert_eq!(states.len(), 12);
    for state in states {
        let pairs = state["pairs"].as_array().unwrap().iter().map(|pair| (unhex(&pair[0]), unhex(&pair[1]))).collect();
        let root = naive_root(&secret, &pairs);
        assert_eq!(state["root"], root.to_string());
        let claims: Vec<(Vec<u8>, Option<Vec<u8>>)> = state["proof"]["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (unhex(&entry["key"]), entry["value"].is_string().then(|| unhex(&entry["value"]))))
            .collect();
        let claims: Vec<(&[u8], Option<&[u8]>)> =
            claims.iter().map(|(key, value)| (&**key, value.as_deref())).collect();
        let proof = MultiProof::decode_checked(&unhex(&state["proof"]["bytes"])).unwrap();
        assert_eq!(proof.verify(&root, &claims), Ok(()));
    }
}
