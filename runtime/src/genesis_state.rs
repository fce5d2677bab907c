//! Turns a genesis into the first state and header 0. Checks what the runtime relies on, so that a genesis made by any tool is
//! refused by name and never half taken.
//!
//! Must never read anything but the genesis itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use codec::Encode;
use portolan_primitives::block::HEADER_VERSION;
use portolan_primitives::id::is_name;
use portolan_primitives::limits::{MAX_TOTAL_POWER, MAX_VALIDATORS};
use portolan_primitives::{
    AccountId, Caller, ContractId, FailureReason, Hash, Header, Height, History, KeyId, MemberId, MemberStatus, Origin,
    Outcome, PublicKey, Round, Timestamp, Validator, ValidatorSet, list_root,
};
use portolan_state::{Changes, StateError, StateUpdate};
use portolan_vm::abi::Entry;
use portolan_vm::{HostFault, HostResult};

use crate::block::{BlockFacts, ChainHead, ExecutedBlock, ExecutedReceipt, receipt};
use crate::genesis::{
    BusinessClock, GENESIS_VERSION, Genesis, GenesisAccount, GenesisContract, GenesisMember, NetworkKind, Zone,
};
use crate::ledger::{BaseView, Ledger};
use crate::native::clock::{Cursor, Network, day_in};
use crate::native::members::{self, ADMIN, MAX_TITLE};
use crate::native::records::{
    Account, AccountOfMember, Calendar, Key, KeyOfMember, KeyPurpose, Member, Parameter, Person, PersonId, Policy,
    Validators,
};
use crate::native::{Native, calendar, contracts, parameters};
use crate::rules::BlockRules;
use crate::runtime::Runtime;
use crate::session::{Run, Session, SessionRules};

/// Gas that the deployment of one contract may use at genesis.
const DEPLOY_GAS: u64 = 100_000_000_000;
/// Farthest that a zone lies from UTC, seconds.
const MAX_OFFSET: i32 = 18 * 3600;

