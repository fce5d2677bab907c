//! Members of a JSON document, by what its kind expects of them: texts, days, moments, counts, decimals, measures, lists.
//!
//! Must never take a value of another type for an absent one: a list where a text belongs is refused, and so is a
//! number where a reference belongs. What the kind requires is refused when it is a placeholder; elsewhere the parent
//! warns of it.

use portolan_primitives::BusinessDate;

use super::currency::Denomination;
use super::date;
use super::envelope::{Fact, Money, Record};
use super::error::{DocumentError, Excerpt, Field};
use super::json::{Json, Shape};
use super::placeholder::stands_for;

/// A fact's name with the way to it.
pub type Ways<'a> = [(&'static str, &'a [&'a str])];

/// The member at the path, if it is an object.
///
/// # Errors
/// `InvalidField` for anything else but `null`.
pub fn object<'a>(json: &'a Json, name: &str, field: &'static str) -> Result<Option<&'a Json>, DocumentError> {
    match json.get(name) {
        Some(found) if !matches!(found.shape, Shape::Object(_)) => Err(wrong(found, field, "it is an object")),
        found => Ok(found),
    }
}

/// The object of that name, which the kind requires.
///
/// # Errors
/// `MissingField`; as [`object`].
pub fn required_object<'a>(json: &'a Json, name: &str, field: &'static str) -> Result<&'a Json, DocumentError> {
    object(json, name, field)?.ok_or_else(|| missing(field))
}

/// The items of the list of that name; none if it is absent.
///
/// # Errors
/// `InvalidField` if it is no list, or holds something else than objects.
pub fn objects<'a>(json: &'a Json, name: &str, field: &'static str) -> Result<&'a [Json], DocumentError> {
    let Some(found) = json.get(name) else { return Ok(&[]) };
    let Shape::List(items) = &found.shape else { return Err(wrong(found, field, "it is a list")) };
    match items.iter().find(|item| !matches!(item.shape, Shape::Object(_))) {
        Some(item) => Err(wrong(item, field, "it is a list of objects")),
        None => Ok(items),
    }
}

/// The items of a list that the kind requires and that may not be empty.
///
/// # Errors
/// `MissingField`; as [`objects`].
pub fn required_objects<'a>(json: &'a Json, name: &str, field: &'static str) -> Result<&'a [Json], DocumentError> {
    let items = objects(json, name, field)?;
    if items.is_empty() { Err(missing(field)) } else { Ok(items) }
}

/// The text, or the number or flag as written.
///
/// # Errors
/// `InvalidField` for a list or an object, `LimitExceeded`.
pub fn text(json: &Json, path: &[&str], field: &'static str) -> Result<Option<String>, DocumentError> {
    match json.at(path) {
        Some(found) if matches!(found.shape, Shape::List(_) | Shape::Object(_)) => {
            Err(wrong(found, field, "it is a text"))
        }
        _ => json.value(path),
    }
}

/// A text that the kind requires, although some versions of it do without: it may be absent, and is nothing else than a
/// text that was filled in.
///
/// # Errors
/// `Template`, `InvalidField`, `LimitExceeded`.
pub fn needed(json: &Json, path: &[&str], field: &'static str) -> Result<Option<String>, DocumentError> {
    let Some(found) = json.at(path) else { return Ok(None) };
    if !matches!(found.shape, Shape::Text(_)) {
        return Err(wrong(found, field, "it is a text in quotes"));
    }
    let text = found.text()?;
    if let Some(text) = &text {
        filled_in(path.last().copied().unwrap_or_default(), text, field)?;
    }
    Ok(text)
}

/// A text without which the document is none of its kind.
///
/// # Errors
/// `MissingField`; as [`needed`].
pub fn required(json: &Json, path: &[&str], field: &'static str) -> Result<String, DocumentError> {
    needed(json, path, field)?.ok_or_else(|| missing(field))
}

/// One of several words, which the kind requires.
///
/// # Errors
/// `InvalidField` for another word, with `reason`; as [`required`].
pub fn code(
    json: &Json,
    path: &[&str],
    field: &'static str,
    words: &[&str],
    reason: &'static str,
) -> Result<String, DocumentError> {
    let found = required(json, path, field)?;
    if words.contains(&found.as_str()) {
        return Ok(found);
    }
    Err(DocumentError::InvalidField { field: Field::Named(field), value: Excerpt::of(&found), reason })
}

