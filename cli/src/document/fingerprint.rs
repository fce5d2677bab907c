//! The plain fingerprint of an invoice: one hash of what makes it that invoice, the same in every syntax and spelling.
//!
//! It covers version, kind, number, issue date, currency, payable amount and the two names, and nothing else: syntaxes
//! carry tax ids and due dates unevenly. The plain form must never reach a chain's state, events or public answers;
//! the registry keeps a keyed hash of it.

use caseless::default_case_fold_str;
use codec::Encode;
use portolan_primitives::{Domain, Hash, hash};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use super::error::Field;
use super::xml::collapse;
use super::{Facts, Kind};

/// Version of the fields and their normalisation. A change to either is a new version.
const VERSION: u8 = 1;

/// The plain fingerprint of an invoice or credit note. People see lowercase hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct InvoiceFingerprint(pub Hash);

impl std::fmt::Display for InvoiceFingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why facts have no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no fingerprint: the document lacks the {}; ask its sender for a complete one", list(.missing))]
pub struct Incomplete {
    /// What a fingerprint needs and the document lacks.
    pub missing: Vec<Field>,
}

fn list(fields: &[Field]) -> String {
    fields.iter().map(Field::to_string).collect::<Vec<_>>().join(" and the ")
}

/// What is hashed, in SCALE.
#[derive(Encode)]
struct Identity {
    version: u8,
    kind: Kind,
    number: String,
    issue_day: i32,
    currency: [u8; 3],
    payable_minor: i128,
    seller: String,
    buyer: String,
}

/// The fingerprint of `facts`.
///
/// # Errors
/// [`Incomplete`] when a fact that it covers is absent.
pub fn fingerprint(facts: &Facts) -> Result<InvoiceFingerprint, Incomplete> {
    let parts = (facts.issue_date, facts.payable_minor, facts.seller.as_deref(), facts.buyer.as_deref());
    let (Some(issue_date), Some(payable_minor), Some(seller), Some(buyer)) = parts else {
        return Err(Incomplete { missing: missing(facts) });
    };
    let identity = Identity {
        version: VERSION,
        kind: facts.kind,
        number: normalise(&facts.number),
        issue_day: issue_date.0,
        currency: facts.currency.0,
        payable_minor,
        seller: normalise(seller),
        buyer: normalise(buyer),
    };
    Ok(InvoiceFingerprint(hash(Domain::InvoiceFingerprint, &identity.encode())))
}

/// First byte of what a near key hashes: apart from every version of a fingerprint, which shares its context.
const NEAR_VERSION: u8 = 0x80 | VERSION;

/// The near key of `facts`: the fingerprint's kind, number, seller and buyer, without date, currency and amount. The registry holds an
/// invoice for review whose near key an earlier one has.
///
/// # Errors
/// [`Incomplete`] when seller or buyer is absent.
pub fn near_key(facts: &Facts) -> Result<Hash, Incomplete> {
    let (Some(seller), Some(buyer)) = (facts.seller.as_deref(), facts.buyer.as_deref()) else {
        let parties = [Field::Seller, Field::Buyer];
        return Err(Incomplete {
            missing: missing(facts).into_iter().filter(|field| parties.contains(field)).collect(),
        });
    };
    let identity = (NEAR_VERSION, facts.kind, normalise(&facts.number), normalise(seller), normalise(buyer));
    Ok(hash(Domain::InvoiceFingerprint, &identity.encode()))
}

fn missing(facts: &Facts) -> Vec<Field> {
    [
        (Field::IssueDate, facts.issue_date.is_none()),
        (Field::Payable, facts.payable_minor.is_none()),
        (Field::Seller, facts.seller.is_none()),
        (Field::Buyer, facts.buyer.is_none()),
    ]
    .into_iter()
    .filter_map(|(field, absent)| absent.then_some(field))
    .collect()
}