/// Why a genesis is refused.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Another version of the format.
    #[error("the genesis has version {0}, this program reads version 1")]
    Version(u8),
    /// Not a name.
    #[error("`{0}` is no name: 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit")]
    BadName(String),
    /// Something stands there twice.
    #[error("{0} stands there twice")]
    Twice(String),
    /// Something is named that is not there.
    #[error("{what} names {missing}, which is not there")]
    Missing {
        /// Where it is named.
        what: String,
        /// What is not there.
        missing: String,
    },
    /// A title of no or too many bytes, or a member without a role.
    #[error("member `{0}` needs a title of 1 to 128 bytes and at least one role")]
    BadMember(String),
    /// A key that may not be registered.
    #[error("a key of member `{member}` is refused: {reason}")]
    BadKey {
        /// Whose.
        member: String,
        /// Why.
        reason: String,
    },
    /// No validator, too many, one without power, or too much power in all.
    #[error("there must be 1 to 128 validators, each with power of at least 1, and at most {MAX_TOTAL_POWER} in all")]
    BadValidators,
    /// A policy that can't be.
    #[error("the policy of account `{account}` is refused: {reason}")]
    BadPolicy {
        /// Member and account.
        account: String,
        /// Why.
        reason: String,
    },
    /// A parameter outside its bounds.
    #[error("parameter `{name}` is refused: {reason}")]
    BadParameter {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A calendar that can't be.
    #[error("year {year} of calendar `{calendar}` is refused: {reason}")]
    BadCalendar {
        /// Its name.
        calendar: String,
        /// The year.
        year: u16,
        /// Why.
        reason: String,
    },
    /// Real business needs real days.
    #[error("a production network has real days: a steered or shortened clock is for a devnet only")]
    SteeredProduction,
    /// A steered day of no length.
    #[error("a steered day lasts at least 1 ms")]
    NoDayLength,
    /// A zone that does not say what holds at genesis, is out of order, or too far from UTC.
    #[error("zone `{0}` needs offsets ascending by time, the first at or before genesis, within 18 hours of UTC")]
    BadZone(String),
    /// Provisional days are guesses.
    #[error("calendar `{0}` has provisional days, which a production network does not take")]
    ProvisionalProduction(String),
    /// The secret at hand is not the chain's.
    #[error("this node's chain secret is not the one that the genesis names")]
    OtherSecret,
    /// A contract that could not be deployed.
    #[error("contract `{name}` can't be deployed: {reason}")]
    BadContract {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The state was not empty, or failed.
    #[error(transparent)]
    State(#[from] StateError),
    /// The host failed.
    #[error(transparent)]
    Host(#[from] HostFault),
}

type GenesisResult<T> = Result<T, GenesisError>;

pub(crate) fn execute(
    runtime: Arc<Runtime>,
    genesis: &Genesis,
    view: BaseView,
    update: impl FnOnce(Changes) -> Result<StateUpdate, StateError>,
) -> GenesisResult<ExecutedBlock> {
    check(genesis)?;
    if genesis.secret_commitment != runtime.secret.commitment() {
        return Err(GenesisError::OtherSecret);
    }
    let mut ledger = Ledger::new(view);
    write_members(&mut ledger, genesis)?;
    let validators = write_validators(&mut ledger, genesis)?;
    write_parameters(&mut ledger, genesis)?;
    write_calendars(&mut ledger, genesis)?;
    let facts = write_clock(&mut ledger, genesis)?;
    let rules = BlockRules::read(&mut ledger)?;
    let mut session =
        Session::new(runtime, ledger, SessionRules { facts, entry_gas: rules.entry_gas, read_only: false });
    let receipts: Vec<ExecutedReceipt> = genesis
        .contracts
        .iter()
        .map(|contract| deploy(&mut session, genesis.chain(), contract))
        .collect::<Result<_, _>>()?;
    let update = update(session.into_ledger().into_changes()?)?;
    let header = header(genesis, &validators, &receipts, update.root());
    let head = ChainHead::after(History::default(), header.clone());
    Ok(ExecutedBlock { header, head, transactions: vec![], receipts, update, next_validators: validators })
}

fn header(genesis: &Genesis, validators: &ValidatorSet, receipts: &[ExecutedReceipt], state_root: Hash) -> Header {
    let leaves: Vec<Hash> = receipts.iter().map(|executed| executed.receipt.leaf()).collect();
    Header {
        version: HEADER_VERSION,
        chain: genesis.chain(),
        height: Height(0),
        round: Round(0),
        time: genesis.time,
        parent: Hash::ZERO,
        history_root: History::default().root(),
        proposer: MemberId::default(),
        transactions_root: list_root(&[]),
        receipts_root: list_root(&leaves),
        state_root,
        validators_hash: validators.hash(),
        next_validators_hash: validators.hash(),
        gas_used: 0,
    }
}

fn check(genesis: &Genesis) -> GenesisResult<()> {
    if genesis.version != GENESIS_VERSION {
        return Err(GenesisError::Version(genesis.version));
    }
    check_name(&genesis.network)?;
    match &genesis.clock {
        BusinessClock::Steered { .. } if genesis.kind == NetworkKind::Production => {
            return Err(GenesisError::SteeredProduction);
        }
        BusinessClock::Steered { day_length_ms: 0, .. } => return Err(GenesisError::NoDayLength),
        BusinessClock::Steered { .. } => {}
        BusinessClock::Real(zone) => check_zone(zone, genesis.time)?,
    }
    let provisional = genesis.calendars.iter().find(|calendar| calendar.years.iter().any(|year| year.provisional));
    match provisional {
        Some(calendar) if genesis.kind == NetworkKind::Production => {
            Err(GenesisError::ProvisionalProduction(calendar.name.clone()))
        }
        _ => Ok(()),
    }
}

fn check_zone(zone: &Zone, time: Timestamp) -> GenesisResult<()> {
    let ascending = zone.offsets.windows(2).all(|pair| pair[0].from < pair[1].from);
    let near = zone.offsets.iter().all(|offset| offset.seconds.abs() <= MAX_OFFSET);
    let begins = zone.offsets.first().is_some_and(|offset| offset.from <= time);
    if ascending && near && begins { Ok(()) } else { Err(GenesisError::BadZone(zone.name.clone())) }
}

fn check_name(name: &str) -> GenesisResult<()> {
    if is_name(name) { Ok(()) } else { Err(GenesisError::BadName(name.into())) }
}

/// Refuses what stands there twice.
struct Once<T>(BTreeSet<T>);

impl<T: Ord> Once<T> {
    fn new() -> Self {
        Self(BTreeSet::new())
    }

    fn see(&mut self, value: T, what: impl FnOnce() -> String) -> GenesisResult<()> {
        if self.0.insert(value) { Ok(()) } else { Err(GenesisError::Twice(what())) }
    }
}

fn write_members(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<()> {
    let mut seen = Once::new();
    for GenesisMember { name, title, roles } in &genesis.members {
        check_name(name)?;
        if title.is_empty() || title.len() > MAX_TITLE || roles.is_empty() {
            return Err(GenesisError::BadMember(name.clone()));
        }
        let id = MemberId::from_name(name);
        seen.see(id, || format!("member `{name}`"))?;
        let roles: BTreeSet<_> = roles.iter().copied().collect();
        let roles = roles.into_iter().collect();
        let member =
            Member { name: name.clone(), title: title.clone(), roles, status: MemberStatus::Active, since: Height(0) };
        ledger.put(&id, &member)?;
    }
    write_persons(ledger, genesis)?;
    write_keys(ledger, genesis)?;
    write_accounts(ledger, genesis)
}

/// The member's id, if it is there.
fn known(ledger: &mut Ledger, member: &str, what: impl FnOnce() -> String) -> GenesisResult<MemberId> {
    let id = MemberId::from_name(member);
    match ledger.get::<Member>(&id)? {
        Some(_) => Ok(id),
        None => Err(GenesisError::Missing { what: what(), missing: format!("member `{member}`") }),
    }
}

fn write_persons(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<()> {
    let mut seen = Once::new();
    for person in &genesis.persons {
        check_name(&person.person)?;
        let what = || format!("person `{}` of `{}`", person.person, person.member);
        let id = PersonId { member: known(ledger, &person.member, what)?, name: person.person.clone() };
        seen.see(id.clone(), what)?;
        ledger.put(&id, &Person { maker: person.maker, checker: person.checker, active: true })?;
    }
    Ok(())
}

fn write_keys(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<()> {
    let mut seen = Once::new();
    for key in &genesis.user_keys {
        let what = || format!("a key of person `{}` of `{}`", key.person, key.member);
        let member = known(ledger, &key.member, what)?;
        let person = PersonId { member, name: key.person.clone() };
        if ledger.get::<Person>(&person)?.is_none() {
            let missing = format!("person `{}`", key.person);
            return Err(GenesisError::Missing { what: what(), missing });
        }
        write_key(
            ledger,
            &mut seen,
            genesis.time,
            &key.member,
            key.key,
            KeyPurpose::User(key.person.clone()),
            key.valid_until,
        )?;
    }
    for key in &genesis.node_keys {
        known(ledger, &key.member, || format!("a node key of `{}`", key.member))?;
        write_key(ledger, &mut seen, genesis.time, &key.member, key.key, KeyPurpose::Node, None)?;
    }
    Ok(())
}

fn check_key(member: &str, key: &PublicKey) -> GenesisResult<()> {
    key.check_registrable().map_err(|error| GenesisError::BadKey { member: member.into(), reason: error.to_string() })
}

fn write_key(
    ledger: &mut Ledger,
    seen: &mut Once<KeyId>,
    valid_from: Timestamp,
    member: &str,
    key: PublicKey,
    purpose: KeyPurpose,
    valid_until: Option<Timestamp>,
) -> GenesisResult<()> {
    check_key(member, &key)?;
    let id = key.id();
    seen.see(id, || format!("key {id}"))?;
    let member = MemberId::from_name(member);
    ledger.put(&id, &Key { key, member, purpose, valid_from, valid_until, revoked: None })?;
    Ok(ledger.put(&(member, id), &KeyOfMember)?)
}

/// The accounts of the genesis, and for each member that has persons and none of that name, the account [`ADMIN`], which any
/// one of them holds.
fn write_accounts(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<()> {
    let mut seen = Once::new();
    for account in &genesis.accounts {
        let full = format!("{}/{}", account.member, account.name);
        check_name(&account.name)?;
        let member = known(ledger, &account.member, || format!("account `{full}`"))?;
        seen.see(AccountId::from_name(&account.member, &account.name), || format!("account `{full}`"))?;
        check_policy(ledger, member, account)?;
        write_account(ledger, &account.member, &account.name, account.policy.clone())?;
    }
    let with_persons: BTreeSet<&String> = genesis.persons.iter().map(|person| &person.member).collect();
    for member in with_persons {
        if ledger.get::<Account>(&AccountId::from_name(member, ADMIN))?.is_none() {
            write_account(ledger, member, ADMIN, Policy::any(1))?;
        }
    }
    Ok(())
}

fn check_policy(ledger: &mut Ledger, member: MemberId, account: &GenesisAccount) -> GenesisResult<()> {
    let full = || format!("{}/{}", account.member, account.name);
    members::check_policy(&account.policy)
        .map_err(|error| GenesisError::BadPolicy { account: full(), reason: format!("{error:?}") })?;
    for name in &account.policy.persons {
        if ledger.get::<Person>(&PersonId { member, name: name.clone() })?.is_none() {
            return Err(GenesisError::Missing {
                what: format!("account `{}`", full()),
                missing: format!("person `{name}`"),
            });
        }
    }
    Ok(())
}

fn write_account(ledger: &mut Ledger, member: &str, name: &str, policy: Policy) -> GenesisResult<()> {
    let id = AccountId::from_name(member, name);
    let member = MemberId::from_name(member);
    ledger.put(&id, &Account { member, name: name.into(), policy, policy_version: 1, closed: false })?;
    Ok(ledger.put(&(member, id), &AccountOfMember)?)
}

fn write_validators(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<ValidatorSet> {
    let (mut members, mut keys) = (Once::new(), Once::new());
    let mut validators = vec![];
    for validator in &genesis.validators {
        let what = || format!("the validator of `{}`", validator.member);
        let member = known(ledger, &validator.member, what)?;
        check_key(&validator.member, &validator.key)?;
        members.see(member, what)?;
        keys.see(validator.key, || format!("the key of {}", what()))?;
        if ledger.get::<Key>(&validator.key.id())?.is_some() {
            return Err(GenesisError::Twice(format!("the key of {}", what())));
        }
        validators.push(Validator { member, key: validator.key, power: validator.power });
    }
    if !(1..=MAX_VALIDATORS).contains(&validators.len()) || validators.iter().any(|validator| validator.power == 0) {
        return Err(GenesisError::BadValidators);
    }
    let current = ValidatorSet::new(validators);
    if current.total_power() > MAX_TOTAL_POWER {
        return Err(GenesisError::BadValidators);
    }
    ledger.put(&(), &Validators { current: current.clone(), pending: vec![] })?;
    Ok(current)
}

fn write_parameters(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<()> {
    let mut seen = Once::new();
    for parameter in &genesis.parameters {
        let name = &parameter.name;
        parameters::check(name, &parameter.value)
            .map_err(|error| GenesisError::BadParameter { name: name.clone(), reason: format!("{error:?}") })?;
        seen.see(name, || format!("parameter `{name}`"))?;
        ledger.put(name, &Parameter(parameter.value.clone()))?;
    }
    Ok(())
}

fn write_calendars(ledger: &mut Ledger, genesis: &Genesis) -> GenesisResult<()> {
    let mut seen = Once::new();
    for GenesisCalendarRef { name, years } in genesis.calendars.iter().map(GenesisCalendarRef::of) {
        seen.see((name, 0), || format!("calendar `{name}`"))?;
        for days in years {
            calendar::check_year(name, days).map_err(|error| GenesisError::BadCalendar {
                calendar: name.clone(),
                year: days.year,
                reason: format!("{error:?}"),
            })?;
            seen.see((name, days.year), || format!("year {} of calendar `{name}`", days.year))?;
            ledger.put(&(name.clone(), days.year), days)?;
        }
        let mut years: Vec<u16> = years.iter().map(|days| days.year).collect();
        years.sort_unstable();
        ledger.put(name, &Calendar { years })?;
    }
    Ok(())
}

struct GenesisCalendarRef<'a> {
    name: &'a String,
    years: &'a [crate::native::records::YearDays],
}

impl<'a> GenesisCalendarRef<'a> {
    fn of(calendar: &'a crate::genesis::GenesisCalendar) -> Self {
        Self { name: &calendar.name, years: &calendar.years }
    }
}

fn write_clock(ledger: &mut Ledger, genesis: &Genesis) -> HostResult<BlockFacts> {
    let date = match &genesis.clock {
        BusinessClock::Real(zone) => day_in(zone, genesis.time),
        BusinessClock::Steered { start, .. } => *start,
    };
    let network = Network {
        name: genesis.network.clone(),
        kind: genesis.kind,
        clock: genesis.clock.clone(),
        secret_commitment: genesis.secret_commitment,
    };
    ledger.put(&(), &network)?;
    ledger.put(&(), &Cursor { date, target: date, since: genesis.time })?;
    Ok(BlockFacts { height: Height(0), time: genesis.time, business_date: date, kind: genesis.kind })
}

/// Deploys as governance would.
fn deploy(session: &mut Session, chain: Hash, contract: &GenesisContract) -> GenesisResult<ExecutedReceipt> {
    let GenesisContract { name, code, instantiate } = contract.clone();
    let input = contracts::messages::Call::Deploy { name: name.clone(), code, instantiate }.encode();
    let date = session.block_facts().business_date;
    session.start(Run::of_nobody(
        portolan_primitives::hash::hash_parts(
            portolan_primitives::Domain::Genesis,
            &[&chain.0, &ContractId::from_name(&name).0],
        ),
        date,
    ));
    let caller = Caller::Contract(Native::Governance.id());
    let ended = session.enter_top(Native::Contracts.id(), caller, Entry::Call, &input, DEPLOY_GAS)?;
    let output = ended.result.map_err(|reason| GenesisError::BadContract { name, reason: words(reason) })?;
    let events = session.take_events();
    Ok(receipt(Origin::System, Outcome::Ok(vec![output]), ended.gas, events, vec![]))
}

fn words(reason: FailureReason) -> String {
    use codec::Decode;
    use portolan_sdk::ContractError;
    let FailureReason::Reverted(error) = reason else { return format!("{reason:?}") };
    match ContractError::<contracts::ContractsError>::decode(&mut error.as_slice()) {
        Ok(ContractError::Contract(error)) => format!("{error:?}"),
        _ => "the message of its deployment does not decode".into(),
    }
}
