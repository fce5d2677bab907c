//! Currencies of ISO 4217 and amounts in their minor units, by integer arithmetic on the written digits.
//!
//! Must never round and never use a float: an amount finer than its currency is refused unless the surplus digits are
//! zeros.

use portolan_primitives::Currency;

use super::error::{DocumentError, Excerpt, Field};

/// A currency with the number of its decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denomination {
    /// The code.
    pub currency: Currency,
    /// Decimals: 2 for CNY, 0 for JPY.
    pub exponent: u8,
}

impl Denomination {
    /// The denomination of an ISO 4217 alphabetic code, which is written in capital letters.
    ///
    /// # Errors
    /// `UnknownCurrency` for a code that was never listed, `NoMinorUnit` for one without decimals defined.
    pub fn of(code: &str) -> Result<Self, DocumentError> {
        let unknown = || DocumentError::UnknownCurrency { currency: Excerpt::of(code) };
        let exponent = listed(&ACTIVE, code).or_else(|| listed(&WITHDRAWN, code)).ok_or_else(unknown)?;
        let exponent = exponent.ok_or_else(|| DocumentError::NoMinorUnit { currency: code.to_owned() })?;
        Ok(Self { currency: code.parse().map_err(|_| unknown())?, exponent })
    }

    /// Reads a decimal such as `-0012.50` as minor units. Surrounding white space must be gone already.
    ///
    /// # Errors
    /// `InvalidAmount` for anything but an optional sign, digits and one point; `TooManyDecimals`; `AmountOverflow`.
    pub fn minor_units(self, field: Field, written: &str) -> Result<i128, DocumentError> {
        let invalid = || DocumentError::InvalidAmount { field, value: Excerpt::of(written) };
        let (negative, unsigned) = match written.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, written.strip_prefix('+').unwrap_or(written)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return Err(invalid());
        }
        let fraction = fraction.trim_end_matches('0');
        let exponent = usize::from(self.exponent);
        if fraction.len() > exponent {
            return Err(DocumentError::TooManyDecimals {
                field,
                value: Excerpt::of(written),
                currency: self.currency.to_string(),
                exponent: self.exponent,
            });
        }
        let padding = std::iter::repeat_n(b'0', exponent - fraction.len());
        accumulate(whole.bytes().chain(fraction.bytes()).chain(padding), negative)
            .ok_or(DocumentError::AmountOverflow { field })
    }
}

/// The number that decimal `digits` write, or nothing if it exceeds 128 bits. Built on the negative side, which
/// reaches further.
fn accumulate(digits: impl Iterator<Item = u8>, negative: bool) -> Option<i128> {
    let below_zero = digits
        .map(|digit| i128::from(digit - b'0'))
        .try_fold(0i128, |sum, digit| sum.checked_mul(10)?.checked_sub(digit))?;
    if negative { Some(below_zero) } else { below_zero.checked_neg() }
}

/// The entry of a table sorted by code.
fn listed(table: &[(&str, Option<u8>)], code: &str) -> Option<Option<u8>> {
    table.binary_search_by_key(&code, |entry| entry.0).ok().map(|index| table[index].1)
}

