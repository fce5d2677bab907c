//! Calendar days as UBL and CII write them. A time of day or a zone behind the day is passed over: the day counts as
//! its issuer wrote it.

use portolan_primitives::BusinessDate;

use super::error::{DocumentError, Excerpt, Field};

/// Reads `YYYY-MM-DD`, with or without a time (`T10:30:00`) and a zone (`Z`, `+01:00`) behind it.
///
/// # Errors
/// `InvalidDate`.
pub fn iso(field: Field, written: &str) -> Result<BusinessDate, DocumentError> {
    let invalid = || DocumentError::InvalidDate { field, value: Excerpt::of(written) };
    let (day, rest) = written.split_at_checked(10).ok_or_else(invalid)?;
    let zone_or_time = match rest.as_bytes() {
        [] | [b'Z'] => true,
        [b'T', time @ ..] => {
            !time.is_empty() && time.iter().all(|byte| byte.is_ascii_digit() || b":.,+-Z".contains(byte))
        }
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    if !zone_or_time {
        return Err(invalid());
    }
    day.parse().map_err(|_| invalid())
}

/// Reads a CII date in the format that its qualifier of UNTDID 2379 names: 102 is `YYYYMMDD`; 203, 204, 205, 208, 303
/// and 304 add a time; 4 is `DDMMYYYY`. Without qualifier, or where ISO form was written in spite of it, the form
/// itself decides.
///
/// # Errors
/// `UnsupportedDateFormat` for weeks, months, periods and years of two digits; `InvalidDate`.
pub fn qualified(field: Field, format: Option<&str>, written: &str) -> Result<BusinessDate, DocumentError> {
    if written.as_bytes().get(4) == Some(&b'-') {
        return iso(field, written);
    }
    let invalid = || DocumentError::InvalidDate { field, value: Excerpt::of(written) };
    match format.unwrap_or("102") {
        "102" | "" => compact(written, [0, 4, 6]).ok_or_else(invalid),
        "203" | "204" | "205" | "208" | "303" | "304" => {
            let (day, time) = written.split_at_checked(8).ok_or_else(invalid)?;
            match time.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":+-".contains(&byte)) {
                true => compact(day, [0, 4, 6]).ok_or_else(invalid),
                false => Err(invalid()),
            }
        }
        "4" => compact(written, [4, 2, 0]).ok_or_else(invalid),
        other => Err(DocumentError::UnsupportedDateFormat { field, format: Excerpt::of(other) }),
    }
}

/// The date of eight digits of which year, month and day begin at the given places.
fn compact(written: &str, [year, month, day]: [usize; 3]) -> Option<BusinessDate> {
    if written.len() != 8 || !written.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, length: usize| written.get(from..from + length)?.parse::<u32>().ok();
    let year = i32::try_from(number(year, 4)?).ok()?;
    BusinessDate::from_civil(year, number(month, 2)?, number(day, 2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(written: &str) -> BusinessDate {
        written.parse().expect("a date")
    }

    #[test]
    fn the_day_counts_as_its_issuer_wrote_it() {
        for written in [
            "2024-02-29",
            "2024-02-29Z",
            "2024-02-29+14:00",
            "2024-02-29-11:30",
            "2024-02-29T23:59:59",
            "2024-02-29T00:00:00.000+05:30",
        ] {
            assert_eq!(iso(Field::IssueDate, written), Ok(day("2024-02-29")), "{written}");
        }
    }

    #[test]
    fn a_day_that_does_not_exist_is_refused() {
        for written in [
            "2023-02-29",
            "2024-13-01",
            "2024-1-1",
            "24-01-01",
            "29.02.2024",
            "2024-02-29 ",
            "2024-02-29x",
            "2024-02-29T",
            "",
            "二〇二四",
        ] {
            assert_eq!(iso(Field::DueDate, written).map_err(|error| error.code()), Err("invalid_date"), "{written}");
        }
        for written in ["20230229", "2024022", "202402290", "2024022x", "", "+2024022", "２０２４"] {
            let read = qualified(Field::DueDate, Some("102"), written);
            assert_eq!(read.map_err(|error| error.code()), Err("invalid_date"), "{written}");
        }
    }

    #[test]
    fn each_qualifier_is_read_in_its_own_order() {
        for (format, written) in [
            (Some("102"), "20240229"),
            (None, "20240229"),
            (Some("203"), "202402292359"),
            (Some("204"), "20240229235959"),
            (Some("205"), "202402292359+0100"),
            (Some("304"), "20240229235959UTC"),
            (Some("4"), "29022024"),
            (Some("102"), "2024-02-29"),
        ] {
            assert_eq!(qualified(Field::IssueDate, format, written), Ok(day("2024-02-29")), "{format:?}");
        }
    }

    #[test]
    fn a_format_that_names_no_single_day_is_refused_by_name() {
        for (format, written) in [("101", "240229"), ("610", "202402"), ("616", "202409"), ("718", "2024022920240301")]
        {
            let error = qualified(Field::IssueDate, Some(format), written).expect_err("no single day");
            assert_eq!(error.code(), "unsupported_date_format");
            assert!(error.to_string().contains(format));
        }
    }
}
