//! Organisations, their persons, keys and accounts.
//!
//! Members join, change roles and are frozen by governance. A member's own affairs (persons, keys, accounts) are authorised by
//! its account [`ADMIN`]. Must never hold personal data: persons are pseudonyms.

use codec::{Decode, Encode};
use portolan_primitives::id::is_name;
use portolan_primitives::{AccountId, Currency, KeyId, MemberId, MemberStatus, PublicKey, Role, Timestamp};
use portolan_sdk::metadata::ContractMetadata;
use portolan_vm::abi::{Authorization, MAX_SCAN_ENTRIES};
use scale_info::TypeInfo;

use super::records::{
    Account, AccountOfMember, Key, KeyOfMember, KeyPurpose, Member, Person, PersonId, Policy, Tier, Validators,
};
use super::{Approver, Context, NativeError, NativeModule, NativeResult, decode_message};
use crate::authority::can_be_met;

/// The account whose policy authorises a member's own affairs. Every member has it from the start.
pub const ADMIN: &str = "admin";
/// Longest title of a member, bytes.
pub const MAX_TITLE: usize = 128;
/// Most persons that a policy names.
pub const MAX_POLICY_PERSONS: usize = 64;
/// Most tiers of a policy.
pub const MAX_TIERS: usize = 32;
/// Most persons that a tier may ask for: no transaction has more approvers.
pub const MAX_TIER_PERSONS: u8 = 16;
/// ISO 4217's code for "no currency": acts without an amount, votes too, are authorised under it.
pub(super) const NO_CURRENCY: Currency = Currency(*b"XXX");

/// Why a message about members was refused.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MembersError {
    /// Only governance may do this; make a proposal with `portolan governance propose`.
    #[codec(index = 0)]
    NotGoverned,
    /// The sender must be the member's account `admin`.
    #[codec(index = 1)]
    NotAdmin,
    /// Too few persons of the member approved.
    #[codec(index = 2)]
    TooFewPersons,
    /// The sender's member is frozen or has left.
    #[codec(index = 3)]
    MemberNotActive,
    /// Names have 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit.
    #[codec(index = 4)]
    BadName(String),
    /// Titles have 1 to 128 bytes.
    #[codec(index = 5)]
    BadTitle,
    /// A member needs at least one role.
    #[codec(index = 6)]
    NoRole,
    /// There is a member under that name already.
    #[codec(index = 7)]
    MemberExists,
    /// There is no such member.
    #[codec(index = 8)]
    UnknownMember,
    /// The member has a person of that name already.
    #[codec(index = 9)]
    PersonExists,
    /// The member has no such person.
    #[codec(index = 10)]
    UnknownPerson(String),
    /// The key is of small order or not canonical; make a new one.
    #[codec(index = 11)]
    BadKey,
    /// The key is registered already; a key is registered once, for one purpose.
    #[codec(index = 12)]
    KeyExists,
    /// There is no such key of the member.
    #[codec(index = 13)]
    UnknownKey,
    /// The key's last day is not after its first.
    #[codec(index = 14)]
    EmptyValidity,
    /// A validator's key changes by governance.
    #[codec(index = 15)]
    ValidatorKeyIsGoverned,
    /// The member has an account of that name already.
    #[codec(index = 16)]
    AccountExists,
    /// There is no such account of the member.
    #[codec(index = 17)]
    UnknownAccount,
    /// The account is closed.
    #[codec(index = 18)]
    AccountClosed,
    /// The account `admin` can't be closed.
    #[codec(index = 19)]
    AdminStays,
    /// A policy has 1 to 32 tiers of 1 to 16 persons with positive bounds, and names at most 64 persons, ascending, once each.
    #[codec(index = 20)]
    BadPolicy,
    /// A tier asks for more persons, makers or checkers than there are: of those that the policy names, or of the member's, with a
    /// valid key. Add them first.
    #[codec(index = 21)]
    PolicyCannotBeMet,
    /// A member that left does not come back under its name.
    #[codec(index = 22)]
    HasLeft,
}

