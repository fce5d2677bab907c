//! Each row against the contract's own types: the flags make the message that the contract reads.

use clap::{Args, FromArgMatches};
use codec::{DecodeAll, Encode};
use portolan_interface::settlement::{self as s, PriorityClass};
use portolan_interface::trade::{self as t, CreditReason};
use portolan_interface::{AccountId, BusinessDate, Currency, Hash as ContractHash, Money, Ppm};
use portolan_primitives::id::to_text;

use super::table::TYPED;
use super::*;
use crate::args::AccountArg;
use crate::context::GlobalArgs;

const HEX: &str = "0101010101010101010101010101010101010101010101010101010101010101";

fn account(name: &str) -> AccountId {
    name.parse::<AccountArg>().unwrap().contract_id()
}

fn member(name: &str) -> portolan_interface::MemberId {
    portolan_interface::MemberId(portolan_primitives::MemberId::from_name(name).0)
}

fn document(byte: u8) -> (DocumentId, String) {
    (DocumentId([byte; 32]), to_text(DocumentId::KIND, &[byte; 32]))
}

fn cny(minor: i128) -> Money {
    Money::new(minor, Currency::CNY)
}

fn date(text: &str) -> BusinessDate {
    args::date(text).unwrap()
}

/// Parses as the program does, and encodes without a network.
fn encoded(words: &[&str]) -> CliResult<Vec<u8>> {
    let program = GlobalArgs::augment_args(Command::new("portolan"));
    let words = [&["portolan", "--as", "harbour-bank/main"][..], words].concat();
    let matches =
        extend(with_nouns(program)).try_get_matches_from(words).map_err(|error| CliError::Usage(error.to_string()))?;
    let context = Context::new(GlobalArgs::from_arg_matches(&matches).unwrap());
    let (noun, matches) = matches.subcommand().unwrap();
    let (verb, matches) = matches.subcommand().unwrap();
    let row = ROWS.iter().find(|row| (row.noun, row.verb) == (noun, verb)).unwrap();
    let act = Act::of(row).unwrap();
    act.encode(&act.arguments(&context, matches)?)
}

/// The nouns that the program has of its own.
fn with_nouns(command: Command) -> Command {
    ["settlement", "order", "bill", "customs", "document"]
        .into_iter()
        .fold(command, |it, noun| it.subcommand(Command::new(noun)))
}

fn settles(words: &[&str]) -> s::api::Call {
    s::api::Call::decode_all(&mut encoded(words).unwrap().as_slice()).unwrap()
}

fn trades(words: &[&str]) -> t::api::Call {
    t::api::Call::decode_all(&mut encoded(words).unwrap().as_slice()).unwrap()
}

fn usage(words: &[&str]) -> String {
    match encoded(words).unwrap_err() {
        CliError::Usage(text) => text,
        other => other.to_string(),
    }
}

#[test]
fn a_treasurer_quotes_exchanges_and_locks() {
    let terms = [
        "--price",
        "USD/CNY 7.1234 spread 0.2",
        "--fee",
        "80.00CNY",
        "--most",
        "250000.00USD",
        "--until",
        "2026-03-05",
    ];
    let quote = settles(&[&["fx", "quote"][..], &terms].concat());
    let price = portolan_interface::Quote {
        from: Currency(*b"USD"),
        to: Currency::CNY,
        units: 71_234,
        decimals: 4,
        spread: Ppm(2_000),
    };
    let expected = s::QuoteTerms {
        price,
        fee: cny(8_000),
        most: Money::new(25_000_000, Currency(*b"USD")),
        customer: None,
        until: date("2026-03-05"),
        until_ms: u64::MAX,
        value: None,
    };
    assert_eq!(quote, s::api::Call::Quote { dealer_account: account("harbour-bank/main"), terms: expected.clone() });
    let more = ["--customer", "atlas-motors/main", "--value-date", "2026-06-05", "--value-calendar", "demo"];
    let forward = settles(&[&["fx", "quote"][..], &terms, &more].concat());
    let value = Some(s::ValueDay { date: date("2026-06-05"), calendar: "demo".into() });
    let terms = s::QuoteTerms { customer: Some(account("atlas-motors/main")), value, ..expected };
    assert_eq!(forward, s::api::Call::Quote { dealer_account: account("harbour-bank/main"), terms });
    let exchange =
        settles(&["fx", "exchange", "7", "--dealer", "harbour-bank", "--sold", "1.00USD", "--bought", "CNY"]);
    let expected = s::api::Call::Exchange {
        account: account("harbour-bank/main"),
        dealer: member("harbour-bank"),
        number: 7,
        sold: Money::new(100, Currency(*b"USD")),
        bought: Currency::CNY,
    };
    assert_eq!(exchange, expected);
}