/// Codes in force with their decimals; none where ISO 4217 says that a minor unit doesn't apply.
#[rustfmt::skip]
static ACTIVE: [(&str, Option<u8>); 178] = [
    ("AED", Some(2)), ("AFN", Some(2)), ("ALL", Some(2)), ("AMD", Some(2)), ("AOA", Some(2)), ("ARS", Some(2)),
    ("AUD", Some(2)), ("AWG", Some(2)), ("AZN", Some(2)), ("BAM", Some(2)), ("BBD", Some(2)), ("BDT", Some(2)),
    ("BHD", Some(3)), ("BIF", Some(0)), ("BMD", Some(2)), ("BND", Some(2)), ("BOB", Some(2)), ("BOV", Some(2)),
    ("BRL", Some(2)), ("BSD", Some(2)), ("BTN", Some(2)), ("BWP", Some(2)), ("BYN", Some(2)), ("BZD", Some(2)),
    ("CAD", Some(2)), ("CDF", Some(2)), ("CHE", Some(2)), ("CHF", Some(2)), ("CHW", Some(2)), ("CLF", Some(4)),
    ("CLP", Some(0)), ("CNY", Some(2)), ("COP", Some(2)), ("COU", Some(2)), ("CRC", Some(2)), ("CUP", Some(2)),
    ("CVE", Some(2)), ("CZK", Some(2)), ("DJF", Some(0)), ("DKK", Some(2)), ("DOP", Some(2)), ("DZD", Some(2)),
    ("EGP", Some(2)), ("ERN", Some(2)), ("ETB", Some(2)), ("EUR", Some(2)), ("FJD", Some(2)), ("FKP", Some(2)),
    ("GBP", Some(2)), ("GEL", Some(2)), ("GHS", Some(2)), ("GIP", Some(2)), ("GMD", Some(2)), ("GNF", Some(0)),
    ("GTQ", Some(2)), ("GYD", Some(2)), ("HKD", Some(2)), ("HNL", Some(2)), ("HTG", Some(2)), ("HUF", Some(2)),
    ("IDR", Some(2)), ("ILS", Some(2)), ("INR", Some(2)), ("IQD", Some(3)), ("IRR", Some(2)), ("ISK", Some(0)),
    ("JMD", Some(2)), ("JOD", Some(3)), ("JPY", Some(0)), ("KES", Some(2)), ("KGS", Some(2)), ("KHR", Some(2)),
    ("KMF", Some(0)), ("KPW", Some(2)), ("KRW", Some(0)), ("KWD", Some(3)), ("KYD", Some(2)), ("KZT", Some(2)),
    ("LAK", Some(2)), ("LBP", Some(2)), ("LKR", Some(2)), ("LRD", Some(2)), ("LSL", Some(2)), ("LYD", Some(3)),
    ("MAD", Some(2)), ("MDL", Some(2)), ("MGA", Some(2)), ("MKD", Some(2)), ("MMK", Some(2)), ("MNT", Some(2)),
    ("MOP", Some(2)), ("MRU", Some(2)), ("MUR", Some(2)), ("MVR", Some(2)), ("MWK", Some(2)), ("MXN", Some(2)),
    ("MXV", Some(2)), ("MYR", Some(2)), ("MZN", Some(2)), ("NAD", Some(2)), ("NGN", Some(2)), ("NIO", Some(2)),
    ("NOK", Some(2)), ("NPR", Some(2)), ("NZD", Some(2)), ("OMR", Some(3)), ("PAB", Some(2)), ("PEN", Some(2)),
    ("PGK", Some(2)), ("PHP", Some(2)), ("PKR", Some(2)), ("PLN", Some(2)), ("PYG", Some(0)), ("QAR", Some(2)),
    ("RON", Some(2)), ("RSD", Some(2)), ("RUB", Some(2)), ("RWF", Some(0)), ("SAR", Some(2)), ("SBD", Some(2)),
    ("SCR", Some(2)), ("SDG", Some(2)), ("SEK", Some(2)), ("SGD", Some(2)), ("SHP", Some(2)), ("SLE", Some(2)),
    ("SOS", Some(2)), ("SRD", Some(2)), ("SSP", Some(2)), ("STN", Some(2)), ("SVC", Some(2)), ("SYP", Some(2)),
    ("SZL", Some(2)), ("THB", Some(2)), ("TJS", Some(2)), ("TMT", Some(2)), ("TND", Some(3)), ("TOP", Some(2)),
    ("TRY", Some(2)), ("TTD", Some(2)), ("TWD", Some(2)), ("TZS", Some(2)), ("UAH", Some(2)), ("UGX", Some(0)),
    ("USD", Some(2)), ("USN", Some(2)), ("UYI", Some(0)), ("UYU", Some(2)), ("UYW", Some(4)), ("UZS", Some(2)),
    ("VED", Some(2)), ("VES", Some(2)), ("VND", Some(0)), ("VUV", Some(0)), ("WST", Some(2)), ("XAD", Some(2)),
    ("XAF", Some(0)), ("XAG", None), ("XAU", None), ("XBA", None), ("XBB", None), ("XBC", None), ("XBD", None),
    ("XCD", Some(2)), ("XCG", Some(2)), ("XDR", None), ("XOF", Some(0)), ("XPD", None), ("XPF", Some(0)),
    ("XPT", None), ("XSU", None), ("XTS", None), ("XUA", None), ("XXX", None), ("YER", Some(2)), ("ZAR", Some(2)),
    ("ZMW", Some(2)), ("ZWG", Some(2)),
];

