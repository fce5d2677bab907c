//! A forward-only reader of XML elements with hard limits: one pass, no tree, nothing outside of the document is ever
//! opened.
//!
//! The syntaxes say what they want as a table of [`Step`]s; [`Elements::visit`] walks the document along it and skips
//! the rest. Names match by namespace and local name, never by prefix. A DOCTYPE is refused, so there are no entities
//! but XML's own five and numbers.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::error::{DocumentError, Excerpt};
use super::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_NAMESPACES, MAX_VALUE_BYTES};

/// One element that a syntax wants to read, below the element whose table holds it.
pub struct Step<F: 'static> {
    /// Namespace.
    pub space: &'static str,
    /// Local name.
    pub name: &'static str,
    /// What to do with it.
    pub goal: Goal<F>,
}

/// What a [`Step`] leads to.
pub enum Goal<F: 'static> {
    /// Elements inside are wanted.
    Inside(&'static [Step<F>]),
    /// The element's own text is wanted.
    Value(F),
    /// Only that the element is there is wanted.
    Presence(F),
}

impl<F> Step<F> {
    /// A step to the elements inside of this one.
    pub const fn inside(space: &'static str, name: &'static str, steps: &'static [Step<F>]) -> Self {
        Self { space, name, goal: Goal::Inside(steps) }
    }

    /// A step to the text of this element.
    pub const fn value(space: &'static str, name: &'static str, field: F) -> Self {
        Self { space, name, goal: Goal::Value(field) }
    }

    /// A step that notes that this element is there.
    pub const fn presence(space: &'static str, name: &'static str, field: F) -> Self {
        Self { space, name, goal: Goal::Presence(field) }
    }
}

/// The text of an element that was wanted, white space collapsed to single spaces.
#[derive(Debug, Default)]
pub struct Value {
    /// The text.
    pub text: String,
    /// The `currencyID` attribute, if any.
    pub currency: Option<String>,
    /// The `format` attribute, if any.
    pub format: Option<String>,
}

/// An element that was opened.
#[derive(Debug)]
pub struct Element<'a> {
    /// Namespace; empty for none.
    pub space: String,
    /// Local name.
    pub name: String,
    tag: BytesStart<'a>,
}

/// The elements of one document, in order.
pub struct Elements<'a> {
    reader: Reader<&'a [u8]>,
    depth: usize,
    seen_root: bool,
    bindings: Vec<Binding>,
}

/// A namespace declaration in force.
struct Binding {
    prefix: String,
    space: String,
    depth: usize,
}