/// `true` or `false`.
///
/// # Errors
/// `InvalidField` for anything else.
pub fn flag(json: &Json, path: &[&str], field: &'static str) -> Result<Option<bool>, DocumentError> {
    let Some(found) = json.at(path) else { return Ok(None) };
    let Shape::Flag(flag) = found.shape else { return Err(wrong(found, field, "it is true or false, without quotes")) };
    found.text()?;
    Ok(Some(flag))
}

/// A flag that the kind requires.
///
/// # Errors
/// `MissingField`; as [`flag`].
pub fn required_flag(json: &Json, path: &[&str], field: &'static str) -> Result<bool, DocumentError> {
    flag(json, path, field)?.ok_or_else(|| missing(field))
}

/// A day, with or without a time behind it.
///
/// # Errors
/// `InvalidDate`, `Template`.
pub fn day(json: &Json, path: &[&str], field: &'static str) -> Result<Option<BusinessDate>, DocumentError> {
    let Some(written) = needed(json, path, field)? else { return Ok(None) };
    date::iso(Field::Named(field), &written).map(Some)
}

/// A day and a time, as written and as a number that orders moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// As written, or in ISO 8601 where a number of milliseconds stood.
    pub written: String,
    /// Nanoseconds since 1970-01-01T00:00Z. A moment without a zone counts as UTC.
    pub order: i128,
}

/// A moment in ISO 8601, or as milliseconds since 1970.
///
/// # Errors
/// `InvalidDate`, `Template`, `InvalidField`.
pub fn moment(json: &Json, path: &[&str], field: &'static str) -> Result<Option<Moment>, DocumentError> {
    let Some(found) = json.at(path) else { return Ok(None) };
    if let Shape::Number(written) = &found.shape {
        found.text()?;
        let invalid = || DocumentError::InvalidDate { field: Field::Named(field), value: Excerpt::of(written) };
        let milliseconds: u64 = written.parse().map_err(|_| invalid())?;
        return of_milliseconds(milliseconds).ok_or_else(invalid).map(Some);
    }
    let Some(written) = needed(json, path, field)? else { return Ok(None) };
    let order = order(&written)
        .ok_or_else(|| DocumentError::InvalidDate { field: Field::Named(field), value: Excerpt::of(&written) })?;
    Ok(Some(Moment { written, order }))
}

/// A moment that the kind requires.
///
/// # Errors
/// `MissingField`; as [`moment`].
pub fn required_moment(json: &Json, path: &[&str], field: &'static str) -> Result<Moment, DocumentError> {
    moment(json, path, field)?.ok_or_else(|| missing(field))
}

const DAY: i128 = 86_400;
const SECOND: i128 = 1_000_000_000;

fn of_milliseconds(milliseconds: u64) -> Option<Moment> {
    let seconds = milliseconds / 1_000;
    let day = BusinessDate(i32::try_from(seconds / 86_400).ok()?);
    if day.civil().0 > 9_999 {
        return None;
    }
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    let written = format!("{day}T{hour:02}:{minute:02}:{second:02}.{:03}Z", milliseconds % 1_000);
    Some(Moment { written, order: i128::from(milliseconds) * 1_000_000 })
}

/// The place of `YYYY-MM-DDThh:mm:ss`, with or without a fraction and a zone, in the order of moments.
fn order(written: &str) -> Option<i128> {
    let (day, time) = written.split_once('T')?;
    let day: BusinessDate = day.parse().ok()?;
    let (time, zone) = match time.find(['Z', '+', '-']) {
        Some(place) => time.split_at(place),
        None => (time, "Z"),
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: i128 = format!("{fraction:0<9}").parse().ok()?;
    let (hour, minute, second) = match time.split(':').collect::<Vec<_>>()[..] {
        [hour, minute, second] => (two(hour, 23)?, two(minute, 59)?, two(second, 60)?),
        [hour, minute] => (two(hour, 23)?, two(minute, 59)?, 0),
        _ => return None,
    };
    let seconds = i128::from(day.0) * DAY + hour * 3_600 + minute * 60 + second - offset(zone)?;
    Some(seconds * SECOND + nanoseconds)
}

/// Seconds of `Z`, `+hh:mm` or `+hhmm`.
fn offset(zone: &str) -> Option<i128> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits = zone.get(1..)?;
    let (hours, minutes) = digits.split_once(':').or_else(|| digits.split_at_checked(2))?;
    Some(sign * (two(hours, 18)? * 3_600 + two(minutes, 59)? * 60))
}

