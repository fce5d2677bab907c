//! Reads real trade documents: the facts of an invoice or credit note in UBL 2 or CII (EN 16931), and their
//! fingerprint, without any network.
//!
//! ```text
//! bytes ─ encoding ─► text ─ xml ─► values ─ ubl | cii ─► draft ─► Facts ─ fingerprint ─► InvoiceFingerprint
//! ```
//!
//! A file comes from anybody. Reading it is one pass in memory that grows with the file alone, under the limits below;
//! it never panics, opens nothing that the file points to, guesses no missing fact and rounds no amount. Every refusal
//! is a [`DocumentError`] with a stable code.

mod cii;
mod currency;
mod date;
mod draft;
mod encoding;
mod error;
mod fingerprint;
mod ubl;
mod xml;

use codec::Encode;
use portolan_primitives::{BusinessDate, Currency};
use serde::{Serialize, Serializer};

pub use currency::Denomination;
pub use error::{DocumentError, Excerpt, Field};
pub use fingerprint::{Incomplete, InvoiceFingerprint, normalise};
use xml::{Element, Elements};

/// Largest document, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Deepest nesting of elements. UBL and CII need about 12.
pub const MAX_DEPTH: usize = 64;
/// Most attributes of one element, namespace declarations included.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most namespace declarations in force at one place.
pub const MAX_NAMESPACES: usize = 256;
/// Longest text of a number, name, date, code or amount, in bytes of UTF-8.
pub const MAX_VALUE_BYTES: usize = 4096;

/// Whether a document demands money or gives it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A demand for payment, debit notes and corrected invoices included.
    #[codec(index = 0)]
    Invoice,
    /// A reduction of an earlier demand. Its payable amount is written positive.
    #[codec(index = 1)]
    CreditNote,
}

/// The facts of an invoice or credit note. Texts are trimmed, their inner white space is single spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Invoice or credit note.
    pub kind: Kind,
    /// The type code as written (BT-3, UNTDID 1001): 380 commercial invoice, 325 pro forma, 381 credit note.
    #[serde(skip)]
    pub type_code: Option<String>,
    /// The number (BT-1).
    pub number: String,
    /// The issue date (BT-2).
    pub issue_date: Option<BusinessDate>,
    /// The day on which the whole amount is due (BT-9).
    pub due_date: Option<BusinessDate>,
    /// The currency of the amounts (BT-5).
    pub currency: Currency,
    /// Decimals of the currency by ISO 4217.
    #[serde(skip)]
    pub exponent: u8,
    /// The amount due for payment (BT-115) in minor units; may be zero or negative.
    pub payable_minor: Option<i128>,
    /// The total of tax (BT-110) in minor units of the same currency.
    pub tax_minor: Option<i128>,
    /// The seller's legal name (BT-27).
    pub seller: Option<String>,
    /// The buyer's legal name (BT-44).
    pub buyer: Option<String>,
}

impl Facts {
    /// The plain fingerprint.
    ///
    /// # Errors
    /// [`Incomplete`] when issue date, payable amount, seller or buyer is absent.
    pub fn fingerprint(&self) -> Result<InvoiceFingerprint, Incomplete> {
        fingerprint::fingerprint(self)
    }

    /// The plain near key: what two invoices share that differ in amount or date alone.
    ///
    /// # Errors
    /// [`Incomplete`] when seller or buyer is absent.
    pub fn near_key(&self) -> Result<portolan_primitives::Hash, Incomplete> {
        fingerprint::near_key(self)
    }
}

/// What `portolan document inspect` prints: the facts and the fingerprint, which is null when the document lacks what
/// it covers.
///
/// As JSON: `{kind, number, issue_date, due_date, currency, payable_minor, tax_minor, seller, buyer, fingerprint}`
/// with minor units as integers of up to 128 bits; write it with `serde_json::to_string`, since `serde_json::Value`
/// holds 64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The facts.
    #[serde(flatten)]
    pub facts: Facts,
    /// The fingerprint, or why there is none.
    #[serde(serialize_with = "present_or_null")]
    pub fingerprint: Result<InvoiceFingerprint, Incomplete>,
}