/// What comes next inside an element.
enum Token<'a> {
    Open(BytesStart<'a>),
    Text(Cow<'a, str>),
    Close,
    End,
}

impl<'a> Elements<'a> {
    /// A reader of `text`.
    ///
    /// # Errors
    /// `MalformedXml` if a character occurs that XML doesn't allow.
    pub fn new(text: &'a str) -> Result<Self, DocumentError> {
        if let Some((offset, found)) = text.char_indices().find(|(_, character)| !allowed(*character)) {
            return Err(malformed(offset as u64, format!("the character U+{:04X} is not allowed", u32::from(found))));
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Ok(Self { reader, depth: 0, seen_root: false, bindings: Vec::new() })
    }

    /// The next element directly inside the present one (the root, at first); nothing when the present one closes.
    ///
    /// # Errors
    /// Those of a malformed or truncated document, and `LimitExceeded`.
    pub fn next_inside(&mut self) -> Result<Option<Element<'a>>, DocumentError> {
        loop {
            match self.token()? {
                Token::Open(tag) => return self.resolve(tag).map(Some),
                Token::Text(_) => {}
                Token::Close | Token::End => return Ok(None),
            }
        }
    }

    /// Walks the present element along `steps` to its end and hands each wanted value to `take`, in document order.
    ///
    /// # Errors
    /// As [`Self::next_inside`], and whatever `take` refuses.
    pub fn visit<F: Copy>(
        &mut self,
        steps: &'static [Step<F>],
        take: &mut impl FnMut(F, Value) -> Result<(), DocumentError>,
    ) -> Result<(), DocumentError> {
        while let Some(element) = self.next_inside()? {
            match steps.iter().find(|step| step.name == element.name && step.space == element.space) {
                None => self.skip()?,
                Some(Step { goal: Goal::Inside(steps), .. }) => self.visit(steps, take)?,
                Some(Step { goal: Goal::Value(field), .. }) => take(*field, self.value(&element)?)?,
                Some(Step { goal: Goal::Presence(field), .. }) => {
                    self.skip()?;
                    take(*field, Value::default())?;
                }
            }
        }
        Ok(())
    }

    /// Passes over the rest of the present element.
    ///
    /// # Errors
    /// As [`Self::next_inside`].
    pub fn skip(&mut self) -> Result<(), DocumentError> {
        let outside = self.depth - 1;
        while self.depth > outside {
            if let Token::End = self.token()? {
                return Err(DocumentError::Truncated);
            }
        }
        Ok(())
    }

    /// Checks that nothing but comments, processing instructions and white space follows the root.
    ///
    /// # Errors
    /// As [`Self::next_inside`].
    pub fn finish(&mut self) -> Result<(), DocumentError> {
        match self.token()? {
            Token::End => Ok(()),
            _ => Err(self.malformed("something follows the end of the root element")),
        }
    }

    /// The text directly inside the present element, to its end, as it was written; `inner` takes each element inside and
    /// must read it to its end.
    ///
    /// # Errors
    /// As [`Self::next_inside`], and whatever `inner` refuses.
    pub fn contents(
        &mut self,
        mut inner: impl FnMut(Element<'a>, &mut Self) -> Result<(), DocumentError>,
    ) -> Result<String, DocumentError> {
        let mut raw = String::new();
        loop {
            match self.token()? {
                Token::Open(tag) => {
                    let element = self.resolve(tag)?;
                    inner(element, self)?;
                }
                Token::Text(piece) => raw.push_str(&piece),
                Token::Close | Token::End => return Ok(raw),
            }
        }
    }

    /// The attributes of `element` in their order, without namespace declarations and without those of XML Schema
    /// instances, which say where a schema lies and nothing about the document. A name with a prefix has its namespace
    /// in braces instead.
    ///
    /// # Errors
    /// As [`Self::next_inside`].
    pub fn attributes(&self, element: &Element<'a>) -> Result<Vec<(String, String)>, DocumentError> {
        let mut found = Vec::new();
        for attribute in element.tag.attributes() {
            let attribute = attribute.map_err(|error| self.malformed(&error.to_string()))?;
            let name = attribute.key.into_inner();
            let prefix = name.split_once(':').map(|(prefix, _)| prefix);
            let binding = prefix.and_then(|prefix| self.bindings.iter().rev().find(|held| held.prefix == prefix));
            let of_schema = binding.is_some_and(|held| held.space == "http://www.w3.org/2001/XMLSchema-instance");
            if name == "xmlns" || prefix == Some("xmlns") || of_schema {
                continue;
            }
            let name = match (binding, name.split_once(':')) {
                (Some(held), Some((_, local))) => format!("{{{}}}{local}", held.space),
                _ => name.to_owned(),
            };
            let value =
                attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|error| self.refused(&error))?;
            found.push((name, value.trim().to_owned()));
        }
        Ok(found)
    }

    /// The text directly inside `element`, to its end.
    fn value(&mut self, element: &Element<'a>) -> Result<Value, DocumentError> {
        let mut raw = String::new();
        loop {
            match self.token()? {
                Token::Open(_) => self.skip()?,
                Token::Text(piece) if raw.len() + piece.len() > MAX_VALUE_BYTES => {
                    return Err(DocumentError::LimitExceeded { what: "bytes in one value", limit: MAX_VALUE_BYTES });
                }
                Token::Text(piece) => raw.push_str(&piece),
                Token::Close | Token::End => break,
            }
        }
        Ok(Value {
            text: collapse(&raw),
            currency: self.attribute(&element.tag, "currencyID")?,
            format: self.attribute(&element.tag, "format")?,
        })
    }

    /// The next token; keeps account of depth, and of what may stand outside of the root.
    fn token(&mut self) -> Result<Token<'a>, DocumentError> {
        loop {
            let start = self.reader.buffer_position();
            let event = self.reader.read_event().map_err(|error| self.refused(&error))?;
            let token = match event {
                Event::Start(tag) => self.open(tag)?,
                Event::End(_) => self.close(),
                Event::Text(text) => Token::Text(text.into_inner()),
                Event::CData(text) => Token::Text(text.into_inner()),
                Event::GeneralRef(reference) => Token::Text(self.referenced(&reference)?.into()),
                Event::DocType(_) => return Err(DocumentError::Doctype),
                Event::Decl(_) if start > 0 => {
                    return Err(self.malformed("an XML declaration stands inside the document"));
                }
                Event::Eof if self.depth > 0 => return Err(DocumentError::Truncated),
                Event::Eof if !self.seen_root => return Err(self.malformed("there is no element in it")),
                Event::Eof => Token::End,
                Event::Empty(_) | Event::Comment(_) | Event::PI(_) | Event::Decl(_) => continue,
            };
            match &token {
                Token::Text(text) if self.depth == 0 && !text.trim_ascii().is_empty() => {
                    return Err(self.malformed("text stands outside of the root element"));
                }
                Token::Text(_) if self.depth == 0 => {}
                _ => return Ok(token),
            }
        }
    }

    fn open(&mut self, tag: BytesStart<'a>) -> Result<Token<'a>, DocumentError> {
        if self.depth == 0 && self.seen_root {
            return Err(self.malformed("a second root element follows the first"));
        }
        if self.depth == MAX_DEPTH {
            return Err(DocumentError::LimitExceeded { what: "levels of elements", limit: MAX_DEPTH });
        }
        self.seen_root = true;
        self.depth += 1;
        self.declare(&tag)?;
        Ok(Token::Open(tag))
    }

    fn close(&mut self) -> Token<'a> {
        let closed = self.depth;
        let kept = self.bindings.iter().rposition(|binding| binding.depth < closed).map_or(0, |last| last + 1);
        self.bindings.truncate(kept);
        self.depth -= 1;
        Token::Close
    }

    /// Reads the namespace declarations of `tag` and checks its other attributes for form.
    fn declare(&mut self, tag: &BytesStart<'a>) -> Result<(), DocumentError> {
        for (count, attribute) in tag.attributes().enumerate() {
            if count == MAX_ATTRIBUTES {
                return Err(DocumentError::LimitExceeded { what: "attributes in one element", limit: MAX_ATTRIBUTES });
            }
            let attribute = attribute.map_err(|error| self.malformed(&error.to_string()))?;
            let name = attribute.key.into_inner();
            let Some(rest) = name.strip_prefix("xmlns") else { continue };
            let prefix = match rest.strip_prefix(':') {
                Some(prefix) => prefix,
                None if rest.is_empty() => "",
                None => continue,
            };
            if self.bindings.len() == MAX_NAMESPACES {
                return Err(DocumentError::LimitExceeded {
                    what: "namespace declarations in force",
                    limit: MAX_NAMESPACES,
                });
            }
            let space =
                attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|error| self.refused(&error))?;
            self.bindings.push(Binding { prefix: prefix.to_owned(), space: space.into_owned(), depth: self.depth });
        }
        Ok(())
    }

    /// The element that `tag` opens, by namespace and local name.
    fn resolve(&self, tag: BytesStart<'a>) -> Result<Element<'a>, DocumentError> {
        let qualified = tag.name().into_inner();
        let (prefix, name) = qualified.split_once(':').unwrap_or(("", qualified));
        let binding = self.bindings.iter().rev().find(|binding| binding.prefix == prefix);
        let space = match binding {
            Some(binding) => binding.space.clone(),
            None if prefix.is_empty() => String::new(),
            None => return Err(self.malformed(&format!("the prefix {} is not declared", Excerpt::of(prefix)))),
        };
        Ok(Element { space, name: name.to_owned(), tag })
    }

    /// The value of an attribute without namespace.
    fn attribute(&self, tag: &BytesStart<'a>, name: &str) -> Result<Option<String>, DocumentError> {
        let found = tag.try_get_attribute(name).map_err(|error| self.malformed(&error.to_string()))?;
        let Some(attribute) = found else { return Ok(None) };
        let value =
            attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|error| self.refused(&error))?;
        Ok(Some(value.trim().to_owned()))
    }

    /// The character that a numeric or predefined reference stands for.
    fn referenced(&self, reference: &BytesRef<'_>) -> Result<String, DocumentError> {
        match reference.resolve_char_ref() {
            Err(error) => Err(self.refused(&error)),
            Ok(Some(character)) if allowed(character) => Ok(character.to_string()),
            Ok(Some(_)) => Err(self.malformed("a reference names a character that is not allowed")),
            Ok(None) => match resolve_predefined_entity(reference) {
                Some(text) => Ok(text.to_owned()),
                None => Err(DocumentError::UnknownEntity { name: Excerpt::of(reference) }),
            },
        }
    }

    fn refused(&self, error: &quick_xml::Error) -> DocumentError {
        use quick_xml::errors::SyntaxError;
        use quick_xml::escape::EscapeError;
        match error {
            quick_xml::Error::Escape(EscapeError::UnrecognizedEntity(_, name)) => {
                DocumentError::UnknownEntity { name: Excerpt::of(name) }
            }
            quick_xml::Error::Syntax(SyntaxError::UnclosedDoctype) => DocumentError::Doctype,
            quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                malformed(self.reader.error_position(), printable(&error.to_string()))
            }
            quick_xml::Error::Syntax(_) => DocumentError::Truncated,
            other => malformed(self.reader.error_position(), printable(&other.to_string())),
        }
    }

    fn malformed(&self, reason: &str) -> DocumentError {
        malformed(self.reader.buffer_position(), printable(reason))
    }
}

fn malformed(offset: u64, reason: String) -> DocumentError {
    DocumentError::MalformedXml { offset, reason }
}

/// A reason that may quote the document, cut and without anything that a terminal would act on.
fn printable(reason: &str) -> String {
    reason.chars().take(160).flat_map(char::escape_debug).collect()
}

/// Whether XML 1.0 allows the character in a document (section 2.2).
fn allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        _ => character >= ' ',
    }
}

/// `text` with each run of Unicode white space as one space, and none at the ends.
pub fn collapse(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !collapsed.is_empty() {
            collapsed.push(' ');
        }
        collapsed.push_str(word);
    }
    collapsed
}