/// What happened to members.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum MembersEvent {
    /// A member joined.
    #[codec(index = 0)]
    MemberAdded { member: MemberId },
    /// A member's status changed.
    #[codec(index = 1)]
    StatusChanged { member: MemberId, status: MemberStatus },
    /// A member's roles changed.
    #[codec(index = 2)]
    RolesChanged { member: MemberId },
    /// A person was added or changed.
    #[codec(index = 3)]
    PersonChanged { member: MemberId, person: String },
    /// A key was registered.
    #[codec(index = 4)]
    KeyRegistered { member: MemberId, key: KeyId },
    /// A key was revoked; it counts in no later block.
    #[codec(index = 5)]
    KeyRevoked { member: MemberId, key: KeyId },
    /// An account was created.
    #[codec(index = 6)]
    AccountCreated { member: MemberId, account: AccountId },
    /// An account's policy changed.
    #[codec(index = 7)]
    PolicyChanged { account: AccountId, version: u32 },
    /// An account was closed.
    #[codec(index = 8)]
    AccountClosed { account: AccountId },
}

/// A member as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct MemberView {
    /// Its id.
    pub id: MemberId,
    /// The record.
    pub member: Member,
}

/// An account as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct AccountView {
    /// Its id.
    pub id: AccountId,
    /// Name of its member.
    pub member_name: String,
    /// The record.
    pub account: Account,
}

/// A person as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct PersonView {
    /// The pseudonym.
    pub name: String,
    /// The record.
    pub person: Person,
}

/// A key as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct KeyView {
    /// Its id.
    pub id: KeyId,
    /// The record.
    pub key: Key,
}

/// Organisations, persons, keys, accounts.
#[portolan_sdk::interface(name = "members", error = MembersError, event = MembersEvent, module = messages)]
pub trait Messages {
    /// Governance: a member joins, with a first person who alone holds its account `admin` until the member says otherwise.
    #[call(index = 0)]
    fn add_member(
        &mut self,
        name: String,
        title: String,
        roles: Vec<Role>,
        admin: String,
        admin_key: PublicKey,
    ) -> Result<MemberId, MembersError>;
    /// Governance: freezes a member, restricts it, makes it active again, or lets it leave.
    #[call(index = 1)]
    fn set_status(&mut self, member: MemberId, status: MemberStatus) -> Result<(), MembersError>;
    /// Governance: what a member may do.
    #[call(index = 2)]
    fn set_roles(&mut self, member: MemberId, roles: Vec<Role>) -> Result<(), MembersError>;
    /// The member: adds a person.
    #[call(index = 3)]
    fn add_person(&mut self, name: String, maker: bool, checker: bool) -> Result<(), MembersError>;
    /// The member: changes a person's duties, or whether the person may act at all.
    #[call(index = 4)]
    fn set_person(&mut self, name: String, person: Person) -> Result<(), MembersError>;
    /// The member: registers a person's or a node's key. A rotation registers the new key and revokes the old one later.
    #[call(index = 5)]
    fn register_key(
        &mut self,
        key: PublicKey,
        purpose: KeyPurpose,
        valid_until: Option<Timestamp>,
    ) -> Result<KeyId, MembersError>;
    /// The member or governance: a key counts in no later block.
    #[call(index = 6)]
    fn revoke_key(&mut self, key: KeyId) -> Result<(), MembersError>;
    /// The member: creates an account.
    #[call(index = 7)]
    fn create_account(&mut self, name: String, policy: Policy) -> Result<AccountId, MembersError>;
    /// The member: who must approve what an account does. Answers the policy's version.
    #[call(index = 8)]
    fn set_policy(&mut self, account: AccountId, policy: Policy) -> Result<u32, MembersError>;
    /// The member: the account sends and authorises nothing more; it can still receive.
    #[call(index = 9)]
    fn close_account(&mut self, account: AccountId) -> Result<(), MembersError>;

