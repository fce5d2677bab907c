//! What is done under load, and how its transactions and reads follow each other.

use clap::ValueEnum;
use portolan_interface::PartId;
use portolan_primitives::id::to_text;

use super::load::Item;
use super::world::World;
use crate::error::CliResult;

/// Parts that reads are spread over.
pub const READ_PARTS: usize = 64;
/// Ten turns of the mixed load: six splits, two transfers, a financing, a read.
const MIXED: [Turn; 10] = [
    Turn::Split,
    Turn::Split,
    Turn::Transfer,
    Turn::Split,
    Turn::Finance,
    Turn::Split,
    Turn::Read,
    Turn::Split,
    Turn::Transfer,
    Turn::Split,
];

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// One part becomes two.
    Split,
    /// A part is offered, and accepted by its receiver: two transactions.
    Transfer,
    /// Of ten, six splits, two transactions of transfers, one of a financing (request, offer, acceptance that draws), and one read.
    Mixed,
    /// Five accounts in turn pay into one debtor's deposit.
    Hot,
    /// The cheapest real contract call: whether a bank serves a currency. One storage access, no write.
    Blank,
    /// Reads from one node, alone and beside load: a part by id, its lineage, the part with its proof.
    Read,
    /// Many certificates fall due on one day, while new transactions run at a low rate.
    SettleDay,
}

enum Turn {
    Split,
    Transfer,
    Finance,
    Read,
}

impl Workload {
    /// Its name in the figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Transfer => "transfer",
            Self::Mixed => "mixed",
            Self::Hot => "hot",
            Self::Blank => "blank",
            Self::Read => "read",
            Self::SettleDay => "settle-day",
        }
    }

    /// `count` things to do, as they are due; none for what is no load at a rate.
    pub fn prepare(self, world: &mut World, count: usize) -> CliResult<Vec<Item>> {
        let transactions = |list: Vec<Vec<u8>>| list.into_iter().map(Item::Transaction).collect();
        Ok(match self {
            Self::Split => transactions(world.splits(count)?),
            Self::Transfer => transactions(world.transfers(count / 2)?.concat()),
            Self::Hot => transactions(world.payments(count)?),
            Self::Blank => transactions(world.blanks(count)?),
            Self::Mixed => mixed(world, count)?,
            Self::Read | Self::SettleDay => vec![],
        })
    }
}

fn mixed(world: &mut World, count: usize) -> CliResult<Vec<Item>> {
    let turns = || MIXED.iter().cycle().take(count);
    let of = |wanted: fn(&Turn) -> bool| turns().filter(|turn| wanted(turn)).count();
    let splits = world.splits(of(|turn| matches!(turn, Turn::Split)).max(1))?;
    // What needs another transaction before it comes half or a third of the run later.
    let transfers = world.transfers(of(|turn| matches!(turn, Turn::Transfer)).div_ceil(2).max(1))?;
    let financings = world.financings(of(|turn| matches!(turn, Turn::Finance)).div_ceil(3).max(1))?;
    let paths: Vec<String> = world.parts(READ_PARTS)?.iter().map(by_id).collect();
    let mut splits = splits.into_iter();
    let mut transfers = transfers.into_iter().flatten();
    let mut financings = financings.into_iter().flatten();
    let mut paths = paths.into_iter().cycle();
    let item = |turn: &Turn| match turn {
        Turn::Split => splits.next().map(Item::Transaction),
        Turn::Transfer => transfers.next().map(Item::Transaction),
        Turn::Finance => financings.next().map(Item::Transaction),
        Turn::Read => paths.next().map(Item::Read),
    };
    Ok(turns().filter_map(item).collect())
}

/// Where a part is read by its id.
pub fn by_id(part: &PartId) -> String {
    format!("/v1/parts/{}", to_text(PartId::KIND, &part.0))
}

/// Where its lineage is read.
pub fn lineage(part: &PartId) -> String {
    format!("/v1/receivables/{}/lineage", to_text(PartId::KIND, &part.0))
}

/// Where it is read with the proof of every record that the answer rests on.
pub fn with_proof(part: &PartId) -> String {
    format!("{}?proof=true", by_id(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixed_load_is_what_it_says() {
        let count = |wanted: fn(&Turn) -> bool| MIXED.iter().filter(|turn| wanted(turn)).count();
        assert_eq!(count(|turn| matches!(turn, Turn::Split)), 6);
        assert_eq!(count(|turn| matches!(turn, Turn::Transfer)), 2);
        assert_eq!(count(|turn| matches!(turn, Turn::Finance)), 1);
        assert_eq!(count(|turn| matches!(turn, Turn::Read)), 1);
    }
}
