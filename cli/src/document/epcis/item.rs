//! An event as one tree, whichever syntax it was written in: lists hold their members by the names that XML gives them,
//! the names of extensions carry their namespace in braces, and the wrappers that XML 1.x needs are gone.

use super::super::MAX_NAMESPACES;
use super::super::error::{DocumentError, Excerpt, Field};
use super::super::json::{Json, Shape};
use super::super::tree::Node;

/// A field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name, with the namespace in braces before it if it has one.
    pub name: String,
    /// Its own text, without outer white space; empty for none.
    pub text: String,
    /// What stands inside.
    pub children: Vec<Self>,
    /// How it was written.
    pub form: Form,
}

/// How a value was written, for JSON; in XML everything is a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A number of JSON.
    Number,
    /// `true` or `false` of JSON.
    Flag,
    /// Fields in it.
    Group,
}

impl Item {
    /// A field with other fields in it.
    pub fn group(name: impl Into<String>, children: Vec<Self>) -> Self {
        Self { name: name.into(), text: String::new(), children, form: Form::Group }
    }

    /// The first field of that name inside.
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All fields of that name inside.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the field at the path; nothing when it is absent or empty.
    pub fn value(&self, path: &[&str]) -> Option<&str> {
        let found = path.iter().try_fold(self, |item, name| item.get(name))?;
        Some(found.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Whether it is an extension, whose name has a namespace or a prefix.
    pub fn is_extension(&self) -> bool {
        self.name.contains(['{', ':'])
    }
}

// ---- XML -----------------------------------------------------------------------------------------------------------

/// Namespaces whose names are those of the standard.
pub fn is_standard_space(space: &str) -> bool {
    space.is_empty() || space.starts_with("urn:epcglobal:epcis") || space.starts_with("urn:epcglobal:xsd:")
}

/// The name of an element: with its namespace, unless it is the standard's own.
pub fn name_of(node: &Node) -> String {
    if is_standard_space(node.space()) {
        node.name().to_owned()
    } else {
        format!("{{{}}}{}", node.space(), node.name())
    }
}

/// The event in an element.
///
/// # Errors
/// `LimitExceeded` for a value that is too long.
pub fn of_xml(node: &Node) -> Result<Item, DocumentError> {
    let mut children = Vec::new();
    for (name, value) in node.every_attribute()? {
        children.push(Item { name, text: value, children: Vec::new(), form: Form::Text });
    }
    xml_children(node, &mut children)?;
    let name = name_of(node);
    if matches!(name.as_str(), "bizTransaction" | "source" | "destination") {
        return Ok(typed(&name, node.verbatim()?, children));
    }
    let form = if children.is_empty() { Form::Text } else { Form::Group };
    Ok(Item { name, text: node.verbatim()?, children, form })
}

/// Adds what is inside, as if the wrappers of XML Schema's extension points were not there.
fn xml_children(node: &Node, children: &mut Vec<Item>) -> Result<(), DocumentError> {
    for inner in node.elements() {
        if inner.space().is_empty() && (inner.name() == "extension" || inner.name() == "baseExtension") {
            xml_children(inner, children)?;
        } else {
            children.push(of_xml(inner)?);
        }
    }
    Ok(())
}

/// A transaction, source or destination: its type, then its id.
fn typed(name: &str, id: String, attributes: Vec<Item>) -> Item {
    let mut children: Vec<Item> = attributes.into_iter().filter(|item| item.name == "type").collect();
    children.push(Item { name: name.to_owned(), text: id, children: Vec::new(), form: Form::Text });
    Item::group("", children)
}

// ---- JSON ----------------------------------------------------------------------------------------------------------

/// Prefixes and what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Prefixes(Vec<(String, String)>);

impl Prefixes {
    /// Adds those of a JSON-LD context: a text, an object, or a list of both.
    ///
    /// # Errors
    /// `LimitExceeded` for a value that is too long, or more prefixes than namespaces may be in force.
    pub fn add(&mut self, context: &Json) -> Result<(), DocumentError> {
        match &context.shape {
            Shape::List(items) => items.iter().try_for_each(|item| self.add(item)),
            Shape::Object(members) => members.iter().try_for_each(|(name, value)| self.declare(name, value)),
            _ => context.text().map(|_| ()),
        }
    }

    fn declare(&mut self, prefix: &str, value: &Json) -> Result<(), DocumentError> {
        let Some(space) = value.text()? else { return Ok(()) };
        if self.0.len() == MAX_NAMESPACES {
            let limit = MAX_NAMESPACES;
            return Err(DocumentError::LimitExceeded { what: "namespace declarations in force", limit });
        }
        self.0.retain(|(held, _)| held != prefix);
        self.0.push((prefix.to_owned(), space));
        Ok(())
    }

    /// What the prefix stands for.
    pub fn space(&self, prefix: &str) -> Option<&str> {
        self.0.iter().find(|(held, _)| held == prefix).map(|(_, space)| space.as_str())
    }

    /// The prefix that stands for `space`.
    pub fn prefix_of(&self, space: &str) -> Option<&str> {
        self.0.iter().find(|(_, held)| held == space).map(|(prefix, _)| prefix.as_str())
    }

    /// `example:field` as `{https://ns.example.com/}field`.
    fn name(&self, name: &str) -> String {
        let standard = |prefix: &str| STANDARD.iter().find(|(held, _)| *held == prefix).map(|(_, space)| *space);
        let known = |prefix: &str| self.space(prefix).or_else(|| standard(prefix));
        match name.split_once(':').and_then(|(prefix, local)| Some((known(prefix)?, local))) {
            Some((space, local)) => format!("{{{space}}}{local}"),
            None => name.to_owned(),
        }
    }

    /// `example:word` as `https://ns.example.com/word`.
    fn value(&self, text: &str) -> String {
        match text.split_once(':').and_then(|(prefix, local)| Some((self.space(prefix)?, local))) {
            Some((space, local)) => format!("{space}{local}"),
            None => text.to_owned(),
        }
    }
}

/// Prefixes of names that the standard's own context declares.
const STANDARD: [(&str, &str); 4] = [
    ("cbvmda", "urn:epcglobal:cbv:mda:"),
    ("gs1", "https://gs1.org/voc/"),
    ("cbv", "https://ref.gs1.org/cbv/"),
    ("epcis", "https://ref.gs1.org/epcis/"),
];

/// Members that say nothing about the event.
const COMMENTS: [&str; 4] = ["#text", "rdfs:comment", "comment", "@context"];

/// The event in an object, without the members to ignore.
///
/// # Errors
/// `LimitExceeded` for a value that is too long; `InvalidField` for a list where the standard has one value.
pub fn of_json(json: &Json, prefixes: &Prefixes, ignored: &[String]) -> Result<Item, DocumentError> {
    let mut prefixes = prefixes.clone();
    if let Some(context) = json.get("@context") {
        prefixes.add(context)?;
    }
    let mut children = Vec::new();
    for (name, value) in members(json) {
        if ignored.iter().any(|ignored| ignored == name) {
            // It was taken: the document says to leave it out of the hash.
            value.take_all();
        } else {
            member(name, value, &prefixes, &mut children)?;
        }
    }
    let name = json.value(&["type"])?.unwrap_or_default();
    Ok(Item::group(name, children))
}

fn members(json: &Json) -> &[(String, Json)] {
    if let Shape::Object(members) = &json.shape { members } else { &[] }
}

/// Lists of the standard, and what XML calls their members.
const LISTS: [(&str, &str); 16] = [
    ("epcList", "epc"),
    ("childEPCs", "epc"),
    ("inputEPCList", "epc"),
    ("outputEPCList", "epc"),
    ("quantityList", "quantityElement"),
    ("childQuantityList", "quantityElement"),
    ("inputQuantityList", "quantityElement"),
    ("outputQuantityList", "quantityElement"),
    ("sensorElementList", "sensorElement"),
    ("bizTransactionList", "bizTransaction"),
    ("sourceList", "source"),
    ("destinationList", "destination"),
    ("correctiveEventIDs", "correctiveEventID"),
    ("sensorReport", ""),
    ("set", ""),
    ("unset", ""),
];

/// Adds one member, with all in it.
fn member(name: &str, value: &Json, prefixes: &Prefixes, into: &mut Vec<Item>) -> Result<(), DocumentError> {
    if COMMENTS.contains(&name) {
        value.take_all();
        return Ok(());
    }
    let list = LISTS.iter().find(|(list, _)| *list == name);
    match (&value.shape, list) {
        (Shape::Null, _) => Ok(()),
        (Shape::List(items), Some((_, member))) if !member.is_empty() => {
            let mut inside = Vec::new();
            for item in items {
                listed(member, item, prefixes, &mut inside)?;
            }
            into.push(Item::group(name, inside));
            Ok(())
        }
        (Shape::List(items), Some(_)) => items.iter().try_for_each(|item| one(name, item, prefixes, into)),
        (_, Some((_, member))) if !member.is_empty() => Err(wrong(name, "it is a list")),
        (Shape::List(_), None) if SINGLE.contains(&name) => Err(wrong(name, "it is one value and no list")),
        (Shape::List(items), None) => items.iter().try_for_each(|item| one(&prefixes.name(name), item, prefixes, into)),
        _ => one(&prefixes.name(name), value, prefixes, into),
    }
}

/// Fields of which an event has one.
const SINGLE: [&str; 17] = [
    "type",
    "eventTime",
    "recordTime",
    "eventTimeZoneOffset",
    "eventID",
    "action",
    "bizStep",
    "disposition",
    "parentID",
    "transformationID",
    "readPoint",
    "bizLocation",
    "persistentDisposition",
    "errorDeclaration",
    "ilmd",
    "epcClass",
    "quantity",
];

fn wrong(name: &str, reason: &'static str) -> DocumentError {
    DocumentError::InvalidField { field: Field::Named("field"), value: Excerpt::of(name), reason }
}

/// A member of a standard list.
fn listed(member: &str, json: &Json, prefixes: &Prefixes, into: &mut Vec<Item>) -> Result<(), DocumentError> {
    if !["bizTransaction", "source", "destination"].contains(&member) {
        return one(member, json, prefixes, into);
    }
    let mut found = Vec::new();
    one("", json, prefixes, &mut found)?;
    let inner = found.into_iter().next().map(|item| item.children).unwrap_or_default();
    let id = inner.iter().find(|item| item.name == member).cloned();
    let mut children: Vec<Item> = inner.into_iter().filter(|item| item.name == "type").collect();
    children.extend(id);
    into.push(Item::group("", children));
    Ok(())
}

/// One value that is no list.
fn one(name: &str, json: &Json, prefixes: &Prefixes, into: &mut Vec<Item>) -> Result<(), DocumentError> {
    let (form, text) = match &json.shape {
        Shape::Null => return Ok(()),
        Shape::List(items) => return items.iter().try_for_each(|item| one(name, item, prefixes, into)),
        Shape::Object(inside) => {
            let mut children = Vec::new();
            for (inner, value) in inside {
                member(inner, value, prefixes, &mut children)?;
            }
            let text = json.value(&["#text"])?.unwrap_or_default();
            into.push(Item { name: name.to_owned(), text, children, form: Form::Group });
            return Ok(());
        }
        Shape::Text(_) => (Form::Text, prefixes.value(&json.text()?.unwrap_or_default())),
        Shape::Number(_) => (Form::Number, json.text()?.unwrap_or_default()),
        Shape::Flag(_) => (Form::Flag, json.text()?.unwrap_or_default()),
    };
    into.push(Item { name: name.to_owned(), text, children: Vec::new(), form });
    Ok(())
}
