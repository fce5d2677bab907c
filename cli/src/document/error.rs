//! Why a document was refused: one variant per reason, each with a stable code and a sentence that says the next step.
//!
//! Texts taken from a document are cut short and shown escaped, so that a hostile file can't write to a terminal.

use std::fmt;

/// Why a document could not be read. Nothing was kept of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// No byte, or nothing but white space.
    #[error("the document is empty; give the XML or JSON file of a trade document")]
    Empty,
    /// More bytes than [`super::MAX_BYTES`].
    #[error("the document has {size} bytes and the limit is {limit}; take large attachments out of it")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Another kind of document.
    #[error("{found} is not supported; `portolan document inspect --help` lists what is")]
    UnsupportedDocument {
        /// What was found, the XML root by name.
        found: String,
    },
    /// What an interface answers instead of a document when a request failed.
    #[error("this is the error body of an interface ({status}), and no document; it says: {reason}")]
    ErrorBody {
        /// Status of the answer.
        status: Excerpt,
        /// What it says is wrong.
        reason: Excerpt,
    },
    /// A document of another kind where only an invoice or credit note will do.
    #[error("this is a document of the kind {kind} ({format}); give an invoice or credit note in UBL 2 or CII")]
    NotAnInvoice {
        /// Its family.
        format: &'static str,
        /// Its kind.
        kind: String,
    },
    /// An envelope with more than one payload: which one is meant is not for a reader to guess.
    #[error("the envelope holds more than one document; take them out and read each by itself")]
    SeveralDocuments,
    /// A character encoding without a decoder here.
    #[error("the character encoding {encoding} is not supported; save the document as UTF-8")]
    UnsupportedEncoding {
        /// The encoding by its declared name.
        encoding: Excerpt,
    },
    /// Bytes that the encoding doesn't have.
    #[error("byte {offset} is not valid {encoding}; the file is damaged or declares the wrong encoding")]
    InvalidEncoding {
        /// The encoding that was read.
        encoding: &'static str,
        /// Position of the first such byte.
        offset: usize,
    },
    /// A document type declaration: no invoice needs one, and entities are how XML readers are attacked.
    #[error("the document has a DOCTYPE, which is never read; remove it")]
    Doctype,
    /// A reference to an entity that XML itself doesn't define.
    #[error("the entity {name} is not one of XML's own five; write the character itself")]
    UnknownEntity {
        /// The entity's name.
        name: Excerpt,
    },
    /// Not XML, or XML that breaks its own rules.
    #[error("the document is not well-formed XML at byte {offset}: {reason}")]
    MalformedXml {
        /// Position in the text after its conversion to UTF-8.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// Not JSON by RFC 8259.
    #[error("the document is not well-formed JSON at byte {offset}: {reason}")]
    MalformedJson {
        /// Position in the text after its conversion to UTF-8.
        offset: usize,
        /// What is wrong there.
        reason: String,
    },
    /// An object with two members of one name: which one is meant is not for a reader to guess.
    #[error("an object has the name {name} twice; ask its sender which one holds")]
    DuplicateName {
        /// The name.
        name: Excerpt,
    },
    /// The text ends inside an element or a value.
    #[error("the document ends before its elements are closed; the file was cut off, fetch it again")]
    Truncated,
    /// More nesting, attributes, declarations or text in one value than a real document has.
    #[error("the document has more than {limit} {what}; no trade document needs that")]
    LimitExceeded {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A field without which the document can't be told from others or its amounts can't be read.
    #[error("the document has no {field}; ask its sender for a complete one")]
    MissingField {
        /// The field.
        field: Field,
    },
    /// A header or group that counts other transactions than it holds.
    #[error("the {place} declares {declared} transactions and holds {found}; ask its sender for a correct message")]
    WrongCount {
        /// The header or group.
        place: String,
        /// What it declares.
        declared: u64,
        /// What is there.
        found: u64,
    },
    /// A header or group whose control sum is not the sum of what it holds.
    #[error(
        "the {place} declares the control sum {declared} and its amounts sum to {found}; ask its sender for a correct message"
    )]
    WrongControlSum {
        /// The header or group.
        place: String,
        /// What it declares.
        declared: String,
        /// What is there.
        found: String,
    },
    /// A template: a place was left open in a field that the kind of document requires.
    #[error("the document is a template: its {field} is still the placeholder {value}; fill it in first")]
    Template {
        /// The field.
        field: Field,
        /// The placeholder.
        value: Excerpt,
    },
    /// A value outside of what the standard allows for the field.
    #[error("the {field} {value} is not allowed: {reason}")]
    InvalidField {
        /// The field.
        field: Field,
        /// What stood there.
        value: Excerpt,
        /// What the standard wants instead.
        reason: &'static str,
    },
    /// One field twice with different values.
    #[error("the document gives two values for the {field}: {first} and {second}; ask its sender which one holds")]
    ContradictoryField {
        /// The field.
        field: Field,
        /// The value that came first.
        first: Excerpt,
        /// The value that contradicts it.
        second: Excerpt,
    },
    /// A date that does not exist or is not written as its syntax demands.
    #[error("the {field} {value} is not a date that exists (YYYY-MM-DD; in CII YYYYMMDD with format 102)")]
    InvalidDate {
        /// The field.
        field: Field,
        /// What stood there.
        value: Excerpt,
    },
    /// A CII date in a format that names no single day.
    #[error("the {field} has the date format {format}, which is not supported; use 102 (YYYYMMDD)")]
    UnsupportedDateFormat {
        /// The field.
        field: Field,
        /// The UNTDID 2379 qualifier.
        format: Excerpt,
    },
    /// An amount that is no plain decimal number.
    #[error("the {field} {value} is not a plain decimal number such as 1234.50")]
    InvalidAmount {
        /// The field.
        field: Field,
        /// What stood there.
        value: Excerpt,
    },
    /// More decimals than the currency has, and not zeros.
    #[error(
        "the {field} {value} is finer than the {exponent} decimals of {currency}; nothing is rounded here, correct the document"
    )]
    TooManyDecimals {
        /// The field.
        field: Field,
        /// What stood there.
        value: Excerpt,
        /// ISO 4217 code.
        currency: String,
        /// Decimals of the currency.
        exponent: u8,
    },
    /// An amount outside of what 128 bits hold.
    #[error("the {field} is larger than any amount that can be represented; correct the document")]
    AmountOverflow {
        /// The field.
        field: Field,
    },
    /// A currency that ISO 4217 never listed.
    #[error("{currency} is not a currency of ISO 4217; use a code such as CNY or EUR")]
    UnknownCurrency {
        /// What stood there.
        currency: Excerpt,
    },
    /// A code of ISO 4217 without minor units: metals, funds, test codes and currencies withdrawn before 2006.
    #[error("{currency} has no minor unit in ISO 4217, so amounts in it can't be read; use a current currency")]
    NoMinorUnit {
        /// The code.
        currency: String,
    },
    /// An amount in another currency than the document's.
    #[error("the {field} is in {amount} but the document's currency is {document}; ask its sender which one holds")]
    CurrencyMismatch {
        /// The field.
        field: Field,
        /// The currency of the document.
        document: String,
        /// The currency of the amount.
        amount: Excerpt,
    },
}

