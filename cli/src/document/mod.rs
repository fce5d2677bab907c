//! Reads real trade documents, without any network: the facts of an invoice or credit note in UBL 2 or CII (EN 16931)
//! with their fingerprint, and an envelope with the facts of every other kind.
//!
//! ```text
//! bytes ─ encoding ─► text ─┬ xml ─┬► values ─ ubl::invoice | cii ─► draft ─► Facts ─ fingerprint ─► Inspection
//!                           │      └► tree ─ ubl | iso20022 | … ─┬► Envelope
//!                           └ json ─► values ─ …  ───────────────┘
//! ```
//!
//! A family of formats is one module with a reader from [`Node`] or [`Json`] to [`Envelope`], entered in one list
//! below; it answers nothing to what is not its own.
//!
//! A file comes from anybody. Reading it is one pass in memory that grows with the file alone, under the limits below;
//! it never panics, opens nothing that the file points to, guesses no missing fact and rounds no amount. Every refusal
//! is a [`DocumentError`] with a stable code.

mod cii;
mod currency;
mod customs;
mod date;
mod dcsa;
mod draft;
mod encoding;
mod envelope;
mod epcis;
mod error;
mod fields;
mod fingerprint;
mod iso20022;
mod json;
mod placeholder;
mod tradetrust;
mod tree;
mod ubl;
mod xml;

use codec::Encode;
use portolan_primitives::{BusinessDate, Currency};
use serde::{Serialize, Serializer};

pub use currency::Denomination;
pub use envelope::{Envelope, Fact, MAX_WARNINGS, Money, Party, Record, Reference, Unknown, Warning};
pub use error::{DocumentError, Excerpt, Field};
pub use fingerprint::{Incomplete, InvoiceFingerprint, normalise};
use json::Json;
use tree::Node;
use xml::{Element, Elements};

/// Largest document, in bytes.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Deepest nesting of elements. UBL and CII need about 12.
pub const MAX_DEPTH: usize = 64;
/// Most attributes of one element, namespace declarations included.
pub const MAX_ATTRIBUTES: usize = 64;
/// Most namespace declarations in force at one place.
pub const MAX_NAMESPACES: usize = 256;
/// Most elements and attributes, or JSON values, of a document that is read as a tree.
pub const MAX_NODES: usize = 1_000_000;
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
/// As JSON: `{kind, number, issue_date, due_date, currency, payable_minor, tax_minor, seller, buyer, fingerprint,
/// warnings}` with minor units as integers of up to 128 bits; write it with `serde_json::to_string`, since `serde_json::Value`
/// holds 64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// The facts.
    #[serde(flatten)]
    pub facts: Facts,
    /// The fingerprint, or why there is none.
    #[serde(serialize_with = "present_or_null")]
    pub fingerprint: Result<InvoiceFingerprint, Incomplete>,
    /// What is odd and no reason to refuse.
    pub warnings: Vec<Warning>,
}

impl Inspection {
    fn of(facts: Facts) -> Self {
        let mut warnings = Vec::new();
        let fingerprint = facts.fingerprint();
        if let Err(why) = &fingerprint {
            warnings.push(Warning { code: "incomplete", reason: why.to_string() });
        }
        if let (Some(issued), Some(due)) = (facts.issue_date, facts.due_date)
            && due < issued
        {
            let reason = format!("it is due on {due}, before it was issued on {issued}; ask its sender which holds");
            warnings.push(Warning { code: "due_before_issue", reason });
        }
        Self { facts, fingerprint, warnings }
    }
}

fn present_or_null<S: Serializer>(
    fingerprint: &Result<InvoiceFingerprint, Incomplete>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    fingerprint.as_ref().ok().serialize(serializer)
}

/// A document of any kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Document {
    /// An invoice or credit note.
    Invoice(Box<Inspection>),
    /// Anything else.
    Other(Box<Envelope>),
}

/// What a family makes of a document: nothing means that it is not its own.
type Read = Result<Option<Envelope>, DocumentError>;

/// Readers of XML other than invoices.
const XML_READERS: [fn(&Node) -> Read; 4] = [ubl::read, iso20022::read, customs::read, epcis::read_xml];

