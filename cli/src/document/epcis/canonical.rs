//! Values as the event hash writes them (CBV 2.0, section 8.9): words in full, numbers without needless digits, times
//! in UTC to the millisecond, GS1 ids as digital links.

use super::link;

/// Vocabulary of EPCIS 1.x and what replaced it.
const WORDS: [(&str, &str); 5] = [
    ("urn:epcglobal:cbv:bizstep:", "https://ref.gs1.org/cbv/BizStep-"),
    ("urn:epcglobal:cbv:disp:", "https://ref.gs1.org/cbv/Disp-"),
    ("urn:epcglobal:cbv:btt:", "https://ref.gs1.org/cbv/BTT-"),
    ("urn:epcglobal:cbv:sdt:", "https://ref.gs1.org/cbv/SDT-"),
    ("urn:epcglobal:cbv:er:", "https://ref.gs1.org/cbv/ER-"),
];

/// Prefixes that the standard itself declares.
const PREFIXES: [(&str, &str); 3] =
    [("gs1:", "https://gs1.org/voc/"), ("cbv:", "https://ref.gs1.org/cbv/"), ("epcis:", "https://ref.gs1.org/epcis/")];

/// The canonical form of a value that is no time.
pub fn value(text: &str) -> String {
    let mut text = text.to_owned();
    for (prefix, space) in PREFIXES {
        if let Some(rest) = text.strip_prefix(prefix) {
            text = format!("{space}{rest}");
        }
    }
    for (old, new) in WORDS {
        if text.contains(old) {
            text = text.replace(old, new);
        }
    }
    let text = number(&text).unwrap_or(text);
    link::canonical(&text).unwrap_or(text)
}

/// A number as the algorithm's reference writes it, which reads it as a binary float of 64 bits: `26.0` is `26`, and
/// 24 digits lose their last ones. No money passes here.
fn number(text: &str) -> Option<String> {
    let first = text.bytes().find(|byte| !b"+-".contains(byte))?;
    if !(first.is_ascii_digit() || first == b'.') {
        return None;
    }
    let read: f64 = grouped(text)?.parse().ok()?;
    if !read.is_finite() {
        return None;
    }
    if read.trunc() == read {
        let whole = format!("{read:.0}");
        return Some(if whole == "-0" { "0".to_owned() } else { whole });
    }
    // The shortest digits that give the float again; below 0.0001 with an exponent of two digits.
    if read.abs() >= 0.0001 {
        return Some(format!("{read}"));
    }
    let shown = format!("{read:e}");
    let (digits, exponent) = shown.split_once("e-")?;
    Some(format!("{digits}e-{exponent:0>2}"))
}

