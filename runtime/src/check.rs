//! Whether a transaction may run at its place: asked for admission to a mempool, while a block is built, and while it is
//! judged. A block that holds one which may not is invalid.
//!
//! Must never depend on anything but the chain: state, blocks, and the block's own time.

use std::sync::Arc;

use portolan_primitives::limits::MAX_CALL_INPUT;
use portolan_primitives::transaction::{Body, approval_message};
use portolan_primitives::{
    AccountId, DecodeError, Hash, Height, KeyId, MemberStatus, PublicKey, Signature, Timestamp, Transaction,
    TransactionId,
};
use portolan_vm::{HostFault, HostResult};

use crate::authority::{counts, may_act};
use crate::gas;
use crate::ledger::Ledger;
use crate::native::records::{Account, Key, KeyPurpose, Member, Person, PersonId};
use crate::native::{Approver, Native, Sender};
use crate::rules::BlockRules;

/// What is bounded by block or by member and block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Declared gas.
    Gas,
    /// Bytes of transactions.
    Bytes,
    /// Number of transactions.
    Transactions,
    /// Bytes added to the state, net.
    StoredBytes,
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gas => "declared gas",
            Self::Bytes => "bytes",
            Self::Transactions => "transactions",
            Self::StoredBytes => "stored bytes",
        })
    }
}

/// Why a transaction may not run at its place. Nothing of it remains.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not the shape of a transaction.
    #[error("the transaction is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// For another chain.
    #[error("the transaction is for chain {found}, this is {expected}: sign it for this chain")]
    OtherChain {
        /// This chain.
        expected: Hash,
        /// The transaction's.
        found: Hash,
    },
    /// Its time is over.
    #[error("the transaction expired: make it again with a later expiry")]
    Expired,
    /// Valid for longer than the window.
    #[error("the transaction expires more than {window_ms} ms ahead: make it again with an earlier expiry")]
    TooFarInFuture {
        /// Longest life, ms.
        window_ms: u64,
    },
    /// It ran already; the receipt is there to be asked for.
    #[error("transaction {0} ran already: ask for its receipt")]
    Replayed(TransactionId),
    /// No such account.
    #[error("there is no account under the sender's id")]
    UnknownAccount,
    /// The account is closed.
    #[error("the sender's account is closed")]
    AccountClosed,
    /// The member may not act.
    #[error("the sender's member is {0:?} and may not act")]
    MemberNotActive(MemberStatus),
    /// An approver's key is not registered.
    #[error("approver {0} is not registered: register the key first")]
    UnknownKey(KeyId),
    /// An approver's key has another purpose.
    #[error("approver {0} is not a key for approving transactions")]
    WrongPurpose(KeyId),
    /// An approver's key is revoked, expired, or not yet valid.
    #[error("approver {0} is revoked, expired, or not yet valid: have it approved with a valid key")]
    KeyNotValid(KeyId),
    /// An approver's person may not act, or its member.
    #[error("the person of approver {0} may not act")]
    PersonNotActive(KeyId),
    /// Nobody whom the sender's policy counts approved.
    #[error("no approver is a person of the sender's member whom the account's policy counts")]
    NoApproverOfSender,
    /// A signature does not verify.
    #[error("an approval's signature is not valid for the transaction")]
    BadSignature,
    /// More gas than a transaction may declare.
    #[error("the transaction declares more than {most} gas")]
    GasAboveLimit {
        /// Most gas of a transaction.
        most: u64,
    },
    /// Less gas than its own checks cost.
    #[error("the transaction declares less than the {least} gas that it costs before its first call")]
    GasBelowBase {
        /// Least gas of this transaction.
        least: u64,
    },
    /// A call of a contract has too long an input.
    #[error("the input of call {0} is longer than 64 KiB")]
    InputTooLong(u16),
    /// The member's quota in this block is used up.
    #[error("the member's quota of {0} in one block is used up: it can go into a later block")]
    Quota(Bound),
    /// The block is full.
    #[error("the block is full ({0}): it can go into a later one")]
    BlockFull(Bound),
}

