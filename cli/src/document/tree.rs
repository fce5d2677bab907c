//! A document as a tree that remembers what was read of it, for kinds with many places to look at.
//!
//! Whoever takes a value marks it. What is unmarked at the end is unknown to every reader and is kept by hash; what is
//! still a placeholder is a warning, unless a reader required it, which refuses. Elements match by local name, and only
//! if their namespace is one that [`Node::admit`] admitted: an extension in another namespace is never taken for a
//! field of the document.

use std::cell::Cell;
use std::rc::Rc;

use codec::Encode;
use portolan_primitives::BusinessDate;

use super::currency::Denomination;
use super::date;
use super::envelope::{Envelope, Money, Unknown};
use super::error::{DocumentError, Excerpt, Field};
use super::placeholder::{is_placeholder, stands_for};
use super::xml::{Element, Elements, collapse};
use super::{MAX_NODES, MAX_VALUE_BYTES};

/// An element with everything inside it.
#[derive(Debug)]
pub struct Node {
    space: Rc<str>,
    name: Rc<str>,
    /// White space collapsed; may be longer than a value may be, which is refused when it is taken.
    text: String,
    /// The text without outer white space, where that differs.
    verbatim: Option<Box<str>>,
    attributes: Vec<Attribute>,
    children: Vec<Node>,
    admitted: Cell<bool>,
    read: Cell<bool>,
}

#[derive(Debug)]
struct Attribute {
    name: String,
    value: String,
    read: Cell<bool>,
}

/// Names met so far, so that each is held once.
#[derive(Default)]
struct Names(Vec<Rc<str>>);

impl Names {
    /// The shared form of `name`. Beyond a bound, which real vocabularies stay below, names are no longer shared.
    fn shared(&mut self, name: &str) -> Rc<str> {
        if let Some(held) = self.0.iter().rev().find(|held| held.as_ref() == name) {
            return held.clone();
        }
        let shared: Rc<str> = name.into();
        if self.0.len() < 256 {
            self.0.push(shared.clone());
        }
        shared
    }
}

