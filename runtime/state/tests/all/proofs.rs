use codec::{Decode, Encode};
use portolan_primitives::hash::Hash;
use portolan_primitives::time::Height;
use portolan_proof::limits::MAX_PROOF_KEYS;
use portolan_proof::{Entry, MultiProof, ProofError, StateProof};
use portolan_state::{StateError, StateKey};
use proptest::prelude::*;

use crate::support::{Chain, Draw, Write, key, numbered, options};

fn chain_of(count: u64) -> Chain {
    let mut chain = Chain::new(options());
    chain.block(
        &(0..count).map(|number| (numbered(number), Some(number.to_le_bytes().to_vec()))).collect::<Vec<Write>>(),
    );
    chain
}

fn claims(entries: &[Entry]) -> Vec<(&[u8], Option<&[u8]>)> {
    entries.iter().map(|entry| (entry.key.as_slice(), entry.value.as_deref())).collect()
}

fn proof_of(chain: &Chain, key: &StateKey) -> StateProof {
    StateProof::new(chain.state.prove(chain.state.height(), std::slice::from_ref(key)).unwrap())
}

#[test]
fn each_key_is_proved_present_with_its_value_and_no_other() {
    for count in [1u64, 2, 3, 17, 300] {
        let chain = chain_of(count);
        let root = chain.state.root();
        for number in 0..count {
            let (key, value) = (numbered(number), number.to_le_bytes());
            let proof = proof_of(&chain, &key);
            assert_eq!(proof.verify(&root, key.as_bytes(), Some(&value)), Ok(()));
            assert_eq!(proof.verify(&root, key.as_bytes(), Some(b"other")), Err(ProofError::OtherRoot));
            assert_eq!(proof.verify(&root, key.as_bytes(), None), Err(ProofError::OtherContent));
            assert!(proof.verify(&Hash([1; 32]), key.as_bytes(), Some(&value)).is_err());
        }
    }
}

#[test]
fn a_proof_verifies_for_no_other_key() {
    let chain = chain_of(200);
    let root = chain.state.root();
    for number in 0..50 {
        let proof = proof_of(&chain, &numbered(number));
        for other in (0..200).filter(|other| *other != number) {
            let value = other.to_le_bytes();
            assert!(proof.verify(&root, numbered(other).as_bytes(), Some(&value)).is_err());
            assert!(proof.verify(&root, numbered(other).as_bytes(), None).is_err());
        }
    }
}

#[test]
fn absence_is_proved_by_an_empty_child_and_by_another_leaf() {
    let chain = chain_of(300);
    let root = chain.state.root();
    // Kinds of the last step in the proof's shape: 1 empty, 3 another leaf.
    let mut kinds = std::collections::BTreeSet::new();
    for number in 1000..1200 {
        let key = numbered(number);
        let proof = proof_of(&chain, &key);
        assert_eq!(proof.verify(&root, key.as_bytes(), None), Ok(()));
        assert_eq!(proof.verify(&root, key.as_bytes(), Some(b"")), Err(ProofError::OtherContent));
        let shape = Vec::<u8>::decode(&mut proof.encode().as_slice()).unwrap();
        kinds.insert(if shape.contains(&3) { 3 } else { 1 });
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn the_empty_state_proves_absence() {
    let mut chain = Chain::new(options());
    chain.block(&[]);
    assert_eq!(proof_of(&chain, &key(b"k")).verify(&Hash::ZERO, key(b"k").as_bytes(), None), Ok(()));
}

#[test]
fn every_altered_byte_of_a_proof_is_noticed() {
    let chain = chain_of(40);
    let keys: Vec<StateKey> = [1, 2, 30, 100, 101, 102].map(numbered).to_vec();
    let (entries, proof) = chain.state.prove_with_values(Height(0), &keys).unwrap();
    let root = chain.state.root();
    assert_eq!(proof.verify(&root, &claims(&entries)), Ok(()));
    let bytes = proof.encode();
    for place in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut altered = bytes.clone();
            altered[place] ^= bit;
            let verified = MultiProof::decode_checked(&altered).map(|proof| proof.verify(&root, &claims(&entries)));
            assert!(!matches!(verified, Ok(Ok(()))), "byte {place}");
        }
        let cut = MultiProof::decode_checked(&bytes[..place]).map(|proof| proof.verify(&root, &claims(&entries)));
        assert!(!matches!(cut, Ok(Ok(()))), "cut at {place}");
    }
}