#[test]
fn a_promise_may_have_terms_for_being_late() {
    let words = ["promise", "make", "--payee", "atlas-motors/main", "--bank", "harbour-bank", "--amount", "9.00CNY"];
    let words = [&words[..], &["--due", "2026-04-01", "--class", "ordinary", "--reference", HEX]].concat();
    let terms = s::PayableTerms {
        payee: account("atlas-motors/main"),
        bank: member("harbour-bank"),
        amount: cny(900),
        due: date("2026-04-01"),
        class: PriorityClass::Ordinary,
        reference: ContractHash([1; 32]),
        late: None,
    };
    let payer = account("harbour-bank/main");
    assert_eq!(settles(&words), s::api::Call::Promise { payer, terms: terms.clone() });
    let late = [
        "--late-grace-days",
        "5",
        "--late-rate",
        "6",
        "--late-day-count",
        "act360",
        "--late-tax",
        "6",
        "--late-fee-minor",
        "15000",
    ];
    let charged = s::LateTerms {
        grace_days: 5,
        rate: Ppm(60_000),
        day_count: portolan_interface::DayCount::Act360,
        tax: Ppm(60_000),
        fee_minor: 15_000,
    };
    let terms = s::PayableTerms { late: Some(charged), ..terms };
    assert_eq!(settles(&[&words[..], &late].concat()), s::api::Call::Promise { payer, terms });
    // A part of them is not all of them.
    let refused = encoded(&[&words[..], &late[..2]].concat()).unwrap_err();
    assert_eq!(refused.code(), "bad_arguments", "{refused}");
}

#[test]
fn what_is_not_given_and_commits_to_what_stays_outside_is_random() {
    let words = ["promise", "write-off", "3", "--payer", "atlas-motors/main"];
    let (one, other) = (settles(&words), settles(&words));
    let s::api::Call::WriteOff { payee, payer, number, .. } = &one else { panic!("{one:?}") };
    assert_eq!((*payee, *payer, *number), (account("harbour-bank/main"), account("atlas-motors/main"), 3));
    assert_ne!(one, other);
    // A fingerprint is never made up.
    let (_, invoice) = document(1);
    let words = [
        "credit-note",
        "propose",
        "--invoice",
        &invoice,
        "--amount",
        "1.00CNY",
        "--reason",
        "return",
        "--issued",
        "2026-01-05",
    ];
    assert!(usage(&words).contains("--fingerprint"), "{}", usage(&words));
    let call = trades(&[&words[..], &["--fingerprint", HEX, "--commitment", HEX]].concat());
    let terms = t::CreditTerms {
        invoice: document(1).0,
        amount: cny(100),
        tax_minor: 0,
        reason: CreditReason::Return,
        issued: date("2026-01-05"),
        fingerprint: ContractHash([1; 32]),
        commitment: ContractHash([1; 32]),
    };
    assert_eq!(call, t::api::Call::ProposeCredit { party: account("harbour-bank/main"), terms });
}

#[test]
fn lists_are_given_item_by_item() {
    let entries = [
        "--entries",
        "payer=atlas-motors/main,number=0,payee=harbour-bank/main,minor=500",
        "--entries",
        r#"{"payer":"ACCT","number":1,"payee":"ACCT","minor":"7"}"#,
    ];
    let id = portolan_primitives::AccountId::from_name("harbour-bank", "main").to_string();
    let json = entries[3].replace("ACCT", &id);
    let words = ["netting", "propose", "--bank", "harbour-bank", "--currency", "CNY", "--until", "2026-01-09"];
    let call = settles(&[&words[..], &entries[..3], &[&json]].concat());
    let (own, other) = (account("harbour-bank/main"), account("atlas-motors/main"));
    let entries = vec![
        s::NettingEntry { payer: other, number: 0, payee: own, minor: 500 },
        s::NettingEntry { payer: own, number: 1, payee: own, minor: 7 },
    ];
    let terms =
        s::NettingTerms { bank: member("harbour-bank"), currency: Currency::CNY, entries, until: date("2026-01-09") };
    assert_eq!(call, s::api::Call::ProposeNetting { account: own, terms });
    let (receipt, text) = document(3);
    let split = trades(&["warehouse", "split", &text, "--units", "4", "--units", "6"]);
    assert_eq!(split, t::api::Call::SplitReceipt { owner: own, receipt, units: vec![4, 6] });
    for (entry, reason) in [
        ("payer=atlas-motors/main,number", "`number` is not name=value"),
        ("payer=atlas-motors/main,amount=1", "there is no `amount`; there are payer, number, payee, minor"),
        ("number=1,number=2", "`number` stands twice"),
        ("number=x", "`x` is no whole number"),
    ] {
        let words = [&words[..], &["--entries", entry]].concat();
        assert_eq!(usage(&words), format!("--entries: {reason}"));
    }
}

