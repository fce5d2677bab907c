//! Disclosures against a chain of one validator, whose state holds one record.

use codec::Encode;
use portolan_interface::trade::{DocumentKind, Erasure};
use portolan_interface::{self as interface, BusinessDate, DocumentId};
use portolan_primitives::block::HEADER_VERSION;
use portolan_primitives::vote::vote_message;
use portolan_primitives::{
    CommitCertificate, Height, MemberId, Round, Timestamp, Validator, ValidatorSet, VoteKind, hex,
};
use portolan_proof::{
    CertifiedHeader, Entry, HeaderProof, MultiProof, ProofError, Step, key_path, leaf_hash, value_hash,
};

use super::*;

const CHAIN: Hash = Hash([7; 32]);
const DOCUMENT: DocumentId = DocumentId([4; 32]);
const OWNER: MemberId = MemberId([5; 16]);
const RECIPIENT: AccountId = AccountId([6; 16]);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_secret(&[seed; 32]).unwrap()
}

fn validators() -> ValidatorSet {
    ValidatorSet::new(vec![Validator { member: MemberId([1; 16]), key: key(3).public(), power: 1 }])
}

fn anchor() -> Anchor {
    Anchor::Validators { chain: CHAIN, validators_hash: validators().hash() }
}

fn header(state_root: Hash) -> HeaderProof {
    let header = Header {
        version: HEADER_VERSION,
        chain: CHAIN,
        height: Height(9),
        round: Round(0),
        time: Timestamp(1_000),
        parent: Hash::ZERO,
        history_root: Hash::ZERO,
        proposer: MemberId([1; 16]),
        transactions_root: Hash::ZERO,
        receipts_root: Hash::ZERO,
        state_root,
        validators_hash: validators().hash(),
        next_validators_hash: validators().hash(),
        gas_used: 0,
    };
    let message = vote_message(&CHAIN, VoteKind::Precommit, header.height, Round(0), Some(&header.hash()));
    let certificate = CommitCertificate {
        chain: CHAIN,
        height: header.height,
        round: Round(0),
        header: header.hash(),
        signatures: vec![(0, key(3).sign(&message))],
    };
    HeaderProof::of(CertifiedHeader { header, certificate, validators: validators() })
}

/// A node's proof of a state with this one key.
fn state_of(at: Vec<u8>, value: Vec<u8>) -> Value {
    let salt = Hash([8; 32]);
    let root = leaf_hash(&key_path(&at), &value_hash(&salt, &value));
    let entries = vec![Entry { key: at, value: Some(value) }];
    let proved = ProvedState::new(header(root), entries, MultiProof::from_steps([Step::Present { salt }]));
    json!({ "format": proof::FORMAT, "scale": hex::encode(&proved.encode()) })
}

fn salts() -> SaltedDocument {
    let fields =
        [("number", "17"), ("seller", "Harbour Steel"), ("total", "100.00"), ("due", "2026-06-01"), ("tax", "6.00")];
    SaltedDocument::new(&fields.map(|(name, value)| (name, value.to_owned()))).unwrap()
}

fn record(salts: &SaltedDocument) -> Commitment {
    Commitment {
        document: DOCUMENT,
        kind: DocumentKind::Invoice,
        owner: interface::AccountId([2; 16]),
        member: interface::MemberId(OWNER.0),
        commitment: interface::Hash(salts.commitment().0),
        date: BusinessDate(20_000),
        height: 5,
        erased: None,
    }
}

fn proof_of(record: &Commitment) -> Value {
    state_of(record_key(record.document), record.encode())
}