impl Node {
    /// Reads all of the element that `root` opened.
    ///
    /// # Errors
    /// Those of a malformed document; `LimitExceeded` for more than [`MAX_NODES`] elements and attributes.
    pub fn read<'a>(root: Element<'a>, elements: &mut Elements<'a>) -> Result<Self, DocumentError> {
        let mut left = MAX_NODES;
        Self::grow(&root, elements, &mut Names::default(), &mut left)
    }

    fn grow<'a>(
        element: &Element<'a>,
        elements: &mut Elements<'a>,
        names: &mut Names,
        left: &mut usize,
    ) -> Result<Self, DocumentError> {
        let attributes: Vec<_> = elements
            .attributes(element)?
            .into_iter()
            .map(|(name, value)| Attribute { name, value, read: Cell::new(false) })
            .collect();
        *left = left
            .checked_sub(1 + attributes.len())
            .ok_or(DocumentError::LimitExceeded { what: "elements and attributes", limit: MAX_NODES })?;
        let (space, name) = (names.shared(&element.space), names.shared(&element.name));
        let mut children = Vec::new();
        let written = elements.contents(|inner, elements| {
            children.push(Self::grow(&inner, elements, names, left)?);
            Ok(())
        })?;
        children.shrink_to_fit();
        let text = collapse(&written);
        let verbatim = (written.trim() != text).then(|| written.trim().into());
        Ok(Self {
            space,
            name,
            text,
            verbatim,
            attributes,
            children,
            admitted: Cell::new(true),
            read: Cell::new(false),
        })
    }

    /// The namespace; empty for none.
    pub fn space(&self) -> &str {
        &self.space
    }

    /// The local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says which namespaces belong to the document, for this element and all below. Those of others are no field of
    /// it from now on.
    pub fn admit(&self, belongs: &impl Fn(&str) -> bool) {
        self.admitted.set(belongs(&self.space));
        self.children.iter().for_each(|child| child.admit(belongs));
    }

    /// All elements directly inside that belong to the document.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter(|child| child.admitted.get())
    }

    /// The elements of that name directly inside.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.elements().filter(move |child| child.name() == name)
    }

    /// The first element at the path of names, each step the first of its name.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.elements().find(|child| child.name() == *name))
    }

    /// The first element of that name anywhere below, whatever its namespace, in document order, at most `levels` down.
    pub fn anywhere(&self, name: &str, levels: usize) -> Option<&Self> {
        if levels == 0 {
            return None;
        }
        self.children
            .iter()
            .find_map(|child| if child.name() == name { Some(child) } else { child.anywhere(name, levels - 1) })
    }

    /// Its text, marked as read; nothing when there is none.
    ///
    /// # Errors
    /// `LimitExceeded` if it is longer than a value may be.
    pub fn text(&self) -> Result<Option<String>, DocumentError> {
        self.read.set(true);
        if self.text.len() > MAX_VALUE_BYTES {
            return Err(DocumentError::LimitExceeded { what: "bytes in one value", limit: MAX_VALUE_BYTES });
        }
        Ok((!self.text.is_empty()).then(|| self.text.clone()))
    }

    /// Its text with the white space inside as it was written, marked as read; empty when there is none.
    ///
    /// # Errors
    /// `LimitExceeded` if it is longer than a value may be.
    pub fn verbatim(&self) -> Result<String, DocumentError> {
        let text = self.text()?.unwrap_or_default();
        match &self.verbatim {
            Some(written) if written.len() > MAX_VALUE_BYTES => {
                Err(DocumentError::LimitExceeded { what: "bytes in one value", limit: MAX_VALUE_BYTES })
            }
            Some(written) => Ok(written.to_string()),
            None => Ok(text),
        }
    }

    /// All of its attributes in their order, marked as read; a name has its namespace in braces before it if it has one.
    ///
    /// # Errors
    /// `LimitExceeded` if one is longer than a value may be.
    pub fn every_attribute(&self) -> Result<Vec<(String, String)>, DocumentError> {
        let take = |attribute: &Attribute| {
            attribute.read.set(true);
            if attribute.value.len() > MAX_VALUE_BYTES {
                return Err(DocumentError::LimitExceeded { what: "bytes in one value", limit: MAX_VALUE_BYTES });
            }
            Ok((attribute.name.clone(), attribute.value.clone()))
        };
        self.attributes.iter().map(take).collect()
    }

    /// The text of the first element at the path that has one.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn value(&self, path: &[&str]) -> Result<Option<String>, DocumentError> {
        self.at(path).map_or(Ok(None), Self::text)
    }

    /// The text at the first of several paths that has one.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn first(&self, paths: &[&[&str]]) -> Result<Option<String>, DocumentError> {
        for path in paths {
            if let Some(text) = self.value(path)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The text of every element of that name directly inside.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn values(&self, name: &str) -> Result<Vec<String>, DocumentError> {
        self.all(name).filter_map(|node| node.text().transpose()).collect()
    }

    /// The text at the path, which the kind of document requires.
    ///
    /// # Errors
    /// `MissingField` if it is absent, `Template` if it is a placeholder.
    pub fn required(&self, path: &[&str], field: &'static str) -> Result<String, DocumentError> {
        required(Field::Named(field), self.value(path)?)
    }

    /// The attribute without namespace, marked as read.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|attribute| attribute.name == name)?;
        found.read.set(true);
        Some(&found.value)
    }

    /// Its text as a day: `YYYY-MM-DD`, with or without a time and a zone behind it.
    ///
    /// # Errors
    /// `InvalidDate`, `Template`.
    pub fn date(&self, path: &[&str], field: &'static str) -> Result<Option<BusinessDate>, DocumentError> {
        let Some(written) = self.value(path)? else { return Ok(None) };
        let field = Field::Named(field);
        not_placeholder(field, &written)?;
        date::iso(field, &written).map(Some)
    }

    /// The amount at the path, in the currency that its attribute names (`currencyID`, `Ccy`), else in `otherwise`.
    ///
    /// # Errors
    /// Whatever is wrong with the amount or its currency; `MissingField` if neither says which currency.
    pub fn money(
        &self,
        path: &[&str],
        field: &'static str,
        otherwise: Option<Denomination>,
    ) -> Result<Option<Money>, DocumentError> {
        self.at(path).map_or(Ok(None), |node| node.amount(field, otherwise))
    }

    /// Its own text as an amount; see [`Self::money`].
    ///
    /// # Errors
    /// As [`Self::money`].
    pub fn amount(&self, field: &'static str, otherwise: Option<Denomination>) -> Result<Option<Money>, DocumentError> {
        let Some(written) = self.text()? else { return Ok(None) };
        let named = Field::Named(field);
        not_placeholder(named, &written)?;
        let denomination = match self.attribute("currencyID").or_else(|| self.attribute("Ccy")) {
            Some(code) => {
                not_placeholder(Field::Currency, code)?;
                Denomination::of(code)?
            }
            None => otherwise.ok_or(DocumentError::MissingField { field: Field::Currency })?,
        };
        let minor = denomination.minor_units(named, &written)?;
        Ok(Some(Money { denomination, minor }))
    }

    /// Adds to `envelope` what is left when its reader is done: the hash of what was not read, and a warning for each
    /// placeholder.
    pub fn settle(&self, envelope: &mut Envelope) {
        let mut rest = Rest::default();
        self.collect(&mut String::new(), &mut rest);
        rest.settle(envelope);
    }

    fn collect(&self, path: &mut String, rest: &mut Rest) {
        let outside = path.len();
        path.push('/');
        if !self.space.is_empty() {
            path.extend(["{", &self.space, "}"]);
        }
        path.push_str(&self.name);
        for attribute in &self.attributes {
            let inside = path.len();
            path.extend(["@", &attribute.name]);
            rest.value(path, &attribute.name, &attribute.value, attribute.read.get());
            path.truncate(inside);
        }
        if !self.text.is_empty() {
            rest.value(path, &self.name, &self.text, self.read.get());
        }
        self.children.iter().for_each(|child| child.collect(path, rest));
        path.truncate(outside);
    }
}

