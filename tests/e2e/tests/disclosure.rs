//! The life of a document's salts and of its place in the register on a devnet of four nodes: shown, checked without a node, destroyed.

use std::path::{Path, PathBuf};

use portolan_e2e::{Devnet, Said, fixture};
use serde_json::{Value, json};

const BUYER: &str = "atlas-motors/main";
const SELLER: &str = "bright-castings/main";
const SUPPLIER: &str = "cedar-tooling/main";
const PLATFORM: &str = "portolan-platform/main";
const BANK: &str = "harbour-bank/main";
const FACE: &str = "4675.00DKK";

/// A devnet with a folder for files.
struct Desk {
    net: Devnet,
    files: tempfile::TempDir,
}

impl Desk {
    fn up() -> Self {
        Self { net: Devnet::up(), files: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    fn says(&self, account: &str, words: &[&str]) -> Said {
        self.net.portolan(&[&["--as", account], words].concat())
    }

    fn does(&self, account: &str, words: &[&str]) -> Value {
        self.says(account, words).done().json()
    }

    fn refuses(&self, account: &str, words: &[&str], code: &str) {
        let said = self.says(account, words);
        assert_eq!((said.code, said.json()["error"]["code"].as_str()), (1, Some(code)), "{said:?}");
    }

    /// As whoever has the file and the chain-spec, and no node: nobody listens on the discard port.
    fn offline(&self, words: &[&str]) -> Said {
        self.net.portolan(&[&["--node", "http://127.0.0.1:9"], words].concat())
    }

    fn verified(&self, file: &Path) -> Value {
        self.offline(&["document", "verify", text(file)]).done().json()
    }

    fn not_verified(&self, file: &Path, more: &[&str], code: &str) {
        let said = self.offline(&[&["document", "verify", text(file)], more].concat());
        assert_eq!((said.code, said.json()["error"]["code"].as_str()), (1, Some(code)), "{said:?}");
    }

    /// An accepted order from the buyer to the seller.
    fn order(&self) -> String {
        let offer = ["order", "offer", "--seller", SELLER, "--total", FACE];
        let days = ["--deliver-from", "2013-04-10", "--deliver-until", "2013-05-10"];
        let order = self.does(BUYER, &[&offer[..], &days].concat());
        let order = order["document"].as_str().unwrap().to_owned();
        self.does(SELLER, &["order", "accept", &order]);
        order
    }

    fn registers(&self, file: &Path, order: &str, salts: &Path) -> Said {
        let what = ["document", "register", text(file), "--seller", SELLER, "--buyer", BUYER, "--order", order];
        self.says(SELLER, &[&what[..], &["--no-match", "--salts", text(salts)]].concat())
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The file with one change, beside it.
fn altered(path: &Path, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut value = read(path);
    change(&mut value);
    let altered = path.with_extension("altered.json");
    std::fs::write(&altered, value.to_string()).unwrap();
    altered
}

fn id(account: &str) -> String {
    let (member, account) = account.split_once('/').unwrap();
    portolan_primitives::AccountId::from_name(member, account).to_string()
}

fn hex_of(account: &str) -> String {
    let (member, account) = account.split_once('/').unwrap();
    portolan_primitives::hex::encode(&portolan_primitives::AccountId::from_name(member, account).0)
}

#[test]
fn fields_are_shown_checked_without_a_node_and_never_again_once_their_salts_are_destroyed() {
    let desk = Desk::up();
    let invoice_file = fixture("invoices/en16931-cii/CII_example4.xml");
    let (salts, backup) = (desk.file("invoice.salts.json"), desk.file("backup.json"));
    let order = desk.order();
    let invoice = desk.registers(&invoice_file, &order, &salts).done().json();
    let invoice = invoice["document"].as_str().unwrap().to_owned();
    std::fs::copy(&salts, &backup).unwrap();
    let kept = read(&salts);
    let value = |name: &str| {
        let field = kept["fields"].as_array().unwrap().iter().find(|field| field["name"] == name).unwrap();
        field["value"].as_str().unwrap().to_owned()
    };

    // Open: whoever has it.
    let open = desk.file("open.json");
    let show = ["document", "disclose", text(&salts), "--field", "number", "--field", "due_date", "--out", text(&open)];
    desk.does(SELLER, &show);
    let proven = desk.verified(&open);
    let fields = json!([
        { "name": "number", "value": value("number") },
        { "name": "due_date", "value": value("due_date") },
    ]);
    assert_eq!((&proven["verified"], &proven["fields"], &proven["of_fields"]), (&json!(true), &fields, &json!(8)));
    assert_eq!((&proven["document"], &proven["kind"]), (&json!(invoice), &json!("invoice")));
    assert_eq!((&proven["owner"], &proven["salts_erased"]), (&json!(id(SELLER)), &Value::Null));
    assert!(proven["registered"]["height"].as_u64() <= proven["height"].as_u64(), "{proven}");
    // The proof shows the owner, and neither the other party nor the amount.
    let travels = std::fs::read_to_string(&open).unwrap();
    assert!(travels.contains(&hex_of(SELLER)) && !travels.contains(&hex_of(BUYER)), "{travels}");
    assert!(!travels.contains(&value("buyer")) && !travels.contains(&value("seller")), "{travels}");

    // Tampered with, of another network, of another document.
    desk.not_verified(&altered(&open, |it| it["fields"][0]["value"] = json!("1")), &[], "field_differs");
    desk.not_verified(&altered(&open, |it| it["fields"][1]["salt"] = json!("11".repeat(32))), &[], "field_differs");
    let cut = altered(&open, |it| drop(it["fields"][0]["siblings"].as_array_mut().unwrap().pop()));
    desk.not_verified(&cut, &[], "missing_leaf");
    desk.not_verified(&altered(&open, |it| it["document"] = json!(order)), &[], "other_document");
    let elsewhere = ["--chain", &"11".repeat(32), "--validators-hash", &"22".repeat(32)];
    desk.not_verified(&open, &elsewhere, "other_chain");
    let absent = ["document", "disclose", text(&salts), "--field", "iban"];
    desk.refuses(SELLER, &absent, "unknown_field");
    desk.refuses(SELLER, &[&absent[..3], &["--field", "number", "--document", &order]].concat(), "other_document");

    // For the buyer alone.
    let addressed = desk.file("addressed.json");
    let show = ["document", "disclose", text(&salts), "--field", "payable_minor", "--out", text(&addressed)];
    desk.does(SELLER, &[&show[..], &["--to", BUYER]].concat());
    let proven = desk.offline(&["--as", BUYER, "document", "verify", text(&addressed)]).done().json();
    assert_eq!(proven["recipient"], id(BUYER));
    assert_eq!(proven["fields"], json!([{ "name": "payable_minor", "value": "467500" }]));
    desk.not_verified(&addressed, &["--as", SUPPLIER], "other_recipient");
    desk.not_verified(&altered(&addressed, |it| it["recipient"] = json!(id(SUPPLIER))), &[], "signature_fails");
    // Who is not the owner signs for nothing.
    desk.refuses(SUPPLIER, &[&show[..], &["--to", BUYER]].concat(), "not_salt_owner");

    // Destroyed by the owner, who means it.
    let second_name = desk.file("second-name");
    std::fs::hard_link(&salts, &second_name).unwrap();
    let erase = ["document", "erase", text(&salts)];
    desk.refuses(BUYER, &[&erase[..], &["--yes"]].concat(), "trade-documents::NotParty");
    desk.refuses(SELLER, &erase, "not_confirmed");
    assert_eq!(read(&salts), kept, "nothing is destroyed before the owner says so");
    let receipt = desk.does(SELLER, &[&erase[..], &["--yes"]].concat());
    assert_eq!(receipt["document"], json!(invoice));
    let left = std::fs::read_to_string(&second_name).unwrap();
    for field in kept["fields"].as_array().unwrap() {
        assert!(!left.contains(field["salt"].as_str().unwrap()), "{left}");
    }
    let again = desk.does(SELLER, &[&erase[..], &["--yes"]].concat());
    assert_eq!(again["erased"], receipt["erased"], "the chain keeps the first receipt");
    let record = desk.does(SELLER, &["document", "root", &invoice]);
    assert_eq!(record["erased"]["height"], receipt["erased"]["height"]);

    // Shown no more, not even from a copy; what was shown before still holds.
    for file in [&salts, &backup] {
        desk.refuses(SELLER, &["document", "disclose", text(file), "--field", "number"], "salts_erased");
    }
    assert_eq!(desk.verified(&open)["fields"], fields);
}

#[test]
fn f03_an_invoice_is_proved_absent_then_registered_and_its_near_double_waits_for_two() {
    let desk = Desk::up();
    let file = fixture("invoices/en16931-cii/CII_example4.xml");
    let check = |of: &Path, proof: &Path| desk.does(BANK, &["document", "check", text(of), "--proof", text(proof)]);
    let (absence, presence) = (desk.file("absence.json"), desk.file("presence.json"));
    // A proof rests on a certified block, and the state of genesis is in none.
    let order = desk.order();
    assert_eq!(check(&file, &absence)["standing"], "free");
    assert_eq!(desk.verified(&absence)["standing"], "absent");

    let first = desk.registers(&file, &order, &desk.file("a.salts.json")).done().json();
    let found = check(&file, &presence);
    assert_eq!((&found["standing"], &found["registered"]["invoice"]), (&json!("registered"), &first["document"]));
    assert_eq!(found["registered"]["height"], first["height"]);
    assert_eq!(desk.verified(&presence)["registered"], found["registered"]);
    // An old proof holds for its own block; a file that says otherwise than its proof, or is of another invoice, is refused.
    assert!(desk.verified(&absence)["height"].as_u64() < first["height"].as_u64());
    desk.not_verified(&altered(&presence, |it| it["registered"] = Value::Null), &[], "answer_differs");
    desk.not_verified(&altered(&absence, |it| it["fingerprint"] = json!("11".repeat(32))), &[], "other_fingerprint");
    let blind = ["--chain", &"11".repeat(32), "--validators-hash", &"22".repeat(32)];
    desk.not_verified(&absence, &blind, "no_chain_secret");
    // The salts of a refused registration commit to nothing, and are not kept.
    let unused = desk.file("unused.salts.json");
    let again = desk.registers(&file, &order, &unused);
    assert_eq!(again.json()["error"]["code"], "trade-documents::DuplicateInvoice", "{again:?}");
    assert!(!unused.exists());

    // The same number and parties under another date.
    let near = desk.file("near.xml");
    let document = std::fs::read_to_string(&file).unwrap();
    assert!(document.contains("20130410"));
    std::fs::write(&near, document.replacen("20130410", "20130409", 1)).unwrap();
    assert_eq!(desk.does(BANK, &["document", "check", text(&near)])["standing"], "near");
    let second = desk.registers(&near, &order, &desk.file("b.salts.json")).done().json();
    let second = second["document"].as_str().unwrap();
    let waiting = desk.does(PLATFORM, &["document", "reviews"]);
    assert_eq!(waiting["reviews"][0]["invoice"], second, "{waiting}");
    let held = "trade-documents::InvoiceState";
    desk.refuses(SELLER, &["document", "match", second], held);
    desk.refuses(SELLER, &["document", "release", second], "trade-documents::NotParty");
    desk.does(BUYER, &["document", "release", second]);
    desk.refuses(BUYER, &["document", "release", second], "trade-documents::ReleasedAlready");
    desk.refuses(SELLER, &["document", "match", second], held);
    desk.does(PLATFORM, &["document", "release", second]);
    assert_eq!(desk.does(SELLER, &["document", "review", second])["state"], "registered");
}

#[test]
fn a_document_is_committed_to_before_it_is_issued_and_acts_have_nouns() {
    let desk = Desk::up();
    let (fields, salts) = (desk.file("lines.json"), desk.file("lines.salts.json"));
    std::fs::write(&fields, r#"{"line_1":"castings","line_1_quantity":40,"line_1_quantity":41}"#).unwrap();
    let commit = ["document", "commit", text(&fields)];
    let twice = desk.offline(&commit);
    assert_eq!((twice.code, &twice.json()["error"]["code"]), (1, &json!("duplicate_field")), "{twice:?}");
    std::fs::write(&fields, r#"{"line_1":"castings","line_1_quantity":40}"#).unwrap();
    let root = desk.offline(&commit).done().json();
    let root = root["commitment"].as_str().unwrap().to_owned();
    let offer = ["order", "offer", "--seller", SELLER, "--total", FACE, "--lines", &root];
    let days = ["--deliver-from", "2013-04-10", "--deliver-until", "2013-05-10"];
    let order = desk.does(BUYER, &[&offer[..], &days].concat());
    let order = order["document"].as_str().unwrap();
    let shown = desk.file("order.json");
    let show = ["document", "disclose", text(&salts), "--field", "line_1_quantity", "--out", text(&shown)];
    let unnamed = desk.says(BUYER, &show);
    assert_eq!(unnamed.code, 2, "the salts don't say of which document they are: {unnamed:?}");
    desk.does(BUYER, &[&show[..], &["--document", order]].concat());
    let proven = desk.verified(&shown);
    assert_eq!(proven["fields"], json!([{ "name": "line_1_quantity", "value": "40" }]));
    assert_eq!((&proven["kind"], &proven["owner"]), (&json!("order"), &json!(id(BUYER))));

    // A promise, by its noun, and a question about it.
    desk.does(BANK, &["settlement", "serve", "1000000.00DKK"]);
    let promise = ["promise", "make", "--payee", SELLER, "--bank", "harbour-bank", "--amount", "5.00DKK"];
    let made = desk.does(BUYER, &[&promise[..], &["--due", "2013-04-30", "--class", "ordinary"]].concat());
    assert_eq!(made["output"], 0);
    let owed = desk.does(SELLER, &["promise", "owed"]);
    assert_eq!(owed["payables"][0]["terms"]["amount"]["decimal"], "5.00", "{owed}");
    desk.refuses(SELLER, &["promise", "write-off", "0", "--payer", BUYER], "settlement::PayableState");
}