    /// The members, ascending by id, after `after`, at most `limit` (256).
    #[query(index = 0, path = "/members")]
    fn members(&self, after: Option<MemberId>, limit: u32) -> Result<Vec<MemberView>, MembersError>;
    /// One member.
    #[query(index = 1, path = "/members/{member}")]
    fn member(&self, member: MemberId) -> Result<MemberView, MembersError>;
    /// A member's accounts, ascending by id.
    #[query(index = 2, path = "/members/{member}/accounts")]
    fn accounts(
        &self,
        member: MemberId,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Vec<AccountView>, MembersError>;
    /// A member's keys, ascending by id.
    #[query(index = 3, path = "/members/{member}/keys")]
    fn keys(&self, member: MemberId, after: Option<KeyId>, limit: u32) -> Result<Vec<KeyView>, MembersError>;
    /// A member's persons, by pseudonym.
    #[query(index = 4, path = "/members/{member}/persons")]
    fn persons(&self, member: MemberId, after: Option<String>, limit: u32) -> Result<Vec<PersonView>, MembersError>;
    /// One account.
    #[query(index = 5, path = "/accounts/{account}")]
    fn account(&self, account: AccountId) -> Result<AccountView, MembersError>;
    /// One key.
    #[query(index = 6, path = "/keys/{key}")]
    fn key(&self, key: KeyId) -> Result<KeyView, MembersError>;
}

/// The module.
pub struct Members;

impl NativeModule for Members {
    fn metadata(&self) -> ContractMetadata {
        messages::metadata()
    }

    fn call(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        use messages::Call;
        match decode_message::<Call>(input)? {
            Call::AddMember { name, title, roles, admin, admin_key } => {
                add_member(context, name, title, roles, admin, admin_key).map(|id| id.encode())
            }
            Call::SetStatus { member, status } => set_status(context, member, status).map(|()| vec![]),
            Call::SetRoles { member, roles } => set_roles(context, member, roles).map(|()| vec![]),
            Call::AddPerson { name, maker, checker } => add_person(context, name, maker, checker).map(|()| vec![]),
            Call::SetPerson { name, person } => set_person(context, name, person).map(|()| vec![]),
            Call::RegisterKey { key, purpose, valid_until } => {
                register_own_key(context, key, purpose, valid_until).map(|id| id.encode())
            }
            Call::RevokeKey { key } => revoke_key(context, key).map(|()| vec![]),
            Call::CreateAccount { name, policy } => create_account(context, name, policy).map(|id| id.encode()),
            Call::SetPolicy { account, policy } => set_policy(context, account, policy).map(|version| version.encode()),
            Call::CloseAccount { account } => close_account(context, account).map(|()| vec![]),
        }
    }

