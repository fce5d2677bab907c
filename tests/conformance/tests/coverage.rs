//! `tests/coverage.md` is true: every id of the business has tests, each is there, and none that bears an id is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Failure modes, stories and worked figures that must have a test.
fn required() -> BTreeSet<String> {
    let numbers =
        |letter: char, numbers: Vec<u32>| numbers.into_iter().map(move |number| format!("{letter}{number:02}"));
    let failures = (1..=26).chain(37..=40).chain([44, 47]).collect();
    numbers('F', failures).chain(numbers('S', (1..=13).collect())).chain(numbers('W', (1..=20).collect())).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Ids and tests, as the table has them: a test is its name and its file.
fn table() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let text = std::fs::read_to_string(root().join("tests/coverage.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id"));
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let (id, tests) = (cells.next().unwrap().to_owned(), cells.last().unwrap());
        let test = |text: &str| {
            let (name, file) = text.split_once("` (").unwrap();
            (name.trim_start_matches('`').to_owned(), file.trim_end_matches(')').to_owned())
        };
        (id, tests.split(", ").map(test).collect())
    };
    rows.map(row).collect()
}

/// Every test of the sources that bears an id: names and files by id.
fn found() -> BTreeMap<String, BTreeSet<(String, String)>> {
    let (root, mut found) = (root(), BTreeMap::<String, BTreeSet<(String, String)>>::new());
    let mut folders =
        ["cli", "contracts", "node", "runtime", "tests", "chain-spec"].map(|name| root.join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                for name in tests_of(&std::fs::read_to_string(&path).unwrap()) {
                    for id in ids_of(&name) {
                        found.entry(id).or_default().insert((name.clone(), file.clone()));
                    }
                }
            }
        }
    }
    found
}

/// Functions under `#[test]`.
fn tests_of(source: &str) -> Vec<String> {
    let (mut names, mut is_test) = (vec![], false);
    for line in source.lines().map(str::trim_start) {
        match line.strip_prefix("fn ") {
            Some(rest) => {
                names.extend(is_test.then(|| rest.split(['(', '<']).next().unwrap().to_owned()));
                is_test = false;
            }
            None => {
                is_test = line.starts_with("#[test]") || (is_test && (line.starts_with("#[") || line.starts_with("//")))
            }
        }
    }
    names
}

/// `f13_w13_a_due_date` bears F13 and W13.
fn ids_of(name: &str) -> Vec<String> {
    let is_id = |part: &&str| {
        let (letter, digits) = part.split_at_checked(1).unwrap_or_default();
        matches!(letter, "f" | "s" | "w") && digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    name.split('_').take_while(is_id).map(str::to_ascii_uppercase).collect()
}

#[test]
fn every_id_has_tests_and_the_table_names_them_all() {
    let (table, found) = (table(), found());
    let missing: Vec<String> = required().into_iter().filter(|id| !table.contains_key(id)).collect();
    assert_eq!(missing, [] as [String; 0], "ids without a row in tests/coverage.md");
    for (id, tests) in &table {
        let real = found.get(id).cloned().unwrap_or_default();
        let gone: Vec<_> = tests.difference(&real).collect();
        assert!(gone.is_empty(), "{id}: tests/coverage.md names tests that are not there: {gone:?}");
    }
    for (id, tests) in &found {
        let listed = table.get(id).cloned().unwrap_or_default();
        let left_out: Vec<_> = tests.difference(&listed).collect();
        assert!(left_out.is_empty(), "{id}: tests/coverage.md leaves out {left_out:?}");
    }
}

#[test]
fn ids_are_read_off_names() {
    assert_eq!(ids_of("f13_w13_a_due_date"), ["F13", "W13"]);
    assert_eq!(ids_of("a_due_date_w13"), [] as [String; 0]);
    assert_eq!(ids_of("first_comes"), [] as [String; 0]);
    assert_eq!(
        tests_of("#[test]\n/// Why.\nfn f01_a() {}\nfn f02_b() {}\n    #[test]\n    fn f03_c(\n"),
        ["f01_a", "f03_c"]
    );
}