impl Refusal {
    /// Whether no later block can take it either, as far as this chain can tell: a builder drops it, else keeps it.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Quota(_) | Self::BlockFull(_) | Self::TooFarInFuture { .. })
    }

    /// A stable word for APIs and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed_transaction",
            Self::OtherChain { .. } => "other_chain",
            Self::Expired => "expired",
            Self::TooFarInFuture { .. } => "too_far_in_future",
            Self::Replayed(_) => "already_final",
            Self::UnknownAccount => "unknown_account",
            Self::AccountClosed => "account_closed",
            Self::MemberNotActive(_) => "member_not_active",
            Self::UnknownKey(_) => "unknown_key",
            Self::WrongPurpose(_) => "wrong_key_purpose",
            Self::KeyNotValid(_) => "key_not_valid",
            Self::PersonNotActive(_) => "person_not_active",
            Self::NoApproverOfSender => "no_approver_of_sender",
            Self::BadSignature => "bad_signature",
            Self::GasAboveLimit { .. } => "gas_above_limit",
            Self::GasBelowBase { .. } => "gas_below_base",
            Self::InputTooLong(_) => "input_too_long",
            Self::Quota(_) => "quota_exceeded",
            Self::BlockFull(_) => "block_full",
        }
    }
}

/// Why there is no answer, or a refusal.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The transaction may not run here. Building leaves it out, judging refuses the block.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The host failed: the block has no outcome.
    #[error(transparent)]
    Halt(#[from] HostFault),
}

/// One signature to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureItem {
    /// Who is said to have signed.
    pub key: PublicKey,
    /// What.
    pub message: Vec<u8>,
    /// The signature.
    pub signature: Signature,
}

/// Verifies signatures; a node remembers by wire hash what it has verified, since a wire hash fixes keys, message and
/// signatures alike. Every implementation answers as [`VerifyEach`] does.
pub trait SignatureVerifier: Send + Sync {
    /// Whether all are valid.
    fn verify(&self, wire_hash: &Hash, items: &[SignatureItem]) -> bool;
}

/// Verifies each signature when it is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyEach;

impl SignatureVerifier for VerifyEach {
    fn verify(&self, _: &Hash, items: &[SignatureItem]) -> bool {
        items.iter().all(|item| item.key.verify(&item.message, &item.signature))
    }
}

/// What is known of a transaction that may be admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Its id.
    pub id: TransactionId,
    /// Its wire hash.
    pub wire_hash: Hash,
    /// On whose behalf it runs.
    pub sender: Sender,
    /// Who approved.
    pub approvers: Vec<Approver>,
    /// What must verify.
    pub signatures: Vec<SignatureItem>,
    /// Bytes on the wire.
    pub bytes: u64,
    /// Declared gas.
    pub gas: u64,
}

/// Where a transaction would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub chain: Hash,
    /// Time of the block before.
    pub parent_time: Timestamp,
    pub height: Height,
    pub time: Timestamp,
}

/// Everything but replay, quotas and the signatures themselves.
pub(crate) fn admit(
    ledger: &mut Ledger,
    rules: &BlockRules,
    place: Place,
    transaction: &Transaction,
) -> Result<Admission, ApplyError> {
    transaction.check_shape().map_err(Refusal::Malformed)?;
    let bytes = codec::Encode::encoded_size(transaction);
    check_body(rules, place, &transaction.body, bytes)?;
    let id = transaction.body.id();
    let (sender, approvers, signatures) = check_authority(ledger, place, transaction, &id)?;
    let gas = transaction.body.gas_limit;
    let wire_hash = transaction.wire_hash_of(&id);
    Ok(Admission { id, wire_hash, sender, approvers, signatures, bytes: bytes as u64, gas })
}

