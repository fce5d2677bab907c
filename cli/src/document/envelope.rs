//! What every document that is no invoice is shown as: one envelope, with the facts of its kind inside.
//!
//! Facts are a closed set of forms, so that every reader writes money, counts and texts in the same way. Money is in
//! minor units with its currency, quantities and rates are the decimal text that stood in the document, and nothing is
//! a float.

use portolan_primitives::{BusinessDate, Currency};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use super::currency::Denomination;

/// Most warnings of one document. Those beyond it are counted in the last one.
pub const MAX_WARNINGS: usize = 100;

/// Most parties, and most references, of one document.
pub const MAX_NAMED: usize = 1_000;

/// A document that is no invoice or credit note.
///
/// As JSON: `{format, kind, number, issue_date, parties: [{role, name, id}], references: [{kind, number}], facts,
/// warnings: [{code, reason}], unknown}`. What is absent in the document is null, or an empty list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Envelope {
    /// The family of formats: `ubl`, `iso20022`, `dcsa`, `tradetrust`, `epcis`, `customs`.
    pub format: &'static str,
    /// The kind within the family, in snake case, or the message's own short name: `order_change`, `camt.053`.
    pub kind: String,
    /// The document's own number or id, as its issuer wrote it.
    pub number: Option<String>,
    /// The day of issue, as its issuer wrote it, whatever the zone.
    pub issue_date: Option<BusinessDate>,
    /// Who takes part, in the order of the document.
    pub parties: Vec<Party>,
    /// What other documents it names, in the order of the document.
    pub references: Vec<Reference>,
    /// What its kind says beyond that.
    pub facts: Record,
    /// What is odd and no reason to refuse, at most [`MAX_WARNINGS`].
    pub warnings: Vec<Warning>,
    /// What no reader took up; nothing when all of it was read.
    pub unknown: Option<Unknown>,
}

impl Envelope {
    /// An envelope without contents.
    pub fn new(format: &'static str, kind: impl Into<String>) -> Self {
        Self {
            format,
            kind: kind.into(),
            number: None,
            issue_date: None,
            parties: Vec::new(),
            references: Vec::new(),
            facts: Record::default(),
            warnings: Vec::new(),
            unknown: None,
        }
    }

    /// Adds a party, unless the document says neither a name nor an id, or the same was added before.
    pub fn party(&mut self, role: impl Into<String>, name: Option<String>, id: Option<String>) {
        let party = Party { role: role.into(), name, id };
        if (party.name.is_none() && party.id.is_none()) || self.parties.contains(&party) {
            return;
        }
        if self.parties.len() < MAX_NAMED {
            self.parties.push(party);
        } else {
            self.warn_once("more_parties", "the document names more parties than are shown");
        }
    }

    /// Adds a reference, unless it has no number or the same was added before.
    pub fn refer(&mut self, kind: impl Into<String>, number: Option<String>) {
        let Some(number) = number else { return };
        let reference = Reference { kind: kind.into(), number };
        if self.references.contains(&reference) {
            return;
        }
        if self.references.len() < MAX_NAMED {
            self.references.push(reference);
        } else {
            self.warn_once("more_references", "the document names more references than are shown");
        }
    }

    /// Adds a warning.
    pub fn warn(&mut self, code: &'static str, reason: impl Into<String>) {
        self.warnings.push(Warning { code, reason: reason.into() });
    }

    /// Adds a warning, unless there is one with that code.
    pub(super) fn warn_once(&mut self, code: &'static str, reason: &str) {
        if !self.warnings.iter().any(|warning| warning.code == code) {
            self.warn(code, reason);
        }
    }

    /// Cuts the warnings to their limit, and says how many went.
    pub(super) fn cut_warnings(&mut self) {
        if self.warnings.len() > MAX_WARNINGS {
            let gone = self.warnings.len() - (MAX_WARNINGS - 1);
            self.warnings.truncate(MAX_WARNINGS - 1);
            self.warn(
                "more_warnings",
                format!("there are {gone} more warnings; correct the first ones and read again"),
            );
        }
    }
}

