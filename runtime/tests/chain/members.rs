//! A member's own affairs: persons, keys and their rotation, accounts and who must approve what they do.

use crate::world::program::*;
use crate::world::*;
use codec::{Decode, Encode};
use portolan_primitives::{
    AccountId, Call, FailureReason, KeyId, MemberId, MemberStatus, Outcome, PublicKey, Timestamp,
};
use portolan_runtime::Refusal;
use portolan_runtime::genesis::*;
use portolan_runtime::native::Native;
use portolan_runtime::native::members::messages::{Call as Message, Query};
use portolan_runtime::native::members::{AccountView, KeyView, MAX_POLICY_PERSONS, MembersError, PersonView};
use portolan_runtime::native::records::{KeyPurpose, Member, Person, Policy, Tier};
use portolan_sdk::ContractError;
use portolan_vm::abi::Authorization;

fn message(message: &Message) -> Call {
    Call { contract: Native::Members.id(), input: message.encode() }
}

/// The bank's account `admin` sends, approved by Ann.
fn bank(world: &mut World, call: &Message) -> Outcome {
    send(world, "bank/admin", &["ann"], call)
}

fn send(world: &mut World, account: &str, approvers: &[&str], call: &Message) -> Outcome {
    let transaction = world.transaction(account, approvers, vec![message(call)]);
    world.outcome(&transaction)
}

#[track_caller]
fn done<T: Decode>(outcome: Outcome) -> T {
    match outcome {
        Outcome::Ok(outputs) => T::decode(&mut outputs[0].as_slice()).unwrap(),
        failed => panic!("{failed:?}"),
    }
}

#[track_caller]
fn error(outcome: Outcome) -> MembersError {
    let FailureReason::Reverted(bytes) = reason(&outcome) else { panic!("{outcome:?}") };
    match ContractError::<MembersError>::decode(&mut bytes.as_slice()) {
        Ok(ContractError::Contract(error)) => error,
        _ => panic!("not the module's own error: {bytes:?}"),
    }
}

fn ask<T: Decode>(world: &World, query: &Query) -> T {
    T::decode(&mut world.query("members", &query.encode()).result.unwrap().as_slice()).unwrap()
}

fn user(person: &str) -> KeyPurpose {
    KeyPurpose::User(person.into())
}

fn register(key: PublicKey, purpose: KeyPurpose, valid_until: Option<Timestamp>) -> Message {
    Message::RegisterKey { key, purpose, valid_until }
}

/// Whether a transaction of `bank/main` approved with this person's key may run.
fn admitted(world: &mut World, approver: &str) -> Result<(), Refusal> {
    let transaction = world.transaction("bank/admin", &[approver], vec![run("ledger", &[])]);
    match world.begin().apply(&transaction) {
        Ok(_) => Ok(()),
        Err(portolan_runtime::ApplyError::Refused(refusal)) => Err(refusal),
        Err(halt) => panic!("{halt}"),
    }
}

// Persons and keys.

#[test]
fn a_new_person_acts_from_the_block_after_its_key_is_registered() {
    let mut world = World::new();
    let zoe = key("zoe").public();
    assert_eq!(error(bank(&mut world, &register(zoe, user("zoe"), None))), MembersError::UnknownPerson("zoe".into()));
    let add = Message::AddPerson { name: "zoe".into(), maker: true, checker: false };
    done::<()>(bank(&mut world, &add));
    assert_eq!(admitted(&mut world, "zoe"), Err(Refusal::UnknownKey(zoe.id())));
    assert_eq!(done::<KeyId>(bank(&mut world, &register(zoe, user("zoe"), None))), zoe.id());
    assert_eq!(admitted(&mut world, "zoe"), Ok(()));
    assert_eq!(error(bank(&mut world, &add)), MembersError::PersonExists);
    let bad = Message::AddPerson { name: "Zoe Miller".into(), maker: true, checker: false };
    assert_eq!(error(bank(&mut world, &bad)), MembersError::BadName("Zoe Miller".into()));
}

