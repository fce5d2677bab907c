//! Everything that must hold of a chain-spec before a chain begins with it. All faults are named at once.

use std::collections::BTreeSet;

use codec::Encode;
use portolan_primitives::id::is_name;
use portolan_primitives::{BusinessDate, PublicKey, Role, hex};
use portolan_runtime::ChainSecret;
use portolan_runtime::genesis::{
    BusinessClock, GENESIS_VERSION, Genesis, GenesisAccount, GenesisCalendar, GenesisContract, GenesisMember,
    GenesisNodeKey, GenesisParameter, GenesisPerson, GenesisUserKey, GenesisValidator, NetworkKind, Zone, ZoneOffset,
};
use portolan_runtime::native::members::{ADMIN, MAX_TITLE, check_policy};
use portolan_runtime::native::records::{Policy, Tier};
use portolan_runtime::native::{calendar, parameters};

use crate::calendar::year_from_exceptions;
use crate::code::CodeSource;
use crate::file::{ChainSpec, ClockSpec, KindSpec, MemberSpec, ParameterSpec, PolicySpec};

/// Largest distance of a zone from UTC, seconds.
const MAX_OFFSET: i32 = 18 * 3600;

/// One fault of a chain-spec: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct SpecError {
    /// Where in the file, as `members.harbour-bank.accounts.treasury`.
    pub place: String,
    /// What is wrong there.
    pub fault: String,
}

/// A chain-spec in which no fault was found.
#[derive(Clone, Debug)]
pub struct CheckedSpec {
    /// What the runtime begins with.
    pub genesis: Genesis,
    /// The chain secret.
    pub secret: [u8; 32],
}

/// Gathers faults while the genesis is put together.
struct Checker<'a> {
    spec: &'a ChainSpec,
    faults: Vec<SpecError>,
    keys: BTreeSet<PublicKey>,
}

impl ChainSpec {
    /// Checks everything and puts the genesis together, or names all faults.
    pub fn check(&self, source: &CodeSource) -> Result<CheckedSpec, Vec<SpecError>> {
        let mut checker = Checker { spec: self, faults: Vec::new(), keys: BTreeSet::new() };
        let genesis = checker.genesis(source);
        if checker.faults.is_empty() { Ok(CheckedSpec { genesis, secret: self.secret.0 }) } else { Err(checker.faults) }
    }
}

