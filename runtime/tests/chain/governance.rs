//! Governance told by four validators of equal weight: what is proposed, who approves, when it is carried out, and what makes an
//! approval stale. Half of the power decides on members, more than two thirds on everything else.

use crate::world::program::*;
use crate::world::*;
use codec::{Decode, Encode};
use portolan_primitives::limits::MAX_TOTAL_POWER;
use portolan_primitives::{
    Call, FailureReason, Hash, Height, MemberId, MemberStatus, Outcome, PublicKey, Role, Timestamp, Validator,
    hash::hash_encoded,
};
use portolan_runtime::Refusal;
use portolan_runtime::genesis::*;
use portolan_runtime::native::calendar::{self, CalendarError};
use portolan_runtime::native::contracts::{self, ContractView, ContractsError};
use portolan_runtime::native::governance::messages::{Call as Govern, Query};
use portolan_runtime::native::governance::{Action, GovernanceError, MAX_TITLE, ProposalState, ProposalView};
use portolan_runtime::native::members::{self, MembersError};
use portolan_runtime::native::parameters::{self, ParametersError};
use portolan_runtime::native::records::{Key, Person, Policy, Validators};
use portolan_runtime::native::{Native, agenda};
use portolan_sdk::ContractError;

/// Each validator's admin, by member.
const VOTERS: [(&str, &str); 4] = [("bank", "ann"), ("supplier", "dan"), ("platform", "eve"), ("port", "fay")];

/// Bank, supplier, platform and port, each with a validator of power 1; a mill without one.
fn consortium() -> World {
    consortium_with(|_| {})
}

fn consortium_with(change: impl FnOnce(&mut Genesis)) -> World {
    World::with(|genesis| {
        for (name, person, role) in [("port", "fay", Role::Customs), ("mill", "gus", Role::Supplier)] {
            genesis.members.push(GenesisMember { name: name.into(), title: name.into(), roles: vec![role] });
            let (member, person) = (name.to_owned(), person.to_owned());
            let (maker, checker) = (true, true);
            genesis.persons.push(GenesisPerson { member: member.clone(), person: person.clone(), maker, checker });
            let key = key(&person).public();
            genesis.user_keys.push(GenesisUserKey { member, person, key, valid_until: None });
        }
        genesis.validators = VOTERS
            .iter()
            .map(|(member, _)| GenesisValidator { member: (*member).into(), key: validator_key(member), power: 1 })
            .collect();
        change(genesis);
    })
}

fn validator_key(member: &str) -> PublicKey {
    key(&format!("validator-{member}")).public()
}

fn member(name: &str) -> MemberId {
    MemberId::from_name(name)
}

fn module(native: Native, message: &impl Encode) -> Call {
    Call { contract: native.id(), input: message.encode() }
}

/// The voter sends to governance from its account `admin`.
fn govern(world: &mut World, who: &str, message: &Govern) -> Outcome {
    let person = VOTERS.iter().find(|(member, _)| *member == who).map_or("gus", |(_, person)| *person);
    govern_as(world, &format!("{who}/admin"), &[person], message)
}

fn govern_as(world: &mut World, account: &str, approvers: &[&str], message: &Govern) -> Outcome {
    let transaction = world.transaction(account, approvers, vec![module(Native::Governance, message)]);
    world.outcome(&transaction)
}

fn answer<T: Decode>(outcome: Outcome) -> T {
    match outcome {
        Outcome::Ok(outputs) => T::decode(&mut outputs.last().unwrap().as_slice()).unwrap(),
        failed => panic!("{failed:?}"),
    }
}

/// The module's own error.
#[track_caller]
fn error<E: Decode>(outcome: Outcome) -> E {
    let FailureReason::Reverted(bytes) = reason(&outcome) else { panic!("{outcome:?}") };
    contract_error(bytes)
}

#[track_caller]
fn contract_error<E: Decode>(bytes: &[u8]) -> E {
    match ContractError::<E>::decode(&mut &*bytes) {
        Ok(ContractError::Contract(error)) => error,
        _ => panic!("not the module's own error: {bytes:?}"),
    }
}

fn propose(world: &mut World, who: &str, action: &Action) -> Hash {
    propose_for(world, who, action, None)
}

fn propose_for(world: &mut World, who: &str, action: &Action, days: Option<u32>) -> Hash {
    answer(govern(world, who, &Govern::Propose { title: "it is time".into(), action: action.clone(), days }))
}

fn approval(world: &World, proposal: Hash) -> Govern {
    Govern::Approve { proposal, action_hash: seen(world, proposal).proposal.action_hash }
}

fn approve(world: &mut World, who: &str, proposal: Hash) -> ProposalState {
    let message = approval(world, proposal);
    answer(govern(world, who, &message))
}

fn execute(world: &mut World, who: &str, proposal: Hash) -> Outcome {
    govern(world, who, &Govern::Execute { proposal })
}

/// Bank proposes; the supplier and the platform approve.
fn pass(world: &mut World, action: &Action) -> ProposalState {
    let proposal = propose(world, "bank", action);
    if seen(world, proposal).proposal.state == ProposalState::Open {
        approve(world, "supplier", proposal);
    }
    if seen(world, proposal).proposal.state == ProposalState::Open {
        approve(world, "platform", proposal);
    }
    seen(world, proposal).proposal.state
}

fn enact(world: &mut World, action: &Action) {
    let state = pass(world, action);
    assert!(matches!(state, ProposalState::Executed { .. }), "{state:?}");
}

fn failure(state: ProposalState) -> Vec<u8> {
    match state {
        ProposalState::Failed { error, .. } => error,
        other => panic!("{other:?}"),
    }
}

fn seen(world: &World, proposal: Hash) -> ProposalView {
    let answer = world.query("governance", &Query::Proposal { proposal }.encode()).result.unwrap();
    ProposalView::decode(&mut answer.as_slice()).unwrap()
}

fn days_on(world: &mut World, days: i32) {
    let to = world.date().plus_days(days);
    world.advance_to(to);
    while world.date() < to {
        let time = world.time + DAY_MS;
        world.block_at(time);
    }
}

fn parameter_action(value: u64) -> Action {
    Action::SetParameter { name: "block.transactions".into(), value: value.encode() }
}

fn most_transactions(world: &World) -> u64 {
    world.begin().rules().transactions
}

