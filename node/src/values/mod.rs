//! Between SCALE and JSON by a contract's own type descriptions: calls, events, errors and answers, without a word of what
//! they mean.
//!
//! | in SCALE | in JSON |
//! |---|---|
//! | struct with names | object; `Money` besides as `{currency, minor, decimal}` |
//! | tuple, list | array; bytes and arrays of bytes as hex |
//! | enum | the variant's name in snake case, or an object with it as the one key; `Option` is the value or null |
//! | integers | numbers; text from 64 bits on where they exceed 2^53, always for 128 bits |
//! | an id | bech32m with its kind; `Hash` hex; `Currency` three letters; `BusinessDate` `YYYY-MM-DD` |
//!
//! An id's kind comes from its type's documentation: "text form `cert1…`". A named field whose documentation says "only its
//! keyed hash is stored" is read from JSON and shown as null. Must never allocate by a length that the input merely claims.

mod decode;
mod describe;
mod encode;
mod schema;
mod special;

use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, Type};

pub use decode::decode;
pub use describe::{Refusal, refusal};
pub use encode::encode;
pub use schema::Schemas;

/// Deepest nesting that is followed.
const MAX_DEPTH: u32 = 32;

/// Why a value has no other form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The description names a type that it does not have.
    #[error("the contract's description has no type {0}")]
    UnknownType(u32),
    /// A kind of type that contracts do not use.
    #[error("`{0}` is a kind of type that has no JSON form")]
    Unsupported(String),
    /// Not the SCALE of that type.
    #[error("the bytes are not a `{0}`")]
    Malformed(String),
    /// Bytes left over.
    #[error("there are {0} bytes more than the value has")]
    Leftover(usize),
    /// Deeper than any value of a contract.
    #[error("the value nests deeper than {MAX_DEPTH}")]
    TooDeep,
    /// The JSON is not of the form that the type asks for.
    #[error("{place}: {expected} is needed")]
    Expected {
        /// Where, as `terms.face`.
        place: String,
        /// What.
        expected: String,
    },
}

fn resolve(types: &PortableRegistry, ty: u32) -> Result<&Type<PortableForm>, ValueError> {
    types.resolve(ty).ok_or(ValueError::UnknownType(ty))
}

/// The last segment of a type's path.
fn name(ty: &Type<PortableForm>) -> &str {
    ty.path.segments.last().map_or("", String::as_str)
}

