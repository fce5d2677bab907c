//! The configuration: layers in their order, wrong names with the right one, what must not be.

use std::path::Path;

use portolan_node::config::{Config, ConfigError};

const FILE: &str = r#"
spec = "chain-spec.json"
member = "harbour-bank"

[api]
listen = "127.0.0.1:8081"

[p2p]
listen = "127.0.0.1:0"
peers = ["customs@127.0.0.1:4002"]

[keys]
validator = "keys/validator.pem"
passphrase_file = "passphrase"
"#;

fn load_with(text: &str, environment: &[(&str, &str)], flags: &[&str]) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    std::fs::write(&path, text).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    Config::load(&path, environment, &flags)
}

fn load(text: &str) -> Result<Config, ConfigError> {
    load_with(text, &[], &[])
}

fn message(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

#[test]
fn environment_goes_over_the_file_and_flags_over_both() {
    let environment =
        [("PORTOLAN_NODE_API_LISTEN", "127.0.0.1:1"), ("PORTOLAN_NODE_MEMBER", "customs"), ("HOME", "/x")];
    let config = load_with(FILE, &environment, &["api.listen=127.0.0.1:2", "p2p.peers=a@h:1, h:2"]).unwrap();
    assert_eq!(config.api.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.member, "customs");
    assert_eq!(config.p2p.peers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a@h:1", "h:2"]);
    assert_eq!(config.p2p.listen.to_string(), "127.0.0.1:0");
}

#[test]
fn paths_are_taken_from_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    std::fs::write(&path, FILE).unwrap();
    let config = Config::load(&path, std::iter::empty(), &[]).unwrap();
    assert_eq!(config.home, folder.path().join(""));
    assert_eq!(config.spec, folder.path().join("chain-spec.json"));
    assert_eq!(config.keys.passphrase_file.as_deref(), Some(folder.path().join("passphrase").as_path()));
}

#[test]
fn a_wrong_name_is_an_error_with_the_right_one() {
    let in_file = message(&FILE.replace("[p2p]\nlisten", "[p2p]\nlisen"));
    assert!(in_file.contains("`p2p.lisen`") && in_file.contains("did you mean `p2p.listen`"), "{in_file}");
    let group = message(&FILE.replace("[api]", "[apis]"));
    assert!(group.contains("`apis`"), "{group}");
    let variable = load_with(FILE, &[("PORTOLAN_NODE_API_LISTN", "x")], &[]).unwrap_err().to_string();
    assert!(variable.contains("did you mean `PORTOLAN_NODE_API_LISTEN`"), "{variable}");
    let flag = load_with(FILE, &[], &["store.cache=1"]).unwrap_err().to_string();
    assert!(flag.contains("did you mean `store.cache_mib`"), "{flag}");
    let far = load_with(FILE, &[], &["zzzzzzzzz=1"]).unwrap_err().to_string();
    assert!(!far.contains("did you mean"), "{far}");
}

#[test]
fn a_flag_without_a_value_is_refused() {
    assert!(matches!(load_with(FILE, &[], &["api.listen"]), Err(ConfigError::NoValue(_))));
}

#[test]
fn wrong_values_name_their_setting() {
    let address = message(&FILE.replace("127.0.0.1:8081", "localhost"));
    assert!(address.contains("listen"), "{address}");
    let number = load_with(FILE, &[("PORTOLAN_NODE_STORE_CACHE_MIB", "much")], &[]).unwrap_err().to_string();
    assert!(number.contains("`store.cache_mib`"), "{number}");
    let peer = message(&FILE.replace("customs@127.0.0.1:4002", "customs"));
    assert!(peer.contains("member@host:port"), "{peer}");
    let format = load_with(FILE, &[], &["log.format=xml"]).unwrap_err().to_string();
    assert!(format.contains("json"), "{format}");
    assert!(matches!(load("member = "), Err(ConfigError::Syntax { .. })));
}

#[test]
fn an_api_that_others_reach_without_tls_is_refused() {
    let open = FILE.replace("127.0.0.1:8081", "0.0.0.0:8081");
    assert!(matches!(load(&open), Err(ConfigError::PlainTextApi(_))));
    let tls = open.replace("[p2p]", "tls_certificate = \"c\"\ntls_key = \"k\"\n[p2p]");
    assert!(load(&tls).is_ok());
    let half = open.replace("[p2p]", "tls_certificate = \"c\"\n[p2p]");
    assert!(matches!(load(&half), Err(ConfigError::HalfTls)));
}

#[test]
fn what_has_no_default_must_be_there() {
    assert!(matches!(load(&FILE.replace("spec =", "#")), Err(ConfigError::Missing("spec"))));
    assert!(matches!(load(&FILE.replace("member =", "#")), Err(ConfigError::Missing("member"))));
}

#[test]
fn the_passphrase_has_exactly_one_source() {
    assert!(matches!(load(&FILE.replace("passphrase_file", "#")), Err(ConfigError::PassphraseSources(0))));
    let two = load_with(FILE, &[("PORTOLAN_NODE_KEYS_PASSPHRASE_ENV", "P")], &[]);
    assert!(matches!(two, Err(ConfigError::PassphraseSources(2))));
}

#[test]
fn no_file_and_a_huge_file_are_named() {
    assert!(matches!(
        Config::load(Path::new("/nowhere/node.toml"), std::iter::empty(), &[]),
        Err(ConfigError::Read { .. })
    ));
    assert!(matches!(load(&"#".repeat(70_000)), Err(ConfigError::TooLarge { .. })));
}

#[test]
fn how_much_is_kept_is_bounded_and_an_archive_keeps_all() {
    let config = load(FILE).unwrap();
    assert_eq!(config.store.keep(), None, "nothing is pruned that nobody asked to prune");
    let keep = |flags: &[&str]| load_with(FILE, &[], flags).map(|config| config.store.keep());
    let pruned = keep(&["store.archive=false", "store.keep_blocks=1000", "store.keep_days=2"]).unwrap();
    assert_eq!(pruned, Some(portolan_node::store::prune::Keep { blocks: 1_000, ms: 2 * 86_400_000 }));
    let bounds = |flags: &[&str]| load_with(FILE, &[], flags).unwrap().store.bounds();
    assert_eq!(bounds(&[]).max_mib, None, "a budget is kept only where there is one");
    assert_eq!(bounds(&["store.max_disk_mib=2048"]).max_mib, Some(2_048));
    let refused = |flag| keep(&[flag]).unwrap_err().to_string();
    for (flag, said) in [
        (
            "store.keep_blocks=255",
            "`store.keep_blocks`: it is 255; it must be at least 256 and at most 9223372036854775807",
        ),
        ("store.keep_days=40000", "`store.keep_days`: it is 40000; it must be at least 0 and at most 36500"),
        ("store.keep_states=0", "`store.keep_states`: it is 0; it must be at least 1 and at most 4096"),
        ("store.keep_states=4097", "`store.keep_states`: it is 4097; it must be at least 1 and at most 4096"),
        (
            "store.max_disk_mib=1023",
            "`store.max_disk_mib`: it is 1023; it must be at least 1024 and at most 9223372036854775807",
        ),
        ("store.archive=yes", "`store.archive`: `yes` is not `true` or `false`"),
    ] {
        assert_eq!(refused(flag), said);
    }
}
