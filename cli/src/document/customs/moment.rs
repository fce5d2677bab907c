//! Points in time as the WCO data model writes them: digits with a format code of UNTDID 2379, shown as ISO 8601.

use portolan_primitives::BusinessDate;

use super::super::date;
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::tree::{Node, not_placeholder};

/// The time in the element: its `DateTimeString`, or its own text.
///
/// # Errors
/// `InvalidDate`, `UnsupportedDateFormat`, `Template`.
pub fn read(node: &Node, field: Field) -> Result<Option<String>, DocumentError> {
    let holder = node.at(&["DateTimeString"]).unwrap_or(node);
    let Some(written) = holder.text()? else { return Ok(None) };
    not_placeholder(field, &written)?;
    let format = holder.attribute("formatCode");
    iso(field, &written, format).map(Some)
}

/// The day of a time that [`read`] gave.
pub fn day(moment: &str) -> Option<BusinessDate> {
    moment.get(..10)?.parse().ok()
}

/// 102 is `YYYYMMDD`, 203 adds hours and minutes, 204 seconds and 304 a zone as well. Without a code, or where ISO form
/// was written, the form itself decides.
fn iso(field: Field, written: &str, format: Option<&str>) -> Result<String, DocumentError> {
    if written.contains('T') || written.as_bytes().get(4) == Some(&b'-') {
        date::iso(field, written)?;
        return Ok(written.to_owned());
    }
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    let (number, zone) = written.split_at(digits);
    let invalid = || DocumentError::InvalidDate { field, value: Excerpt::of(written) };
    let expected = match format {
        None => digits,
        Some("102") => 8,
        Some("203") => 12,
        Some("204" | "304") => 14,
        Some(other) => return Err(DocumentError::UnsupportedDateFormat { field, format: Excerpt::of(other) }),
    };
    if digits != expected || !matches!(digits, 8 | 12 | 14) {
        return Err(invalid());
    }
    let day = format!("{}-{}-{}", &number[..4], &number[4..6], &number[6..8]);
    day.parse::<BusinessDate>().map_err(|_| invalid())?;
    if digits == 8 {
        return if zone.is_empty() { Ok(day) } else { Err(invalid()) };
    }
    let (hour, minute) = (&number[8..10], &number[10..12]);
    let second = number.get(12..14).unwrap_or("00");
    if hour > "23" || minute > "59" || second > "59" {
        return Err(invalid());
    }
    let zone = zone_of(zone).ok_or_else(invalid)?;
    Ok(format!("{day}T{hour}:{minute}:{second}{zone}"))
}

/// `Z`, `+01`, `+0100` or `+01:00` as ISO 8601 writes a zone.
fn zone_of(written: &str) -> Option<String> {
    let (sign, rest) = match written.as_bytes() {
        [] => return Some(String::new()),
        [b'Z'] => return Some("Z".to_owned()),
        [b'+', ..] => ('+', &written[1..]),
        [b'-', ..] => ('-', &written[1..]),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|character| *character != ':').collect();
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits.len(), rest.len()) {
        (true, 2, 2) => Some(format!("{sign}{digits}:00")),
        (true, 4, 4) => Some(format!("{sign}{}:{}", &digits[..2], &digits[2..])),
        (true, 4, 5) if rest.as_bytes()[2] == b':' => Some(format!("{sign}{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(written: &str, format: Option<&str>) -> Result<String, &'static str> {
        iso(Field::Named("issue time"), written, format).map_err(|error| error.code())
    }

    #[test]
    fn times_in_digits_are_shown_in_iso_form_with_their_zone() {
        for (written, format, expected) in [
            ("20240125094643Z", Some("304"), "2024-01-25T09:46:43Z"),
            ("20240125094643+01", Some("304"), "2024-01-25T09:46:43+01:00"),
            ("20240125094643+0130", Some("304"), "2024-01-25T09:46:43+01:30"),
            ("20240125094643-01:30", Some("304"), "2024-01-25T09:46:43-01:30"),
            ("20240125094643", Some("204"), "2024-01-25T09:46:43"),
            ("202401250946", Some("203"), "2024-01-25T09:46:00"),
            ("20240229", Some("102"), "2024-02-29"),
            ("20240229", None, "2024-02-29"),
            ("2024-01-25T09:46:43.5Z", Some("304"), "2024-01-25T09:46:43.5Z"),
        ] {
            assert_eq!(read(written, format).as_deref(), Ok(expected), "{written}");
        }
    }

    #[test]
    fn times_that_do_not_exist_or_have_another_format_are_refused() {
        for (written, format, code) in [
            ("20230229", Some("102"), "invalid_date"),
            ("20240125094643", Some("102"), "invalid_date"),
            ("20240125", Some("304"), "invalid_date"),
            ("20240125244643Z", Some("304"), "invalid_date"),
            ("20240125096043Z", Some("304"), "invalid_date"),
            ("20240125094660Z", Some("304"), "invalid_date"),
            ("20240125094643+1", Some("304"), "invalid_date"),
            ("20240125094643+01:0", Some("304"), "invalid_date"),
            ("20240125094643 GMT", Some("304"), "invalid_date"),
            ("20240125Z", None, "invalid_date"),
            ("2024-02-30T00:00:00Z", Some("304"), "invalid_date"),
            ("today", Some("304"), "invalid_date"),
            ("202401", Some("610"), "unsupported_date_format"),
        ] {
            assert_eq!(read(written, format), Err(code), "{written}");
        }
    }
}
