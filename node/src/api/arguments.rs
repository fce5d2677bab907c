//! Arguments of a question as people write them in a path or a query string, to SCALE by the types of its description.
//!
//! A text is tried as a value of its type as it stands (numbers, ids, dates, hashes, names of enum variants), then as the name
//! of a member or account where the type is such an id, then as JSON. What is left out is null, which only an `Option` takes;
//! a `limit` that is left out is [`DEFAULT_PAGE`].

use portolan_primitives::id::is_name;
use portolan_primitives::{AccountId, MemberId};
use portolan_sdk::metadata::{ContractMetadata, Query};
use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use serde_json::{Value, json};

use super::limits::DEFAULT_PAGE;
use super::policy::AccountReader;
use super::problem::{Answer, Problem};
use super::{bad_parameter, unknown_parameter};
use crate::values::{self, ValueError};

/// Parameters that every question takes beside its arguments.
pub const OF_ALL: [&str; 2] = ["height", "proof"];

/// SCALE of the question with these arguments, of the path and of the query string.
pub fn encode(
    metadata: &ContractMetadata,
    query: &Query,
    path: &[(String, String)],
    string: &[(String, String)],
) -> Answer<Vec<u8>> {
    check_names(query, path, string)?;
    let mut input = vec![query.message.index];
    for argument in &query.message.arguments {
        let given = path.iter().chain(string).find(|(name, _)| *name == argument.name);
        let bytes = match given {
            Some((_, text)) => from_text(&metadata.types, argument.ty, text),
            None if argument.name == "limit" && is_number(&metadata.types, argument.ty) => {
                values::encode(&metadata.types, argument.ty, &json!(DEFAULT_PAGE))
            }
            None => values::encode(&metadata.types, argument.ty, &Value::Null),
        };
        input.extend(bytes.map_err(|error| wrong(&argument.name, given.is_some(), &error))?);
    }
    Ok(input)
}

fn check_names(query: &Query, path: &[(String, String)], string: &[(String, String)]) -> Answer<()> {
    let of_question = |name: &str| query.message.arguments.iter().any(|argument| argument.name == name);
    let in_path = |name: &str| path.iter().any(|(known, _)| known == name);
    for (place, (name, _)) in string.iter().enumerate() {
        if string.iter().skip(place + 1).any(|(other, _)| other == name) || in_path(name) {
            return Err(bad_parameter(name, format!("`{name}` is there twice")));
        }
        if !of_question(name) && !OF_ALL.contains(&name.as_str()) {
            let names = query.message.arguments.iter().map(|argument| argument.name.as_str());
            let names: Vec<&str> = names.filter(|name| !in_path(name)).chain(OF_ALL).collect();
            return Err(unknown_parameter(name, &names));
        }
    }
    Ok(())
}

fn wrong(name: &str, given: bool, error: &ValueError) -> Problem {
    let detail = match error {
        ValueError::Expected { expected, .. } if given => format!("`{name}`: {expected} is needed"),
        ValueError::Expected { expected, .. } => format!("`{name}` is missing: {expected} is needed"),
        error => format!("`{name}`: {error}"),
    };
    Problem::bad("bad_argument", detail).with("parameter", name)
}

/// SCALE of the value of type `ty` that `text` is.
fn from_text(types: &PortableRegistry, ty: u32, text: &str) -> Result<Vec<u8>, ValueError> {
    let refusal = match values::encode(types, ty, &json!(text)) {
        Ok(bytes) => return Ok(bytes),
        Err(error) => error,
    };
    if let Some(id) = named(types, ty, text) {
        return values::encode(types, ty, &json!(id));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if !value.is_string() => values::encode(types, ty, &value),
        _ => Err(refusal),
    }
}

/// The id of the member or account that `text` names, if the type is such an id.
fn named(types: &PortableRegistry, ty: u32, text: &str) -> Option<String> {
    match id_type(types, ty)? {
        "MemberId" if is_name(text) => Some(MemberId::from_name(text).to_string()),
        "AccountId" => {
            let (member, account) = text.split_once('/')?;
            (is_name(member) && is_name(account)).then(|| AccountId::from_name(member, account).to_string())
        }
        _ => None,
    }
}

/// The name of a type, or of what an `Option` holds.
fn id_type(types: &PortableRegistry, ty: u32) -> Option<&str> {
    let described = types.resolve(ty)?;
    let name = described.path.segments.last().map(String::as_str)?;
    match (&described.type_def, name) {
        (TypeDef::Variant(variants), "Option") => {
            let some = variants.variants.iter().find_map(|variant| variant.fields.first())?;
            types.resolve(some.ty.id)?.path.segments.last().map(String::as_str)
        }
        _ => Some(name),
    }
}

/// Whether people may write a name where the type asks for an id, and of which form.
pub fn form_of_name(types: &PortableRegistry, ty: u32) -> Option<&'static str> {
    match id_type(types, ty)? {
        "MemberId" => Some("org1…, or the member's name"),
        "AccountId" => Some("acct1…, or member/account"),
        _ => None,
    }
}

/// Whether the type is an account's id.
pub fn is_account(types: &PortableRegistry, ty: u32) -> bool {
    id_type(types, ty) == Some("AccountId")
}

fn is_number(types: &PortableRegistry, ty: u32) -> bool {
    use TypeDefPrimitive as P;
    let definition = types.resolve(ty).map(|ty: &scale_info::Type<PortableForm>| &ty.type_def);
    matches!(definition, Some(TypeDef::Primitive(P::U8 | P::U16 | P::U32 | P::U64)))
}