#[test]
fn one_message_has_a_verb_for_each_answer() {
    let (id, text) = document(3);
    let own = account("harbour-bank/main");
    let review = |release| t::api::Call::ReviewInvoice { reviewer: own, invoice: id, release };
    assert_eq!(trades(&["document", "release", &text]), review(true));
    assert_eq!(trades(&["document", "reject", &text]), review(false));
    let answer = |accepted| t::api::Call::AnswerClaim { insurer: own, policy: id, number: 2, accepted };
    assert_eq!(trades(&["policy", "accept", &text, "--number", "2", "--accepted", "5.00CNY"]), answer(Some(cny(500))));
    assert_eq!(trades(&["policy", "refuse", &text, "--number", "2"]), answer(None));
    let propose = |proposal| t::api::Call::ProposeOrder { party: own, order: id, proposal };
    assert_eq!(trades(&["order", "cancel", &text]), propose(t::OrderProposal::Cancel));
    let words = ["--lines", HEX, "--total", "9.00CNY", "--deliver-from", "2026-01-05", "--deliver-until", "2026-02-05"];
    let change = t::OrderChange {
        lines: ContractHash([1; 32]),
        total: cny(900),
        quantity: None,
        deliver_from: date("2026-01-05"),
        deliver_until: date("2026-02-05"),
    };
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let words: Vec<&str> = ["order", "change", &text].into_iter().chain(words.iter().map(String::as_str)).collect();
    assert_eq!(trades(&words), propose(t::OrderProposal::Change(change)));
}

#[test]
fn a_variant_with_a_value_is_written_with_it() {
    let (bill, text) = document(3);
    let own = account("harbour-bank/main");
    let words = ["bill", "endorse-as", &text, "--form", "named=atlas-motors/main", "--seen", "4"];
    let form = t::EndorsementForm::Named(account("atlas-motors/main"));
    let step = t::TitleStep { seen: 4, remark: None };
    assert_eq!(trades(&words), t::api::Call::Endorse { owner: own, bill, form, step });
    let rule = ["sales", "set-rule", "--bank", "harbour-bank", "--currency", "CNY", "--payout"];
    let call = |payout: &str| settles(&[&rule[..], &[payout]].concat());
    let expected = |payout| {
        let bank = member("harbour-bank");
        s::api::Call::SetSalesRule { account: own, bank, currency: Currency::CNY, lines: vec![], payout }
    };
    assert_eq!(call("collected=30"), expected(s::Payout::Collected(30)));
    assert_eq!(call("as-received"), expected(s::Payout::AsReceived));
    let wrong = usage(&[&rule[..], &["monthly"]].concat());
    assert_eq!(wrong, "--payout: `monthly` is none of as-received, collected=…");
    let without = usage(&[&rule[..], &["collected"]].concat());
    assert_eq!(without, "--payout: `collected` is none of as-received, collected=…");
}

#[test]
fn a_question_about_an_account_is_about_the_own_one() {
    let asked = encoded(&["promise", "list"]).unwrap();
    assert_eq!(asked, s::api::Query::Payables { account: account("harbour-bank/main"), from: None }.encode());
    let asked = encoded(&["promise", "show", "2", "--payer", "atlas-motors/main"]).unwrap();
    assert_eq!(asked, s::api::Query::Payable { payer: account("atlas-motors/main"), number: 2 }.encode());
    let asked = encoded(&["fx", "quotes", "--bank", "harbour-bank", "--from", "5"]).unwrap();
    assert_eq!(asked, s::api::Query::Quotes { bank: member("harbour-bank"), from: Some(5) }.encode());
}

#[test]
fn a_root_is_read_from_a_file_of_salts() {
    let path = std::env::temp_dir().join(format!("portolan-acts-{}.salts.json", std::process::id()));
    let salts = crate::commitment::SaltedDocument::new(&[("policy", "P-1".to_owned())]).unwrap();
    crate::commitment::write_new(&path, &salts).unwrap();
    let (bill, text) = document(3);
    let letter = format!("@{}", path.display());
    let call = trades(&["bill", "indemnify", &text, "--letter", &letter, "--seen", "1"]);
    std::fs::remove_file(&path).unwrap();
    let t::api::Call::GiveIndemnity { bill: of, letter, .. } = call else { panic!("{call:?}") };
    assert_eq!((of, letter.0), (bill, salts.commitment().0));
}