#[test]
fn a_dismissed_person_acts_no_more_whatever_its_keys() {
    let mut world = World::new();
    let person = Person { maker: true, checker: true, active: false };
    let unknown = Message::SetPerson { name: "zoe".into(), person: person.clone() };
    assert_eq!(error(bank(&mut world, &unknown)), MembersError::UnknownPerson("zoe".into()));
    done::<()>(bank(&mut world, &Message::SetPerson { name: "bob".into(), person: person.clone() }));
    assert_eq!(admitted(&mut world, "bob"), Err(Refusal::PersonNotActive(key("bob").public().id())));
    let persons: Vec<PersonView> =
        ask(&world, &Query::Persons { member: MemberId::from_name("bank"), after: None, limit: 256 });
    let bob = persons.iter().find(|view| view.name == "bob").unwrap();
    assert_eq!(bob.person, person);
}

#[test]
fn in_a_rotation_both_keys_count_until_the_old_one_is_revoked() {
    let mut world = World::new();
    let (old, new) = (key("bob").public(), key("bob-new").public());
    done::<KeyId>(bank(&mut world, &register(new, user("bob"), None)));
    assert_eq!((admitted(&mut world, "bob"), admitted(&mut world, "bob-new")), (Ok(()), Ok(())));
    // The key counts in the block that revokes it, whichever comes first in it, and in no later one.
    let revoke = world.transaction("bank/admin", &["ann"], vec![message(&Message::RevokeKey { key: old.id() })]);
    let last = world.transaction("bank/admin", &["bob"], vec![run("ledger", &[])]);
    world.block(&[revoke, last]);
    assert_eq!(admitted(&mut world, "bob"), Err(Refusal::KeyNotValid(old.id())));
    assert_eq!(admitted(&mut world, "bob-new"), Ok(()));
    // The old and the new key are one person still: they never were two.
    let view: KeyView = ask(&world, &Query::Key { key: old.id() });
    assert_eq!(view.key.revoked, Some(world.head.header.height));
}

#[test]
fn a_key_with_an_end_counts_up_to_it_and_not_at_it() {
    let mut world = World::new();
    let until = Timestamp(world.time + 1_000);
    done::<KeyId>(bank(&mut world, &register(key("bob-new").public(), user("bob"), Some(until))));
    world.time = until.0 - 1;
    assert_eq!(admitted(&mut world, "bob-new"), Ok(()));
    world.time = until.0;
    assert_eq!(admitted(&mut world, "bob-new"), Err(Refusal::KeyNotValid(key("bob-new").public().id())));
}

#[test]
fn a_key_that_ends_before_it_begins_is_not_registered() {
    let mut world = World::new();
    let now = Timestamp(world.time);
    let message = register(key("bob-new").public(), user("bob"), Some(now));
    assert_eq!(error(bank(&mut world, &message)), MembersError::EmptyValidity);
}

#[test]
fn a_key_is_registered_once_for_one_purpose_by_one_member() {
    let mut world = World::new();
    for known in ["ann", "dan", "node"] {
        for purpose in [user("ann"), KeyPurpose::Node] {
            let message = register(key(known).public(), purpose, None);
            assert_eq!(error(bank(&mut world, &message)), MembersError::KeyExists, "{known}");
        }
    }
    // Nor does a revoked key come back.
    done::<()>(bank(&mut world, &Message::RevokeKey { key: key("bob").public().id() }));
    let again = register(key("bob").public(), user("bob"), None);
    assert_eq!(error(bank(&mut world, &again)), MembersError::KeyExists);
}

#[test]
fn a_validators_key_is_registered_for_nothing_else() {
    let mut world = World::new();
    let message = register(key("validator").public(), KeyPurpose::Node, None);
    assert_eq!(error(bank(&mut world, &message)), MembersError::KeyExists);
}

#[test]
fn weak_keys_and_validators_keys_are_not_registered_here() {
    let mut world = World::new();
    let weak = register(PublicKey::Ed25519([0; 32]), user("ann"), None);
    assert_eq!(error(bank(&mut world, &weak)), MembersError::BadKey);
    let validator = register(key("new").public(), KeyPurpose::Validator, None);
    assert_eq!(error(bank(&mut world, &validator)), MembersError::ValidatorKeyIsGoverned);
}

