//! Issue of a bill of lading: its number, containers (ISO 6346) and ports (UN/LOCODE). What happens to its title is in `title`.

use alloc::{string::String, vec::Vec};

use codec::Encode;
use portolan_interface::{
    AccountId, DocumentId, Hash, MemberId, Role,
    trade::{
        Bill, BillTerms, ContainerNumber, DateFlag, Document, DocumentKind, MAX_BILL_NUMBER, MAX_CONTAINERS,
        MAX_EARLIER, TitleAct, TitleState, TitleStep, TradeError, TradeEvent, Unlocode, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    BILL_NUMBERS, EARLIER, authorise, bring, chain, committing, dates, load as load_document, order, receiving, title,
    wrong_kind,
};

pub fn load(id: DocumentId) -> Result<Bill, TradeError> {
    match load_document(id)? {
        Document::BillOfLading(bill) => Ok(bill),
        other => Err(wrong_kind(&other, DocumentKind::BillOfLading)),
    }
}

/// Who may read it.
pub fn parties(bill: &Bill) -> Vec<AccountId> {
    let mut parties = alloc::vec![bill.carrier, bill.shipper, bill.holder, bill.beneficiary];
    let guarantor = bill.indemnity.as_ref().map(|indemnity| indemnity.giver);
    parties.extend([bill.consignee, bill.nominee, bill.pledgee, guarantor].into_iter().flatten());
    parties
}

/// A carrier issues a bill to its first holder and beneficiary.
pub fn issue(carrier: AccountId, mut terms: BillTerms) -> Result<DocumentId, TradeError> {
    authorise(carrier, "trade-documents.issue-bill")?;
    let member = committing(carrier)?;
    ensure!(env::has_role(member, Role::Logistics), TradeError::WrongRole);
    let flags = check(&terms)?;
    let earlier = chain::normalise(core::mem::take(&mut terms.earlier))?;
    let id = DocumentId::bill(carrier, terms.commitment);
    take_number(member, &terms, id)?;
    if let Some(old) = terms.replaces {
        replace(carrier, old, id, &terms)?;
    }
    let mut bill = open(id, carrier, terms, flags);
    let (holder, beneficiary) = (bill.holder, bill.beneficiary);
    title::record(&mut bill, TitleAct::Issue, carrier, None, TitleStep { seen: 0, remark: None });
    if !earlier.is_empty() {
        EARLIER.set(&id, &earlier);
    }
    let readers = parties(&bill);
    bring(carrier, id, &Document::BillOfLading(bill), &readers)?;
    emit(&TradeEvent::BillIssued { bill: id, carrier, holder, beneficiary });
    Ok(id)
}

/// The new bill stands in the place of one that is void or on paper; in that of a void one for the owner that consented.
fn replace(carrier: AccountId, old: DocumentId, new: DocumentId, terms: &BillTerms) -> Result<(), TradeError> {
    let mut bill = load(old)?;
    ensure!(bill.carrier == carrier, TradeError::NotCarrier);
    ensure!(bill.order == terms.order, TradeError::OtherOrder);
    if let Some(by) = bill.replaced_by {
        return Err(TradeError::ReplacedAlready { by });
    }
    match bill.state {
        TitleState::OnPaper => {}
        TitleState::Void => {
            let same = (terms.holder, terms.beneficiary) == (bill.holder, bill.beneficiary);
            ensure!(same, TradeError::NotToItsOwner);
        }
        state => return Err(TradeError::NotReplaceable { state }),
    }
    bill.replaced_by = Some(new);
    let step = TitleStep { seen: bill.endorsements, remark: None };
    title::record(&mut bill, TitleAct::Replaced, carrier, None, step);
    title::store(bill);
    Ok(())
}

fn open(id: DocumentId, carrier: AccountId, terms: BillTerms, flags: Vec<DateFlag>) -> Bill {
    Bill {
        id,
        carrier,
        shipper: terms.shipper,
        consignee: terms.consignee,
        order: terms.order,
        containers: terms.containers,
        loading: terms.loading,
        discharge: terms.discharge,
        on_board: terms.on_board,
        negotiable: terms.negotiable,
        commitment: terms.commitment,
        holder: terms.holder,
        beneficiary: terms.beneficiary,
        nominee: None,
        former_holder: None,
        former_beneficiary: None,
        named_only: false,
        bearer: None,
        pledgee: None,
        purpose: None,
        amendment: None,
        amendments: 0,
        indemnity: None,
        delivery: None,
        replaces: terms.replaces,
        replaced_by: None,
        endorsements: 0,
        flags,
        height: env::block_height(),
        state: TitleState::Issued,
    }
}

/// Answers what is odd about its date.
fn check(terms: &BillTerms) -> Result<Vec<DateFlag>, TradeError> {
    let order = order::load(terms.order)?;
    order::ensure_running(&order)?;
    for account in [terms.shipper, terms.holder, terms.beneficiary].into_iter().chain(terms.consignee) {
        receiving(account)?;
    }
    ensure!(terms.negotiable || terms.consignee.is_some(), TradeError::StraightToNobody);
    ensure!(terms.earlier.len() <= MAX_EARLIER, TradeError::TooMany { limit: MAX_EARLIER as u32 });
    let on_board = terms.on_board.checked().map_err(TradeError::Terms)?;
    check_cargo(&terms.containers, &terms.loading, &terms.discharge)?;
    dates::on_board(on_board, order.ordered)
}

/// Containers and ports are written as their standards have it.
pub fn check_cargo(containers: &[ContainerNumber], loading: &Unlocode, discharge: &Unlocode) -> Result<(), TradeError> {
    ensure!(containers.len() <= MAX_CONTAINERS, TradeError::TooMany { limit: MAX_CONTAINERS as u32 });
    for (position, container) in (0u32..).zip(containers) {
        ensure!(is_container(&container.0), TradeError::Container { position });
    }
    ensure!(is_port(&loading.0) && is_port(&discharge.0), TradeError::Port);
    Ok(())
}

/// Takes the carrier's number, which no other bill of the carrier may have but the one that this one replaces. Numbers that differ in case
/// only are the same.
fn take_number(carrier: MemberId, terms: &BillTerms, id: DocumentId) -> Result<(), TradeError> {
    let number = &terms.number;
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/';
    ensure!((1..=MAX_BILL_NUMBER).contains(&number.len()) && number.bytes().all(good), TradeError::BillNumber);
    let normal: String = number.to_ascii_uppercase();
    let key: Hash = env::consortium_hash(&("bill of lading number", carrier, normal).encode());
    if let Some(first) = BILL_NUMBERS.get(&key) {
        ensure!(terms.replaces == Some(first), TradeError::DuplicateBillNumber { first });
    }
    BILL_NUMBERS.set(&key, &id);
    Ok(())
}

/// Four letters (the last U, J or Z), six digits and the check digit that they give (ISO 6346).
fn is_container(number: &str) -> bool {
    let Ok(number) = <&[u8; 11]>::try_from(number.as_bytes()) else { return false };
    let (letters, digits) = number.split_at(4);
    let shaped = letters.iter().all(u8::is_ascii_uppercase)
        && matches!(letters[3], b'U' | b'J' | b'Z')
        && digits.iter().all(u8::is_ascii_digit);
    shaped && check_digit(&number[..10]) == u32::from(number[10] - b'0')
}

/// Letters count 10 to 38 without the multiples of 11; place n weighs 2^n; modulo 11, and 10 counts as 0.
fn check_digit(front: &[u8]) -> u32 {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        _ => {
            let place = u32::from(byte - b'A');
            10 + place + place.div_ceil(10)
        }
    };
    let sum: u32 = (0u32..).zip(front).map(|(place, byte)| value(*byte) << place).sum();
    sum % 11 % 10
}