fn check_body(rules: &BlockRules, place: Place, body: &Body, bytes: usize) -> Result<(), Refusal> {
    if body.chain != place.chain {
        return Err(Refusal::OtherChain { expected: place.chain, found: body.chain });
    }
    if body.expires_at <= place.parent_time {
        return Err(Refusal::Expired);
    }
    if body.expires_at.0 > place.time.0.saturating_add(rules.window_ms) {
        return Err(Refusal::TooFarInFuture { window_ms: rules.window_ms });
    }
    if body.gas_limit > rules.transaction_gas {
        return Err(Refusal::GasAboveLimit { most: rules.transaction_gas });
    }
    let least = gas::transaction(bytes, body.approvers.len());
    if body.gas_limit < least {
        return Err(Refusal::GasBelowBase { least });
    }
    let too_long = |call: &portolan_primitives::Call| {
        call.input.len() > MAX_CALL_INPUT && Native::from_id(call.contract).is_none()
    };
    match body.calls.iter().position(too_long) {
        Some(index) => Err(Refusal::InputTooLong(index as u16)),
        None => Ok(()),
    }
}

type Authority = (Sender, Vec<Approver>, Vec<SignatureItem>);

/// The sender's account, and each approver's key and person.
fn check_authority(
    ledger: &mut Ledger,
    place: Place,
    transaction: &Transaction,
    id: &TransactionId,
) -> Result<Authority, ApplyError> {
    let (sender, account) = check_sender(ledger, transaction.body.sender)?;
    let message = approval_message(id);
    let mut approvers = Vec::with_capacity(transaction.approvals.len());
    let mut signatures = Vec::with_capacity(transaction.approvals.len());
    for (key, signature) in transaction.body.approvers.iter().zip(&transaction.approvals) {
        let (approver, key) = check_approver(ledger, place, *key)?;
        approvers.push(approver);
        signatures.push(SignatureItem { key, message: message.clone(), signature: *signature });
    }
    if !approvers.iter().any(|approver| counts(&account.policy, sender.member, approver)) {
        return Err(Refusal::NoApproverOfSender.into());
    }
    Ok((sender, approvers, signatures))
}

fn check_sender(ledger: &mut Ledger, id: AccountId) -> Result<(Sender, Arc<Account>), ApplyError> {
    let account = ledger.get_kept::<Account>(&id)?.ok_or(Refusal::UnknownAccount)?;
    if account.closed {
        return Err(Refusal::AccountClosed.into());
    }
    match status(ledger, &account)? {
        Some(status) if may_act(status) => Ok((Sender { account: id, member: account.member }, account)),
        Some(status) => Err(Refusal::MemberNotActive(status).into()),
        None => Err(Refusal::UnknownAccount.into()),
    }
}

fn status(ledger: &mut Ledger, account: &Account) -> HostResult<Option<MemberStatus>> {
    Ok(ledger.get_kept::<Member>(&account.member)?.map(|member| member.status))
}

fn check_approver(ledger: &mut Ledger, place: Place, id: KeyId) -> Result<(Approver, PublicKey), ApplyError> {
    let key = ledger.get_kept::<Key>(&id)?.ok_or(Refusal::UnknownKey(id))?;
    let KeyPurpose::User(name) = &key.purpose else { return Err(Refusal::WrongPurpose(id).into()) };
    if !key.valid_at(place.height, place.time) {
        return Err(Refusal::KeyNotValid(id).into());
    }
    let person = PersonId { member: key.member, name: name.clone() };
    let duties = ledger.get_kept::<Person>(&person)?.filter(|person| person.active);
    let member = ledger.get_kept::<Member>(&key.member)?.filter(|member| may_act(member.status));
    match (duties, member) {
        (Some(duties), Some(_)) => Ok((Approver { key: id, person, duties: (*duties).clone() }, key.key)),
        _ => Err(Refusal::PersonNotActive(id).into()),
    }
}