#[test]
fn a_node_key_approves_nothing() {
    let mut world = World::new();
    done::<KeyId>(bank(&mut world, &register(key("node-2").public(), KeyPurpose::Node, None)));
    assert_eq!(admitted(&mut world, "node-2"), Err(Refusal::WrongPurpose(key("node-2").public().id())));
}

#[test]
fn nobody_revokes_another_members_key() {
    let mut world = World::new();
    let foreign = Message::RevokeKey { key: key("dan").public().id() };
    assert_eq!(error(bank(&mut world, &foreign)), MembersError::UnknownKey);
    let unknown = Message::RevokeKey { key: KeyId([1; 32]) };
    assert_eq!(error(bank(&mut world, &unknown)), MembersError::UnknownKey);
    let supplier = world.supplier(&[]);
    world.accepts(&supplier);
}

#[test]
fn a_member_manages_itself_from_its_account_admin_and_not_through_a_contract() {
    let mut world = World::new();
    let add = Message::AddPerson { name: "zoe".into(), maker: true, checker: true };
    let create = Message::CreateAccount { name: "petty".into(), policy: Policy::any(1) };
    let set = Message::SetPolicy { account: account("bank/treasury"), policy: Policy::any(1) };
    let close = Message::CloseAccount { account: account("bank/treasury") };
    let revoke = Message::RevokeKey { key: key("bob").public().id() };
    let keys = register(key("bob-new").public(), user("bob"), None);
    for call in [add.clone(), create, set, close, revoke, keys] {
        assert_eq!(error(send(&mut world, "bank/treasury", &["ann"], &call)), MembersError::NotAdmin, "{call:?}");
    }
    let through = run("ledger", &[call(Native::Members.id(), &add.encode())]);
    let transaction = world.transaction("bank/admin", &["ann"], vec![through]);
    let reverted = portolan_vm::abi::CallRefusal::Reverted as i32;
    assert_eq!(world.outcome(&transaction), Outcome::Ok(vec![reverted.to_le_bytes().to_vec()]));
}

#[test]
fn a_members_own_affairs_take_as_many_persons_as_its_admin_policy_says() {
    let two = GenesisAccount { member: "bank".into(), name: "admin".into(), policy: Policy::any(2) };
    let mut world = World::with(|genesis| genesis.accounts.push(two));
    let add = Message::AddPerson { name: "zoe".into(), maker: true, checker: true };
    assert_eq!(error(bank(&mut world, &add)), MembersError::TooFewPersons);
    assert_eq!(error(send(&mut world, "bank/admin", &["ann", "ann-2"], &add)), MembersError::TooFewPersons);
    done::<()>(send(&mut world, "bank/admin", &["ann", "bob"], &add));
}

// Accounts and policies.

fn tier(persons: u8, up_to: Option<i128>, maker_checker: bool) -> Tier {
    Tier { currency: up_to.map(|_| CNY), up_to, persons, maker_checker }
}

fn policy(persons: &[&str], tiers: Vec<Tier>) -> Policy {
    Policy { persons: persons.iter().map(|name| (*name).to_owned()).collect(), tiers }
}

fn create(name: &str, policy: Policy) -> Message {
    Message::CreateAccount { name: name.into(), policy }
}

/// Whether the account's policy lets these persons move that much.
fn moves(world: &mut World, name: &str, approvers: &[&str], minor: i64) -> Result<(), i32> {
    let call = run("ledger", &[authorize(account(name), CNY, minor)]);
    let transaction = world.transaction(name, approvers, vec![call]);
    match world.outcome(&transaction) {
        Outcome::Ok(_) => Ok(()),
        Outcome::Failed { reason: FailureReason::Reverted(code), .. } => {
            Err(i32::from_le_bytes(code.try_into().unwrap()))
        }
        other => panic!("{other:?}"),
    }
}

const TOO_FEW: Result<(), i32> = Err(Authorization::TooFewPersons as i32);

