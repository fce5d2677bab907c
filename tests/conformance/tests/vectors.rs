//! Frozen vectors hold, and none lies there unread.

use portolan_conformance::{VECTORS, folder, render};

fn holds(name: &str) {
    let (_, compute) = VECTORS.iter().find(|(file, _)| *file == name).unwrap();
    let frozen = std::fs::read_to_string(folder().join(name)).unwrap();
    assert_eq!(render(&compute()), frozen, "{name} differs: a protocol change, or a defect");
}

/// Vectors that the tests of another crate read, with the source of those tests.
const ELSEWHERE: [(&str, &str); 1] = [("state.json", include_str!("../../../runtime/state/tests/all/vectors.rs"))];

macro_rules! frozen {
    ($($test:ident: $file:literal,)*) => {
        $(#[test] fn $test() { holds($file); })*

        #[test]
        fn every_vector_file_is_read_by_a_test() {
            let tested = [$($file,)*].into_iter().chain(ELSEWHERE.iter().map(|(file, source)| {
                assert!(source.contains(file), "the test of {file} no longer names it");
                *file
            }));
            let mut found: Vec<_> = std::fs::read_dir(folder()).unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            found.sort();
            let mut tested: Vec<_> = tested.collect();
            tested.sort_unstable();
            assert_eq!(found, tested);
        }
    };
}

frozen! {
    domains_are_frozen: "domains.json",
    ids_are_frozen: "ids.json",
    transactions_are_frozen: "transaction.json",
    blocks_are_frozen: "block.json",
    receipts_are_frozen: "receipt.json",
    votes_are_frozen: "vote.json",
    lists_are_frozen: "list.json",
    signatures_are_frozen: "signatures.json",
}

#[test]
fn single_and_batch_verification_agree_on_crafted_signatures() {
    let text = std::fs::read_to_string(folder().join("signatures.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 100);
    for case in cases {
        assert_eq!(case["batch_alone"][0], case["single"], "{case}");
        assert_eq!(case["batch_in_company"][0], case["single"], "{case}");
        assert_eq!(case["batch_in_company"][1], true, "{case}");
        assert_eq!(case["registrable"], false, "{case}");
    }
    assert!(cases.iter().any(|case| case["single"] == true), "ZIP-215 accepts small-order cases");
}