/// A text for a value of any type that the table's messages have.
fn sample(types: &PortableRegistry, ty: u32) -> String {
    let of = types.resolve(ty).unwrap();
    if let Some(inner) = inside_option(of) {
        return sample(types, inner);
    }
    match (name(of), &of.type_def) {
        ("AccountId", _) => "harbour-bank/main".into(),
        ("MemberId", _) => "harbour-bank".into(),
        ("Money", _) => "1.00CNY".into(),
        ("Ppm", _) => "1".into(),
        ("BusinessDate", _) => "2026-01-05".into(),
        ("Currency", _) => "CNY".into(),
        ("Quote", _) => "USD/CNY 7".into(),
        ("Hash", _) => HEX.into(),
        ("DocumentId", _) => document(1).1,
        ("PartId", _) => to_text("part", &[1; 32]),
        (_, TypeDef::Variant(variants)) => {
            let first = &variants.variants[0];
            let name = kebab(&portolan_node::values::snake(&first.name));
            match first.fields.first() {
                Some(field) => format!("{name}={}", sample(types, field.ty.id)),
                None => name,
            }
        }
        (_, TypeDef::Sequence(items)) => sample(types, items.type_param.id),
        (_, TypeDef::Array(array)) => "01".repeat(array.len as usize),
        (_, TypeDef::Primitive(TypeDefPrimitive::Str)) => "CN".into(),
        (_, TypeDef::Primitive(_)) => "1".into(),
        (_, TypeDef::Composite(composite)) => match composite.fields.as_slice() {
            [only] if only.name.is_none() => sample(types, only.ty.id),
            fields => {
                let field = |field: &scale_info::Field<_>| {
                    let field: &scale_info::Field<scale_info::form::PortableForm> = field;
                    format!("{}={}", field.name.as_deref().unwrap(), sample(types, field.ty.id))
                };
                fields.iter().map(field).collect::<Vec<_>>().join(",")
            }
        },
        (name, _) => panic!("no sample of {name}"),
    }
}

#[test]
fn every_row_has_flags_for_its_whole_message() {
    for row in ROWS {
        let act = Act::of(row).unwrap_or_else(|| panic!("{} has no {}", row.contract, row.message));
        let mut words = vec![row.noun.to_owned(), row.verb.to_owned()];
        for leaf in &act.leaves {
            match leaf.from {
                From::Own | From::Verb(_) => {}
                From::Place => words.push(sample(&act.metadata.types, leaf.ty)),
                From::Title => words.extend(["--seen".into(), "1".into()]),
                From::Flag if leaf.is_switch(&act.metadata.types) => words.push(format!("--{}", leaf.flag())),
                From::Flag => words.extend([format!("--{}", leaf.flag()), sample(&act.metadata.types, leaf.ty)]),
            }
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let bytes = encoded(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        let ty = if row.does == Does::Ask { act.metadata.query } else { act.metadata.call };
        assert!(portolan_node::values::decode(&act.metadata.types, ty, &bytes).is_ok(), "{words:?}");
        let paths = row.fixed.iter().map(|(at, _)| at).chain(row.default.iter().map(|(at, _)| at));
        for at in paths {
            let known = act.leaves.iter().any(|leaf| leaf.id() == *at || leaf.id().starts_with(&format!("{at}.")));
            assert!(known, "{} {} has no argument {at}", row.noun, row.verb);
        }
    }
}

#[test]
fn every_act_that_a_person_may_do_has_a_command() {
    for contract in [s::api::NAME, t::api::NAME] {
        for message in metadata(contract).calls {
            let inner = message.doc.starts_with("Agenda only") || message.doc.contains("` only:");
            let inner = inner || INNER.contains(&(contract, message.name.as_str()));
            let rows = ROWS.iter().filter(|row| (row.contract, row.message) == (contract, &message.name)).count();
            let typed = TYPED.contains(&(contract, message.name.as_str()));
            assert_eq!(rows > 0 || typed, !inner, "{contract}.{}: {}", message.name, message.doc);
        }
    }
    // No two rows answer to the same words.
    let mut words: Vec<_> = ROWS.iter().map(|row| (row.noun, row.verb)).collect();
    words.sort_unstable();
    assert!(words.windows(2).all(|pair| pair[0] != pair[1]));
}

/// Messages that other contracts send, and no person has a use for.
const INNER: &[(&str, &str)] = &[(s::api::NAME, "serves")];