#[test]
fn an_account_asks_for_the_persons_that_its_policy_names_by_tiers() {
    let mut world = World::new();
    // One of two up to 10.00, both above it.
    let tiers = vec![tier(1, Some(1_000), false), tier(2, None, true)];
    let id: AccountId = done(bank(&mut world, &create("petty", policy(&["ann", "bob"], tiers))));
    assert_eq!(id, account("bank/petty"));
    assert_eq!(moves(&mut world, "bank/petty", &["ann"], 1_000), Ok(()));
    assert_eq!(moves(&mut world, "bank/petty", &["bob"], 1), TOO_FEW, "the day's sum counts");
    assert_eq!(moves(&mut world, "bank/petty", &["ann", "ann-2"], 1), TOO_FEW, "two keys are one person");
    assert_eq!(moves(&mut world, "bank/petty", &["ann", "cat"], 1), TOO_FEW, "Cat is not named");
    assert_eq!(moves(&mut world, "bank/petty", &["ann", "bob"], 1), Ok(()));
    assert_eq!(error(bank(&mut world, &create("petty", Policy::any(1)))), MembersError::AccountExists);
    assert_eq!(error(bank(&mut world, &create("Petty", Policy::any(1)))), MembersError::BadName("Petty".into()));
}

#[test]
fn maker_and_checker_are_asked_for_where_the_tier_says_so() {
    let mut world = World::new();
    done::<AccountId>(bank(&mut world, &create("vault", policy(&[], vec![tier(2, None, true)]))));
    let zoe = Message::AddPerson { name: "zoe".into(), maker: true, checker: false };
    done::<()>(bank(&mut world, &zoe));
    done::<KeyId>(bank(&mut world, &register(key("zoe").public(), user("zoe"), None)));
    assert_eq!(moves(&mut world, "bank/vault", &["ann", "zoe"], 1), TOO_FEW, "two makers and nobody who checks");
    assert_eq!(moves(&mut world, "bank/vault", &["bob", "zoe"], 1), Ok(()));
}

#[test]
fn a_changed_policy_counts_from_the_next_call_on_and_has_a_new_version() {
    let mut world = World::new();
    let treasury = account("bank/treasury");
    let stricter = Message::SetPolicy { account: treasury, policy: Policy::any(3) };
    assert_eq!(moves(&mut world, "bank/treasury", &["ann"], 1), Ok(()));
    assert_eq!(done::<u32>(bank(&mut world, &stricter)), 2);
    assert_eq!(moves(&mut world, "bank/treasury", &["ann"], 1), TOO_FEW);
    let view: AccountView = ask(&world, &Query::Account { account: treasury });
    assert_eq!((view.account.policy_version, view.account.policy), (2, Policy::any(3)));
    assert_eq!(done::<u32>(bank(&mut world, &stricter)), 3);
}

#[test]
fn a_policy_that_says_nothing_clear_is_refused() {
    let mut world = World::new();
    let mut refused = |policy: Policy| error(bank(&mut world, &create("petty", policy)));
    let one = || vec![tier(1, None, false)];
    assert_eq!(refused(policy(&[], vec![])), MembersError::BadPolicy, "no tier");
    assert_eq!(refused(policy(&[], vec![tier(1, None, false); 33])), MembersError::BadPolicy, "too many tiers");
    assert_eq!(refused(policy(&[], vec![tier(0, None, false)])), MembersError::BadPolicy, "nobody");
    assert_eq!(refused(policy(&[], vec![tier(17, None, false)])), MembersError::BadPolicy, "more than can approve");
    assert_eq!(refused(policy(&[], vec![tier(1, Some(0), false)])), MembersError::BadPolicy, "no amount");
    let of_no_currency = Tier { currency: None, ..tier(1, Some(5), false) };
    assert_eq!(refused(policy(&[], vec![of_no_currency])), MembersError::BadPolicy, "a sum over currencies");
    assert_eq!(refused(policy(&["bob", "ann"], one())), MembersError::BadPolicy, "not in order");
    assert_eq!(refused(policy(&["ann", "ann"], one())), MembersError::BadPolicy, "twice");
    let crowd: Vec<String> = (0..=MAX_POLICY_PERSONS).map(|number| format!("p{number:03}")).collect();
    assert_eq!(refused(Policy { persons: crowd, tiers: one() }), MembersError::BadPolicy, "too many persons");
    assert_eq!(refused(policy(&["ann"], vec![tier(2, None, false)])), MembersError::PolicyCannotBeMet);
    assert_eq!(refused(policy(&["ann"], vec![tier(1, None, true)])), MembersError::PolicyCannotBeMet);
    assert_eq!(refused(policy(&["ann", "zoe"], one())), MembersError::UnknownPerson("zoe".into()));
}

