//! Sums, differences, products and remainders of decimals, each exact or none.
//!
//! `rust_decimal` rounds where the digits do not suffice. Here both numbers are brought to whole ones of the same unit,
//! and what these 128 bits or 28 digits do not hold has no result.

use rust_decimal::Decimal;

use crate::DIGITS;

/// `left + right`.
pub fn add(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right, places) = aligned(left, right)?;
    made(left.checked_add(right)?, places)
}

/// `left - right`.
pub fn subtract(left: Decimal, right: Decimal) -> Option<Decimal> {
    add(left, -right)
}

/// `left × right`.
pub fn multiply(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right) = (left.normalize(), right.normalize());
    made(left.mantissa().checked_mul(right.mantissa())?, left.scale() + right.scale())
}

/// `left ÷ right`. The one result that may be rounded, at its 28th digit: most quotients do not end.
/// None when `right` is zero.
pub fn divide(left: Decimal, right: Decimal) -> Option<Decimal> {
    let quotient = left.checked_div(right)?;
    let kept = quotient.round_sf(DIGITS as u32)?;
    Some(kept.normalize())
}

/// What is left of `left` after taking `right` as often as it fits; the sign is that of `left`. None when `right` is zero.
pub fn remainder(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right, places) = aligned(left, right)?;
    made(left.checked_rem(right)?, places)
}

/// Both as whole numbers of one unit, and the places of that unit.
fn aligned(left: Decimal, right: Decimal) -> Option<(i128, i128, u32)> {
    let (left, right) = (left.normalize(), right.normalize());
    let places = left.scale().max(right.scale());
    let whole = |number: Decimal| number.mantissa().checked_mul(10i128.checked_pow(places - number.scale())?);
    Some((whole(left)?, whole(right)?, places))
}

/// The decimal of a whole number of units; none when its digits are too many.
fn made(mut whole: i128, mut places: u32) -> Option<Decimal> {
    while places > 0 && whole % 10 == 0 {
        (whole, places) = (whole / 10, places - 1);
    }
    let digits = whole.unsigned_abs().to_string();
    let few = digits.trim_end_matches('0').len() <= DIGITS;
    few.then(|| Decimal::try_from_i128_with_scale(whole, places).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Decimal {
        Decimal::from_str_exact(text).unwrap()
    }

    #[test]
    fn results_are_exact_or_there_are_none() {
        assert_eq!(add(of("31415926535897932.38"), of("0.23")), Some(of("31415926535897932.61")));
        assert_eq!(subtract(of("0.3"), of("0.1")), Some(of("0.2")));
        assert_eq!(multiply(of("31415926535897932.38"), of("2")), Some(of("62831853071795864.76")));
        assert_eq!(remainder(of("-7.5"), of("2")), Some(of("-1.5")));
        assert_eq!(
            add(of("9999999999999999999999999999"), of("1")),
            Some(of("10000000000000000000000000000"))
        );
        assert_eq!(add(of("1000000000000000000000000000"), of("0.01")), None);
        assert_eq!(add(of("9999999999999999999999999999"), of("2")), None);
        assert_eq!(multiply(of("1.00000000000001"), of("1.000000000000001")), None);
        assert_eq!(divide(of("7"), of("2")), Some(of("3.5")));
        assert_eq!(divide(of("1"), of("3")), Some(of("0.3333333333333333333333333333")));
        assert_eq!(divide(of("1"), of("0")), None);
        assert_eq!(remainder(of("1"), of("0")), None);
    }

    proptest! {
        #[test]
        fn a_sum_can_be_taken_back(left in -(1i64 << 50)..1 << 50, places in 0..12u32, right in -(1i64 << 50)..1 << 50, more in 0..12u32) {
            let (left, right) = (Decimal::new(left, places), Decimal::new(right, more));
            let sum = add(left, right).unwrap();
            prop_assert_eq!(subtract(sum, right), Some(left));
            prop_assert_eq!(Some(sum), left.checked_add(right));
        }

        #[test]
        fn a_product_is_what_the_library_makes_where_it_does_not_round(left in -1_000_000_000i64..1_000_000_000, places in 0..9u32, right in -1_000_000_000i64..1_000_000_000) {
            let (left, right) = (Decimal::new(left, places), Decimal::new(right, 4));
            prop_assert_eq!(multiply(left, right), left.checked_mul(right));
        }
    }
}