fn joins(name: &str) -> Action {
    Action::AddMember {
        name: name.into(),
        title: name.to_uppercase(),
        roles: vec![Role::Supplier],
        admin: "ida".into(),
        admin_key: key("ida").public(),
    }
}

fn status(name: &str, status: MemberStatus) -> Action {
    Action::SetMemberStatus { member: member(name), status }
}

/// Sends nothing but an empty program from the member's admin account.
fn acts(world: &mut World, account: &str, person: &str) -> Result<(), Refusal> {
    let transaction = world.transaction(account, &[person], vec![run("ledger", &[])]);
    match world.begin().apply(&transaction) {
        Ok(_) => Ok(()),
        Err(portolan_runtime::ApplyError::Refused(refusal)) => Err(refusal),
        Err(halt) => panic!("{halt}"),
    }
}

// Thresholds and voters.

#[test]
fn half_of_the_power_lets_a_member_join_which_then_acts_for_itself() {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &joins("smelter"));
    assert_eq!(seen(&world, proposal).proposal.state, ProposalState::Open);
    assert_eq!(acts(&mut world, "smelter/admin", "ida"), Err(Refusal::UnknownAccount));
    let height = world.head.header.height.next();
    assert_eq!(approve(&mut world, "port", proposal), ProposalState::Executed { height });
    assert_eq!(acts(&mut world, "smelter/admin", "ida"), Ok(()));
    let view = seen(&world, proposal);
    assert_eq!((view.approved, view.needed), (500_000, 500_000));
}

#[test]
fn a_parameter_needs_more_than_two_thirds_and_holds_from_the_next_block_on() {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    assert_eq!(approve(&mut world, "supplier", proposal), ProposalState::Open);
    let too_few = GovernanceError::NotEnoughApprovals { approved: 500_000, needed: 666_667 };
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), too_few);
    let before = most_transactions(&world);
    assert!(matches!(approve(&mut world, "platform", proposal), ProposalState::Executed { .. }));
    assert_ne!(before, 7);
    assert_eq!(most_transactions(&world), 7);
}

#[test]
fn exactly_two_thirds_are_not_more_than_two_thirds() {
    let mut world = consortium_with(|genesis| drop(genesis.validators.pop()));
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    assert_eq!(approve(&mut world, "supplier", proposal), ProposalState::Open);
    assert!(matches!(approve(&mut world, "platform", proposal), ProposalState::Executed { .. }));
}

#[test]
fn votes_weigh_as_validators_do() {
    let mut world = consortium_with(|genesis| genesis.validators[0].power = 7);
    let proposal = propose(&mut world, "supplier", &parameter_action(7));
    assert_eq!(approve(&mut world, "platform", proposal), ProposalState::Open);
    assert_eq!(approve(&mut world, "port", proposal), ProposalState::Open);
    assert_eq!(seen(&world, proposal).approved, 300_000);
    assert!(matches!(approve(&mut world, "bank", proposal), ProposalState::Executed { .. }));
}

#[test]
fn thresholds_are_governed_but_never_as_low_as_a_third() {
    let mut world = consortium();
    let lower = Action::SetParameter { name: "governance.threshold.parameter".into(), value: 1u64.encode() };
    enact(&mut world, &lower);
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    let view = seen(&world, proposal);
    assert_eq!((view.proposal.state, view.needed), (ProposalState::Open, 333_334));
    assert!(matches!(approve(&mut world, "port", proposal), ProposalState::Executed { .. }));
}

#[test]
fn who_has_no_validator_neither_proposes_nor_approves_nor_executes() {
    let mut world = consortium();
    let message = Govern::Propose { title: "mine".into(), action: parameter_action(7), days: None };
    assert_eq!(error::<GovernanceError>(govern(&mut world, "mill", &message)), GovernanceError::NotAVoter);
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    let approval = approval(&world, proposal);
    for message in [approval, Govern::Execute { proposal }, Govern::Withdraw { proposal }] {
        assert_eq!(error::<GovernanceError>(govern(&mut world, "mill", &message)), GovernanceError::NotAVoter);
    }
    assert_eq!(seen(&world, proposal).approved, 250_000);
}

#[test]
fn a_voter_votes_from_its_account_admin_and_from_no_other_and_not_through_a_contract() {
    let mut world = consortium();
    let message = Govern::Propose { title: "mine".into(), action: parameter_action(7), days: None };
    let treasury = govern_as(&mut world, "bank/treasury", &["ann"], &message);
    assert_eq!(error::<GovernanceError>(treasury), GovernanceError::NotAVoter);
    let through = run("ledger", &[call(Native::Governance.id(), &message.encode())]);
    let transaction = world.transaction("bank/admin", &["ann"], vec![through]);
    let reverted = portolan_vm::abi::CallRefusal::Reverted as i32;
    assert_eq!(world.outcome(&transaction), Outcome::Ok(vec![reverted.to_le_bytes().to_vec()]));
}

#[test]
fn a_members_own_policy_says_how_many_persons_a_vote_takes() {
    let two = Policy { persons: vec!["ann".into(), "bob".into()], ..Policy::any(2) };
    let admin = GenesisAccount { member: "bank".into(), name: "admin".into(), policy: two };
    let mut world = consortium_with(|genesis| genesis.accounts.push(admin));
    let message = Govern::Propose { title: "ours".into(), action: parameter_action(7), days: None };
    let alone = govern_as(&mut world, "bank/admin", &["ann"], &message);
    assert_eq!(error::<GovernanceError>(alone), GovernanceError::TooFewPersons);
    let proposal: Hash = answer(govern_as(&mut world, "bank/admin", &["ann", "bob"], &message));
    let mut both = [key("ann").public().id(), key("bob").public().id()];
    both.sort_unstable();
    assert_eq!(seen(&world, proposal).proposal.approvals[0].keys, both);
}

#[test]
fn a_member_approves_once() {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    let own = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "bank", &own)), GovernanceError::AlreadyApproved);
    approve(&mut world, "supplier", proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &own)), GovernanceError::AlreadyApproved);
    assert_eq!(seen(&world, proposal).approved, 500_000);
}

// What an approval binds.

#[test]
fn an_approval_is_for_the_action_that_was_read() {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    let other = hash_encoded(portolan_primitives::Domain::Proposal, &parameter_action(8));
    let message = Govern::Approve { proposal, action_hash: other };
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &message)), GovernanceError::StaleApproval);
    let unknown = Govern::Approve { proposal: Hash([9; 32]), action_hash: other };
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &unknown)), GovernanceError::UnknownProposal);
}

