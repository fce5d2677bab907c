//! Sharing an amount without losing or making a unit. Must never depend on anything but amounts and positions.

use alloc::vec::Vec;

use crate::{
    TermsError,
    exact::{mul_div, non_negative, to_minor},
};

/// One claim's share before the leftover units are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Whole minor units, rounded down.
    pub floor: i128,
    /// What was cut off, as a numerator over the sum of the weights.
    pub remainder: u128,
}

/// `amount × weight ÷ total`, rounded down, and what was cut off.
///
/// # Errors
/// [`TermsError::Negative`], [`TermsError::Overflow`] (also when `total` is zero).
pub fn share(amount: i128, weight: i128, total: i128) -> Result<Share, TermsError> {
    let (floor, remainder) = mul_div(non_negative(amount)?, non_negative(weight)?, non_negative(total)?)?;
    Ok(Share { floor: to_minor(floor)?, remainder })
}

/// Spreads the whole `amount` in proportion to the weights: floors first, then one unit each by greatest remainder, ties by position.
///
/// # Errors
/// [`TermsError::NothingToSpreadOver`] when there is an amount and the weights sum to zero, [`TermsError::Negative`], [`TermsError::Overflow`].
pub fn largest_remainder(amount: i128, weights: &[i128]) -> Result<Vec<i128>, TermsError> {
    let total = sum(weights)?;
    if total == 0 {
        return if amount == 0 { Ok(weights.to_vec()) } else { Err(TermsError::NothingToSpreadOver) };
    }
    let shares = weights.iter().map(|weight| share(amount, *weight, total)).collect::<Result<Vec<_>, _>>()?;
    let mut parts: Vec<i128> = shares.iter().map(|share| share.floor).collect();
    // The remainders sum to leftover × total, each below total: so the leftover is below the number of claims.
    let leftover = usize::try_from(amount - sum(&parts)?).map_err(|_| TermsError::Overflow)?;
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|left, right| shares[*right].remainder.cmp(&shares[*left].remainder));
    for position in order.into_iter().take(leftover) {
        parts[position] += 1;
    }
    Ok(parts)
}

/// Pays claims in proportion, at most in full: what exceeds their sum is not spread.
///
/// # Errors
/// As [`largest_remainder`].
pub fn pro_rata(available: i128, claims: &[i128]) -> Result<Vec<i128>, TermsError> {
    largest_remainder(available.min(sum(claims)?), claims)
}

/// `count` parts as equal as can be, the larger ones first.
///
/// # Errors
/// As [`largest_remainder`].
pub fn equal_parts(amount: i128, count: u16) -> Result<Vec<i128>, TermsError> {
    largest_remainder(amount, &alloc::vec![1; usize::from(count)])
}

fn sum(amounts: &[i128]) -> Result<i128, TermsError> {
    amounts.iter().try_fold(0i128, |total, amount| total.checked_add(*amount).ok_or(TermsError::Overflow))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use proptest::{collection, prelude::*};

    use super::*;

    #[test]
    fn w06_three_equal_parts() {
        assert_eq!(equal_parts(100_000, 3), Ok(vec![33_334, 33_333, 33_333]));
    }

    #[test]
    fn w07_a_deposit_too_small_over_three_claims() {
        assert_eq!(pro_rata(7_000_001, &[5_000_000, 3_000_000, 2_000_000]), Ok(vec![3_500_001, 2_100_000, 1_400_000]));
    }

    #[test]
    fn w11_a_credit_note_over_the_live_leaves() {
        assert_eq!(pro_rata(3_600_000, &[50_000_000, 40_000_000, 20_000_000]), Ok(vec![1_636_364, 1_309_091, 654_545]));
    }

    #[test]
    fn w14_a_million_over_four_leaves() {
        let leaves = [50_000_000, 15_000_001, 24_999_999, 30_000_000];
        assert_eq!(pro_rata(100_000_000, &leaves), Ok(vec![41_666_667, 12_500_001, 20_833_332, 25_000_000]));
    }

    #[test]
    fn w20_ties_go_to_the_first_positions() {
        assert_eq!(largest_remainder(100, &[1; 7]), Ok(vec![15, 15, 14, 14, 14, 14, 14]));
        assert_eq!(largest_remainder(5, &[1; 7]), Ok(vec![1, 1, 1, 1, 1, 0, 0]));
    }

    #[test]
    fn an_amount_needs_somebody_to_go_to() {
        assert_eq!(largest_remainder(1, &[]), Err(TermsError::NothingToSpreadOver));
        assert_eq!(largest_remainder(1, &[0, 0]), Err(TermsError::NothingToSpreadOver));
        assert_eq!(largest_remainder(0, &[0, 0]), Ok(vec![0, 0]));
        assert_eq!(equal_parts(1, 0), Err(TermsError::NothingToSpreadOver));
    }

    #[test]
    fn negative_amounts_and_claims_are_refused() {
        assert_eq!(largest_remainder(-1, &[1]), Err(TermsError::Negative));
        assert_eq!(largest_remainder(1, &[2, -1]), Err(TermsError::Negative));
    }

    proptest! {
        #[test]
        fn no_unit_is_lost_or_made(amount in 0i128.., weights in collection::vec(0i128..1 << 100, 1..60)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = largest_remainder(amount, &weights).unwrap();
            prop_assert_eq!(parts.iter().sum::<i128>(), amount);
            let total: i128 = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let floor = share(amount, *weight, total).unwrap().floor;
                prop_assert!(*part == floor || *part == floor + 1);
            }
        }

        #[test]
        fn nobody_gets_more_than_the_claim(available in 0i128..1 << 90, claims in collection::vec(0i128..1 << 80, 1..60)) {
            let paid = pro_rata(available, &claims).unwrap();
            prop_assert_eq!(paid.iter().sum::<i128>(), available.min(claims.iter().sum()));
            prop_assert!(paid.iter().zip(&claims).all(|(paid, claim)| paid <= claim));
        }

        #[test]
        fn equal_claims_differ_by_at_most_a_unit_and_never_rise(amount in 0i128..1 << 100, count in 1u16..300) {
            let parts = equal_parts(amount, count).unwrap();
            prop_assert!(parts.windows(2).all(|pair| pair[0] == pair[1] || pair[0] == pair[1] + 1));
            prop_assert!(parts[0] - parts[parts.len() - 1] <= 1);
        }

        #[test]
        fn a_larger_claim_never_gets_less(amount in 0i128..1 << 90, weights in collection::vec(0i128..1 << 60, 2..40)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let parts = largest_remainder(amount, &weights).unwrap();
            for (left, right) in (0..weights.len()).flat_map(|left| (0..weights.len()).map(move |right| (left, right))) {
                if weights[left] > weights[right] {
                    prop_assert!(parts[left] >= parts[right]);
                }
            }
        }
    }
}
