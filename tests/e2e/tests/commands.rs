//! A claim carried from order to payment by single commands of the tool, each with its refusals.

use portolan_e2e::{Devnet, Said, fixture};
use serde_json::Value;

const BANK: &str = "harbour-bank/main";
const BUYER: &str = "atlas-motors/main";
const SELLER: &str = "bright-castings/main";
const CARRIER: &str = "meridian-logistics/main";
const CUSTOMS: &str = "port-customs/main";
const SUPPLIER: &str = "cedar-tooling/main";
const FACE: &str = "4675.00DKK";

/// A devnet on which accounts act by command.
struct Desk(Devnet);

impl Desk {
    fn says(&self, account: &str, words: &[&str]) -> Said {
        self.0.portolan(&[&["--as", account], words].concat())
    }

    fn does(&self, account: &str, words: &[&str]) -> Value {
        self.says(account, words).done().json()
    }

    /// The field `name` of what a command made.
    fn makes(&self, account: &str, words: &[&str], name: &str) -> String {
        let answer = self.does(account, words);
        answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
    }

    fn refuses(&self, account: &str, words: &[&str], code: &str) {
        let said = self.says(account, words);
        assert_eq!((said.code, said.json()["error"]["code"].as_str()), (1, Some(code)), "{said:?}");
        assert_eq!(said.out.lines().count(), 1, "one object on one line");
    }

    fn balance(&self, account: &str) -> String {
        let answer = self.does(account, &["settlement", "balance"]);
        answer["deposits"][0]["balance"]["decimal"].as_str().unwrap_or_default().to_owned()
    }
}

/// The papers behind a claim.
struct Papers {
    order: String,
    bill: String,
    declaration: String,
}

fn shipped_and_cleared(desk: &Desk) -> Papers {
    let offer = ["order", "offer", "--seller", SELLER, "--total", FACE, "--cross-border"];
    let days = ["--deliver-from", "2013-04-10", "--deliver-until", "2013-05-10"];
    let order = desk.makes(BUYER, &[&offer[..], &days].concat(), "document");
    desk.does(SELLER, &["order", "accept", &order]);
    desk.refuses(SELLER, &["order", "accept", &order], "trade-documents::OrderState");
    desk.refuses(SUPPLIER, &["order", "show", &order], "trade-documents::NotParty");

    let issue = ["bill", "issue", "--number", "MAEU1", "--shipper", SELLER, "--order", &order];
    let route =
        ["--container", "CSQU3054383", "--loading", "CNSHA", "--discharge", "DKAAR", "--on-board", "2013-04-10"];
    let bill = desk.makes(CARRIER, &[&issue[..], &route].concat(), "document");
    desk.does(SELLER, &["bill", "endorse", &bill, "--to", BUYER]);
    desk.refuses(SELLER, &["bill", "endorse", &bill, "--to", SUPPLIER], "trade-documents::NotOwner");

    let lodge = ["customs", "lodge", "--customs", "port-customs", "--order", &order, "--bill", &bill];
    let goods = ["--hs-code", "732599", "--value", FACE];
    let declaration = desk.makes(SELLER, &[&lodge[..], &goods].concat(), "document");
    desk.refuses(SELLER, &["customs", "decide", &declaration, "accept"], "trade-documents::NotParty");
    desk.does(CUSTOMS, &["customs", "decide", &declaration, "accept", "release", "clear"]);
    Papers { order, bill, declaration }
}

fn registered(desk: &Desk, papers: &Papers) -> String {
    let salts = tempfile::NamedTempFile::new().unwrap();
    let salts = salts.path().with_extension("salts.json").display().to_string();
    let file = fixture("invoices/en16931-cii/CII_example4.xml").display().to_string();
    let what = ["document", "register", &file, "--seller", SELLER, "--buyer", BUYER, "--order", &papers.order];
    let with = ["--bill", &papers.bill, "--declaration", &papers.declaration, "--salts", &salts];
    let invoice = desk.makes(SELLER, &[&what[..], &with].concat(), "document");
    // The same invoice once more, in a file of its own for the salts.
    let again = format!("{salts}.again");
    let with = ["--bill", &papers.bill, "--declaration", &papers.declaration, "--salts", &again];
    desk.refuses(SELLER, &[&what[..], &with].concat(), "trade-documents::DuplicateInvoice");
    invoice
}