/// Bank's and supplier's approvals; then something happens to the supplier, and the platform's approval does not suffice.
#[track_caller]
fn goes_stale(happens: impl FnOnce(&mut World)) -> (World, Hash) {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    approve(&mut world, "supplier", proposal);
    happens(&mut world);
    assert_eq!(seen(&world, proposal).approved, 250_000, "the supplier's approval counts no more");
    assert_eq!(approve(&mut world, "platform", proposal), ProposalState::Open);
    let too_few = GovernanceError::NotEnoughApprovals { approved: 500_000, needed: 666_667 };
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), too_few);
    (world, proposal)
}

#[test]
fn a_policy_that_changed_makes_an_approval_stale_until_it_is_renewed_under_the_new_one() {
    let (mut world, proposal) = goes_stale(|world| {
        let message = members::messages::Call::SetPolicy { account: account("supplier/admin"), policy: Policy::any(1) };
        let change = world.transaction("supplier/admin", &["dan"], vec![module(Native::Members, &message)]);
        assert_eq!(answer::<u32>(world.outcome(&change)), 2);
    });
    assert!(matches!(approve(&mut world, "supplier", proposal), ProposalState::Executed { .. }));
    let approvals = seen(&world, proposal).proposal.approvals;
    assert_eq!(approvals.len(), 3, "the renewed approval stands in the stale one's place");
    assert_eq!(
        approvals.last().map(|approval| (approval.member, approval.policy_version)),
        Some((member("supplier"), 2))
    );
}

#[test]
fn a_frozen_members_approval_counts_no_more_and_again_when_it_is_active() {
    let (mut world, proposal) = goes_stale(|world| enact(world, &status("supplier", MemberStatus::Frozen)));
    enact_by(&mut world, ["bank", "port"], &status("supplier", MemberStatus::Active));
    assert!(matches!(answer(execute(&mut world, "bank", proposal)), ProposalState::Executed { .. }));
}

/// Two of the voters, who decide on members.
fn enact_by(world: &mut World, [one, other]: [&str; 2], action: &Action) {
    let proposal = propose(world, one, action);
    assert!(matches!(approve(world, other, proposal), ProposalState::Executed { .. }));
}

#[test]
fn a_restricted_members_approval_does_not_count() {
    goes_stale(|world| enact(world, &status("supplier", MemberStatus::Restricted)));
}

#[test]
fn a_revoked_keys_approval_counts_no_more() {
    goes_stale(|world| {
        let message = members::messages::Call::RevokeKey { key: key("dan").public().id() };
        let revoke = world.transaction("supplier/admin", &["dan"], vec![module(Native::Members, &message)]);
        assert!(matches!(world.outcome(&revoke), Outcome::Ok(_)));
        // It still counts in the block that revokes it.
        world.block(&[]);
    });
}

#[test]
fn an_approval_of_a_key_that_expired_meanwhile_counts_no_more() {
    goes_stale(|world| {
        let until = Timestamp(world.time + 10);
        world.edit(|ledger| {
            let id = key("dan").public().id();
            let record = ledger.get::<Key>(&id).unwrap().unwrap();
            ledger.put(&id, &Key { valid_until: Some(until), ..record }).unwrap();
        });
        world.block_at(until.0);
    });
}

#[test]
fn a_dismissed_persons_approval_counts_no_more() {
    goes_stale(|world| {
        let person = Person { maker: true, checker: true, active: false };
        let message = members::messages::Call::SetPerson { name: "dan".into(), person };
        let dismiss = world.transaction("supplier/admin", &["dan"], vec![module(Native::Members, &message)]);
        assert!(matches!(world.outcome(&dismiss), Outcome::Ok(_)));
    });
}

#[test]
fn whose_validator_left_the_set_has_no_vote_any_more() {
    let mut world = consortium();
    let proposal = propose(&mut world, "port", &parameter_action(7));
    approve(&mut world, "bank", proposal);
    // A quarter leaves, which is no more than a third.
    enact(&mut world, &Action::SetValidators { validators: validators(&["bank", "supplier", "platform"]) });
    world.block(&[]);
    world.block(&[]);
    assert_eq!(seen(&world, proposal).approved, 333_333, "one of three");
    let message = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "port", &message)), GovernanceError::NotAVoter);
}

#[test]
fn a_contract_that_was_upgraded_meanwhile_makes_the_proposal_stale() {
    let mut world = consortium();
    let call = Action::CallContract { contract: id("ledger"), input: program(&[put("done", b"1")]) };
    let proposal = propose(&mut world, "bank", &call);
    approve(&mut world, "supplier", proposal);
    enact(&mut world, &upgrade("ledger", code(), &[]));
    let stale = GovernanceError::StaleContract { proposed: 1, now: 2 };
    let message = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "platform", &message)), stale);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), stale);
    assert_eq!(world.value("ledger", "done"), None);
    enact(&mut world, &call);
    assert_eq!(world.value("ledger", "done"), Some(b"1".to_vec()));
}

#[test]
fn of_two_upgrades_of_one_version_the_second_is_stale() {
    let mut world = consortium();
    let second = propose(&mut world, "port", &upgrade("ledger", code(), &[put("by", b"second")]));
    approve(&mut world, "bank", second);
    enact(&mut world, &upgrade("ledger", code(), &[put("by", b"first")]));
    let message = approval(&world, second);
    let stale = GovernanceError::StaleContract { proposed: 1, now: 2 };
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &message)), stale);
    assert_eq!(world.value("ledger", "by"), Some(b"first".to_vec()));
}

// Lead time, expiry, withdrawal.

fn lead(days: u64) -> impl FnOnce(&mut Genesis) {
    move |genesis| {
        let name = portolan_runtime::native::governance::LEAD_PARAMETER.into();
        genesis.parameters.push(GenesisParameter { name, value: days.encode() });
    }
}

#[test]
fn after_the_lead_time_the_agenda_carries_it_out_and_nobody_before() {
    let mut world = consortium_with(lead(3));
    let due = world.date().plus_days(3);
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    approve(&mut world, "supplier", proposal);
    assert_eq!(approve(&mut world, "platform", proposal), ProposalState::Scheduled { due });
    days_on(&mut world, 2);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), GovernanceError::NotOpen);
    assert_ne!(most_transactions(&world), 7);
    days_on(&mut world, 1);
    assert!(matches!(seen(&world, proposal).proposal.state, ProposalState::Executed { .. }));
    assert_eq!(most_transactions(&world), 7);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), GovernanceError::NotOpen);
}