impl Checker<'_> {
    fn fault(&mut self, place: impl Into<String>, fault: impl Into<String>) {
        self.faults.push(SpecError { place: place.into(), fault: fault.into() });
    }

    fn expect(&mut self, holds: bool, place: &str, fault: &str) {
        if !holds {
            self.fault(place, fault);
        }
    }

    fn name(&mut self, name: &str, place: &str) {
        let rule = "names have 1 to 48 characters of a-z, 0-9, `-` and `.`, the first a letter or digit";
        self.expect(is_name(name), place, rule);
    }

    fn genesis(&mut self, source: &CodeSource) -> Genesis {
        let spec = self.spec;
        self.name(&spec.network, "network");
        self.expect(spec.secret.0 != [0; 32], "secret", "the secret must be 32 random bytes, not zero");
        let mut genesis = Genesis {
            version: GENESIS_VERSION,
            network: spec.network.clone(),
            kind: kind(spec.kind),
            time: spec.time,
            clock: self.clock(),
            members: vec![],
            validators: vec![],
            node_keys: vec![],
            persons: vec![],
            user_keys: vec![],
            accounts: vec![],
            parameters: self.parameters(),
            calendars: self.calendars(),
            contracts: self.contracts(source),
            secret_commitment: ChainSecret::new(&spec.secret.0).commitment(),
        };
        self.unique(spec.members.iter().map(|member| member.name.as_str()), "members");
        for member in &spec.members {
            self.member(member, &mut genesis);
        }
        self.expect(!genesis.validators.is_empty(), "members", "at least one member must have a validator");
        genesis
    }

    fn unique<'a>(&mut self, names: impl Iterator<Item = &'a str>, place: &str) {
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name) {
                self.fault(format!("{place}.{name}"), "this name stands here twice");
            }
        }
    }

    fn clock(&mut self) -> BusinessClock {
        let spec = self.spec;
        match &spec.clock {
            ClockSpec::Steered { start, day_length_ms } => {
                let devnet = spec.kind == KindSpec::Devnet;
                self.expect(
                    devnet,
                    "clock",
                    "a short or steered day is for a devnet; a production network has real days",
                );
                self.expect(*day_length_ms > 0, "clock.steered.day_length_ms", "a day takes at least 1 ms");
                BusinessClock::Steered { start: *start, day_length_ms: *day_length_ms }
            }
            ClockSpec::Real { zone, offsets } => {
                let ascending = offsets.windows(2).all(|pair| pair[0].from < pair[1].from);
                self.expect(ascending, "clock.real.offsets", "the offsets must be ascending by `from`");
                let covers = offsets.first().is_some_and(|offset| offset.from <= spec.time);
                self.expect(covers, "clock.real.offsets", "the first offset must hold at the genesis time");
                let near = offsets.iter().all(|offset| offset.seconds.abs() <= MAX_OFFSET);
                self.expect(near, "clock.real.offsets", "a zone is at most 18 hours from UTC");
                let offset = |spec: &crate::file::OffsetSpec| ZoneOffset { from: spec.from, seconds: spec.seconds };
                BusinessClock::Real(Zone { name: zone.clone(), offsets: offsets.iter().map(offset).collect() })
            }
        }
    }

    fn member(&mut self, member: &MemberSpec, genesis: &mut Genesis) {
        let place = format!("members.{}", member.name);
        self.name(&member.name, &place);
        let title_fits = (1..=MAX_TITLE).contains(&member.title.len());
        self.expect(title_fits, &place, "the title has 1 to 128 bytes");
        let mut roles: Vec<Role> = member.roles.clone();
        roles.sort_unstable();
        roles.dedup();
        self.expect(!roles.is_empty(), &place, "a member needs at least one role");
        genesis.members.push(GenesisMember { name: member.name.clone(), title: member.title.clone(), roles });
        self.node_and_validator(member, &place, genesis);
        self.persons(member, &place, genesis);
        self.accounts(member, &place, genesis);
    }

    fn key(&mut self, key: PublicKey, place: &str) {
        if let Err(error) = key.check_registrable() {
            self.fault(place, error.to_string());
        }
        let new = self.keys.insert(key);
        self.expect(new, place, "this key stands in the file twice; a key has one holder and one purpose");
    }

    fn node_and_validator(&mut self, member: &MemberSpec, place: &str, genesis: &mut Genesis) {
        if let Some(validator) = &member.validator {
            let place = format!("{place}.validator");
            self.key(validator.key, &place);
            self.expect(validator.power > 0, &place, "a validator has at least power 1");
            let has_node = !member.node_keys.is_empty();
            self.expect(has_node, &place, "a member with a validator needs a node key");
            let (member, key, power) = (member.name.clone(), validator.key, validator.power);
            genesis.validators.push(GenesisValidator { member, key, power });
        }
        for key in &member.node_keys {
            self.key(*key, &format!("{place}.node_keys"));
            genesis.node_keys.push(GenesisNodeKey { member: member.name.clone(), key: *key });
        }
    }

    fn persons(&mut self, member: &MemberSpec, place: &str, genesis: &mut Genesis) {
        self.unique(member.persons.iter().map(|person| person.name.as_str()), &format!("{place}.persons"));
        for person in &member.persons {
            let place = format!("{place}.persons.{}", person.name);
            self.name(&person.name, &place);
            let (maker, checker) = (person.maker, person.checker);
            let (member, name) = (member.name.clone(), person.name.clone());
            genesis.persons.push(GenesisPerson { member, person: name, maker, checker });
            for key in &person.keys {
                self.key(key.key, &place);
                let alive = key.valid_until.is_none_or(|until| until > self.spec.time);
                self.expect(alive, &place, "the key's `valid_until` is not after the genesis time");
                let (member, person) = (genesis.persons.last().map(|last| last.member.clone()), person.name.clone());
                let member = member.unwrap_or_default();
                genesis.user_keys.push(GenesisUserKey { member, person, key: key.key, valid_until: key.valid_until });
            }
        }
    }

    fn accounts(&mut self, member: &MemberSpec, place: &str, genesis: &mut Genesis) {
        self.unique(member.accounts.iter().map(|account| account.name.as_str()), &format!("{place}.accounts"));
        let has_admin = member.accounts.iter().any(|account| account.name == ADMIN);
        self.expect(has_admin, place, "a member needs an account `admin`, whose policy authorises its own affairs");
        for account in &member.accounts {
            let place = format!("{place}.accounts.{}", account.name);
            self.name(&account.name, &place);
            let policy = policy(&account.policy);
            if let Err(error) = check_policy(&policy) {
                self.fault(&place, format!("{error:?}: see the rules of policies in the documentation"));
            }
            for person in &policy.persons {
                let known = member.persons.iter().any(|known| known.name == *person);
                self.expect(known, &place, &format!("the policy names `{person}`, which is no person of the member"));
            }
            genesis.accounts.push(GenesisAccount { member: member.name.clone(), name: account.name.clone(), policy });
        }
    }

    fn parameters(&mut self) -> Vec<GenesisParameter> {
        let mut parameters = Vec::new();
        for (name, spec) in &self.spec.parameters {
            let place = format!("parameters.{name}");
            let Some(value) = parameter_value(spec) else {
                self.fault(place, "the value is neither a whole number nor hex");
                continue;
            };
            if let Err(error) = parameters::check(name, &value) {
                self.fault(place, format!("{error:?}"));
            }
            parameters.push(GenesisParameter { name: name.clone(), value });
        }
        parameters
    }

    fn calendars(&mut self) -> Vec<GenesisCalendar> {
        let spec = self.spec;
        self.unique(spec.calendars.iter().map(|calendar| calendar.name.as_str()), "calendars");
        let mut calendars = Vec::new();
        for file in &spec.calendars {
            let place = format!("calendars.{}", file.name);
            let ascending = file.years.windows(2).all(|pair| pair[0].year < pair[1].year);
            self.expect(ascending, &place, "the years must be ascending, each once");
            let mut years = Vec::new();
            for year in &file.years {
                let place = format!("{place}.{}", year.year);
                let days = year_from_exceptions(year);
                if let Err(error) = calendar::check_year(&file.name, &days) {
                    self.fault(&place, format!("{error:?}"));
                }
                let inside = |day: &BusinessDate| day.civil().0 == i32::from(year.year);
                let all_inside = year.closed.iter().chain(&year.open).all(inside);
                self.expect(all_inside, &place, "a day is of another year");
                years.push(days);
            }
            calendars.push(GenesisCalendar { name: file.name.clone(), years });
        }
        calendars
    }

    fn contracts(&mut self, source: &CodeSource) -> Vec<GenesisContract> {
        let spec = self.spec;
        self.unique(spec.contracts.iter().map(|contract| contract.name.as_str()), "contracts");
        let mut contracts = Vec::new();
        for contract in &spec.contracts {
            let place = format!("contracts.{}", contract.name);
            self.name(&contract.name, &place);
            let code = source.find(&contract.code_hash);
            self.expect(
                code.is_some(),
                &place,
                "no module with this hash lies in `contracts/` beside the chain-spec, and this program brings none",
            );
            let instantiate = hex::decode(&contract.instantiate);
            self.expect(instantiate.is_some(), &place, "`instantiate` is not hex");
            let (code, instantiate) = (code.unwrap_or_default(), instantiate.unwrap_or_default());
            contracts.push(GenesisContract { name: contract.name.clone(), code, instantiate });
        }
        contracts
    }
}

fn kind(kind: KindSpec) -> NetworkKind {
    match kind {
        KindSpec::Production => NetworkKind::Production,
        KindSpec::Devnet => NetworkKind::Devnet,
    }
}

fn policy(spec: &PolicySpec) -> Policy {
    let mut persons = spec.persons.clone();
    persons.sort_unstable();
    let tier = |tier: &crate::file::TierSpec| Tier {
        currency: tier.currency,
        up_to: tier.up_to,
        persons: tier.persons,
        maker_checker: tier.maker_checker,
    };
    Policy { persons, tiers: spec.tiers.iter().map(tier).collect() }
}

fn parameter_value(spec: &ParameterSpec) -> Option<Vec<u8>> {
    match spec {
        ParameterSpec::U64(number) => Some(number.encode()),
        ParameterSpec::I128(text) => text.parse::<i128>().ok().map(|number| number.encode()),
        ParameterSpec::Scale(text) => hex::decode(text),
    }
}
