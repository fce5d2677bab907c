//! From an anchor to a value: certificates, handovers, ancestors, receipts, events and whole bundles, and each way to lie.

use codec::Encode;
use portolan_primitives::block::{HEADER_VERSION, Header};
use portolan_primitives::hash::Hash;
use portolan_primitives::id::{ContractId, MemberId, TransactionId};
use portolan_primitives::key::SigningKey;
use portolan_primitives::list::{ListProof, list_root};
use portolan_primitives::receipt::{Event, Origin, Outcome, Receipt, events_root};
use portolan_primitives::time::{Height, Round, Timestamp};
use portolan_primitives::vote::{CertificateError, CommitCertificate, Validator, ValidatorSet, VoteKind, vote_message};
use portolan_proof::limits::{MAX_BUNDLE_BYTES, MAX_HANDOVERS, MAX_PROOF_KEYS};
use portolan_proof::{
    AncestorProof, Anchor, CertifiedHeader, EMPTY, Entry, EventProof, HeaderProof, MultiProof, ProofError, ProvedState,
    ReceiptProof, Step, Trusted, key_path, leaf_hash, value_hash,
};
use proptest::prelude::*;

const CHAIN: Hash = Hash([7; 32]);
const SALT: Hash = Hash([5; 32]);

fn signer(generation: u8, place: u8) -> SigningKey {
    SigningKey::from_secret(&[10 * generation + place + 1; 32]).unwrap()
}

/// The four validators of a generation.
fn set(generation: u8) -> ValidatorSet {
    let validator =
        |place: u8| Validator { member: MemberId([place; 16]), key: signer(generation, place).public(), power: 1 };
    ValidatorSet::new((0..4).map(validator).collect())
}

fn header(height: u64, generation: u8, next: u8) -> Header {
    Header {
        version: HEADER_VERSION,
        chain: CHAIN,
        height: Height(height),
        round: Round(0),
        time: Timestamp(height),
        parent: Hash([1; 32]),
        history_root: list_root(&history(height)),
        proposer: MemberId([0; 16]),
        transactions_root: list_root(&[]),
        receipts_root: list_root(&receipts().iter().map(Receipt::leaf).collect::<Vec<_>>()),
        state_root: leaf_hash(&key_path(b"key"), &value_hash(&SALT, b"value")),
        validators_hash: set(generation).hash(),
        next_validators_hash: set(next).hash(),
        gas_used: 0,
    }
}

/// Hashes of the headers before `height`: all made up but that of height 3.
fn history(height: u64) -> Vec<Hash> {
    let past = |of: u64| if of == 3 { early().hash() } else { Hash([of as u8; 32]) };
    (0..height).map(past).collect()
}

fn early() -> Header {
    Header { height: Height(3), history_root: Hash::ZERO, ..header(0, 1, 1) }
}

fn certified(header: Header, generation: u8, places: &[u8]) -> CertifiedHeader {
    let message = vote_message(&CHAIN, VoteKind::Precommit, header.height, Round(0), Some(&header.hash()));
    let signature = |place: &u8| (u16::from(*place), signer(generation, *place).sign(&message));
    let certificate = CommitCertificate {
        chain: CHAIN,
        height: header.height,
        round: Round(0),
        header: header.hash(),
        signatures: places.iter().map(signature).collect(),
    };
    CertifiedHeader { header, certificate, validators: set(generation) }
}

fn good() -> HeaderProof {
    HeaderProof::of(certified(header(9, 1, 1), 1, &[0, 1, 2]))
}

fn trusting(generation: u8) -> Anchor {
    Anchor::Validators { chain: CHAIN, validators_hash: set(generation).hash() }
}

fn receipts() -> Vec<Receipt> {
    let receipt = |number: u8| Receipt {
        origin: Origin::Transaction(TransactionId([number; 32])),
        outcome: Outcome::Ok(vec![vec![number]]),
        gas: 10,
        events_root: events_root(b"salt", &events()),
    };
    (0..5).map(receipt).collect()
}

fn events() -> Vec<Event> {
    (0..3).map(|number| Event { contract: ContractId([number; 16]), payload: vec![number; 4] }).collect()
}

#[test]
fn a_certified_header_is_verified_and_says_what_was_trusted() {
    let verified = good().verify(&trusting(1)).unwrap();
    assert_eq!(verified.header(), &header(9, 1, 1));
    let trusted = Trusted::Validators { chain: CHAIN, validators_hash: set(1).hash(), handovers: 0 };
    assert_eq!(verified.trusted(), &trusted);
    assert!(trusted.to_string().starts_with("authentic only if the keys of the validator set"));
}