#[test]
fn a_claim_goes_from_order_to_payment_by_single_commands() {
    let desk = Desk(Devnet::up());
    desk.does(BANK, &["settlement", "serve", "1000000.00DKK"]);
    desk.does(BANK, &["settlement", "deposit", "--to", BUYER, FACE]);
    let invoice = registered(&desk, &shipped_and_cleared(&desk));

    let issue = ["receivable", "issue", "--invoice", &invoice, "--creditor", SELLER, "--face", FACE];
    let terms = ["--maturity", "2013-05-10", "--bank", "harbour-bank", "--accept-until", "2013-04-20"];
    let issued = desk.does(BUYER, &[&issue[..], &terms].concat());
    let (certificate, root) = (issued["certificate"].as_str().unwrap(), issued["part"].as_str().unwrap());
    desk.refuses(SUPPLIER, &["receivable", "accept", certificate], "receivable::NotCreditor");
    desk.does(SELLER, &["receivable", "accept", certificate]);

    desk.refuses(SELLER, &["receivable", "split", root, "2000.00DKK", "2675.01DKK"], "receivable::OverSplit");
    desk.refuses(SELLER, &["receivable", "split", root, "2000.00EUR", "2675.00EUR"], "receivable::WrongCurrency");
    desk.refuses(SELLER, &["receivable", "split", root, "0.00DKK", FACE], "receivable::ZeroPart");
    let split = desk.does(SELLER, &["receivable", "split", root, "2000.00DKK", "2675.00DKK"]);
    let (passed, financed) = (split["parts"][0].as_str().unwrap(), split["parts"][1].as_str().unwrap());

    let offer =
        |part, to| ["receivable", "offer", part, "--to", to, "--recourse", "without", "--expires", "2013-04-15"];
    desk.refuses(SUPPLIER, &offer(passed, SUPPLIER), "receivable::NotHolder");
    desk.does(SELLER, &offer(passed, SUPPLIER));
    let offered = desk.does(SUPPLIER, &["receivable", "list"]);
    assert_eq!(offered["parts"][0]["id"], passed, "who is offered a part sees it");
    desk.does(SUPPLIER, &["receivable", "accept-transfer", passed]);
    let path = desk.does(SUPPLIER, &["receivable", "lineage", passed]);
    assert_eq!(path["certificate"], certificate);

    let request = desk.makes(SELLER, &["financing", "request", financed], "financing");
    let offer = ["financing", "offer", &request, "--rate", "4.35", "--fee", "0.00DKK", "--recourse", "with"];
    desk.does(BANK, &[&offer[..], &["--expires", "2013-04-15", "--registry-reference", "R1"]].concat());
    desk.does(SELLER, &["financing", "accept", &request, "--offer", "0"]);
    // 30 days at 4.35 % on 2675.00: 9.70.
    assert_eq!(desk.balance(SELLER), "2665.30");
    desk.refuses(SUPPLIER, &["financing", "request", passed], "financing::AlreadyFinanced");

    let due = desk.0.portolan(&["agenda", "list"]).done().json();
    assert_eq!(due["entries"][0]["due"], "2013-05-10");
    desk.0.devnet(&["advance", "--to", "2013-05-10"]).done();
    assert_eq!(desk.balance(SUPPLIER), "2000.00");
    assert_eq!(desk.balance(BANK), "2675.00");
    assert_eq!(desk.does(BUYER, &["settlement", "show"])["obligations"][0]["state"], "paid");
    desk.does(SUPPLIER, &["settlement", "redeem", "--bank", "harbour-bank", "500.00DKK"]);
    assert_eq!(desk.balance(SUPPLIER), "1500.00");
    desk.refuses(
        SUPPLIER,
        &["settlement", "redeem", "--bank", "harbour-bank", "1500.01DKK"],
        "settlement::InsufficientDeposit",
    );
}

#[test]
fn every_answer_for_a_program_is_one_object_on_one_line() {
    let devnet = Devnet::up();
    let commands: [&[&str]; 11] = [
        &["status"],
        &["doctor"],
        &["member", "list"],
        &["member", "show", "harbour-bank"],
        &["account", "list", "harbour-bank"],
        &["contract", "list"],
        &["contract", "info", "receivable"],
        &["governance", "list"],
        &["agenda", "list"],
        &["key", "show"],
        &["--as", "harbour-bank/main", "settlement", "balance"],
    ];
    for words in commands {
        let said = devnet.portolan(words).done();
        assert_eq!(said.out.lines().count(), 1, "{words:?}: {said:?}");
        assert!(said.json().is_object(), "{words:?}: {said:?}");
    }
}

#[test]
fn wrong_use_and_a_silent_network_have_exit_codes_of_their_own() {
    let devnet = Devnet::empty();
    let wrong = devnet.portolan(&["settlement", "balance"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
    // Nobody listens on the discard port of this machine.
    let silent = devnet.portolan(&["--node", "http://127.0.0.1:9", "status"]);
    assert_eq!((silent.code, silent.json()["error"]["code"].as_str()), (3, Some("unreachable")), "{silent:?}");
}

#[test]
fn a_contract_is_called_and_asked_by_its_own_description() {
    let devnet = Devnet::up();
    let serve = r#"{"bank_account":"BANK","cap":{"currency":"DKK","minor":"100000","decimal":"1000.00"}}"#;
    let bank = portolan_primitives::AccountId::from_name("harbour-bank", "main").to_string();
    let words = ["--as", BANK, "contract", "call", "settlement", "serve", &serve.replace("BANK", &bank)];
    devnet.portolan(&words).done();
    let member = portolan_primitives::MemberId::from_name("harbour-bank").to_string();
    let ask = format!(r#"{{"bank":"{member}","currency":"DKK"}}"#);
    let book = devnet.portolan(&["contract", "query", "settlement", "book", &ask]).done().json();
    assert_eq!(book["output"]["book"]["issued"]["decimal"], "0.00", "{book}");
    let wrong = devnet.portolan(&["contract", "query", "settlement", "nonsense"]);
    assert_eq!((wrong.code, wrong.json()["error"]["code"].as_str()), (1, Some("unknown_message")), "{wrong:?}");
}
