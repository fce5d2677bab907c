//! The fixed order in which a receipt is spread. Must never pay more than is due, nor skip a rank.

use alloc::vec::Vec;

use crate::{TermsError, exact::non_negative, spread::pro_rata};

/// An amount due at a rank; lower ranks are paid first, equal ranks share pro rata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// 0 is paid first.
    pub rank: u8,
    /// Minor units due.
    pub due: i128,
}

/// Pays `received` down the ranks. Returns what each claim gets, in the order given, and the residual.
///
/// # Errors
/// [`TermsError::Negative`], [`TermsError::Overflow`].
pub fn waterfall(received: i128, claims: &[Claim]) -> Result<(Vec<i128>, i128), TermsError> {
    non_negative(received)?;
    let mut ranks: Vec<u8> = claims.iter().map(|claim| claim.rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let mut paid = alloc::vec![0; claims.len()];
    let mut left = received;
    for rank in ranks {
        let members: Vec<usize> = (0..claims.len()).filter(|index| claims[*index].rank == rank).collect();
        let dues: Vec<i128> = members.iter().map(|index| claims[*index].due).collect();
        for (index, share) in members.into_iter().zip(pro_rata(left, &dues)?) {
            paid[index] = share;
            left -= share;
        }
    }
    Ok((paid, left))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::{collection, prelude::*};

    use super::*;
    use crate::{BusinessDate, Currency, DayCount, Interest, Money, Ppm, share_of};

    fn in_order(dues: &[i128]) -> Vec<Claim> {
        dues.iter().zip(0..).map(|(due, rank)| Claim { rank, due: *due }).collect()
    }

    #[test]
    fn w08_a_late_part_payment() {
        let due = Money::new(30_000_000, Currency::CNY);
        let day = BusinessDate::from_civil(2026, 6, 1).unwrap();
        let late = day.add_days(25).unwrap();
        let penalty = Interest::new(due, Ppm(60_000), DayCount::Act360, day, late).unwrap().amount().unwrap();
        assert_eq!(penalty.minor, 125_000);
        let tax = share_of(penalty, Ppm(60_000)).unwrap();
        assert_eq!(tax.minor, 7_500);
        // Fee, tax, default interest, principal.
        let (paid, residual) =
            waterfall(25_000_000, &in_order(&[15_000, tax.minor, penalty.minor, due.minor])).unwrap();
        assert_eq!(paid, vec![15_000, 7_500, 125_000, 24_852_500]);
        assert_eq!(residual, 0);
        assert_eq!(due.minor - paid[3], 5_147_500);
    }

    #[test]
    fn w19_senior_before_mezzanine_and_the_rest_to_the_residual() {
        let claims = in_order(&[400_000, 1_234_567, 70_000_000, 600_000, 20_000_000]);
        let (paid, residual) = waterfall(96_000_000, &claims).unwrap();
        assert_eq!(paid, claims.iter().map(|claim| claim.due).collect::<Vec<_>>());
        assert_eq!(residual, 3_765_433);
    }

    #[test]
    fn equal_ranks_share_in_proportion() {
        let claims = [Claim { rank: 1, due: 50 }, Claim { rank: 0, due: 10 }, Claim { rank: 1, due: 25 }];
        assert_eq!(waterfall(40, &claims), Ok((vec![20, 10, 10], 0)));
    }

    #[test]
    fn a_negative_receipt_or_claim_is_refused() {
        assert_eq!(waterfall(-1, &[]), Err(TermsError::Negative));
        assert_eq!(waterfall(10, &in_order(&[5, -1, 7])), Err(TermsError::Negative));
    }

    proptest! {
        #[test]
        fn the_receipt_is_spread_whole_and_in_order(received in 0i128..1 << 80, claims in collection::vec((0u8..4, 0i128..1 << 80), 0..20)) {
            let claims: Vec<Claim> = claims.into_iter().map(|(rank, due)| Claim { rank, due }).collect();
            let (paid, residual) = waterfall(received, &claims).unwrap();
            prop_assert_eq!(paid.iter().sum::<i128>() + residual, received);
            for (claim, amount) in claims.iter().zip(&paid) {
                prop_assert!(*amount >= 0 && *amount <= claim.due);
                if *amount < claim.due {
                    prop_assert_eq!(residual, 0);
                    prop_assert!(claims.iter().zip(&paid).all(|(other, amount)| other.rank <= claim.rank || *amount == 0));
                }
            }
        }
    }
}