#[test]
fn a_policy_is_changed_only_to_one_that_can_be_met() {
    let mut world = World::new();
    let to = |policy| Message::SetPolicy { account: account("bank/treasury"), policy };
    assert_eq!(error(bank(&mut world, &to(policy(&[], vec![])))), MembersError::BadPolicy);
    let unknown = to(policy(&["zoe"], vec![tier(1, None, false)]));
    assert_eq!(error(bank(&mut world, &unknown)), MembersError::UnknownPerson("zoe".into()));
}

#[test]
fn a_policy_can_ask_only_for_persons_that_can_approve_now() {
    let mut world = World::new();
    // The bank has ann, who makes, bob, who checks, and cat, who does both.
    let admin = |policy| Message::SetPolicy { account: account("bank/admin"), policy };
    assert_eq!(error(bank(&mut world, &admin(Policy::any(4)))), MembersError::PolicyCannotBeMet);
    done::<()>(bank(&mut world, &Message::AddPerson { name: "zoe".into(), maker: true, checker: false }));
    assert_eq!(error(bank(&mut world, &admin(Policy::any(4)))), MembersError::PolicyCannotBeMet, "zoe has no key");
    let makers = || policy(&["ann", "zoe"], vec![tier(2, None, true)]);
    done::<KeyId>(bank(&mut world, &register(key("zoe").public(), user("zoe"), None)));
    assert_eq!(error(bank(&mut world, &admin(makers()))), MembersError::PolicyCannotBeMet, "nobody checks");
    assert_eq!(done::<u32>(bank(&mut world, &admin(policy(&["ann", "bob"], vec![tier(2, None, true)])))), 2);
    assert_eq!(done::<u32>(send(&mut world, "bank/admin", &["ann", "bob"], &admin(Policy::any(4)))), 3);
}