/// Readers of JSON.
const JSON_READERS: [fn(&Json) -> Read; 3] = [epcis::read_json, dcsa::read, tradetrust::read];

/// Reads a document of any kind that is known here, by itself or in a `StandardBusinessDocument` envelope.
///
/// # Errors
/// The reason why it was refused.
pub fn inspect(bytes: &[u8]) -> Result<Document, DocumentError> {
    if bytes.len() > MAX_BYTES {
        return Err(DocumentError::TooLarge { size: bytes.len(), limit: MAX_BYTES });
    }
    refuse_other_formats(bytes)?;
    let text = encoding::decode(bytes)?;
    let text = text.trim_ascii_start();
    match text.as_bytes().first() {
        None => Err(DocumentError::Empty),
        Some(b'<') => read_xml(text),
        Some(b'{' | b'[') => read_json(text).map(|envelope| Document::Other(Box::new(envelope))),
        Some(_) => Err(unsupported("a file that is neither XML nor JSON")),
    }
}

/// Reads an invoice or credit note and its fingerprint.
///
/// # Errors
/// The reason why it was refused. Number, currency and, in CII, type code must be there; other facts may be absent.
/// `UnsupportedDocument` for other kinds.
pub fn invoice(bytes: &[u8]) -> Result<Inspection, DocumentError> {
    match inspect(bytes)? {
        Document::Invoice(inspection) => Ok(*inspection),
        Document::Other(envelope) => Err(DocumentError::NotAnInvoice { format: envelope.format, kind: envelope.kind }),
    }
}

fn read_xml(text: &str) -> Result<Document, DocumentError> {
    let mut elements = Elements::new(text)?;
    let Some(root) = elements.next_inside()? else { return Err(DocumentError::Empty) };
    let document = if is_envelope(&root) { read_envelope(&mut elements)? } else { read_payload(root, &mut elements)? };
    elements.finish()?;
    Ok(document)
}

fn read_payload<'a>(root: Element<'a>, elements: &mut Elements<'a>) -> Result<Document, DocumentError> {
    if let Some(facts) = ubl::invoice::read(&root, elements)? {
        return Ok(Document::Invoice(Box::new(Inspection::of(facts))));
    }
    if let Some(facts) = cii::read(&root, elements)? {
        return Ok(Document::Invoice(Box::new(Inspection::of(facts))));
    }
    let tree = Node::read(root, elements)?;
    for reader in XML_READERS {
        if let Some(mut envelope) = reader(&tree)? {
            tree.settle(&mut envelope);
            return Ok(Document::Other(Box::new(envelope)));
        }
    }
    let space = if tree.space().is_empty() {
        "no namespace".to_owned()
    } else {
        format!("the namespace {}", Excerpt::of(tree.space()))
    };
    Err(unsupported(&format!("an XML document with the root {} in {space}", Excerpt::of(tree.name()))))
}

fn read_json(text: &str) -> Result<Envelope, DocumentError> {
    let json = Json::read(text)?;
    for reader in JSON_READERS {
        if let Some(mut envelope) = reader(&json)? {
            json.settle(&mut envelope);
            return Ok(envelope);
        }
    }
    Err(unsupported("a JSON document of a kind that is not known here"))
}

/// The namespace of the envelope in which networks such as Peppol carry documents (UN/CEFACT SBDH 1.3).
const ENVELOPE_SPACE: &str = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";

fn is_envelope(root: &Element<'_>) -> bool {
    root.space == ENVELOPE_SPACE && root.name == "StandardBusinessDocument"
}

/// Reads the one payload beside the envelope's header.
fn read_envelope(elements: &mut Elements<'_>) -> Result<Document, DocumentError> {
    let mut read = None;
    while let Some(element) = elements.next_inside()? {
        if element.space == ENVELOPE_SPACE && element.name == "StandardBusinessDocumentHeader" {
            elements.skip()?;
        } else if read.is_some() {
            return Err(DocumentError::SeveralDocuments);
        } else {
            read = Some(read_payload(element, elements)?);
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
        _ => return Ok(()),
    };
    Err(unsupported(found))
}

fn unsupported(found: &str) -> DocumentError {
    DocumentError::UnsupportedDocument { found: found.to_owned() }
}
