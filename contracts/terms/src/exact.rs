//! Products and quotients wider than 128 bits, so that no rule needs a limit of its own. Must never round by itself.

use crate::TermsError;

/// `a × b ÷ divisor` as (quotient rounded down, remainder), with a product of up to 256 bits.
///
/// # Errors
/// [`TermsError::Overflow`] when the quotient does not fit 128 bits or the divisor is zero.
pub fn mul_div(a: u128, b: u128, divisor: u128) -> Result<(u128, u128), TermsError> {
    if divisor == 0 {
        return Err(TermsError::Overflow);
    }
    match a.checked_mul(b) {
        Some(product) => Ok((product / divisor, product % divisor)),
        None => wide_div(wide_mul(a, b), divisor),
    }
}

/// The whole product as (high, low) halves.
fn wide_mul(a: u128, b: u128) -> (u128, u128) {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low) = (a >> 64, a & LOW);
    let (b_high, b_low) = (b >> 64, b & LOW);
    let low = a_low * b_low;
    // Neither sum can overflow: (2^64-1)^2 + 2*(2^64-1) < 2^128.
    let middle = a_high * b_low + (low >> 64);
    let crossing = a_low * b_high + (middle & LOW);
    (a_high * b_high + (middle >> 64) + (crossing >> 64), (crossing << 64) | (low & LOW))
}

/// Long division, bit by bit: rare, so short rather than fast.
fn wide_div((high, low): (u128, u128), divisor: u128) -> Result<(u128, u128), TermsError> {
    if high >= divisor {
        return Err(TermsError::Overflow);
    }
    let mut remainder = high;
    let mut quotient: u128 = 0;
    for bit in (0..128).rev() {
        let carried = remainder >> 127 == 1;
        remainder = (remainder << 1) | ((low >> bit) & 1);
        quotient <<= 1;
        if carried || remainder >= divisor {
            remainder = remainder.wrapping_sub(divisor);
            quotient |= 1;
        }
    }
    Ok((quotient, remainder))
}

/// The absolute value of an amount that must not be negative.
///
/// # Errors
/// [`TermsError::Negative`].
pub fn non_negative(minor: i128) -> Result<u128, TermsError> {
    u128::try_from(minor).map_err(|_| TermsError::Negative)
}

/// Back to an amount.
///
/// # Errors
/// [`TermsError::Overflow`].
pub fn to_minor(value: u128) -> Result<i128, TermsError> {
    i128::try_from(value).map_err(|_| TermsError::Overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quotient_that_does_not_fit_is_an_error() {
        assert_eq!(mul_div(u128::MAX, 2, 1), Err(TermsError::Overflow));
        assert_eq!(mul_div(1, 1, 0), Err(TermsError::Overflow));
        assert_eq!(mul_div(u128::MAX, u128::MAX, u128::MAX), Ok((u128::MAX, 0)));
    }

    proptest! {
        #[test]
        fn quotient_and_remainder_rebuild_the_product(a: u128, b: u128, divisor in 1u128..) {
            let (high, low) = wide_mul(a, b);
            match wide_div((high, low), divisor) {
                Ok((quotient, remainder)) => {
                    prop_assert!(remainder < divisor);
                    let (back_high, back_low) = wide_mul(quotient, divisor);
                    let (sum, carry) = back_low.overflowing_add(remainder);
                    prop_assert_eq!((back_high + u128::from(carry), sum), (high, low));
                }
                Err(_) => prop_assert!(high >= divisor),
            }
        }

        #[test]
        fn both_ways_agree_where_the_product_fits(a in 0u128..1 << 60, b in 0u128..1 << 60, divisor in 1u128..) {
            prop_assert_eq!(mul_div(a, b, divisor), wide_div(wide_mul(a, b), divisor));
        }
    }
}
