//! Facts of a message by tables: which element is which fact, and in which form.

use super::super::MAX_VALUE_BYTES;
use super::super::currency::Denomination;
use super::super::envelope::{Envelope, Fact, Record};
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::tree::{Node, not_placeholder};
use super::super::ubl::{decimal, flag};
use super::moment;

/// One fact, where it is, and what it is.
pub struct Entry {
    /// The name of the fact, and of the field in an error.
    pub name: &'static str,
    /// The path to the element.
    pub path: &'static [&'static str],
    /// Its form.
    pub take: Take,
}

/// The form of a fact.
pub enum Take {
    /// The text of the element.
    Text,
    /// A whole number.
    Count,
    /// A decimal as written.
    Decimal,
    /// A decimal with a unit: `{quantity, unit}`.
    Quantity,
    /// A point in time.
    Moment,
    /// `true` or `false`.
    Flag,
    /// An amount that a trader declares: its currency has to be there.
    Declared,
    /// An amount that HMRC assessed: in pounds when no currency is written, with a warning.
    Assessed,
    /// The place in a declaration that the `Pointer` elements lead to.
    Pointer,
    /// The element's own facts.
    One(&'static [Entry]),
    /// The facts of each element of the name.
    Each(&'static [Entry]),
}

/// The facts of `node` that are there, in the order of the table.
///
/// # Errors
/// Whatever is wrong with a value.
pub fn facts(node: &Node, entries: &[Entry], envelope: &mut Envelope) -> Result<Record, DocumentError> {
    let mut found = Record::default();
    for entry in entries {
        if found.get(entry.name).is_some() {
            continue;
        }
        if let Some(fact) = fact(node, entry, envelope)? {
            found.set(entry.name, fact);
        }
    }
    Ok(found)
}

fn fact(node: &Node, entry: &Entry, envelope: &mut Envelope) -> Result<Option<Fact>, DocumentError> {
    let field = Field::Named(entry.name);
    match entry.take {
        Take::Text => Ok(node.value(entry.path)?.map(Fact::Text)),
        Take::Count => count(node.at(entry.path), field),
        Take::Decimal => Ok(number(node.at(entry.path), field)?.map(Fact::Text)),
        Take::Quantity => quantity(node.at(entry.path), field),
        Take::Moment => match node.at(entry.path) {
            Some(held) => Ok(moment::read(held, field)?.map(Fact::Text)),
            None => Ok(None),
        },
        Take::Flag => Ok(flag(node, entry.path, entry.name)?.map(Fact::Flag)),
        Take::Declared => Ok(node.money(entry.path, entry.name, None)?.map(Fact::Money)),
        Take::Assessed => assessed(node, entry, envelope),
        Take::Pointer => pointer(node),
        Take::One(inner) => {
            let Some(held) = node.at(entry.path) else { return Ok(None) };
            let record = facts(held, inner, envelope)?;
            Ok((record.iter().count() > 0).then_some(Fact::Record(record)))
        }
        Take::Each(inner) => {
            let Some((last, above)) = entry.path.split_last() else { return Ok(None) };
            let Some(parent) = node.at(above) else { return Ok(None) };
            let records: Vec<Record> =
                parent.all(last).map(|held| facts(held, inner, envelope)).collect::<Result<_, _>>()?;
            Ok((!records.is_empty()).then(|| records.into()))
        }
    }
}

fn count(node: Option<&Node>, field: Field) -> Result<Option<Fact>, DocumentError> {
    let Some(written) = node.map_or(Ok(None), Node::text)? else { return Ok(None) };
    not_placeholder(field, &written)?;
    let reason = "it is a whole number of at most 18 digits";
    let digits = written.bytes().all(|byte| byte.is_ascii_digit()) && written.len() <= 18;
    let number = written.parse().ok().filter(|_| digits);
    number.map(|number| Some(Fact::Count(number))).ok_or_else(|| DocumentError::InvalidField {
        field,
        value: Excerpt::of(&written),
        reason,
    })
}

fn number(node: Option<&Node>, field: Field) -> Result<Option<String>, DocumentError> {
    let Some(written) = node.map_or(Ok(None), Node::text)? else { return Ok(None) };
    not_placeholder(field, &written)?;
    decimal(field, &written).map(Some)
}

fn quantity(node: Option<&Node>, field: Field) -> Result<Option<Fact>, DocumentError> {
    let Some(written) = number(node, field)? else { return Ok(None) };
    let unit = node.and_then(|node| node.attribute("unitCode")).map(str::to_owned);
    Ok(Some(Fact::Record(Record::default().with("quantity", written).with("unit", unit))))
}

/// HMRC assesses in pounds, and some of its notices leave that out.
fn assessed(node: &Node, entry: &Entry, envelope: &mut Envelope) -> Result<Option<Fact>, DocumentError> {
    let Some(held) = node.at(entry.path) else { return Ok(None) };
    let pounds = Denomination::of("GBP")?;
    let amount = held.amount(entry.name, Some(pounds))?;
    if amount.is_some() && held.attribute("currencyID").is_none() {
        envelope
            .warn_once("no_currency", "an assessed amount names no currency; it is read in pounds, as HMRC assesses");
    }
    Ok(amount.map(Fact::Money))
}

/// `42A/67A/68A[1]/23A[1]/65A[1]/128`: each section by its WCO id, with its place among its like, and the id of the
/// field at the end.
fn pointer(node: &Node) -> Result<Option<Fact>, DocumentError> {
    let mut path = String::new();
    for step in node.all("Pointer") {
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&step.value(&["DocumentSectionCode"])?.unwrap_or_default());
        if let Some(place) = step.value(&["SequenceNumeric"])? {
            path.extend(["[", &place, "]"]);
        }
        if let Some(tag) = step.value(&["TagID"])? {
            path.extend(["/", &tag]);
        }
        if path.len() > MAX_VALUE_BYTES {
            return Err(DocumentError::LimitExceeded { what: "bytes in one pointer", limit: MAX_VALUE_BYTES });
        }
    }
    Ok((!path.is_empty()).then_some(Fact::Text(path)))
}

/// A code that the kind requires.
///
/// # Errors
/// `MissingField`, `Template`; `InvalidField` if it is none of the codes.
pub fn code_of<T: Copy>(
    written: &str,
    codes: &[(&'static str, T)],
    field: &'static str,
    reason: &'static str,
) -> Result<T, DocumentError> {
    codes
        .iter()
        .find(|(code, _)| *code == written)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| DocumentError::InvalidField { field: Field::Named(field), value: Excerpt::of(written), reason })
}