fn disclosed(names: &[&str]) -> Disclosure {
    let (salts, names) = (salts(), names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    Disclosure::of(&salts, DOCUMENT, &names, proof_of(&record(&salts))).unwrap()
}

fn verify(disclosure: &Disclosure) -> Result<Proven, DisclosureError> {
    // Through the file's text, as it travels.
    let text = serde_json::to_string(disclosure).unwrap();
    Disclosure::from_json(&serde_json::from_str(&text).unwrap())?.verify(&anchor(), None)
}

fn refusal(change: impl FnOnce(&mut Disclosure)) -> DisclosureError {
    let mut altered = disclosed(&["number", "total"]);
    change(&mut altered);
    verify(&altered).unwrap_err()
}

fn differs(name: &str) -> DisclosureError {
    DisclosureError::FieldDiffers { name: name.into() }
}

#[test]
fn every_choice_of_fields_is_proved_with_who_registered_it_and_when() {
    for names in [&["number"][..], &["tax", "number"], &["due", "number", "seller", "tax", "total"]] {
        let disclosure = disclosed(names);
        let proven = verify(&disclosure).unwrap();
        let mut shown: Vec<&str> = proven.fields.iter().map(|(name, _)| name.as_str()).collect();
        let mut wanted = names.to_vec();
        shown.sort_unstable();
        wanted.sort_unstable();
        assert_eq!((shown, proven.count), (wanted, 5));
        assert_eq!((proven.record.owner.0, proven.record.height, proven.header.height.0), ([2; 16], 5, 9));
        assert_eq!(proven.recipient, None);
    }
}

#[test]
fn a_field_that_is_not_shown_leaves_no_trace() {
    let text = serde_json::to_string(&disclosed(&["number"])).unwrap();
    assert!(text.contains("17") && !text.contains("Harbour Steel") && !text.contains("seller"), "{text}");
}

#[test]
fn f47_a_tampered_field_salt_name_or_place_is_refused_by_name() {
    assert_eq!(refusal(|it| it.fields[1].value = "1000.00".into()), differs("total"));
    assert_eq!(refusal(|it| it.fields[1].salt = Hash([9; 32])), differs("total"));
    assert_eq!(refusal(|it| it.fields[1].name = "payable".into()), differs("payable"));
    assert_eq!(refusal(|it| it.fields[0].index = 1), differs("number"));
    assert_eq!(refusal(|it| it.fields[0].siblings[0] = Hash([9; 32])), differs("number"));
    // Two fields whose values changed places.
    let swapped = |it: &mut Disclosure| {
        let value = std::mem::take(&mut it.fields[0].value);
        it.fields[0].value = std::mem::replace(&mut it.fields[1].value, value);
    };
    assert_eq!(refusal(swapped), differs("number"));
}

#[test]
fn f47_a_missing_leaf_is_refused_by_name() {
    let missing = |name: &str| DisclosureError::MissingLeaf { name: name.into() };
    assert_eq!(refusal(|it| it.fields[1].siblings.truncate(2)), missing("total"));
    assert_eq!(refusal(|it| it.fields[0].index = 5), missing("number"));
    assert_eq!(refusal(|it| it.count = 3), missing("number"));
    // A document of more fields has the same way to its first leaf, and another root.
    assert_eq!(refusal(|it| it.count = 6), differs("number"));
    assert_eq!(refusal(|it| it.fields.clear()), DisclosureError::NoFields);
}

#[test]
fn a_name_that_is_shown_twice_is_refused() {
    let twice = DisclosureError::DuplicateField { name: "number".into() };
    assert_eq!(refusal(|it| it.fields.push(it.fields[0].clone())), twice.clone());
    let names = ["number".to_owned(), "number".to_owned()];
    assert_eq!(Disclosure::of(&salts(), DOCUMENT, &names, Value::Null), Err(twice.clone()));
    let mut salts = salts();
    salts.fields[2].name = "number".into();
    assert_eq!(Disclosure::of(&salts, DOCUMENT, &names[..1], Value::Null), Err(twice));
}

#[test]
fn an_absent_field_is_refused_and_the_others_named() {
    let unknown = Disclosure::of(&salts(), DOCUMENT, &["iban".to_owned()], Value::Null);
    let has = "number, seller, total, due, tax".to_owned();
    assert_eq!(unknown, Err(DisclosureError::UnknownField { name: "iban".into(), has }));
}

#[test]
fn a_disclosure_of_another_document_is_refused() {
    let told = DocumentId([9; 32]).text();
    let proved = DOCUMENT.text();
    let other = DisclosureError::OtherDocument { told: told.clone(), proved };
    assert_eq!(refusal(|it| it.document = told.clone()), other);
    // The fields of one document under the record of another.
    let (mine, theirs) = (salts(), salts());
    let expected = theirs.commitment();
    let found = mine.commitment();
    let other = DisclosureError::OtherCommitment { expected, found };
    let foreign = proof_of(&record(&theirs));
    let mixed = Disclosure::of(&mine, DOCUMENT, &["number".into()], foreign).unwrap();
    assert_eq!(verify(&mixed), Err(other));
    // Nor does telling the other's root help.
    assert_eq!(verify(&Disclosure { commitment: expected, ..mixed }), Err(differs("number")));
}

#[test]
fn a_proof_that_shows_no_commitment_is_refused() {
    let none = DisclosureError::NoCommitment { document: DOCUMENT.text() };
    assert_eq!(refusal(|it| it.proof = state_of(b"elsewhere".to_vec(), vec![1])), none.clone());
    assert_eq!(refusal(|it| it.proof = state_of(record_key(DOCUMENT), vec![1])), none);
    let cut = |it: &mut Disclosure| {
        let text = it.proof["scale"].as_str().unwrap().to_owned();
        it.proof["scale"] = json!(text[..text.len() - 2]);
    };
    assert_eq!(refusal(cut).code(), "malformed_disclosure");
    assert_eq!(refusal(|it| it.format = "portolan-disclosure/2".into()).code(), "malformed_disclosure");
    assert_eq!(refusal(|it| it.document = "cert1x".into()).code(), "malformed_disclosure");
}

#[test]
fn an_altered_record_is_refused() {
    let mut altered = record(&salts());
    let honest = disclosed(&["number"]);
    let mut proved = proved(&honest.proof).unwrap();
    altered.commitment = interface::Hash(honest.commitment.0);
    altered.owner = interface::AccountId([9; 16]);
    proved.entries[0].value = Some(altered.encode());
    let proof = json!({ "format": proof::FORMAT, "scale": hex::encode(&proved.encode()) });
    assert_eq!(verify(&Disclosure { proof, ..honest }), Err(DisclosureError::ProofFails(ProofError::OtherRoot)));
}

#[test]
fn a_disclosure_of_another_chain_or_of_unknown_validators_is_refused() {
    let disclosure = disclosed(&["number"]);
    let trusted = Hash([1; 32]);
    let elsewhere = Anchor::Validators { chain: trusted, validators_hash: validators().hash() };
    let other = DisclosureError::OtherChain { trusted, found: CHAIN };
    assert_eq!(disclosure.verify(&elsewhere, None), Err(other));
    let strangers = Anchor::Validators { chain: CHAIN, validators_hash: trusted };
    let untrusted = ProofError::UntrustedValidators { trusted, found: validators().hash() };
    assert_eq!(disclosure.verify(&strangers, None), Err(DisclosureError::ProofFails(untrusted)));
}

#[test]
fn what_was_disclosed_is_still_verified_when_the_salts_are_gone_and_says_so_if_it_is_newer() {
    let salts = salts();
    let mut record = record(&salts);
    let commitment = record.commitment;
    record.erased = Some(Erasure { commitment, date: BusinessDate(20_001), time: 1, height: 8 });
    let later = Disclosure::of(&salts, DOCUMENT, &["number".into()], proof_of(&record)).unwrap();
    assert_eq!(verify(&later).unwrap().record.erasure().map(|erasure| erasure.height), Some(8));
    assert_eq!(verify(&disclosed(&["number"])).unwrap().record.erasure(), None);
}

fn key_record(of: &SigningKey, member: MemberId, purpose: KeyPurpose) -> Value {
    let public = of.public();
    let record = Key {
        key: public,
        member,
        purpose,
        valid_from: Timestamp(0),
        valid_until: Some(Timestamp(2_000)),
        revoked: None,
    };
    let at = keys::contract_record(&Key::MODULE.id(), Key::PREFIX, &public.id().encode());
    state_of(at.into_bytes(), record.encode())
}

fn person() -> KeyPurpose {
    KeyPurpose::User("ming".into())
}

fn addressed() -> Disclosure {
    disclosed(&["number", "total"]).signed_for(RECIPIENT, CHAIN, &key(11), key_record(&key(11), OWNER, person()))
}

#[test]
fn a_disclosure_for_one_recipient_is_signed_by_the_owner() {
    let proven = addressed().verify(&anchor(), Some(RECIPIENT)).unwrap();
    assert_eq!(proven.recipient, Some((RECIPIENT, key(11).public().id())));
    assert!(addressed().verify(&anchor(), None).is_ok(), "whoever does not say who reads is told for whom it is");
    let reader = AccountId([9; 16]);
    let other = DisclosureError::OtherRecipient { recipient: RECIPIENT.to_string(), reader: reader.to_string() };
    assert_eq!(addressed().verify(&anchor(), Some(reader)), Err(other));
    // Open ones are for everybody.
    assert!(disclosed(&["number"]).verify(&anchor(), Some(reader)).is_ok());
}

#[test]
fn nobody_changes_the_recipient_or_the_fields_of_a_signed_disclosure() {
    let altered = |change: fn(&mut Disclosure)| {
        let mut it = addressed();
        change(&mut it);
        verify(&it).unwrap_err()
    };
    assert_eq!(altered(|it| it.recipient = Some(AccountId([9; 16]))), DisclosureError::SignatureFails);
    assert_eq!(altered(|it| it.fields.truncate(1)), DisclosureError::SignatureFails);
    assert_eq!(altered(|it| it.signature = None), DisclosureError::NotSigned);
    let cut = |it: &mut Disclosure| it.signature.as_mut().unwrap().signature.truncate(126);
    assert_eq!(altered(cut), DisclosureError::SignatureFails);
}

#[test]
fn a_signature_counts_with_a_valid_key_of_a_person_of_the_owner_alone() {
    let by = |signer: u8, proof: Value| {
        verify(&disclosed(&["number"]).signed_for(RECIPIENT, CHAIN, &key(signer), proof)).map(drop)
    };
    let foreign = |signer: u8| Err(DisclosureError::NotOwnersKey { key: key(signer).public().id().to_string() });
    assert_eq!(by(11, key_record(&key(11), OWNER, person())), Ok(()));
    assert_eq!(by(12, key_record(&key(12), MemberId([9; 16]), person())), foreign(12));
    assert_eq!(by(12, key_record(&key(11), OWNER, person())), foreign(12));
    assert_eq!(by(11, key_record(&key(11), OWNER, KeyPurpose::Node)), foreign(11));
    let at = keys::contract_record(&Key::MODULE.id(), Key::PREFIX, &key(11).public().id().encode());
    let expired = Key {
        key: key(11).public(),
        member: OWNER,
        purpose: person(),
        valid_from: Timestamp(0),
        valid_until: Some(Timestamp(1_000)),
        revoked: None,
    };
    assert_eq!(by(11, state_of(at.into_bytes(), expired.encode())), foreign(11));
}