#[test]
fn an_approval_that_is_lost_in_the_lead_time_stops_the_action_until_it_is_renewed() {
    let mut world = consortium_with(lead(2));
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    approve(&mut world, "supplier", proposal);
    approve(&mut world, "platform", proposal);
    let message = members::messages::Call::SetPolicy { account: account("supplier/admin"), policy: Policy::any(1) };
    let change = world.transaction("supplier/admin", &["dan"], vec![module(Native::Members, &message)]);
    assert!(matches!(world.outcome(&change), Outcome::Ok(_)));
    let due = world.date().plus_days(2);
    days_on(&mut world, 2);
    let scheduled = |world: &World| seen(world, proposal).proposal.state == ProposalState::Scheduled { due };
    assert!(scheduled(&world));
    assert_ne!(most_transactions(&world), 7);
    // A renewed approval runs nothing by itself: the agenda tries again the next day.
    approve(&mut world, "supplier", proposal);
    assert!(scheduled(&world));
    days_on(&mut world, 1);
    assert_eq!(most_transactions(&world), 7);
}

#[test]
fn an_action_cannot_be_run_early_by_calling_it_open() {
    let mut world = consortium_with(lead(3));
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    approve(&mut world, "supplier", proposal);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), GovernanceError::NotOpen);
}

#[test]
fn a_proposal_is_open_to_its_last_day_and_no_longer() {
    let mut world = consortium();
    let [first, second] = [7, 8].map(|value| propose_for(&mut world, "bank", &parameter_action(value), Some(2)));
    days_on(&mut world, 2);
    approve(&mut world, "supplier", first);
    assert!(matches!(approve(&mut world, "platform", first), ProposalState::Executed { .. }));
    days_on(&mut world, 1);
    let message = approval(&world, second);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &message)), GovernanceError::Expired);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", second)), GovernanceError::Expired);
}

#[test]
fn titles_and_lives_are_bounded() {
    let mut world = consortium();
    let mut with = |title: String, days| {
        error::<GovernanceError>(govern(
            &mut world,
            "bank",
            &Govern::Propose { title, action: parameter_action(7), days },
        ))
    };
    assert_eq!(with(String::new(), None), GovernanceError::BadTitle);
    assert_eq!(with("x".repeat(MAX_TITLE + 1), None), GovernanceError::BadTitle);
    for days in [0, 91, u32::MAX] {
        assert_eq!(with("x".repeat(MAX_TITLE), Some(days)), GovernanceError::BadLife);
    }
}

#[test]
fn only_the_proposer_withdraws_and_what_is_withdrawn_is_over() {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &parameter_action(7));
    let message = Govern::Withdraw { proposal };
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &message)), GovernanceError::NotProposer);
    assert!(matches!(govern(&mut world, "bank", &message), Outcome::Ok(_)));
    assert_eq!(error::<GovernanceError>(govern(&mut world, "bank", &message)), GovernanceError::NotOpen);
    let message = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "supplier", &message)), GovernanceError::NotOpen);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), GovernanceError::NotOpen);
}

#[test]
fn what_was_carried_out_runs_no_second_time() {
    let mut world = consortium();
    let append = Action::CallContract { contract: id("ledger"), input: program(&[note("log", 1)]) };
    let proposal = propose(&mut world, "bank", &append);
    approve(&mut world, "supplier", proposal);
    approve(&mut world, "platform", proposal);
    let message = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "port", &message)), GovernanceError::NotOpen);
    assert_eq!(error::<GovernanceError>(execute(&mut world, "bank", proposal)), GovernanceError::NotOpen);
    assert_eq!(world.notes("log").len(), 1);
}

// Contracts.

fn deploy(name: &str, code: Vec<u8>, steps: &[Vec<u8>]) -> Action {
    Action::DeployContract { name: name.into(), code, instantiate: program(steps) }
}

fn upgrade(name: &str, code: Vec<u8>, steps: &[Vec<u8>]) -> Action {
    Action::UpgradeContract { name: name.into(), code, migrate: program(steps) }
}

/// The world's contract with something more in its module, so that its hash differs.
fn other_code() -> Vec<u8> {
    let source = program::CONTRACT.replace("(memory (export", "(global i32 (i32.const 1)) (memory (export");
    wat::parse_str(source).unwrap()
}

fn contract(world: &World, name: &str) -> Option<ContractView> {
    let query = contracts::messages::Query::Contract { name: name.into() };
    let answer = world.query("contracts", &query.encode()).result.ok()?;
    Some(ContractView::decode(&mut answer.as_slice()).unwrap())
}

#[test]
fn a_contract_is_deployed_instantiated_and_callable() {
    let mut world = consortium();
    enact(&mut world, &deploy("fourth", code(), &[put("born", b"1")]));
    assert_eq!(contract(&world, "fourth").map(|view| view.version), Some(1));
    assert_eq!(world.value("fourth", "born"), Some(b"1".to_vec()));
    let transaction = world.transaction("mill/admin", &["gus"], vec![run("fourth", &[put("used", b"1")])]);
    assert!(matches!(world.outcome(&transaction), Outcome::Ok(_)));
    assert_eq!(world.value("fourth", "used"), Some(b"1".to_vec()));
}

#[test]
fn a_deployment_that_may_not_be_leaves_nothing_and_says_why() {
    let mut world = consortium();
    let mut refused = |action: Action| contract_error::<ContractsError>(&failure(pass(&mut world, &action)));
    assert_eq!(refused(deploy("Fourth", code(), &[])), ContractsError::BadName);
    assert_eq!(refused(deploy("ledger", code(), &[])), ContractsError::NameTaken);
    assert_eq!(refused(deploy("members", code(), &[])), ContractsError::NameTaken);
    assert!(matches!(refused(deploy("fourth", vec![1, 2, 3], &[])), ContractsError::BadModule { .. }));
    let error = b"no".to_vec();
    let failing = [put("half", b"1"), revert(b"no")];
    assert_eq!(refused(deploy("fourth", code(), &failing)), ContractsError::InstantiateFailed { error });
    assert_eq!(refused(upgrade("fourth", code(), &[])), ContractsError::UnknownContract);
    assert_eq!((contract(&world, "fourth"), world.value("fourth", "half")), (None, None));
}