/// The text without single underscores between digits, which the reference takes for grouping.
fn grouped(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    for (place, byte) in bytes.iter().enumerate() {
        let digit = |place: Option<usize>| place.and_then(|place| bytes.get(place)).is_some_and(u8::is_ascii_digit);
        if *byte == b'_' && !(digit(place.checked_sub(1)) && digit(Some(place + 1))) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

/// A time with zone, such as `2023-02-02T12:04:03.1415+01:00`, in UTC to the millisecond, half a millisecond rounded up;
/// nothing for anything else.
pub fn time(text: &str) -> Option<String> {
    let (day, rest) = text.split_at_checked(10)?;
    let day: portolan_primitives::BusinessDate = day.parse().ok()?;
    let rest = rest.strip_prefix(['T', 't'])?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    let (seconds, fraction) = match clock.split_once('.') {
        Some((seconds, fraction)) if !fraction.is_empty() => (seconds, fraction),
        Some(_) => return None,
        None => (clock, ""),
    };
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let [hour, minute, second] = fields(seconds)?;
    if !fraction.is_empty() && seconds.len() < 8 {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let written: String = fraction.chars().chain("0000".chars()).take(4).collect();
    let tenths: i64 = written.parse().ok()?;
    let milliseconds = (tenths + 5) / 10;
    let at = (hour * 3_600 + minute * 60 + second - offset(zone)? * 60) * 1_000 + milliseconds;
    let days = days_of(&day.to_string())? + at.div_euclid(86_400_000);
    let at = at.rem_euclid(86_400_000);
    let (hour, minute) = (at / 3_600_000, at / 60_000 % 60);
    Some(format!("{}T{hour:02}:{minute:02}:{:02}.{:03}Z", date_of(days), at / 1_000 % 60, at % 1_000))
}

/// `12:04:03` or `12:04` as three numbers, of two digits each.
fn fields(clock: &str) -> Option<[i64; 3]> {
    let parts: Vec<i64> = clock.split(':').map(two_digits).collect::<Option<_>>()?;
    match parts[..] {
        [hour, minute, second] => Some([hour, minute, second]),
        [hour, minute] => Some([hour, minute, 0]),
        _ => None,
    }
}

fn two_digits(text: &str) -> Option<i64> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The minutes that a zone is ahead of UTC: `Z`, or `+01:00` with at most fourteen hours.
pub fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let ahead = hours * 60 + minutes;
    (minutes < 60 && ahead <= 14 * 60).then_some(sign * ahead)
}

/// Days since 1970-01-01 in the Gregorian calendar. Years run from March, so that a leap day is the last of its year.
fn days_of(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let year = year - i64::from(month <= 2);
    let month = (month + 9) % 12;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// The date of a day since 1970-01-01; the inverse of [`days_of`].
fn date_of(days: i64) -> String {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_needless_digits() {
        for (written, expected) in [
            ("26.0", "26"),
            ("0.3434000", "0.3434"),
            ("007", "7"),
            ("+5", "5"),
            ("-0.0", "0"),
            (".5", "0.5"),
            ("1e3", "1000"),
            ("0.00001", "1e-05"),
            ("0.00012", "0.00012"),
            ("1_000", "1000"),
            ("111100001111000011110000", "111100001111000003641344"),
        ] {
            assert_eq!(value(written), expected, "{written}");
        }
        for text in ["nan", "inf", "1e999", "1__0", "_1", "1_", "LOT7", "+", "-", "1,5", "0x10", "2019-10-21"] {
            assert_eq!(value(text), text);
        }
    }

    #[test]
    fn words_are_written_in_full() {
        for (written, expected) in [
            ("urn:epcglobal:cbv:bizstep:receiving", "https://ref.gs1.org/cbv/BizStep-receiving"),
            ("urn:epcglobal:cbv:bt:4012345123456:RE1099", "urn:epcglobal:cbv:bt:4012345123456:RE1099"),
            ("cbv:Comp-latitude", "https://ref.gs1.org/cbv/Comp-latitude"),
            ("gs1:Temperature", "https://gs1.org/voc/Temperature"),
        ] {
            assert_eq!(value(written), expected);
        }
    }

    #[test]
    fn times_are_in_utc_to_the_millisecond() {
        for (written, expected) in [
            ("2023-02-02T11:04:03.1415Z", "2023-02-02T11:04:03.142Z"),
            ("2023-02-02T11:04:03.1425Z", "2023-02-02T11:04:03.143Z"),
            ("2023-02-02T11:04:03.14149999Z", "2023-02-02T11:04:03.141Z"),
            ("2023-12-31T23:59:59.9995Z", "2024-01-01T00:00:00.000Z"),
            ("2020-03-01T00:30:00+01:00", "2020-02-29T23:30:00.000Z"),
            ("2019-12-31T20:00:00-06:00", "2020-01-01T02:00:00.000Z"),
            ("1969-12-31T23:00:00.5-00:30", "1969-12-31T23:30:00.500Z"),
            ("2020-01-14T23:00Z", "2020-01-14T23:00:00.000Z"),
            ("2005-04-03T20:33:31.116000-06:00", "2005-04-04T02:33:31.116Z"),
        ] {
            assert_eq!(time(written).as_deref(), Some(expected), "{written}");
        }
        for text in [
            "22-07-2026",
            "2023-02-30T00:00:00Z",
            "2023-02-02",
            "2023-02-02T11:04:03",
            "2023-02-02T11:04.5Z",
            "2023-02-02T11Z",
            "2023-02-02T24:00:00Z",
            "2023-02-02T11:60:00Z",
            "2023-02-02T11:04:03.Z",
            "2023-02-02T11:04:03+1:00",
            "2023-02-02T11:04:03+14:01",
            "2023-02-02T11:04:03+0100",
            "2023-02-02T11:04:03.1x1Z",
            "ä023-02-02T11:04:03Z",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
