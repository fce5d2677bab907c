//! Vectors of the formats in `portolan-primitives`.

use codec::Encode;
use portolan_primitives::hash::{hash, keyed_hash};
use portolan_primitives::receipt::events_root;
use portolan_primitives::transaction::{approval_message, call_leaf, leaf_salt};
use portolan_primitives::vote::vote_message;
use portolan_primitives::*;
use serde_json::{Value, json};

use crate::hex;

/// A hash that is told from others by one byte.
fn marked(byte: u8) -> Hash {
    Hash([byte; 32])
}

/// The signing key with a secret of one repeated byte.
fn key(byte: u8) -> SigningKey {
    SigningKey::from_secret(&[byte; 32]).expect("32 bytes")
}

/// Each domain's context, and its hash of nothing and of three bytes.
pub fn domains() -> Value {
    let row = |domain: &Domain| {
        json!({
            "domain": format!("{domain:?}"),
            "context": domain.context(),
            "empty": hash(*domain, b""),
            "abc": hash(*domain, b"abc"),
        })
    };
    json!({
        "domains": Domain::ALL.iter().map(row).collect::<Vec<_>>(),
        "keyed": keyed_hash(&[1; 32], &[b"ab", b"c"]),
    })
}

/// Ids from names, and their text.
pub fn ids() -> Value {
    let contracts = ["trade-documents", "receivable", "financing", "settlement"];
    let contract = |name: &&str| {
        let id = ContractId::from_name(name);
        json!({ "name": name, "bytes": hex(&id.0), "text": id })
    };
    let member = MemberId::from_name("harbour-bank");
    let account = AccountId::from_name("harbour-bank", "treasury");
    let public = key(1).public();
    json!({
        "member": { "name": "harbour-bank", "bytes": hex(&member.0), "text": member },
        "account": { "name": "harbour-bank/treasury", "bytes": hex(&account.0), "text": account },
        "contracts": contracts.iter().map(contract).collect::<Vec<_>>(),
        "public_key": { "scale": hex(&public.encode()), "text": public, "id": public.id() },
    })
}

fn body() -> Body {
    let call = |byte: u8| Call { contract: ContractId([byte; 16]), input: vec![byte; usize::from(byte)] };
    let mut approvers = vec![key(1).public().id(), key(2).public().id()];
    approvers.sort();
    Body {
        version: 1,
        chain: marked(1),
        sender: AccountId([2; 16]),
        salt: [3; 16],
        expires_at: Timestamp(1_800_000_000_000),
        gas_limit: 1_000_000,
        approvers,
        calls: vec![call(1), call(2), call(3)],
    }
}

fn signed() -> Transaction {
    let body = body();
    let sign = |id: &KeyId| [key(1), key(2)].iter().find(|key| key.public().id() == *id).map(|key| body.approve(key));
    let approvals = body.approvers.iter().filter_map(sign).collect();
    Transaction { body, approvals }
}

/// A transaction, its id, its wire hash, and what an approver signs.
pub fn transaction() -> Value {
    let transaction = signed();
    let id = transaction.body.id();
    json!({
        "scale": hex(&transaction.encode()),
        "body_scale": hex(&transaction.body.encode()),
        "id": hex(&id.0),
        "id_text": id,
        "approval_message": hex(&approval_message(&id)),
        "wire_hash": transaction.wire_hash(),
        "call_leaf_0": call_leaf(&leaf_salt(&transaction.body.salt, 0), &transaction.body.calls[0]),
    })
}

/// A header with every field told apart.
pub fn block() -> Value {
    let header = Header {
        version: 1,
        chain: marked(1),
        height: Height(0x0102_0304_0506_0708),
        round: Round(9),
        time: Timestamp(1_800_000_000_000),
        parent: marked(2),
        history_root: marked(3),
        proposer: MemberId([4; 16]),
        transactions_root: list_root(&[signed().wire_hash()]),
        receipts_root: marked(5),
        state_root: marked(6),
        validators_hash: marked(7),
        next_validators_hash: marked(8),
        gas_used: 10,
    };
    let block = Block { header: header.clone(), transactions: vec![signed()] };
    json!({
        "header_scale": hex(&header.encode()),
        "hash": header.hash(),
        "block_scale_length": block.encode().len(),
        "lists_its_transactions": block.lists_its_transactions(),
    })
}

/// One receipt of each outcome, and a root of events.
pub fn receipt() -> Value {
    let failed = |reason| Outcome::Failed { call: 3, contract: ContractId([1; 16]), reason };
    let outcomes = [
        (Origin::Transaction(TransactionId([1; 32])), Outcome::Ok(vec![vec![], vec![1, 2]])),
        (Origin::Agenda(AgendaId([2; 32]), 2), failed(FailureReason::Reverted(vec![7]))),
        (Origin::System, failed(FailureReason::OutOfGas)),
        (Origin::System, failed(FailureReason::Trapped)),
        (Origin::System, failed(FailureReason::UnknownContract)),
    ];
    let event = |byte: u8| Event { contract: ContractId([byte; 16]), payload: vec![byte] };
    let row = |(origin, outcome): (Origin, Outcome)| {
        let receipt = Receipt { origin, outcome, gas: 5, events_root: marked(9) };
        json!({ "scale": hex(&receipt.encode()), "leaf": receipt.leaf() })
    };
    json!({
        "receipts": outcomes.into_iter().map(row).collect::<Vec<_>>(),
        "no_events": events_root(&[3; 16], &[]),
        "two_events": events_root(&[3; 16], &[event(1), event(2)]),
    })
}

/// What votes sign, a set's hash, and a certificate.
pub fn vote() -> Value {
    let validator = |byte: u8| Validator { member: MemberId([byte; 16]), key: key(byte).public(), power: byte.into() };
    let set = ValidatorSet::new(vec![validator(3), validator(1), validator(2)]);
    let header = marked(5);
    let message = vote_message(&marked(1), VoteKind::Precommit, Height(7), Round(2), Some(&header));
    let signature = |place: u16| (place, key(place as u8 + 1).sign(&message));
    let certificate = CommitCertificate {
        chain: marked(1),
        height: Height(7),
        round: Round(2),
        header,
        signatures: vec![signature(1), signature(2)],
    };
    json!({
        "precommit_message": hex(&message),
        "nil_prevote_message": hex(&vote_message(&marked(1), VoteKind::Prevote, Height(7), Round(2), None)),
        "set_scale": hex(&set.encode()),
        "set_hash": set.hash(),
        "certificate_scale": hex(&certificate.encode()),
        "certificate_valid": certificate.verify(&marked(1), &set).is_ok(),
    })
}

/// Roots of lists of each length up to nine, one proof, and the folded history.
pub fn list() -> Value {
    let items: Vec<Hash> = (0..9).map(marked).collect();
    let mut history = History::default();
    items.iter().for_each(|item| history.append(item));
    let proof = ListProof::build(&items, 6).expect("a place in the list");
    json!({
        "roots": (0..=9).map(|count| list_root(&items[..count])).collect::<Vec<_>>(),
        "proof_of_item_6": hex(&proof.encode()),
        "history_scale": hex(&history.encode()),
        "history_root": history.root(),
    })
}