#[test]
fn a_module_that_describes_another_contract_is_refused() {
    let mut world = consortium();
    let described = |native: Native| {
        let metadata = native.module().metadata();
        portolan_sdk::packaging::with_metadata(&code(), &metadata).unwrap()
    };
    let other = failure(pass(&mut world, &deploy("fourth", described(Native::Clock), &[])));
    assert_eq!(contract_error::<ContractsError>(&other), ContractsError::BadMetadata);
    assert_eq!(contract(&world, "fourth"), None);
}

#[test]
fn an_upgrade_migrates_what_is_stored_and_counts_the_version() {
    let mut world = consortium();
    let transaction = world.supplier(&[put("kept", b"1"), put("old", b"1")]);
    world.block(&[transaction]);
    enact(&mut world, &upgrade("ledger", other_code(), &[require("kept"), delete("old"), put("new", b"2")]));
    let view = contract(&world, "ledger").unwrap();
    assert_eq!((view.version, view.since), (2, world.head.header.height));
    assert_eq!(view.code, portolan_primitives::hash::hash(portolan_primitives::Domain::Code, &other_code()));
    let stored = ["kept", "old", "new"].map(|name| world.value("ledger", name));
    assert_eq!(stored, [Some(b"1".to_vec()), None, Some(b"2".to_vec())]);
}

#[test]
fn a_migration_that_fails_leaves_the_old_contract_whole_and_can_be_run_again() {
    let mut world = consortium();
    let before = contract(&world, "ledger").unwrap();
    let action = upgrade("ledger", other_code(), &[put("half", b"1"), require("ready")]);
    let proposal = propose(&mut world, "bank", &action);
    approve(&mut world, "supplier", proposal);
    let error = failure(approve(&mut world, "platform", proposal));
    assert!(matches!(contract_error::<ContractsError>(&error), ContractsError::MigrateFailed { .. }));
    assert_eq!((contract(&world, "ledger"), world.value("ledger", "half")), (Some(before), None));
    let ready = world.supplier(&[put("ready", b"1")]);
    world.block(&[ready]);
    assert!(matches!(answer(execute(&mut world, "port", proposal)), ProposalState::Executed { .. }));
    assert_eq!(contract(&world, "ledger").map(|view| view.version), Some(2));
}

#[test]
fn governance_does_not_call_itself_through_a_proposal() {
    let mut world = consortium();
    let inner = Govern::Withdraw { proposal: Hash([1; 32]) };
    let action = Action::CallContract { contract: Native::Governance.id(), input: inner.encode() };
    assert_eq!(failure(pass(&mut world, &action)), Vec::<u8>::new());
}

// Members, calendar, parameters.

#[test]
fn a_frozen_member_sends_nothing_until_it_is_active_again() {
    let mut world = consortium();
    enact(&mut world, &status("mill", MemberStatus::Frozen));
    assert_eq!(acts(&mut world, "mill/admin", "gus"), Err(Refusal::MemberNotActive(MemberStatus::Frozen)));
    enact(&mut world, &status("mill", MemberStatus::Active));
    assert_eq!(acts(&mut world, "mill/admin", "gus"), Ok(()));
}

#[test]
fn a_frozen_voter_neither_proposes_nor_approves() {
    let mut world = consortium();
    enact(&mut world, &status("supplier", MemberStatus::Frozen));
    let message = Govern::Propose { title: "mine".into(), action: parameter_action(7), days: None };
    let transaction = world.transaction("supplier/admin", &["dan"], vec![module(Native::Governance, &message)]);
    assert_eq!(world.refusal(&transaction), Refusal::MemberNotActive(MemberStatus::Frozen));
}

#[test]
fn a_member_that_left_does_not_come_back_under_its_name() {
    let mut world = consortium();
    enact(&mut world, &status("mill", MemberStatus::Left));
    let back = failure(pass(&mut world, &status("mill", MemberStatus::Active)));
    assert_eq!(contract_error::<MembersError>(&back), MembersError::HasLeft);
    let again = failure(pass(&mut world, &joins("mill")));
    assert_eq!(contract_error::<MembersError>(&again), MembersError::MemberExists);
}

#[test]
fn a_member_that_may_not_join_so_leaves_no_trace() {
    let mut world = consortium();
    let root = |world: &World| {
        world.query("members", &members::messages::Query::Members { after: None, limit: 256 }.encode()).result
    };
    let before = root(&world);
    let mut refused = |change: &dyn Fn(&mut Action)| {
        let mut action = joins("smelter");
        change(&mut action);
        contract_error::<MembersError>(&failure(pass(&mut world, &action)))
    };
    let bad_name = refused(&|action| {
        if let Action::AddMember { name, .. } = action {
            *name = "No Name".into()
        }
    });
    assert_eq!(bad_name, MembersError::BadName("No Name".into()));
    let bad_admin = refused(&|action| {
        if let Action::AddMember { admin, .. } = action {
            *admin = "Ida K.".into();
        }
    });
    assert_eq!(bad_admin, MembersError::BadName("Ida K.".into()));
    let no_role = refused(&|action| {
        if let Action::AddMember { roles, .. } = action {
            roles.clear()
        }
    });
    assert_eq!(no_role, MembersError::NoRole);
    let no_title = refused(&|action| {
        if let Action::AddMember { title, .. } = action {
            title.clear()
        }
    });
    assert_eq!(no_title, MembersError::BadTitle);
    let taken = refused(&|action| {
        if let Action::AddMember { admin_key, .. } = action {
            *admin_key = key("dan").public()
        }
    });
    assert_eq!(taken, MembersError::KeyExists);
    let weak = refused(&|action| {
        if let Action::AddMember { admin_key, .. } = action {
            *admin_key = PublicKey::Ed25519([0; 32])
        }
    });
    assert_eq!(weak, MembersError::BadKey);
    assert_eq!(root(&world), before);
}

