//! The trade story on a network of its own: a return, a dispute, a default, recourse, and books that balance.

use portolan_e2e::portolan;
use serde_json::Value;

fn minor(value: &Value) -> i128 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("minor units: {value}"))
}

fn sum(rows: &[Value], currency: &str, field: &str) -> i128 {
    rows.iter().filter(|row| row["currency"] == currency).map(|row| minor(&row[field])).sum()
}

#[test]
fn the_trade_story_ends_with_books_that_balance() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("net").display().to_string();
    let told = portolan(&["--json", "demo", "trade", "--dir", &dir]).done().json();
    assert!(!folder.path().join("net").exists(), "the network is removed");
    assert_eq!(told["balanced"], true, "{told}");
    let rows = |name: &str| told[name].as_array().cloned().unwrap_or_else(|| panic!("no {name}: {told}"));
    assert_eq!((rows("companies").len(), &told["tiers"]), (10, &Value::from(3)));
    let failed: Vec<Value> = rows("checks").into_iter().filter(|check| check["ok"] != true).collect();
    assert_eq!(failed, [] as [Value; 0]);
    let steps: Vec<String> = rows("steps").iter().map(|step| step["name"].as_str().unwrap().to_owned()).collect();
    for name in ["return", "dilution", "dispute", "resolution", "financing-draw", "recourse", "discharge"] {
        assert!(steps.iter().any(|step| step == name), "no {name} in {steps:?}");
    }
    // Of the books themselves, whatever the tool says of them: what moved within a bank's book is what it issued.
    let (ledger, certificates) = (rows("ledger"), rows("certificates"));
    let [euro, dollar] = &certificates[..] else { panic!("two certificates: {certificates:?}") };
    assert_eq!((&euro["currency"], &dollar["currency"]), (&Value::from("EUR"), &Value::from("USD")));
    for certificate in [euro, dollar] {
        let of = |field: &str| minor(&certificate[field]);
        let all = of("settled_minor") + of("diluted_minor") + of("outstanding_minor") + of("cancelled_minor");
        assert_eq!(all + of("written_off_minor"), of("face_minor"), "{certificate}");
    }
    // A return of 5,400.01 and a dispute over 4,000.00; the dollar certificate finds 30,000.00 of 90,000.00.
    assert_eq!((minor(&euro["diluted_minor"]), minor(&euro["outstanding_minor"])), (540_001 + 400_000, 0));
    assert_eq!((minor(&dollar["settled_minor"]), minor(&dollar["outstanding_minor"])), (3_000_000, 6_000_000));
    // Dollars only change hands; euro grow by what the bank paid for a part.
    assert_eq!(sum(&ledger, "USD", "change_minor"), 0);
    assert!(sum(&ledger, "EUR", "change_minor") > 0);
    assert!(rows("claims").iter().all(|claim| claim["met"] == true), "{told}");
    assert_eq!(rows("claims").len(), 4);
}
