//! Issue of a bill of lading: its number, containers (ISO 6346) and ports (UN/LOCODE). What happens to its title is in `title`.

use alloc::{string::String, vec::Vec};

use codec::Encode;
use portolan_interface::{
    AccountId, DocumentId, Hash, MemberId, Role,
    trade::{
        Bill, BillTerms, DateFlag, Document, DocumentKind, MAX_BILL_NUMBER, MAX_CONTAINERS, OrderState, TitleAct,
        TitleState, TradeError, TradeEvent, api::emit,
    },
};
use portolan_sdk::{ensure, env};

use crate::{
    BILL_NUMBERS, authorise, bring, committing, dates, load as load_document, order, receiving, title, wrong_kind,
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
    parties.extend(bill.consignee);
    parties.extend(bill.nominee);
    parties
}

/// A carrier issues a bill to its first holder and beneficiary.
pub fn issue(carrier: AccountId, terms: BillTerms) -> Result<DocumentId, TradeError> {
    authorise(carrier, "trade-documents.issue-bill")?;
    let member = committing(carrier)?;
    ensure!(env::has_role(member, Role::Logistics), TradeError::WrongRole);
    let flags = check(&terms)?;
    let id = DocumentId::bill(carrier, terms.commitment);
    take_number(member, &terms.number, id)?;
    let mut bill = open(id, carrier, terms, flags);
    let (holder, beneficiary) = (bill.holder, bill.beneficiary);
    title::record(&mut bill, TitleAct::Issue, carrier);
    let readers = parties(&bill);
    bring(id, &Document::BillOfLading(bill), &readers)?;
    emit(&TradeEvent::BillIssued { bill: id, carrier, holder, beneficiary });
    Ok(id)
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
        endorsements: 0,
        flags,
        height: env::block_height(),
        state: TitleState::Issued,
    }
}

/// Answers what is odd about its date.
fn check(terms: &BillTerms) -> Result<Vec<DateFlag>, TradeError> {
    let order = order::load(terms.order)?;
    let accepted = matches!(order.state, OrderState::Accepted | OrderState::PartlyAccepted);
    ensure!(accepted, TradeError::OrderNotAccepted { state: order.state });
    for account in [terms.shipper, terms.holder, terms.beneficiary].into_iter().chain(terms.consignee) {
        receiving(account)?;
    }
    let on_board = terms.on_board.checked().map_err(TradeError::Terms)?;
    ensure!(terms.containers.len() <= MAX_CONTAINERS, TradeError::TooMany { limit: MAX_CONTAINERS as u32 });
    for (position, container) in (0u32..).zip(&terms.containers) {
        ensure!(is_container(container), TradeError::Container { position });
    }
    ensure!(is_port(&terms.loading) && is_port(&terms.discharge), TradeError::Port);
    dates::on_board(on_board, order.ordered)
}

/// Takes the carrier's number, which no other bill of the carrier may have. Numbers that differ in case only are the same.
fn take_number(carrier: MemberId, number: &str, id: DocumentId) -> Result<(), TradeError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'/';
    ensure!((1..=MAX_BILL_NUMBER).contains(&number.len()) && number.bytes().all(good), TradeError::BillNumber);
    let normal: String = number.to_ascii_uppercase();
    let key: Hash = env::consortium_hash(&("bill of lading number", carrier, normal).encode());
    if let Some(first) = BILL_NUMBERS.get(&key) {
        return Err(TradeError::DuplicateBillNumber { first });
    }
    BILL_NUMBERS.set(&key, &id);
    Ok(())
}

/// Four letters (the last U, J or Z), six digits and the check digit that they give (ISO 6346).
fn is_container(number: &[u8; 11]) -> bool {
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
fn is_port(code: &[u8; 5]) -> bool {
    let (country, place) = code.split_at(2);
    country.iter().all(u8::is_ascii_uppercase)
        && place.iter().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'9').contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_container_numbers_pass_and_a_wrong_digit_fails() {
        for number in [b"CSQU3054383", b"TOLU4734787", b"MSKU6011672", b"HLXU2008419"] {
            assert!(is_container(number), "{}", String::from_utf8_lossy(number));
            let mut wrong = *number;
            wrong[10] = if wrong[10] == b'0' { b'1' } else { b'0' };
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
        for number in [b"CSQX3054383", b"csqu3054383", b"CSQU30543A3", b"CS1U3054383"] {
            assert!(!is_container(number));
        }
    }

    #[test]
    fn ports_are_un_locodes() {
        assert!(is_port(b"CNSHA") && is_port(b"DEHAM") && is_port(b"US2AB"));
        assert!(!is_port(b"CNSH1") && !is_port(b"cnsha") && !is_port(b"C1SHA"));
    }
}
