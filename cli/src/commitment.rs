//! Salted commitments to a document's fields: the chain sees one hash, and whoever has a field's salt can show that field.

use portolan_primitives::{Domain, Hash, hash, list_root};
use serde::{Deserialize, Serialize};

use crate::clock;

/// A field with the salt that hides it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct SaltedDocument {
    /// The fields in order.
    pub fields: Vec<SaltedField>,
}

impl SaltedDocument {
    /// Salts each field.
    pub fn new(fields: &[(&str, String)]) -> Result<Self, getrandom::Error> {
        let salted = |(name, value): &(&str, String)| {
            Ok(SaltedField { name: (*name).into(), value: value.clone(), salt: Hash(clock::random()?) })
        };
        Ok(Self { fields: fields.iter().map(salted).collect::<Result<_, _>>()? })
    }

    /// What the chain sees: the list root of the fields' leaves.
    pub fn commitment(&self) -> Hash {
        list_root(&self.fields.iter().map(SaltedField::leaf).collect::<Vec<_>>())
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
}