impl DocumentError {
    /// The reason as a stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_document",
            Self::TooLarge { .. } => "document_too_large",
            Self::UnsupportedDocument { .. } => "unsupported_document",
            Self::ErrorBody { .. } => "error_body",
            Self::NotAnInvoice { .. } => "not_an_invoice",
            Self::SeveralDocuments => "several_documents",
            Self::UnsupportedEncoding { .. } => "unsupported_encoding",
            Self::InvalidEncoding { .. } => "invalid_encoding",
            Self::Doctype => "doctype_refused",
            Self::UnknownEntity { .. } => "unknown_entity",
            Self::MalformedXml { .. } => "malformed_xml",
            Self::MalformedJson { .. } => "malformed_json",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::Truncated => "truncated_document",
            Self::LimitExceeded { .. } => "limit_exceeded",
            Self::MissingField { .. } => "missing_field",
            Self::WrongCount { .. } => "wrong_transaction_count",
            Self::WrongControlSum { .. } => "wrong_control_sum",
            Self::Template { .. } => "template",
            Self::InvalidField { .. } => "invalid_field",
            Self::ContradictoryField { .. } => "contradictory_field",
            Self::InvalidDate { .. } => "invalid_date",
            Self::UnsupportedDateFormat { .. } => "unsupported_date_format",
            Self::InvalidAmount { .. } => "invalid_amount",
            Self::TooManyDecimals { .. } => "too_many_decimals",
            Self::AmountOverflow { .. } => "amount_overflow",
            Self::UnknownCurrency { .. } => "unknown_currency",
            Self::NoMinorUnit { .. } => "no_minor_unit",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
        }
    }
}

/// A fact of a document, by the name people use for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The type code (EN 16931 BT-3).
    TypeCode,
    /// The number (BT-1).
    Number,
    /// The issue date (BT-2).
    IssueDate,
    /// The due date (BT-9).
    DueDate,
    /// The currency (BT-5).
    Currency,
    /// The amount due for payment (BT-115).
    Payable,
    /// The total tax in the document's currency (BT-110).
    Tax,
    /// The seller's legal name (BT-27).
    Seller,
    /// The buyer's legal name (BT-44).
    Buyer,
    /// A field of another kind of document, by its name there.
    Named(&'static str),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TypeCode => "type code",
            Self::Number => "number",
            Self::IssueDate => "issue date",
            Self::DueDate => "due date",
            Self::Currency => "currency",
            Self::Payable => "payable amount",
            Self::Tax => "tax amount",
            Self::Seller => "seller name",
            Self::Buyer => "buyer name",
            Self::Named(name) => name,
        })
    }
}

/// The beginning of a text from a document, shown in quotes with everything unprintable escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Characters kept.
    const LENGTH: usize = 100;

    /// The beginning of `text`.
    pub fn of(text: &str) -> Self {
        let mut kept: String = text.chars().take(Self::LENGTH).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        Self(kept)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