#[test]
fn a_header_of_another_chain_is_refused() {
    let other = Hash([8; 32]);
    let anchor = Anchor::Validators { chain: other, validators_hash: set(1).hash() };
    assert_eq!(good().verify(&anchor), Err(ProofError::OtherChain { trusted: other, found: CHAIN }));
}

#[test]
fn validators_whom_nobody_vouches_for_are_refused() {
    let expected = ProofError::UntrustedValidators { trusted: set(2).hash(), found: set(1).hash() };
    assert_eq!(good().verify(&trusting(2)), Err(expected));
    let mut borrowed = good();
    borrowed.head.validators = set(2);
    assert_eq!(borrowed.verify(&trusting(1)), Err(ProofError::OtherValidators));
}

#[test]
fn a_certificate_of_another_block_or_without_quorum_is_refused() {
    let mut altered = good();
    altered.head.header.state_root = Hash([6; 32]);
    assert_eq!(altered.verify(&trusting(1)), Err(ProofError::OtherBlock));
    let two = HeaderProof::of(certified(header(9, 1, 1), 1, &[0, 1]));
    let expected = CertificateError::NoQuorum { power: 2, total: 4 };
    assert_eq!(two.verify(&trusting(1)), Err(expected.into()));
    let mut endless = good();
    endless.head.certificate.signatures = vec![endless.head.certificate.signatures[0]; 5000];
    assert_eq!(endless.verify(&trusting(1)), Err(CertificateError::Disorder.into()));
}

#[test]
fn trust_is_handed_over_from_set_to_set() {
    let mut proof = HeaderProof::of(certified(header(9, 3, 3), 3, &[0, 1, 2]));
    proof.handovers = vec![certified(header(5, 1, 2), 1, &[0, 2, 3]), certified(header(7, 2, 3), 2, &[1, 2, 3])];
    let verified = proof.verify(&trusting(1)).unwrap();
    let expected = Trusted::Validators { chain: CHAIN, validators_hash: set(1).hash(), handovers: 2 };
    assert_eq!(verified.trusted(), &expected);

    let mut gap = proof.clone();
    gap.handovers.remove(1);
    let expected = ProofError::UntrustedValidators { trusted: set(2).hash(), found: set(3).hash() };
    assert_eq!(gap.verify(&trusting(1)), Err(expected));
    let mut backwards = proof.clone();
    backwards.head = certified(header(7, 3, 3), 3, &[0, 1, 2]);
    assert_eq!(backwards.verify(&trusting(1)), Err(ProofError::HandoverOrder));
    let mut weak = proof;
    weak.handovers[0] = certified(header(5, 1, 2), 1, &[0, 2]);
    assert!(matches!(weak.verify(&trusting(1)), Err(ProofError::Certificate(_))));
}

#[test]
fn an_ancestor_is_verified_by_the_history_of_the_head() {
    let path = ListProof::build(&history(9), 3).unwrap();
    let mut proof = good();
    proof.ancestor = Some(AncestorProof { header: early(), path: path.clone() });
    assert_eq!(proof.verify(&trusting(1)).unwrap().header(), &early());

    let refused = Err(ProofError::NotAnAncestor { ancestor: Height(3), head: Height(9) });
    let altered = Header { gas_used: 1, ..early() };
    proof.ancestor = Some(AncestorProof { header: altered, path: path.clone() });
    assert_eq!(proof.verify(&trusting(1)), refused);
    // Right header, claimed for another height than its place.
    let moved = Header { height: Height(4), ..early() };
    proof.ancestor = Some(AncestorProof { header: moved, path });
    let expected = ProofError::NotAnAncestor { ancestor: Height(4), head: Height(9) };
    assert_eq!(proof.verify(&trusting(1)), Err(expected));
}

#[test]
fn a_header_that_stands_at_another_place_of_the_history_is_no_ancestor() {
    let mut hashes = history(9);
    hashes[5] = early().hash();
    let head = Header { history_root: portolan_primitives::list_root(&hashes), ..header(9, 1, 1) };
    let mut proof = HeaderProof::of(certified(head, 1, &[0, 1, 2]));
    let path = ListProof::build(&hashes, 5).unwrap();
    proof.ancestor = Some(AncestorProof { header: early(), path });
    let expected = ProofError::NotAnAncestor { ancestor: Height(3), head: Height(9) };
    assert_eq!(proof.verify(&trusting(1)), Err(expected));
}