/// `text` with compatibility forms (NFKC), case (full Unicode folding) and white space made equal. Applying it twice
/// changes nothing: folding can leave a text that is not normal, so NFKC comes again after it.
pub fn normalise(text: &str) -> String {
    let composed: String = text.nfkc().collect();
    let folded: String = default_case_fold_str(&composed).nfkc().collect();
    collapse(&folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portolan_primitives::{BusinessDate, Currency};
    use proptest::prelude::*;

    fn facts() -> Facts {
        Facts {
            kind: Kind::Invoice,
            type_code: Some("380".into()),
            number: "INV-7".into(),
            issue_date: Some(BusinessDate(20_000)),
            due_date: None,
            currency: Currency(*b"CNY"),
            exponent: 2,
            payable_minor: Some(12_000_000),
            tax_minor: None,
            seller: Some("Harbour Steel Ltd".into()),
            buyer: Some("Straße & Söhne GmbH".into()),
        }
    }

    #[test]
    fn the_hash_is_of_the_documented_bytes() {
        let mut bytes = vec![1, 0];
        bytes.extend(b"\x14inv-7");
        bytes.extend(20_000i32.to_le_bytes());
        bytes.extend(b"CNY");
        bytes.extend(12_000_000i128.to_le_bytes());
        bytes.extend(b"\x44harbour steel ltd");
        bytes.extend("\u{54}strasse & söhne gmbh".as_bytes());
        assert_eq!(fingerprint(&facts()), Ok(InvoiceFingerprint(hash(Domain::InvoiceFingerprint, &bytes))));
    }

    #[test]
    fn each_covered_fact_changes_it() {
        let original = fingerprint(&facts());
        let changes: [fn(&mut Facts); 7] = [
            |facts| facts.kind = Kind::CreditNote,
            |facts| facts.number.push('1'),
            |facts| facts.issue_date = Some(BusinessDate(20_001)),
            |facts| facts.currency = Currency(*b"USD"),
            |facts| facts.payable_minor = Some(12_000_001),
            |facts| facts.seller = Some("Harbour Steel Inc".into()),
            |facts| facts.buyer = Some("Straße & Söhne AG".into()),
        ];
        for change in changes {
            let mut changed = facts();
            change(&mut changed);
            assert_ne!(fingerprint(&changed), original, "{changed:?}");
        }
    }

    #[test]
    fn f03_another_amount_or_date_leaves_the_near_key_and_another_number_or_party_does_not() {
        let original = near_key(&facts()).expect("complete");
        assert_ne!(original, fingerprint(&facts()).expect("complete").0);
        let same: [fn(&mut Facts); 4] = [
            |facts| facts.issue_date = None,
            |facts| facts.payable_minor = Some(1),
            |facts| facts.currency = Currency(*b"USD"),
            |facts| facts.number = " inv-7 ".into(),
        ];
        let others: [fn(&mut Facts); 4] = [
            |facts| facts.kind = Kind::CreditNote,
            |facts| facts.number = "INV-8".into(),
            |facts| facts.seller = Some("Harbour Steel Inc".into()),
            |facts| facts.buyer = Some("Straße & Söhne AG".into()),
        ];
        let changed = |change: fn(&mut Facts)| {
            let mut facts = facts();
            change(&mut facts);
            near_key(&facts).expect("complete")
        };
        assert!(same.into_iter().all(|change| changed(change) == original));
        assert!(others.into_iter().all(|change| changed(change) != original));
        let mut bare = facts();
        (bare.issue_date, bare.seller) = (None, None);
        assert_eq!(near_key(&bare), Err(Incomplete { missing: vec![Field::Seller] }));
    }

    #[test]
    fn what_syntaxes_carry_unevenly_changes_nothing() {
        let mut other = facts();
        other.due_date = Some(BusinessDate(20_090));
        other.tax_minor = Some(1);
        other.type_code = None;
        assert_eq!(fingerprint(&other), fingerprint(&facts()));
    }

    #[test]
    fn names_cannot_slide_into_each_other() {
        let (mut left, mut right) = (facts(), facts());
        (left.seller, left.buyer) = (Some("ab".into()), Some("c".into()));
        (right.seller, right.buyer) = (Some("a".into()), Some("bc".into()));
        assert_ne!(fingerprint(&left), fingerprint(&right));
    }

    #[test]
    fn incomplete_facts_have_none_and_say_what_is_missing() {
        let mut bare = facts();
        (bare.issue_date, bare.payable_minor, bare.seller, bare.buyer) = (None, None, None, None);
        let incomplete = fingerprint(&bare).expect_err("incomplete");
        assert_eq!(incomplete.missing, [Field::IssueDate, Field::Payable, Field::Seller, Field::Buyer]);
        assert!(incomplete.to_string().contains("issue date and the payable amount"));
    }

    #[test]
    fn spellings_of_one_name_are_one_name() {
        for (left, right) in [
            ("STRASSE", "straße"),
            ("  Acme \u{a0}\t Ltd.\n", "ACME LTD."),
            ("Ａｃｍｅ　株式会社", "acme 株式会社"),
            ("Cafe\u{301}", "CAFÉ"),
            ("ﬁnance", "FINANCE"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("№ 5", "No 5"),
        ] {
            assert_eq!(normalise(left), normalise(right), "{left} {right}");
        }
    }

    #[test]
    fn punctuation_accents_and_leading_zeros_are_kept() {
        for (left, right) in [("A-1", "A1"), ("0001", "1"), ("Muller", "Müller"), ("Acme Ltd", "Acme Ltd.")] {
            assert_ne!(normalise(left), normalise(right));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn normalising_twice_changes_nothing(text in "\\PC{0,12}|[\\s\\PC\u{300}-\u{345}\u{1f80}-\u{1fff}\u{130}\u{149}\u{1e9e}\u{fb00}-\u{fb06}]{0,12}") {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn case_and_outer_space_never_matter(text in "[a-zA-Zà-öø-ÿα-ωа-я0-9 .&/-]{1,24}") {
            prop_assert_eq!(normalise(&format!(" {}\u{3000}", text.to_uppercase())), normalise(&text.to_lowercase()));
        }
    }

    #[test]
    fn every_single_character_normalises_to_a_fixed_point() {
        for character in (0..=0x0010_ffff).filter_map(char::from_u32) {
            for text in [character.to_string(), format!("a{character}\u{345}"), format!("\u{301}{character}\u{327}")] {
                let once = normalise(&text);
                assert_eq!(normalise(&once), once, "{text:?}");
            }
        }
    }
}