/// A value that a kind requires.
///
/// # Errors
/// `MissingField` if it is absent, `Template` if it is a placeholder.
pub fn required(field: Field, value: Option<String>) -> Result<String, DocumentError> {
    let value = value.ok_or(DocumentError::MissingField { field })?;
    not_placeholder(field, &value)?;
    Ok(value)
}

/// Refuses a placeholder in a field that a kind requires, or that has to be a date or a number.
///
/// # Errors
/// `Template`.
pub fn not_placeholder(field: Field, value: &str) -> Result<(), DocumentError> {
    if is_placeholder(value) {
        return Err(DocumentError::Template { field, value: Excerpt::of(value) });
    }
    Ok(())
}

/// What is left of a document when its reader is done.
#[derive(Default)]
pub struct Rest {
    hasher: blake3::Hasher,
    fields: usize,
    placeholders: Vec<(String, Excerpt)>,
}

impl Rest {
    /// Takes one value at its place: for the hash if it was not read, for the warnings if it is a placeholder.
    pub fn value(&mut self, path: &str, name: &str, value: &str, read: bool) {
        if !read {
            self.fields += 1;
            self.hasher.update(&(path, value).encode());
        }
        if stands_for(name, value) {
            self.placeholders.push((name.to_owned(), Excerpt::of(value)));
        }
    }

    /// Takes a text of JSON: in the hash it begins with a quote, so that `"1"` and `1` differ.
    pub fn text(&mut self, path: &str, name: &str, text: &str, read: bool) {
        if !read {
            self.fields += 1;
            self.hasher.update(&(path, format!("\"{text}")).encode());
        }
        self.value(path, name, text, true);
    }

    /// Adds it to the envelope.
    pub fn settle(self, envelope: &mut Envelope) {
        for (name, value) in &self.placeholders {
            let name = Excerpt::of(name);
            envelope.warn("placeholder", format!("the field {name} is still the placeholder {value}; fill it in"));
        }
        envelope.cut_warnings();
        if self.fields > 0 {
            envelope.unknown = Some(Unknown { fields: self.fields, hash: *self.hasher.finalize().as_bytes() });
        }
    }
}
