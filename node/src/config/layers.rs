//! Lays environment and flags over the file, and finds the name that was meant where one is wrong.

use toml::{Table, Value};

use super::ConfigError;

/// What the name of an environment variable begins with.
pub const ENVIRONMENT_PREFIX: &str = "PORTOLAN_NODE_";

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    List,
}

/// Every setting there is.
const SETTINGS: &[(&str, Kind)] = &[
    ("home", Kind::Text),
    ("spec", Kind::Text),
    ("member", Kind::Text),
    ("api.listen", Kind::Text),
    ("api.tls_certificate", Kind::Text),
    ("api.tls_key", Kind::Text),
    ("p2p.listen", Kind::Text),
    ("p2p.peers", Kind::List),
    ("keys.node", Kind::Text),
    ("keys.validator", Kind::Text),
    ("keys.passphrase_file", Kind::Text),
    ("keys.passphrase_env", Kind::Text),
    ("keys.passphrase_fd", Kind::Number),
    ("store.cache_mib", Kind::Number),
    ("store.disk_reserve_mib", Kind::Number),
    ("store.max_disk_mib", Kind::Number),
    ("store.archive", Kind::Flag),
    ("store.keep_blocks", Kind::Number),
    ("store.keep_days", Kind::Number),
    ("store.keep_states", Kind::Number),
    ("log.level", Kind::Text),
    ("log.format", Kind::Text),
];

/// The file's table with the other layers over it; every name is one of [`SETTINGS`].
pub(super) fn merge(
    path: &str,
    mut table: Table,
    environment: impl Iterator<Item = (String, String)>,
    flags: &[String],
) -> Result<Table, ConfigError> {
    check_names(path, "", &table)?;
    for (variable, text) in environment {
        if let Some(rest) = variable.strip_prefix(ENVIRONMENT_PREFIX) {
            let setting = by_variable(rest).ok_or_else(|| unknown_variable(&variable, rest))?;
            set(&mut table, setting, &text)?;
        }
    }
    for flag in flags {
        let (name, text) = flag.split_once('=').ok_or_else(|| ConfigError::NoValue(flag.clone()))?;
        let setting = by_name(name).ok_or_else(|| unknown("a flag", name))?;
        set(&mut table, setting, text)?;
    }
    Ok(table)
}

/// The error for a value that the typed configuration does not take.
pub(super) fn bad_value(error: toml::de::Error) -> ConfigError {
    let text = error.to_string();
    let name = text.split("in `").nth(1).and_then(|rest| rest.split('`').next()).unwrap_or("a value");
    let reason = text.lines().next().unwrap_or_default().to_owned();
    ConfigError::BadValue { name: name.to_owned(), reason }
}

fn by_name(name: &str) -> Option<&'static (&'static str, Kind)> {
    SETTINGS.iter().find(|(known, _)| *known == name)
}

fn variable(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

fn by_variable(rest: &str) -> Option<&'static (&'static str, Kind)> {
    SETTINGS.iter().find(|(known, _)| variable(known) == rest)
}

fn check_names(origin: &str, front: &str, table: &Table) -> Result<(), ConfigError> {
    for (key, value) in table {
        let name = format!("{front}{key}");
        let inner = format!("{name}.");
        match value {
            Value::Table(table) if SETTINGS.iter().any(|(known, _)| known.starts_with(&inner)) => {
                check_names(origin, &inner, table)?;
            }
            _ if by_name(&name).is_some() => {}
            _ => return Err(unknown(origin, &name)),
        }
    }
    Ok(())
}

fn set(table: &mut Table, (name, kind): &(&'static str, Kind), text: &str) -> Result<(), ConfigError> {
    let value = match kind {
        Kind::Text => Value::String(text.to_owned()),
        Kind::Number => {
            let wrong =
                |_| ConfigError::BadValue { name: (*name).into(), reason: format!("`{text}` is not a whole number") };
            Value::Integer(text.parse().map_err(wrong)?)
        }
        Kind::Flag => {
            let wrong = |_| ConfigError::BadValue {
                name: (*name).into(),
                reason: format!("`{text}` is not `true` or `false`"),
            };
            Value::Boolean(text.parse().map_err(wrong)?)
        }
        Kind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
        }
    };
    match name.split_once('.') {
        None => table.insert((*name).into(), value),
        Some((group, key)) => {
            let group = table.entry(group).or_insert_with(|| Value::Table(Table::new()));
            let wrong = || ConfigError::BadValue { name: (*name).into(), reason: "its group is not a table".into() };
            group.as_table_mut().ok_or_else(wrong)?.insert(key.into(), value)
        }
    };
    Ok(())
}

fn unknown(origin: &str, name: &str) -> ConfigError {
    let names = SETTINGS.iter().map(|(known, _)| (*known).to_owned());
    ConfigError::UnknownKey { origin: origin.into(), name: name.into(), suggestion: nearest(name, names) }
}

fn unknown_variable(full: &str, rest: &str) -> ConfigError {
    let names = SETTINGS.iter().map(|(known, _)| variable(known));
    let suggestion = nearest(rest, names).map(|near| format!("{ENVIRONMENT_PREFIX}{near}"));
    ConfigError::UnknownKey { origin: "the environment".into(), name: full.into(), suggestion }
}

/// The candidate that is the fewest edits away, if few enough for a typo; of several, one that begins as was written. Whoever
/// wrote the last part only, or it in another group, meant that one too.
fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |known: &str| edits(name, known).min(1 + edits(&last(name), &last(known)));
    let best = candidates.map(|known| (distance(&known), !known.starts_with(name), known)).min();
    best.filter(|(distance, ..)| *distance <= 1 + name.len() / 3).map(|(.., known)| known)
}

/// Levenshtein distance.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, sign) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(sign != *wanted);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Keys};

    #[test]
    fn edits_are_counted() {
        assert_eq!(edits("listen", "listen"), 0);
        assert_eq!(edits("lsiten", "listen"), 2);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("peer", "peers"), 1);
    }

    #[test]
    fn the_list_of_settings_is_the_typed_configurations() {
        let keys = Keys {
            validator: Some("v".into()),
            passphrase_file: Some("p".into()),
            passphrase_env: Some("E".into()),
            passphrase_fd: Some(3),
            ..Keys::default()
        };
        let api =
            crate::config::Api { tls_certificate: Some("c".into()), tls_key: Some("k".into()), ..Default::default() };
        let config = Config {
            home: "h".into(),
            spec: "s".into(),
            member: "m".into(),
            api,
            p2p: Default::default(),
            keys,
            store: crate::config::Store { max_disk_mib: Some(4_096), ..Default::default() },
            log: Default::default(),
        };
        let table: Table = config.to_toml().unwrap().parse().unwrap();
        let mut names = Vec::new();
        for (key, value) in &table {
            match value {
                Value::Table(inner) => names.extend(inner.keys().map(|inner| format!("{key}.{inner}"))),
                _ => names.push(key.clone()),
            }
        }
        names.sort();
        let mut listed: Vec<String> = SETTINGS.iter().map(|(name, _)| (*name).to_owned()).collect();
        listed.sort();
        assert_eq!(names, listed);
    }
}