#[test]
fn a_year_is_added_to_a_calendar_and_a_past_day_never_changes() {
    let mut world = consortium();
    let enact_year = |days| Action::EnactCalendar { calendar: "cn".into(), days };
    let open = |world: &World, day: &str| {
        let query = calendar::messages::Query::Days { calendar: "cn".into(), from: date(day), to: date(day) };
        world.query("calendar", &query.encode()).result.is_ok()
    };
    assert!(!open(&world, "2027-01-04"));
    enact(&mut world, &enact_year(weekdays(2027, false)));
    assert!(open(&world, "2027-01-04"));
    let mut rewritten = weekdays(2026, false);
    rewritten.set(date(OPENING), false);
    let refused = failure(pass(&mut world, &enact_year(rewritten)));
    assert_eq!(contract_error::<CalendarError>(&refused), CalendarError::ChangesThePast { day: date(OPENING) });
    let guess = failure(pass(&mut world, &enact_year(weekdays(2027, true))));
    assert_eq!(contract_error::<CalendarError>(&guess), CalendarError::IsOfficial);
}

#[test]
fn a_parameter_of_the_chain_keeps_its_bounds() {
    let mut world = consortium();
    let refused = failure(pass(&mut world, &parameter_action(0)));
    let bounds = ParametersError::OutOfBounds { least: 1, most: 16_384 };
    assert_eq!(contract_error::<ParametersError>(&refused), bounds);
}

#[test]
fn what_is_governed_refuses_everybody_else() {
    let mut world = consortium();
    let failed = portolan_primitives::AgendaId([1; 32]);
    let days = weekdays(2030, false);
    let messages = [
        module(
            Native::Members,
            &members::messages::Call::AddMember {
                name: "smelter".into(),
                title: "Smelter".into(),
                roles: vec![Role::Supplier],
                admin: "ida".into(),
                admin_key: key("ida").public(),
            },
        ),
        module(
            Native::Members,
            &members::messages::Call::SetStatus { member: member("mill"), status: MemberStatus::Frozen },
        ),
        module(Native::Members, &members::messages::Call::SetRoles { member: member("mill"), roles: vec![Role::Bank] }),
        module(Native::Parameters, &parameters::messages::Call::Set { name: "x".into(), value: vec![] }),
        module(
            Native::Contracts,
            &contracts::messages::Call::Deploy { name: "x".into(), code: code(), instantiate: vec![] },
        ),
        module(
            Native::Contracts,
            &contracts::messages::Call::Upgrade { name: "ledger".into(), code: code(), migrate: vec![] },
        ),
        module(Native::Calendar, &calendar::messages::Call::Enact { calendar: "cn".into(), days }),
        module(Native::Agenda, &agenda::messages::Call::Retry { id: failed }),
        module(Native::Agenda, &agenda::messages::Call::GiveUp { id: failed }),
    ];
    let not_governed = ContractError::Contract(MembersError::NotGoverned).encode();
    for message in messages {
        let by_voter = world.transaction("platform/admin", &["eve"], vec![message.clone()]);
        assert_eq!(reason(&world.outcome(&by_voter)), &FailureReason::Reverted(not_governed.clone()));
        let through =
            world.transaction("bank/admin", &["ann"], vec![run("ledger", &[call(message.contract, &message.input)])]);
        let reverted = portolan_vm::abi::CallRefusal::Reverted as i32;
        assert_eq!(world.outcome(&through), Outcome::Ok(vec![reverted.to_le_bytes().to_vec()]));
    }
}

// The validators.

fn validators(names: &[&str]) -> Vec<Validator> {
    names.iter().map(|name| Validator { member: member(name), key: validator_key(name), power: 1 }).collect()
}

fn sets(world: &World) -> Validators {
    let answer = world.query("governance", &Query::Validators.encode()).result.unwrap();
    Validators::decode(&mut answer.as_slice()).unwrap()
}

const FIVE: [&str; 5] = ["bank", "supplier", "platform", "port", "mill"];

#[test]
fn a_new_validator_set_is_in_force_two_blocks_after_the_decision() {
    let mut world = consortium();
    enact(&mut world, &Action::SetValidators { validators: validators(&FIVE) });
    let decided = world.head.header.height;
    let (before, after) = (sets(&world).current.hash(), sets(&world).pending[0].1.hash());
    assert_eq!(sets(&world).pending[0].0, Height(decided.0 + 2));
    let hashes = |world: &World| (world.head.header.validators_hash, world.head.header.next_validators_hash);
    assert_eq!(hashes(&world), (before, before));
    world.block(&[]);
    assert_eq!(hashes(&world), (before, after));
    world.block(&[]);
    assert_eq!(hashes(&world), (after, after));
}

#[test]
fn no_more_than_a_third_of_the_power_changes_at_once_and_one_change_after_the_other() {
    let mut world = consortium();
    let half = Action::SetValidators { validators: validators(&["bank", "supplier"]) };
    let proposal = propose(&mut world, "bank", &half);
    approve(&mut world, "supplier", proposal);
    let message = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "platform", &message)), GovernanceError::TooMuchChange);
    let back = Action::SetValidators { validators: validators(&FIVE[..4]) };
    let next = propose(&mut world, "bank", &back);
    approve(&mut world, "supplier", next);
    enact(&mut world, &Action::SetValidators { validators: validators(&FIVE) });
    let message = approval(&world, next);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "platform", &message)), GovernanceError::ChangePending);
    world.block(&[]);
    // Five vote now, and three of them are too few.
    assert_eq!(approve(&mut world, "platform", next), ProposalState::Open);
    assert!(matches!(approve(&mut world, "port", next), ProposalState::Executed { .. }));
}

#[test]
fn a_set_that_may_not_be_is_not_even_proposed() {
    let mut world = consortium();
    let mut refused = |change: &dyn Fn(&mut Vec<Validator>)| {
        let mut set = validators(&FIVE);
        change(&mut set);
        let action = Action::SetValidators { validators: set };
        error::<GovernanceError>(govern(
            &mut world,
            "bank",
            &Govern::Propose { title: "set".into(), action, days: None },
        ))
    };
    let bad = GovernanceError::BadValidatorSet;
    assert_eq!(refused(&|set| set.clear()), bad);
    assert_eq!(refused(&|set| set[4].member = member("bank")), bad, "twice the same member");
    assert_eq!(refused(&|set| set[4].key = validator_key("bank")), bad, "twice the same key");
    assert_eq!(refused(&|set| set[4].power = 0), bad, "no power");
    assert_eq!(refused(&|set| set[4].key = PublicKey::Ed25519([0; 32])), bad, "a key of small order");
    assert_eq!(refused(&|set| set[4].key = key("dan").public()), bad, "a person's key");
    assert_eq!(refused(&|set| set[4].member = member("nobody")), bad, "no member");
    let too_much = u64::try_from(MAX_TOTAL_POWER).unwrap() - 3;
    assert_eq!(refused(&|set| set[4].power = too_much), bad, "more power than votes can be counted with");
    let mut most = validators(&FIVE);
    most[4].power = too_much - 1;
    propose(&mut world, "bank", &Action::SetValidators { validators: most });
}