#[test]
fn keys_and_accounts_stand_in_the_lists_of_their_member() {
    let mut world = World::new();
    done::<KeyId>(bank(&mut world, &register(key("bob-new").public(), user("bob"), None)));
    let petty: AccountId = done(bank(&mut world, &create("petty", Policy::any(1))));
    let member = MemberId::from_name("bank");
    let keys: Vec<KeyView> = ask(&world, &Query::Keys { member, after: None, limit: 256 });
    assert!(keys.iter().any(|view| view.id == key("bob-new").public().id()));
    assert_eq!(keys.len(), 5);
    let accounts: Vec<AccountView> = ask(&world, &Query::Accounts { member, after: None, limit: 256 });
    assert!(accounts.iter().any(|view| view.id == petty && view.account.name == "petty"));
    assert_eq!(accounts.len(), 3);
    assert!(accounts.windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[test]
fn what_a_member_does_with_its_own_affairs_is_told() {
    let mut world = World::new();
    let mut told = |call: &Message| {
        let transaction = world.transaction("bank/admin", &["ann"], vec![message(call)]);
        let parts = world.block(&[transaction]);
        parts.receipts[0].events.iter().map(|event| event.payload[0]).collect::<Vec<_>>()
    };
    let person = Person { maker: true, checker: true, active: true };
    let treasury = account("bank/treasury");
    assert_eq!(told(&Message::AddPerson { name: "zoe".into(), maker: true, checker: true }), [3]);
    assert_eq!(told(&Message::SetPerson { name: "zoe".into(), person }), [3]);
    assert_eq!(told(&register(key("zoe").public(), user("zoe"), None)), [4]);
    assert_eq!(told(&Message::RevokeKey { key: key("zoe").public().id() }), [5]);
    assert_eq!(told(&Message::RevokeKey { key: key("zoe").public().id() }), [0u8; 0], "once is enough");
    assert_eq!(told(&create("petty", Policy::any(1))), [6]);
    assert_eq!(told(&Message::SetPolicy { account: treasury, policy: Policy::any(1) }), [7]);
    assert_eq!(told(&Message::CloseAccount { account: treasury }), [8]);
}

#[test]
fn a_closed_account_sends_nothing_more_and_the_account_admin_stays() {
    let mut world = World::new();
    let close = |name: &str| Message::CloseAccount { account: account(name) };
    done::<()>(bank(&mut world, &close("bank/treasury")));
    let payment = world.transaction("bank/treasury", &["ann"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&payment), Refusal::AccountClosed);
    let by_other = run("ledger", &[authorize(account("bank/treasury"), CNY, 1)]);
    let transaction = world.transaction("bank/admin", &["ann"], vec![by_other]);
    assert_eq!(reason(&world.outcome(&transaction)), &reverted(Authorization::UnknownAccount as i32));
    assert_eq!(error(bank(&mut world, &close("bank/treasury"))), MembersError::AccountClosed);
    let reopen = Message::SetPolicy { account: account("bank/treasury"), policy: Policy::any(1) };
    assert_eq!(error(bank(&mut world, &reopen)), MembersError::AccountClosed);
    assert_eq!(error(bank(&mut world, &close("bank/admin"))), MembersError::AdminStays);
}

#[test]
fn nobody_touches_another_members_account() {
    let mut world = World::new();
    let foreign = account("supplier/main");
    let set = Message::SetPolicy { account: foreign, policy: Policy::any(1) };
    assert_eq!(error(bank(&mut world, &set)), MembersError::UnknownAccount);
    assert_eq!(error(bank(&mut world, &Message::CloseAccount { account: foreign })), MembersError::UnknownAccount);
    let view: AccountView = ask(&world, &Query::Account { account: foreign });
    assert_eq!((view.account.policy_version, view.account.closed), (1, false));
}

#[test]
fn a_frozen_member_can_neither_act_nor_approve_for_others() {
    let mut world = World::new();
    let supplier = MemberId::from_name("supplier");
    world.edit(|ledger| {
        let member = ledger.get::<Member>(&supplier).unwrap().unwrap();
        ledger.put(&supplier, &Member { status: MemberStatus::Frozen, ..member }).unwrap();
    });
    let own = world.transaction("supplier/admin", &["dan"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&own), Refusal::MemberNotActive(MemberStatus::Frozen));
    let helped = world.transaction("bank/admin", &["ann", "dan"], vec![run("ledger", &[])]);
    assert_eq!(world.refusal(&helped), Refusal::PersonNotActive(key("dan").public().id()));
    // Nor is it asked for in a call that another member sends.
    let ask = run("ledger", &[authorize(account("supplier/main"), CNY, 1)]);
    let transaction = world.transaction("bank/admin", &["ann"], vec![ask]);
    assert_eq!(reason(&world.outcome(&transaction)), &reverted(Authorization::MemberNotActive as i32));
}

#[test]
fn a_failing_message_of_a_batch_undoes_the_ones_before_it() {
    let mut world = World::new();
    let before = world.state.root();
    let add = message(&Message::AddPerson { name: "zoe".into(), maker: true, checker: true });
    let again = add.clone();
    let transaction = world.transaction("bank/admin", &["ann"], vec![add, again]);
    assert_eq!(error(world.outcome(&transaction)), MembersError::PersonExists);
    assert_eq!(world.state.root(), before);
}

#[test]
fn an_unknown_member_has_no_lists() {
    let world = World::new();
    let member = MemberId::from_name("nobody");
    let lists = [
        Query::Accounts { member, after: None, limit: 256 },
        Query::Keys { member, after: None, limit: 256 },
        Query::Persons { member, after: None, limit: 256 },
    ];
    for list in lists {
        let Err(FailureReason::Reverted(bytes)) = world.query("members", &list.encode()).result else {
            panic!("{list:?} is answered");
        };
        let error = ContractError::<MembersError>::decode(&mut bytes.as_slice());
        assert_eq!(error, Ok(ContractError::Contract(MembersError::UnknownMember)), "{list:?}");
    }
}
