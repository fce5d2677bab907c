//! Who takes part in the devnet: four members that run validators, and those who trade, finance and look on.

use portolan_primitives::{AccountId, Role};

/// A member of the devnet.
#[derive(Clone, Copy, Debug)]
pub struct Party {
    /// Its name on the chain.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// What it may do.
    pub role: Role,
    /// Whether it runs a validator.
    pub validator: bool,
    /// Whether its account `main` needs a maker and a checker.
    pub four_eyes: bool,
}

impl Party {
    /// Full name of the account with which it does business.
    pub fn account_name(&self) -> String {
        format!("{}/{MAIN}", self.name)
    }

    /// That account.
    pub fn account(&self) -> AccountId {
        AccountId::from_name(self.name, MAIN)
    }

    /// The keystore's name of a person's key.
    pub fn key(&self, person: &str) -> String {
        format!("{}.{person}", self.name)
    }
}

/// The account with which every party does business.
pub const MAIN: &str = "main";
/// The person who prepares.
pub const MAKER: &str = "maker";
/// The person who checks.
pub const CHECKER: &str = "checker";

const fn party(name: &'static str, title: &'static str, role: Role, validator: bool, four_eyes: bool) -> Party {
    Party { name, title, role, validator, four_eyes }
}

/// The bank that keeps the deposits and buys a part.
pub const BANK: Party = party("harbour-bank", "Harbour Bank", Role::Bank, true, false);
/// The carrier.
pub const CARRIER: Party = party("meridian-logistics", "Meridian Logistics", Role::Logistics, true, false);
/// The customs authority.
pub const CUSTOMS: Party = party("port-customs", "Port Customs", Role::Customs, true, false);
/// The platform's operator.
pub const PLATFORM: Party = party("portolan-platform", "Portolan Platform", Role::Platform, true, false);
/// The buyer and debtor.
pub const BUYER: Party = party("atlas-motors", "Atlas Motors", Role::CoreEnterprise, false, true);
/// Who sells to the buyer.
pub const TIER_1: Party = party("bright-castings", "Bright Castings", Role::Supplier, false, false);
/// Who delivers to the first tier.
pub const TIER_2: Party = party("cedar-tooling", "Cedar Tooling", Role::Supplier, false, false);
/// Who delivers to the first tier too.
pub const TIER_2_OTHER: Party = party("delta-alloys", "Delta Alloys", Role::Supplier, false, false);
/// Who delivers to the second tier.
pub const TIER_3: Party = party("elm-fasteners", "Elm Fasteners", Role::Supplier, false, false);
/// Another bank, which is asked to finance what is financed already.
pub const OTHER_BANK: Party = party("north-bank", "North Bank", Role::Bank, false, false);
/// Who reads what its mandate grants.
pub const AUDITOR: Party = party("clear-audit", "Clear Audit", Role::Auditor, false, false);
/// Who reads all.
pub const REGULATOR: Party = party("trade-authority", "Trade Authority", Role::Regulator, false, false);

/// All of them; the validators first.
pub const CAST: [Party; 12] =
    [BANK, CARRIER, CUSTOMS, PLATFORM, BUYER, TIER_1, TIER_2, TIER_2_OTHER, TIER_3, OTHER_BANK, AUDITOR, REGULATOR];

/// Those that run validators.
pub fn validators() -> impl Iterator<Item = &'static Party> {
    CAST.iter().filter(|party| party.validator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_members_run_validators_and_every_name_is_one() {
        let roles: Vec<Role> = validators().map(|party| party.role).collect();
        assert_eq!(roles, [Role::Bank, Role::Logistics, Role::Customs, Role::Platform]);
        assert!(CAST.iter().all(|party| portolan_primitives::id::is_name(party.name)));
    }
}