#[test]
fn a_known_header_needs_no_certificate() {
    let mut proof = good();
    proof.head.certificate.signatures.clear();
    let hash = header(9, 1, 1).hash();
    let verified = proof.verify(&Anchor::Header { chain: CHAIN, hash }).unwrap();
    assert_eq!(verified.trusted(), &Trusted::Header { chain: CHAIN, hash });
    let other = Hash([3; 32]);
    let expected = ProofError::UntrustedHeader { trusted: other, found: hash };
    assert_eq!(proof.verify(&Anchor::Header { chain: CHAIN, hash: other }), Err(expected));
}

#[test]
fn a_receipt_and_its_event_are_in_the_block() {
    let verified = good().verify(&trusting(1)).unwrap();
    for index in 0..5 {
        let mut proof = ReceiptProof::build(&receipts(), index).unwrap();
        assert_eq!(proof.verify(&verified), Ok(()));
        proof.receipt.gas += 1;
        assert_eq!(proof.verify(&verified), Err(ProofError::NotInBlock(Height(9))));
    }
    assert_eq!(ReceiptProof::build(&receipts(), 5), None);
    for index in 0..3 {
        let mut proof = EventProof::build(b"salt", &events(), index).unwrap();
        assert_eq!(proof.verify(&receipts()[0]), Ok(()));
        proof.event.payload[0] ^= 1;
        assert_eq!(proof.verify(&receipts()[0]), Err(ProofError::NotInReceipt));
    }
}

fn bundle() -> ProvedState {
    let entries = vec![
        Entry { key: b"key".to_vec(), value: Some(b"value".to_vec()) },
        Entry { key: b"absent".to_vec(), value: None },
    ];
    ProvedState::new(good(), entries, MultiProof::from_steps([Step::Present { salt: SALT }]))
}

#[test]
fn a_bundle_goes_over_the_wire_and_convinces() {
    let back = ProvedState::decode_checked(&bundle().encode()).unwrap();
    assert_eq!(back, bundle());
    let verified = back.verify(&trusting(1)).unwrap();
    assert_eq!(verified.header().height, Height(9));
    assert_eq!(verified.get(b"key"), Some(Some(&b"value"[..])));
    assert_eq!(verified.get(b"absent"), Some(None));
    assert_eq!(verified.get(b"never asked"), None);
    assert_eq!(verified.entries().len(), 2);
}

#[test]
fn no_byte_of_a_bundle_can_be_altered() {
    // Without the absent key: another absent one in its place would be as true.
    let mut present = bundle();
    present.entries.pop();
    let bytes = present.encode();
    assert!(present.verify(&trusting(1)).is_ok());
    for place in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[place] ^= 0x04;
        let verified = ProvedState::decode_checked(&altered).map(|bundle| bundle.verify(&trusting(1)));
        assert!(!matches!(verified, Ok(Ok(_))), "byte {place}");
        assert!(ProvedState::decode_checked(&bytes[..place]).is_err(), "cut at {place}");
    }
    assert!(ProvedState::decode_checked(&[bytes, vec![0]].concat()).is_err());
}

#[test]
fn a_bundle_is_bounded_before_it_is_built() {
    assert!(ProvedState::decode_checked(&vec![1; MAX_BUNDLE_BYTES + 1]).is_err());
    let mut many = bundle();
    many.entries = vec![Entry { key: vec![], value: None }; MAX_PROOF_KEYS + 1];
    assert!(ProvedState::decode_checked(&many.encode()).is_err());
    let mut handed = bundle();
    handed.header.handovers = vec![handed.header.head.clone(); MAX_HANDOVERS + 1];
    assert!(ProvedState::decode_checked(&handed.encode()).is_err());
    assert_eq!(handed.verify(&trusting(1)), Err(ProofError::HandoverOrder));
}

#[test]
fn a_bundle_of_another_version_says_so() {
    let mut bytes = bundle().encode();
    bytes[0] = 2;
    let error = ProvedState::decode_checked(&bytes).unwrap_err().to_string();
    assert!(error.contains("another version"), "{error}");
}

#[test]
fn the_state_of_the_header_is_what_counts() {
    let mut other = bundle();
    other.header.head = certified(Header { state_root: EMPTY, ..header(9, 1, 1) }, 1, &[0, 1, 2]);
    assert_eq!(other.verify(&trusting(1)), Err(ProofError::OtherRoot));
}

proptest! {
    #[test]
    fn garbage_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), tail in any::<bool>()) {
        let bytes = if tail { [vec![1], bytes].concat() } else { bytes };
        if let Ok(bundle) = ProvedState::decode_checked(&bytes) {
            prop_assert!(bundle.verify(&trusting(1)).is_err());
        }
        if let Ok(proof) = ReceiptProof::decode_checked(&bytes) {
            prop_assert!(proof.verify(&good().verify(&trusting(1)).unwrap()).is_err());
        }
    }
}