/// Whether a required argument of the question in `input` is the reader's own member or account.
pub fn is_about(metadata: &ContractMetadata, input: &[u8], reader: &AccountReader) -> bool {
    let Some((index, mut rest)) = input.split_first() else { return false };
    let Some(query) = metadata.queries.iter().find(|query| query.message.index == *index) else { return false };
    for argument in &query.message.arguments {
        let own = match id_type(&metadata.types, argument.ty) {
            Some("MemberId") => &reader.member.0,
            Some("AccountId") => &reader.account.0,
            // What comes before an id is of unknown length: not worth a decoder of its own.
            _ => return false,
        };
        let is_option =
            metadata.types.resolve(argument.ty).is_some_and(|ty| matches!(ty.type_def, TypeDef::Variant(_)));
        let Some((bytes, after)) = rest.split_at_checked(own.len()) else { return false };
        if is_option {
            return false;
        }
        if bytes == own {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use portolan_primitives::{BusinessDate, Hash};
    use portolan_sdk::metadata::Builder;
    use scale_info::{MetaType, TypeInfo};

    #[derive(Encode, TypeInfo)]
    #[allow(dead_code)]
    enum State {
        #[codec(index = 3)]
        PaidInPart,
        #[codec(index = 5)]
        Other(u8),
    }

    /// A question with one argument `x` of type `T`, besides what the test needs no type for.
    fn asking<T: TypeInfo + 'static>(name: &str) -> ContractMetadata {
        let mut builder = Builder::new("any", "1", "");
        builder.query("/things", 7, "things", &[(name, MetaType::new::<T>())], MetaType::new::<()>(), "");
        builder.finish::<(), (), (), ()>()
    }

    fn encoded<T: TypeInfo + 'static>(text: &str) -> Answer<Vec<u8>> {
        let metadata = asking::<T>("x");
        encode(&metadata, &metadata.queries[0], &[], &[("x".into(), text.into())])
    }

    fn is<T: TypeInfo + Encode + 'static>(text: &str, value: T) -> bool {
        encoded::<T>(text) == Ok([vec![7], value.encode()].concat())
    }

    #[test]
    fn a_text_is_read_by_its_arguments_type() {
        assert!(is("42", 42u32));
        assert!(is("-170141183460469231731687303715884105728", i128::MIN));
        assert!(is("true", true));
        assert!(is("12", "12".to_owned()));
        assert!(is("2026-02-14", "2026-02-14".parse::<BusinessDate>().unwrap()));
        assert!(is(&Hash([5; 32]).to_string(), Hash([5; 32])));
        assert!(is("paid_in_part", State::PaidInPart));
        assert!(is(r#"{"other":4}"#, State::Other(4)));
        assert!(is("[1,2]", vec![1u16, 2]));
        assert!(is("9", Some(9u8)));
    }

    #[test]
    fn members_and_accounts_may_be_named() {
        let (member, account) = (MemberId::from_name("harbour-bank"), AccountId::from_name("harbour-bank", "main"));
        assert!(is("harbour-bank", member) && is(&member.to_string(), member));
        assert!(is("harbour-bank/main", account) && is(&account.to_string(), account));
        assert!(is("harbour-bank/main", Some(account)));
        assert_eq!(encoded::<AccountId>("harbour-bank").unwrap_err().code, "bad_argument");
    }

    #[test]
    fn a_wrong_text_is_named_with_its_argument() {
        let problem = encoded::<u8>("300").unwrap_err();
        assert_eq!((problem.status.as_u16(), problem.code.as_ref()), (400, "bad_argument"));
        assert_eq!(problem.detail, "`x`: a whole number from 0 to 255 is needed");
    }

    #[test]
    fn what_is_left_out_is_null_and_a_limit_has_a_default() {
        let without = |metadata: &ContractMetadata| encode(metadata, &metadata.queries[0], &[], &[]);
        assert_eq!(without(&asking::<Option<u32>>("from")), Ok(vec![7, 0]));
        assert!(without(&asking::<u32>("from")).unwrap_err().detail.contains("`from` is missing"));
        assert_eq!(without(&asking::<u32>("limit")), Ok([vec![7], 100u32.encode()].concat()));
    }

    #[test]
    fn a_typo_and_a_repetition_are_refused() {
        let metadata = asking::<Option<u32>>("from");
        let ask = |pairs: &[(&str, &str)]| {
            let pairs: Vec<_> = pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect();
            encode(&metadata, &metadata.queries[0], &[], &pairs).map_err(|problem| problem.code)
        };
        assert_eq!(ask(&[("form", "1")]), Err("unknown_parameter".into()));
        assert_eq!(ask(&[("from", "1"), ("from", "2")]), Err("bad_parameter".into()));
        assert!(ask(&[("from", "1"), ("height", "3"), ("proof", "true")]).is_ok());
    }

    #[test]
    fn a_question_is_about_the_reader_by_a_required_argument_alone() {
        let reader = AccountReader { account: AccountId([1; 16]), member: MemberId([2; 16]), roles: vec![] };
        let about =
            |metadata: &ContractMetadata, input: Vec<u8>| is_about(metadata, &[vec![7], input].concat(), &reader);
        let members = asking::<MemberId>("member");
        assert!(about(&members, reader.member.encode()));
        assert!(!about(&members, MemberId([9; 16]).encode()));
        assert!(!about(&members, vec![]));
        assert!(about(&asking::<AccountId>("account"), reader.account.encode()));
        assert!(!about(&asking::<Option<MemberId>>("after"), Some(reader.member).encode()));
        assert!(!is_about(&members, &[], &reader));
    }
}