#[test]
fn a_frozen_member_becomes_no_validator() {
    let mut world = consortium();
    enact(&mut world, &status("mill", MemberStatus::Frozen));
    let action = Action::SetValidators { validators: validators(&FIVE) };
    let message = Govern::Propose { title: "set".into(), action, days: None };
    assert_eq!(error::<GovernanceError>(govern(&mut world, "bank", &message)), GovernanceError::BadValidatorSet);
}

#[test]
fn a_genesis_with_more_power_than_votes_can_be_counted_with_is_refused() {
    let runtime = new_runtime();
    let make = |power: u128| {
        let mut genesis = genesis();
        genesis.validators[0].power = u64::try_from(power).unwrap();
        let state = empty_state();
        let made = runtime.genesis(&genesis, std::sync::Arc::new(state.view()), |changes| state.update(changes));
        made.map(|made| made.next_validators.total_power())
    };
    assert_eq!(make(MAX_TOTAL_POWER).unwrap(), MAX_TOTAL_POWER);
    let refused = make(MAX_TOTAL_POWER + 1).unwrap_err().to_string();
    assert!(refused.contains("at most"), "{refused}");
}

#[test]
fn a_genesis_in_which_a_validator_votes_with_a_registered_key_is_refused() {
    let mut genesis = genesis();
    genesis.validators[0].key = key("node").public();
    let state = empty_state();
    let made = new_runtime().genesis(&genesis, std::sync::Arc::new(state.view()), |changes| state.update(changes));
    let refused = made.err().unwrap().to_string();
    assert!(refused.contains("the key of the validator of `platform`"), "{refused}");
}

#[test]
fn a_set_that_may_no_longer_be_is_refused_when_it_is_decided() {
    let mut world = consortium();
    let proposal = propose(&mut world, "bank", &Action::SetValidators { validators: validators(&FIVE) });
    approve(&mut world, "supplier", proposal);
    enact(&mut world, &status("mill", MemberStatus::Frozen));
    let message = approval(&world, proposal);
    assert_eq!(error::<GovernanceError>(govern(&mut world, "platform", &message)), GovernanceError::BadValidatorSet);
}

#[test]
fn only_a_validator_of_the_height_proposes_a_block() {
    let world = consortium();
    let begun = |proposer: &str| {
        let context = portolan_runtime::BlockContext { proposer: member(proposer), ..world.context() };
        let view = std::sync::Arc::new(world.state.view());
        let verifier = std::sync::Arc::new(portolan_runtime::VerifyEach);
        world.runtime.begin(world.head.clone(), view, context, std::sync::Arc::default(), verifier).map(drop)
    };
    assert!(begun("port").is_ok());
    assert!(begun("mill").is_err_and(|error| error.is_invalid_block()));
}

// What waits and failed.

/// An entry of the contract `ledger` that failed for good: it asks for money that is not there.
fn failed_entry(world: &mut World) -> portolan_primitives::AgendaId {
    let today = world.date().0;
    let plan = world.supplier(&[schedule(today, 1_000_000, &program(&[require("money"), note("log", 1)]))]);
    let entry = portolan_primitives::AgendaId(answer_bytes(world.outcome(&plan)).try_into().unwrap());
    world.block(&[]);
    assert_eq!(failed(world), [entry]);
    entry
}

fn answer_bytes(outcome: Outcome) -> Vec<u8> {
    match outcome {
        Outcome::Ok(mut outputs) => outputs.pop().unwrap(),
        failed => panic!("{failed:?}"),
    }
}

fn failed(world: &World) -> Vec<portolan_primitives::AgendaId> {
    let query = agenda::messages::Query::Failed { after: None, limit: 256 };
    let answer = world.query("agenda", &query.encode()).result.unwrap();
    Vec::<agenda::FailedView>::decode(&mut answer.as_slice()).unwrap().into_iter().map(|view| view.id).collect()
}

fn on_agenda(message: &agenda::messages::Call) -> Action {
    Action::CallContract { contract: Native::Agenda.id(), input: message.encode() }
}

fn one_attempt(genesis: &mut Genesis) {
    set(genesis, &portolan_runtime::parameters::AGENDA_ATTEMPTS, 1);
}

#[test]
fn what_failed_on_the_agenda_is_tried_again_when_governance_says_so() {
    let mut world = consortium_with(one_attempt);
    let day = world.date();
    let id = failed_entry(&mut world);
    let money = world.supplier(&[put("money", b"1")]);
    world.block(&[money]);
    days_on(&mut world, 1);
    enact(&mut world, &on_agenda(&agenda::messages::Call::Retry { id }));
    assert!(failed(&world).is_empty());
    world.block(&[]);
    assert_eq!(world.notes("log"), [(1, day)], "under its own date");
    let again = failure(pass(&mut world, &on_agenda(&agenda::messages::Call::Retry { id })));
    assert_eq!(contract_error::<agenda::AgendaError>(&again), agenda::AgendaError::NotFailed);
}

#[test]
fn what_failed_on_the_agenda_is_given_up_when_governance_says_so() {
    let mut world = consortium_with(one_attempt);
    let id = failed_entry(&mut world);
    enact(&mut world, &on_agenda(&agenda::messages::Call::GiveUp { id }));
    assert!(failed(&world).is_empty());
    let again = failure(pass(&mut world, &on_agenda(&agenda::messages::Call::GiveUp { id })));
    assert_eq!(contract_error::<agenda::AgendaError>(&again), agenda::AgendaError::NotFailed);
}

// What is made known, and what can be asked.

/// The events of a transaction, as the names of the modules that made them and their first byte: which event it was.
fn told(world: &mut World, who: &str, message: &Govern) -> Vec<(&'static str, u8)> {
    let (_, person) = VOTERS.iter().find(|(member, _)| *member == who).unwrap();
    let call = module(Native::Governance, message);
    let transaction = world.transaction(&format!("{who}/admin"), &[person], vec![call]);
    let parts = world.block(&[transaction]);
    let name = |event: &portolan_primitives::Event| Native::from_id(event.contract).map_or("", Native::name);
    parts.receipts[0].events.iter().map(|event| (name(event), event.payload[0])).collect()
}

