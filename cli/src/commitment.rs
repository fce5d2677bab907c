//! Salted commitments to a document's fields: the chain sees one hash, and whoever has a field's salt can show that field.
//!
//! `salts` keeps and destroys the owner's file, `disclosure` shows chosen fields and checks what was shown, `error` says why not. Must never
//! write a salt anywhere but into the owner's file and a disclosure of its field.

mod disclosure;
mod error;
mod salts;

use std::collections::BTreeSet;

use portolan_primitives::{Domain, Hash, hash, list_root};
use serde::{Deserialize, Serialize};

pub use disclosure::{DISCLOSURE_FORMAT, Disclosure, KeyProof, Proven, ShownField};
pub use error::DisclosureError;
pub use salts::{SaltsFile, Tombstone, destroy, read, write_new};

use crate::clock;

/// Most fields of a document.
pub const MAX_FIELDS: usize = 1_024;
/// Longest name of a field, bytes.
pub const MAX_NAME_BYTES: usize = 128;
/// Longest value of a field, bytes.
pub const MAX_VALUE_BYTES: usize = 65_536;

/// A field with the salt that hides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaltedField {
    /// Its name.
    pub name: String,
    /// Its value as text.
    pub value: String,
    /// 32 random bytes.
    pub salt: Hash,
}

/// A document's fields with their salts. Stays with the document's owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaltedDocument {
    /// The document on the chain, `doc1…`, where it was known when the salts were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The fields in order.
    pub fields: Vec<SaltedField>,
}

impl SaltedDocument {
    /// Salts each field.
    pub fn new<N: AsRef<str>>(fields: &[(N, String)]) -> Result<Self, getrandom::Error> {
        let salted = |(name, value): &(N, String)| {
            Ok(SaltedField { name: name.as_ref().into(), value: value.clone(), salt: Hash(clock::random()?) })
        };
        Ok(Self { document: None, fields: fields.iter().map(salted).collect::<Result<_, _>>()? })
    }

    /// What the chain sees: the list root of the fields' leaves.
    pub fn commitment(&self) -> Hash {
        list_root(&self.leaves())
    }

    fn leaves(&self) -> Vec<Hash> {
        self.fields.iter().map(SaltedField::leaf).collect()
    }

    /// Refuses what is no document: no field, too much, or one name twice, which would let its owner choose what to show.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), DisclosureError> {
        check_names(self.fields.iter().map(|field| (field.name.as_str(), field.value.as_str())))
    }
}

/// Names and values within their limits, each name once.
fn check_names<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Result<(), DisclosureError> {
    let mut names = BTreeSet::new();
    for (name, value) in fields {
        if name.is_empty() || name.len() > MAX_NAME_BYTES || value.len() > MAX_VALUE_BYTES {
            return Err(DisclosureError::FieldLength { name: name.chars().take(MAX_NAME_BYTES).collect() });
        }
        if !names.insert(name) {
            return Err(DisclosureError::DuplicateField { name: name.into() });
        }
    }
    match names.len() {
        0 => Err(DisclosureError::NoFields),
        found if found > MAX_FIELDS => Err(DisclosureError::TooManyFields { found }),
        _ => Ok(()),
    }
}

impl SaltedField {
    /// Hash of salt, name and value, each with its length, so that no two fields share bytes.
    pub fn leaf(&self) -> Hash {
        hash(Domain::DocumentField, &codec::Encode::encode(&(self.salt, &self.name, &self.value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_documents_have_unequal_commitments_and_each_field_counts() {
        let fields = [("number", "17".to_owned()), ("total", "100.00".to_owned())];
        let one = SaltedDocument::new(&fields).unwrap();
        assert_ne!(one.commitment(), SaltedDocument::new(&fields).unwrap().commitment());
        let mut changed = one.clone();
        changed.fields[1].value = "100.01".into();
        assert_ne!(changed.commitment(), one.commitment());
        let mut moved = one.clone();
        moved.fields.swap(0, 1);
        assert_ne!(moved.commitment(), one.commitment());
    }

    fn checked(fields: &[(&str, String)]) -> Result<(), DisclosureError> {
        SaltedDocument::new(fields).unwrap().check()
    }

    #[test]
    fn a_name_that_stands_twice_is_refused_by_name() {
        let twice = [("number", "17".to_owned()), ("total", "1".into()), ("number", "18".into())];
        assert_eq!(checked(&twice), Err(DisclosureError::DuplicateField { name: "number".into() }));
        // A name is the text itself: two that only look alike are two.
        assert_eq!(checked(&[("number", "17".to_owned()), ("Number", "17".into())]), Ok(()));
    }

    #[test]
    fn the_limits_of_a_document_hold() {
        assert_eq!(checked(&[]), Err(DisclosureError::NoFields));
        let most: Vec<(String, String)> = (0..MAX_FIELDS).map(|number| (number.to_string(), String::new())).collect();
        assert_eq!(SaltedDocument::new(&most).unwrap().check(), Ok(()));
        let more = [most, vec![("one more".into(), String::new())]].concat();
        let found = MAX_FIELDS + 1;
        assert_eq!(SaltedDocument::new(&more).unwrap().check(), Err(DisclosureError::TooManyFields { found }));
        let long = "n".repeat(MAX_NAME_BYTES);
        assert_eq!(checked(&[(&long, "v".repeat(MAX_VALUE_BYTES))]), Ok(()));
        let too_long = |name: &str| Err(DisclosureError::FieldLength { name: name.into() });
        assert_eq!(checked(&[(&format!("{long}n"), String::new())]), too_long(&long));
        assert_eq!(checked(&[("total", "v".repeat(MAX_VALUE_BYTES + 1))]), too_long("total"));
        assert_eq!(checked(&[("", "1".into())]), too_long(""));
    }
}