/// Two letters for the country, three letters or digits 2 to 9 for the place.
fn is_port(code: &str) -> bool {
    let Ok(code) = <&[u8; 5]>::try_from(code.as_bytes()) else { return false };
    let (country, place) = code.split_at(2);
    country.iter().all(u8::is_ascii_uppercase)
        && place.iter().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'9').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_container_numbers_pass_and_a_wrong_digit_fails() {
        for number in ["CSQU3054383", "TOLU4734787", "MSKU6011672", "HLXU2008419"] {
            assert!(is_container(number), "{number}");
            let (front, last) = number.split_at(10);
            let wrong = String::from(front) + if last == "0" { "1" } else { "0" };
            assert!(!is_container(&wrong));
        }
    }

    #[test]
    fn letters_skip_the_multiples_of_eleven() {
        // A = 10, B = 12, K = 21, L = 23, U = 32, V = 34, Z = 38, weighed by 1.
        for (letter, value) in [(b'A', 10), (b'B', 12), (b'K', 21), (b'L', 23), (b'U', 32), (b'V', 34), (b'Z', 38u32)] {
            assert_eq!(check_digit(&[letter]), value % 11 % 10, "{}", char::from(letter));
        }
    }

    #[test]
    fn a_container_is_a_freight_container_in_capitals() {
        for number in
            ["CSQX3054383", "csqu3054383", "CSQU30543A3", "CS1U3054383", "CSQU305438", "CSQU30543833", "集装箱"]
        {
            assert!(!is_container(number));
        }
    }

    #[test]
    fn ports_are_un_locodes() {
        assert!(["CNSHA", "DEHAM", "US2AB"].into_iter().all(is_port));
        assert!(!["CNSH1", "cnsha", "C1SHA", "CNSH", "CNSHAA", "上海"].into_iter().any(is_port));
    }
}
