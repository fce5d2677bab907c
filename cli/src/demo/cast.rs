//! Who takes part in the trade story: the devnet's parties, and a second chain of supply in another currency.

use portolan_primitives::Role;

use crate::devnet::cast::{self, Party};

const fn firm(name: &'static str, title: &'static str, role: Role) -> Party {
    Party { name, title, role, validator: false, four_eyes: false }
}

/// The buyer who can't pay.
pub const FERRO: Party = firm("ferro-appliances", "Ferro Appliances", Role::CoreEnterprise);
/// Who sells to that buyer.
pub const GULF: Party = firm("gulf-plastics", "Gulf Plastics", Role::Supplier);
/// Who delivers to the second buyer's first tier.
pub const HILLTOP: Party = firm("hilltop-wiring", "Hilltop Wiring", Role::Supplier);
/// Who delivers to its second tier.
pub const IRIS: Party = firm("iris-coatings", "Iris Coatings", Role::Supplier);
/// Who delivers to the first buyer's first tier.
pub const JUNIPER: Party = firm("juniper-plating", "Juniper Plating", Role::Supplier);

/// Companies that trade: two buyers, and three tiers behind each.
pub const COMPANIES: [Party; 10] =
    [cast::BUYER, cast::TIER_1, cast::TIER_2, cast::TIER_2_OTHER, JUNIPER, cast::TIER_3, FERRO, GULF, HILLTOP, IRIS];

/// Everybody on the network; the validators first.
pub const CAST: [Party; 17] = {
    let [bank, carrier, customs, platform, buyer, tier_1, tier_2, other, tier_3, other_bank, auditor, regulator] =
        cast::CAST;
    [
        bank, carrier, customs, platform, buyer, tier_1, tier_2, other, tier_3, other_bank, auditor, regulator, FERRO,
        GULF, HILLTOP, IRIS, JUNIPER,
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_name_of_its_own_and_every_company_takes_part() {
        let names: std::collections::BTreeSet<&str> = CAST.iter().map(|party| party.name).collect();
        assert_eq!(names.len(), CAST.len());
        assert!(CAST.iter().all(|party| portolan_primitives::id::is_name(party.name)));
        assert!(COMPANIES.iter().all(|company| names.contains(company.name)));
    }
}