fn present_or_null<S: Serializer>(
    fingerprint: &Result<InvoiceFingerprint, Incomplete>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    fingerprint.as_ref().ok().serialize(serializer)
}

/// Reads the facts of a document and their fingerprint.
///
/// # Errors
/// As [`read`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, DocumentError> {
    let facts = read(bytes)?;
    let fingerprint = facts.fingerprint();
    Ok(Inspection { facts, fingerprint })
}

/// Reads the facts of a document: a UBL or CII invoice or credit note, by itself or in a `StandardBusinessDocument`
/// envelope.
///
/// # Errors
/// The reason why it was refused. Number, currency and, in CII, type code must be there; other facts may be absent.
pub fn read(bytes: &[u8]) -> Result<Facts, DocumentError> {
    if bytes.len() > MAX_BYTES {
        return Err(DocumentError::TooLarge { size: bytes.len(), limit: MAX_BYTES });
    }
    refuse_other_formats(bytes)?;
    let text = encoding::decode(bytes)?;
    let text = text.trim_ascii_start();
    if text.is_empty() {
        return Err(DocumentError::Empty);
    }
    if !text.starts_with('<') {
        return Err(unsupported("a file that is not XML"));
    }
    read_xml(text)
}

fn read_xml(text: &str) -> Result<Facts, DocumentError> {
    let mut elements = Elements::new(text)?;
    let Some(root) = elements.next_inside()? else { return Err(DocumentError::Empty) };
    let facts = if is_envelope(&root) { read_envelope(&mut elements)? } else { read_payload(&root, &mut elements)? };
    elements.finish()?;
    Ok(facts)
}

fn read_payload(root: &Element<'_>, elements: &mut Elements<'_>) -> Result<Facts, DocumentError> {
    if let Some(facts) = ubl::read(root, elements)? {
        return Ok(facts);
    }
    if let Some(facts) = cii::read(root, elements)? {
        return Ok(facts);
    }
    let space = if root.space.is_empty() {
        "no namespace".to_owned()
    } else {
        format!("the namespace {}", Excerpt::of(&root.space))
    };
    Err(unsupported(&format!("an XML document with the root {} in {space}", Excerpt::of(&root.name))))
}

/// The namespace of the envelope in which networks such as Peppol carry documents (UN/CEFACT SBDH 1.3).
const ENVELOPE_SPACE: &str = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";

fn is_envelope(root: &Element<'_>) -> bool {
    root.space == ENVELOPE_SPACE && root.name == "StandardBusinessDocument"
}

/// Reads the one payload beside the envelope's header.
fn read_envelope(elements: &mut Elements<'_>) -> Result<Facts, DocumentError> {
    let mut read = None;
    while let Some(element) = elements.next_inside()? {
        if element.space == ENVELOPE_SPACE && element.name == "StandardBusinessDocumentHeader" {
            elements.skip()?;
        } else if read.is_some() {
            return Err(DocumentError::SeveralDocuments);
        } else {
            read = Some(read_payload(&element, elements)?);
        }
    }
    read.ok_or_else(|| unsupported("an envelope without a document in it"))
}

/// Refuses by name what people give by mistake.
fn refuse_other_formats(bytes: &[u8]) -> Result<(), DocumentError> {
    let holds = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    let found = match bytes.trim_ascii_start() {
        [b'P', b'K', 3 | 5, 4 | 6, ..] if holds(b"OFD.xml") => "an OFD file",
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "a ZIP archive",
        [b'%', b'P', b'D', b'F', ..] => "a PDF file (a Factur-X or ZUGFeRD invoice is the XML file attached inside it)",
        [0x1f, 0x8b, ..] => "a gzip archive",
        [0xd0, 0xcf, 0x11, 0xe0, ..] => "an office document",
        [b'{' | b'[', ..] => "a JSON document",
        _ => return Ok(()),
    };
    Err(unsupported(found))
}

fn unsupported(found: &str) -> DocumentError {
    DocumentError::UnsupportedDocument { found: found.to_owned() }
}