/// Two digits up to `most`.
fn two(digits: &str, most: i128) -> Option<i128> {
    if digits.len() != 2 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|number| *number <= most)
}

/// A list of texts, or one text by itself; empty ones are left out.
///
/// # Errors
/// `InvalidField` for anything else in it.
pub fn texts(json: &Json, name: &str, field: &'static str) -> Result<Vec<String>, DocumentError> {
    let Some(found) = json.get(name) else { return Ok(Vec::new()) };
    let items = match &found.shape {
        Shape::List(items) => items.as_slice(),
        _ => std::slice::from_ref(found),
    };
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        match &item.shape {
            Shape::Text(_) | Shape::Number(_) => texts.extend(item.text()?),
            Shape::Null => {}
            _ => return Err(wrong(item, field, "it is a text or a list of texts")),
        }
    }
    Ok(texts)
}

/// A list of texts that the kind requires.
///
/// # Errors
/// `MissingField`, `Template`; as [`texts`].
pub fn required_texts(json: &Json, name: &str, field: &'static str) -> Result<Vec<String>, DocumentError> {
    let found = texts(json, name, field)?;
    if found.is_empty() {
        return Err(missing(field));
    }
    found.iter().try_for_each(|text| filled_in(name, text, field))?;
    Ok(found)
}

/// A number that counts something.
///
/// # Errors
/// `InvalidField` unless it is a whole number from 0.
pub fn count(json: &Json, path: &[&str], field: &'static str) -> Result<Option<u64>, DocumentError> {
    let Some(found) = json.at(path) else { return Ok(None) };
    let reason = "it is a whole number, without quotes";
    let Shape::Number(written) = &found.shape else { return Err(wrong(found, field, reason)) };
    found.text()?;
    let plain = plain(written).filter(|plain| !plain.starts_with('-'));
    let whole = plain.as_deref().and_then(|plain| match plain.split_once('.') {
        Some((whole, fraction)) => fraction.bytes().all(|byte| byte == b'0').then_some(whole),
        None => Some(plain),
    });
    let counted = whole.and_then(|whole| whole.parse().ok());
    counted.map(Some).ok_or_else(|| wrong(found, field, reason))
}

/// A decimal number, by itself or in quotes, as written but without an exponent.
///
/// # Errors
/// `InvalidAmount`, `Template`.
pub fn decimal(json: &Json, path: &[&str], field: &'static str) -> Result<Option<String>, DocumentError> {
    let Some(found) = json.at(path) else { return Ok(None) };
    let (Shape::Number(_) | Shape::Text(_)) = &found.shape else { return Err(wrong(found, field, "it is a number")) };
    let Some(written) = found.text()? else { return Ok(None) };
    filled_in(path.last().copied().unwrap_or_default(), &written, field)?;
    let invalid = || DocumentError::InvalidAmount { field: Field::Named(field), value: Excerpt::of(&written) };
    plain(&written).map(Some).ok_or_else(invalid)
}

/// Farthest that an exponent moves the point. No measure of a cargo needs more.
const MAX_EXPONENT: usize = 18;

