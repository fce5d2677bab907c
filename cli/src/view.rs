//! How answers look to people: names instead of ids, amounts with their currency, tables where things are many.
//! Must never change what a program gets with `--json`.

use std::collections::BTreeMap;

use portolan_primitives::{AccountId, BusinessDate, MemberId, Timestamp};
use serde_json::Value;

use crate::client::Client;

/// Names asked for in one answer at most; further ids stay ids.
const MOST_NAMES: usize = 64;
/// Width of a field's name.
const LABEL: usize = 18;
const DAY_MS: u64 = 86_400_000;

/// Names of the members and accounts that an answer mentions by id.
#[derive(Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Those of accounts that are known by name here, as `harbour-bank/main`: an id follows from its name.
    pub fn known<'a>(accounts: impl Iterator<Item = &'a str>) -> Self {
        let mut names = BTreeMap::new();
        for (text, (member, account)) in accounts.filter_map(|text| Some((text, text.split_once('/')?))) {
            names.insert(MemberId::from_name(member).to_string(), member.to_owned());
            names.insert(AccountId::from_name(member, account).to_string(), text.to_owned());
        }
        Self(names)
    }

    /// Asks a node for the names that `answer` still needs.
    pub fn ask(&mut self, client: &Client, answer: &Value) {
        let mut ids = Vec::new();
        mentioned(answer, &mut ids);
        ids.retain(|id| !self.0.contains_key(*id));
        ids.sort_unstable();
        ids.dedup();
        for id in ids.into_iter().take(MOST_NAMES) {
            if let Some(name) = name_of(client, id) {
                self.0.insert(id.to_owned(), name);
            }
        }
    }

    fn get(&self, text: &str) -> Option<&str> {
        self.0.get(text).map(String::as_str)
    }
}

fn mentioned<'a>(value: &'a Value, ids: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if text.starts_with("acct1") || text.starts_with("org1") => ids.push(text),
        Value::Array(items) => items.iter().for_each(|item| mentioned(item, ids)),
        Value::Object(fields) => fields.values().for_each(|field| mentioned(field, ids)),
        _ => {}
    }
}

fn name_of(client: &Client, id: &str) -> Option<String> {
    if id.starts_with("org1") {
        let answer = client.get(&format!("/v1/members/{id}")).ok()?;
        return answer["member"]["name"].as_str().map(str::to_owned);
    }
    let answer = client.get(&format!("/v1/accounts/{id}")).ok()?;
    Some(format!("{}/{}", answer["member_name"].as_str()?, answer["account"]["name"].as_str()?))
}

/// An object field by field, nested ones indented.
pub fn tree(answer: &Value, names: &Names) -> String {
    let mut lines = Vec::new();
    describe(answer, 0, names, &mut lines);
    lines.join("\n")
}

fn describe(value: &Value, depth: usize, names: &Names, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    let entries: Vec<(String, &Value)> = match value {
        // The bare bytes are for programs; beside them stands what they mean.
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !name.ends_with("_scale"))
            .map(|(name, value)| (name.replace('_', " "), value))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (format!("{}.", index + 1), item)).collect()
        }
        other => return lines.push(format!("{indent}{}", cell(other, names))),
    };
    for (name, value) in entries {
        if is_flat(value) {
            lines.push(format!("{indent}{}", field(&name, &named_cell(&name, value, names))));
        } else {
            lines.push(format!("{indent}{name}"));
            describe(value, depth + 1, names, lines);
        }
    }
}

/// What the field `name` holds. A thing's own id stays an id: it is there to be copied, and the name stands beside it.
pub fn named_cell(name: &str, value: &Value, names: &Names) -> String {
    if name == "id" { cell(value, &Names::default()) } else { cell(value, names) }
}

/// A field's name and what it is.
pub fn field(name: &str, text: &str) -> String {
    format!("{name:<LABEL$} {text}")
}

fn is_flat(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty() || amount(value).is_some(),
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        _ => true,
    }
}

/// A value in one line: an amount with its currency, a name for an id, the kind of what has one.
pub fn cell(value: &Value, names: &Names) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(text) if text.is_empty() => "–".into(),
        Value::String(text) => names.get(text).unwrap_or(text).to_owned(),
        Value::Array(items) if items.is_empty() => "none".into(),
        Value::Array(items) => items.iter().map(|item| cell(item, names)).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let kind = || fields.keys().next().map_or("–".into(), |kind| kind.replace('_', " "));
            amount(value).unwrap_or_else(kind)
        }
        other => other.to_string(),
    }
}

/// `{currency, minor, decimal}` as people write it.
fn amount(value: &Value) -> Option<String> {
    Some(format!("{} {}", value["decimal"].as_str()?, value["currency"].as_str()?))
}

/// A moment in UTC, from ms since 1970.
pub fn instant(time: Timestamp) -> String {
    let (days, rest) = (time.0 / DAY_MS, time.0 % DAY_MS / 1_000);
    let date = BusinessDate(i32::try_from(days).unwrap_or(i32::MAX));
    format!("{date} {:02}:{:02}:{:02} UTC", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// The front of a long hash, enough to compare by eye.
pub fn short(hash: &Value) -> String {
    let text = hash.as_str().unwrap_or_default();
    if text.chars().count() > 16 {
        format!("{}…", text.chars().take(16).collect::<String>())
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> Names {
        Names(BTreeMap::from([("acct1x".to_owned(), "bright-castings/main".to_owned())]))
    }

    #[test]
    fn people_read_names_amounts_and_words() {
        let answer = json!({
            "id": "acct1x", "holder": "acct1x", "buyer": "acct1y", "outputs_scale": ["00"], "offer": null, "tags": ["a", "b"],
            "amount": { "currency": "CNY", "minor": "5", "decimal": "0.05" }, "terms": { "grace_days": 3 },
        });
        let expected = [
            "amount             0.05 CNY",
            "buyer              acct1y",
            "holder             bright-castings/main",
            "id                 acct1x",
            "offer              –",
            "tags               a, b",
            "terms",
            "  grace days         3",
        ];
        assert_eq!(tree(&answer, &names()).lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_id_is_named_by_whoever_knows_the_name() {
        let names = Names::known(["harbour-bank/main"].into_iter());
        let (bank, account) = (MemberId::from_name("harbour-bank"), AccountId::from_name("harbour-bank", "main"));
        let answer = json!({ "bank": bank.to_string(), "to": account.to_string() });
        assert_eq!(
            tree(&answer, &names).lines().collect::<Vec<_>>(),
            ["bank               harbour-bank", "to                 harbour-bank/main"]
        );
    }

    #[test]
    fn a_cell_names_the_kind_of_a_state_with_details() {
        assert_eq!(cell(&json!({ "scheduled": { "due": "2026-01-05" } }), &names()), "scheduled");
        assert_eq!(cell(&json!([]), &names()), "none");
    }

    #[test]
    fn a_moment_is_written_in_utc() {
        assert_eq!(instant(Timestamp(1_795_573_619_980)), "2026-11-25 02:26:59 UTC");
    }

    #[test]
    fn a_hash_is_cut_and_a_short_text_is_not() {
        assert_eq!(short(&json!("0123456789abcdef01")), "0123456789abcdef…");
        assert_eq!(short(&json!("0123")), "0123");
    }
}