#[test]
fn every_step_and_what_it_does_is_told() {
    let mut world = consortium();
    let message = Govern::Propose { title: "join".into(), action: joins("smelter"), days: None };
    assert_eq!(told(&mut world, "bank", &message), [("governance", 0), ("governance", 1)]);
    let query = Query::Proposals { after: None, limit: 256 };
    let answer = world.query("governance", &query.encode()).result.unwrap();
    let proposals = Vec::<ProposalView>::decode(&mut answer.as_slice()).unwrap();
    assert_eq!(proposals.len(), 1);
    let message = approval(&world, proposals[0].id);
    let joined = [("governance", 1), ("members", 4), ("members", 6), ("members", 0), ("governance", 2)];
    assert_eq!(told(&mut world, "supplier", &message), joined);
    for (action, events) in [
        (parameter_action(7), vec![("parameters", 0)]),
        (deploy("fourth", code(), &[]), vec![("contracts", 0)]),
        (upgrade("ledger", code(), &[]), vec![("contracts", 1)]),
        (Action::EnactCalendar { calendar: "cn".into(), days: weekdays(2028, false) }, vec![("calendar", 0)]),
    ] {
        let proposal = propose(&mut world, "bank", &action);
        approve(&mut world, "supplier", proposal);
        let message = approval(&world, proposal);
        let around = [vec![("governance", 1)], events, vec![("governance", 2)]].concat();
        assert_eq!(told(&mut world, "platform", &message), around, "{action:?}");
    }
}

#[test]
fn roles_change_by_governance_and_stand_in_order_once_each() {
    let mut world = consortium();
    let roles = vec![Role::Supplier, Role::Bank, Role::Supplier];
    enact(&mut world, &Action::SetMemberRoles { member: member("mill"), roles });
    let answer = world.query("members", &members::messages::Query::Member { member: member("mill") }.encode());
    let view = members::MemberView::decode(&mut answer.result.unwrap().as_slice()).unwrap();
    assert_eq!(view.member.roles, [Role::Bank, Role::Supplier]);
    let none = failure(pass(&mut world, &Action::SetMemberRoles { member: member("mill"), roles: vec![] }));
    assert_eq!(contract_error::<MembersError>(&none), MembersError::NoRole);
    let nobody = Action::SetMemberRoles { member: member("nobody"), roles: vec![Role::Bank] };
    assert_eq!(contract_error::<MembersError>(&failure(pass(&mut world, &nobody))), MembersError::UnknownMember);
}

#[test]
fn governance_revokes_a_key_of_any_member() {
    let mut world = consortium();
    let id = key("gus").public().id();
    let input = members::messages::Call::RevokeKey { key: id }.encode();
    enact(&mut world, &Action::CallContract { contract: Native::Members.id(), input });
    assert_eq!(acts(&mut world, "mill/admin", "gus"), Err(Refusal::KeyNotValid(id)));
}

#[test]
fn a_calendar_is_named_plainly_and_lists_its_years_in_order() {
    let mut world = consortium();
    let enact_in = |calendar: &str, days| Action::EnactCalendar { calendar: calendar.into(), days };
    let named = failure(pass(&mut world, &enact_in("C N", weekdays(2027, false))));
    assert_eq!(contract_error::<CalendarError>(&named), CalendarError::BadName);
    let mut never = weekdays(2027, false);
    never.year = 0;
    let year = failure(pass(&mut world, &enact_in("cn", never)));
    assert_eq!(contract_error::<CalendarError>(&year), CalendarError::BadYear);
    enact(&mut world, &enact_in("cn", weekdays(2028, false)));
    enact(&mut world, &enact_in("cn", weekdays(2027, false)));
    enact(&mut world, &enact_in("de", weekdays(2027, false)));
    let answer = world.query("calendar", &calendar::messages::Query::Calendars.encode()).result.unwrap();
    let listed = Vec::<calendar::CalendarView>::decode(&mut answer.as_slice()).unwrap();
    let listed: Vec<_> = listed.into_iter().map(|view| (view.name, view.years)).collect();
    assert!(listed.contains(&("cn".into(), vec![2026, 2027, 2028])) && listed.contains(&("de".into(), vec![2027])));
    let days = |calendar: &str, from: &str, to: &str| {
        let query = calendar::messages::Query::Days { calendar: calendar.into(), from: date(from), to: date(to) };
        world.query("calendar", &query.encode()).result
    };
    let week =
        Vec::<calendar::DayView>::decode(&mut days("de", "2027-01-01", "2027-01-04").unwrap().as_slice()).unwrap();
    assert_eq!(week.iter().map(|view| view.open).collect::<Vec<_>>(), [true, false, false, true]);
    let Err(FailureReason::Reverted(unknown)) = days("fr", "2027-01-01", "2027-01-04") else { panic!() };
    assert_eq!(contract_error::<CalendarError>(&unknown), CalendarError::UnknownCalendar);
}

#[test]
fn parameters_are_listed_with_what_was_set_and_what_is_the_chains_default() {
    let mut world = consortium();
    enact(&mut world, &Action::SetParameter { name: "receivable.dust".into(), value: 5i128.encode() });
    enact(&mut world, &parameter_action(7));
    let answer = world.query("parameters", &parameters::messages::Query::Parameters.encode()).result.unwrap();
    let listed = Vec::<parameters::ParameterView>::decode(&mut answer.as_slice()).unwrap();
    let names: Vec<_> = listed.iter().map(|view| view.name.as_str()).collect();
    assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    let find = |name: &str| listed.iter().find(|view| view.name == name).unwrap();
    assert_eq!(find("receivable.dust").value, 5i128.encode());
    assert_eq!(find("block.transactions").number, Some(7));
    let default = portolan_runtime::parameters::HEARTBEAT;
    assert_eq!(find(default.name).number, Some(default.default));
    for (name, value, expected) in [
        ("No Name", vec![], ParametersError::BadName),
        ("receivable.dust", vec![0; parameters::MAX_VALUE + 1], ParametersError::TooLong),
    ] {
        let refused = failure(pass(&mut world, &Action::SetParameter { name: name.into(), value }));
        assert_eq!(contract_error::<ParametersError>(&refused), expected);
    }
}
