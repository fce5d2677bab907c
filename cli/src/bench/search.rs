//! The search for the highest rate that is carried: doubling by halves until one is not, then halving the ratio between.
//!
//! Must never try more rates than its bound, nor call one carried that was not tried.

/// The first rate.
const FIRST: u32 = 1_000;
/// Below this nothing is tried any more.
const LOWEST: u32 = 50;
/// Above this nothing is tried any more.
const HIGHEST: u32 = 40_000;

/// Where the search stands.
#[derive(Debug)]
pub struct Search {
    /// The highest rate that was carried.
    carried: Option<u32>,
    /// The lowest that was not.
    failed: Option<u32>,
    /// Ratio of the two at which it ends.
    precision: f64,
    /// Rates that may still be tried.
    left: u32,
}

impl Search {
    /// At its begin; `quick` is coarser and shorter.
    pub fn new(quick: bool) -> Self {
        let (precision, left) = if quick { (1.15, 7) } else { (1.04, 14) };
        Self { carried: None, failed: None, precision, left }
    }

    /// The rate to try next.
    pub fn next_rate(&mut self) -> Option<u32> {
        let rate = match (self.carried, self.failed) {
            (None, None) => Some(FIRST),
            (Some(carried), None) => Some(carried + carried / 2).filter(|rate| *rate <= HIGHEST),
            (None, Some(failed)) => Some(failed / 2).filter(|rate| *rate >= LOWEST),
            (Some(carried), Some(failed)) => {
                let ratio = f64::from(failed) / f64::from(carried);
                (ratio > self.precision).then(|| (f64::from(carried) * ratio.sqrt()) as u32)
            }
        };
        self.left = self.left.checked_sub(1)?;
        rate
    }

    /// What came of a rate.
    pub fn note(&mut self, rate: u32, carried: bool) {
        if carried {
            self.carried = Some(self.carried.map_or(rate, |known| known.max(rate)));
        } else {
            self.failed = Some(self.failed.map_or(rate, |known| known.min(rate)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best rate that a network of this capacity is found to carry, and how many rates were tried.
    fn found(capacity: u32, quick: bool) -> (Option<u32>, u32) {
        let mut search = Search::new(quick);
        let mut tried = 0;
        while let Some(rate) = search.next_rate() {
            search.note(rate, rate <= capacity);
            tried += 1;
        }
        (search.carried, tried)
    }

    #[test]
    fn what_is_found_is_carried_and_near_what_can_be() {
        for capacity in [70, 400, 999, 1_000, 1_700, 3_000, 5_123, 20_000] {
            let (best, tried) = found(capacity, false);
            let best = best.unwrap();
            assert!(best <= capacity && f64::from(best) * 1.05 >= f64::from(capacity), "{capacity}: {best}");
            assert!(tried <= 14, "{capacity}: {tried}");
        }
    }

    #[test]
    fn a_quick_search_is_short() {
        for capacity in [1_000, 1_700, 3_000, 5_123] {
            let (best, tried) = found(capacity, true);
            let best = best.unwrap();
            assert!(best <= capacity && f64::from(best) * 1.25 >= f64::from(capacity), "{capacity}: {best}");
            assert!(tried <= 7, "{capacity}: {tried}");
        }
    }

    #[test]
    fn it_ends_where_nothing_or_everything_is_carried() {
        assert_eq!(found(0, false).0, None);
        assert!(found(u32::MAX, false).0 >= Some(20_000));
    }
}