/// Somebody whom a document names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Party {
    /// What they are in the document, in snake case: `buyer`, `carrier`, `debtor_agent`.
    pub role: String,
    /// Their name.
    pub name: Option<String>,
    /// An id of theirs as written: endpoint, tax number, BIC, LEI, account.
    pub id: Option<String>,
}

/// Another document that a document names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// What it is, in snake case: `order`, `contract`, `original_message`.
    pub kind: String,
    /// Its number or id as written.
    pub number: String,
}

/// Something that is odd and no reason to refuse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable word for programs.
    pub code: &'static str,
    /// What is odd and what to do, for people.
    pub reason: String,
}

/// The part of a document that no reader took up: that it was there stays provable, without showing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// Values and attributes that were not read.
    pub fields: usize,
    /// BLAKE3 over all of them in document order, each as SCALE of (path, value). The path is the names from the root
    /// down with `/` before each, and `@` before an attribute's; XML names carry their namespace in braces where they
    /// have one.
    #[serde(serialize_with = "hex_text")]
    pub hash: [u8; 32],
}

fn hex_text<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&blake3::Hash::from(*hash).to_hex())
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Asked for and absent.
    Absent,
    /// A text, code, date or time, or a decimal that is no money, as written.
    Text(String),
    /// A count.
    Count(u64),
    /// Yes or no.
    Flag(bool),
    /// An amount.
    Money(Money),
    /// Several of one kind, in the order of the document.
    List(Vec<Fact>),
    /// Facts by name.
    Record(Record),
}

/// An amount in minor units of a currency of ISO 4217. As JSON `{currency, minor}`, the latter an integer of up to 128
/// bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// The currency and its decimals.
    pub denomination: Denomination,
    /// Minor units; may be negative.
    pub minor: i128,
}

impl Money {
    /// The currency.
    pub fn currency(&self) -> Currency {
        self.denomination.currency
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exponent = usize::from(self.denomination.exponent);
        let digits = format!("{:0>width$}", self.minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        let sign = if self.minor < 0 { "-" } else { "" };
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction} {}", self.denomination.currency)
    }
}

/// Facts by name, in the order in which a reader set them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(Vec<(&'static str, Fact)>);

impl Record {
    /// Sets a fact. An absent one is set too, so that a program sees that it was asked for.
    pub fn set(&mut self, name: &'static str, fact: impl Into<Fact>) {
        let fact = fact.into();
        match self.0.iter_mut().find(|(held, _)| *held == name) {
            Some((_, held)) => *held = fact,
            None => self.0.push((name, fact)),
        }
    }

    /// With one more fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        self.set(name, fact);
        self
    }

    /// The fact of that name.
    pub fn get(&self, name: &str) -> Option<&Fact> {
        self.0.iter().find(|(held, _)| *held == name).map(|(_, fact)| fact)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Fact)> {
        self.0.iter().map(|(name, fact)| (*name, fact))
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Fact {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Fact {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<BusinessDate> for Fact {
    fn from(date: BusinessDate) -> Self {
        Self::Text(date.to_string())
    }
}

impl From<Money> for Fact {
    fn from(money: Money) -> Self {
        Self::Money(money)
    }
}

impl From<Record> for Fact {
    fn from(record: Record) -> Self {
        Self::Record(record)
    }
}

impl<T: Into<Fact>> From<Option<T>> for Fact {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::Absent, Into::into)
    }
}

impl<T: Into<Fact>> From<Vec<T>> for Fact {
    fn from(facts: Vec<T>) -> Self {
        Self::List(facts.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Count(count) => serializer.serialize_u64(*count),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Money(money) => money.serialize(serializer),
            Self::List(facts) => {
                let mut list = serializer.serialize_seq(Some(facts.len()))?;
                facts.iter().try_for_each(|fact| list.serialize_element(fact))?;
                list.end()
            }
            Self::Record(record) => record.serialize(serializer),
        }
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("currency", &self.currency().to_string())?;
        map.serialize_entry("minor", &self.minor)?;
        map.end()
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, fact)| map.serialize_entry(name, fact))?;
        map.end()
    }
}