    fn query(&self, context: &mut Context<'_>, input: &[u8]) -> NativeResult<Vec<u8>> {
        use messages::Query;
        match decode_message::<Query>(input)? {
            Query::Members { after, limit } => {
                let found = context.list::<Member>(&[], after.as_ref(), limit)?;
                Ok(found.into_iter().map(|(id, member)| MemberView { id, member }).collect::<Vec<_>>().encode())
            }
            Query::Member { member } => Ok(MemberView { id: member, member: known(context, member)? }.encode()),
            Query::Accounts { member, after, limit } => accounts_of(context, member, after, limit),
            Query::Keys { member, after, limit } => keys_of(context, member, after, limit),
            Query::Persons { member, after, limit } => {
                known(context, member)?;
                let after = after.map(|name| PersonId { member, name });
                let found = context.list::<Person>(&member.encode(), after.as_ref(), limit)?;
                let view = |(id, person): (PersonId, Person)| PersonView { name: id.name, person };
                Ok(found.into_iter().map(view).collect::<Vec<_>>().encode())
            }
            Query::Account { account } => account_view(context, account).map(|view| view.encode()),
            Query::Key { key } => {
                let record = context.get::<Key>(&key)?.ok_or_else(|| refused(MembersError::UnknownKey))?;
                Ok(KeyView { id: key, key: record }.encode())
            }
        }
    }
}

fn refused(error: MembersError) -> NativeError {
    NativeError::refused(error)
}

fn ensure(holds: bool, error: impl FnOnce() -> MembersError) -> NativeResult<()> {
    if holds { Ok(()) } else { Err(refused(error())) }
}

fn ensure_governance(context: &Context<'_>) -> NativeResult<()> {
    ensure(context.is_governance(), || MembersError::NotGoverned)
}

fn ensure_name(name: &str) -> NativeResult<()> {
    ensure(is_name(name), || MembersError::BadName(name.chars().take(60).collect()))
}

fn known(context: &mut Context<'_>, member: MemberId) -> NativeResult<Member> {
    context.get::<Member>(&member)?.ok_or_else(|| refused(MembersError::UnknownMember))
}

/// The member whose account `admin` sends and whose policy is met.
fn administered(context: &mut Context<'_>) -> NativeResult<MemberId> {
    let sender = context.sender().ok_or_else(|| refused(MembersError::NotAdmin))?;
    let member = known(context, sender.member)?;
    ensure(sender.account == AccountId::from_name(&member.name, ADMIN), || MembersError::NotAdmin)?;
    match context.authorize(sender.account, "administer", NO_CURRENCY, 0)? {
        Authorization::Granted => Ok(sender.member),
        Authorization::MemberNotActive => Err(refused(MembersError::MemberNotActive)),
        Authorization::TooFewPersons => Err(refused(MembersError::TooFewPersons)),
        Authorization::NotTopLevel | Authorization::UnknownAccount => Err(refused(MembersError::NotAdmin)),
    }
}

/// Roles in the order that records keep: ascending, once each.
fn in_order(mut roles: Vec<Role>) -> NativeResult<Vec<Role>> {
    roles.sort_unstable();
    roles.dedup();
    ensure(!roles.is_empty(), || MembersError::NoRole)?;
    Ok(roles)
}

fn add_member(
    context: &mut Context<'_>,
    name: String,
    title: String,
    roles: Vec<Role>,
    admin: String,
    admin_key: PublicKey,
) -> NativeResult<MemberId> {
    ensure_governance(context)?;
    ensure_name(&name)?;
    ensure_name(&admin)?;
    ensure((1..=MAX_TITLE).contains(&title.len()), || MembersError::BadTitle)?;
    let roles = in_order(roles)?;
    let id = MemberId::from_name(&name);
    ensure(context.get::<Member>(&id)?.is_none(), || MembersError::MemberExists)?;
    let since = context.block().height;
    let account = AccountId::from_name(&name, ADMIN);
    context.put(&id, &Member { name, title, roles, status: MemberStatus::Active, since })?;
    let person = PersonId { member: id, name: admin.clone() };
    context.put(&person, &Person { maker: true, checker: true, active: true })?;
    put_key(context, id, admin_key, KeyPurpose::User(admin), None)?;
    put_account(context, id, account, ADMIN.into(), Policy::any(1))?;
    context.emit(&MembersEvent::MemberAdded { member: id })?;
    Ok(id)
}

fn set_status(context: &mut Context<'_>, id: MemberId, status: MemberStatus) -> NativeResult<()> {
    ensure_governance(context)?;
    let mut member = known(context, id)?;
    ensure(member.status != MemberStatus::Left, || MembersError::HasLeft)?;
    member.status = status;
    context.put(&id, &member)?;
    context.emit(&MembersEvent::StatusChanged { member: id, status })
}

fn set_roles(context: &mut Context<'_>, id: MemberId, roles: Vec<Role>) -> NativeResult<()> {
    ensure_governance(context)?;
    let mut member = known(context, id)?;
    member.roles = in_order(roles)?;
    context.put(&id, &member)?;
    context.emit(&MembersEvent::RolesChanged { member: id })
}

fn add_person(context: &mut Context<'_>, name: String, maker: bool, checker: bool) -> NativeResult<()> {
    let member = administered(context)?;
    ensure_name(&name)?;
    let id = PersonId { member, name };
    ensure(context.get::<Person>(&id)?.is_none(), || MembersError::PersonExists)?;
    context.put(&id, &Person { maker, checker, active: true })?;
    context.emit(&MembersEvent::PersonChanged { member, person: id.name })
}

fn set_person(context: &mut Context<'_>, name: String, person: Person) -> NativeResult<()> {
    let member = administered(context)?;
    let id = PersonId { member, name };
    ensure(context.get::<Person>(&id)?.is_some(), || MembersError::UnknownPerson(id.name.clone()))?;
    context.put(&id, &person)?;
    context.emit(&MembersEvent::PersonChanged { member, person: id.name })
}

fn register_own_key(
    context: &mut Context<'_>,
    key: PublicKey,
    purpose: KeyPurpose,
    valid_until: Option<Timestamp>,
) -> NativeResult<KeyId> {
    let member = administered(context)?;
    match &purpose {
        KeyPurpose::Validator => return Err(refused(MembersError::ValidatorKeyIsGoverned)),
        KeyPurpose::User(name) => {
            let person = PersonId { member, name: name.clone() };
            ensure(context.get::<Person>(&person)?.is_some(), || MembersError::UnknownPerson(person.name.clone()))?;
        }
        KeyPurpose::Node => {}
    }
    put_key(context, member, key, purpose, valid_until)
}

fn put_key(
    context: &mut Context<'_>,
    member: MemberId,
    key: PublicKey,
    purpose: KeyPurpose,
    valid_until: Option<Timestamp>,
) -> NativeResult<KeyId> {
    ensure(key.check_registrable().is_ok(), || MembersError::BadKey)?;
    let id = key.id();
    ensure(context.get::<Key>(&id)?.is_none() && !signs_votes(context, &key)?, || MembersError::KeyExists)?;
    let valid_from = context.block().time;
    ensure(valid_until.is_none_or(|until| until > valid_from), || MembersError::EmptyValidity)?;
    context.put(&id, &Key { key, member, purpose, valid_from, valid_until, revoked: None })?;
    context.put(&(member, id), &KeyOfMember)?;
    context.emit(&MembersEvent::KeyRegistered { member, key: id })?;
    Ok(id)
}

/// Whether a validator of now or of a set to come votes with the key.
fn signs_votes(context: &mut Context<'_>, key: &PublicKey) -> NativeResult<bool> {
    let Some(validators) = context.get::<Validators>(&())? else { return Ok(false) };
    let mut sets = std::iter::once(&validators.current).chain(validators.pending.iter().map(|(_, set)| set));
    Ok(sets.any(|set| set.validators().iter().any(|validator| validator.key == *key)))
}

fn revoke_key(context: &mut Context<'_>, id: KeyId) -> NativeResult<()> {
    let mut key = context.get::<Key>(&id)?.ok_or_else(|| refused(MembersError::UnknownKey))?;
    if !context.is_governance() {
        let member = administered(context)?;
        ensure(key.member == member, || MembersError::UnknownKey)?;
        ensure(key.purpose != KeyPurpose::Validator, || MembersError::ValidatorKeyIsGoverned)?;
    }
    if key.revoked.is_none() {
        key.revoked = Some(context.block().height);
        context.put(&id, &key)?;
        context.emit(&MembersEvent::KeyRevoked { member: key.member, key: id })?;
    }
    Ok(())
}

fn create_account(context: &mut Context<'_>, name: String, policy: Policy) -> NativeResult<AccountId> {
    let member = administered(context)?;
    ensure_name(&name)?;
    let member_name = known(context, member)?.name;
    let id = AccountId::from_name(&member_name, &name);
    ensure(context.get::<Account>(&id)?.is_none(), || MembersError::AccountExists)?;
    ensure_policy(context, member, &policy)?;
    put_account(context, member, id, name, policy)?;
    Ok(id)
}

fn put_account(
    context: &mut Context<'_>,
    member: MemberId,
    id: AccountId,
    name: String,
    policy: Policy,
) -> NativeResult<()> {
    context.put(&id, &Account { member, name, policy, policy_version: 1, closed: false })?;
    context.put(&(member, id), &AccountOfMember)?;
    context.emit(&MembersEvent::AccountCreated { member, account: id })
}

/// An open account of the member.
fn own_account(context: &mut Context<'_>, member: MemberId, id: AccountId) -> NativeResult<Account> {
    let account = context.get::<Account>(&id)?.filter(|account| account.member == member);
    let account = account.ok_or_else(|| refused(MembersError::UnknownAccount))?;
    ensure(!account.closed, || MembersError::AccountClosed)?;
    Ok(account)
}

fn set_policy(context: &mut Context<'_>, id: AccountId, policy: Policy) -> NativeResult<u32> {
    let member = administered(context)?;
    let mut account = own_account(context, member, id)?;
    ensure_policy(context, member, &policy)?;
    account.policy = policy;
    account.policy_version += 1;
    context.put(&id, &account)?;
    context.emit(&MembersEvent::PolicyChanged { account: id, version: account.policy_version })?;
    Ok(account.policy_version)
}

fn close_account(context: &mut Context<'_>, id: AccountId) -> NativeResult<()> {
    let member = administered(context)?;
    let mut account = own_account(context, member, id)?;
    ensure(account.name != ADMIN, || MembersError::AdminStays)?;
    account.closed = true;
    context.put(&id, &account)?;
    context.emit(&MembersEvent::AccountClosed { account: id })
}

/// Whether a policy has the shape that records promise. Genesis asks this too.
pub fn check_policy(policy: &Policy) -> Result<(), MembersError> {
    let tier_fits = |tier: &Tier| {
        (1..=MAX_TIER_PERSONS).contains(&tier.persons)
            && tier.up_to.is_none_or(|most| most > 0 && tier.currency.is_some())
    };
    let ordered = policy.persons.windows(2).all(|pair| pair[0] < pair[1]);
    let fits = policy.persons.len() <= MAX_POLICY_PERSONS
        && ordered
        && (1..=MAX_TIERS).contains(&policy.tiers.len())
        && policy.tiers.iter().all(tier_fits);
    if !fits {
        return Err(MembersError::BadPolicy);
    }
    let named = policy.persons.len();
    let reachable =
        |tier: &Tier| named == 0 || (usize::from(tier.persons) <= named && (!tier.maker_checker || named > 1));
    if policy.tiers.iter().all(reachable) { Ok(()) } else { Err(MembersError::PolicyCannotBeMet) }
}

fn ensure_policy(context: &mut Context<'_>, member: MemberId, policy: &Policy) -> NativeResult<()> {
    check_policy(policy).map_err(refused)?;
    for name in &policy.persons {
        let id = PersonId { member, name: name.clone() };
        ensure(context.get::<Person>(&id)?.is_some(), || MembersError::UnknownPerson(id.name.clone()))?;
    }
    let all = able_persons(context, member)?;
    ensure(can_be_met(policy, member, &all), || MembersError::PolicyCannotBeMet)
}

/// The member's active persons, once for each key of theirs that counts in this block.
fn able_persons(context: &mut Context<'_>, member: MemberId) -> NativeResult<Vec<Approver>> {
    let block = context.block();
    let mut able = Vec::new();
    let mut after = None;
    loop {
        let page = context.list::<KeyOfMember>(&member.encode(), after.as_ref(), MAX_SCAN_ENTRIES)?;
        for ((_, id), _) in &page {
            let Some(key) = context.get::<Key>(id)?.filter(|key| key.valid_at(block.height, block.time)) else {
                continue;
            };
            let KeyPurpose::User(name) = key.purpose else { continue };
            let person = PersonId { member, name };
            if let Some(duties) = context.get::<Person>(&person)?.filter(|duties| duties.active) {
                able.push(Approver { key: *id, person, duties });
            }
        }
        match page.last() {
            Some((last, _)) if page.len() == MAX_SCAN_ENTRIES as usize => after = Some(*last),
            _ => return Ok(able),
        }
    }
}

fn account_view(context: &mut Context<'_>, id: AccountId) -> NativeResult<AccountView> {
    let account = context.get::<Account>(&id)?.ok_or_else(|| refused(MembersError::UnknownAccount))?;
    let member_name = known(context, account.member)?.name;
    Ok(AccountView { id, member_name, account })
}

fn accounts_of(
    context: &mut Context<'_>,
    member: MemberId,
    after: Option<AccountId>,
    limit: u32,
) -> NativeResult<Vec<u8>> {
    known(context, member)?;
    let after = after.map(|account| (member, account));
    let found = context.list::<AccountOfMember>(&member.encode(), after.as_ref(), limit)?;
    let views: NativeResult<Vec<_>> = found.iter().map(|((_, id), _)| account_view(context, *id)).collect();
    Ok(views?.encode())
}

fn keys_of(context: &mut Context<'_>, member: MemberId, after: Option<KeyId>, limit: u32) -> NativeResult<Vec<u8>> {
    known(context, member)?;
    let after = after.map(|key| (member, key));
    let found = context.list::<KeyOfMember>(&member.encode(), after.as_ref(), limit)?;
    let mut views = Vec::with_capacity(found.len());
    for ((_, id), _) in found {
        if let Some(key) = context.get::<Key>(&id)? {
            views.push(KeyView { id, key });
        }
    }
    Ok(views.encode())
}
