//! The chain's own parameters: names, defaults and bounds in one table. A value is a `u64` in SCALE (8 bytes).
//!
//! A parameter that governance never set has its default. Must never read a value outside its bounds: the module
//! `parameters` refuses one, and genesis too.

/// A parameter that the chain itself obeys.
#[derive(Debug, PartialEq, Eq)]
pub struct ChainParameter {
    /// Its name.
    pub name: &'static str,
    /// Value where none was set.
    pub default: u64,
    /// Least value.
    pub least: u64,
    /// Largest value.
    pub most: u64,
    /// What it bounds.
    pub doc: &'static str,
}

macro_rules! parameters {
    ($($ident:ident = $name:literal, $default:expr, $least:expr, $most:expr, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            pub const $ident: ChainParameter =
                ChainParameter { name: $name, default: $default, least: $least, most: $most, doc: $doc };
        )*
        /// All of them, by name.
        pub const ALL: &[&ChainParameter] = &[$(&$ident,)*];
    };
}

parameters! {
    BLOCK_GAS = "block.gas", 4_000_000_000, 10_000_000, 1_000_000_000_000,
        "Gas that a block may use: agenda and declared gas of transactions.";
    BLOCK_AGENDA_GAS = "block.agenda-gas", 50_000_000, 1_000_000, 1_000_000_000_000,
        "Gas of a block after which no further agenda entry begins: what new transactions wait for on a day with much due.";
    BLOCK_BYTES = "block.bytes", 4 * 1024 * 1024, 1024 * 1024, 8 * 1024 * 1024,
        "Bytes of all transactions of a block.";
    BLOCK_TRANSACTIONS = "block.transactions", 8_192, 1, 16_384,
        "Transactions of a block.";
    HEARTBEAT = "block.heartbeat-ms", 60_000, 1_000, 86_400_000,
        "Longest time without a block, ms.";
    TRANSACTION_GAS = "transaction.gas", 1_000_000_000, 1_000_000, 100_000_000_000,
        "Gas that one transaction may declare.";
    WINDOW = "transaction.window-ms", 300_000, 10_000, 300_000,
        "Longest life of a transaction, ms.";
    QUOTA_GAS = "quota.gas", 3_000_000_000, 1_000_000, 1_000_000_000_000,
        "Gas that the transactions of one member may declare in one block.";
    QUOTA_BYTES = "quota.bytes", 3 * 1024 * 1024, 700 * 1024, 8 * 1024 * 1024,
        "Bytes of the transactions of one member in one block.";
    QUOTA_AGENDA = "quota.agenda-entries", 10_000, 1, 1_000_000,
        "Agenda entries that one member's transactions may make in one block.";
    QUOTA_STORED = "quota.stored-bytes", 8 * 1024 * 1024, 1024, 1024 * 1024 * 1024,
        "Bytes that one member's transactions may add to the state in one block, net.";
    AGENDA_ENTRY_GAS = "agenda.entry-gas", 2_000_000_000, 1_000_000, 1_000_000_000_000,
        "Most gas that one agenda entry may ask for.";
    AGENDA_ATTEMPTS = "agenda.attempts", 3, 1, 100,
        "Attempts at an agenda entry before it is recorded as failed.";
}

/// The chain's parameter under `name`, if it is one.
pub fn find(name: &str) -> Option<&'static ChainParameter> {
    ALL.iter().find(|parameter| parameter.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_lies_within_its_bounds_and_every_name_is_one() {
        for parameter in ALL {
            assert!((parameter.least..=parameter.most).contains(&parameter.default), "{}", parameter.name);
            assert!(portolan_primitives::id::is_name(parameter.name), "{}", parameter.name);
            assert_eq!(find(parameter.name), Some(*parameter));
        }
    }
}
