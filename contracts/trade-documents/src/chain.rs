//! The endorsements that a bill brings along from another platform: put into order, oldest first, and without a gap. Pure.

use alloc::vec::Vec;

use portolan_interface::trade::{EarlierEndorsement, TradeError};

/// The chain oldest first. Files have them either way; which way is right follows from who endorsed to whom, and from the dates.
pub fn normalise(mut chain: Vec<EarlierEndorsement>) -> Result<Vec<EarlierEndorsement>, TradeError> {
    let Some(given) = gap(&chain) else { return Ok(chain) };
    let newest_first = chain.first().map(|first| first.date) > chain.last().map(|last| last.date);
    chain.reverse();
    match gap(&chain) {
        None => Ok(chain),
        Some(reversed) => Err(TradeError::ChainGap { position: if newest_first { reversed } else { given } }),
    }
}

/// The first entry that does not follow from the one before it.
fn gap(chain: &[EarlierEndorsement]) -> Option<u32> {
    let follows = |pair: &[EarlierEndorsement]| pair[0].to == pair[1].from && pair[0].date <= pair[1].date;
    (1u32..).zip(chain.windows(2)).find(|(_, pair)| !follows(pair)).map(|(position, _)| position)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use portolan_interface::{BusinessDate, Hash};

    use super::*;

    fn step(from: u8, to: u8, day: i32) -> EarlierEndorsement {
        EarlierEndorsement { from: Hash([from; 32]), to: Hash([to; 32]), date: BusinessDate(day) }
    }

    fn reversed(chain: &[EarlierEndorsement]) -> Vec<EarlierEndorsement> {
        chain.iter().rev().cloned().collect()
    }

    #[test]
    fn a_chain_is_kept_oldest_first_whichever_way_it_came() {
        for chain in [
            vec![],
            vec![step(1, 2, 5)],
            vec![step(1, 2, 5), step(2, 3, 5), step(3, 4, 9)],
            // There and back: only the dates tell the direction.
            vec![step(1, 2, 5), step(2, 1, 6)],
        ] {
            assert_eq!(normalise(chain.clone()), Ok(chain.clone()));
            assert_eq!(normalise(reversed(&chain)), Ok(chain));
        }
    }

    #[test]
    fn a_gap_is_refused_by_its_place_in_time() {
        let gap = vec![step(1, 2, 5), step(2, 3, 6), step(4, 5, 7)];
        assert_eq!(normalise(gap.clone()), Err(TradeError::ChainGap { position: 2 }));
        assert_eq!(normalise(reversed(&gap)), Err(TradeError::ChainGap { position: 2 }));
        let backwards = vec![step(1, 2, 5), step(2, 3, 4), step(3, 4, 6)];
        assert_eq!(normalise(backwards), Err(TradeError::ChainGap { position: 1 }));
    }
}