#[test]
fn an_altered_claim_is_noticed() {
    let chain = chain_of(40);
    let keys: Vec<StateKey> = [1, 2, 100].map(numbered).to_vec();
    let (entries, proof) = chain.state.prove_with_values(Height(0), &keys).unwrap();
    let root = chain.state.root();
    for place in 0..entries.len() {
        let mut other_value = entries.clone();
        other_value[place].value = Some(b"forged".to_vec());
        assert!(proof.verify(&root, &claims(&other_value)).is_err());
        let mut other_key = entries.clone();
        other_key[place].key = numbered(77).into_bytes();
        assert!(proof.verify(&root, &claims(&other_key)).is_err());
        let mut fewer = entries.clone();
        fewer.remove(place);
        assert!(proof.verify(&root, &claims(&fewer)).is_err());
    }
    let swapped: Vec<_> = entries.iter().rev().cloned().collect();
    assert_eq!(proof.verify(&root, &claims(&swapped)), Ok(()), "the order of the claims does not matter");
}

#[test]
fn many_keys_share_one_proof() {
    let chain = chain_of(5000);
    let keys: Vec<StateKey> = (0..6000).step_by(3).map(numbered).collect();
    let (entries, proof) = chain.state.prove_with_values(Height(0), &keys).unwrap();
    assert_eq!(entries.len(), 2000);
    assert_eq!(entries.iter().filter(|entry| entry.value.is_some()).count(), 1667);
    assert_eq!(proof.verify(&chain.state.root(), &claims(&entries)), Ok(()));
    let single = proof_of(&chain, &keys[5]).encode().len();
    assert!(proof.encode().len() < keys.len() * single / 3);
}

#[test]
fn a_key_that_is_asked_for_twice_is_proved_once_and_keys_are_bounded() {
    let chain = chain_of(10);
    let (entries, proof) = chain.state.prove_with_values(Height(0), &[numbered(1), numbered(1)]).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(proof.verify(&chain.state.root(), &claims(&entries)), Ok(()));
    let many: Vec<StateKey> = (0..=MAX_PROOF_KEYS as u64).map(numbered).collect();
    assert_eq!(chain.state.prove(Height(0), &many).err(), Some(StateError::TooManyKeys(MAX_PROOF_KEYS + 1)));
}

#[test]
fn a_stored_value_that_the_tree_does_not_have_is_never_proved() {
    let chain = chain_of(10);
    let column = portolan_state::Column::FLAT;
    for damage in [Some(b"forged".to_vec()), None] {
        let store = std::sync::Arc::new(chain.store().fork());
        store.damage(column, numbered(1).as_bytes(), damage);
        let state = portolan_state::State::open(store, options(), chain.last()).unwrap();
        let error = state.prove(Height(0), &[numbered(1)]).err();
        assert!(matches!(error, Some(StateError::Corrupt(_))), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(proof) = MultiProof::decode_checked(&bytes) {
            prop_assert!(proof.verify(&Hash([1; 32]), &[(b"k", Some(b"v")), (b"l", None)]).is_err());
        }
    }

    #[test]
    fn random_sets_of_keys_are_proved_as_they_are(seed in any::<u64>(), keys in 1u64..200) {
        let mut chain = Chain::new(options());
        let mut draw = Draw(seed);
        chain.random_block(&mut draw, keys, keys);
        let wanted: Vec<StateKey> = (0..draw.below(30)).map(|_| numbered(draw.below(2 * keys))).collect();
        let (entries, proof) = chain.state.prove_with_values(Height(0), &wanted).unwrap();
        let expected = chain.tip();
        for entry in &entries {
            prop_assert_eq!(entry.value.as_ref(), expected.get(&entry.key));
        }
        prop_assert_eq!(proof.verify(&chain.state.root(), &claims(&entries)), Ok(()));
        for place in 0..entries.len() {
            let mut lie = entries.clone();
            lie[place].value = match &lie[place].value { Some(_) => None, None => Some(vec![]) };
            prop_assert!(proof.verify(&chain.state.root(), &claims(&lie)).is_err());
        }
    }
}