/// Withdrawn codes. Decimals, as last published, stand only where a code was in use since 2006, when the first of the
/// syntaxes read here appeared: no older amount can occur in them.
#[rustfmt::skip]
static WITHDRAWN: [(&str, Option<u8>); 129] = [
    ("ADP", None), ("AFA", None), ("ALK", None), ("ANG", Some(2)), ("AOK", None), ("AON", None), ("AOR", None),
    ("ARA", None), ("ARP", None), ("ARY", None), ("ATS", None), ("AYM", None), ("AZM", None), ("BAD", None),
    ("BEC", None), ("BEF", None), ("BEL", None), ("BGJ", None), ("BGK", None), ("BGL", None), ("BGN", Some(2)),
    ("BOP", None), ("BRB", None), ("BRC", None), ("BRE", None), ("BRN", None), ("BRR", None), ("BUK", None),
    ("BYB", None), ("BYR", Some(0)), ("CHC", None), ("CSD", Some(2)), ("CSJ", None), ("CSK", None), ("CUC", Some(2)),
    ("CYP", Some(2)), ("DDM", None), ("DEM", None), ("ECS", None), ("ECV", None), ("EEK", Some(2)), ("ESA", None),
    ("ESB", None), ("ESP", None), ("FIM", None), ("FRF", None), ("GEK", None), ("GHC", Some(2)), ("GHP", Some(2)),
    ("GNE", None), ("GNS", None), ("GQE", None), ("GRD", None), ("GWE", None), ("GWP", None), ("HRD", None),
    ("HRK", Some(2)), ("IEP", None), ("ILP", None), ("ILR", None), ("ISJ", None), ("ITL", None), ("LAJ", None),
    ("LSM", None), ("LTL", Some(2)), ("LTT", None), ("LUC", None), ("LUF", None), ("LUL", None), ("LVL", Some(2)),
    ("LVR", None), ("MGF", None), ("MLF", None), ("MRO", Some(2)), ("MTL", Some(2)), ("MTP", None), ("MVQ", None),
    ("MXP", None), ("MZE", None), ("MZM", Some(2)), ("NIC", None), ("NLG", None), ("PEH", None), ("PEI", None),
    ("PES", None), ("PLZ", None), ("PTE", None), ("RHD", None), ("ROK", None), ("ROL", None), ("RUR", None),
    ("SDD", Some(2)), ("SDP", None), ("SIT", Some(2)), ("SKK", Some(2)), ("SLL", Some(2)), ("SRG", None),
    ("STD", Some(2)), ("SUR", None), ("TJR", None), ("TMM", Some(2)), ("TPE", None), ("TRL", None), ("UAK", None),
    ("UGS", None), ("UGW", None), ("USS", Some(2)), ("UYN", None), ("UYP", None), ("VEB", Some(2)), ("VEF", Some(2)),
    ("VNC", None), ("XEU", None), ("XFO", None), ("XFU", None), ("XRE", None), ("YDD", None), ("YUD", None),
    ("YUM", None), ("YUN", None), ("ZAL", None), ("ZMK", Some(2)), ("ZRN", None), ("ZRZ", None), ("ZWC", None),
    ("ZWD", Some(2)), ("ZWL", Some(2)), ("ZWN", Some(2)), ("ZWR", Some(2)),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(code: &str, written: &str) -> Result<i128, &'static str> {
        let denomination = Denomination::of(code).expect("listed");
        denomination.minor_units(Field::Payable, written).map_err(|error| error.code())
    }

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in
            [("JPY", 0), ("CNY", 2), ("EUR", 2), ("BHD", 3), ("KWD", 3), ("CLF", 4), ("HRK", 2), ("BYR", 0)]
        {
            assert_eq!(Denomination::of(code).map(|found| found.exponent), Ok(exponent), "{code}");
        }
    }

    #[test]
    fn both_tables_are_sorted_and_share_no_code() {
        assert!(ACTIVE.is_sorted_by(|left, right| left.0 < right.0));
        assert!(WITHDRAWN.is_sorted_by(|left, right| left.0 < right.0));
        assert!(WITHDRAWN.iter().all(|entry| listed(&ACTIVE, entry.0).is_none()));
    }

    #[test]
    fn a_code_outside_of_iso_4217_is_refused_by_name() {
        for code in ["RMB", "eur", "EURO", "", "€", "E\u{1b}[2J"] {
            assert_eq!(Denomination::of(code).map_err(|error| error.code()), Err("unknown_currency"), "{code}");
        }
        assert!(Denomination::of("RMB").expect_err("unlisted").to_string().contains("RMB"));
        assert!(!Denomination::of("E\u{1b}[2J").expect_err("unlisted").to_string().contains('\u{1b}'));
    }

    #[test]
    fn gold_test_codes_and_long_gone_currencies_have_no_minor_unit() {
        for code in ["XAU", "XTS", "XDR", "DEM"] {
            assert_eq!(Denomination::of(code).map_err(|error| error.code()), Err("no_minor_unit"), "{code}");
        }
    }

    #[test]
    fn written_forms_of_one_amount_are_one_amount() {
        for written in ["12.5", "12.50", "+12.50", "0012.5000", "12.500000000000000000000000000000000000000000000"] {
            assert_eq!(minor("EUR", written), Ok(1250), "{written}");
        }
        assert_eq!(minor("EUR", ".5"), Ok(50));
        assert_eq!(minor("EUR", "5."), Ok(500));
        assert_eq!(minor("EUR", "-0.00"), Ok(0));
        assert_eq!(minor("EUR", "-100.01"), Ok(-10_001));
        assert_eq!(minor("JPY", "1000001.000"), Ok(1_000_001));
        assert_eq!(minor("BHD", "5000.123"), Ok(5_000_123));
    }

    #[test]
    fn a_finer_amount_than_the_currency_is_refused_unless_zero() {
        assert_eq!(minor("EUR", "1.001"), Err("too_many_decimals"));
        assert_eq!(minor("JPY", "1.5"), Err("too_many_decimals"));
        assert_eq!(minor("JPY", "1.0"), Ok(1));
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        for written in [
            "", "+", "-", ".", "1,50", "1.234,50", "1 000", "1e3", "0x10", "--1", "+-1", "1.2.3", "NaN", "٣", "1-",
            "１",
        ] {
            assert_eq!(minor("EUR", written), Err("invalid_amount"), "{written}");
        }
    }

    #[test]
    fn amounts_reach_exactly_to_the_bounds_of_128_bits() {
        assert_eq!(minor("JPY", &i128::MAX.to_string()), Ok(i128::MAX));
        assert_eq!(minor("JPY", &i128::MIN.to_string()), Ok(i128::MIN));
        assert_eq!(minor("JPY", "170141183460469231731687303715884105728"), Err("amount_overflow"));
        assert_eq!(minor("JPY", "-170141183460469231731687303715884105729"), Err("amount_overflow"));
        assert_eq!(minor("EUR", &i128::MAX.to_string()), Err("amount_overflow"));
        assert_eq!(minor("EUR", &format!("{}1", "0".repeat(100))), Ok(100));
    }
}