/// A number of JSON without its exponent, which some writers put behind large numbers (`1.2E7`).
fn plain(written: &str) -> Option<String> {
    let (sign, unsigned) = match written.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", written),
    };
    let (digits, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if !all_digits || whole.is_empty() || (digits.contains('.') && fraction.is_empty()) {
        return None;
    }
    let exponent: i32 = exponent.parse().ok()?;
    let places = usize::try_from(exponent.unsigned_abs()).ok().filter(|places| *places <= MAX_EXPONENT)?;
    if places == 0 {
        return Some(format!("{sign}{digits}"));
    }
    let (whole, fraction) = if exponent > 0 {
        let padded = format!("{fraction:0<places$}");
        let (moved, rest) = padded.split_at(places);
        (format!("{whole}{moved}"), rest.to_owned())
    } else {
        let padded = format!("{whole:0>width$}", width = places + 1);
        let (rest, moved) = padded.split_at(padded.len() - places);
        (rest.to_owned(), format!("{moved}{fraction}"))
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// An object of a value and its unit, `{value, unit}`.
///
/// # Errors
/// `MissingField` without either; as [`decimal`].
pub fn measure(json: &Json, name: &str, field: &'static str) -> Result<Option<Record>, DocumentError> {
    let Some(found) = object(json, name, field)? else { return Ok(None) };
    let value = decimal(found, &["value"], field)?.ok_or_else(|| missing(field))?;
    let unit = needed(found, &["unit"], field)?
        .ok_or(DocumentError::MissingField { field: Field::Named("unit of a weight or volume") })?;
    Ok(Some(Record::default().with("value", value).with("unit", unit)))
}

/// An amount with the currency beside it.
///
/// # Errors
/// `MissingField` without a currency; whatever is wrong with either.
pub fn money(
    json: &Json,
    path: &[&str],
    currency: &[&str],
    field: &'static str,
) -> Result<Option<Money>, DocumentError> {
    let code = needed(json, currency, "currency")?;
    let Some(written) = decimal(json, path, field)? else { return Ok(None) };
    let denomination = Denomination::of(&code.ok_or(DocumentError::MissingField { field: Field::Currency })?)?;
    let minor = denomination.minor_units(Field::Named(field), &written)?;
    Ok(Some(Money { denomination, minor }))
}

/// Sets those of the facts that are there, each as a text.
///
/// # Errors
/// As [`text`].
pub fn set(json: &Json, ways: &Ways<'_>, facts: &mut Record) -> Result<(), DocumentError> {
    for (name, path) in ways {
        if let Some(found) = text(json, path, name)? {
            facts.set(name, found);
        }
    }
    Ok(())
}

/// Sets those of the days that are there.
///
/// # Errors
/// As [`day`].
pub fn set_days(json: &Json, ways: &Ways<'_>, facts: &mut Record) -> Result<(), DocumentError> {
    for (name, path) in ways {
        if let Some(found) = day(json, path, name)? {
            facts.set(name, found);
        }
    }
    Ok(())
}

/// Sets those of the flags that are there.
///
/// # Errors
/// As [`flag`].
pub fn set_flags(json: &Json, ways: &Ways<'_>, facts: &mut Record) -> Result<(), DocumentError> {
    for (name, path) in ways {
        if let Some(found) = flag(json, path, name)? {
            facts.set(name, found);
        }
    }
    Ok(())
}

/// Sets a list unless it is empty.
pub fn set_list<T: Into<Fact>>(facts: &mut Record, name: &'static str, list: Vec<T>) {
    if !list.is_empty() {
        facts.set(name, list);
    }
}

/// A text or list of texts of any length: each as it stands if it is as short as a value may be, else its length and
/// BLAKE3.
///
/// # Errors
/// `InvalidField` if it is no text.
pub fn clauses(json: &Json, name: &str, field: &'static str) -> Result<Vec<Fact>, DocumentError> {
    let Some(found) = json.get(name) else { return Ok(Vec::new()) };
    let items = match &found.shape {
        Shape::List(items) => items.as_slice(),
        _ => std::slice::from_ref(found),
    };
    let mut clauses = Vec::with_capacity(items.len());
    for item in items {
        let long = item.long_text().ok_or_else(|| wrong(item, field, "it is a text"))?;
        let hash = || blake3::hash(long.as_bytes()).to_hex().to_string();
        match long.trim() {
            "" => {}
            short if short.len() <= super::MAX_VALUE_BYTES => clauses.push(Fact::Text(short.to_owned())),
            _ => clauses.push(Fact::Record(Record::default().with("bytes", long.len()).with("blake3", hash()))),
        }
    }
    Ok(clauses)
}

/// Refuses a placeholder for a field that the kind requires.
///
/// # Errors
/// `Template`.
pub fn filled_in(name: &str, value: &str, field: &'static str) -> Result<(), DocumentError> {
    if stands_for(name, value) {
        return Err(DocumentError::Template { field: Field::Named(field), value: Excerpt::of(value) });
    }
    Ok(())
}

/// The refusal of an absent field.
pub fn missing(field: &'static str) -> DocumentError {
    DocumentError::MissingField { field: Field::Named(field) }
}

/// The refusal of a value of another type or form.
pub fn wrong(found: &Json, field: &'static str, reason: &'static str) -> DocumentError {
    let value = match &found.shape {
        Shape::Null => "null",
        Shape::Flag(true) => "true",
        Shape::Flag(false) => "false",
        Shape::Number(text) | Shape::Text(text) => text,
        Shape::List(_) => "[…]",
        Shape::Object(_) => "{…}",
    };
    DocumentError::InvalidField { field: Field::Named(field), value: Excerpt::of(value), reason }
}

/// `transportDocumentReference` as `transport_document_reference`, `BILL OF LADING` as `bill_of_lading`.
pub fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for character in name.chars() {
        if !character.is_alphanumeric() {
            if !snake.is_empty() && !snake.ends_with('_') {
                snake.push('_');
            }
        } else {
            if character.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit()) {
                snake.push('_');
            }
            snake.extend(character.to_lowercase());
        }
        before = character;
    }
    snake.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::read(text).expect("JSON")
    }

    #[test]
    fn moments_are_ordered_by_what_they_mean_and_not_by_how_they_are_written() {
        let place = |written: &str| order(written).expect("a moment");
        assert_eq!(place("1970-01-01T00:00:01Z"), SECOND);
        assert_eq!(place("2024-09-04T09:41:00Z"), place("2024-09-04T11:41:00+02:00"));
        assert_eq!(place("2024-09-04T09:41Z"), place("2024-09-04T01:41:00.000-0800"));
        assert!(place("2024-09-04T09:41:00.5Z") > place("2024-09-04T09:41:00.49Z"));
        for written in [
            "2024-09-04",
            "2024-09-04 09:41:00",
            "2024-09-31T09:41:00Z",
            "2024-09-04T24:00:00Z",
            "T",
            "2024-09-04T09:41:00.Z",
            "2024-09-04T09:41:00+2",
            "2024-09-04T09:41:00ZZ",
            "2024-09-04T9:41:00Z",
        ] {
            assert_eq!(order(written), None, "{written}");
        }
        let read = moment(&json(r#"{"at": 1659428989899}"#), &["at"], "time").expect("a moment").expect("there");
        assert_eq!(read.written, "2022-08-02T08:29:49.899Z");
        assert_eq!(read.order, place("2022-08-02T08:29:49.899Z"));
        for number in ["-1", "1.5", "18446744073709551615", "1e12"] {
            let error = moment(&json(&format!("{{\"at\": {number}}}")), &["at"], "time");
            assert_eq!(error.map_err(|error| error.code()), Err("invalid_date"), "{number}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_lose_their_exponent() {
        for (written, expected) in [
            ("12000", "12000"),
            ("12000.0", "12000.0"),
            ("1.2E7", "12000000"),
            ("1.25e1", "12.5"),
            ("-5e-1", "-0.5"),
            ("125E-2", "1.25"),
            ("1e0", "1"),
            ("0.001e2", "0.1"),
        ] {
            assert_eq!(plain(written).as_deref(), Some(expected), "{written}");
        }
        for written in ["", "-", "1e19", "1e-19", "1e99999999999", "1,5", ".5", "1.", "0x1"] {
            assert_eq!(plain(written), None, "{written}");
        }
        let counted = |text: &str| count(&json(text), &["a"], "number of packages").map_err(|error| error.code());
        assert_eq!(counted(r#"{"a": 400.0}"#), Ok(Some(400)));
        assert_eq!(counted(r#"{"a": 4e2}"#), Ok(Some(400)));
        for text in
            [r#"{"a": "400"}"#, r#"{"a": 1.5}"#, r#"{"a": -1}"#, r#"{"a": [1]}"#, r#"{"a": 18446744073709551616}"#]
        {
            assert_eq!(counted(text), Err("invalid_field"), "{text}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_never_taken_for_an_absent_one() {
        let one = json(r#"{"list": [1], "object": {}, "number": 7, "text": "x", "flag": true, "none": null}"#);
        let code = |result: Result<(), DocumentError>| result.map_err(|error| error.code());
        assert_eq!(code(text(&one, &["list"], "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(needed(&one, &["number"], "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(object(&one, "text", "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(objects(&one, "object", "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(objects(&one, "list", "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(flag(&one, &["text"], "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(texts(&one, "object", "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(decimal(&one, &["flag"], "f").map(drop)), Err("invalid_field"));
        assert_eq!(code(required(&one, &["none"], "f").map(drop)), Err("missing_field"));
        assert_eq!(text(&one, &["number"], "f"), Ok(Some("7".to_owned())));
    }

    #[test]
    fn names_become_snake_case() {
        for (name, expected) in [
            ("notifyParties", "notify_parties"),
            ("BILL_OF_LADING_CARRIER", "bill_of_lading_carrier"),
            ("DrivingLicenceCredential", "driving_licence_credential"),
            ("org.dcsa", "org_dcsa"),
            ("Coo", "coo"),
        ] {
            assert_eq!(snake(name), expected);
        }
    }
}