/// `AcceptTransfer` as `accept_transfer`.
pub fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (place, sign) in name.char_indices() {
        if sign.is_ascii_uppercase() && place > 0 {
            text.push('_');
        }
        text.push(sign.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::{Decode, Encode};
    use proptest::prelude::*;
    use scale_info::{MetaType, Registry, TypeInfo};
    use serde_json::{Value, json};

    fn described<T: TypeInfo + 'static>() -> (PortableRegistry, u32) {
        let mut registry = Registry::new();
        let id = registry.register_type(&MetaType::new::<T>()).id;
        (registry.into(), id)
    }

    fn to_json<T: TypeInfo + Encode + 'static>(value: &T) -> Value {
        let (types, id) = described::<T>();
        decode(&types, id, &value.encode()).unwrap()
    }

    fn back<T: TypeInfo + Decode + 'static>(json: &Value) -> Result<T, ValueError> {
        let (types, id) = described::<T>();
        encode(&types, id, json).map(|bytes| T::decode(&mut bytes.as_slice()).unwrap())
    }

    /// A thing; text form `thing1…`.
    #[derive(Clone, Copy, Debug, PartialEq, Encode, Decode, TypeInfo)]
    struct ThingId([u8; 32]);

    #[derive(Clone, Debug, PartialEq, Encode, Decode, TypeInfo)]
    enum Shape {
        #[codec(index = 3)]
        RoundOne,
        #[codec(index = 5)]
        Named { side: u32, label: Option<String> },
        #[codec(index = 9)]
        Wrapped(Vec<u8>),
        #[codec(index = 11)]
        Pair(i128, bool),
    }

    #[derive(Clone, Debug, PartialEq, Encode, Decode, TypeInfo)]
    struct Whole {
        id: ThingId,
        shapes: Vec<Shape>,
        large: u64,
        tiny: i8,
        code: [u8; 4],
        date: portolan_primitives::BusinessDate,
        currency: portolan_primitives::Currency,
        account: portolan_primitives::AccountId,
    }

    fn whole() -> Whole {
        Whole {
            id: ThingId([7; 32]),
            shapes: vec![
                Shape::RoundOne,
                Shape::Named { side: 4, label: None },
                Shape::Named { side: 5, label: Some("x".into()) },
                Shape::Wrapped(vec![1, 255]),
                Shape::Pair(-(1i128 << 100), true),
            ],
            large: u64::MAX,
            tiny: -5,
            code: *b"CNSH",
            date: "2026-02-14".parse().unwrap(),
            currency: "CNY".parse().unwrap(),
            account: portolan_primitives::AccountId::from_name("harbour-bank", "main"),
        }
    }

    #[test]
    fn a_value_reads_as_people_write_it() {
        let json = to_json(&whole());
        assert!(json["id"].as_str().unwrap().starts_with("thing1"));
        assert_eq!(json["shapes"][0], "round_one");
        assert_eq!(json["shapes"][1], json!({ "named": { "side": 4, "label": null } }));
        assert_eq!(json["shapes"][3], json!({ "wrapped": "01ff" }));
        assert_eq!(json["shapes"][4], json!({ "pair": [(-(1i128 << 100)).to_string(), true] }));
        assert_eq!(json["large"], u64::MAX.to_string());
        assert_eq!(json["date"], "2026-02-14");
        assert_eq!(json["currency"], "CNY");
        assert!(json["account"].as_str().unwrap().starts_with("acct1"));
    }

    #[test]
    fn what_was_written_reads_back() {
        assert_eq!(back::<Whole>(&to_json(&whole())), Ok(whole()));
    }

    #[test]
    fn a_wrong_form_is_named_with_its_place() {
        let mut json = to_json(&whole());
        json["shapes"][1] = json!({ "named": { "side": "four", "label": null } });
        let error = back::<Whole>(&json).unwrap_err();
        assert!(error.to_string().starts_with("shapes.1.named.side: "), "{error}");
        json["shapes"] = json!([]);
        json["unknown"] = json!(1);
        assert!(back::<Whole>(&json).unwrap_err().to_string().contains("unknown"));
        json.as_object_mut().unwrap().remove("unknown");
        json["id"] = json!(portolan_primitives::id::to_text("other", &[7; 32]));
        assert!(back::<Whole>(&json).unwrap_err().to_string().starts_with("id: "));
        json["id"] = to_json(&whole())["id"].clone();
        json.as_object_mut().unwrap().remove("tiny");
        assert!(back::<Whole>(&json).unwrap_err().to_string().starts_with("tiny: "));
    }

    #[test]
    fn amounts_have_their_decimals() {
        let money = portolan_terms::Money { minor: 12_000_050, currency: "CNY".parse().unwrap() };
        let json = to_json(&money);
        assert_eq!(json, json!({ "currency": "CNY", "minor": "12000050", "decimal": "120000.50" }));
        assert_eq!(back::<portolan_terms::Money>(&json), Ok(money));
        assert_eq!(back::<portolan_terms::Money>(&json!({ "currency": "CNY", "decimal": "120000.5" })), Ok(money));
    }

    /// What somebody sends.
    #[derive(Clone, Debug, PartialEq, Encode, Decode, TypeInfo)]
    struct Sent {
        /// The number on the paper, which nobody
        /// else may guess. Only its keyed hash
        /// is stored.
        number: Option<portolan_primitives::Hash>,
        /// What for.
        purpose: u8,
    }

    #[test]
    fn a_value_of_which_only_a_keyed_hash_is_stored_is_taken_and_never_shown() {
        let sent = Sent { number: Some(portolan_primitives::Hash([7; 32])), purpose: 1 };
        let bytes = sent.encode();
        let (types, id) = described::<Vec<Sent>>();
        let shown = decode(&types, id, &[&[8][..], &bytes, &bytes].concat()).unwrap();
        assert_eq!(shown, json!([{ "number": null, "purpose": 1 }, { "number": null, "purpose": 1 }]));
        let plain = json!({ "number": portolan_primitives::Hash([7; 32]), "purpose": 1 });
        assert_eq!(back::<Sent>(&plain), Ok(sent));
    }

    #[test]
    fn bytes_that_are_cut_short_or_too_long_are_refused() {
        let (types, id) = described::<Whole>();
        let bytes = whole().encode();
        for length in 0..bytes.len() {
            assert!(decode(&types, id, &bytes[..length]).is_err(), "length {length}");
        }
        assert_eq!(decode(&types, id, &[bytes, vec![0]].concat()), Err(ValueError::Leftover(1)));
    }

    #[test]
    fn a_claimed_length_is_no_allocation() {
        let (types, id) = described::<Vec<u64>>();
        assert!(decode(&types, id, &[0xfe, 0xff, 0xff, 0xff]).is_err());
        let (types, id) = described::<Vec<()>>();
        assert!(decode(&types, id, &[0xfe, 0xff, 0xff, 0xff]).is_err());
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (types, id) = described::<Whole>();
            let _ = decode(&types, id, &bytes);
        }

        #[test]
        fn every_integer_reads_back(value in any::<(u8, i16, u32, i64, u64, i128, u128)>()) {
            prop_assert_eq!(back::<(u8, i16, u32, i64, u64, i128, u128)>(&to_json(&value)), Ok(value));
        }
    }
}
